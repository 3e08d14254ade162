// What an agent wants to be told, as a form; what it wants to be opened, as a link. Both are judged by openab-sync.

import { make, setText, show } from "./dom.js";

let count = 0; // so that no two fields have the same id

const named = (choice) => (choice.about ? `${choice.name} — ${choice.about}` : choice.name);
const NEEDS = { number: "a number", integer: "a whole number" };

function typed(field, id, attributes) {
  const first = field.default[0] ?? "";
  const common = { id, class: "typed", ...attributes };
  const element = field.is_long ? make("textarea", { ...common, rows: "3" }, first)
    : make("input", { ...common, type: "text", value: first, inputmode: { number: "decimal", integer: "numeric" }[field.kind] });
  return { element, focus: element, words: () => (element.value ? [element.value] : []) };
}

function chosen(field, id, attributes) {
  const choices = field.kind === "boolean" ? [{ value: "yes", name: "yes" }, { value: "no", name: "no" }] : field.choices;
  const element = make("select", { id, class: "typed", ...attributes },
    make("option", { value: "" }, field.is_needed ? "Choose…" : "–"),
    ...choices.map((choice) => make("option", { value: choice.value, selected: field.default.includes(choice.value) }, named(choice))));
  return { element, focus: element, words: () => (element.selectedIndex > 0 ? [element.value] : []) };
}

function ticked(field, id, attributes) {
  const boxes = field.choices.map((choice) => make("input", { type: "checkbox", value: choice.value, checked: field.default.includes(choice.value) }));
  const element = make("div", { class: "boxes" }, ...boxes.map((box, at) => make("label", {}, box, make("span", {}, named(field.choices[at])))));
  for (const [name, value] of Object.entries(attributes)) if (name === "aria-describedby") boxes[0].setAttribute(name, value);
  return { element, focus: boxes[0], words: () => boxes.filter((box) => box.checked).map((box) => box.value) };
}

function row(field) {
  const id = `field-${++count}`;
  const hint = [field.about, NEEDS[field.kind], field.bounds, field.is_needed ? "" : "may be left out"].filter(Boolean).join(" · ");
  const about = make("span", { class: "about-field", id: `${id}-about` }, hint);
  const wrong = make("span", { class: "wrong", id: `${id}-wrong`, hidden: true });
  const attributes = { "aria-describedby": `${id}-about ${id}-wrong`, "aria-required": field.is_needed && field.kind !== "choices" ? "true" : null };
  const input = (field.kind === "choices" ? ticked : ["choice", "boolean"].includes(field.kind) ? chosen : typed)(field, id, attributes);
  const element = field.kind === "choices"
    ? make("fieldset", { class: "entry" }, make("legend", {}, field.title), about, input.element, wrong)
    : make("div", { class: "entry" }, make("label", { for: id }, field.title), about, input.element, wrong);
  const complain = (text) => {
    setText(wrong, text ?? "");
    show(wrong, Boolean(text));
    if (text) input.focus.setAttribute("aria-invalid", "true");
    else input.focus.removeAttribute("aria-invalid");
  };
  return { name: field.name, element, complain, focus: input.focus, words: input.words };
}

const message = (data) => (data.form.message ? make("p", { class: "message" }, data.form.message) : null);

export function formOf(data, acts) {
  const rows = data.form.fields.map(row);
  const send = make("button", { type: "submit", class: "button", "data-kind": "allow_once" }, "Send");
  const form = make("form", { class: "asked-form", novalidate: true, autocomplete: "off", "aria-label": data.title }, message(data), ...rows.map((one) => one.element), send);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    send.disabled = true;
    try {
      await acts.fill(data, Object.fromEntries(rows.map((one) => [one.name, one.words()])));
    } catch (error) {
      for (const one of rows) one.complain(error.fields[one.name]);
      const first = rows.find((one) => error.fields[one.name]);
      if (first) first.focus.focus();
      else acts.complain(error);
    } finally {
      send.disabled = false;
    }
  });
  return form;
}

// The address comes when somebody asks for it; opening it is their answer.
export function addressOf(data, acts) {
  const place = make("div", { class: "address" });
  const ask = make("button", { type: "button", class: "button", "data-kind": "allow_once" }, "Show the address");
  ask.addEventListener("click", async () => {
    try {
      const { url, host, caution } = await acts.address(data);
      const link = make("a", { class: "button", "data-kind": "allow_once", href: url, target: "_blank", rel: "noopener noreferrer" }, `Open ${host}`);
      link.addEventListener("click", () => acts.answer(data, { id: "open" }));
      place.replaceChildren(make("p", { class: "url" }, url), ...(caution ? [make("p", { class: "wrong" }, caution)] : []), link);
      link.focus();
    } catch (error) {
      acts.complain(error);
    }
  });
  place.append(ask);
  return make("div", { class: "asked-form" }, message(data), place);
}
