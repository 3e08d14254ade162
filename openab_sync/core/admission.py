"""Who may in: one function for everything that people and bots can do, whatever the platform. Pure.

Deny is the default: nobody is let in who is not listed, or where everybody is. People and bots have lists of their own:
being on the one never helps on the other (FIELD G7, I3), and who is a bot is for the platform to say. A message that
is not meant for us is ignored without a word; whoever calls us and may not is refused. The rules and their names are
OpenAB's (`allow_user_messages`, `allow_bot_messages`, `trusted_bot_ids`).

How far somebody who is let in is trusted there is a second answer to the same question (`trust`): what a guest, the
people of a conversation and an admin may do is the table in `rights`.

This room counts nothing and remembers nothing: whether we take part in a conversation, and who else does, it is told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, IntEnum
from typing import Literal

from .message import Person

__all__ = ["Knock", "Rules", "Trust", "Verdict", "admit", "is_listed", "is_open_place", "trust"]


class Verdict(Enum):
    """What becomes of something that somebody did."""

    IN = "in"
    IGNORED = "ignored"  # not for us: not a word
    REFUSED = "refused"  # for us, from somebody who may not: they are told so


class Trust(IntEnum):
    """Who somebody is in a conversation; each may do what those before it may."""

    NOBODY = 0  # may not use us there
    GUEST = 1  # may talk to us, and has not yet talked to us in this conversation, as others have
    MEMBER = 2  # one of the conversation's people
    ADMIN = 3


@dataclass(frozen=True, slots=True)
class Rules:
    """What was configured. Without anything nobody is let in anywhere."""

    all_places: bool = False
    places: frozenset[str] = frozenset()
    servers: frozenset[str] = frozenset()  # not empty: nowhere else, whatever else is said about places
    private: bool = False  # direct messages
    all_people: bool = False
    people: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()  # whoever has one of them
    admins: frozenset[str] = frozenset()  # people who are let in, and have no one above them
    admin_roles: frozenset[str] = frozenset()
    uncalled: Literal["involved", "mentions", "multibot-mentions"] = "multibot-mentions"
    bots: Literal["off", "mentions", "all"] = "off"
    trusted_bots: frozenset[str] = frozenset()  # not empty: no other bot is heard


@dataclass(frozen=True, slots=True)
class Knock:
    """Something that somebody did, as far as it matters here.

    `places` are the ids by which the place may be listed: its own, and those of what it lies in. An `is_action`
    (command, button, menu, form, completion) is meant for us by its nature; a message is if it calls us.
    """

    by: Person
    places: frozenset[str]
    roles: frozenset[str] = frozenset()
    server: str = ""  # what the place belongs to; "" for a private one
    is_ours: bool = False  # we did it ourselves
    is_system: bool = False  # the platform did it: a pin, somebody joined
    is_action: bool = False
    is_private: bool = False
    is_thread: bool = False
    calls_us: bool = False  # by our name, or by a role that wakes us
    involved: bool = False  # we take part in that thread
    other_bots: bool = False  # and so does another bot
    belongs: bool = False  # whoever did it is one of the conversation's people, or it has none yet


def admit(rules: Rules, knock: Knock) -> Verdict:
    """Decide about `knock`. Any thread; never blocks."""
    if knock.is_ours or knock.is_system:
        return Verdict.IGNORED
    if knock.is_action:
        return Verdict.IN if _may_act(rules, knock) else Verdict.REFUSED
    if not is_open_place(rules, knock) or not _is_for_us(rules, knock):
        return Verdict.IGNORED
    if knock.by.is_bot:
        return Verdict.IN if _bot_is_heard(rules, knock) else Verdict.IGNORED
    return Verdict.IN if is_listed(rules, knock) else Verdict.REFUSED


def is_open_place(rules: Rules, knock: Knock) -> bool:
    """Whether we listen there at all. Direct messages have a rule of their own."""
    if knock.is_private:
        return rules.private
    if rules.servers and knock.server not in rules.servers:
        return False
    return rules.all_places or not rules.places.isdisjoint(knock.places)


def is_listed(rules: Rules, knock: Knock) -> bool:
    """Whether this person may talk to us. Not for bots."""
    listed = rules.all_people or knock.by.id in rules.people or not rules.roles.isdisjoint(knock.roles)
    return listed or _is_admin(rules, knock)


def trust(rules: Rules, knock: Knock) -> Trust:
    """Return who somebody is there, whether they write or press. A bot is never more than a guest."""
    if knock.is_ours or knock.is_system:
        return Trust.NOBODY
    if knock.by.is_bot:
        return Trust.GUEST if admit(rules, replace(knock, is_action=False)) is Verdict.IN else Trust.NOBODY
    if not _may_act(rules, knock):
        return Trust.NOBODY
    if _is_admin(rules, knock):
        return Trust.ADMIN
    return Trust.MEMBER if knock.belongs or knock.is_private else Trust.GUEST


def _may_act(rules: Rules, knock: Knock) -> bool:
    return is_open_place(rules, knock) and not knock.by.is_bot and is_listed(rules, knock)


def _is_admin(rules: Rules, knock: Knock) -> bool:
    return knock.by.id in rules.admins or not rules.admin_roles.isdisjoint(knock.roles)


def _is_for_us(rules: Rules, knock: Knock) -> bool:
    if knock.calls_us or knock.is_private:
        return True
    if rules.uncalled == "mentions" or not knock.is_thread or not knock.involved:
        return False
    return rules.uncalled == "involved" or not knock.other_bots


def _bot_is_heard(rules: Rules, knock: Knock) -> bool:
    trusted = knock.by.id in rules.trusted_bots
    if trusted and knock.calls_us:
        return True  # as a person's call, whatever the mode: so one bot can bring another in (FIELD G14)
    if rules.bots == "off" or (rules.bots == "mentions" and not knock.calls_us):
        return False
    return trusted or not rules.trusted_bots
