"""Discord as the core sees it: every method is a coroutine handed to the loop, and a Future of what becomes of it.

**Threads**: the methods of `ChatPort` are for any thread and return at once; what they start runs on the loop, and
everything that begins with an underscore belongs there.
**Locks**: none.
**Never**: a message that pings anybody who does not take part; a wait without an end.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import logging
import re
import uuid
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import discord

from ...clock import Clock
from ...config.schema import DiscordConfig
from ...core.message import Conversation, MessageRef
from ...core.port import Controls, Decision, File, Limits, Question, Seen, TurnEvent
from ...errors import ChatError, ChatRefused
from ...media.outgoing import outgoing
from ..loop import EventLoopThread
from .calls import Calls
from .controls import stopped_by, view
from .errors import UNREADABLE
from .places import may
from .reacting import Reactions
from .renaming import Titles

if TYPE_CHECKING:
    from ...store import Books
    from .questions import Questions

__all__ = ["PLATFORM", "DiscordPort"]

log = logging.getLogger(__name__)

T = TypeVar("T")

PLATFORM = "discord"

PAGE = 2000  # code points
NONCE = 25  # characters
FILE_SIZE = 10 * 1024 * 1024  # bytes, where a guild allows no more
MOST_SIZES = 5000  # conversations whose guilds allow more; of those that came before them the least is thought again
EDIT_INTERVAL = 1.2  # seconds; five edits in five seconds is what Discord takes
EDIT_SPREAD = 0.9  # seconds; fifty answers that begin together would be fifty times 0.4 ms of the loop at one moment
NOTHING = "⋯"  # what a page says that has nothing but white space

# Seconds that each kind of request may take, rate limits and repetitions included.
POSTING, EDITING, REACTING, TYPING, UPLOADING, RENAMING, READING = 30.0, 20.0, 15.0, 10.0, 120.0, 20.0, 90.0
MOST_READ = 5000  # messages of a conversation since the reply began, looking for ours: 51 requests, of which Discord
# takes five in five seconds; READING has room for them and for their answers
CLOSING = 30.0  # seconds beyond a question's own patience: to post it, and to take its buttons away

MENTION = re.compile(r"<@!?(\d{1,20})>")
ANY_MENTION = r"<@[!&]?\d{1,20}>"


class DiscordPort:
    """A ChatPort on Discord (see `core.port.ChatPort`)."""

    def __init__(
        self,
        loop: EventLoopThread,
        client: discord.Client,
        books: Books,
        settings: Callable[[], DiscordConfig],
        clock: Clock,
        questions: Questions,
    ) -> None:
        self.calls = Calls(clock)
        self.titles = Titles(client, self.calls, books.conversations)
        self.questions = questions
        self._loop = loop
        self._client = client
        self._books = books
        self._settings = settings
        self._reactions = Reactions(self.calls)
        # By conversation, where a guild allows more than everywhere; oldest first.
        self._file_sizes: dict[str, int] = {}

    # ---- any thread; returns at once ----

    def limits(self, conversation: Conversation) -> Limits:
        """What can be done there. Where another bot speaks, answers are posted when they are complete."""
        known = self._books.conversations.get(conversation.key)
        return Limits(
            page=PAGE,
            edit_interval=EDIT_INTERVAL,
            edit_spread=EDIT_SPREAD,
            live="once" if known.bots else "edit",
            controls=True,
            forms=True,
            links=True,
            spoilers=True,
            max_pages=self._settings().max_pages,
            file_size=self._file_sizes.get(conversation.id, FILE_SIZE),
            mention=ANY_MENTION,
        )

    def post(
        self,
        conversation: Conversation,
        text: str,
        *,
        reply_to: MessageRef | None = None,
        nonce: str = "",
        controls: Controls | None = None,
    ) -> Future[MessageRef]:
        return self._do(self._post(conversation, text, reply_to, nonce, controls), POSTING)

    def edit(self, ref: MessageRef, text: str, *, controls: Controls | None = None) -> Future[None]:
        return self._do(self._edit(ref, text, controls), EDITING)

    def react(self, ref: MessageRef, emoji: str, on: bool) -> Future[None]:
        return self._do(self._react(ref, emoji, on), REACTING)

    def typing(self, conversation: Conversation) -> Future[None]:
        return self._do(self._typing(conversation), TYPING)

    def ask(self, question: Question) -> Future[Decision]:
        return self._do(self._ask(question), question.timeout + CLOSING)

    def settle(self, question: Question, text: str) -> Future[None]:
        return self._do(self._settle(question, text), CLOSING)

    def upload(self, conversation: Conversation, file: File, *, nonce: str = "") -> Future[MessageRef]:
        return self._do(self._upload(conversation, file, nonce), UPLOADING)

    def rename(self, conversation: Conversation, title: str) -> Future[None]:
        return self._do(self.titles.give(conversation, title), RENAMING)

    def ours(self, conversation: Conversation, since: float) -> Future[Sequence[Seen]]:
        return self._do(self._ours(conversation, since), READING)

    def sign(self, ref: MessageRef, emoji: str) -> Future[None]:
        return self._do(self._sign(ref, emoji), REACTING)

    def event(self, conversation: Conversation, event: TurnEvent) -> None:
        """Nothing: it is not this platform that draws."""

    def channel_of(self, ref: MessageRef) -> int:
        """Return the channel in which a message is: the one that a thread began with is in the parent."""
        if ref.id == ref.conversation.id:
            parent = self._books.conversations.get(ref.conversation.key).parent
            if parent:
                return int(parent)
        return int(ref.conversation.id)

    def _do(self, coroutine: Coroutine[Any, Any, T], timeout: float) -> Future[T]:
        return self._loop.submit(coroutine, timeout)

    # ---- on the loop ----

    async def _post(
        self, conversation: Conversation, text: str, reply_to: MessageRef | None, nonce: str, controls: Controls | None
    ) -> MessageRef:
        # What has no nonce is no page of a reply: a notice pings nobody.
        pings = self._pings(conversation, text) if nonce else discord.AllowedMentions.none()
        options: dict[str, Any] = {"nonce": _nonce(nonce), "allowed_mentions": pings}
        if reply_to is not None and self.channel_of(reply_to) == int(conversation.id):
            options["reference"] = discord.MessageReference(
                message_id=int(reply_to.id), channel_id=int(conversation.id), fail_if_not_exists=False
            )
        if controls is not None:
            options["view"] = self._view(controls, conversation)
        place, page = self._place(conversation), _fit(text)
        message = await self.calls.make("send messages", place.id, lambda: place.send(page, **options), POSTING)
        return MessageRef(conversation, str(message.id))

    async def _edit(self, ref: MessageRef, text: str, controls: Controls | None) -> None:
        options: dict[str, Any] = {"allowed_mentions": self._pings(ref.conversation, text)}
        if controls is not None:
            options["view"] = self._view(controls, ref.conversation)
        message, page = self._message(ref), _fit(text)
        where = message.channel.id
        await self.calls.make("send messages", where, lambda: message.edit(content=page, **options), EDITING)

    async def _react(self, ref: MessageRef, emoji: str, on: bool) -> None:
        me = self._me()
        await self._reactions.show(self._message(ref), emoji, on, me)

    async def _sign(self, ref: MessageRef, emoji: str) -> None:
        message, me = self._message(ref), self._me()
        whole = await self.calls.make("read the history", message.channel.id, message.fetch)
        mine = [str(reaction.emoji) for reaction in whole.reactions if reaction.me]
        for other in mine:
            if other != emoji:
                await self._reactions.show(message, other, on=False, me=me)
        if emoji and emoji not in mine:
            await self._reactions.show(message, emoji, on=True, me=me)

    async def _ours(self, conversation: Conversation, since: float) -> Sequence[Seen]:
        place, me = self._place(conversation), self._me()
        after = datetime.fromtimestamp(since, UTC)
        channel = self._client.get_channel(place.id)
        if isinstance(channel, discord.abc.GuildChannel | discord.Thread) and not may(channel, "read_message_history"):
            raise ChatRefused(UNREADABLE)  # Discord would say that there is nothing

        async def read() -> list[discord.Message]:
            count, mine = 0, list[discord.Message]()
            async for one in place.history(limit=MOST_READ + 1, after=after):
                count += 1
                mine += [one] if one.author.id == me.id else []
            if count > MOST_READ:  # what has not been read may be ours: a page is rather sent twice than lost
                raise ChatRefused(f"more than {MOST_READ} messages were written there since")
            return mine

        found = await self.calls.make("read the history", place.id, read)
        return [
            Seen(
                MessageRef(conversation, str(one.id)),
                one.content,
                stopped_by(one),
                tuple(f.filename for f in one.attachments),
            )
            for one in found
        ]

    async def _typing(self, conversation: Conversation) -> None:
        place = self._place(conversation)

        async def type_() -> None:
            await place.typing()

        await self.calls.make("type", place.id, type_)

    async def _ask(self, question: Question) -> Decision:
        where = int(question.conversation.id)
        return await self.calls.make("send messages", where, lambda: self.questions.ask(question))

    async def _settle(self, question: Question, text: str) -> None:
        where = int(question.conversation.id)
        await self.calls.make("send messages", where, lambda: self.questions.settle(question, text))

    async def _upload(self, conversation: Conversation, file: File, nonce: str) -> MessageRef:
        place, most = self._place(conversation), self._file_size(conversation)
        name, data = await asyncio.to_thread(outgoing, file.name, file.data, file.mime)
        if len(data) > most:
            size = f"{len(data) / 1024 / 1024:.1f} MiB"
            text = f"📎 `{name}` has {size}; files here may have {most // 1024 // 1024} MiB, so it was not sent."
            return await self._post(conversation, text, None, nonce, None)
        nonce = _nonce(nonce)

        async def send() -> discord.Message:
            return await place.send(file=discord.File(io.BytesIO(data), filename=name), nonce=nonce)

        message = await self.calls.make("attach files", place.id, send, POSTING)
        return MessageRef(conversation, str(message.id))

    # What is where.

    def _me(self) -> discord.ClientUser:
        if self._client.user is None:
            raise ChatError("not connected to Discord yet")
        return self._client.user

    def _place(self, conversation: Conversation) -> discord.PartialMessageable:
        self._me()
        self._file_size(conversation)
        return self._client.get_partial_messageable(int(conversation.id))

    def _message(self, ref: MessageRef) -> discord.PartialMessage:
        self._me()
        return self._client.get_partial_messageable(self.channel_of(ref)).get_partial_message(int(ref.id))

    def _file_size(self, conversation: Conversation) -> int:
        """Return how large a file may be there, and note it for those who ask from other threads."""
        channel = self._client.get_channel(int(conversation.id))
        guild = getattr(channel, "guild", None)
        most = guild.filesize_limit if guild is not None else FILE_SIZE
        if most != self._file_sizes.get(conversation.id, FILE_SIZE):
            self._file_sizes[conversation.id] = most
            while len(self._file_sizes) > MOST_SIZES:
                del self._file_sizes[next(iter(self._file_sizes))]
        return most

    def _pings(self, conversation: Conversation, text: str) -> discord.AllowedMentions:
        """Whom a text may ping: people whom it names and who take part already."""
        known = self._books.conversations.get(conversation.key).people
        named = dict.fromkeys(number for number in MENTION.findall(text) if number in known)
        users = [discord.Object(int(number)) for number in list(named)[:100]]
        return discord.AllowedMentions(everyone=False, roles=False, users=users, replied_user=False)

    def _view(self, controls: Controls, conversation: Conversation) -> discord.ui.View | None:
        return view(controls, conversation, self._books.buttons)


def _fit(text: str) -> str:
    """Return a text that Discord takes as a message: it has been cut before, this is the last net."""
    text = text.strip()
    if not text:
        return NOTHING
    if len(text) > PAGE:
        log.error("a page of %d characters had to be cut", len(text))
        return text[: PAGE - 1] + "…"
    return text


def _nonce(nonce: str) -> str:
    """Return a nonce that Discord takes; without one, one that is used for the repetitions of one post only."""
    if not nonce:
        return uuid.uuid4().hex[: NONCE - 1]
    if len(nonce) > NONCE:
        return hashlib.blake2b(nonce.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    return nonce
