"""A conversation as a Markdown file: who wrote what and when, oldest first.

What only told how things stood (a sign that an agent is busy, a question's buttons, joins and pins) is left out.
Secrets that the configuration names, and what looks like a key, are blacked out. Long conversations and large files are
cut at the beginning, and the file says so.

**Threads**: the loop's only; it reads 100 messages a request.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import discord

from ...core.message import Conversation
from ...core.port import File
from ...errors import ChatError
from ...text.clean import one_line, plain

if TYPE_CHECKING:
    from .kit import Kit

__all__ = ["Exports", "Line", "exported", "markdown", "may_read_history"]

MOST = 5000  # messages
UNREADABLE = "You may not read the history of this channel."
ROOM = 8 * 1024 * 1024  # bytes: a file of more may be refused
KINDS = (discord.MessageType.default, discord.MessageType.reply)
# Whole messages of ours that tell how things stand and nothing else; a question is known by its first line.
_SIGNS = re.compile(
    r"\*?⏳ .+ is still (?:starting\.|at work; no sign from it for .+\.)\*?"
    r"|🔐 \*\*.+\*\*(?:\n(?s:.*))?|🔒 Rejected, .+: .+|⋯"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One message, as it is exported."""

    author: str
    at: datetime
    text: str
    files: tuple[str, ...] = ()


class Exports:
    """Makes the files."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._redact = kit.redact

    async def send(
        self, where: Conversation, message: discord.Message, tell: Callable[[str], Awaitable[object]]
    ) -> None:
        """Upload a conversation as a file, to somebody who may read all that will be in it; `tell` them why not."""
        if not may_read_history(message):  # the bot may read what the person may not
            await tell(UNREADABLE)
            return
        try:
            title = getattr(message.channel, "name", "") or "Direct messages"
            file = await self.file(where, title)
            await asyncio.wrap_future(self._kit.port.upload(where, file))
        except ChatError as error:
            await tell(error.user_text())

    async def file(self, conversation: Conversation, title: str) -> File:
        """Return a conversation as a file, what it began with in another channel included. Raise ChatError."""
        client, calls = self._kit.client, self._kit.port.calls
        place, us = client.get_partial_messageable(int(conversation.id)), client.user
        if us is None:
            raise ChatError("not connected to Discord yet")
        first = await self._first(conversation)
        return await calls.make(
            "read the history", place.id, lambda: exported(place, us.id, self._redact, title, first)
        )

    async def _first(self, conversation: Conversation) -> discord.Message | None:
        """Return the message in the channel that a thread was opened from, None if there is none any more."""
        parent = self._kit.books.conversations.get(conversation.key).parent
        if not parent:
            return None
        place = self._kit.client.get_partial_messageable(int(parent))
        try:
            return await self._kit.port.calls.make(
                "read the history", place.id, lambda: place.fetch_message(int(conversation.id))
            )
        except ChatError:  # deleted, or not for us to read: the rest is worth having
            return None


async def exported(
    channel: discord.abc.Messageable,
    us: int,
    redact: Callable[[str], str],
    title: str,
    first: discord.Message | None = None,
) -> File:
    """Return the conversation as a file; `us` is the bot's id, `first` a message elsewhere with which it began.

    Raise discord.HTTPException if it may not be read.
    """
    title = redact(title)
    found: list[Line] = []
    count = 0
    async for message in channel.history(limit=MOST):
        count += 1
        line = _line(message, us)
        if line is not None:
            found.append(line)
    if first is not None and count < MOST and (line := _line(first, us)) is not None:
        found.append(line)
    found.reverse()
    text = markdown(found, title, redact, is_cut=count >= MOST)
    return File(f"{_file_name(title)}.md", text.encode(), "text/markdown")


def _line(message: discord.Message, us: int) -> Line | None:
    if message.type not in KINDS:
        return None
    if message.author.id == us and (_SIGNS.fullmatch(message.content) or message.interaction_metadata is not None):
        return None
    files = tuple(attachment.filename for attachment in message.attachments)
    if not message.content.strip() and not files:
        return None
    return Line(message.author.display_name, message.created_at, message.content, files)


def markdown(lines: Sequence[Line], title: str, redact: Callable[[str], str], *, is_cut: bool = False) -> str:
    """Return messages, oldest first, as Markdown of at most 8 MiB: what does not fit is left out at the beginning."""
    head = f"# {one_line(title, 100) or 'Conversation'}\n"
    blocks: list[str] = []
    size = len(head.encode()) + 200
    for line in reversed(lines):
        block = redact(_block(line))
        size += len(block.encode("utf-8", "replace")) + 1
        if size > ROOM:
            is_cut = True
            break
        blocks.append(block)
    note = "\n*Only the newest messages: what was written before them is left out.*\n" if is_cut else ""
    return "\n".join([head + note, *reversed(blocks)]).encode("utf-8", "replace").decode()


def _block(line: Line) -> str:
    names = "".join(f"\n📎 {one_line(name, 200)}" for name in line.files)
    text = plain(line.text).strip()
    parts = [part for part in (text, names.strip()) if part]
    return f"\n**{one_line(line.author, 80)}** · {line.at:%Y-%m-%d %H:%M:%S} UTC\n\n" + "\n".join(parts) + "\n"


def _file_name(title: str) -> str:
    kept = re.sub(r"[^\w.-]+", "-", title.strip().lower()).strip("-.")[:60]
    return kept or "conversation"


def may_read_history(message: discord.Message) -> bool:
    """Whether the author may read what was written there before; not if that cannot be known."""
    channel = message.channel
    if message.guild is None:
        return True
    if not isinstance(message.author, discord.Member) or (isinstance(channel, discord.Thread) and not channel.parent):
        return False
    return channel.permissions_for(message.author).read_message_history
