"""What a platform that draws by itself is told of the agent: its events, under the core's own name.

Platforms know the core and not the protocol; this is the one place where the core hands its words on.
"""

from __future__ import annotations

from ..acp.events import (
    Choice,
    Command,
    Diff,
    Field,
    Link,
    Media,
    Option,
    Output,
    PermissionOption,
    PlanChanged,
    PlanEntry,
    Said,
    SessionInfo,
    StoredSession,
    Thought,
    ToolChanged,
    UsageChanged,
)

__all__ = [
    "Choice",
    "Command",
    "Diff",
    "Field",
    "Link",
    "Media",
    "Option",
    "Output",
    "PermissionOption",
    "PlanChanged",
    "PlanEntry",
    "Said",
    "SessionInfo",
    "StoredSession",
    "Thought",
    "ToolChanged",
    "UsageChanged",
]
