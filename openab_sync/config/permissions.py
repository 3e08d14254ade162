"""Who decides when an agent asks before it acts: what `[permissions]` and its rules may hold.

What a rule means is `core/judging.py`'s; this room only says what is valid.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from .kinds import Seconds

__all__ = ["Kind", "PermissionRule", "PermissionsConfig"]

Kind = Literal["read", "edit", "delete", "move", "search", "execute", "think", "fetch", "switch_mode", "other"]
"""What a tool does, as the protocol knows it."""


class PermissionRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of some questions: `[[permissions.rules]]`. All that it names must fit; the first that fits wins."""

    then: Literal["allow", "deny", "ask"]
    """What becomes of a question that fits."""
    kind: Kind | None = None
    """What the tool does, as the agent says; none: anything."""
    title: str = ""
    """A pattern for the tool's title; `*` stands for anything, `?` for one character."""
    path: str = ""
    """A pattern for files, relative to the working folder unless it begins with /; `**` stands for folders, too."""
    command: str = ""
    """A pattern for the command; where it allows, `*` stands for nothing by which a second command could begin."""
    agent: str = ""
    """A pattern for the agent's preset, title or program."""
    conversation: str = ""
    """A pattern for the conversation, as `/status` and logs name it: discord:1234."""
    who: tuple[str, ...] = ()
    """Ids of people whose turn it is; none: anybody's."""
    option: str = ""
    """With then = "allow": a pattern for the id or name of the option that is taken, though it may change the mode."""

    def __post_init__(self) -> None:
        if self.option and self.then != "allow":
            raise ValueError('option belongs to a rule with then = "allow"')


class PermissionsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who decides when an agent asks before it acts: `[permissions]`."""

    mode: Literal["ask", "allow", "deny"] = "ask"
    """Ask the people in the conversation (where nobody can be asked: reject), allow everything, or deny everything."""
    timeout_secs: Seconds = 600.0
    """Seconds that people have to answer; then the agent's own "reject" is chosen."""
    rules: tuple[PermissionRule, ...] = ()
    """What is decided without the mode: the first rule that fits a question wins."""
