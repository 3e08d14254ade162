// Where people write: text, files that are picked, pasted or dropped, and what became of sending them.

import { bytes, make, setText, show } from "./dom.js";
import { change, forget, upload } from "./api.js";

const $ = (id) => document.getElementById(id);

export class Composer {
  // `place()` resolves to the conversation that is written into, made if there is none; `sent(key)` is told.
  constructor(place, sent) {
    this.place = place;
    this.sent = sent;
    this.files = [];
    this.text = $("text");
    this.is_busy = false;
    $("compose").addEventListener("submit", (event) => { event.preventDefault(); this.send(); });
    this.text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); this.send(); }
    });
    this.text.addEventListener("input", () => this.grow());
    this.text.addEventListener("paste", (event) => this.take(event, event.clipboardData));
    $("attach").addEventListener("click", () => $("picker").click());
    $("picker").addEventListener("change", () => { this.add($("picker").files); $("picker").value = ""; });
    const main = $("main");
    main.addEventListener("dragover", (event) => { if (this.can && event.dataTransfer.types.includes("Files")) { event.preventDefault(); show($("drop"), true); } });
    main.addEventListener("dragleave", (event) => { if (!main.contains(event.relatedTarget)) show($("drop"), false); });
    main.addEventListener("drop", (event) => { show($("drop"), false); if (this.can) this.take(event, event.dataTransfer); });
  }

  get can() { return !$("compose").hidden; }

  grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.text.rows = Math.min(12, this.text.value.split("\n").length);
  }

  take(event, data) {
    if (!data?.files.length) return;
    event.preventDefault();
    this.add(data.files);
  }

  async add(files) {
    for (const file of files) {
      const item = { name: file.name || "pasted.png", size: file.size, key: null, part: 0, is_gone: false };
      this.files.push(item);
      this.draw();
      item.ready = this.bring(item, file);
    }
  }

  async bring(item, file) {
    try {
      const key = await upload(await this.place(), file, (part) => { item.part = part; this.draw(); });
      if (item.is_gone) forget(key);
      else item.key = key;
    } catch (error) {
      this.drop(item);
      this.complain(`${item.name}: ${error.message}`);
    }
    this.draw();
  }

  drop(item) {
    item.is_gone = true;
    this.files = this.files.filter((other) => other !== item);
    if (item.key) forget(item.key);
    this.draw();
  }

  draw() {
    $("files").replaceChildren(...this.files.map((item) => make("li", {},
      make("span", {}, `${item.name}, ${bytes(item.size)}${item.key ? "" : ` (${Math.round(item.part * 100)} %)`}`),
      make("button", { type: "button", class: "quiet small", "aria-label": `Remove ${item.name}`, onclick: () => { this.drop(item); this.text.focus(); } }, "✕"))));
  }

  write(text) {
    this.text.value = text;
    this.grow();
    this.text.focus();
  }

  complain(text) {
    setText($("problem"), text);
    show($("problem"), Boolean(text));
  }

  async send(text = this.text.value) {
    if (this.is_busy || (!text.trim() && !this.files.length)) return;
    this.is_busy = true;
    $("send").disabled = true;
    this.complain("");
    try {
      await Promise.all(this.files.map((item) => item.ready));
      const conversation = await this.place();
      const files = this.files.map((item) => item.key);
      await change("POST", "web/messages", { conversation, text, files });
      if (text === this.text.value) this.text.value = "";
      this.files = [];
      this.draw();
      this.grow();
      this.sent(conversation);
    } catch (error) {
      this.complain(error.message);
    } finally {
      this.is_busy = false;
      $("send").disabled = false;
    }
  }
}
