"""`/permissions`: which rules decide about the agent's questions here, and rules for the rest of the session.

    /permissions                        what holds: the configuration's rules, this session's, the mode
    /permissions allow execute npm *    from now on, until the session ends: allow, deny or ask
    /permissions forget 3               that it holds no longer (forget all)

A rule that somebody gives holds for their own turns; one that an approver gives for everybody's. A rule goes when its
giver or an approver says so, and with the session. What the agent itself remembers ("always") is listed too, in its
words: only the agent could forget that, for the protocol knows no way to ask it to. The functions run on the caller's
thread; none of them blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from typing import get_args

import msgspec

from ..config.permissions import Kind, PermissionRule, PermissionsConfig
from ..text.clean import one_line
from .desk import Call, CommandAnswer, now, then
from .house import Stand
from .judging import Standing, rule_text

__all__ = ["EVERYTHING", "KINDS", "permissions"]

KINDS: tuple[str, ...] = get_args(Kind)
EVERYTHING = "everything"  # said for every kind
ABOUT = 200  # characters of a rule in the list
HOW = (
    "Write /permissions, /permissions allow KIND [PATTERN] (or deny, or ask) or /permissions forget N. "
    f"KIND is {', '.join(KINDS)} or {EVERYTHING}."
)
# What a pattern that follows a kind is for; for any other kind it is the title.
PATTERN_OF = {"execute": "command", **dict.fromkeys(("read", "edit", "delete", "move", "search"), "path")}

MODES = {
    "ask": "people are asked",
    "allow": "allowed, unless that would change the agent's mode",
    "deny": "denied",
}


def permissions(call: Call) -> Future[CommandAnswer]:
    """List what holds, give a rule, or take one back."""
    verb, _, rest = call.argument.partition(" ")
    config = call.desk.permissions()
    match verb:
        case "":
            return now(CommandAnswer("\n".join(_listed(config, _standing(call)))))
        case "allow" | "deny" | "ask":
            return _give(call, config, verb, rest.strip())
        case "forget" if rest.strip():
            return _forget(call, config, rest.strip())
    return now(CommandAnswer(HOW, ok=False))


def _standing(call: Call) -> tuple[Standing, ...]:
    session = call.desk.session(call.conversation)
    return session.standing if session else ()


# The list.


def _listed(config: PermissionsConfig, standing: tuple[Standing, ...]) -> Iterator[str]:
    """All that decides, in the order in which it does."""
    if config.rules:
        yield "Rules of the configuration:"
    for number, rule in enumerate(config.rules, 1):
        yield f"{number}. {one_line(rule_text(rule), ABOUT)}"
    if standing:
        yield "Until this session ends:"
    for number, item in enumerate(standing, len(config.rules) + 1):
        yield f"{number}. {_told(item)}"
    if config.mode == "ask":
        yield "Allowed by itself: reading and searching files inside the working folder."
    yield f"Everything else: {MODES[config.mode]}."


def _told(item: Standing) -> str:
    who = item.by.name or item.by.id
    if item.rule is None:
        about = f" ({item.about})" if item.about else ""
        return f"{item.said}{about} — chosen by {who}; the agent remembers it itself"
    whose = f"in turns of {who}" if item.rule.who else f"by {who}"
    return f"{_short(item.rule)} — {whose}"


def _short(rule: PermissionRule) -> str:
    """Return a rule of a session as one line, without whose turns it is for."""
    return one_line(rule_text(msgspec.structs.replace(rule, who=())), ABOUT)


# Rules for the session.


def _give(call: Call, config: PermissionsConfig, verb: str, rest: str) -> Future[CommandAnswer]:
    kind, _, pattern = rest.partition(" ")
    if kind not in (*KINDS, EVERYTHING):
        return now(CommandAnswer(HOW, ok=False))
    if verb == "allow" and config.mode == "deny":
        text = "Nothing can be allowed here: the configuration denies what it does not allow itself."
        return now(CommandAnswer(text, ok=False))
    names: dict[str, object] = {"then": verb, "kind": None if kind == EVERYTHING else kind}
    if pattern.strip():
        names[PATTERN_OF.get(kind, "title")] = pattern.strip()
    if not call.view.approves:
        names["who"] = (call.by.id,)
    rule = PermissionRule(**names)  # type: ignore[arg-type]  # made of words that were looked at above
    if any(item.rule == rule for item in _standing(call)):
        return now(CommandAnswer("That holds already."))
    whose = "In everybody's turns" if call.view.approves else "In your own turns"
    text = f"{whose}, until this session ends: {_short(rule)}."
    done = call.desk.pool.order(call.conversation, Stand(Standing(call.by, rule)))
    return then(done, lambda _: CommandAnswer(text))


def _forget(call: Call, config: PermissionsConfig, which: str) -> Future[CommandAnswer]:
    """Take back one by its number, or all that may be taken back."""
    standing, first = _standing(call), len(config.rules) + 1
    if which == "all":
        gone = tuple(item for item in standing if item.rule is not None and _may_take_back(call, item))
        if not gone:
            return now(CommandAnswer("There is nothing here that you could take back.", ok=False))
    else:
        number = int(which) if which.isdecimal() and len(which) <= 4 else 0
        if 1 <= number < first:
            return now(CommandAnswer("That one is in the configuration: only who runs me can change it.", ok=False))
        if not first <= number < first + len(standing):
            return now(CommandAnswer(f"There is no number {one_line(which, 20)}: /permissions lists them.", ok=False))
        item = standing[number - first]
        if item.rule is None:
            text = (
                "The agent remembers that itself, and its protocol has no word to take it back. "
                "/reset ends it if the agent meant it for this session; what it has written down, it keeps."
            )
            return now(CommandAnswer(text, ok=False))
        if not _may_take_back(call, item):
            return now(CommandAnswer(f"That is {item.by.name or item.by.id}'s to take back.", ok=False))
        gone = (item,)
    count = f"{len(gone)} rules hold" if len(gone) > 1 else "That holds"
    done = call.desk.pool.order(call.conversation, Stand(gone=gone))
    return then(done, lambda _: CommandAnswer(f"{count} no longer."))


def _may_take_back(call: Call, item: Standing) -> bool:
    return call.view.approves or item.by.id == call.by.id
