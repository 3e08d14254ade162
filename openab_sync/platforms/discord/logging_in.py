"""Logging the agent in from Discord, for admins: `openab-sync login` as a process, relayed to one person's eyes.

    /login ─► the process ─► addresses and codes, for that person only ─► what came of it
    /login answer: … ─► its stdin
    /login cancel: True ─► its end

The pseudo-terminal is the process's own: none is ever forked here. One login at a time. Nothing of it is logged.

**Threads**: the loop's only.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import discord

from ...core.admission import Trust
from ...core.rights import SENTENCES
from ...text.clean import one_line
from .answers import Answer
from .calls import FOREIGN

__all__ = ["CANCEL", "LoggingIn"]

log = logging.getLogger(__name__)

NOT_HERE = "This cannot be done from here: use `openab-sync login` in a terminal."
BUSY = "Somebody is logging the agent in just now."
NONE = "No login is under way."
CANCELLED = "The login was cancelled."
NOT_YOURS = "There is no login of yours that waits for an answer."
ENDING = 5.0  # seconds for the process to end when it is told to
WHAT = {"url": "Open this address: {}", "code": "The code is `{}`", "question": "It asks: {} — `/login answer: …`"}


class _Cancel:
    """Not an answer to hand on."""


CANCEL: Final = _Cancel()


class LoggingIn:
    """At most one login."""

    def __init__(self, command: Sequence[str]) -> None:
        """`command` is the program to run, () where there is none."""
        self._command = tuple(command)
        self._process: asyncio.subprocess.Process | None = None
        self._whose = 0
        self._is_cancelled = False
        self._is_beginning = False

    async def serve(
        self, interaction: discord.Interaction[Any], answer: Answer, trust: Trust, wish: str | _Cancel
    ) -> None:
        """Begin a login; or hand what was written on to the one that runs, or end it."""
        if trust < Trust.ADMIN:
            await answer.say(SENTENCES[Trust.ADMIN])
        elif isinstance(wish, _Cancel):
            await self._cancel(answer)
        elif wish:
            await answer.say(self._hand_on(interaction.user.id, wish))
        elif not self._command:
            await answer.say(NOT_HERE)
        elif self._process is not None or self._is_beginning:
            await answer.say(BUSY)
        else:
            await self._relay(interaction, answer)

    async def close(self) -> None:
        """End a login that still runs."""
        if self._process is not None:
            await _end(self._process)

    def _hand_on(self, who: int, words: str) -> str:
        process = self._process
        if process is None or process.stdin is None or who != self._whose:
            return NOT_YOURS
        process.stdin.write(" ".join(words.splitlines()).encode() + b"\n")
        return "Handed on."

    async def _cancel(self, answer: Answer) -> None:
        process = self._process
        if process is None:
            await answer.say(NONE)
            return
        await answer.hold()
        self._is_cancelled = True
        await _end(process)
        await answer.say(CANCELLED)

    async def _relay(self, interaction: discord.Interaction[Any], answer: Answer) -> None:
        self._is_beginning, self._whose, self._is_cancelled = True, interaction.user.id, False
        try:
            await answer.hold()
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=dict(os.environ),
                start_new_session=True,
            )
        except OSError as error:
            await answer.say(f"The login cannot be started: {error.strerror}.")
            return
        finally:
            self._is_beginning = False
        process = self._process
        try:
            await answer.say("Logging in. What it shows comes here, for your eyes only.")
            said = await self._follow(interaction, process)
        finally:
            await _end(process)
            self._process = None
        await _show(interaction, said)

    async def _follow(self, interaction: discord.Interaction[Any], process: asyncio.subprocess.Process) -> str:
        """Show what it says until it ends; return the last sentence."""
        assert process.stdout is not None and process.stderr is not None
        last = ""
        async for line in process.stdout:
            event, text = _read(line)
            if event in WHAT:
                await _show(interaction, WHAT[event].format(one_line(text, 1500)))
            elif event in ("done", "failed"):
                last = one_line(text, 1500)
        if self._is_cancelled:
            return CANCELLED
        why = (await process.stderr.read()).decode("utf-8", "replace").strip().rpartition("openab-sync: ")[2]
        return last or (f"It did not work: {one_line(why, 300)}" if why else "It ended without a word.")


def _read(line: bytes) -> tuple[str, str]:
    """A line of the program's: an event and its text; nothing for anything else."""
    try:
        item = json.loads(line)
        return str(item["event"]), str(item["text"])
    except (ValueError, KeyError, TypeError):
        return "", ""


async def _show(interaction: discord.Interaction[Any], text: str) -> None:
    """Show it to the person who began it. What Discord does not take any more is lost: the login itself goes on."""
    try:
        await interaction.followup.send(text, ephemeral=True)
    except FOREIGN as error:
        log.warning("something of a login could not be shown: %s", error)


async def _end(process: asyncio.subprocess.Process) -> None:
    """End it and what it has started, and reap it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is not None:
            break
        with suppress(ProcessLookupError):  # it has just ended
            os.killpg(process.pid, number)
        with suppress(TimeoutError):  # then by force
            await asyncio.wait_for(process.wait(), ENDING)
    if process.stdin is not None:
        process.stdin.close()
