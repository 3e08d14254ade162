"""The fates: every message that a person sent on the fake Discord was answered or told about, once, whoever was killed.

Messages are named in their text (`[ann.7]`), and an answer says the name back. Looked at from outside, as a person
would: what stands in the chat when all is quiet.

    answered   one message of the bot has its name
    told       the bot has replied to it, with other words: refused, failed, interrupted, too much at once
    taken back its author has deleted it: whatever had become of it by then is right

**Threads**: any. **Locks**: the fake world's, briefly.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass

from tests.fakes.discord import Server
from tests.fakes.discord.things import Message

__all__ = ["Fates"]

QUEUED = "👀"
LOST_SIGNS = 0.01  # of all messages


@dataclass(frozen=True, slots=True)
class _Sent:
    name: str
    message: Message


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
        counts = Counter(self._fate(one, self._said()) for one in self._all())
        return " ".join(f"{fate} {counts[fate]}" for fate in ("answered", "told", "taken back", "open"))

    def open(self) -> list[str]:
        """Return the names of those of which nothing has become so far."""
        said = self._said()
        return [one.name for one in self._all() if self._fate(one, said) == "open"]

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
            times = sum(f"[{one.name}]" in message.content for message in said)
            if times > 1:
                faults.append(f"{one.name} was answered {times} times")
            elif self._fate(one, said) == "open":
                faults.append(f"{one.name} was neither answered nor told about: {one.message.content!r}")
        waiting = self.waiting()
        if len(waiting) > len(self._all()) * LOST_SIGNS:
            faults.append(f"{len(waiting)} look as if they still waited: {', '.join(waiting)}")
        return faults

    def _all(self) -> list[_Sent]:
        with self._lock:
            return list(self._sent)

    def _said(self) -> list[Message]:
        """What stands there of the bot's, everywhere."""
        world, bot = self._server.world, self._server.app.user
        with world.changed:
            everywhere = [message for channel in world.channels.values() for message in channel.history]
        return [message for message in everywhere if message.author is bot]

    def _fate(self, one: _Sent, said: list[Message]) -> str:
        if one.message.deleted:
            return "taken back"
        if any(f"[{one.name}]" in message.content for message in said):
            return "answered"
        return "told" if any(message.reply_to is one.message for message in said) else "open"
