"""Whom a message rings: what stands in it, what its author may, and what `allowed_mentions` lets through. Pure."""

from __future__ import annotations

import re

from tests.fakes.discord.errors import invalid_form
from tests.fakes.discord.permissions import Can, granted
from tests.fakes.discord.things import Channel, Guild, Json, Mentions, User

__all__ = ["check_allowed", "ring", "too_loud"]

CODE = re.compile(r"```.*?```|``[^`].*?``|`[^`\n]+`", re.DOTALL)
USER, ROLE, EVERYONE = re.compile(r"<@!?(\d+)>"), re.compile(r"<@&(\d+)>"), re.compile(r"@(everyone|here)\b")


def check_allowed(allowed: Json | None) -> None:
    """Raise ApiError 50035 unless `allowed_mentions` is one that Discord takes."""
    if allowed is None:
        return
    parse = allowed.get("parse") or []
    if unknown := [kind for kind in parse if kind not in {"users", "roles", "everyone"}]:
        raise invalid_form("allowed_mentions.parse", f"Value {unknown[0]!r} is not one of users, roles, everyone.")
    for kind in ("users", "roles"):
        named = allowed.get(kind) or []
        if len(named) > 100:
            raise invalid_form(f"allowed_mentions.{kind}", "Must be 100 or fewer in length.")
        if named and kind in parse:
            raise invalid_form("allowed_mentions", f"parse:[{kind!r}] and {kind}: [ids...] are mutually exclusive.")


def ring(text: str, author: User, channel: Channel, allowed: Json | None, answered: User | None) -> Mentions:
    """Whom this text rings. Mentions inside code ring nobody; without `allowed_mentions` everything counts."""
    bare = CODE.sub(" ", text)
    parse = {"users", "roles", "everyone"} if allowed is None else set(allowed.get("parse") or [])
    here = _here(channel)
    users = [int(found) for found in USER.findall(bare)]
    found = Mentions(users=[user for user in users if user in here and _passes(user, "users", parse, allowed)])
    if answered is not None and (allowed is None or allowed.get("replied_user", False)):
        found.users.insert(0, answered.id)
    found.users = list(dict.fromkeys(found.users))
    if channel.guild is not None:
        may = bool(granted(channel.guild, author.id, channel) & Can.MENTION_EVERYONE)
        found.roles = _roles(channel.guild, bare, parse, allowed, may=may)
        found.everyone = may and "everyone" in parse and bool(EVERYONE.search(bare))
    return found


def _here(channel: Channel) -> set[int]:
    return set(channel.guild.members) if channel.guild else {user.id for user in channel.recipients}


def _roles(guild: Guild, text: str, parse: set[str], allowed: Json | None, *, may: bool) -> list[int]:
    roles = dict.fromkeys(int(found) for found in ROLE.findall(text))
    return [
        role
        for role in roles
        if role in guild.roles and (may or guild.roles[role].mentionable) and _passes(role, "roles", parse, allowed)
    ]


def _passes(target: int, kind: str, parse: set[str], allowed: Json | None) -> bool:
    return kind in parse or (allowed is not None and str(target) in {str(one) for one in allowed.get(kind) or []})


def too_loud(mentions: Mentions, channel: Channel) -> str:
    """Why a bot may not ring so: it rings everyone, a role, or somebody who takes no part here; "" if all is well."""
    if mentions.everyone:
        return "rings everyone"
    if mentions.roles:
        return f"rings the roles {mentions.roles}"
    strangers = [user for user in mentions.users if user not in channel.participants]
    return f"rings people who take no part here: {strangers}" if strangers else ""
