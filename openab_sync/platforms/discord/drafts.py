"""Drafts: messages that were let in and are not complete yet, and what the agent gets when they are.

What somebody wrote is the text. What they replied to or pointed at, cut, and what became of their files stands before
it, behind the block about the sender: an edit changes the text alone.

**Threads**: the loop's only. Nothing here asks Discord for anything.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import discord

from ...core.message import Inbound, MessageRef, Person
from .bots import conversation_at
from .context import Sender, harmless, sender_block
from .gate import person_of
from .words import Ours, cut, quoted

if TYPE_CHECKING:
    from .attachments import Fetched
    from .places import Place

__all__ = ["Draft", "complete", "files_of", "forwarded_text", "is_only_voice", "prompt_of", "quote_of", "route_of"]

MOST_POINTED_AT = 4000  # characters of a message that somebody asks about: all that a message can have


@dataclass(slots=True)
class Draft:
    """A message on its way. `text` is what was asked, without what is not for the agent.

    `message` is what reactions go to; it is ours where somebody has asked by a command, and `author` is who asked.
    """

    message: discord.Message
    author: discord.User | discord.Member
    place: Place
    text: str
    about: discord.Message | None = None
    is_new: bool = False  # we have not been in that conversation yet
    is_withdrawn: bool = False  # deleted meanwhile
    is_edited: bool = False
    is_late: bool = False  # written while nobody listened
    is_refused: bool = False  # the disk does not take it
    delivery: int = 0  # under which number it is written down
    accepted: asyncio.Future[None] | None = None  # done when that is safe

    @property
    def where(self) -> MessageRef:
        """The message by the channel it is in, whatever becomes of its place."""
        return MessageRef(conversation_at(self.message.channel.id), str(self.message.id))

    @property
    def person(self) -> Person:
        """Who asked."""
        return person_of(self.author, self.message.webhook_id if self.author == self.message.author else None)


def prompt_of(message: discord.Message, ours: Ours) -> str:
    """Return what a message asks: its own words, then what it forwards."""
    text = ours.prompt(message.content)
    forwarded = forwarded_text(message)
    return "\n\n".join(part for part in (text, forwarded) if part)


def forwarded_text(message: discord.Message) -> str:
    """Return the texts of the messages that this one forwards, as they were then; "" for none."""
    texts = [snapshot.content.strip() for snapshot in message.message_snapshots]
    return "\n\n".join(f"Forwarded message:\n{quoted(text)}" for text in texts if text)


def files_of(draft: Draft) -> list[discord.Attachment]:
    """Return all files that come with a draft: its own, forwarded ones, and those of what it points at."""
    files = list(draft.message.attachments)
    for snapshot in draft.message.message_snapshots:
        files += snapshot.attachments
    source = draft.about or _replied_to(draft.message)
    if source is not None and not _is_ours(source, draft):
        files += source.attachments
    return files


def is_only_voice(files: list[discord.Attachment]) -> bool:
    """Whether there is nothing in these files that could be passed on, so that nothing has to be fetched."""
    return all(file.is_voice_message() for file in files)


def quote_of(draft: Draft) -> str:
    """Return what a draft replies to or points at, cut and quoted, with whose it is; "" for nothing."""
    source = draft.about or _replied_to(draft.message)
    if source is None:
        return ""
    text = source.content.strip() or forwarded_text(source)
    names = ", ".join(file.filename for file in source.attachments)
    text = "\n".join(part for part in (text, f"[files: {names}]" if names else "") if part)
    if not text:
        return ""
    whose = "your message" if _is_ours(source, draft) else f"the message of {source.author.display_name}"
    opening = f"About {whose}:" if draft.about else f"In reply to {whose}:"
    return f"{opening}\n{quoted(cut(text, MOST_POINTED_AT) if draft.about else cut(text))}"


def route_of(draft: Draft) -> dict[str, str]:
    """Return what is needed to find a draft's message again, besides its id and who asks."""
    route = {"channel": str(draft.message.channel.id)}
    if draft.about is not None:
        route["about"] = f"{draft.about.channel.id} {draft.about.id}"
    return route


def complete(draft: Draft, fetched: Fetched, extras: tuple[str, ...]) -> Inbound | None:
    """Return the message as the agent gets it; None if nothing is left that could be answered."""
    text = "\n\n".join(part for part in (draft.text, fetched.prompt) if part)
    if not text and not fetched.attachments:
        return None
    notes = "\n".join(f"[{note}]" for note in (*fetched.notes, *extras))
    before = [harmless(part) for part in (quote_of(draft), notes) if part]
    return Inbound(
        draft.place.ref(draft.message.id),
        draft.person,
        harmless(text),
        fetched.attachments,
        "\n\n".join([sender_block(_sender(draft)), *before]),
        is_marked=True,
        delivery=draft.delivery,
    )


def _sender(draft: Draft) -> Sender:
    return Sender(
        id=str(draft.author.id),
        name=draft.author.name,
        display_name=draft.author.display_name,
        is_bot=draft.person.is_bot,
        channel_id=draft.place.channel_id,
        thread_id=draft.place.thread_id,
        message_id=str(draft.message.id),
        at=draft.message.created_at,
    )


def _replied_to(message: discord.Message) -> discord.Message | None:
    """The message that this one answers, as it came with it; None if there is none, or it is gone."""
    if message.type is not discord.MessageType.reply or message.reference is None:
        return None
    source = message.reference.resolved
    return source if isinstance(source, discord.Message) else None


def _is_ours(message: discord.Message, draft: Draft) -> bool:
    guild = draft.message.guild
    us = guild.me if guild is not None else getattr(draft.message.channel, "me", None)
    return us is not None and message.author.id == us.id
