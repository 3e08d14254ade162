"""Serving an interaction: asked at the gate, answered whatever happens.

The same gate decides for commands, buttons, menus, forms and completions as for messages (FIELD I2). Who may not use
them is told so, politely and alone; a completion is simply empty.

**Threads**: the loop's only; each interaction in a task of its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
from discord import app_commands

from ...core.admission import Verdict
from ...core.desk import View
from ...core.message import Conversation, Person
from ...errors import ChatRefused, OpenabError
from .answers import Answer
from .completing import offered
from .errors import explain

if TYPE_CHECKING:
    from .gate import Gate
    from .kit import Kit

__all__ = ["Serving", "here", "person", "room"]

log = logging.getLogger(__name__)

NO = "You are not among those who may use me here: an administrator can let you in."
BUG = "Something went wrong in here; the log has the details."
CLOSING = 2.0  # seconds for answers that are on their way
FOREIGN = (discord.DiscordException, aiohttp.ClientError, OSError, asyncio.TimeoutError)


def _is_whole(interaction: discord.Interaction[Any]) -> bool:
    """Whether it says who did it and where: both may be left out, and then nothing can be decided about it."""
    if interaction.channel_id is not None and interaction.user is not discord.utils.MISSING:
        return True
    log.warning("Discord: an interaction says not who did it, or not where: it is left alone")
    return False


def here(interaction: discord.Interaction[Any]) -> Conversation:
    """Return the conversation that an interaction took place in."""
    return Conversation("discord", str(interaction.channel_id))


def person(interaction: discord.Interaction[Any]) -> Person:
    """Return who did it."""
    return Person(str(interaction.user.id), interaction.user.display_name, interaction.user.bot)


def room(interaction: discord.Interaction[Any]) -> discord.abc.MessageableChannel:
    """Return where it happened. Raise ChatRefused where nothing can be written."""
    channel = interaction.channel
    if channel is None or isinstance(channel, discord.ForumChannel | discord.CategoryChannel):
        raise ChatRefused("Nothing can be written here.")
    return channel


class Serving:
    """The one way in for interactions."""

    def __init__(self, kit: Kit, gate: Gate) -> None:
        self._kit = kit
        self._gate = gate
        self._running: set[asyncio.Task[Any]] = set()
        self._is_open = True

    async def serve(
        self,
        interaction: discord.Interaction[Any],
        act: Callable[[Answer], Awaitable[None]],
        *,
        is_public: bool = False,
        is_answer: bool = False,
    ) -> None:
        """Let `act` answer somebody who is admitted. What goes wrong is told instead; nothing is raised.

        `is_answer`: it answers a question of the agent's.
        """
        if not self._is_open or not _is_whole(interaction):
            return
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            if self._gate.interaction(interaction, is_answer=is_answer) is Verdict.IN:
                await self._carefully(interaction, act, is_public=is_public)
            else:
                self._gate.refusals.note(here(interaction), person(interaction), interaction.type.name)
                await self._carefully(interaction, lambda answer: answer.say(NO))
        finally:
            self._running.discard(task)

    async def offer(
        self, interaction: discord.Interaction[Any], found: Iterable[tuple[str, str]], typed: str
    ) -> list[app_commands.Choice[str]]:
        """Return what completes what is `typed`: nothing for somebody who is not admitted. Asks no session."""
        if not self._is_open or not _is_whole(interaction) or self._gate.interaction(interaction) is not Verdict.IN:
            return []
        return offered(found, typed)

    def view(self, interaction: discord.Interaction[Any], conversation: Conversation | None = None) -> View:
        """Return what somebody may see of our conversations, and do in the one where they are, or in another."""
        return self._gate.view(interaction, conversation)

    async def close(self) -> None:
        """Take nothing more; wait a moment for answers that are on their way."""
        self._is_open = False
        rest = self._running - {asyncio.current_task()}
        if rest:
            await asyncio.wait(rest, timeout=CLOSING)

    async def _carefully(
        self,
        interaction: discord.Interaction[Any],
        act: Callable[[Answer], Awaitable[None]],
        *,
        is_public: bool = False,
    ) -> None:
        try:
            await act(Answer(interaction, self._kit.port, is_public=is_public))
            return
        except OpenabError as error:
            said = error.user_text()
        except FOREIGN as error:
            log.warning("an interaction was not served: %s", error)
            said = explain(error, "do that").user_text()
        except Exception:  # a task's top: nobody above it could tell
            log.exception("an interaction could not be served")
            said = BUG
        await self._tell(interaction, said)

    async def _tell(self, interaction: discord.Interaction[Any], said: str) -> None:
        try:
            await Answer(interaction, self._kit.port).say(said)
        except FOREIGN as error:
            log.warning("somebody could not be told that it did not work: %s", error)
