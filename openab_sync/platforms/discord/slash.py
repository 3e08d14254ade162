"""The slash commands: their names, what they take and offer, and which of the core's commands they are.

Nothing is decided here: `serving` admits, the core carries out, `selects` shows what can be chosen. A command about a
conversation is answered where there is one; elsewhere people are told how to begin one.

**Threads**: the loop's only.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Literal

import discord
from discord import app_commands

from ...core.command_options import option_of, shown
from ...core.events import Option
from ...core.house import SessionSnapshot
from ...text.clean import one_line
from .answers import Answer
from .completing import meant
from .export import Exports
from .logging_in import CANCEL, LoggingIn
from .serving import Serving, here, person, room

if TYPE_CHECKING:
    from .incoming import Incoming
    from .kit import Kit
    from .selects import Selects

Offer = Callable[[discord.Interaction[Any], str], Coroutine[Any, Any, list[app_commands.Choice[str]]]]

__all__ = ["ELSEWHERE", "Slash", "readable"]

ELSEWHERE = "That is about a conversation: mention me or use `/ask` to begin one, then use the command in it."

_KEY = re.compile(r"\bdiscord:(\d{1,20})")

Words = app_commands.Range[str, 1, 4000]
Word = app_commands.Range[str, 1, 200]
Number = app_commands.Range[int, 1, 1000]
Then = Literal["allow", "deny", "ask"]
Tools = Literal[
    "read", "edit", "delete", "move", "search", "execute", "think", "fetch", "switch_mode", "other", "everything"
]


def readable(text: str) -> str:
    """Return what the core says as Discord shows it word for word, conversations as links to them."""
    return _KEY.sub(r"<#\1>", discord.utils.escape_markdown(text))


class Slash:
    """The callbacks of all slash commands."""

    def __init__(self, kit: Kit, incoming: Incoming, selects: Selects, serving: Serving) -> None:
        self._kit = kit
        self._incoming = incoming
        self._selects = selects
        self._serving = serving
        self._exports = Exports(kit)
        self.logging_in = LoggingIn(kit.login)
        self._forms: list[str] = []  # of the commands, as /help lists them

    def register(self, tree: app_commands.CommandTree[Any]) -> None:
        """Put the commands on the tree."""
        for name, description, callback in (
            ("ask", "Ask the agent; a thread is opened for it", self.ask),
            ("cancel", "Stop what the agent is doing", self.cancel),
            ("cancel-all", "Stop it and drop everything that waits here", self.cancel_all),
            ("reset", "End the agent and forget this conversation", self.reset),
            ("models", "Show the models, or choose one", self.models),
            ("modes", "Show the modes, or choose one", self.modes),
            ("agents", "Show the modes, or choose one (the same as /modes)", self.modes),
            ("config", "Show everything the agent lets you set, or set it", self.config),
            ("queue", "Show what waits here, or drop a message", self.queue),
            ("status", "Show what every agent is doing", self.status),
            ("limits", "Show what was used of what may be; admins lift it for a day", self.limits),
            ("usage", "Show what this conversation has used", self.usage),
            ("sessions", "Show the sessions the agent remembers, and go on with one", self.sessions),
            ("export", "This conversation as a Markdown file", self.export),
            (
                "permissions",
                "Show what decides about the agent's questions, or give a rule",
                self.permissions,
            ),
            ("forget", "Delete what I keep of conversations that are yours alone", self.forget),
            ("login", "Log the agent in, with its own login (for admins)", self.login),
            ("do", "Show the agent's own commands, or give one of them", self.do),
            ("help", "Show what I can do", self.help),
        ):
            command: app_commands.Command[Any, ..., None] = app_commands.Command(
                name=name,
                description=description,
                callback=callback,
            )
            for option, offer in self._offers(name).items():
                command.autocomplete(option)(offer)
            tree.add_command(command)
            if name != "agents":
                self._forms.append(_form(command))

    def _offers(self, name: str) -> dict[str, Offer]:
        offers: dict[str, dict[str, Offer]] = {
            "models": {"model": self.offer_models},
            "modes": {"mode": self.offer_modes},
            "agents": {"mode": self.offer_modes},
            "config": {"option": self.offer_options, "value": self.offer_values},
            "do": {"command": self.offer_commands},
        }
        return offers.get(name, {})

    # Talking.

    @app_commands.describe(text="What you want of the agent")
    async def ask(self, interaction: discord.Interaction[Any], text: Words) -> None:
        async def act(answer: Answer) -> None:
            await answer.hold()
            _, said = await self._incoming.ask(room(interaction), interaction.user, text)
            await answer.say(said)

        await self._serving.serve(interaction, act, is_public=True)

    @app_commands.describe(command="The agent's command", text="What follows it")
    async def do(
        self, interaction: discord.Interaction[Any], command: Word | None = None, text: Words | None = None
    ) -> None:
        if command is None:
            await self._about_here(interaction, "do")
            return

        async def act(answer: Answer) -> None:
            await answer.hold()
            session = self._session(interaction)
            names = [item.name for item in session.commands] if session else []
            name = meant(names, command.removeprefix("/"))
            _, said = await self._incoming.ask(room(interaction), interaction.user, f"/{name} {text or ''}".strip())
            await answer.say(said)

        await self._serving.serve(interaction, act)

    # Orders.

    async def cancel(self, interaction: discord.Interaction[Any]) -> None:
        await self._about_here(interaction, "cancel")

    async def cancel_all(self, interaction: discord.Interaction[Any]) -> None:
        await self._about_here(interaction, "cancel-all")

    async def reset(self, interaction: discord.Interaction[Any]) -> None:
        await self._about_here(interaction, "reset")

    @app_commands.describe(what="This conversation, or all that are yours alone; without it I say what that would be")
    async def forget(self, interaction: discord.Interaction[Any], what: Literal["here", "all"] | None = None) -> None:
        await self._about_here(interaction, "forget", what or "")

    @app_commands.describe(
        answer="What the login that you have begun asks for", cancel="End the login that is under way, whoever began it"
    )
    async def login(
        self, interaction: discord.Interaction[Any], answer: Word | None = None, cancel: bool | None = None
    ) -> None:
        wish, trust = CANCEL if cancel else answer or "", self._serving.view(interaction).trust
        await self._serving.serve(interaction, lambda shown: self.logging_in.serve(interaction, shown, trust, wish))

    # Options.

    @app_commands.describe(model="The model to use from now on")
    async def models(self, interaction: discord.Interaction[Any], model: Word | None = None) -> None:
        await self._option(interaction, "model", model)

    @app_commands.describe(mode="The mode to use from now on")
    async def modes(self, interaction: discord.Interaction[Any], mode: Word | None = None) -> None:
        await self._option(interaction, "mode", mode)

    @app_commands.describe(option="What to set", value="What to set it to")
    async def config(
        self, interaction: discord.Interaction[Any], option: Word | None = None, value: Word | None = None
    ) -> None:
        if option is None:

            async def act(answer: Answer) -> None:
                await self._selects.options(answer, here(interaction), person(interaction))

            await self._in_conversation(interaction, act)
            return
        known = self._options(interaction)
        name = meant([item.id for item in known], option)
        chosen = next((item for item in known if item.id == name), None)
        word = meant(_values(chosen), value or "")
        await self._about_here(interaction, "config", f"{name} {word}".strip())

    # Looking.

    @app_commands.describe(drop="The number of the message to drop")
    async def queue(self, interaction: discord.Interaction[Any], drop: Number | None = None) -> None:
        if drop is not None:
            await self._about_here(interaction, "queue", f"drop {drop}")
            return

        async def act(answer: Answer) -> None:
            await self._selects.queue(answer, here(interaction), person(interaction))

        await self._in_conversation(interaction, act)

    async def status(self, interaction: discord.Interaction[Any]) -> None:
        await self._serving.serve(interaction, lambda answer: self._command(answer, interaction, "status", ""))

    @app_commands.describe(order="For admins: lift the limits here until midnight, or have them hold again")
    async def limits(
        self, interaction: discord.Interaction[Any], order: Literal["lift", "restore"] | None = None
    ) -> None:
        await self._about_here(interaction, "limits", order or "")

    async def usage(self, interaction: discord.Interaction[Any]) -> None:
        await self._about_here(interaction, "usage")

    async def sessions(self, interaction: discord.Interaction[Any]) -> None:
        async def act(answer: Answer) -> None:
            await self._selects.sessions(
                answer, here(interaction), person(interaction), self._serving.view(interaction)
            )

        await self._in_conversation(interaction, act)

    @app_commands.describe(
        then="A rule until the session ends: what becomes of such a question",
        kind="What the tool does",
        pattern="Which command, path or title (* stands for anything)",
        forget="The number of a rule to take back",
    )
    async def permissions(
        self,
        interaction: discord.Interaction[Any],
        then: Then | None = None,
        kind: Tools | None = None,
        pattern: Word | None = None,
        forget: Number | None = None,
    ) -> None:
        rule = f"{then or '?'} {kind or ''} {pattern or ''}" if then or kind or pattern else ""
        await self._about_here(interaction, "permissions", f"forget {forget}" if forget is not None else rule)

    async def export(self, interaction: discord.Interaction[Any]) -> None:
        await self._serving.serve(interaction, lambda answer: self._export(answer, interaction))

    async def help(self, interaction: discord.Interaction[Any]) -> None:
        async def act(answer: Answer) -> None:
            session = self._session(interaction)
            own = [f"/{item.name} — {one_line(item.description, 100)}" for item in session.commands] if session else []
            more = ["The agent's own, given with /do:", *own] if own else []
            await answer.say(readable("\n".join(self._forms + more)))

        await self._serving.serve(interaction, act)

    # How it is done.

    async def _option(self, interaction: discord.Interaction[Any], category: str, word: str | None) -> None:
        if word is not None:
            option = option_of(self._options(interaction), category)
            await self._about_here(interaction, f"{category}s", meant(_values(option), word))
            return

        async def act(answer: Answer) -> None:
            await self._selects.option(answer, here(interaction), category, person(interaction))

        await self._in_conversation(interaction, act)

    async def _about_here(self, interaction: discord.Interaction[Any], name: str, argument: str = "") -> None:
        await self._in_conversation(interaction, lambda answer: self._command(answer, interaction, name, argument))

    async def _in_conversation(
        self, interaction: discord.Interaction[Any], act: Callable[[Answer], Awaitable[None]]
    ) -> None:
        if not self._is_conversation(interaction):
            await self._serving.serve(interaction, lambda answer: answer.say(ELSEWHERE))
        else:
            await self._serving.serve(interaction, act)

    async def _command(self, answer: Answer, interaction: discord.Interaction[Any], name: str, argument: str) -> None:
        view = self._serving.view(interaction)
        told = await answer.after(
            self._kit.broker.command(here(interaction), name, argument, person(interaction), view)
        )
        await answer.say(readable(told.text))

    async def _export(self, answer: Answer, interaction: discord.Interaction[Any]) -> None:
        # The bot may read what the person may not.
        if interaction.guild_id is not None and not interaction.permissions.read_message_history:
            await answer.say("You may not read the history of this channel.")
            return
        await answer.hold()
        title = getattr(interaction.channel, "name", None) or "conversation"
        await answer.say("Here it is.", file=await self._exports.file(here(interaction), title))

    def _is_conversation(self, interaction: discord.Interaction[Any]) -> bool:
        """Threads, direct messages, chats of voice channels, and channels where somebody was answered in place."""
        if interaction.guild_id is None or isinstance(
            interaction.channel, discord.Thread | discord.VoiceChannel | discord.StageChannel
        ):
            return True
        where = here(interaction)
        look = self._kit.broker.snapshot()
        has_session = any(session.conversation == where for session in look.sessions) or where.key in look.waiting
        return has_session or self._kit.books.conversations.get(where.key).took_part

    def _session(self, interaction: discord.Interaction[Any]) -> SessionSnapshot | None:
        where = here(interaction)
        return next((item for item in self._kit.broker.snapshot().sessions if item.conversation == where), None)

    def _options(self, interaction: discord.Interaction[Any]) -> tuple[Option, ...]:
        session = self._session(interaction)
        return session.options if session else ()

    # Completing: from what is known, no session is asked or started.

    async def offer_models(self, interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
        return await self._serving.offer(interaction, _choices(option_of(self._options(interaction), "model")), typed)

    async def offer_modes(self, interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
        return await self._serving.offer(interaction, _choices(option_of(self._options(interaction), "mode")), typed)

    async def offer_options(self, interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
        found = [(f"{item.name}: {shown(item.value)}", item.id) for item in self._options(interaction)]
        return await self._serving.offer(interaction, found, typed)

    async def offer_values(self, interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
        known = self._options(interaction)
        name = meant([item.id for item in known], str(getattr(interaction.namespace, "option", "") or ""))
        option = next((item for item in known if name in (item.id, item.name)), None)
        return await self._serving.offer(interaction, _choices(option), typed)

    async def offer_commands(self, interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
        session = self._session(interaction)
        own = session.commands if session else ()
        found = [
            (f"/{item.name} — {item.description}" if item.description else f"/{item.name}", item.name) for item in own
        ]
        return await self._serving.offer(interaction, found, typed.removeprefix("/"))


def _form(command: app_commands.Command[Any, ..., None]) -> str:
    """A command with what may follow it, and what it does."""
    words = [item.name.upper() if item.required else f"[{item.name.upper()}]" for item in command.parameters]
    return f"{' '.join((f'/{command.name}', *words))} — {command.description[:1].lower()}{command.description[1:]}"


def _choices(option: Option | None) -> list[tuple[str, str]]:
    """What an option can be set to: label and value."""
    if option is None:
        return []
    if option.kind == "boolean":
        return [("on", "on"), ("off", "off")]
    return [(choice.name, choice.value) for choice in option.choices]


def _values(option: Option | None) -> list[str]:
    return [value for _, value in _choices(option)]
