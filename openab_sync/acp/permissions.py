"""Which of the options that an agent offers a policy picks. Pure; an id that was not offered never comes out of here.

Options differ in reach: kinds are only a hint, ids are free text, and an "allow" may switch the agent to a mode in
which it never asks again (leaving plan mode is such a question). So allowing means allowing once wherever possible.
Denying means selecting a rejection: `cancelled` ends the whole turn in several agents and is what is left when there is
nothing to select.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from .events import PermissionOption

__all__ = ["is_offered", "pick", "rejecting"]

_FAR_REACHING = re.compile(
    r"bypass|always|mode|accept.?edits|auto.?(edit|approve|accept)|yolo|(allow|accept|approve).?all|amendment|updates"
    r"|do(n['\u2019]t| not) ask|persist|permanent",
    re.IGNORECASE,
)


def pick(options: Sequence[PermissionOption], policy: Literal["allow", "deny"]) -> str | None:
    """Return the id of the option that the policy selects; None means answering with `cancelled`.

    "allow" takes what allows once, else something that allows and does not look like a change of mode or a rule for
    ever, and never a rejection. "deny" takes what rejects once, else what rejects always.
    """
    option = _allowing(options) if policy == "allow" else rejecting(options)
    return None if option is None else option.option_id


def rejecting(options: Sequence[PermissionOption]) -> PermissionOption | None:
    """Return the mildest option that says no, None if there is none."""
    return _first(options, "reject_once") or _first(options, "reject_always")


def is_offered(options: Sequence[PermissionOption], option_id: str) -> bool:
    """Return whether this id is among the options."""
    return any(option.option_id == option_id for option in options)


def _allowing(options: Sequence[PermissionOption]) -> PermissionOption | None:
    once = [option for option in options if option.kind == "allow_once"]
    narrow = [option for option in once if not _is_far_reaching(option)]
    # A name may hold the agent's whole command: a word in it proves nothing against what is allowed once, the id does.
    named = [option for option in once if not _FAR_REACHING.search(option.option_id)]
    always = [option for option in options if option.kind == "allow_always" and not _is_far_reaching(option)]
    return next(iter(narrow or named or always), None)


def _is_far_reaching(option: PermissionOption) -> bool:
    words = (option.option_id.replace(option.kind, ""), option.name)  # an id that only repeats its kind says no more
    return any(_FAR_REACHING.search(word) for word in words)


def _first(options: Sequence[PermissionOption], kind: str) -> PermissionOption | None:
    return next((option for option in options if option.kind == kind), None)
