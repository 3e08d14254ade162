"""What is done once with the threads of an earlier life, as `[discord] on_startup` says.

`resume` and `leave` do nothing here: a thread goes on with its next message, whatever was before. Agents that were
started at once would take memory and rooms for conversations in which nobody may ever write again. `archive` closes the
threads that we have opened and whose session cannot go on, with a note: nobody is left to think that the agent there
still knows what was said. Closed or not, the next message there is answered.

**Threads**: the loop's only.
"""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING

import discord

from ...errors import ChatError
from .bots import conversation_at
from .catching import Catching
from .gate import Gate

if TYPE_CHECKING:
    from .incoming import Incoming
    from .kit import Kit

__all__ = ["Startup"]

log = logging.getLogger(__name__)

NOTE = "🗄️ I was restarted, and the agent does not know any more what was said here. Write here, and it begins anew."


class Startup:
    """Looks at the threads that are open when we come."""

    def __init__(self, kit: Kit, gate: Gate, incoming: Incoming, catching: Catching) -> None:
        self._kit = kit
        self._gate = gate
        self._incoming = incoming
        self._catching = catching

    async def run(self) -> None:
        """Do it, when what was missed has been read: who has written meanwhile is answered, not shut out."""
        if self._kit.discord.on_startup != "archive":
            return
        await self._catching.settled()
        for guild in list(self._kit.client.guilds):
            for thread in guild.threads:
                if self._is_lost(thread):
                    await self._close(thread)

    def _is_lost(self, thread: discord.Thread) -> bool:
        """Whether it is ours, open, and can never go on where it was."""
        conversation, us = conversation_at(thread.id), self._kit.client.user
        return (
            us is not None
            and thread.owner_id == us.id
            and not (thread.archived or thread.locked)
            and self._gate.listens_at(thread, thread.id)
            and self._kit.books.conversations.get(conversation.key).took_part
            and not self._incoming.is_busy(conversation)
            and not self._kit.broker.remembers(conversation)
        )

    async def _close(self, thread: discord.Thread) -> None:
        calls, nonce = self._kit.port.calls, secrets.token_hex(12)
        try:
            await calls.make("send messages", thread.id, lambda: thread.send(NOTE, nonce=nonce))
            await calls.make("archive threads", thread.id, lambda: thread.edit(archived=True))
        except ChatError as error:
            log.info("Discord, thread %d is not closed: %s", thread.id, error)
        else:
            log.info("Discord, thread %d was closed: its session cannot go on", thread.id)
