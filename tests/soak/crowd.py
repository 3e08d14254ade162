"""A crowd on the fake Discord: people who write, edit and delete, and weather that takes connections and agents away.

**Threads**: one for each person and one for the weather; they block in `stop.wait` and, for a moment, in the fake
world's lock. Dice decide what is done: the same seed is the same people, not the same run.
"""

from __future__ import annotations

import random
import signal
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress

import psutil

from tests.fakes.discord import Server
from tests.fakes.discord.actors import Actor
from tests.fakes.discord.things import Channel, Message
from tests.soak.fates import Fates

__all__ = ["CONVERSATIONS", "Crowd", "Weather"]

CONVERSATIONS = 30
PAUSE = 0.35  # seconds between two acts of one person, about
RECENT = 12  # messages that a person still thinks of

# What the agent is told; `{}` is the message's name. The last are ended by the ceiling.
WORDS = (
    *("say [{}]",) * 12,
    *("say [{}]\nchunks 60 40", "say [{}]\ntools_only", "say [{}]\nusage", "say [{}]\nlate 0.2 late"),
    *("crash_after_text [{}]", "say [{}]\ncrash", "say [{}]\nexit0", "say [{}]\norphan"),
    *("error details [{}]", "say [{}]\nthought_only", "say [{}]\nhuge 5000"),
    *("say [{}]\nhang", "say [{}]\ndrip 0.05"),
)


class Crowd:
    """The threads that there are, and who writes in them."""

    def __init__(self, server: Server, fates: Fates) -> None:
        self._server, self._fates = server, fates
        self._lock = threading.Lock()
        self._opened: list[Message] = []  # messages from which a conversation began

    def live(self, number: int, dice: random.Random, stop: threading.Event) -> None:
        """Be one person until told to stop. Blocks; a thread of its own."""
        me = self._server.user(f"person{number}")
        recent: deque[tuple[str, Message]] = deque(maxlen=RECENT)
        count = 0
        while not stop.wait(dice.uniform(0, 2 * PAUSE)):
            act = dice.random()
            if act < 0.86 or not recent:
                count += 1
                name = f"{me.user.name}.{count}"
                recent.append((name, self._write(me, name, dice)))
            elif act < 0.94:
                self._edit(me, *dice.choice(recent))
            else:
                self._delete(me, recent.popleft()[1])

    def _write(self, me: Actor, name: str, dice: random.Random) -> Message:
        text, where = dice.choice(WORDS).format(name), self._somewhere(dice)
        if where is None:
            message = me.write("general", text, mentions=[self._server.app])
            with self._lock:
                self._opened.append(message)
        else:
            message = me.write(where, text)
        self._fates.enter(name, message)
        return message

    def _edit(self, me: Actor, name: str, message: Message) -> None:
        if not message.deleted:
            with suppress(LookupError):  # in this very moment
                me.edit(message, f"{self._call(message)}say [{name}] again")

    def _delete(self, me: Actor, message: Message) -> None:
        """Never the first of a conversation: people come back to it."""
        if message.channel is not self._server.general and not message.deleted:
            me.delete(message)

    def _call(self, message: Message) -> str:
        return f"{self._server.app.user.mention} " if message.channel is self._server.general else ""

    def _somewhere(self, dice: random.Random) -> Channel | None:
        """A thread that there is; None for a new one."""
        with self._lock:
            opened = [message.thread for message in self._opened if message.thread is not None]
            is_full = len(self._opened) >= CONVERSATIONS
        return dice.choice(opened) if opened and (is_full or dice.random() < 0.7) else None


class Weather:
    """What happens to whoever is on Discord: lost connections, refusals, agents that are killed."""

    def __init__(self, server: Server, agents: Callable[[], list[psutil.Process]]) -> None:
        self._server, self._agents = server, agents
        self.counted: dict[str, int] = {}

    def live(self, pause: float, dice: random.Random, stop: threading.Event) -> None:
        """Blow until told to stop, every `pause` seconds or so. Blocks; a thread of its own."""
        kinds = (self._drop, self._reconnect, self._forget, self._storm, self._faults, self._lose, self._kill_agent)
        while not stop.wait(dice.uniform(0.5, 1.5) * pause):
            kind = dice.choice(kinds)
            self.counted[kind.__name__.strip("_")] = self.counted.get(kind.__name__.strip("_"), 0) + 1
            kind(dice)

    def _drop(self, _: random.Random) -> None:
        self._server.gateway.drop()

    def _reconnect(self, _: random.Random) -> None:
        self._server.gateway.reconnect()

    def _forget(self, _: random.Random) -> None:
        """The session cannot be resumed: what was said meanwhile is not told by the gateway."""
        self._server.gateway.forget()
        self._server.gateway.drop()
        self._server.advance(6.0)

    def _storm(self, dice: random.Random) -> None:
        path = dice.choice(("/channels/*/messages", "*/reactions/*", "/channels/*"))
        self._server.fail("*", path, status=429, retry_after=0.2, times=dice.randint(5, 30))

    def _faults(self, dice: random.Random) -> None:
        self._server.fail("*", "/channels/*", status=502, times=dice.randint(1, 5))

    def _lose(self, dice: random.Random) -> None:
        self._server.fail("POST", "/channels/*/messages", lost=True, times=dice.randint(1, 3))

    def _kill_agent(self, dice: random.Random) -> None:
        with suppress(psutil.Error, IndexError):
            dice.choice(self._agents()).send_signal(signal.SIGKILL)
