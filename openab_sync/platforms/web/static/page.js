// The page: which conversation is shown, what arrives for it, and the few things that people do besides writing.

import { Wire, admitted, change } from "./api.js";
import { Board, STATES, compact } from "./board.js";
import { Composer } from "./compose.js";
import { draw } from "./entries.js";
import { make, setText, show } from "./dom.js";

const $ = (id) => document.getElementById(id);
const LINES = { live: "live", wait: "connecting", lost: "not connected, trying again", locked: "locked" };
const BUSY = new Set(["working", "asking", "starting", "stopping"]);

let current = ""; // the conversation that is shown
let fresh = ""; // one that was made for what is being written, and is not shown yet
let skew = 0; // seconds that this machine's clock is ahead of theirs
let said = ""; // what was announced last
const rooms = new Map(); // key → {version, entries: Map id → element}

const acts = {
  skew: () => skew,
  is_ours: () => current.startsWith("web:"),
  answer: (data, option) => doing(() => change("POST", "web/answers", { question: data.question, option: option.id })),
  fill: (data, values) => change("POST", "web/answers", { question: data.question, option: "fill", values }),
  address: (data) => change("POST", "web/addresses", { question: data.question }),
  complain: (error) => composer.complain(error.message),
  lift: (whose) => order("limits", `lift ${whose}`),
  retry: (entry) => doing(() => again(entry.about)),
  takeBack: (entry) => doing(() => change("POST", "web/take-back", { conversation: current, message: entry.message })),
};
const board = new Board(acts);
const composer = new Composer(place, (key) => { fresh = ""; if (key !== current) location.hash = `#/c/${key}`; toEnd(); });
const wire = new Wire({ house, room, line });

// Whether it could be done.
async function doing(act) {
  composer.complain("");
  try { await act(); return true; } catch (error) { composer.complain(error.message); return false; }
}

// Send once more what these messages said; what came with them is not kept.
async function again(messages) {
  const asked = messages.map((id) => $("talk").querySelector(`[data-message="${CSS.escape(id)}"]`)).filter(Boolean);
  const texts = asked.map((one) => one.querySelector(".text").textContent);
  if (!asked.length) throw new Error("What was asked is not shown any more.");
  if (asked.some((one) => one.querySelector(".attached"))) {
    composer.write(texts.join("\n\n"));
    throw new Error("Attach the files once more, and send it.");
  }
  for (const text of texts) await change("POST", "web/messages", { conversation: current, text, files: [] });
  toEnd();
}

async function place() {
  if (current) return current;
  fresh ||= change("POST", "web/conversations").then((data) => data.conversation);
  return fresh;
}

// What arrives.

function line(state) {
  $("line").dataset.line = state;
  setText($("line-text"), LINES[state]);
  if (state === "locked") lock();
}

function lock() {
  for (const id of ["welcome", "room", "compose", "elsewhere"]) show($(id), false);
  show($("locked"), true);
  document.body.dataset.view = "room";
}

function house(data) {
  if (!$("locked").hidden) route();
  skew = Date.now() / 1000 - data.now;
  board.draw(data);
  if (!$("chips").children.length) chips(data.chips ?? []);
  state();
}

function chips(list) {
  $("chips").replaceChildren(...list.map(([name, text]) => make("li", {}, make("button", { type: "button", onclick: () => composer.send(text) }, name))));
}

function room(data) {
  let known = rooms.get(data.key);
  if (!known || data.after === 0) rooms.set(data.key, (known = { entries: new Map() }));
  known.version = data.version;
  known.title = data.title;
  if (data.key !== current) return;
  const is_at_end = atEnd();
  if (data.after === 0) $("talk").replaceChildren();
  for (const child of Array.from($("talk").children)) {
    if (Number(child.dataset.entry) < data.first || data.gone.includes(Number(child.dataset.entry))) { known.entries.delete(Number(child.dataset.entry)); child.remove(); }
  }
  for (const entry of data.entries) {
    const old = known.entries.get(entry.id);
    const element = draw(entry, old, acts);
    known.entries.set(entry.id, element);
    if (!old) insert(element);
    else if (old !== element) old.replaceWith(element);
    if (data.after !== 0) announce(entry);
  }
  if (is_at_end || data.after === 0) toEnd();
  show($("down"), !atEnd());
  state();
}

// Entries stand in the order of their numbers; nearly always the new one is the last.
function insert(element) {
  let before = $("talk").lastElementChild;
  while (before && Number(before.dataset.entry) > Number(element.dataset.entry)) before = before.previousElementSibling;
  if (before) before.after(element);
  else $("talk").prepend(element);
}

// For those who listen: not every word, but what asks for attention and how it ended.
function announce(entry) {
  let text = "";
  if (entry.kind === "question" && !entry.settled) text = `The agent asks: ${entry.title}`;
  else if (entry.kind === "notice") text = entry.text;
  else if (entry.kind === "end") {
    const words = $("talk").querySelectorAll(".said");
    text = `${entry.outcome === "done" ? "Answered" : entry.reason || entry.outcome}. ${words[words.length - 1]?.textContent.slice(0, 300) ?? ""}`;
  }
  if (text && text !== said) setText($("announcer"), (said = text));
}

function state() {
  const card = board.card(current);
  const is_busy = BUSY.has(card?.state);
  setText($("room-title"), card?.title ?? "New conversation");
  $("stop").disabled = !is_busy || card.state === "stopping";
  const parts = card ? [
    make("span", { class: "chip", "data-state": card.state }, make("span", { class: "dot", "aria-hidden": "true" }), STATES[card.state] ?? card.state, card.since ? make("span", { "data-since": card.since }) : null),
    card.agent, card.queue ? `${card.queue} waiting` : "", card.used !== null ? `${compact(card.used)}${card.size ? ` of ${compact(card.size)}` : ""} tokens` : "", card.cost,
  ] : [];
  $("room-state").replaceChildren(...parts.filter(Boolean).map((part) => (part instanceof Node ? part : make("span", {}, part))));
  const is_at_end = atEnd();
  show($("busy"), is_busy);
  setText($("busy-text"), card?.state === "asking" ? "waits for your answer" : card?.doing || STATES[card?.state] || "");
  if (is_at_end) toEnd();
  board.tick();
}

// Where we are.

const scroll = $("scroll");
const atEnd = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 60;
const toEnd = () => { scroll.scrollTop = scroll.scrollHeight; show($("down"), false); };
scroll.addEventListener("scroll", () => show($("down"), !atEnd()), { passive: true });
$("down").addEventListener("click", () => { toEnd(); $("text").focus(); });

function route() {
  const found = location.hash.match(/^#\/c\/(.+)$/);
  const key = found ? decodeURIComponent(found[1]) : "";
  document.body.dataset.view = key ? "room" : location.hash === "#/new" ? "new" : "home";
  show($("locked"), false);
  show($("welcome"), !key);
  show($("room"), Boolean(key));
  const is_ours = !key || key.startsWith("web:");
  show($("compose"), is_ours);
  show($("elsewhere"), !is_ours);
  setText($("elsewhere"), is_ours ? "" : `People write into this conversation on ${key.split(":")[0]}. Here it can be watched, stopped, and its questions answered.`);
  if (key !== current || !wire.source) {
    current = key;
    fresh = "";
    $("talk").replaceChildren();
    rooms.delete(key);
    composer.complain("");
    setText($("announcer"), (said = ""));
    wire.open(key, 0);
  }
  board.mark(current);
  if (board.house) state();
  if (document.body.dataset.view !== "home" && is_ours && matchMedia("(hover: hover)").matches) $("text").focus();
}

// What people do.

async function order(name, argument = "") {
  await doing(async () => {
    const { text } = await change("POST", "web/orders", { conversation: current, name, argument });
    if (text) setText($("elsewhere"), text); // a conversation of another platform's: it is told nowhere else
  });
}
$("stop").addEventListener("click", () => order("cancel"));
$("reset").addEventListener("click", () => $("sure").showModal());
$("sure").addEventListener("close", () => {
  if ($("sure").returnValue === "yes") order("reset");
  $("sure").returnValue = "";
});
$("new").addEventListener("click", () => { if (location.hash === "#/new" || (!current && location.hash !== "#/c/")) $("text").focus(); });
$("skip").addEventListener("click", (event) => { event.preventDefault(); ($("compose").hidden ? $("main") : $("text")).focus(); });
document.addEventListener("click", async (event) => {
  const button = event.target.closest(".copy");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.previousElementSibling.textContent);
    setText(button, "Copied");
  } catch { // not every browser lets every page
    setText(button, "Select it instead");
  }
  setTimeout(() => setText(button, "Copy"), 1500);
});

const THEMES = ["auto", "light", "dark"];
function theme(name) {
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  setText($("theme"), `Theme: ${name}`);
  localStorage.setItem("theme", name);
}
$("theme").addEventListener("click", () => theme(THEMES[(THEMES.indexOf(localStorage.getItem("theme") ?? "auto") + 1) % THEMES.length]));
theme(localStorage.getItem("theme") ?? "auto");

addEventListener("hashchange", route);
setInterval(() => board.tick(), 1000);
addEventListener("pagehide", () => wire.close());
addEventListener("pageshow", (event) => { if (event.persisted) wire.open(current, 0); });

try {
  await admitted();
  route();
} catch (error) {
  line(error.code === 401 ? "locked" : "lost");
  if (error.code !== 401) route();
}
