"""What the core asks of a chat platform, and what it tells it.

A platform implements `ChatPort`. Every method returns at once, from any thread, with a Future that the platform
completes from its own; the core never waits for one but through its bell. Differences between platforms are data on
`Limits`: nothing in the core asks which platform it talks to.

A failed Future carries a ChatError (ChatTimeout: whether it was done is not known; ChatRefused: trying again will not
help). Waiting out rate limits and retrying what is safe to retry is the platform's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Literal, Protocol

from ..acp import events as acp
from .message import Conversation, MessageRef, Person

__all__ = [
    "ChatPort",
    "Controls",
    "Decision",
    "File",
    "Form",
    "Limits",
    "Notice",
    "Outcome",
    "Question",
    "Seen",
    "Settled",
    "TurnEnded",
    "TurnEvent",
    "TurnStarted",
]

Outcome = Literal["done", "cancelled", "refused", "failed", "gone", "stalled", "limit"]
"""How a turn ended. Only "done" is success.

refused: the model would not; failed: the agent answered with an error, or with nothing; gone: its process ended;
stalled: it passed the hard ceiling or did not obey a cancel; limit: the model's own limit (tokens, requests).
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a platform can do.

    `live` is how an answer grows: "edit" (one message is edited), "once" (posted when it is complete), "events" (the
    platform draws by itself from `ChatPort.event`; nothing is posted or edited).
    """

    page: int = 2000  # characters (code points) a message
    edit_interval: float = 1.2  # seconds between two edits of live text
    edit_spread: float = 0.0  # by up to so many the first comes sooner: those of many conversations come one by one
    live: Literal["edit", "once", "events"] = "edit"
    typing_interval: float | None = 8.0  # seconds until a typing sign has to be repeated; None: has none
    reactions: bool = True
    can_ask: bool = True  # a person can answer a question
    forms: bool = False  # a question can be a form (`Form.fields`)
    links: bool = False  # an address can be shown to one person alone (`Form.url`)
    controls: bool = False  # a message can carry buttons (`Controls`)
    spoilers: bool = False  # text between two || is hidden until somebody wants to see it
    max_pages: int = 0  # an answer of more pages becomes a file, its head and its tail; 0: no limit
    file_size: int = 0  # bytes that a file may have; 0: no limit
    local: bool = False  # people sit at this machine: files of the agent's are named by their paths, not sent
    mention: str = ""  # what a mention looks like in a text, as a regular expression; "": there are none

    @property
    def elicits(self) -> tuple[str, ...]:
        """What agents are told that can be asked of people, besides permissions."""
        return (*(("form",) if self.forms else ()), *(("url",) if self.links else ()))


@dataclass(frozen=True, slots=True)
class Controls:
    """Buttons below a page of a reply.

    They belong to one turn, which `turn` tells from all others (hexadecimal), and to those who wrote what it answers:
    `people`, nobody in particular if that is empty. `about` are the messages that it answers.
    """

    stop: bool = False  # end the running turn
    retry: bool = False  # answer those messages once more
    discard: bool = False  # leave it at that: all buttons go
    turn: str = ""
    about: tuple[MessageRef, ...] = ()
    people: tuple[Person, ...] = ()
    lift: str = ""  # lift the limits of that person or conversation (`budget.Hit.whose`); below a message of its own


@dataclass(frozen=True, slots=True)
class Seen:
    """A message of ours that stands in a conversation."""

    ref: MessageRef
    text: str = field(repr=False)
    stops: str = ""  # the turn that its button would stop, "" without one
    files: tuple[str, ...] = ()  # names


@dataclass(frozen=True, slots=True)
class File:
    """A file for people."""

    name: str
    data: bytes
    mime: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """What an agent wants to be told, or opened: `fields`, or an address. `core.forms` reads what was typed."""

    agent: str
    fields: tuple[acp.Field, ...] = ()
    url: str = field(default="", repr=False)
    message: str = field(default="", repr=False)  # what the agent says about it; in the question's detail, too


@dataclass(frozen=True, slots=True)
class Question:
    """A permission the agent asks for. `title` is one line, `detail` the whole of what would happen (markdown).

    `id` is unique in this process; `options` are the agent's own, in its order. With a `form` the options are ours
    (`core.forms`), and whoever fills it in says what they typed (`Decision.values`).
    """

    id: str
    conversation: Conversation
    title: str
    detail: str
    options: tuple[acp.PermissionOption, ...]
    asked_of: tuple[Person, ...] = ()
    timeout: float = 600.0  # seconds
    form: Form | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person chose; `values` are what they typed or chose in a form, by field."""

    option_id: str
    by: Person
    values: Mapping[str, tuple[str, ...]] | None = field(default=None, repr=False)


# What a platform with `live = "events"` is told, besides the agent's own events.


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """The agent got the prompt made of these messages."""

    refs: tuple[MessageRef, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence of ours, never mixed into the agent's text."""

    text: str


@dataclass(frozen=True, slots=True)
class Settled:
    """A question was decided; `text` says by whom or what."""

    question: Question
    text: str


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The turn is over: how, why in one sentence ("" when done), and the footer ("" for none)."""

    refs: tuple[MessageRef, ...]
    outcome: Outcome
    reason: str = ""
    footer: str = ""
    stop_reason: str = ""
    seconds: float = 0.0


TurnEvent = (
    TurnStarted
    | Notice
    | Settled
    | TurnEnded
    | acp.Said
    | acp.Thought
    | acp.Media
    | acp.Link
    | acp.ToolChanged
    | acp.PlanChanged
    | acp.UsageChanged
    | acp.SessionInfo
)


class ChatPort(Protocol):
    """A chat platform, as the core sees it. Every method: any thread, returns at once, raises nothing."""

    def limits(self, conversation: Conversation) -> Limits:
        """Return what this platform can do in that conversation, as it is now. Never blocks."""

    def post(
        self,
        conversation: Conversation,
        text: str,
        *,
        reply_to: MessageRef | None = None,
        nonce: str = "",
        controls: Controls | None = None,
    ) -> Future[MessageRef]:
        """Post a message. Two posts with the same `nonce` make one message where the platform can tell."""

    def edit(self, ref: MessageRef, text: str, *, controls: Controls | None = None) -> Future[None]:
        """Replace a message of ours. `controls` replace its buttons, None leaves them as they are."""

    def react(self, ref: MessageRef, emoji: str, on: bool) -> Future[None]:
        """Add or take back a reaction of ours."""

    def typing(self, conversation: Conversation) -> Future[None]:
        """Show that something is being written."""

    def ask(self, question: Question) -> Future[Decision]:
        """Put a question to people. The Future is completed by their choice, or by a ChatError if it can't be asked."""

    def settle(self, question: Question, text: str) -> Future[None]:
        """Close a question, however it was decided: its buttons go, `text` says who or what decided."""

    def upload(self, conversation: Conversation, file: File, *, nonce: str = "") -> Future[MessageRef]:
        """Post a file; `nonce` as for `post`."""

    def rename(self, conversation: Conversation, title: str) -> Future[None]:
        """Give the conversation a title, where it can have one."""

    def ours(self, conversation: Conversation, since: float) -> Future[Sequence[Seen]]:
        """Return our messages there since a moment (seconds since the epoch), oldest first. ChatRefused: unreadable."""

    def sign(self, ref: MessageRef, emoji: str) -> Future[None]:
        """Have a message carry this reaction of ours and no other; "" for none."""

    def event(self, conversation: Conversation, event: TurnEvent) -> None:
        """Be told what happens as it happens (`live = "events"` only)."""
