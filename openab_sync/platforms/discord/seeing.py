"""What somebody may see of our conversations: those in channels that Discord shows them, and their own direct messages.

Whatever the caches do not know is not seen.

**Threads**: the loop's only. Reads caches, asks nobody, never blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord

from ...core.desk import View
from ...core.message import Conversation
from .approvers import Approvers
from .context import HEAD

if TYPE_CHECKING:
    from .kit import Kit

__all__ = ["TITLES", "Sight"]

MOST = 1000  # direct messages that are remembered

TITLES = View(head=HEAD)
"""Tells titles from what an agent has cut off its first prompt."""


class Sight:
    """Who sees what. Whose direct messages are whose is learned as people use them: discord.py keeps only some."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._private: dict[str, int] = {}  # whose a direct message is, by its channel; oldest first

    def met(self, channel_id: int | None, user_id: int) -> None:
        """Somebody has written to us, or used a command, in their direct messages."""
        self._private.pop(str(channel_id), None)
        self._private[str(channel_id)] = user_id
        while len(self._private) > MOST:
            del self._private[next(iter(self._private))]

    def of(self, user: discord.User | discord.Member) -> View:
        """Return what `user` may see."""
        return View(
            lambda conversation: self._sees(user, conversation),
            HEAD,
            approves=Approvers.of(self._kit.discord).hold(user),
        )

    def _sees(self, user: discord.User | discord.Member, conversation: Conversation) -> bool:
        if conversation.platform != "discord" or not conversation.id.isdecimal():
            return False
        if conversation.id in self._private:
            return self._private[conversation.id] == user.id
        return _sees_channel(self._kit, user, self._kit.client.get_channel(int(conversation.id)))


def _sees_channel(kit: Kit, user: discord.User | discord.Member, channel: object) -> bool:
    if not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
        return False
    is_theirs = isinstance(user, discord.Member) and user.guild == channel.guild
    member = user if is_theirs else channel.guild.get_member(user.id)
    if not isinstance(member, discord.Member):
        return False
    if isinstance(channel, discord.Thread):
        return _sees_thread(kit, member, channel)
    return channel.permissions_for(member).view_channel


def _sees_thread(kit: Kit, member: discord.Member, thread: discord.Thread) -> bool:
    """A private thread is for whoever takes part in it, and for moderators."""
    if thread.parent is None:
        return False
    may = thread.permissions_for(member)
    if not may.view_channel or not thread.is_private() or may.manage_threads:
        return may.view_channel
    known = kit.books.conversations.get(f"discord:{thread.id}")
    return any(one.id == member.id for one in thread.members) or str(member.id) in known.people
