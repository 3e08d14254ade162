"""What is said over HTTP: every body, asked and answered. `openapi` describes them from here.

Seconds are ages or durations; `null` and "" are for what is not known. Plain data.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

__all__ = [
    "AnswerBody",
    "Asked",
    "Change",
    "ConversationRow",
    "Done",
    "Health",
    "House",
    "Link",
    "Me",
    "Media",
    "MessageBody",
    "Option",
    "Output",
    "Part",
    "Plan",
    "Problem",
    "QuestionRow",
    "Ready",
    "Sent",
    "SessionPage",
    "SessionRow",
    "Step",
    "Text",
    "Tool",
    "TurnPage",
    "Usage",
    "Waiting",
]


class Problem(Struct):
    """Why the answer is no, in one sentence."""

    error: str


class Health(Struct):
    """Whether the process lives; a reason for each thread that does not."""

    ok: bool
    reasons: list[str]


class Ready(Struct):
    """Whether people can write to us; a reason for each thing that keeps them from it."""

    ready: bool
    reasons: list[str]


class Link(Struct):
    """An address that lets one browser in, once."""

    url: str


class Me(Struct):
    """What each change of this visit carries in the header X-Openab-Token; "" for who has the bearer token."""

    changes: str


class Usage(Struct):
    """What a session has used, as its agent tells it."""

    context: int | None
    context_size: int | None
    output_tokens: int | None
    turns: int
    cost: float | None
    currency: str


class SessionRow(Struct):
    """One session. What was said (`title`, `tool`, `words`, `asked`) is there for who has a key, "" for others."""

    key: str
    platform: str
    state: str
    agent: str
    cwd: str
    pid: int | None
    rss: int | None
    """Bytes that the agent and all that it has started hold in memory."""
    queue: int
    questions: int
    turn_seconds: float | None
    idle_seconds: float
    """Since the last sign of the agent."""
    usage: Usage
    title: str = ""
    tool: str = ""
    words: str = ""
    asked: str = ""


class Asked(Struct):
    """A message that a turn answers, or that waits."""

    id: str
    by: str
    text: str


class Text(Struct, tag_field="kind", tag="text"):
    """Text of the agent ("text"), its thoughts, or a sentence of ours ("notice")."""

    text: str
    voice: Literal["text", "thought", "notice"]


class Output(Struct):
    """What a tool put out: plain text, or a unified diff of the file `path`."""

    text: str
    path: str = ""
    is_diff: bool = False


class Tool(Struct, tag_field="kind", tag="tool"):
    """One tool call."""

    id: str
    label: str
    tool: str
    state: Literal["pending", "running", "done", "failed", "stopped"]
    target: str
    output: list[Output]


class Step(Struct):
    """A step of a plan."""

    text: str
    status: str


class Plan(Struct, tag_field="kind", tag="plan"):
    """The agent's plan."""

    steps: list[Step]


class Media(Struct, tag_field="kind", tag="media"):
    """A picture, a sound, a file or a link, by its name."""

    name: str
    mime: str


Part = Text | Tool | Plan | Media


class Option(Struct):
    """One of the answers that the agent offers."""

    id: str
    name: str
    kind: str


class QuestionRow(Struct):
    """A question that is open. `detail` is the whole of what would happen, as Markdown."""

    id: str
    key: str
    title: str
    detail: str
    options: list[Option]
    asked_of: list[str]


class TurnPage(Struct):
    """A turn: what it answers, all that was said and done in it (the newest of it if `is_cut`)."""

    number: int
    asked: list[Asked]
    parts: list[Part]
    questions: list[QuestionRow]
    seconds: float
    outcome: str
    """How it ended: done, cancelled, refused, failed, gone, stalled, limit; "" while it runs."""
    reason: str
    is_cut: bool


class SessionPage(Struct):
    """One session with its last turns; those and what waits are there for who has a key."""

    session: SessionRow
    turns: list[TurnPage]
    waiting: list[Asked]


class ConversationRow(Struct):
    """A conversation: it has a session, waits for one, or is only remembered."""

    key: str
    platform: str
    state: str
    cwd: str = ""
    used: float | None = None
    """Seconds since the epoch: when it was last used, where it has no session."""


class Waiting(Struct):
    """A conversation in the line for a free agent."""

    key: str


class House(Struct):
    """Everything at once: the first event of a stream."""

    sessions: list[SessionRow]
    waiting: list[Waiting]
    questions: list[QuestionRow]
    ready: Ready


class Change(Struct):
    """What an order came to."""

    ok: bool
    text: str


class Done(Struct):
    """As `Change`, and whether it is done: an order that a session has not carried out yet is not."""

    ok: bool
    text: str
    done: bool


class MessageBody(Struct, forbid_unknown_fields=True):
    """What to say in a conversation, and in whose name."""

    text: Annotated[str, Meta(min_length=1, max_length=20_000, pattern=r"\S")]
    by: Annotated[str, Meta(max_length=80)] = ""


class Sent(Struct):
    """What became of a message: accepted, queued, waiting; `message` is its id in the chat."""

    state: str
    position: int
    text: str
    message: str


class AnswerBody(Struct, forbid_unknown_fields=True):
    """The chosen option."""

    option: Annotated[str, Meta(min_length=1, max_length=1000)]


# Examined now, by one thread: msgspec does not survive that two examine a type at the same time.
msgspec.json.Decoder(tuple[MessageBody, AnswerBody])
