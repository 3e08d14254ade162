// How each kind of entry of a conversation looks. An entry that changes is drawn anew in its place; text grows.

import { bytes, count, diff, graft, make } from "./dom.js";
import { addressOf, formOf } from "./forms.js";

const FATES = { waiting: "waits for its turn", running: "", answered: "", dropped: "taken back" };
const MARKS = { pending: "·", running: "●", done: "✓", failed: "✗", stopped: "–" };
const HOW = { pending: "waits", running: "runs", done: "done", failed: "failed", stopped: "stopped" };
const BOXES = { completed: "☑", in_progress: "◐" };
const ENDS = { done: "Done", cancelled: "Stopped", refused: "Refused", failed: "Failed", gone: "The agent is gone", stalled: "Stalled", limit: "Limit reached" };

const SHOWN = new Set(["fill", "open"]); // answers of a form or an address that are given in it

export function question(data, acts) {
  const plain = data.form ? data.options.filter((option) => !SHOWN.has(option.id)) : data.options;
  const options = plain.map((option) =>
    make("button", { type: "button", class: "button", "data-kind": option.kind, onclick: () => acts.answer(data, option) }, option.name || option.id));
  if (data.form && data.where) options.unshift(make("a", { class: "button", "data-kind": "allow_once", href: `#/c/${data.conversation}` }, "Answer there"));
  const asked = !data.form || data.where ? null : data.form.is_address ? addressOf(data, acts) : formOf(data, acts);
  const detail = data.html ? make("details", {}, make("summary", {}, "What exactly?"), graft(make("div", { class: "detail" }), data.html)) : null;
  if (detail && !data.settled && !data.where) detail.open = !standsAbove(data.title);
  const where = data.where ? make("p", { class: "where" }, "in ", make("a", { href: `#/c/${data.conversation}` }, data.where)) : null;
  return make("div", { class: data.settled ? "ask settled" : "ask" },
    make("p", { class: "what" }, data.settled || data.form ? data.title : `May I? ${data.title}`), where, asked ? null : detail, asked,
    data.settled ? make("p", { class: "where" }, data.settled) : make("div", { class: "row" }, ...options));
}

// Whether the tool that is asked about shows its changes just above.
function standsAbove(title) {
  const tools = document.querySelectorAll("#talk .tool");
  const last = tools[tools.length - 1];
  return Boolean(last?.open && last.querySelector(".diff") && last.querySelector(".name").textContent === title);
}

function changeOf(change) {
  const lines = diff(change.lines.filter((line, at) => at > 1 || !/^(---|\+\+\+) /.test(line))); // the path stands above
  if (change.more) lines.push(make("span", { class: "at" }, `… ${change.more} more lines`));
  return [make("p", { class: "path" }, change.path), lines.length ? make("pre", { class: "diff", tabindex: "0" }, ...lines) : null];
}

function tool(entry, old) {
  const body = [];
  for (const change of entry.changes) body.push(...changeOf(change));
  if (entry.output) body.push(make("pre", { tabindex: "0" }, entry.output));
  const places = entry.places.filter((place) => !entry.title.includes(place) && !entry.changes.some((change) => change.path === place));
  if (places.length && body.length) body.unshift(make("p", { class: "path" }, places.join(", ")));
  const head = [make("span", { class: "mark", "aria-hidden": "true" }, MARKS[entry.state]), make("span", { class: "name" }, entry.title), make("span", { class: "how" }, HOW[entry.state])];
  if (!body.length) return make("div", { class: "tool", "data-state": entry.state }, make("div", { class: "alone" }, ...head));
  const element = make("details", { class: "tool", "data-state": entry.state }, make("summary", {}, ...head), make("div", { class: "body" }, ...body.filter(Boolean)));
  element.open = old?.tagName === "DETAILS" ? old.open : entry.changes.length > 0 || entry.state === "failed";
  return element;
}

function file(entry) {
  const is_picture = entry.url && /^image\/(png|jpeg|gif|webp)$/.test(entry.mime);
  const name = `${entry.name} (${bytes(entry.size)})`;
  if (is_picture) return make("figure", { class: "picture" }, make("img", { src: entry.url, alt: `Picture of the agent's: ${entry.name}` }), make("figcaption", {}, name));
  return make("p", { class: "notice" }, entry.url ? make("a", { href: entry.url, download: entry.name }, `📎 ${name}`) : `📎 ${name}, not kept`);
}

const DRAW = {
  message: (entry, old, acts) => make("div", { class: "mine", "data-fate": entry.fate, "data-message": entry.message },
    make("div", { class: "by" }, make("span", {}, entry.who), make("span", {}, FATES[entry.fate] ?? "")),
    make("div", { class: "text" }, entry.text),
    entry.files.length ? make("p", { class: "attached" }, `📎 ${entry.files.join(", ")}`) : null,
    entry.fate === "waiting" && acts.is_ours() ? make("button", { type: "button", class: "quiet small", onclick: () => acts.takeBack(entry) }, "Take back") : null),
  said: (entry, old) => graft(old?.classList.contains("said") ? old : make("div", { class: "said" }), entry.html),
  thought: (entry, old) => {
    const element = old?.classList.contains("thought") ? old : make("details", { class: "thought" }, make("summary", {}, "Thought"), make("div", { class: "inner" }));
    graft(element.querySelector(".inner"), entry.html);
    return element;
  },
  tool,
  plan: (entry) => make("div", { class: "plan" }, make("h3", {}, `Plan, ${count(entry.steps.length, "step", "steps")}`),
    make("ul", {}, ...entry.steps.map((step) => make("li", { "data-status": step.status },
      make("span", { class: "box", "aria-hidden": "true" }, BOXES[step.status] ?? "☐"), make("span", {}, step.text, make("span", { class: "hidden" }, ` (${step.status.replace("_", " ")})`)))))),
  file,
  link: (entry) => make("p", { class: "notice" }, entry.is_safe ? make("a", { href: entry.uri, rel: "noopener noreferrer", target: "_blank" }, `🔗 ${entry.name}`) : `🔗 ${entry.name} ${entry.uri}`),
  notice: (entry, old, acts) => {
    const lift = make("button", { type: "button", class: "quiet small", onclick: () => { lift.disabled = true; acts.lift(entry.lifts); } }, "🔓 Lift the limits");
    return make("div", { class: "notice", "data-ok": entry.ok ? null : "no" }, make("p", {}, entry.text), entry.lifts ? lift : null);
  },
  question: (entry, old, acts) => question(entry, acts),
  end: (entry, old, acts) => {
    const is_bad = !["done", "cancelled"].includes(entry.outcome);
    const parts = [ENDS[entry.outcome] ?? entry.outcome, entry.reason, `${entry.seconds.toFixed(1)} s`, entry.footer].filter(Boolean);
    const retry = make("button", { type: "button", class: "quiet small", onclick: async () => { retry.disabled = true; retry.disabled = await acts.retry(entry); } }, "🔁 Retry");
    return make("p", { class: "end", "data-how": is_bad ? "bad" : null }, parts.join(" · "), entry.about.length && acts.is_ours() ? retry : null);
  },
};

// Return the element of an entry: `old` itself where it could be changed in place.
export function draw(entry, old, acts) {
  const element = (DRAW[entry.kind] ?? (() => make("p", { class: "notice" }, entry.kind)))(entry, old, acts);
  element.dataset.entry = entry.id;
  return element;
}
