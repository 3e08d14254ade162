"""What an agent said, in our words: everything that `AcpPeer.receive` can return.

Frozen plain data, made on the session's thread and read there. Whatever shape an agent sent, the core
sees one of these and nothing else. This module knows no JSON. What comes by the thousand is a `Struct`: it is made in a
tenth of the time that a frozen dataclass takes, and as it can be part of no cycle the collector need not look at it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from msgspec import Struct

__all__ = [
    "Answered",
    "AskWithdrawn",
    "Asked",
    "AuthMethod",
    "Choice",
    "Command",
    "CommandsChanged",
    "Diff",
    "ElicitationDone",
    "Elicited",
    "Event",
    "Failed",
    "Field",
    "FieldKind",
    "Link",
    "Media",
    "Noise",
    "Option",
    "OptionsChanged",
    "Output",
    "PermissionOption",
    "PlanChanged",
    "PlanEntry",
    "RequestId",
    "Said",
    "SessionInfo",
    "StoredSession",
    "Thought",
    "ToolChanged",
    "UsageChanged",
]

RequestId = int | str | float | None
"""An id of the other side: echoed exactly as it came."""


# What the agent says in a turn.


class Said(Struct, frozen=True, gc=False):
    """Text for people: one or more `agent_message_chunk`s as they came. A new `message_id` begins a paragraph."""

    text: str
    message_id: str | None = None


class Thought(Struct, frozen=True, gc=False):
    """The agent thinking aloud (`agent_thought_chunk`)."""

    text: str
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Media:
    """An image, a sound or a file in the agent's answer; `data` is base64 as it came, or None for text content."""

    kind: Literal["image", "audio", "resource"]
    mime: str = ""
    data: str | None = None
    text: str | None = None
    uri: str = ""
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A `resource_link` in the agent's answer."""

    uri: str
    name: str = ""
    mime: str = ""
    size: int | None = None
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """Text that a tool produced."""

    text: str


@dataclass(frozen=True, slots=True)
class Diff:
    """A change a tool makes to a file; `old` is None for a new file."""

    path: str
    old: str | None
    new: str


class ToolChanged(Struct, frozen=True, gc=False):
    """A tool call began or changed (`tool_call`, `tool_call_update`): only what is not None is news.

    `call_id` may be one never seen before. `content` and `locations` replace what was there.
    """

    call_id: str
    title: str | None = None
    kind: str | None = None
    status: str | None = None
    content: tuple[Output | Diff | Media | Link, ...] | None = None
    locations: tuple[str, ...] | None = None
    raw_input: object = None
    raw_output: object = None


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """One step; `status` is pending, in_progress, completed, or the agent's own word."""

    content: str
    status: str = "pending"
    priority: str = "medium"


@dataclass(frozen=True, slots=True)
class PlanChanged:
    """The agent's plan, whole: it replaces the one before."""

    entries: tuple[PlanEntry, ...]


@dataclass(frozen=True, slots=True)
class UsageChanged:
    """Tokens in the agent's context (`used` of `size`) and what the session has cost so far."""

    used: int | None = None
    size: int | None = None
    cost: float | None = None
    currency: str = ""


# What it asks.


@dataclass(frozen=True, slots=True)
class PermissionOption:
    """One of the answers an agent offers; `kind` is only a hint."""

    option_id: str
    name: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """`session/request_permission`: wants exactly one answer, `AcpPeer.answer(request_id, option_id or None)`.

    `tool` may say little; what was known of that call before says the rest.
    """

    request_id: RequestId
    tool: ToolChanged
    options: tuple[PermissionOption, ...] = ()


@dataclass(frozen=True, slots=True)
class AskWithdrawn:
    """The agent took its question back (`$/cancel_request`), or the turn ended; the peer has answered it already."""

    request_id: RequestId
    turn_ended: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """One value that an option or a field can have."""

    value: str
    name: str
    description: str = ""
    group: str = ""


FieldKind = Literal["text", "number", "integer", "boolean", "choice", "choices"]


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a form asks for.

    `least` and `most` bound the characters of a text, the value of a number, the number of choices. `default` is what
    would be typed or chosen.
    """

    name: str
    kind: FieldKind
    title: str
    description: str = ""
    is_required: bool = False
    default: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Elicited:
    """`elicitation/create`: wants exactly one answer, `AcpPeer.fill`. A form with its fields, or an address to open."""

    request_id: RequestId
    mode: Literal["form", "url"]
    message: str
    fields: tuple[Field, ...] = ()
    url: str = field(default="", repr=False)
    elicitation_id: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ElicitationDone:
    """`elicitation/complete`: what an address was opened for has been done."""

    elicitation_id: str = field(repr=False)


# What a session is set to.


@dataclass(frozen=True, slots=True)
class Option:
    """One thing people can set: a config option, the mode or the model, in whichever of the shapes it came.

    `category` is "mode", "model", "thought_level" or the agent's own word; `via` is the request that sets it.
    """

    id: str
    name: str
    value: str | bool
    kind: Literal["select", "boolean"] = "select"
    category: str = ""
    description: str = ""
    choices: tuple[Choice, ...] = ()
    via: Literal["config", "mode", "model"] = "config"


@dataclass(frozen=True, slots=True)
class OptionsChanged:
    """All options as they are now."""

    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command of the agent's own; `hint` describes its input, "" if it takes none."""

    name: str
    description: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class CommandsChanged:
    """All of the agent's slash commands as they are now."""

    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """The agent's title for the conversation; "" clears it."""

    title: str


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session that the agent remembers (`session/list`). Whoever knows its id can resume it."""

    session_id: str = field(repr=False)
    cwd: str = ""
    title: str = ""
    updated_at: str = ""  # ISO 8601, as it came


@dataclass(frozen=True, slots=True)
class AuthMethod:
    """A way to log in, as `initialize` names it; `kind` is "agent" or "terminal" (run the agent with `args`, `env`).

    `command` is the program to run instead of the agent's own where a vendor names one, else "".
    """

    id: str
    name: str = ""
    description: str = ""
    kind: str = "agent"
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    command: str = ""

    @property
    def needs_terminal(self) -> bool:
        """Whether a program is run for it, on a terminal; some vendors name one and call it no terminal's."""
        return self.kind == "terminal" or bool(self.command)


# What became of our requests.


@dataclass(frozen=True, slots=True)
class Answered:
    """Request `id` of ours was answered. `stop_reason` is set for `session/prompt` only: the turn has ended.

    `output_tokens` is what the agent says it produced in this turn, None if it does not say. `result` is the rest, raw.
    """

    id: int
    method: str
    result: dict[str, object]
    stop_reason: str = ""
    output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """Request `id` of ours was answered with an error; `message` holds the useful text, `data` whatever came along."""

    id: int
    method: str
    code: int
    message: str
    data: object = None


# What it should not have sent.


@dataclass(frozen=True, slots=True)
class Noise:
    """Something that is not the protocol, or a part of it that we do not know: worth a log line and nothing else."""

    what: str
    sample: str = field(default="", repr=False)


Event = (
    Said
    | Thought
    | Media
    | Link
    | ToolChanged
    | PlanChanged
    | UsageChanged
    | Asked
    | AskWithdrawn
    | Elicited
    | ElicitationDone
    | OptionsChanged
    | CommandsChanged
    | SessionInfo
    | Answered
    | Failed
    | Noise
)
