"""The answer to an interaction: acknowledged in time, for one person's eyes, whole at any length, and never lost.

Discord waits 3 s for the first sign and takes edits for 15 minutes. What takes longer than a moment is acknowledged
first and answered by an edit; what comes too late for that is posted in the conversation.

    nothing ──say──► answered            (at once)
       └──hold──► thinking… ──say──► answered
    too late, or cut off ──say──► a message in the conversation

**Threads**: the loop's only.
"""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any, TypeVar

import discord

from ...core.message import Conversation
from ...core.port import ChatPort, File
from ...errors import ChatError
from ...text.split import split
from .errors import is_passing

__all__ = ["Answer"]

log = logging.getLogger(__name__)

T = TypeVar("T")

SOON = 1.0  # seconds an answer may take before its interaction is acknowledged without it; Discord's limit is 3
TRIES = 3  # for what a cut connection has kept from us
PAGE = 2000
MOST_PAGES = 3  # more of them become a file

ANSWERED_ALREADY = 40060
# Unknown interaction, unknown webhook, unknown message, and two codes of a token that is too old.
TOO_LATE = {10062, 10015, 10008, 50027, 15027}


class Answer:
    """What one person gets for one click or command. `update`: the message with the component is changed, not answered.

    `is_public`: everybody sees it. No method raises for what Discord says, but for a bug of ours (50035).
    """

    def __init__(
        self, interaction: discord.Interaction, port: ChatPort, *, update: bool = False, is_public: bool = False
    ) -> None:
        self._interaction = interaction
        self._port = port
        self._update = update
        self._is_private = not is_public
        self._acknowledged = interaction.response.is_done()
        self._is_lost = False  # no answer can reach the person by the interaction any more

    async def hold(self) -> None:
        """Show that the answer will take a while. Idempotent."""
        if not self._acknowledged and not self._is_lost:
            thinking = not self._update
            ephemeral = thinking and self._is_private
            await self._first(lambda: self._interaction.response.defer(thinking=thinking, ephemeral=ephemeral))

    async def after(self, future: Future[T]) -> T:
        """Return what becomes of a Future of the core's, having acknowledged the interaction if that takes long."""
        waiting = asyncio.wrap_future(future)
        await asyncio.wait({waiting}, timeout=SOON)
        if not waiting.done():
            await self.hold()
        return await waiting

    async def say(self, text: str, view: discord.ui.View | None = None, file: File | None = None) -> None:
        """Give the answer, with buttons and a file. More than a few pages of text become a file, too. Once."""
        pages = split(text, PAGE) or ["Done."]
        if len(pages) > MOST_PAGES and file is None:
            file, pages = (
                File("answer.md", text.encode()),
                [f"{split(text, PAGE - 40)[0]}\n… all of it is in the file."],
            )
        head, *rest = pages
        if not await self._show(head, view, file):
            await self._post(pages, file)
            return
        for number, page in enumerate(rest):
            if not await self._tried(lambda page=page: self._follow(page)):  # type: ignore[misc]  # bound at once
                await self._post(rest[number:], None)
                return

    # How it is done.

    async def _show(self, text: str, view: discord.ui.View | None, file: File | None) -> bool:
        """Put the head of the answer where it belongs; False if that is not possible any more."""
        if self._is_lost:
            return False
        if self._acknowledged:
            return await self._tried(lambda: self._edit(text, view, file))
        return await self._first(lambda: self._respond(text, view, file))

    async def _respond(self, text: str, view: discord.ui.View | None, file: File | None) -> None:
        response = self._interaction.response
        if self._update:
            await response.edit_message(content=text, view=view, attachments=_attached(file))
            return
        more: dict[str, Any] = {"view": view} if view is not None else {}
        await response.send_message(text, ephemeral=self._is_private, files=_attached(file), **more)

    async def _edit(self, text: str, view: discord.ui.View | None, file: File | None) -> None:
        await self._interaction.edit_original_response(content=text, view=view, attachments=_attached(file))

    async def _follow(self, text: str) -> None:
        await self._interaction.followup.send(text, ephemeral=self._is_private)

    async def _first(self, act: Callable[[], Awaitable[object]]) -> bool:
        """Do what acknowledges the interaction; False if it is too late for that."""
        self._acknowledged = await self._tried(act, is_first=True)
        self._is_lost = not self._acknowledged
        return self._acknowledged

    async def _tried(self, act: Callable[[], Awaitable[object]], *, is_first: bool = False) -> bool:
        """Do it, again where a connection was cut; False if Discord takes no answer any more."""
        for attempt in range(1, TRIES + 1):
            try:
                await act()
                return True
            except discord.HTTPException as error:
                if is_first and error.code == ANSWERED_ALREADY:
                    # By the try before this one, whose reply was lost; or by another process with the same token.
                    log.info("interaction %s has been acknowledged already", self._interaction.id)
                    return True
                if error.code in TOO_LATE:
                    return False
                if not is_passing(error):
                    raise
                log.warning("an answer was not taken (try %d): %s", attempt, error)
            except Exception as error:
                if not is_passing(error):
                    raise
                log.warning("an answer was cut off (try %d): %r", attempt, error)
        return False

    async def _post(self, pages: list[str], file: File | None) -> None:
        """The interaction is too old: say it in the conversation."""
        it = self._interaction
        conversation = Conversation("discord", str(it.channel_id))
        try:
            for number, page in enumerate(split(f"<@{it.user.id}> " + "\n".join(pages), PAGE)):
                await asyncio.wrap_future(self._port.post(conversation, page, nonce=f"{it.id}-{number}"))
            if file is not None:
                await asyncio.wrap_future(self._port.upload(conversation, file))
        except ChatError as error:
            log.warning("%s: an answer could not be given: %s", conversation, error)


def _attached(file: File | None) -> list[discord.File]:
    """A new one for each try: what has been sent is at its end."""
    return [] if file is None else [discord.File(io.BytesIO(file.data), file.name)]
