"""The page as a platform, put together: the hall, its thread, and what the web server needs of it.

**Threads**: `start` and `stop` are the main thread's; `chat-web` is the hall's (see `hall`). The order at the end: the
house first, whose last words are shown, then `stop`, which ends all streams, then the web server.
"""

from __future__ import annotations

import getpass
import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from ...clock import Clock, SystemClock
from ...core.message import Conversation, MessageRef, Person
from ...errors import StoreError
from ...media.inbox import folder_of, remove, sweep
from ...media.outbox import beside
from ...threads import join_all, spawn
from .cards import Epoch, dashboard
from .chat import Chat, Desk
from .drawing import Json
from .hall import Hall, View
from .past import recalled
from .port import PLATFORM, Arrival, Fell, Forgotten, WebPort
from .stream import Sights
from .uploads import Uploads

if TYPE_CHECKING:
    from flask import Blueprint

    from ...store import ReplyRow

__all__ = ["Chips", "Seats", "Web"]

Chips = tuple[tuple[str, str], ...]

SEATS = 6  # pages that are told as it happens; others ask. Fewer than the web server has threads
LAST_WORDS = 3.0  # seconds for what is still to be shown


class Seats:
    """So many and no more. Any thread: each step is one of a deque."""

    def __init__(self, count: int) -> None:
        self._free = deque(range(count))

    def take(self) -> bool:
        """Take a seat; False if none is free."""
        try:
            self._free.pop()
        except IndexError:
            return False
        return True

    def give_back(self) -> None:
        """Leave it to others."""
        self._free.append(0)


class Web:
    """The page, and whoever talks there."""

    name = PLATFORM

    def __init__(
        self, inbox: Path, *, clock: Clock | None = None, seats: int = SEATS, agent: str = "", chips: Chips = ()
    ) -> None:
        """`agent` is whom people talk to; `chips` are messages to try, each with a name for its button."""
        self.clock = clock or SystemClock()
        self.seats = Seats(seats)
        arrivals: SimpleQueue[Arrival] = SimpleQueue()
        self.hall = Hall(arrivals, self.clock)
        self.port = WebPort(arrivals)
        self.uploads = Uploads(inbox, self.clock)
        self._inbox = inbox
        self._hints = {"agent": agent, "chips": [list(chip) for chip in chips]}
        self._epoch = Epoch(self.clock.time() - self.clock.monotonic())
        self._thread: threading.Thread | None = None
        self._desk: Desk | None = None
        self._chat: Chat | None = None

    def faulted(self, conversation: Conversation, text: str) -> None:
        """A session of whatever platform has ended by a fault. Any thread; never blocks."""
        # The page's own tell of it by the end of their turn; where no page was started nobody takes it in.
        if conversation.platform != PLATFORM and self._thread is not None:
            self.hall.arrivals.put(Fell(conversation, text))

    # What is kept, and forgotten (core.retention.Forgetter).

    def forget(self, conversation: Conversation) -> Future[None]:
        """Forget what the page shows of a conversation, and its files. Any thread; returns at once."""
        done: Future[None] = Future()
        self.hall.arrivals.put(Forgotten(conversation, done))
        return done

    def tidy(self, age: float) -> None:
        """Delete files of messages that are older than `age` seconds. Blocks as a disk does."""
        sweep(self._inbox, age, self.clock.time())

    # The main thread.

    def start(self, desk: Desk, past: Sequence[ReplyRow] = (), redact: Callable[[str], str] = str) -> Blueprint:
        """Begin; return the routes for the web server.

        `past` is what was said before a restart, the oldest first, and `redact` takes secrets out of it.
        """
        for row in past:
            for arrival in recalled(row, _me(), redact):
                self.hall.arrivals.put(arrival)
        self._desk = desk
        self._chat = Chat(desk, self.hall, self.port, self.uploads, _me())
        self.hall.waiting = lambda conversation: _refs(desk, conversation)
        self.hall.forget_files = self._forget_files
        self._thread = spawn("chat-web", self.hall.run)
        from .routes import routes  # a quarter of a second, for those who want a page

        return routes(self)

    def take_up(self) -> None:
        """Go on with what was under way before a restart, once the house has begun. Never blocks."""
        assert self._desk is not None, "not started"
        recovery = self._desk.recovery
        for conversation in recovery.conversations(PLATFORM):
            for row in recovery.replies(conversation):
                for arrival in recalled(row, _me()):
                    self.hall.arrivals.put(arrival)
            mended = recovery.mend(conversation)
            mended.add_done_callback(lambda _, place=conversation: self.chat.take_up(place))  # type: ignore[misc]

    def stop(self) -> bool:
        """End it, bounded; return whether it came home. Nothing happens without a start."""
        self.uploads.close()
        if self._thread is None:
            return True
        self.hall.arrivals.put(None)
        return not join_all([self._thread], self.clock, LAST_WORDS)

    def _forget_files(self, conversation: Conversation) -> None:
        gone = [remove(folder_of(root, conversation.key)) for root in (self._inbox, beside(self._inbox))]
        if not all(gone):
            raise StoreError("files could not be deleted")

    # The web server's threads.

    @property
    def chat(self) -> Chat:
        """What people do."""
        assert self._chat is not None, "not started"
        return self._chat

    @property
    def sights(self) -> Sights:
        """What pages look at."""
        assert self._desk is not None, "not started"
        desk = self._desk
        return Sights(self.hall, lambda: desk.snapshot().sessions, self.dashboard, self.clock)

    def dashboard(self, view: View) -> Json:
        """Return how everything looks."""
        assert self._desk is not None, "not started"
        return dashboard(view, self._desk.snapshot(), self._epoch) | self._hints


def _refs(desk: Desk, conversation: Conversation) -> frozenset[MessageRef]:
    return frozenset(note.ref for note in desk.waiting(conversation))


def _me() -> Person:
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container whose user id has no name
        name = str(os.getuid())
    return Person(id="page", name=name)
