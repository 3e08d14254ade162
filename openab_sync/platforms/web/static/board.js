// The dashboard: cards, open questions, faults, and the line at the top.

import { count, make, setText, show, span } from "./dom.js";
import { question } from "./entries.js";

const $ = (id) => document.getElementById(id);
export const STATES = { asking: "asks you", working: "working", stopping: "stopping", starting: "starting", waiting: "in line", ending: "ending", ended: "ended", idle: "ready", asleep: "asleep" };
const HERE = "web:";

// Change a list so that it shows `items`; what has not changed keeps its element, and with it the focus.
function fill(list, items, key, draw) {
  const known = new Map(Array.from(list.children, (child) => [child.dataset.key, child]));
  const wanted = items.map((item) => {
    const old = known.get(key(item));
    const text = JSON.stringify(item);
    if (old && old.shown === text) return old;
    const element = draw(item, old);
    element.dataset.key = key(item);
    element.shown = text;
    if (old && old !== element) old.replaceWith(element);
    return element;
  });
  const keep = new Set(wanted);
  for (const child of Array.from(list.children)) if (!keep.has(child)) child.remove();
  wanted.forEach((element, at) => { if (list.children[at] !== element) list.insertBefore(element, list.children[at] ?? null); });
}

export function compact(number) {
  return number >= 1e6 ? `${(number / 1e6).toFixed(1)}M` : number >= 1e4 ? `${Math.round(number / 1000)}k` : number.toLocaleString("en");
}

function card(item, old) {
  const link = old?.firstElementChild ?? make("a", { class: "card" });
  link.setAttribute("href", `#/c/${item.key}`);
  const since = item.since ? make("span", { "data-since": item.since }) : null;
  const facts = [
    item.platform === HERE.slice(0, -1) ? "" : item.platform, item.who, item.agent,
    item.queue ? `${item.queue} waiting` : "",
    item.used !== null ? `${compact(item.used)}${item.size ? ` of ${compact(item.size)}` : ""} tokens` : "", item.cost,
    since || !item.touched ? "" : make("span", { "data-ago": item.touched }),
  ];
  link.replaceChildren(
    make("span", { class: "top" }, make("span", { class: "title" }, item.title),
      make("span", { class: "chip", "data-state": item.state }, make("span", { class: "dot", "aria-hidden": "true" }), make("span", {}, STATES[item.state] ?? item.state), since)),
    ...[item.doing ? make("span", { class: "doing" }, item.doing) : null, item.words ? make("span", { class: "words" }, item.words) : null].filter(Boolean),
    make("span", { class: "facts" }, ...facts.filter(Boolean).map((fact) => (fact instanceof Node ? fact : make("span", {}, fact)))));
  if (item.used !== null && item.size) {
    const bar = make("span", {});
    bar.style.width = `${Math.min(100, (100 * item.used) / item.size)}%`;
    link.append(make("span", { class: "gauge", "aria-hidden": "true" }, bar));
  }
  return old ?? make("li", {}, link);
}

export class Board {
  constructor(acts) {
    this.acts = acts;
    this.seen = Number(sessionStorage.getItem("seen") ?? 0); // faults until then need no more attention
    $("seen").addEventListener("click", () => {
      this.seen = this.house?.faults[0]?.at ?? 0;
      sessionStorage.setItem("seen", this.seen);
      this.draw(this.house);
    });
  }

  draw(house) {
    this.house = house;
    fill($("cards"), house.cards, (item) => item.key, card);
    fill($("questions"), house.questions, (item) => item.question, (item) => make("li", {}, question(item, this.acts)));
    const faults = house.faults.filter((fault) => fault.at > this.seen).slice(0, 5);
    fill($("faults"), faults, (fault) => `${fault.key} ${fault.at}`, (fault) => make("li", {}, make("a", { href: `#/c/${fault.key}` }, this.title(fault.key)), make("span", {}, fault.text)));
    show($("asking"), house.questions.length > 0);
    show($("trouble"), faults.length > 0);
    show($("no-cards"), house.cards.length === 0);
    const working = house.cards.filter((item) => ["working", "asking", "starting", "stopping"].includes(item.state)).length;
    const waiting = house.cards.filter((item) => item.state === "waiting").length;
    setText($("summary"), [house.agent, count(house.cards.length, "conversation", "conversations"), working ? `${working} at work` : "", waiting ? `${waiting} in line` : ""].filter(Boolean).join(" · "));
    document.title = `${house.questions.length ? `(${house.questions.length}) ` : ""}openab-sync`;
    this.mark();
    this.tick();
  }

  title(key) { return this.house?.cards.find((item) => item.key === key)?.title ?? key; }
  card(key) { return this.house?.cards.find((item) => item.key === key); }

  mark(key = this.current) {
    this.current = key;
    for (const item of $("cards").children) {
      if (item.dataset.key === key) item.firstElementChild.setAttribute("aria-current", "page");
      else item.firstElementChild.removeAttribute("aria-current");
    }
  }

  // Count: moments come as seconds since the epoch of the machine where openab-sync runs.
  tick() {
    const now = Date.now() / 1000 - (this.acts.skew() ?? 0);
    for (const element of document.querySelectorAll("[data-since]")) setText(element, span(now - element.dataset.since));
    for (const element of document.querySelectorAll("[data-ago]")) setText(element, now - element.dataset.ago < 5 ? "just now" : `${span(now - element.dataset.ago).replace(/ \d+ s$/, "")} ago`);
  }
}
