"""What people order on Discord: slash commands, the menu of a message, buttons, selects and forms.

This room brings each to whoever does it. All of them are asked at the same gate (`serving`), acknowledged well inside
Discord's 3 s whatever a session is doing, and answered to one person alone; only what /ask says is for everybody.

Ids of buttons are read by `ids`, and what they name is looked up: nothing in them is trusted (FIELD I6).

**Threads**: the loop's only.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from ...core.message import MessageRef
from ...text.clean import one_line
from ...text.marks import literal
from .answers import Answer
from .calls import FOREIGN
from .controls import LIMIT, messages_of
from .ids import Id, read
from .menus import Menus, conversation_of
from .resuming import Resuming
from .selects import Selects
from .serving import Serving, here, person
from .slash import Slash
from .stale import close_stale
from .syncing import Syncing

if TYPE_CHECKING:
    from .gate import Gate
    from .incoming import Incoming
    from .kit import Kit

__all__ = ["Orders"]

log = logging.getLogger(__name__)

NOT_OURS = "This button or menu means nothing to me any more."
OLD = "I do not know this command, or not like this: `/help` lists what I can do."
OVER = "That turn is over."
FORMS = frozenset({"about", "form"})  # kinds of ids that only a form has
ANSWERS = frozenset(
    {"ask", "choose", "fill", "form", "agree"}
)  # kinds of ids by which a question of the agent's is answered
MOST_NAMED = 5  # people in a sentence
PAGE, NAME = 2000, 80  # characters of a message, and of a name in it
RETRIES = 1000  # failed replies whose Retry was pressed that are remembered


class Orders:
    """Everything that is not a message."""

    def __init__(self, kit: Kit, gate: Gate, incoming: Incoming) -> None:
        self._kit = kit
        self._incoming = incoming
        self._serving = Serving(kit, gate)
        self._selects = Selects(kit, self._serving.view)
        self._slash = Slash(kit, incoming, self._selects, self._serving)
        self._menus = Menus(kit, incoming)
        self._resuming = Resuming(kit, self._serving.view)
        self._syncing = Syncing(kit.port.calls)
        self._retried: dict[int, None] = {}  # messages whose Retry was pressed, oldest first

    def register(self, tree: app_commands.CommandTree[Any]) -> None:
        """Put all commands and menus on the tree. Before the login; nothing is sent."""
        self._slash.register(tree)
        for name, callback in (
            ("Ask the agent about this", self.ask_about),
            ("Retry", self.retry),
            ("Drop from queue", self.drop),
        ):
            tree.add_command(app_commands.ContextMenu(name=name, callback=callback))
        tree.error(self.failed)

    async def sync(self, tree: app_commands.CommandTree[Any]) -> bool:
        """Register with Discord what has changed; return whether anything had. Raises nothing of Discord's."""
        return await self._syncing(tree)

    async def close_stale(self) -> None:
        """Take the buttons from questions that an earlier broker has left open. After the login."""
        kit = self._kit
        await close_stale(kit.client, kit.books, kit.port.questions.is_open, kit.clock.time())

    async def close(self) -> None:
        """Take nothing more; wait a moment for answers that are on their way."""
        await self._slash.logging_in.close()
        await self._serving.close()

    async def failed(self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError) -> None:
        """A command did not come to its callback: people's programs show old ones for a while."""
        log.warning("a command could not be used: %s", error)
        if interaction.type is discord.InteractionType.application_command:
            await self._serving.serve(interaction, lambda answer: answer.say(OLD))

    # The menu of a message.

    async def ask_about(self, interaction: discord.Interaction[Any], message: discord.Message) -> None:
        await self._serving.serve(interaction, lambda _: self._menus.ask_about(interaction, message))

    async def retry(self, interaction: discord.Interaction[Any], message: discord.Message) -> None:
        await self._serving.serve(interaction, lambda answer: self._menus.retry(answer, interaction, message))

    async def drop(self, interaction: discord.Interaction[Any], message: discord.Message) -> None:
        view = self._serving.view(interaction, conversation_of(message))
        by = person(interaction)
        await self._serving.serve(interaction, lambda answer: self._menus.drop(answer, message, by, view))

    # Buttons, selects and forms.

    async def component(self, interaction: discord.Interaction[Any]) -> None:
        """Somebody has used a button or a select, or sent a form."""
        data: dict[str, Any] = dict(interaction.data or {})
        known = read(str(data.get("custom_id", "")))
        given = data.get("values")
        values = [str(value) for value in given] if isinstance(given, list) else []

        async def act(answer: Answer) -> None:
            said = NOT_OURS if known is None else await self._used(interaction, known, values, answer)
            if said:
                await answer.say(said)

        is_answer = known is not None and known.kind in ANSWERS
        await self._serving.serve(interaction, act, is_answer=is_answer)

    async def _used(
        self, interaction: discord.Interaction[Any], known: Id, values: Sequence[str], answer: Answer
    ) -> str:
        """Do what an id of ours says; return what to tell the person alone, "" if that has been done."""
        is_form = interaction.type is discord.InteractionType.modal_submit
        if is_form != (known.kind in FORMS):
            return NOT_OURS
        match known.kind, known.parts:
            case "stop" | "retry" | "discard" | "lift", (token,):
                act = self._lift if known.kind == "lift" else self._turn
                return await act(interaction, known.kind, token, answer)
            case kind, (token, *more) if kind in ANSWERS:
                return await self._answered(interaction, kind, token, values if kind == "choose" else more)
            case "pick", (token,):
                return await self._selects.picked(interaction, token, values)
            case "page", (token, page):
                return await self._selects.turned(interaction, token, int(page))
            case "resume", (token, where):
                return await self._resuming.chosen(interaction, token, where)
            case "about", (channel, message) if channel == str(interaction.channel_id):
                return await self._menus.asked_about(answer, interaction, int(channel), int(message))
        return NOT_OURS

    async def _answered(self, interaction: discord.Interaction[Any], kind: str, token: str, last: Sequence[str]) -> str:
        """Answer a question of the agent's, or go on with it; `last` is the number of an option or a page."""
        questions = self._kit.port.questions
        if kind == "agree":
            return await questions.agreed(interaction, token)
        if not last or not last[0].isdecimal() or len(last[0]) > 4:
            return NOT_OURS
        how = {"fill": questions.turned, "form": questions.submitted}.get(kind, questions.pressed)
        return await how(interaction, token, int(last[0]))

    async def _turn(self, interaction: discord.Interaction[Any], kind: str, token: str, answer: Answer) -> str:
        """Stop, Retry or Discard, below a reply: for that turn, and for those who wrote what it answers."""
        books, conversation = self._kit.books.buttons, here(interaction)
        messages, button = messages_of(books, token, conversation), books.get(token)
        if button is None or not messages:
            return OVER
        if button.people and str(interaction.user.id) not in button.people:
            names = ", ".join(f"<@{one}>" for one in button.people[:MOST_NAMED])
            return f"This button is for {names}." + (" `/cancel` stops the agent, too." if kind == "stop" else "")
        if kind == "stop":
            about = MessageRef(conversation, messages[0])
            return (await answer.after(self._kit.broker.revoke(about, person(interaction)))).text
        if kind == "discard":
            books.drop(token)
            return await self._discard(interaction)
        return await self._again(interaction, messages, answer)

    async def _discard(self, interaction: discord.Interaction[Any]) -> str:
        """Leave a turn at that: its buttons go, and people see who wished so."""
        message, who = interaction.message, interaction.user.display_name
        text = f"{message.content if message is not None else ''}\n> 🗑️ {literal(one_line(who, NAME))}"
        if len(text) <= PAGE:
            await interaction.response.edit_message(content=text, view=None)
        else:
            await interaction.response.edit_message(view=None)
        return ""

    async def _lift(self, interaction: discord.Interaction[Any], kind: str, token: str, answer: Answer) -> str:
        """Lift a limit, if it is an admin who presses: the front desk knows."""
        button = self._kit.books.buttons.get(token)
        if button is None or button.kind != LIMIT or button.conversation != here(interaction).key:
            return NOT_OURS
        view, argument = self._serving.view(interaction), f"lift {button.data['whose']}"
        done = self._kit.broker.command(here(interaction), "limits", argument, person(interaction), view)
        return (await answer.after(done)).text

    async def _again(self, interaction: discord.Interaction[Any], messages: Sequence[str], answer: Answer) -> str:
        """Have them answered once more, in order: once, however many people press at the same time."""
        failed = interaction.message
        if failed is None or failed.id in self._retried:
            return "That is being tried again already."
        self._retried[failed.id] = None
        while len(self._retried) > RETRIES:
            del self._retried[next(iter(self._retried))]
        await answer.hold()
        told = [await self._incoming.again(here(interaction), one, interaction.user) for one in messages]
        said = " ".join(dict.fromkeys(one.text for one in told))
        if not any(one.ok for one in told):  # the button stays: another time it may work
            self._retried.pop(failed.id, None)
            return said
        try:
            await failed.edit(view=None)
        except FOREIGN as error:
            log.debug("the Retry button could not be taken away: %s", error)
        return said
