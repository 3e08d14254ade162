"""Permission questions on Discord: one message with the agent's own options as buttons, answered by one press.

Nothing of what would happen is hidden: what does not fit into the message comes as a file with it, and a question that
cannot be shown whole is not asked at all. A button answers its own request and no other; who may press it is the
question's (`asked_of`) and approvers; where it names no person and there are none, whoever is admitted here. The first
press counts.

Several questions may be open at once. A press after the end, or after a restart, is told what became of the question.

**Threads**: the loop's only. Errors of Discord's are raised as they are: `port` makes them ours, and calls again what a
cut connection has kept from us (the message has a nonce).
"""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import discord
from discord.utils import escape_markdown as escape

from ...clock import Clock, SystemClock
from ...core.events import PermissionOption
from ...core.forms import FILL, OPEN, caution, host_of, problems
from ...core.message import Person
from ...core.port import Decision, Question
from ...errors import ChatRefused
from ...text.clean import one_line
from .approvers import Approvers
from .calls import FOREIGN
from .errors import is_passing
from .modals import address_view, page_button, page_modal, page_of, pages, read_page
from .question_view import DECIDED, MOST, PINGED, name_of, over_text, people_of, shown, view_of
from .stale import OVER, ended

if TYPE_CHECKING:
    from ...store import Books
    from ...store.buttons import Button

__all__ = ["Questions"]

log = logging.getLogger(__name__)

PAGE = 2000
KEPT = 7 * 86400.0  # seconds for which a late press is told what became of it
MOST_SETTLED = 100  # questions that are over, and whose message does not say so yet
ACKNOWLEDGING = 3.0  # seconds that a press may take to be acknowledged; the decision does not wait for it any longer


@dataclass(slots=True)
class _Open:
    """A question that has not been settled."""

    question: Question
    button: Button
    decision: asyncio.Future[Decision]
    message: discord.PartialMessage | None = None
    taken_by: str = ""  # the name of whoever pressed first
    ended: str = ""  # who or what decided, once that is known
    drafts: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)  # of a form, by who fills it in
    # One change of the message at a time: the last words must be the last to arrive.
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)


class Questions:
    """All open questions."""

    def __init__(
        self,
        client: discord.Client,
        books: Books,
        clock: Clock | None = None,
        approvers: Callable[[], Approvers] = Approvers,
    ) -> None:
        """`approvers` tells who they are now."""
        self._client = client
        self._books = books
        self._clock = clock or SystemClock()
        self._approvers = approvers
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
                # After a crash the record is how the buttons are found again, and taken away.
                self._note(item, message=str(item.message.id))
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
        item = await self._found(interaction, token)
        if isinstance(item, str):
            return item
        if not 0 <= index < len(item.question.options):
            return "That is none of the answers."
        option, form = item.question.options[index], item.question.form
        if form is not None and option.option_id == FILL.option_id and form.fields:
            return await self._page(interaction, item, 0)
        if form is not None and option.option_id == OPEN.option_id:
            text = f"```\n{form.url}\n```\nIt is on **{escape(host_of(form.url))}**. {caution(form.url)}"
            await self._alone(interaction, text, address_view(token))
            return ""
        return await self._taken(interaction, item, option, {} if form is not None else None)

    # Forms and addresses: what people see of them is for them alone.

    async def turned(self, interaction: discord.Interaction, token: str, number: int) -> str:
        """Somebody wants to see a page of a form."""
        item = await self._found(interaction, token)
        return item if isinstance(item, str) else await self._page(interaction, item, number)

    async def submitted(self, interaction: discord.Interaction, token: str, number: int) -> str:
        """Somebody has filled in a page of a form: the next one, or the end of it."""
        item = await self._found(interaction, token)
        if isinstance(item, str):
            return item
        form = item.question.form
        if form is None or number >= pages(form):
            return "That is no page of the form."
        given = item.drafts.setdefault(str(interaction.user.id), {})
        given.update(read_page(form, number, interaction.data))
        if wrong := problems(page_of(form, number), given):
            await self._alone(interaction, escape("\n".join(wrong)), page_button(token, number, "Correct it"))
            return ""
        at = number + 1
        if at == pages(form):  # a page that was left out is asked for again
            at = next((one for one in range(at) if problems(page_of(form, one), given)), at)
        if at < pages(form):
            text = f"Page {number + 1} of {pages(form)} is kept."
            await self._alone(interaction, text, page_button(token, at, f"Go on with page {at + 1}"))
            return ""
        return await self._taken(interaction, item, FILL, dict(given))

    async def agreed(self, interaction: discord.Interaction, token: str) -> str:
        """Somebody wants to open the address that they have seen."""
        item = await self._found(interaction, token)
        if isinstance(item, str):
            return item
        form = item.question.form
        if form is None or not form.url:
            return "There is no address to open."
        return await self._taken(interaction, item, OPEN, None, url=form.url)

    async def _page(self, interaction: discord.Interaction, item: _Open, number: int) -> str:
        form = item.question.form
        if form is None or number >= pages(form):
            return "That is no page of the form."
        given = item.drafts.get(str(interaction.user.id), {})
        await interaction.response.send_modal(page_modal(form, item.button.id, number, given))
        return ""

    @staticmethod
    async def _alone(interaction: discord.Interaction, text: str, view: discord.ui.View | None) -> None:
        more: dict[str, Any] = {} if view is None else {"view": view}
        await interaction.response.send_message(text[:PAGE], ephemeral=True, **more)

    # Who may, and what they have decided.

    async def _found(self, interaction: discord.Interaction, token: str) -> _Open | str:
        """Return the question of a button if this person can decide it now, else what to tell them."""
        button = self._books.buttons.get(token)
        if button is None or button.kind != "question":
            return "That question is not open any more."
        item = self._by_button.get(token)
        if item is None:
            return await self._late(interaction, button.data.get("closed") or OVER)
        if not self._may_decide(item.question, interaction.user):
            names = ", ".join(person.name or person.id for person in people_of(item.question))
            whose = [f"{names}'s"] if names else []
            whose += ["an approver's"] if self._approvers() else []
            return f"This question is {' or '.join(whose)} to answer."
        if item.taken_by or item.decision.done():
            return f"{item.taken_by or 'Somebody'} has decided already."
        return item

    async def _taken(
        self,
        interaction: discord.Interaction,
        item: _Open,
        option: PermissionOption,
        values: dict[str, tuple[str, ...]] | None,
        *,
        url: str = "",
    ) -> str:
        user = interaction.user
        item.taken_by = user.display_name
        decision = Decision(option.option_id, Person(str(user.id), user.display_name), values)
        async with item.writing:  # before the decision is known: what becomes of it is written after this
            try:
                await asyncio.wait_for(self._acknowledge(interaction, item, option, url), ACKNOWLEDGING)
            except Exception as error:  # the press counts all the same; the end of the question changes the message
                if not isinstance(error, discord.HTTPException) and not is_passing(error):
                    raise
                log.warning("%s: a decision was not acknowledged: %s", item.question.conversation, error)
            finally:
                if not item.decision.done():
                    item.decision.set_result(decision)
        return ""

    @staticmethod
    async def _acknowledge(interaction: discord.Interaction, item: _Open, option: PermissionOption, url: str) -> None:
        """Change the message that was used: the question itself, or what one person alone has before them."""
        message = interaction.message
        if message is None or item.message is None or message.id == item.message.id:
            text = f"⏳ {name_of(option)} — {interaction.user.display_name}"
            await interaction.response.edit_message(content=over_text(item.question, text), view=None)
        elif url:
            await interaction.response.edit_message(view=address_view("", url))
        else:
            await interaction.response.edit_message(content="Sent.", view=None)

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
        await asyncio.wait({asyncio.wrap_future(self._books.buttons.settled())})  # who presses it is known, always
        people = [discord.Object(int(person.id)) for person in people_of(question)[:PINGED]]
        more: dict[str, Any] = {"view": view_of(question.options, item.button.id)}
        text = page.text
        if item.ended:  # before this attempt: nobody is called to answer what is over
            text, people, more = over_text(question, item.ended), [], {}
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
                content=over_text(item.question, item.ended), view=None, allowed_mentions=discord.AllowedMentions.none()
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

    def is_open(self, button: str) -> bool:
        """Whether the question of this button can still be answered."""
        return button in self._by_button

    def _may_decide(self, question: Question, user: discord.User | discord.Member) -> bool:
        """Those whose turn it is, and approvers. Where a bot's turn asks and there are none: whoever is admitted."""
        people = people_of(question)
        if any(person.id == str(user.id) for person in people) or self._approvers().hold(user):
            return True
        return not people and not self._approvers()

    def _opened(self, question: Question) -> _Open:
        people = tuple(person.id for person in people_of(question))
        button = self._books.buttons.make(
            "question", question.conversation.key, {"question": question.id}, people, question.timeout + KEPT
        )
        item = _Open(question, button, asyncio.get_running_loop().create_future())
        self._open[question.id] = self._by_button[button.id] = item
        return item

    def _end(self, item: _Open, text: str) -> None:
        """Close a question and book what became of it: once, however often that has to be written."""
        self._close(item)
        item.ended = ended(one_line(text, DECIDED), self._clock.time())
        item.decision.cancel()  # nobody waits for it any more
        self._note(item, closed=item.ended)
        self._settled[item.question.id] = item
        while len(self._settled) > MOST_SETTLED:
            del self._settled[next(iter(self._settled))]

    def _note(self, item: _Open, **news: str) -> None:
        """Book what is known of a question now."""
        item.button = replace(item.button, data={**item.button.data, **news})
        self._books.buttons.put(item.button)

    def _close(self, item: _Open) -> None:
        self._open.pop(item.question.id, None)
        self._by_button.pop(item.button.id, None)
