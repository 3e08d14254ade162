"""The kit: what every part of the Discord platform is given. Plain references, made once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import discord

from ...clock import Clock
from ...config.live import Live
from ...config.schema import Config, DiscordConfig
from ...core.broker import Broker
from ...text.redact import Redactor
from .port import DiscordPort

if TYPE_CHECKING:
    from ...store import Books

__all__ = ["Kit"]


@dataclass(frozen=True, slots=True)
class Kit:
    """The parts and where they meet. For the loop's thread; `broker` is for any."""

    live: Live
    client: discord.Client
    broker: Broker
    port: DiscordPort
    books: Books
    clock: Clock
    inbox: Path  # folder for files that came with messages
    redact: Redactor  # takes secrets out of what is exported
    login: tuple[str, ...] = ()  # the program that logs the agent in, as an argument list; none: it cannot be done here

    @property
    def config(self) -> Config:
        """The configuration as it is now."""
        return self.live.config

    @property
    def discord(self) -> DiscordConfig:
        """The section `[discord]`: there is one, or there would be no kit."""
        assert self.config.discord is not None
        return self.config.discord
