"""What the demo agent does for each word of a prompt, and how a prompt is read.

A text block that consists of known words, their numbers and a few joining words (`slow 2 then edit`) is obeyed, in
order. Anything else is answered by a friendly quotation, streamed. `WORDS` at the end lists them all; `help` shows it.

Not here: the protocol and the loop (`demo`), what a word may use (`demo_turn`).
"""

from __future__ import annotations

import binascii
import os
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from openab_sync.agents.demo_turn import Crash, Failure, Steps, Turn

__all__ = ["WORDS", "answer", "visible_text"]

JOINING = frozenset({"and", "then", "please"})
# What bridges write before and behind a message.
SENDER = re.compile(r"<(sender_context|outbox)>.*?</\1>", re.DOTALL)
LOREM = ("a", "small", "agent", "says", "a", "little", "more", "each", "time", "and", "never", "runs", "dry")
QUOTED = 4000  # characters of a prompt that are quoted back


class Word(NamedTuple):
    """One word: its generator, the defaults of its numbers, whether it takes the rest of the line, and its help."""

    run: Callable[..., Steps]
    help: str
    numbers: tuple[float, ...] = ()
    takes_text: bool = False


Order = tuple[Word, tuple[float | str, ...]]


# ---- reading a prompt ----


def visible_text(text: str) -> str:
    """The text as the person wrote it, without what a bridge says about the sender."""
    return SENDER.sub("", text).strip()


def answer(turn: Turn) -> Steps:
    """Answer the whole prompt: every block that is made of words is obeyed; with none, quote the prompt."""
    if turn.session.options["verbose"]:
        turn.think(f"Mode {turn.session.mode}, model {turn.session.options['model']}.")
    plans = [(text, _orders(text)) for text in turn.texts]
    obeyed = [order for _, orders in plans for order in orders]
    if not obeyed:
        yield from _friendly(turn)
        return
    turn.material += [f"text of {len(text)} characters" for text, orders in plans if text and not orders]
    for word, values in obeyed:
        yield from word.run(turn, *values)


def _orders(text: str) -> list[Order]:
    """The words of a text with their values; nothing if anything else is in it."""
    if text.lower().strip(" ?!.") == "what did i say":
        return [(WORDS["recall"], ())]
    orders: list[Order] = []
    for line in text.splitlines():
        tokens = line.split()
        while tokens:
            name = tokens.pop(0).lower().rstrip(".,;!").lstrip("/")
            if name in JOINING:
                continue
            if name not in WORDS:
                return []
            orders.append((WORDS[name], _values(WORDS[name], tokens)))
    return orders


def _values(word: Word, tokens: list[str]) -> tuple[float | str, ...]:
    """Take a word's values from the front of what follows it."""
    if word.takes_text:
        rest = " ".join(tokens)
        tokens.clear()
        return (rest,)
    return tuple(_number(tokens, default) for default in word.numbers)


def _number(tokens: list[str], default: float) -> float:
    if tokens and re.fullmatch(r"\d{1,9}(\.\d{1,9})?[.,;!]?", tokens[0]):
        return float(tokens.pop(0).rstrip(".,;!"))
    return default


# ---- words that say something ----


def _friendly(turn: Turn) -> Steps:
    prompt = "\n".join(text for text in turn.texts if text)
    quoted = prompt if len(prompt) <= QUOTED else f"{prompt[:QUOTED]}… ({len(prompt)} characters in all)"
    lines = "\n".join(f"> {line}" for line in quoted.split("\n"))
    said = f"You said:\n\n{lines}\n\nI am the demo agent: no model, no network. `help` lists the words that I obey."
    if turn.material:
        said += "\n\n" + _listing("With it came", turn.material)
    size = max(4, len(said) // 30)  # about 30 chunks whatever the length
    for start in range(0, len(said), size):
        turn.say(said[start : start + size])
        yield 0.01


def _help(turn: Turn) -> Steps:
    turn.say("Words that I obey, several in one prompt if you like:\n\n")
    for name, word in WORDS.items():
        turn.say(f"- `{' '.join([name, *('N' for _ in word.numbers)])}`: {word.help}\n")
        yield 0.0


def _echo(turn: Turn, text: str) -> Steps:
    turn.say(f"{text}\n")
    yield 0.0


def _slow(turn: Turn, seconds: float) -> Steps:
    steps = max(3, round(seconds / 0.2))
    for step in range(steps):
        turn.say(f"{LOREM[step % len(LOREM)]} ")
        yield seconds / steps
    turn.say(f"(that took {seconds:g} s)\n")


def _flood(turn: Turn, count: float) -> Steps:
    for number in range(1, int(count) + 1):
        turn.say(f"flood line {number} of {count:.0f}\n")
        yield 0.0


def _long(turn: Turn, count: float) -> Steps:
    for number in range(1, int(count) + 1):
        turn.say(f"Paragraph {number}: " + " ".join(LOREM * 5) + ".\n\n")
        yield 0.0


def _table(turn: Turn) -> Steps:
    turn.say("| word | takes | what it shows |\n|---|--:|---|\n")
    turn.say("| slow | 5 s | streaming |\n| 表 | 0 s | wide characters |\n| edit | – | a diff |\n")
    yield 0.0


def _code(turn: Turn) -> Steps:
    turn.say("```python\n")
    turn.say('def greet(name: str) -> str:\n    return f"Hello, {name}!"\n')
    turn.say("```\n")
    yield 0.0


def _image(turn: Turn) -> Steps:
    data = binascii.b2a_base64(_png(16), newline=False).decode()
    block = {"type": "image", "data": data, "mimeType": "image/png"}
    turn.update("agent_message_chunk", content=block, messageId=turn.message_id)
    yield 0.0


def _png(side: int) -> bytes:
    """A square picture of a colour gradient."""
    rows = b"".join(b"\0" + bytes(v for x in range(side) for v in (x * 15, y * 15, 128)) for y in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunks((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")))


def _chunks(*parts: tuple[bytes, bytes]) -> Iterator[bytes]:
    for kind, body in parts:
        yield struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _late(turn: Turn, seconds: float) -> Steps:
    turn.say("There is more to come.\n")
    turn.say_later(seconds, "This came after the answer.\n")
    yield 0.0


# ---- words that tell what is known ----


def _listing(title: str, lines: list[str]) -> str:
    return f"{title}:\n" + "".join(f"- {line}\n" for line in lines or ["nothing"])


def _files(turn: Turn) -> Steps:
    turn.say(_listing("With this prompt came", turn.material))
    yield 0.0


def _deliver(turn: Turn) -> Steps:
    box = os.environ.get("OPENAB_OUTBOX", "")
    if os.path.isdir(box):
        hidden = os.path.join(box, ".notes.txt")  # it is taken when it is complete
        with open(hidden, "w", encoding="utf-8") as file:
            file.write("A file of the demo agent's.\n")
        os.replace(hidden, os.path.join(box, "notes.txt"))
        turn.say("Here is a file for you: `notes.txt`.\n")
    else:
        turn.say("I have no folder for files for you.\n")
    yield 0.0


def _env(turn: Turn) -> Steps:
    turn.say(_listing("Names in my environment", sorted(os.environ)))
    yield 0.0


def _cwd(turn: Turn) -> Steps:
    turn.say(f"The session works in {turn.session.cwd}, my process in {os.getcwd()}.\n")
    yield 0.0


def _recall(turn: Turn) -> Steps:
    earlier = [text for who, text in turn.session.history[:-1] if who == "user"]  # the last one is this prompt
    turn.say(_listing("You said", earlier))
    yield 0.0


def _mcp(turn: Turn) -> Steps:
    turn.say(_listing("MCP servers that I was given (and leave alone)", turn.session.servers))
    yield 0.0


def _usage(turn: Turn) -> Steps:
    turn.say(f"{turn.session.used} of {turn.session.window} tokens used.\n")
    yield 0.0


def _title(turn: Turn, text: str) -> Steps:
    turn.title = text or None
    turn.say(f"This conversation is now called “{text}”.\n" if text else "`title` needs a title.\n")
    yield 0.0


# ---- words that work ----


def _think(turn: Turn) -> Steps:
    for thought in ("What is asked here? ", "A thought, clearly. ", "So I think it."):
        turn.think(thought)
        yield 0.01
    turn.say("I have thought about it.\n")


def _plan(turn: Turn) -> Steps:
    names = ("Read the code", "Change the code", "Run the tests")
    for done in range(len(names) + 1):
        states = ["completed"] * done + ["in_progress"] + ["pending"] * len(names)
        rows = zip(names, ("high", "medium", "low"), states, strict=False)  # there are states to spare
        turn.update(
            "plan", entries=[{"content": name, "priority": rank, "status": state} for name, rank, state in rows]
        )
        yield 0.02
    turn.say("The plan is done.\n")


def _tool(turn: Turn) -> Steps:
    place = {"path": os.path.join(turn.session.cwd, "README"), "line": 1}
    tool = turn.begin_tool("Read README", "read", locations=[place], rawInput={"path": place["path"]})
    yield 0.02
    turn.end_tool(tool, "a README that the demo agent made up")
    turn.say("I have read the README (not really).\n")


def _silent(turn: Turn, seconds: float) -> Steps:
    tool = turn.begin_tool(f"Build for {seconds:g} s", "execute", rawInput={"command": "make"})
    yield seconds
    turn.end_tool(tool, "built")
    turn.say("The build is done.\n")


def _fail(turn: Turn) -> Steps:
    tool = turn.begin_tool("Run the tests", "execute")
    yield 0.02
    turn.end_tool(tool, "1 failed, 0 passed", "failed")
    turn.say("The tests failed.\n")


def _edit(turn: Turn) -> Steps:
    path = os.path.join(turn.session.cwd, "greeting.txt")
    diff = {"type": "diff", "path": path, "oldText": "Hello\n", "newText": "Hello, world\n"}
    title = "Edit greeting.txt"
    tool = turn.begin_tool(title, "edit", "pending", content=[diff], locations=[{"path": path}])
    if turn.session.mode == "read-only":
        turn.end_tool(tool, "this mode only reads", "failed")
        turn.say("I may not edit in this mode.\n")
        return
    verdict = turn.session.standing or "allow"
    if turn.session.mode == "ask" and turn.session.standing is None:
        verdict = yield from turn.ask(tool, title)
    if not verdict.startswith("allow"):
        turn.end_tool(tool, "not allowed", "failed")
        turn.say(f"I left greeting.txt alone: {verdict}.\n")
        return
    turn.update("tool_call_update", toolCallId=tool, status="in_progress")
    yield 0.02
    turn.end_tool(tool)
    turn.say("I have edited greeting.txt (only in this story: no file was touched).\n")


def _ask(turn: Turn) -> Steps:
    title = "Run `make demo`"
    tool = turn.begin_tool(title, "execute", "pending", rawInput={"command": "make demo"})
    verdict = yield from turn.ask(tool, title)
    turn.end_tool(tool, status="completed" if verdict.startswith("allow") else "failed")
    turn.say(f"Your answer: {verdict}.\n")


# ---- words that go wrong ----


def _hang(turn: Turn) -> Steps:
    yield None


def _crash(turn: Turn) -> Steps:
    turn.say("I am about to crash.\n")
    yield 0.0
    raise Crash


def _empty(turn: Turn) -> Steps:
    turn.is_quiet = True
    yield 0.0


def _refuse(turn: Turn) -> Steps:
    turn.stop = "refusal"
    yield 0.0


def _error(turn: Turn) -> Steps:
    yield 0.0
    raise Failure(-32603, "Internal error", {"details": "the demo agent was asked to fail"})


WORDS = {
    "help": Word(_help, "this list"),
    "slow": Word(_slow, "streams words for N seconds", (5,)),
    "silent": Word(_silent, "a tool that says nothing for N seconds", (5,)),
    "flood": Word(_flood, "N lines at full speed", (1000,)),
    "long": Word(_long, "N paragraphs", (10,)),
    "think": Word(_think, "thinks aloud, then answers"),
    "plan": Word(_plan, "a plan of three entries, worked through"),
    "tool": Word(_tool, "a tool that reads"),
    "edit": Word(_edit, "a tool with a diff; asks first in mode `ask`"),
    "fail": Word(_fail, "a tool that fails"),
    "ask": Word(_ask, "asks for permission and tells your answer"),
    "image": Word(_image, "a small picture"),
    "table": Word(_table, "a markdown table"),
    "code": Word(_code, "a fenced block of code"),
    "files": Word(_files, "tells what came with the prompt"),
    "deliver": Word(_deliver, "a file for you"),
    "env": Word(_env, "the names (not the values) in its environment"),
    "cwd": Word(_cwd, "where it works"),
    "mcp": Word(_mcp, "the names of the MCP servers it was given"),
    "recall": Word(_recall, "what you said earlier, also before a restart"),
    "usage": Word(_usage, "how full the window is"),
    "title": Word(_title, "renames the conversation to the rest of the line", takes_text=True),
    "echo": Word(_echo, "says the rest of the line", takes_text=True),
    "late": Word(_late, "more text N seconds after the answer", (0.5,)),
    "empty": Word(_empty, "ends the turn without a word"),
    "refuse": Word(_refuse, "ends the turn with a refusal"),
    "error": Word(_error, "answers with an error"),
    "hang": Word(_hang, "says nothing until cancelled"),
    "crash": Word(_crash, "dies in mid-turn"),
}
