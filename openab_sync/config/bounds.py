"""What an agent's processes may take: `[agent.limits]`. What is valid; `acp.bounds` and `core.watcher` see to it."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec

from .kinds import CountOrNone

__all__ = ["AgentLimits"]

Niceness = Annotated[int, msgspec.Meta(ge=-20, le=19)]
_UMASK = re.compile(r"0?[0-7]{3}")


class AgentLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bounds of each agent with all that it starts. 0: none."""

    memory_soft_mb: CountOrNone = 4096
    """Memory of the whole tree of processes, in MB, from which the people in the conversation get a word."""
    memory_mb: CountOrNone = 8192
    """Memory beyond which it is ended."""
    tasks_soft: CountOrNone = 1024
    """Processes and threads of the whole tree, from which the people in the conversation get a word."""
    tasks: CountOrNone = 2048
    """As many as it may have: beyond, it is ended; where a control group is delegated to us, there are never more."""
    nice: Niceness = 0
    """How much it stands back behind others (19) or not (0); below 0 needs a privilege."""
    core_dumps: bool = False
    """Whether its crashes may leave its memory in a file."""
    umask: str = ""
    """Permissions that files it makes do not get, in octal ("077"); empty: ours."""
    cgroup: Literal["auto", "off"] = "auto"
    """Whether the kernel bounds memory and tasks, where a control group is delegated to us."""

    def __post_init__(self) -> None:
        if self.umask and not _UMASK.fullmatch(self.umask):
            raise ValueError('umask is three octal digits, for example "077"')
        if self.memory_mb and self.memory_soft_mb > self.memory_mb:
            raise ValueError("memory_soft_mb is above memory_mb: the word would come too late")
        if self.tasks and self.tasks_soft > self.tasks:
            raise ValueError("tasks_soft is above tasks: the word would come too late")
