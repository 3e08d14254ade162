"""What becomes of an agent's question before anybody is asked: rules, first match wins, then the mode.

    configured rules → rules of this session → reading inside the working folder (mode "ask") → [permissions] mode

A rule that allows has to hold for everything that a call names, one that denies or asks for anything of it. A `Judge`
belongs to one session and remembers what holds for the rest of it: rules that people gave, and each "always" that the
agent itself remembers. What is allowed by no rule that says so never changes the agent's mode: see `option_for`.

Session thread only. Looks at the disk where paths lead (`evidence.Places`), waits for nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ..acp import events as acp
from ..acp.permissions import pick
from ..config.permissions import PermissionRule, PermissionsConfig
from ..text.globs import command_fits, path_fits, shell_parts, text_fits
from .evidence import Evidence, Places, evidence_of
from .message import Conversation, Person
from .tool import Tool

__all__ = ["READING", "Case", "Judge", "Standing", "Verdict", "fits", "judged", "option_for", "rule_text"]

READING = frozenset({"read", "search"})
MOST = 50  # things that one session remembers


@dataclass(frozen=True, slots=True)
class Case:
    """One question as rules see it: what is named, by which agent, where, and whose turn it is."""

    evidence: Evidence
    places: Places
    agents: tuple[str, ...]
    conversation: str
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a question, and what says so. `option`: a pattern for the option that a rule wants taken."""

    then: Literal["allow", "deny", "ask"]
    why: str = ""
    option: str = ""
    may_switch: bool = False  # a rule says that the agent's mode may change


@dataclass(frozen=True, slots=True)
class Standing:
    """Something that holds until the session ends: a rule that somebody gave, or what the agent remembers itself.

    `said` is the agent's own option, with what it was about; then there is no `rule`.
    """

    by: Person
    rule: PermissionRule | None = None
    said: str = ""
    about: str = ""


class Judge:
    """Decides for one session."""

    __slots__ = ("_agents", "_config", "_conversation", "_places", "standing")

    def __init__(
        self,
        config: Callable[[], PermissionsConfig],
        conversation: Conversation,
        agents: Sequence[str],
        folder: str = "",
    ) -> None:
        """`config` tells what is configured now."""
        self._config = config
        self._conversation = conversation.key
        self._agents = tuple(name for name in agents if name)
        self._places = Places(folder)
        self.standing: tuple[Standing, ...] = ()

    def work_in(self, folder: str) -> None:
        """Say where the agent works."""
        self._places = replace(self._places, folder=folder)

    def judge(self, tool: Tool, people: Sequence[Person]) -> Verdict:
        """Return what becomes of a question about `tool` in a turn of these people."""
        case = Case(
            evidence_of(tool), self._places, self._agents, self._conversation, tuple(person.id for person in people)
        )
        session = [item.rule for item in self.standing if item.rule is not None]
        return judged(self._config(), session, case)

    def remember(self, standing: Standing) -> None:
        """Have it hold until the session ends; the oldest beyond a bound is forgotten."""
        self.standing = (*self.standing, standing)[-MOST:]

    def change(self, new: Standing | None, gone: Sequence[Standing] = ()) -> None:
        """Have something hold from now on, and others no longer."""
        self.standing = tuple(item for item in self.standing if item not in gone)
        if new is not None:
            self.remember(new)


def judged(config: PermissionsConfig, session: Sequence[PermissionRule], case: Case) -> Verdict:
    """Return the verdict: the first rule that fits, else what the mode says."""
    for number, rule in enumerate(config.rules, 1):
        if fits(rule, case):
            return _by(rule, f"rule {number} of the configuration")
    for rule in session:
        if not (config.mode == "deny" and rule.then == "allow") and fits(rule, case):
            return _by(rule, "a rule of this session")
    if config.mode == "ask" and _is_harmless(case):
        return Verdict("allow", "reading inside the working folder")
    return Verdict(config.mode, "as configured")


def _by(rule: PermissionRule, why: str) -> Verdict:
    return Verdict(rule.then, why, rule.option, may_switch=bool(rule.option) or rule.kind == "switch_mode")


def _is_harmless(case: Case) -> bool:
    """Whether it certainly is a look at files of the working folder; what is less certain is not."""
    found = case.evidence
    if found.kind not in READING or not found.locations or not found.is_clear:
        return False
    holds, folder = case.places.holds, case.places.folder
    return all(map(holds, found.locations)) and all(holds(os.path.join(folder, path)) for path in found.paths)


# Does a rule fit?


def fits(rule: PermissionRule, case: Case) -> bool:
    """Say whether all that a rule names is so in this case."""
    found = case.evidence
    return (
        (rule.kind is None or rule.kind == found.kind or (rule.kind == "other" and found.kind not in _KINDS))
        and (not rule.title or text_fits(rule.title, found.title))
        and (not rule.path or _path_fits(rule, case))
        and (not rule.command or _command_fits(rule, found))
        and (not rule.agent or any(text_fits(rule.agent, name) for name in case.agents))
        and (not rule.conversation or text_fits(rule.conversation, case.conversation))
        and (not rule.who or _who_fits(rule, case))
    )


_KINDS = frozenset({"read", "edit", "delete", "move", "search", "execute", "think", "fetch", "switch_mode"})


def _path_fits(rule: PermissionRule, case: Case) -> bool:
    pattern = os.path.join(case.places.folder, os.path.expanduser(rule.path))
    places = [(case.places.named(path), case.places.real(path)) for path in case.evidence.paths]
    # A symlink is allowed if both it and what it leads to are; and forbidden if either is.
    if rule.then == "allow":
        root = os.path.realpath(case.places.folder)
        inside = os.path.join(root, os.path.expanduser(rule.path))
        return bool(places) and all(
            path_fits(pattern, named) and (path_fits(inside, real) or path_fits(pattern, real))
            for named, real in places
        )
    return any(path_fits(pattern, one) for both in places for one in both)


def _command_fits(rule: PermissionRule, found: Evidence) -> bool:
    if rule.then == "allow":
        return bool(found.commands) and all(command_fits(rule.command, command) for command in found.commands)
    named = found.commands or (found.title,)  # some agents name a command in the title only
    return any(text_fits(rule.command, part) for command in named for part in (command, *shell_parts(command)))


def _who_fits(rule: PermissionRule, case: Case) -> bool:
    listed = [person in rule.who for person in case.people]
    return (bool(listed) and all(listed)) if rule.then == "allow" else any(listed)


# Which option is taken.


def option_for(
    verdict: Verdict, asked: acp.Asked, kind: str, modes: Sequence[acp.Option]
) -> acp.PermissionOption | None:
    """Return the option that a verdict "allow" takes; None if none may be taken: people decide then.

    An option changes the mode if it bears the id of another mode of the agent's, or if changing the mode is all that
    the call does. Such a one is taken only where a rule says so.
    """
    options = asked.options
    if verdict.option:
        named = [one for one in options if not one.kind.startswith("reject")]
        return next(
            (one for one in named if text_fits(verdict.option, one.option_id) or text_fits(verdict.option, one.name)),
            None,
        )
    if not verdict.may_switch:
        if kind == "switch_mode":
            return None
        ids = {choice.value for option in modes for choice in option.choices}
        options = tuple(one for one in options if one.option_id not in ids)
    picked = pick(options, "allow")
    return next((one for one in options if one.option_id == picked), None)


def rule_text(rule: PermissionRule) -> str:
    """Return a rule as one line: what becomes of what."""
    names = ("title", "path", "command", "agent", "conversation", "option")
    parts = [f"{name} {getattr(rule, name)}" for name in names if getattr(rule, name)]
    who = [f"of {', '.join(rule.who)}"] if rule.who else []
    return " ".join([f"{rule.then} {rule.kind or 'everything'}", *parts, *who])
