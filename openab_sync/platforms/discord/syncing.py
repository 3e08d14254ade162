"""Commands registered with Discord: once, globally, and only when they have changed.

Registering is limited and shows in every client, so what is registered is read first and compared. A command that is
registered for a guild as well shows twice there (FIELD J6): such doubles, left by whatever used this bot before, are
taken away.

**Threads**: the loop's only.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from typing import Any

import discord
from discord import app_commands

from ...errors import ChatError
from .calls import Calls

__all__ = ["Syncing", "same"]

log = logging.getLogger(__name__)

# What makes two commands, or two options, the same for people; absent is the same as None, False and nothing.
_FIELDS = ("type", "name", "description", "nsfw", "required", "autocomplete")
_LIMITS = ("min_value", "max_value", "min_length", "max_length", "choices")


def same(ours: Iterable[Mapping[str, Any]], theirs: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether two lists of commands, as Discord writes them, are the same for people, in whatever order."""
    return sorted(map(_shape, ours)) == sorted(map(_shape, theirs))


def _shape(command: Mapping[str, Any]) -> str:
    shape: dict[str, Any] = {name: command[name] for name in (*_FIELDS, *_LIMITS) if command.get(name)}
    shape.setdefault("type", 1)
    shape["options"] = [_shape(option) for option in command.get("options") or ()]
    return json.dumps(shape, sort_keys=True, default=str)


class Syncing:
    """Keeps Discord's list of our commands as it should be."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._suspects: set[int] = set()  # guilds in which doubles may have been left

    async def __call__(self, tree: app_commands.CommandTree[Any]) -> bool:
        """Register what has changed; return whether anything had. Discord's refusals are logged, not raised.

        Called again it looks again: the next time that the bot is ready.
        """
        try:
            changed = await self._globally(tree)
        except ChatError as error:
            why = error.__cause__ or error
            log.warning("the commands could not be registered; what was registered before goes on working: %s", why)
            return False
        if changed:  # for the first time, perhaps, or after another program
            self._suspects |= {guild.id for guild in tree.client.guilds}
        for guild in tree.client.guilds:
            try:
                await self._in_guild(tree, guild)
            except ChatError as error:  # looked at again the next time; the others are looked at now
                log.warning("commands that show twice in %s could not be taken away: %s", guild.name, error)
        return changed

    async def _globally(self, tree: app_commands.CommandTree[Any]) -> bool:
        ours = [command.to_dict(tree) for command in tree.get_commands()]
        everywhere = tree.client.application_id or 0  # what is refused is remembered by where it was
        fetched = await self._calls.make("read commands", everywhere, tree.fetch_commands)
        theirs = [command.to_dict() for command in fetched]
        if same(ours, theirs):
            return False
        await self._calls.make("register commands", everywhere, tree.sync)
        log.info("%d commands were registered", len(ours))
        return True

    async def _in_guild(self, tree: app_commands.CommandTree[Any], guild: discord.Guild) -> None:
        if guild.id not in self._suspects:
            return
        names = {(command.to_dict(tree).get("type", 1), command.name) for command in tree.get_commands()}
        fetched = await self._calls.make("read commands", guild.id, lambda: tree.fetch_commands(guild=guild))
        for command in fetched:
            if (command.type.value, command.name) in names:
                await self._calls.make("delete commands", guild.id, command.delete)
                log.info("the command %s was registered twice in %s: taken away there", command.name, guild.name)
        self._suspects.discard(guild.id)
