"""Configuration: what can be set, where it is read, and the agents known by name.

A tool: imports other tools only and knows neither sessions nor chat services. The doors are `load()`, the structs of
`schema.py`, and `presets()`, `resolve()`, `installed()` of `agents.py`, imported from there by those who need agents.
"""

from __future__ import annotations

from .load import Loaded, load
from .schema import (
    AgentConfig,
    Config,
    DiscordConfig,
    LogConfig,
    MarkdownConfig,
    McpServer,
    PermissionRule,
    PermissionsConfig,
    PoolConfig,
    ReactionEmojis,
    ReactionsConfig,
    ReactionTiming,
    ReplyConfig,
    StatusConfig,
    StoreConfig,
)

__all__ = [
    "AgentConfig",
    "Config",
    "DiscordConfig",
    "Loaded",
    "LogConfig",
    "MarkdownConfig",
    "McpServer",
    "PermissionRule",
    "PermissionsConfig",
    "PoolConfig",
    "ReactionEmojis",
    "ReactionTiming",
    "ReactionsConfig",
    "ReplyConfig",
    "StatusConfig",
    "StoreConfig",
    "load",
]
