"""Approvers: who may answer an agent's questions in everybody's turns, besides those whose turn it is.

Being one lets nobody talk to the agent; it is for the questions alone. Reads caches, asks nobody. Any thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import discord

if TYPE_CHECKING:
    from ...config.schema import DiscordConfig

__all__ = ["Approvers", "roles_of"]


@dataclass(frozen=True, slots=True)
class Approvers:
    """Ids of people, and of roles whose members are meant."""

    users: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()

    @classmethod
    def of(cls, config: DiscordConfig) -> Approvers:
        """Return those that are configured."""
        return cls(frozenset(config.approver_users), frozenset(config.approver_roles))

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.users or self.roles)

    def hold(self, user: discord.User | discord.Member) -> bool:
        """Whether somebody is one. Bots never are."""
        if user.bot or not self:
            return False
        return str(user.id) in self.users or (bool(self.roles) and not self.roles.isdisjoint(roles_of(user)))


def roles_of(author: discord.User | discord.Member) -> frozenset[str]:
    """Return the ids of somebody's roles. The role that everybody has is not one: its id is the guild's."""
    if not isinstance(author, discord.Member) or getattr(author, "guild", None) is None:  # a server that is not there
        return frozenset()
    return frozenset(str(role.id) for role in author.roles if not role.is_default())
