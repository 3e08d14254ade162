"""What can be configured: one frozen struct a section, one line a key.

The names and their places are those of the existing OpenAB `config.toml` where it has them, so that such a file loads.
This room says what a valid configuration is; it reads no file (`load.py`), judges no document (`check.py`) and knows no
agent (`agents.py`). `conf/openab-sync.toml` documents every key for people; a test keeps the two together.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from .bounds import AgentLimits
from .discord import DiscordConfig
from .kinds import Count, CountOrNone, Grace, Hours, Millis, Processing, Seconds, Word, check_names
from .limits import LimitsConfig
from .log import LogConfig
from .permissions import PermissionRule, PermissionsConfig

__all__ = [
    "NOT_USED_YET",
    "SYNONYMS",
    "AgentConfig",
    "AuditConfig",
    "Config",
    "DiscordConfig",
    "LimitsConfig",
    "LogConfig",
    "MarkdownConfig",
    "McpServer",
    "OutboxConfig",
    "PermissionRule",
    "PermissionsConfig",
    "PoolConfig",
    "ReactionEmojis",
    "ReactionTiming",
    "ReactionsConfig",
    "ReplyConfig",
    "StatusConfig",
    "StoreConfig",
]

# What OpenAB's files may hold and we do not serve yet: accepted with one warning each. Whoever serves a name takes it
# out of here and adds the key above.
NOT_USED_YET = frozenset(
    {
        "agentcore",
        "ambient",
        "control_plane",
        "cron",
        "delivery",
        "feishu",
        "filestore",
        "gateway",
        "googlechat",
        "hooks",
        "line",
        "lineworks",
        "mcp",
        "pool.preload_persisted_sessions",
        "reactions.mapping",
        "reactions.narration_display",
        "secrets",
        "slack",
        "stt",
        "teams",
        "telegram",
        "triage",
        "wecom",
        "workspace",
    }
)

# Other words that OpenAB takes for the same choice, by dotted key.
SYNONYMS = {
    "reactions.tool_display": {"off": "none", "hidden": "none"},
    "discord.allow_bot_messages": {"none": "off", "false": "off", "true": "all"},
}


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all sections share: frozen, by keyword, nothing unknown."""


class McpServer(_Section, frozen=True, kw_only=True):
    """A tool server that the agent is told about: `[[agent.mcp_servers]]`."""

    name: Word
    """What the agent calls it."""
    type: Literal["stdio", "http", "sse"] = "stdio"
    """How it is reached: a program on its pipes, or a URL."""
    command: str = ""
    """stdio: the program, started by the agent."""
    args: tuple[str, ...] = ()
    """stdio: its arguments."""
    env: dict[str, str] = {}
    """stdio: variables added to its environment. Secret."""
    url: str = ""
    """http, sse: where it listens."""
    headers: dict[str, str] = {}
    """http, sse: headers sent with every request. Secret."""

    def __post_init__(self) -> None:
        check_names(self.env)
        if self.type == "stdio":
            if not self.command:
                raise ValueError('a server of type "stdio" needs a command')
            if self.url or self.headers:
                raise ValueError('url and headers belong to the types "http" and "sse"')
        elif not self.url.startswith(("http://", "https://")):
            raise ValueError(f'a server of type "{self.type}" needs a url that begins with http:// or https://')
        elif self.command or self.args or self.env:
            raise ValueError('command, args and env belong to the type "stdio"')

    def __repr__(self) -> str:
        # Values of env and headers, the url's query and the arguments may be secrets: none is ever shown.
        return f"<McpServer {self.name} {self.type}>"


class AgentConfig(_Section, frozen=True, kw_only=True):
    """Which agent runs, where, and what it sees: `[agent]`. `agents.resolve` fills in what a preset knows."""

    preset: Word | None = None
    """A name listed by `openab-sync agents`; without preset and command the built-in demo agent runs."""
    command: str = ""
    """The agent's program; empty: the preset's."""
    args: tuple[str, ...] = ()
    """Its arguments; a command without args has none; empty without a command: the preset's."""
    working_dir: Word = "."
    """Where it works; relative to where openab-sync was started, `~` is understood."""
    env: dict[str, str] = {}
    """Variables set for it; they win over the preset's and the inherited ones. Secret."""
    inherit_env: tuple[str, ...] = ()
    """Names of our own variables that it gets too (beyond HOME, PATH, USER, LANG and LC_*)."""
    mcp_servers: tuple[McpServer, ...] = ()
    """Tool servers it is told about in every session."""
    die_with_broker: bool = False
    """Whether the system kills it in the moment in which openab-sync dies (Linux, by util-linux' `setpriv`)."""
    command_prefix: tuple[str, ...] = ()
    """A sandbox, container or other machine that runs it: a program and arguments, put before the agent's command."""
    limits: AgentLimits = AgentLimits()

    def __post_init__(self) -> None:
        if self.args and not self.command and self.preset is None:
            raise ValueError("args need a command or a preset to go with")
        check_names(self.env)

    def __repr__(self) -> str:
        # Arguments and values of env may be secrets: only names are shown.
        return f"<AgentConfig preset={self.preset} command={self.command!r} env={sorted(self.env)}>"


class PoolConfig(_Section, frozen=True, kw_only=True):
    """How many sessions live at once, how long everything is waited for, how messages become turns: `[pool]`."""

    max_sessions: Count = 10
    """Agent processes at once."""
    max_waiting: CountOrNone = 20
    """Conversations that may wait for a room when all sessions are busy; 0: none waits."""
    session_ttl_hours: Hours = 4.0
    """Hours without a message after which an idle session is suspended."""
    liveness_check_secs: Seconds = 30.0
    """Seconds between two looks at whether a silent agent still lives."""
    prompt_hard_timeout_secs: Seconds = 1800.0
    """Seconds that one turn may take, waiting for people not counted."""
    cancel_grace_secs: Grace = 10.0
    """Seconds an agent has to obey a cancel before it is killed."""
    hung_grace_secs: Grace = 120.0
    """Seconds beyond the hard timeout after which a session loses its room whatever its thread does."""
    drain_ms: Millis = 200
    """Milliseconds of further text that are waited for after an answer when more messages are queued."""
    silence_secs: Seconds = 60.0
    """Seconds without a sign after which people are reassured."""
    shutdown_grace_secs: Grace = 10.0
    """Seconds that running turns have to finish when openab-sync stops."""
    initialize_secs: Seconds = 30.0
    """Seconds for the agent's answer to `initialize`."""
    new_session_secs: Seconds = 120.0
    """Seconds for the agent's answer to `session/new`, `session/load` and `session/resume`."""
    request_secs: Seconds = 30.0
    """Seconds for the agent's answer to any other request but a prompt."""
    message_processing_mode: Processing = "per-message"
    """A turn for each message, or one for all that wait in a conversation, or one for each sender's."""
    max_buffered_messages: Count = 10
    """Messages that may wait in one conversation."""
    max_batch_tokens: Count = 24_000
    """Tokens, estimated, that one batched turn may hold (per-thread and per-lane only)."""
    default_config_options: dict[str, str | bool] = {}
    """Options of the agent (mode, model, …) set after every new session: id and value."""


class ReactionEmojis(_Section, frozen=True, kw_only=True):
    """What each stage looks like: `[reactions.emojis]`."""

    queued: Word = "👀"
    """Accepted, waiting for its turn."""
    thinking: Word = "🤔"
    """The agent thinks or writes."""
    tool: Word = "🔥"
    """A tool runs."""
    coding: Word = "👨‍💻"
    """A tool that reads, edits or executes runs."""
    web: Word = "⚡"
    """A tool that fetches or searches the web runs."""
    done: Word = "🆗"
    """The turn ended well."""
    error: Word = "😱"
    """The turn did not end well."""


class ReactionTiming(_Section, frozen=True, kw_only=True):
    """How fast reactions change: `[reactions.timing]`, milliseconds."""

    debounce_ms: Millis = 700
    """A stage must last this long to be shown."""
    stall_soft_ms: Millis = 10_000
    """Silence after which the reaction says that it takes a while."""
    stall_hard_ms: Millis = 30_000
    """Silence after which the reaction says that it takes long."""
    done_hold_ms: Millis = 1_500
    """How long "done" stays when reactions are removed after the reply."""
    error_hold_ms: Millis = 2_500
    """How long "error" stays when reactions are removed after the reply."""


class ReactionsConfig(_Section, frozen=True, kw_only=True):
    """How a message shows what becomes of it: `[reactions]`."""

    enabled: bool = True
    """Whether there are status reactions at all."""
    remove_after_reply: bool = False
    """Whether the last one goes away after the reply."""
    tool_display: Literal["full", "compact", "none"] = "full"
    """Tool calls in a reply: with their titles, counted, or not at all."""
    emojis: ReactionEmojis = ReactionEmojis()
    timing: ReactionTiming = ReactionTiming()


class MarkdownConfig(_Section, frozen=True, kw_only=True):
    """How Markdown that a chat service cannot show is drawn: `[markdown]`."""

    tables: Literal["code", "bullets", "off"] = "code"
    """Tables as aligned code blocks, as bullet lists, or untouched."""


class ReplyConfig(_Section, frozen=True, kw_only=True):
    """What a reply holds besides the answer: `[reply]`."""

    thoughts: bool = False
    """The agent's thinking, where it tells."""
    footer: bool = False
    """A last line with model, context, cost and duration."""
    plan: bool = True
    """The agent's plan as a checklist."""


class OutboxConfig(_Section, frozen=True, kw_only=True):
    """Files that leave: `[outbox]`. An agent puts them into the folder that $OPENAB_OUTBOX names."""

    enabled: bool = True
    """Whether there is such a folder."""
    file_mb: Count = 10
    """Size of one file, in MB, where the chat takes as much."""
    files_per_turn: Count = 10
    """Files that may leave with one turn."""
    files_per_hour: Count = 60
    """Files that may leave from one conversation in an hour."""


class StoreConfig(_Section, frozen=True, kw_only=True):
    """Where state is kept: `[store]`."""

    path: Word | None = None
    """Folder on a local disk; none: $OPENAB_SYNC_HOME, else the user's state folder."""
    keep_days: CountOrNone = 30
    """Days after which what was said is deleted, and how to take an unused conversation up again; 0: never."""


class StatusConfig(_Section, frozen=True, kw_only=True):
    """Where the status page and API listen: `[status]`."""

    listen: str = "127.0.0.1:8787"
    """`host:port`; empty: nowhere. Port 0: any that is free."""
    token: str = ""
    """What programs show to be let in; empty: the one in `status.token` in the store's folder. Secret."""
    page: bool = True
    """Whether the page is there, too, for whoever operates the bot; without it programs have the API alone."""
    hosts: tuple[Word, ...] = ()
    """Names that the server is called by besides numbers and `localhost`: that of a proxy in front of it."""

    def __post_init__(self) -> None:
        host, colon, port = self.listen.rpartition(":")
        digits = port.isascii() and port.isdecimal() and len(port) <= 5
        if self.listen and not (colon and host and digits and int(port) <= 65535):
            raise ValueError('listen must be "host:port", for example "127.0.0.1:8787", or "" for nowhere')
        if 0 < len(self.token) < 16:
            raise ValueError("token must have 16 characters or more")

    def __repr__(self) -> str:
        return f"<StatusConfig listen={self.listen!r} hosts={self.hosts}>"


class AuditConfig(_Section, frozen=True, kw_only=True):
    """What is kept of who asked for what and who decided: `[audit]`. `run` keeps it in its store."""

    file: Word | None = None
    """A file that gets every entry, too, as a line of JSON; none: only the store."""
    prompts: bool = False
    """Whether the texts that people write are kept."""
    keep_days: Count = 365
    """Days after which an entry is deleted."""


class Config(_Section, frozen=True, kw_only=True):
    """The whole configuration; `Config()` is what runs without a file."""

    agent: AgentConfig = AgentConfig()
    pool: PoolConfig = PoolConfig()
    reactions: ReactionsConfig = ReactionsConfig()
    markdown: MarkdownConfig = MarkdownConfig()
    permissions: PermissionsConfig = PermissionsConfig()
    reply: ReplyConfig = ReplyConfig()
    discord: DiscordConfig | None = None
    outbox: OutboxConfig = OutboxConfig()
    store: StoreConfig = StoreConfig()
    audit: AuditConfig = AuditConfig()
    limits: LimitsConfig = LimitsConfig()
    log: LogConfig = LogConfig()
    status: StatusConfig = StatusConfig()
