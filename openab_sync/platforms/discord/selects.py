"""Menus: choose a model, a mode, any option of the agent's, a message that waits, a session that is remembered.

A menu is a select of at most 25 entries with buttons to the other pages. What it holds is kept in the books under a
token, so it works after a restart; the entry that was chosen is looked up there, never taken from what came in. A menu
belongs to the person who asked for it.

What needs the agent is an order to its session: it works in the middle of a turn and while the agent is starting.

**Threads**: the loop's only.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import discord

from ...core.command_options import command_of, option_of, shown
from ...core.command_sessions import tag_of
from ...core.desk import View
from ...core.events import Option, StoredSession
from ...core.house import Open, SetOption
from ...core.message import Conversation, Inbound, MessageRef, Person
from ...text.clean import one_line
from .answers import Answer
from .controls import finished
from .ids import made
from .seeing import TITLES
from .serving import person

if TYPE_CHECKING:
    from ...store.buttons import Button
    from .kit import Kit

__all__ = ["CHOICES", "Item", "Selects", "menu_view", "stored_session"]

log = logging.getLogger(__name__)

CHOICES = 25  # of a select
LABEL = 100  # characters of a label, a description and a value
TITLE = 150  # characters of a placeholder
MOST = 500  # entries of a menu
LIFE = 86400.0  # seconds: what can be chosen changes
TOO_OLD = "This menu is too old: please give the command again."


@dataclass(frozen=True, slots=True)
class Item:
    """An entry: what people see, and what it stands for."""

    label: str
    value: str
    about: str = ""
    is_chosen: bool = False


def menu_view(token: str, items: Sequence[Item], page: int, title: str) -> discord.ui.View:
    """Return a page of a menu; a number beyond the last page means the last. Raise ValueError without an entry."""
    pages = -(-len(items) // CHOICES)
    if not pages:
        raise ValueError("a menu without an entry")
    page = min(max(page, 0), pages - 1)
    start = page * CHOICES
    title = title if pages == 1 else f"{title} — page {page + 1} of {pages}"
    select: discord.ui.Select[Any] = discord.ui.Select(
        custom_id=made("pick", token),
        placeholder=one_line(title, TITLE),
        options=[
            discord.SelectOption(
                label=_label(item.label),
                value=str(start + number),
                description=one_line(item.about, LABEL) or None,
                default=item.is_chosen,
            )
            for number, item in enumerate(items[start : start + CHOICES])
        ],
    )
    if pages == 1:
        return finished(select)
    before: discord.ui.Button[Any] = discord.ui.Button(
        label="Previous", custom_id=made("page", token, str(max(page - 1, 0))), disabled=page == 0
    )
    # Beyond the last page: the two ids of one message must differ.
    after: discord.ui.Button[Any] = discord.ui.Button(
        label="Next", custom_id=made("page", token, str(page + 1)), disabled=page == pages - 1
    )
    return finished(select, before, after)


def _label(text: str) -> str:
    return one_line(text, LABEL) or "—"


class Selects:
    """Shows menus and does what is chosen in them."""

    def __init__(self, kit: Kit, view: Callable[[discord.Interaction[Any]], View]) -> None:
        """`view` says what somebody may see and do."""
        self._kit = kit
        self._view = view

    # To begin with.

    async def option(self, answer: Answer, conversation: Conversation, category: str, by: Person) -> None:
        """Show the choices of the option that is the "model" or the "mode"."""
        options = await self._options(answer, conversation)
        option = option_of(options, category)
        if option is None:
            await answer.say(f"This agent offers no choice of {category}s.")
        else:
            await self._show_option(answer, conversation, option, by)

    async def options(self, answer: Answer, conversation: Conversation, by: Person) -> None:
        """Show everything that can be set."""
        options = await self._options(answer, conversation)
        if not options:
            await answer.say("This agent has nothing to set.")
            return
        items = [Item(option.name, option.id, f"{shown(option.value)}. {option.description}") for option in options]
        view = self._menu("config", conversation, items, by, "What shall be set?")
        await answer.say("This agent lets you set:", view)

    async def queue(self, answer: Answer, conversation: Conversation, by: Person, said: str = "") -> None:
        """Show what waits, and let one of them be dropped."""
        notes = self._kit.broker.waiting(conversation)
        lines = [said, *(_line(number, note) for number, note in enumerate(notes, 1))]
        text = "\n".join(line for line in lines if line) or "Nothing waits here."
        items = [Item(_line(number, note), note.ref.id) for number, note in enumerate(notes, 1)]
        view = self._menu("queue", conversation, items, by, "Drop one of them") if items else None
        await answer.say(text, view)

    async def sessions(self, answer: Answer, conversation: Conversation, by: Person, may: View) -> None:
        """Show the sessions that the agent remembers."""
        page = await answer.after(self._kit.broker.stored(conversation, by, may))
        if not page.sessions:
            await answer.say("The agent remembers no sessions here.")
            return
        items = [
            Item(
                item.title or "without a title",
                json.dumps(asdict(item)),
                f"{tag_of(item.session_id)} {item.updated_at}",
            )
            for item in (replace(one, title=TITLES.title(one.title)) for one in page.sessions)
        ]
        more = " There are more of them, which it has not told." if page.cursor else ""
        if not page.can_resume:
            lines = [f"- {one_line(item.label, LABEL)}, {item.about}" for item in items]
            await answer.say("\n".join(["The agent remembers these sessions, and cannot go on with them.", *lines]))
            return
        view = self._menu("sessions", conversation, items, by, "Go on with one of them")
        await answer.say(f"The agent remembers {len(items)} session{'s' if len(items) != 1 else ''}.{more}", view)

    # What was chosen.

    async def turned(self, interaction: discord.Interaction, token: str, page: int) -> str:
        """Show another page; return what to tell only this person, "" where that is all."""
        menu = self._mine(interaction, token)
        if isinstance(menu, str):
            return menu
        answer = Answer(interaction, self._kit.port, update=True)
        text = interaction.message.content if interaction.message is not None else ""
        await answer.say(text or menu.data["title"], menu_view(token, _items(menu), page, menu.data["title"]))
        return ""

    async def picked(self, interaction: discord.Interaction, token: str, values: Sequence[str]) -> str:
        """Do what was chosen; return what to tell only this person, "" where the menu itself says it."""
        menu = self._mine(interaction, token)
        if isinstance(menu, str):
            return menu
        items = _items(menu)
        index = values[0] if values else ""
        if not index.isdecimal() or len(index) > 4 or int(index) >= len(items):
            return "That is none of the choices."
        platform, _, name = menu.conversation.partition(":")
        conversation = Conversation(platform, name)
        answer = Answer(interaction, self._kit.port, update=True)
        await self._chosen(answer, interaction, menu, conversation, items[int(index)])
        return ""

    async def _chosen(
        self, answer: Answer, interaction: discord.Interaction, menu: Button, conversation: Conversation, item: Item
    ) -> None:
        by, may = person(interaction), self._view(interaction)
        match menu.kind:
            case "menu-option":
                await self._set(answer, conversation, menu, item, (by, may))
            case "menu-config":
                options = await self._options(answer, conversation)
                option = next((one for one in options if one.id == item.value), None)
                if option is None:
                    await answer.say("The agent does not offer this any more.")
                else:
                    await self._show_option(answer, conversation, option, by)
            case "menu-queue":
                told = self._kit.broker.drop(MessageRef(conversation, item.value), by, may)
                await self.queue(answer, conversation, by, told.text)
            case _:
                await self._where(answer, conversation, item, by)

    async def _set(
        self, answer: Answer, conversation: Conversation, menu: Button, item: Item, asker: tuple[Person, View]
    ) -> None:
        option_id, (by, _) = menu.data["option"], asker
        options = self._known(conversation)
        before = next((one for one in options if one.id == option_id), None)
        is_switch = before is not None and before.kind == "boolean"
        value: str | bool = item.value == "on" if is_switch else item.value
        order, command = SetOption(option_id, value), menu.data.get("command", "config")
        told = await answer.after(self._kit.broker.set_option(conversation, order, command, *asker))
        now = next((one for one in self._known(conversation) if one.id == option_id), None)
        if not told.ok or now is None or not _choices(now):
            await answer.say(told.text)
        else:
            # Whoever has set it is told before everybody else sees it.
            await self._show_option(answer, conversation, replace(now, value=value), by, told.text)

    async def _where(self, answer: Answer, conversation: Conversation, item: Item, by: Person) -> None:
        """Ask where a session goes on."""
        stored = {"session": item.value, "title": item.label}
        token = self._kit.books.buttons.make("resume", conversation.key, stored, (by.id,), LIFE).id
        here: discord.ui.Button[Any] = discord.ui.Button(label="Here", custom_id=made("resume", token, "here"))
        anew: discord.ui.Button[Any] = discord.ui.Button(
            label="In a new thread", custom_id=made("resume", token, "thread")
        )
        title = discord.utils.escape_markdown(one_line(item.label, LABEL))
        await answer.say(
            f"Where shall “{title}” go on? Here it takes the place of this conversation.", finished(here, anew)
        )

    # How it is done.

    async def _options(self, answer: Answer, conversation: Conversation) -> tuple[Option, ...]:
        """Have the agent there, and return what it lets people set. Raise OpenabError if it cannot be there."""
        await answer.after(self._kit.broker.order(conversation, Open()))
        return self._known(conversation)

    def _known(self, conversation: Conversation) -> tuple[Option, ...]:
        sessions = self._kit.broker.snapshot().sessions
        return next((item.options for item in sessions if item.conversation == conversation), ())

    async def _show_option(
        self, answer: Answer, conversation: Conversation, option: Option, by: Person, said: str = ""
    ) -> None:
        items = _choices(option)
        name = discord.utils.escape_markdown(one_line(option.name, LABEL))
        text = said or f"{name}: {discord.utils.escape_markdown(one_line(shown(option.value), LABEL))}"
        if not items:
            await answer.say(f"{text}\nIt takes any words: write `/config option:{option.id} value:…`.")
            return
        view = self._menu("option", conversation, items, by, option.name, option=option.id, command=command_of(option))
        await answer.say(text, view)

    def _menu(
        self, kind: str, conversation: Conversation, items: Sequence[Item], by: Person, title: str, **more: str
    ) -> discord.ui.View:
        items = items[:MOST]
        data = {"items": json.dumps([asdict(item) for item in items]), "title": one_line(title, TITLE), **more}
        button = self._kit.books.buttons.make(f"menu-{kind}", conversation.key, data, (by.id,), LIFE)
        chosen = next((number for number, item in enumerate(items) if item.is_chosen), 0)
        return menu_view(button.id, items, chosen // CHOICES, data["title"])

    def _mine(self, interaction: discord.Interaction, token: str) -> Button | str:
        """The menu of that token, or why this person may not use it."""
        button = self._kit.books.buttons.get(token)
        if button is None or not button.kind.startswith("menu-"):
            return TOO_OLD
        if str(interaction.user.id) not in button.people:
            return "This menu is somebody else's: give the command yourself."
        return button


def _items(menu: Button) -> list[Item]:
    return [Item(**item) for item in json.loads(menu.data["items"])]


def _choices(option: Option) -> list[Item]:
    if option.kind == "boolean":
        return [Item(word, word, is_chosen=option.value is (word == "on")) for word in ("on", "off")]
    return [
        Item(choice.name, choice.value, choice.description or choice.group, choice.value == option.value)
        for choice in option.choices
    ]


def _line(number: int, note: Inbound) -> str:
    text = one_line(note.text, 80) or "(files only)"
    return f"{number}. {note.sender.name or note.sender.id}: {discord.utils.escape_markdown(text)}"


def stored_session(data: dict[str, str]) -> StoredSession:
    """Return the session that a button of `resume` is about."""
    return StoredSession(**json.loads(data["session"]))
