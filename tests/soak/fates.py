"""The fates: every message that a person sent on the fake Discord was answered or told about, once, whoever was killed.

Messages are named in their text (`[ann.7]`), and an answer says the name back. Looked at from outside, as a person
would: what stands in the chat when all is quiet.

    answered   one message of the bot has its name
    told       the bot has replied to it, with other words: refused, failed, interrupted, too much at once
    taken back its author has deleted it: whatever had become of it by then is right

**Threads**: any. **Locks**: the fake world's, briefly.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from dataclasses import dataclass

from tests.fakes.discord import Server
from tests.fakes.discord.things import Message

__all__ = ["Fates"]

NAME = re.compile(r"\[(\w+\.\d+)\]")
QUEUED = "👀"
LOST_SIGNS = 0.01  # of all messages


@dataclass(frozen=True, slots=True)
class _Sent:
    name: str
    message: Message


class _Said:
    """All that the bot has said: which names, in how many messages, and to which messages it has replied."""

    def __init__(self, messages: list[Message]) -> None:
        self.names = Counter(name for message in messages for name in {*NAME.findall(message.content)})
        self._told = {id(message.reply_to) for message in messages if message.reply_to is not None}

    def fate(self, one: _Sent) -> str:
        if one.message.deleted:
            return "taken back"
        if self.names[one.name]:
            return "answered"
        return "told" if id(one.message) in self._told else "open"


class Fates:
    """All that people have sent, and what became of it."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._lock = threading.Lock()
        self._sent: list[_Sent] = []

    def enter(self, name: str, message: Message) -> None:
        """A person has sent this; its text has its name in brackets."""
        with self._lock:
            self._sent.append(_Sent(name, message))

    def __repr__(self) -> str:
        said = self._said()
        counts = Counter(said.fate(one) for one in self._all())
        return " ".join(f"{fate} {counts[fate]}" for fate in ("answered", "told", "taken back", "open"))

    def open(self) -> list[str]:
        """Return the names of those of which nothing has become so far."""
        said = self._said()
        return [one.name for one in self._all() if said.fate(one) == "open"]

    def waiting(self) -> list[str]:
        """Return the names of those that look as if they still waited.

        A sign is asked for once: a few are lost where requests are refused at random.
        """
        waits = [one for one in self._all() if not one.message.deleted and QUEUED in one.message.reactions]
        return [one.name for one in waits]

    def faults(self) -> list[str]:
        """Return a sentence for each message for which the promise was not kept. When all is quiet."""
        said, faults = self._said(), list[str]()
        for one in self._all():
            if (times := said.names[one.name]) > 1:
                faults.append(f"{one.name} was answered {times} times")
            elif said.fate(one) == "open":
                faults.append(f"{one.name} was neither answered nor told about: {one.message.content!r}")
        waiting = self.waiting()
        if len(waiting) > len(self._all()) * LOST_SIGNS:
            faults.append(f"{len(waiting)} look as if they still waited: {', '.join(waiting)}")
        return faults

    def _all(self) -> list[_Sent]:
        with self._lock:
            return list(self._sent)

    def _said(self) -> _Said:
        """What stands there of the bot's, everywhere."""
        world, bot = self._server.world, self._server.app.user
        with world.changed:
            everywhere = [message for channel in world.channels.values() for message in channel.history]
        return _Said([message for message in everywhere if message.author is bot])
