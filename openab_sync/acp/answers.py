"""The answers to our requests, and the options in a permission request, typed: each is read where it is wanted.

They are rare, so they come through `salvage.fit`, which drops what does not fit. Rules as in `schema`.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from .schema import ToolNews

__all__ = [
    "AgentCapabilities",
    "AgentInfo",
    "AuthWay",
    "ConfigEntry",
    "InitializeResult",
    "McpCapabilities",
    "ModeState",
    "ModelState",
    "NamedEntry",
    "PermissionEntry",
    "PromptCapabilities",
    "SessionCapabilities",
    "SessionEntry",
]

# Permission requests.


class PermissionEntry(Struct, rename="camel", gc=False):
    """One answer that is offered."""

    option_id: str
    name: str | None = None
    kind: str | None = None


# Options, modes, models.


class ConfigEntry(Struct, rename="camel", gc=False):
    """One config option; `options` are read one by one, for they may be flat or in groups."""

    id: str
    name: str | None = None
    type: str | None = None
    category: str | None = None
    description: str | None = None
    current_value: str | bool | None = None
    options: list[object] | None = None


class NamedEntry(Struct, rename="camel", gc=False):
    """A choice: of a config option (`value`), a mode (`id`) or a model (`modelId`)."""

    value: str | None = None
    id: str | None = None
    model_id: str | None = None
    name: str | None = None
    description: str | None = None


class ModeState(Struct, rename="camel", gc=False):
    """All modes, and the current one."""

    current_mode_id: str | None = None
    available_modes: list[NamedEntry] = []


class ModelState(Struct, rename="camel", gc=False):
    """All models, and the current one."""

    current_model_id: str | None = None
    available_models: list[NamedEntry] = []


# The answer to `session/list`.


class SessionEntry(Struct, rename="camel", gc=False):
    """One session that the agent remembers."""

    session_id: str
    cwd: str | None = None
    title: str | None = None
    updated_at: str | None = None


# The answer to `initialize`. Whether a capability is there is decided by `convert.is_yes`: an object means yes.


class PromptCapabilities(Struct, rename="camel", gc=False):
    """Which blocks a prompt may hold."""

    image: object = None
    audio: object = None
    embedded_context: object = None


class McpCapabilities(Struct, rename="camel", gc=False):
    """Which MCP servers the agent can reach."""

    http: object = None
    sse: object = None


class SessionCapabilities(Struct, rename="camel", gc=False):
    """What can be done with sessions."""

    list: object = None
    delete: object = None
    resume: object = None
    close: object = None


class AgentCapabilities(Struct, rename="camel", gc=False):
    """All of them."""

    load_session: object = None
    prompt_capabilities: PromptCapabilities | None = None
    mcp_capabilities: McpCapabilities | None = None
    session_capabilities: SessionCapabilities | None = None


class AgentInfo(Struct, rename="camel", gc=False):
    """Who the agent is."""

    name: str | None = None
    title: str | None = None
    version: str | None = None


class AuthWay(Struct, rename={"meta": "_meta"}, gc=False):
    """A way to log in."""

    id: str
    name: str | None = None
    description: str | None = None
    type: str | None = None
    args: list[str] | None = None
    env: object = None
    meta: dict[str, object] | None = None


class InitializeResult(Struct, rename="camel", gc=False):
    """The answer, whole."""

    protocol_version: int | None = None
    agent_capabilities: AgentCapabilities | None = None
    agent_info: AgentInfo | None = None
    auth_methods: list[AuthWay] | None = None


# msgspec examines a type at its first use, and two threads that do so at once end the process. Nobody else runs yet.
msgspec.json.Decoder(
    tuple[InitializeResult, PermissionEntry, ConfigEntry, NamedEntry, ModeState, ModelState, SessionEntry, ToolNews]
)
