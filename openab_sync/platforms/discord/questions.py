"""Permission questions on Discord: one message with the agent's own options as buttons, answered by one press.

Nothing of what would happen is hidden: what does not fit into the message comes as a file with it, and a question that
cannot be shown whole is not asked at all. A button answers its own request and no other; who may press it is the
question's (`asked_of`), or, where that names no person, whoever is admitted here. The first press counts.

Several questions may be open at once. A press after the end, or after a restart, is told what became of the question.

**Threads**: the loop's only. Errors of Discord's are raised as they are: `port` makes them ours, and calls again what a
cut connection has kept from us (the message has a nonce).
"""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import discord

from ...core.events import PermissionOption
from ...core.message import Person
from ...core.port import Decision, Question
from ...errors import ChatRefused
from ...text.clean import one_line
from ...text.fences import Fence, step
from ...text.split import split
from .calls import FOREIGN
from .controls import finished
from .errors import is_passing
from .ids import made

if TYPE_CHECKING:
    from ...store import Books
    from ...store.buttons import Button

__all__ = ["Questions", "shown"]

log = logging.getLogger(__name__)

PAGE = 2000
LABEL = 80  # characters on a button
ROW, ROWS, CHOICES = 5, 5, 25
MOST = ROWS * CHOICES  # options that a message can offer in selects
ROOM = 300  # characters kept free for the end of the question: who decided, and how
KEPT = 7 * 86400.0  # seconds for which a late press is told what became of it
PINGED = 5  # people
MOST_SETTLED = 100  # questions that are over, and whose message does not say so yet
ACKNOWLEDGING = 3.0  # seconds that a press may take to be acknowledged; the decision does not wait for it any longer

STYLES = {
    "allow_once": discord.ButtonStyle.success,
    "allow_always": discord.ButtonStyle.primary,
    "reject_once": discord.ButtonStyle.danger,
    "reject_always": discord.ButtonStyle.danger,
}
MARKS = {"allow_once": "🟢", "allow_always": "🔵", "reject_once": "🔴", "reject_always": "🔴"}
OTHER = "⚪"  # a kind that we do not know
OVER = "That question is over: I was restarted after it was asked. Write to the agent again."


@dataclass(slots=True)
class _Open:
    """A question that has not been settled."""

    question: Question
    button: Button
    decision: asyncio.Future[Decision]
    message: discord.PartialMessage | None = None
    taken_by: str = ""  # the name of whoever pressed first
    ended: str = ""  # who or what decided, once that is known
    # One change of the message at a time: the last words must be the last to arrive.
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, slots=True)
class Shown:
    """A question as a message: its text, and the file with all of it where the text is not all."""

    text: str
    file: str = ""


class Questions:
    """All open questions."""

    def __init__(self, client: discord.Client, books: Books) -> None:
        self._client = client
        self._books = books
        self._open: dict[str, _Open] = {}  # by question
        self._by_button: dict[str, _Open] = {}
        # Over, but the message does not say so yet: for whoever is called again. Oldest first.
        self._settled: dict[str, _Open] = {}

    async def ask(self, question: Question) -> Decision:
        """Put a question to people and return their choice. May be called again if a connection was cut."""
        if len(question.options) > MOST:
            raise ChatRefused(f"the agent offers {len(question.options)} answers, and a message holds {MOST}")
        item = self._open.get(question.id) or self._settled.get(question.id) or self._opened(question)
        try:
            if item.message is None:
                item.message = await self._post(item)
            if item.ended:  # while it was being posted
                await self._conclude(item)
            return await asyncio.shield(item.decision)
        except asyncio.CancelledError:
            self._close(item)
            raise
        except Exception as error:
            if not is_passing(error):
                self._close(item)
                self._settled.pop(question.id, None)
            raise

    async def settle(self, question: Question, text: str) -> None:
        """Take the buttons away and say who or what decided. May be called again if a connection was cut."""
        item = self._settled.get(question.id)
        if item is None:
            item = self._open.get(question.id)
            if item is None:
                return
            self._end(item, text)
        if item.message is not None:  # otherwise `ask` says it, as soon as there is one
            await self._conclude(item)

    async def pressed(self, interaction: discord.Interaction, token: str, index: int) -> str:
        """Somebody who is admitted has chosen; return what to tell only them, "" where the message says it."""
        button = self._books.buttons.get(token)
        if button is None or button.kind != "question":
            return "That question is not open any more."
        item = self._by_button.get(token)
        if item is None:
            return await self._late(interaction, button.data.get("closed") or OVER)
        if not _may_decide(item.question, str(interaction.user.id)):
            names = ", ".join(person.name or person.id for person in _people(item.question))
            return f"This question is {names}'s to answer."
        if not 0 <= index < len(item.question.options):
            return "That is none of the answers."
        if item.taken_by or item.decision.done():
            return f"{item.taken_by or 'Somebody'} has decided already."
        return await self._taken(interaction, item, item.question.options[index])

    async def _taken(self, interaction: discord.Interaction, item: _Open, option: PermissionOption) -> str:
        user = interaction.user
        item.taken_by = user.display_name
        text = f"⏳ {_name(option)} — {user.display_name}"
        async with item.writing:  # before the decision is known: what becomes of it is written after this
            try:
                shown_as = _ended(item.question, text)
                await asyncio.wait_for(interaction.response.edit_message(content=shown_as, view=None), ACKNOWLEDGING)
            except Exception as error:  # the press counts all the same; the end of the question changes the message
                if not isinstance(error, discord.HTTPException) and not is_passing(error):
                    raise
                log.warning("%s: a decision was not acknowledged: %s", item.question.conversation, error)
            finally:
                if not item.decision.done():
                    item.decision.set_result(Decision(option.option_id, Person(str(user.id), user.display_name)))
        return ""

    async def _late(self, interaction: discord.Interaction, text: str) -> str:
        """Say what became of the question, and only then take the buttons away: that may wait for a rate limit."""
        try:
            await interaction.response.send_message(text, ephemeral=True)
        except FOREIGN as error:
            log.debug("a late press was not answered at once: %s", error)
            return text  # the caller's to say, in a way that still works
        await self._strip(interaction)
        return ""

    # The message.

    async def _post(self, item: _Open) -> discord.PartialMessage:
        question = item.question
        page = shown(question)
        place = self._client.get_partial_messageable(int(question.conversation.id))
        people = [discord.Object(int(person.id)) for person in _people(question)[:PINGED]]
        more: dict[str, Any] = {"view": _view(question.options, item.button.id)}
        text = page.text
        if item.ended:  # before this attempt: nobody is called to answer what is over
            text, people, more = _ended(question, item.ended), [], {}
        if page.file:
            more["file"] = discord.File(io.BytesIO(page.file.encode()), "details.md")
        message = await place.send(
            text,
            nonce=question.id[:25],
            allowed_mentions=discord.AllowedMentions(everyone=False, roles=False, users=people),
            **more,
        )
        return place.get_partial_message(message.id)

    async def _conclude(self, item: _Open) -> None:
        """Write who or what decided; remember the question for another call if that may work later."""
        try:
            async with item.writing:
                await self._write(item)
        except Exception as error:
            if not is_passing(error):
                self._settled.pop(item.question.id, None)
            raise
        self._settled.pop(item.question.id, None)

    async def _write(self, item: _Open) -> None:
        assert item.message is not None
        try:
            await item.message.edit(
                content=_ended(item.question, item.ended), view=None, allowed_mentions=discord.AllowedMentions.none()
            )
        except discord.NotFound:
            log.debug("%s: the question was deleted", item.question.conversation)

    async def _strip(self, interaction: discord.Interaction) -> None:
        """Take the buttons off a message that nobody can answer any more."""
        if interaction.message is None:
            return
        try:
            await interaction.message.edit(view=None)
        except FOREIGN as error:
            log.debug("buttons that mean nothing any more could not be taken away: %s", error)

    # The books.

    def _opened(self, question: Question) -> _Open:
        people = tuple(person.id for person in _people(question))
        button = self._books.buttons.make(
            "question", question.conversation.key, {"question": question.id}, people, question.timeout + KEPT
        )
        item = _Open(question, button, asyncio.get_running_loop().create_future())
        self._open[question.id] = self._by_button[button.id] = item
        return item

    def _end(self, item: _Open, text: str) -> None:
        """Close a question and book what became of it: once, however often that has to be written."""
        self._close(item)
        item.ended = text
        item.decision.cancel()  # nobody waits for it any more
        data = {**item.button.data, "closed": text}
        self._books.buttons.put(replace(item.button, data=data))
        self._settled[item.question.id] = item
        while len(self._settled) > MOST_SETTLED:
            del self._settled[next(iter(self._settled))]

    def _close(self, item: _Open) -> None:
        self._open.pop(item.question.id, None)
        self._by_button.pop(item.button.id, None)


# What people see.


def shown(question: Question) -> Shown:
    """Return a question as a message of at most 2000 characters, with a file if that is not all of it."""
    head = f"🔐 **{discord.utils.escape_markdown(one_line(question.title, 200))}**"
    detail = _closed(question.detail)
    names = "\n".join(_long_names(question.options))
    asked = " ".join(f"<@{person.id}>" for person in _people(question)[:PINGED])
    tail = [part for part in (names, asked) if part]
    whole = "\n".join(part for part in (head, detail, *tail) if part)
    if len(whole) <= PAGE - ROOM:
        return Shown(whole)
    file = "\n\n".join(part for part in (f"# {question.title}", question.detail, names) if part)
    note = "⚠️ **This is only the beginning: all of it is in the file `details.md`. Read it before you decide.**"
    fixed = f"{head}\n{note}\n{asked}"
    room = PAGE - ROOM - len(fixed) - 2
    text = "\n\n".join(part for part in (detail, names) if part)
    return Shown("\n".join(part for part in (head, split(text, room)[0], note, asked) if part), file)


def _ended(question: Question, text: str) -> str:
    """Return the message of a question that is over. Its file, if it has one, stays."""
    return f"{shown(question).text}\n{one_line(text, ROOM - 1)}"


def _closed(text: str) -> str:
    """Return a text that leaves no block of code open: it would swallow what follows."""
    inside: Fence | None = None
    for line in text.split("\n"):
        inside = step(line, inside)
    return text if inside is None else f"{text}\n{inside.mark}"


def _long_names(options: Sequence[PermissionOption]) -> list[str]:
    """The whole text of what does not fit on its button."""
    named = [(number, option.kind, _name(option)) for number, option in enumerate(options, 1)]
    return [
        f"{number}. {MARKS.get(kind, OTHER)} {discord.utils.escape_markdown(one_line(name, len(name)))}"
        for number, kind, name in named
        if one_line(name, LABEL) != name
    ]


def _name(option: PermissionOption) -> str:
    return option.name.strip() or option.option_id.strip() or "?"


def _view(options: Sequence[PermissionOption], token: str) -> discord.ui.View:
    if len(options) > ROW * ROWS:
        return finished(*(_select(options, token, start) for start in range(0, len(options), CHOICES)))
    return finished(
        *(
            discord.ui.Button(
                label=one_line(_name(option), LABEL),
                style=STYLES.get(option.kind, discord.ButtonStyle.secondary),
                custom_id=made("ask", token, str(index)),
                row=index // ROW,
            )
            for index, option in enumerate(options)
        )
    )


def _select(options: Sequence[PermissionOption], token: str, start: int) -> discord.ui.Select[Any]:
    part = options[start : start + CHOICES]
    return discord.ui.Select(
        custom_id=made("choose", token, str(start // CHOICES)),
        placeholder=f"Answers {start + 1} to {start + len(part)}",
        options=[
            discord.SelectOption(
                label=one_line(_name(option), 100),
                value=str(start + number),
                emoji=MARKS.get(option.kind, OTHER),
            )
            for number, option in enumerate(part)
        ],
    )


# Who may decide.


def _people(question: Question) -> list[Person]:
    """The people it is asked of: bots do not press buttons."""
    return [person for person in question.asked_of if not person.is_bot]


def _may_decide(question: Question, user: str) -> bool:
    people = _people(question)
    return not people or any(person.id == user for person in people)
