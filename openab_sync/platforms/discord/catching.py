"""Catching up: what people wrote while nobody listened is read and goes the way of all messages, in order, once.

    a session of the gateway begins ─► what comes is held ─► who has written? ─► there: read what was missed, then what
                                                                                 was held; elsewhere: what was held

Every place where we listen has a cursor in the store: the newest message there that we have seen. What is newer when a
session of the gateway begins was missed: after a start, and after a connection that could not be resumed. It is read
from Discord as it is by then, bounded by age and number; the gate decides about it as about any other message. What the
journal knows already is left alone. A place that we have never seen is read from now on, and so nothing is read at the
very first start.

**Threads**: the loop's only. What takes time is done in a lane of the place; a few places are read at once.
**Never**: a message that overtakes an older one of its place, unless Discord does not let that be read for half a
minute; a cursor that passes what was not handled.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import discord

from ...core.message import Conversation
from ...errors import ChatError, ChatRefused, ChatTimeout, StoreError
from ...store import Cursor
from .bots import conversation_at
from .errors import UNREADABLE
from .gate import Gate
from .lanes import Lanes
from .places import may

if TYPE_CHECKING:
    from .incoming import Incoming
    from .kit import Kit

__all__ = ["Catching"]

log = logging.getLogger(__name__)

MOST_MISSED = 1000  # messages that are read in one place: the newest of them
MOST_ASLEEP = 100  # places that Discord does not list (archived threads, direct messages) that are looked at
AT_ONCE = 4  # places that are read at the same time
EVERY = 2.0  # seconds between two writings of cursors: who reads a few messages twice answers none twice
PATIENCE = 30.0  # seconds in which reading is tried again where Discord is out of order; live messages wait meanwhile
AGAIN = 60.0  # seconds until a place is tried anew that could not be read by then
CLOSING = 1.0  # seconds for what is being read when the platform stops

Channel = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.ForumChannel
Place = Channel | discord.Thread


class Catching:
    """Between what the gateway tells and `Incoming`: hears, holds, and reads what was missed."""

    def __init__(self, kit: Kit, gate: Gate, incoming: Incoming) -> None:
        self._kit = kit
        self._gate = gate
        self._incoming = incoming
        self._lanes = Lanes(1_000_000)  # as many as there are places
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._beginning: set[int] = set()  # connections of which nobody knows yet what was missed
        self._held: dict[int, list[discord.Message]] = {}  # by place
        self._wanted: dict[int, int] = {}  # place: the newest message there that need not be read
        self._reading: set[int] = set()  # places with work in a lane
        self._behind: dict[int, asyncio.TimerHandle] = {}  # places that could not be read: their cursors stay
        self._ahead: dict[str, Cursor] = {}  # not written yet
        self._timer: asyncio.TimerHandle | None = None

    @property
    def _hours(self) -> float:
        """How far back what was missed is read; 0: not at all."""
        return self._kit.discord.catch_up_hours

    # ---- what the gateway tells ----

    async def message(self, message: discord.Message) -> None:
        """Somebody wrote: it is taken in, or held until what is older has been."""
        place = message.channel.id
        if self._beginning or place in self._reading or place in self._held:
            self._held.setdefault(place, []).append(message)
            await self._release(place)  # nothing, as long as there is a reason to hold it
        else:
            await self._hear(message)

    async def edited(self, payload: discord.RawMessageUpdateEvent) -> None:
        """A message was changed: one that is held is what it has become."""
        held = self._held.get(payload.channel_id, [])
        for index, message in enumerate(held):
            if message.id == payload.message_id:
                held[index] = payload.message
                return
        await self._incoming.edited(payload)

    async def deleted(self, payload: discord.RawMessageDeleteEvent | discord.RawBulkMessageDeleteEvent) -> None:
        """Messages are gone: those that are held never were."""
        gone = payload.message_ids if isinstance(payload, discord.RawBulkMessageDeleteEvent) else {payload.message_id}
        if payload.channel_id in self._held:
            held = self._held[payload.channel_id]
            held[:] = [message for message in held if message.id not in gone]
        await self._incoming.deleted(payload)

    async def connected(self, shard: int) -> None:
        """A session of the gateway begins: until its servers are there nobody knows what was missed."""
        if self._hours:
            self._beginning.add(shard)

    async def guilds_there(self, shard: int) -> None:
        """All its servers are there: look who has written meanwhile, read that, and let go what is held elsewhere."""
        self._beginning.discard(shard)
        if self._beginning:
            return
        for guild in self._kit.client.guilds:
            self._look_at(guild)
        self._look_elsewhere()
        for place in [place for place in self._held if place not in self._reading]:
            await self._release(place)

    async def guild_there(self, guild: discord.Guild) -> None:
        """A server has come back, or let us in."""
        if not self._beginning:
            self._look_at(guild)

    async def settled(self) -> None:
        """Wait until all that was missed has been read."""
        await self._lanes.room(1)

    async def close(self) -> None:
        """Read nothing more; write down up to where it was read."""
        await self._lanes.close(CLOSING)
        for timer in self._behind.values():
            timer.cancel()
        self._flush()

    def cursors(self) -> list[Cursor]:
        """Return those of all places, as they are now."""
        return list({cursor.key: cursor for cursor in (*self._kit.books.cursors, *self._ahead.values())}.values())

    def forget(self, conversation: Conversation) -> None:
        """The place is gone."""
        self._ahead.pop(conversation.key, None)
        self._kit.books.cursors.forget(conversation.key)

    # ---- who has written? ----

    def _look_at(self, guild: discord.Guild) -> None:
        """Find the places of a server where something was missed; give those that are new to us a cursor."""
        channels = [channel for channel in guild.channels if isinstance(channel, Channel)]
        seen_before = {channel.id for channel in channels if self._cursor(channel.id) is not None}
        places: list[Place] = [*channels, *guild.threads]
        for place in places:
            if self._gate.listens_at(place, place.id):
                # In a channel that we know, a thread that we do not was begun meanwhile.
                is_late = isinstance(place, discord.Thread) and place.parent_id in seen_before
                self._look(place, place.id - 1 if is_late else None)

    def _look(self, place: Place, beginning: int | None) -> None:
        cursor, newest = self._cursor(place.id), place.last_message_id or 0
        if cursor is None and beginning is None:
            self._kit.books.cursors.put(_cursor_at(place, newest or place.id))
            return
        after = int(cursor.seen) if cursor is not None else beginning or 0
        if newest > after and isinstance(place, discord.abc.Messageable):
            self._want(place.id, after)

    def _look_elsewhere(self) -> None:
        """Look at what Discord does not list: archived threads and direct messages, those that were used last."""
        guilds = {str(guild.id) for guild in self._kit.client.guilds}
        asleep = [
            cursor
            for cursor in self.cursors()
            if (cursor.guild in guilds or (not cursor.guild and self._gate.rules.private))
            and self._kit.client.get_channel(cursor.place) is None
        ]
        asleep.sort(key=lambda cursor: int(cursor.seen))
        for cursor in asleep[-MOST_ASLEEP:]:
            self._want(cursor.place, int(cursor.seen))

    def _want(self, place: int, after: int) -> None:
        """Have what is newer than `after` read there."""
        if not self._hours:
            return
        earliest = datetime.fromtimestamp(self._kit.clock.time() - self._hours * 3600, UTC)
        if (timer := self._behind.pop(place, None)) is not None:
            timer.cancel()
        self._wanted[place] = max(after, discord.utils.time_snowflake(earliest))
        if place not in self._reading:
            self._reading.add(place)
            self._lanes.put(str(place), lambda: self._read(place))

    # ---- reading ----

    async def _read(self, place: int) -> None:
        """Take in what was missed in a place, then what is held."""
        is_over, after = True, None
        try:
            async with self._slots:
                while (after := self._wanted.pop(place, None)) is not None:
                    await self._catch_up(place, after)
        except asyncio.CancelledError:  # the platform stops: what is held is read at the next start, in its order
            is_over = False
            raise
        except ChatError as error:
            log.warning("Discord, channel %d: what was written meanwhile is not read: %s", place, error)
            if isinstance(error, ChatTimeout) and after is not None:
                self._try_later(place, after)
        finally:
            if is_over:
                self._reading.discard(place)
                await self._release(place)

    def _try_later(self, place: int, after: int) -> None:
        """Discord is out of order: what comes live is not held for so long, and what was missed is read later."""
        log.info("Discord, channel %d: it is tried again in %.0f s", place, AGAIN)
        self._behind[place] = asyncio.get_running_loop().call_later(AGAIN, self._want, place, after)

    async def _catch_up(self, place: int, after: int) -> None:
        """Take in what is newer than `after`. Raise ChatError if it cannot be read."""
        calls, client = self._kit.port.calls, self._kit.client
        channel: object = client.get_channel(place)
        if channel is None:
            channel = await calls.make("see channels", place, lambda: client.fetch_channel(place))
            if isinstance(channel, discord.Thread) and (channel.last_message_id or 0) <= after:
                return
        if not isinstance(channel, discord.abc.Messageable) or not self._is_ours(channel):
            return
        if isinstance(channel, discord.abc.GuildChannel | discord.Thread) and not may(channel, "read_message_history"):
            raise ChatRefused(UNREADABLE)  # Discord would say that there is nothing
        found = await calls.make("read the history", place, lambda: _newer(channel, after), PATIENCE)
        if not found:
            return
        if len(found) == MOST_MISSED:
            log.warning("Discord, channel %d: only the newest %d messages are read", place, MOST_MISSED)
        known, members = await self._known(found), dict[int, discord.Member | None]()
        late = 0
        for message in found:
            if str(message.id) in known:
                self._note(message)
                continue
            await self._incoming.room()
            late += await self._hear(await self._whole(message, members), late=True)
        log.info("Discord, channel %d: %d messages were missed, %d of them for us", place, len(found), late)

    async def _known(self, messages: Iterable[discord.Message]) -> frozenset[str]:
        """Those that were accepted in an earlier life, or by the session before."""
        try:
            return await asyncio.wrap_future(
                self._kit.books.deliveries.known("discord", [str(message.id) for message in messages])
            )
        except StoreError:  # logged there; what cannot be written down is not accepted either
            return frozenset()

    async def _whole(self, message: discord.Message, members: dict[int, discord.Member | None]) -> discord.Message:
        """Have a message know its author's roles, if they decide: in a history Discord leaves them out."""
        author, guild = message.author, message.guild
        if guild is None or author.bot or isinstance(author, discord.Member) or not self._gate.rules.roles:
            return message
        if author.id not in members:
            try:
                members[author.id] = await self._kit.port.calls.make(
                    "see members", message.channel.id, lambda: guild.fetch_member(author.id)
                )
            except ChatError:  # no member any more: nobody with a role
                members[author.id] = None
        message.author = members[author.id] or author
        return message

    async def _release(self, place: int) -> None:
        """Take in what is held, as long as nothing older may be missing."""
        while not self._beginning and place not in self._reading and self._held.get(place):
            await self._hear(self._held[place].pop(0))
        if not self._held.get(place):
            self._held.pop(place, None)

    async def _hear(self, message: discord.Message, *, late: bool = False) -> bool:
        is_taken = await self._incoming.message(message, late=late)
        self._note(message)
        if is_taken:
            self._flush()
        return is_taken

    # ---- cursors ----

    def _is_ours(self, channel: discord.abc.Messageable) -> bool:
        """Whether we listen there."""
        if isinstance(channel, discord.DMChannel):
            return self._gate.rules.private
        return isinstance(channel, discord.abc.GuildChannel | discord.Thread) and self._gate.listens_at(
            channel, channel.id
        )

    def _cursor(self, place: int) -> Cursor | None:
        key = conversation_at(place).key
        return self._ahead.get(key) or self._kit.books.cursors.get(key)

    def _note(self, message: discord.Message) -> None:
        """What there was about this message is done: the next start need not read it."""
        channel = message.channel
        if not self._is_ours(channel) or channel.id in self._behind:
            return
        before = self._cursor(channel.id)
        if before is not None and int(before.seen) >= message.id:
            return
        cursor = replace(before, seen=str(message.id)) if before is not None else _cursor_at(channel, message.id)
        self._ahead[cursor.key] = cursor
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(EVERY, self._flush)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for cursor in self._ahead.values():
            self._kit.books.cursors.put(cursor)
        self._ahead.clear()


def _cursor_at(place: object, seen: int) -> Cursor:
    """Return the cursor of a place, with what it lies in."""
    within = str(place.parent_id) if isinstance(place, discord.Thread) else ""
    guild = getattr(place, "guild", None)
    name: int = getattr(place, "id")  # noqa: B009  # whatever can be written in has one
    return Cursor(conversation_at(name).key, str(seen), within, str(guild.id) if guild is not None else "")


async def _newer(channel: discord.abc.Messageable, after: int) -> list[discord.Message]:
    """Return the newest messages that are newer than `after`, the oldest first. Raise discord.HTTPException."""
    found: list[discord.Message] = []
    async for message in channel.history(limit=MOST_MISSED):
        if message.id <= after:
            break
        found.append(message)
    found.reverse()
    return found
