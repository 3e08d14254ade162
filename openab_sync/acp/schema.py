"""The messages of the protocol, typed: what agents send, and the parts of what we send that others hand in.

What comes in are msgspec structs, one for each message, update and block that we read. Members that we do not name are
skipped while decoding, members that may be missing may be null too, and numbers may be floats. Only what the protocol
calls required *and* we cannot do without has no default. Nothing here repairs anything: a line that does not fit goes
through `salvage`. All of them are made by decoding alone, so that none can be part of a cycle: `gc=False` is safe.

What goes out are frozen dataclasses: the blocks of a prompt and MCP servers. The answers to our requests are typed in
`answers`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from msgspec import UNSET, Raw, Struct, UnsetType

__all__ = [
    "AgentChunk",
    "AudioBlock",
    "AudioContent",
    "Block",
    "CommandEntry",
    "CommandsUpdate",
    "ConfigUpdate",
    "Content",
    "ContentItem",
    "Contents",
    "Cost",
    "DiffItem",
    "EmbeddedBlock",
    "Frame",
    "Hint",
    "ImageBlock",
    "ImageContent",
    "InfoUpdate",
    "Invalid",
    "LinkBlock",
    "LinkContent",
    "Location",
    "McpServer",
    "ModeUpdate",
    "Pairs",
    "Params",
    "PlanItem",
    "PlanUpdate",
    "ResourceContent",
    "TerminalItem",
    "TextBlock",
    "TextContent",
    "ThoughtChunk",
    "ToolCall",
    "ToolItem",
    "ToolNews",
    "ToolUpdate",
    "Unknown",
    "Update",
    "UsageUpdate",
    "UserChunk",
]

Number = int | float


# What comes in: what messages and tool results are made of.


class TextContent(Struct, tag_field="type", tag="text", rename="camel", gc=False):
    """Words."""

    text: str


class ImageContent(Struct, tag_field="type", tag="image", rename="camel", gc=False):
    """A picture: its bytes in base64, or where it lies."""

    data: str | None = None
    mime_type: str | None = None
    uri: str | None = None


class AudioContent(Struct, tag_field="type", tag="audio", rename="camel", gc=False):
    """A sound in base64."""

    data: str | None = None
    mime_type: str | None = None


class LinkContent(Struct, tag_field="type", tag="resource_link", rename="camel", gc=False):
    """A file that lies elsewhere."""

    uri: str
    name: str | None = None
    mime_type: str | None = None
    size: Number | None = None


class Contents(Struct, rename="camel", gc=False):
    """What an embedded resource holds: text, or a blob in base64."""

    uri: str | None = None
    text: str | None = None
    blob: str | None = None
    mime_type: str | None = None


class ResourceContent(Struct, tag_field="type", tag="resource", rename="camel", gc=False):
    """A file, whole."""

    resource: Contents


Content = TextContent | ImageContent | AudioContent | LinkContent | ResourceContent


# What a tool call carries.


class ContentItem(Struct, tag_field="type", tag="content", rename="camel", gc=False):
    """A block that a tool produced."""

    content: Content


class DiffItem(Struct, tag_field="type", tag="diff", rename="camel", gc=False):
    """A change to a file; no old text for a new one."""

    path: str
    new_text: str | None = None
    old_text: str | None = None


class TerminalItem(Struct, tag_field="type", tag="terminal", rename="camel", gc=False):
    """Accepted and not shown: some agents attach terminals although no client offered any."""


ToolItem = ContentItem | DiffItem | TerminalItem


class Location(Struct, rename="camel", gc=False):
    """A file that a tool works on."""

    path: str


class ToolNews(Struct, rename="camel", gc=False):
    """A tool call as a permission request describes it: without a tag, and often with little else than its id."""

    tool_call_id: str
    title: str | None = None
    kind: str | None = None
    status: str | None = None
    content: list[ToolItem] | None = None
    locations: list[Location] | None = None
    raw_input: object = None
    raw_output: object = None


# The kinds of `session/update`.


class UserChunk(Struct, tag_field="sessionUpdate", tag="user_message_chunk", rename="camel", gc=False):
    """Never shown (an echo, or history), so nothing of it is read."""


class AgentChunk(Struct, tag_field="sessionUpdate", tag="agent_message_chunk", rename="camel", gc=False):
    """A piece of the agent's answer."""

    content: Content
    message_id: str | None = None


class ThoughtChunk(Struct, tag_field="sessionUpdate", tag="agent_thought_chunk", rename="camel", gc=False):
    """A piece of the agent's thinking."""

    content: Content
    message_id: str | None = None


class ToolCall(ToolNews, tag_field="sessionUpdate", tag="tool_call", rename="camel", gc=False):
    """A tool call begins; some agents send it twice, or never."""


class ToolUpdate(ToolNews, tag_field="sessionUpdate", tag="tool_call_update", rename="camel", gc=False):
    """A tool call changes: only what is there is news."""


class PlanItem(Struct, rename="camel", gc=False):
    """One step of a plan."""

    content: str
    priority: str | None = None
    status: str | None = None


class PlanUpdate(Struct, tag_field="sessionUpdate", tag="plan", rename="camel", gc=False):
    """The whole plan."""

    entries: list[PlanItem]


class Hint(Struct, rename="camel", gc=False):
    """What a command wants to be told."""

    hint: str | None = None


class CommandEntry(Struct, rename="camel", gc=False):
    """A slash command."""

    name: str
    description: str | None = None
    input: Hint | None = None


class CommandsUpdate(Struct, tag_field="sessionUpdate", tag="available_commands_update", rename="camel", gc=False):
    """All slash commands."""

    available_commands: list[CommandEntry]


class ModeUpdate(Struct, tag_field="sessionUpdate", tag="current_mode_update", rename="camel", gc=False):
    """The mode has changed."""

    current_mode_id: str | None = None
    mode_id: str | None = None


class ConfigUpdate(Struct, tag_field="sessionUpdate", tag="config_option_update", rename="camel", gc=False):
    """All config options, read one by one."""

    config_options: list[object]


class InfoUpdate(Struct, tag_field="sessionUpdate", tag="session_info_update", rename="camel", gc=False):
    """Here null and absent differ: null clears the title, absence leaves it."""

    title: str | UnsetType | None = UNSET


class Cost(Struct, rename="camel", gc=False):
    """What the session has cost."""

    amount: Number | None = None
    currency: str | None = None


class UsageUpdate(Struct, tag_field="sessionUpdate", tag="usage_update", rename="camel", gc=False):
    """Tokens in the context, and the cost."""

    used: Number | None = None
    size: Number | None = None
    cost: Cost | None = None


Update = (
    AgentChunk
    | ThoughtChunk
    | UserChunk
    | ToolCall
    | ToolUpdate
    | PlanUpdate
    | CommandsUpdate
    | ModeUpdate
    | ConfigUpdate
    | InfoUpdate
    | UsageUpdate
)


# The envelope.


class Params(Struct, rename="camel", gc=False):
    """The parameters of all that an agent may ask or tell us: what is rare stays raw until it is wanted."""

    session_id: str | None = None
    update: Update | None = None
    tool_call: Raw = Raw()
    options: Raw = Raw()
    mode: Raw = Raw()
    message: Raw = Raw()
    requested_schema: Raw = Raw()
    url: Raw = Raw()
    elicitation_id: Raw = Raw()
    request_id: int | str | float | UnsetType | None = UNSET


class Frame(Struct, rename="camel", gc=False):
    """One line: a request (method and id), a notification (method alone) or a response (neither method)."""

    method: str | None = None
    params: Params | None = None
    id: int | str | float | UnsetType | None = UNSET
    result: Raw = Raw()
    error: Raw = Raw()


@dataclass(frozen=True, slots=True)
class Unknown:
    """A part of a message whose kind we do not know: worth one log line for each `kind` and `name`, then none."""

    kind: str
    name: str
    sample: str = ""


@dataclass(frozen=True, slots=True)
class Invalid:
    """A line that wants an answer and is no request: a batch, or a method or an id of an impossible type."""

    what: str
    id: int | str | float | None = None
    sample: str = ""


# What goes out: the blocks of a prompt.


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Words."""

    text: str


@dataclass(frozen=True, slots=True)
class ImageBlock:
    """An image: its bytes in base64, and its MIME type (parameters are cut off: agents choke on them)."""

    data_b64: str = field(repr=False)
    mime: str


@dataclass(frozen=True, slots=True)
class AudioBlock:
    """A sound: its bytes in base64, and its MIME type."""

    data_b64: str = field(repr=False)
    mime: str


@dataclass(frozen=True, slots=True)
class LinkBlock:
    """A file that the agent can fetch by itself; `size` in bytes."""

    uri: str
    name: str = ""
    mime: str = ""
    size: int | None = None


@dataclass(frozen=True, slots=True)
class EmbeddedBlock:
    """A text file, whole, in the prompt."""

    uri: str
    text: str
    mime: str = "text/plain"


Block = TextBlock | ImageBlock | AudioBlock | LinkBlock | EmbeddedBlock

# What goes out: MCP servers. Their settings are secret more often than not: only name and type appear in a repr.

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class McpServer:
    """A server that the agent shall use: `command`, `args`, `env` for "stdio", `url` and `headers` for the others."""

    name: str
    type: Literal["stdio", "http", "sse"] = "stdio"
    command: str = field(default="", repr=False)
    args: tuple[str, ...] = field(default=(), repr=False)
    env: Pairs = field(default=(), repr=False)
    url: str = field(default="", repr=False)
    headers: Pairs = field(default=(), repr=False)
