// What the page says to openab-sync, and how it is told: one stream, or asking every two seconds where none is free.

let changes = null; // the token that every change carries

export class Refused extends Error {
  constructor(sentence, code, fields = {}) { super(sentence); this.code = code; this.fields = fields; }
}

async function answer(response) {
  let data = {};
  try { data = await response.json(); } catch { /* not ours to read: the code says enough */ }
  if (!response.ok) throw new Refused(data.error || `The server answered ${response.status}.`, response.status, data.fields);
  return data;
}

async function token(anew = false) {
  if (changes === null || anew) changes = (await answer(await fetch("api/me"))).changes;
  return changes;
}

export async function admitted() {
  await token(true);
}

export async function change(method, path, body) {
  const is_data = body instanceof Blob;
  const headers = { "X-Openab-Token": await token(), "Content-Type": is_data ? "application/octet-stream" : "application/json" };
  const init = { method, headers, body: is_data ? body : JSON.stringify(body ?? {}) };
  let response = await fetch(path, init);
  if (response.status === 403) { // openab-sync was started anew meanwhile
    headers["X-Openab-Token"] = await token(true);
    response = await fetch(path, init);
  }
  return answer(response);
}

const PIECE = 512 * 1024;

export async function upload(conversation, file, progress) {
  const { upload: key } = await change("POST", "web/uploads", { conversation, name: file.name || "pasted.png" });
  try {
    for (let at = 0; at < file.size || at === 0; at += PIECE) {
      await change("POST", `web/uploads/${key}`, file.slice(at, at + PIECE));
      progress(Math.min(1, (at + PIECE) / (file.size || 1)));
    }
  } catch (error) {
    change("DELETE", `web/uploads/${key}`).catch(() => {});
    throw error;
  }
  return key;
}

export const forget = (key) => change("DELETE", `web/uploads/${key}`).catch(() => {});

// Told: {house(data), room(data), line("live" | "wait" | "lost" | "locked")}.
export class Wire {
  constructor(told) { this.told = told; this.source = null; this.timer = 0; this.fails = 0; this.turn = 0; }

  open(room, after) {
    this.close();
    this.room = room;
    this.after = after;
    const source = (this.source = new EventSource(`web/stream?room=${encodeURIComponent(room)}&after=${after}`));
    source.addEventListener("house", (event) => { this.fails = 0; this.told.line("live"); this.told.house(JSON.parse(event.data)); });
    source.addEventListener("room", (event) => this.take(JSON.parse(event.data)));
    source.addEventListener("over", () => { this.told.line("lost"); this.again(1000); });
    source.onerror = () => {
      this.told.line(++this.fails > 1 ? "lost" : "wait");
      if (source.readyState === EventSource.CLOSED) this.ask(); // no seat, no key, or nobody there
    };
  }

  take(room) {
    this.after = room.version;
    this.told.room(room);
  }

  close() {
    this.source?.close();
    clearTimeout(this.timer);
    this.turn += 1;
  }

  again(pause) {
    this.source?.close();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(this.room, this.after), pause);
  }

  async ask(times = 0) {
    const turn = this.turn;
    let pause = 2000;
    try {
      const path = `web/look?room=${encodeURIComponent(this.room)}&after=${this.after}`;
      const { house, room } = await answer(await fetch(path));
      if (turn !== this.turn) return;
      this.told.line("live");
      this.told.house(house);
      if (room && (room.version !== this.after || room.after === 0)) this.take(room);
    } catch (error) {
      if (turn !== this.turn) return;
      this.told.line(error.code === 401 ? "locked" : "lost");
      pause = 4000;
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (times > 8 ? this.open(this.room, this.after) : this.ask(times + 1)), pause);
  }
}
