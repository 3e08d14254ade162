// Making elements, and letting in what an agent wrote: only what stands here gets into the page.

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

const TAGS = new Set("p br strong em s code pre blockquote ul ol li h1 h2 h3 h4 h5 h6 hr a table thead tbody tr th td".split(" "));
const HEADS = { h1: "h2", h2: "h3", h3: "h4", h4: "h5", h5: "h6", h6: "h6" }; // the page's own comes first

function admit(node) {
  if (node.nodeType === Node.TEXT_NODE) return document.createTextNode(node.data);
  const tag = node.nodeName.toLowerCase();
  if (!TAGS.has(tag)) return document.createTextNode(node.textContent ?? "");
  const element = make(HEADS[tag] ?? tag);
  if (tag === "a" && /^(https?:\/\/|mailto:)/i.test(node.getAttribute("href") ?? "")) {
    element.href = node.getAttribute("href");
    element.rel = "noopener noreferrer";
    element.target = "_blank";
  }
  if (tag === "ol" && /^\d{1,9}$/.test(node.getAttribute("start") ?? "")) element.start = Number(node.getAttribute("start"));
  if ((tag === "td" || tag === "th") && ["center", "right"].includes(node.className)) element.className = node.className;
  element.append(...Array.from(node.childNodes, admit));
  if (tag === "pre") {
    if (node.querySelector("code.language-diff")) {
      element.className = "diff";
      element.replaceChildren(...diff(node.textContent.replace(/\n$/, "").split("\n")));
    }
    element.tabIndex = 0;
    return make("div", { class: "code" }, element, make("button", { type: "button", class: "copy" }, "Copy"));
  }
  if (tag === "table") return make("div", { class: "wide-table", tabindex: "0" }, element);
  return element;
}

// The lines of a unified diff, each of its kind.
export function diff(lines) {
  return lines.map((line) => {
    const kind = /^(---|\+\+\+|@@)/.test(line) ? "at" : line.startsWith("+") ? "add" : line.startsWith("-") ? "del" : null;
    return make("span", { class: kind }, `${line || " "}\n`);
  });
}

// Make `element` hold the harmless part of `html`. What has not changed is left alone: what is selected stays so.
export function graft(element, html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  const nodes = Array.from(parsed.body.childNodes, admit).filter((node) => node.nodeType !== Node.TEXT_NODE || node.data.trim());
  let same = 0;
  while (same < nodes.length && element.childNodes[same]?.isEqualNode(nodes[same])) same += 1;
  while (element.childNodes.length > same) element.lastChild.remove();
  element.append(...nodes.slice(same));
  return element;
}

export const show = (element, is_shown) => { element.hidden = !is_shown; };

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${String(Math.floor(whole / 60) % 60).padStart(2, "0")} min`;
  return `${Math.floor(whole / 86400)} d`;
}

export function bytes(size) {
  if (size < 1024) return `${size} bytes`;
  if (size < 1048576) return `${Math.round(size / 1024)} KB`;
  return `${(size / 1048576).toFixed(1)} MB`;
}

export const count = (number, one, many) => `${number} ${number === 1 ? one : many}`;
