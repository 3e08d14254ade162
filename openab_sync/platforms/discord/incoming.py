"""Incoming: a message's way from the gateway to the broker, and what becomes of it when it is edited or deleted.

    told → seen already? → who speaks here → may it in? → written down → 👀
                                                               └► its lane: place → files → complete → broker

What is decided about a message is decided at once, in the order in which messages come; from then on each conversation
has a lane, so that nothing overtakes although threads are opened and files fetched meanwhile (FIELD F2, F12). What is
not on the disk is not acknowledged: where that fails its writer is told instead.

**Threads**: the loop's only; the broker is asked, never waited for.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import discord

from ...core.admission import Verdict
from ...core.commands import CommandAnswer
from ...core.ledger import ON_DISK
from ...core.message import Conversation, Inbound, MessageRef, Person
from ...errors import ChatError, ChatRefused, StoreError
from ...text.split import split
from .asking import Asking
from .attachments import Downloads, Fetched, extras, fetch
from .bots import Company, conversation_at
from .drafts import Draft, complete, files_of, is_only_voice, prompt_of, route_of
from .export import Exports
from .gate import Gate
from .lanes import Lanes
from .places import GONE, Place, Places
from .recent import Recent
from .titles import title_of
from .words import EXPORT, asked, order_in

if TYPE_CHECKING:
    from .kit import Kit

__all__ = ["Incoming"]

log = logging.getLogger(__name__)

MOST_UNDER_WAY = 200  # messages between 👀 and the broker, over all conversations
AGAIN = 15.0  # seconds until a message is tried again for which Discord answers nothing at all
LEAVING = 3.0  # seconds for them when the platform stops
PAGE = 2000
NOBODY = "You called me without a question: write what I should do behind my name."
TOO_MANY = "Too many messages are on their way to me just now: this one was not taken, please send it again."
TOO_LATE = "I was away when you gave that order: give it again if it still matters."
NOT_YET = "I could not write your message down yet, because the disk does not answer. I take it as soon as it does."
LATE = "🕰️"  # on what was written while nobody listened
BY_DELETING = Person("", "deleting the message")


class Incoming:
    """Everything that people write, on its way in."""

    def __init__(self, kit: Kit, gate: Gate, downloads: Downloads) -> None:
        self._kit = kit
        self._gate = gate
        self._downloads = downloads
        self._places = Places(kit)
        self._company = Company(kit.books.conversations, lambda: kit.discord.max_bot_turns)
        self._lanes = Lanes(MOST_UNDER_WAY)
        self._recent = Recent()
        self._drafts: dict[int, Draft] = {}  # those in a lane, by message
        self._leaving = asyncio.Event()
        self._held_up: set[str] = set()  # conversations that were told that the disk does not answer
        self._asking = Asking(kit, gate, self._places, self._begin)
        self.ask = self._asking.ask
        self.again = self._asking.again

    # ---- what the gateway tells ----

    async def message(self, message: discord.Message, *, late: bool = False) -> bool:
        """Somebody wrote, `late`: while nobody listened. Return whether it is for us.

        Returns at once; what takes time is done in the conversation's lane.
        """
        if not self._recent.is_first(message.id):
            return False
        seen_in = self._listen(message)
        verdict = self._gate.message(message)
        if verdict is Verdict.REFUSED:
            self._is_kept_out(message)
        elif verdict is Verdict.IN and not self._is_too_much(message):
            self._admit(message, late=late)
        if seen_in:  # last: what is said to have been seen has been written down before
            self._company.take_part(seen_in, seen=str(message.id))
        return verdict is Verdict.IN

    async def room(self) -> None:
        """Wait until there is room for another message: for those who bring many at once."""
        await self._lanes.room(MOST_UNDER_WAY // 2)

    async def edited(self, payload: discord.RawMessageUpdateEvent) -> None:
        """A message was changed. An update that only brings an embed changes no words, and is no edit."""
        words = payload.message.content
        if not self._recent.has_changed(payload.message_id, words):
            return
        text, draft = asked(self._gate.ours.prompt(words)), self._drafts.get(payload.message_id)
        if not text and not payload.message.attachments:  # nothing is left to be answered
            if draft is not None:
                self._withdraw(draft)
            else:
                self._kit.broker.withdraw(self._ref(payload.message_id, payload.channel_id))
            return
        if draft is not None:
            draft.text, draft.is_edited = text, True
            return
        ref = self._ref(payload.message_id, payload.channel_id)
        if self._kit.broker.edit(ref, text):
            self._show_edited(ref)

    async def deleted(self, payload: discord.RawMessageDeleteEvent | discord.RawBulkMessageDeleteEvent) -> None:
        """Messages are gone: what waits is withdrawn, what runs for nobody else is cancelled."""
        gone = payload.message_ids if isinstance(payload, discord.RawBulkMessageDeleteEvent) else {payload.message_id}
        for message_id in sorted(gone):
            draft = self._drafts.get(message_id)
            if draft is not None:
                self._withdraw(draft)
            elif self._recent.was_admitted(message_id):
                self._kit.broker.revoke(self._ref(message_id, payload.channel_id), BY_DELETING, alone=True)

    # ---- what is left of a process before this one ----

    def first(self, conversation: Conversation, work: Callable[[], Awaitable[None]]) -> None:
        """Have `work` done in a conversation's lane before anything that comes from now on."""
        self._lanes.put(conversation.key, work, is_owed=True)

    def draft(
        self, message: discord.Message, author: discord.User | discord.Member, text: str, about: discord.Message | None
    ) -> Draft:
        """Return a message as it would be on its way now; `text` is what was asked if it is not in the message."""
        if author == message.author:
            text = asked(prompt_of(message, self._gate.ours))
        return Draft(message, author, self._places.plan(message), text, about)

    async def go_on(self, draft: Draft) -> None:
        """Let a message go its way that was accepted before a restart. In its lane."""
        self._drafts[draft.message.id] = draft
        draft.accepted = asyncio.get_running_loop().create_future()
        draft.accepted.set_result(None)
        place, message = draft.place, draft.message
        self._recent.admit(message.id, message.content)
        parent = place.channel_id if place.kind == "new" else ""
        self._company.take_part(place.conversation.key, draft.person.id, parent=parent, seen=str(message.id))
        await self._take_in(draft, None)

    def remember(self, message_id: str, words: str) -> None:
        """A message that was accepted before a restart waits again, with these words: it may be edited and deleted."""
        self._recent.admit(int(message_id), words)

    def is_busy(self, conversation: Conversation) -> bool:
        """Whether something of that conversation is on its way to the broker."""
        return conversation.key in self._lanes

    def withdraw(self, conversation: Conversation) -> None:
        """The place is gone: what is on its way there is not answered."""
        for draft in self._drafts.values():
            if conversation in (draft.place.conversation, conversation_at(draft.message.channel.id)):
                self._withdraw(draft)

    async def close(self) -> None:
        """Take nothing more; what is under way has some seconds."""
        self._leaving.set()
        await self._lanes.close(LEAVING)

    # ---- who may, and who is there ----

    def _listen(self, message: discord.Message) -> str:
        """Take notice of whoever speaks where we listen, whatever is decided about it (FIELD G1-G4).

        Return the key of the conversation that it belongs to, if we take part there.
        """
        knock = self._gate.knock(message)
        key = conversation_at(message.channel.id).key
        if knock.is_system or not (knock.is_private or self._gate.listens_at(message.channel, message.channel.id)):
            return ""
        if knock.by.is_bot:
            self._company.hear_bot(key, knock.by.id, message.content, is_us=knock.is_ours)
        elif message.content:
            self._company.hear_person(key)
        if knock.involved or (knock.is_ours and (knock.is_thread or knock.is_private)):
            self._company.take_part(key)
            return key
        return ""

    def _is_too_much(self, message: discord.Message) -> bool:
        """Whether bots have talked enough there; it is said once, by those who would have answered (FIELD G6)."""
        key = conversation_at(message.channel.id).key
        if not self._gate.knock(message).by.is_bot or not self._company.limit(key):
            return False
        took_part = self._kit.books.conversations.get(key).took_part
        warning = self._company.warning(key) if took_part else ""
        if warning:
            log.warning("Discord, %s: %s", key, warning)
            self._kit.port.post(conversation_at(message.channel.id), warning)
        return True

    def _is_kept_out(self, message: discord.Message, conversation: Conversation | None = None) -> bool:
        """Whether the writer may not talk to us at all, or is beyond a limit in that `conversation`; it shows then."""
        ref = MessageRef(conversation_at(message.channel.id), str(message.id))
        return self._gate.refusals.keep_out(self._kit, self._gate.knock(message).by, ref, conversation)

    def _admit(self, message: discord.Message, *, late: bool) -> None:
        text, place = prompt_of(message, self._gate.ours), self._places.plan(message)
        order = order_in(text)
        if order is not None:
            if not self._gate.may_order(message):
                log.info("Discord: %s may not give orders (message %d)", message.author.id, message.id)
                return
            where = conversation_at(message.channel.id)
            if late:  # what it was about may be long over
                self._lanes.beside(self._places.tell(message, message.author, TOO_LATE))
            else:
                self._put(message, lambda: self._obey(where, message, *order), where)
            return
        if not late and self._is_kept_out(message, place.conversation):
            return
        draft = Draft(message, message.author, place, asked(text), is_late=late)
        if not draft.text and is_only_voice(files_of(draft)):
            self._put(message, lambda: self._say_nothing(draft), conversation_at(message.channel.id))
            return
        self._begin(draft)

    # ---- in the lanes ----

    def _put(self, message: discord.Message, work: Callable[[], Awaitable[None]], conversation: Conversation) -> bool:
        if self._lanes.put(conversation.key, work):
            return True
        self._lanes.beside(self._places.tell(message, message.author, TOO_MANY))
        return False

    def _begin(self, draft: Draft, placed: asyncio.Future[Place] | None = None) -> None:
        """Take a message in: mark it, and let it go its way. `placed` is completed when it has its place."""
        message, place = draft.message, draft.place
        known = self._kit.books.conversations.get(place.conversation.key)
        draft.is_new = not known.took_part
        parent = place.channel_id if place.kind == "new" else ""
        if not self._put(message, lambda: self._take_in(draft, placed), place.conversation):
            if placed is not None:
                placed.set_exception(ChatError(TOO_MANY))
            return
        self._drafts[message.id] = draft
        self._accept(draft)
        self._recent.admit(message.id, message.content)
        self._company.take_part(place.conversation.key, draft.person.id, parent=parent, seen=str(message.id))

    def _accept(self, draft: Draft) -> None:
        """Write a message down; when that is safe it is marked. Before anything that says that we have seen it."""
        ref = draft.place.ref(draft.message.id)
        draft.delivery, safe = self._kit.broker.accept(ref, draft.person, draft.text, route_of(draft))
        draft.accepted = asyncio.wrap_future(safe)

        def look(done: asyncio.Future[None]) -> None:
            if not done.cancelled() and done.exception() is None:
                self._kit.broker.mark(draft.where)
                if draft.is_late:
                    self._kit.port.react(draft.where, LATE, True)

        draft.accepted.add_done_callback(look)

    async def _take_in(self, draft: Draft, placed: asyncio.Future[Place] | None) -> None:
        while not await self._took_in(draft, placed) and not self._leaving.is_set():
            self._drafts[draft.message.id] = draft  # whoever edits or deletes it meanwhile finds it
            with suppress(TimeoutError):  # what is left when we leave is taken up at the next start
                await asyncio.wait_for(self._leaving.wait(), AGAIN)

    async def _took_in(self, draft: Draft, placed: asyncio.Future[Place] | None) -> bool:
        """Bring a message to the broker, or tell why not; False if Discord answers neither: it stays accepted."""
        try:
            await self._safe(draft)
            note = await self._ready(draft, placed)
        except ChatError as error:
            log.warning("Discord, message %d is not answered: %s", draft.message.id, error)
            if placed is not None and not placed.done():
                placed.set_exception(error)  # whoever waits for it tells
            elif draft.is_withdrawn:  # it has been taken back: nobody waits for a word about it
                return True
            elif not await self._places.tell(draft.message, draft.author, error.user_text()) and not draft.is_refused:
                return False
            self._unmark(draft)
            self._kit.broker.dismiss(draft.delivery, is_told=True)
            return True
        finally:
            # Whoever edits or deletes the message from now on finds it in the broker: nothing comes in between.
            self._drafts.pop(draft.message.id, None)
            if placed is not None and not placed.done():
                placed.set_exception(ChatRefused(GONE))
        if note is None or draft.is_withdrawn:
            self._kit.broker.dismiss(draft.delivery, is_told=not draft.is_withdrawn)
            self._unmark(draft)
            return True
        if draft.is_edited:
            self._show_edited(note.ref)
        self._kit.broker.receive(note)
        return True

    async def _safe(self, draft: Draft) -> None:
        """Wait until a message is on the disk. Raise ChatError, for its writer, if it is not accepted.

        A disk that does not answer is waited for, and that is said, once in a conversation.
        """
        assert draft.accepted is not None
        where = draft.where.conversation
        try:
            await asyncio.wait({draft.accepted}, timeout=ON_DISK)
            is_told = where.key in self._held_up or draft.is_withdrawn or draft.author.bot
            if not draft.accepted.done() and not is_told:
                self._held_up.add(where.key)
                self._kit.port.post(where, NOT_YET, reply_to=draft.where)
            await asyncio.shield(draft.accepted)
        except StoreError as error:
            draft.is_refused = True
            raise ChatError(error.user_text()) from error
        finally:
            self._held_up.discard(where.key)

    async def _ready(self, draft: Draft, placed: asyncio.Future[Place] | None) -> Inbound | None:
        """Find the draft its place and fetch its files; None if there is nothing to answer, and people know.

        Raise ChatError if it cannot be answered.
        """
        fetched = Fetched() if draft.text else await self._fetched(draft)  # a long paste says what it is about
        title = title_of(draft.text or fetched.prompt or " ".join(file.name for file in fetched.attachments))
        if draft.is_withdrawn:
            return None
        draft.place = await self._places.prepare(draft.message, draft.place, title, is_new=draft.is_new)
        self._company.take_part(draft.place.conversation.key, draft.person.id, seen=str(draft.message.id))
        if placed is not None:
            placed.set_result(draft.place)
        if draft.text:
            fetched = await self._fetched(draft)
        notes = (*fetched.notes, *extras(draft.message))
        if notes:
            text = "\n".join(f"📎 {note}" for note in notes)
            self._kit.port.post(draft.place.conversation, text, reply_to=draft.place.ref(draft.message.id))
        return complete(draft, fetched, extras(draft.message))

    async def _fetched(self, draft: Draft) -> Fetched:
        return await fetch(files_of(draft), self._downloads.wish(draft.place.conversation, draft.text))

    async def _say_nothing(self, draft: Draft) -> None:
        """There is nothing to answer: no empty prompt is made of it (FIELD H4)."""
        files = files_of(draft)
        fetched = await self._fetched(draft) if files else Fetched()
        notes = (*fetched.notes, *extras(draft.message))
        if files:
            self._kit.port.react(draft.where, "🎤", True)
        await self._places.tell(draft.message, draft.author, " ".join(notes) or NOBODY)

    async def _obey(self, where: Conversation, message: discord.Message, name: str, argument: str) -> None:
        """Give an order that was written as a message; nobody waits until it is carried out."""
        if f"/{name}" == EXPORT:
            tell = partial(self._places.tell, message, message.author)
            self._lanes.beside(Exports(self._kit).send(where, message, tell))
            return
        person = Draft(message, message.author, self._places.plan(message), "").person
        view = self._gate.view(message)
        answer = asyncio.wrap_future(self._kit.broker.command(where, name, argument, person, view))
        self._lanes.beside(self._answer(answer, MessageRef(where, str(message.id))))

    async def _answer(self, answer: asyncio.Future[CommandAnswer], ref: MessageRef) -> None:
        text = (await answer).text
        for number, page in enumerate(split(text, PAGE)):
            posted = self._kit.port.post(ref.conversation, page, reply_to=None if number else ref)
            try:
                await asyncio.wrap_future(posted)
            except ChatError as error:
                log.warning("Discord, %s: an answer could not be posted: %s", ref.conversation, error)
                return

    # ---- what is where ----

    def _ref(self, message_id: int, channel_id: int) -> MessageRef:
        """Return the name that a message has in the core: the first of a thread belongs to the thread."""
        own = conversation_at(message_id)
        begins = bool(self._kit.books.conversations.get(own.key).parent)
        return MessageRef(own if begins else conversation_at(channel_id), str(message_id))

    def _unmark(self, draft: Draft) -> None:
        if not (draft.is_withdrawn or draft.is_refused):  # what is deleted shows nothing
            self._kit.broker.unmark(draft.where)

    def _withdraw(self, draft: Draft) -> None:
        draft.is_withdrawn = True
        self._kit.broker.dismiss(draft.delivery, is_told=False)

    def _show_edited(self, ref: MessageRef) -> None:
        self._kit.port.react(ref, "✏️", True)
