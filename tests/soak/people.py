"""People who do everything that people do, at random and at once: write, edit, take back, cancel, reset, choose, kill.

**Threads**: each person has one, which blocks between two acts only, in `stop.wait`. **Locks**: none.
A person's dice decide what is done, never when it is finished: the same seed is the same people, not the same run.
"""

from __future__ import annotations

import os
import random
import signal
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import psutil

from openab_sync.core.message import Inbound, MessageRef, Person
from openab_sync.core.port import Decision
from tests.core.bed import Bed, place
from tests.soak.account import Account, plain

__all__ = ["CONVERSATIONS", "Someone"]

CONVERSATIONS = 30
PAUSE = 0.1  # seconds between two acts of one person, about
RECENT = 40  # messages that a person still thinks of

# What an agent is told to do (tests/fakes/README.rst). Those without end are ended by a cancel, a kill or the ceiling.
WORDS = (
    *("chunks 30 10", "thought_only", "plan", "tool_twice", "diff", "usage", "message_ids", "huge 100000"),
    *("hostile", "unknown_update", "garbage 50", "invalid_utf8", "blank_lines", "stderr 200", "batch"),
    *("late 0.3 late", "late_usage", "wrong_session", "error details", "empty", "null_result", "answer_twice"),
    *("stop refusal", "ask", "ask", "ask_two", "ask_strict", "ask_after_end"),
    *("crash", "crash_after_text half", "exit0", "orphan", "close_stdout"),
    *("hang", "drip 0.05", "flood 300000", "flood 300000", "ignore"),
)


class Someone:
    """One person, who goes on until the event given is set."""

    def __init__(self, number: int, bed: Bed, account: Account, dice: random.Random, stop: threading.Event) -> None:
        self.name = f"person-{number}"
        self.promised: list[Future[Any]] = []  # commands without an answer
        self._bed, self._account, self._dice, self._stop = bed, account, dice, stop
        self._me = Person(self.name, self.name.title())
        self._recent: deque[MessageRef] = deque(maxlen=RECENT)
        self._count = 0
        acts: dict[Callable[[], None], int] = {
            self._say_plainly: 45,
            self._say_something: 15,
            self._cancel: 8,
            self._withdraw: 6,
            self._edit: 6,
            self._choose: 4,
            self._answer: 4,
            self._look: 3,
            self._drop: 2,
            self._cancel_all: 2,
            self._reset: 2,
            self._kill: 2,
        }
        self._acts, self._weights = list(acts), list(acts.values())

    def live(self) -> None:
        """Act until told to stop. Blocks; a thread of its own."""
        while not self._stop.wait(self._dice.uniform(0, 2 * PAUSE)):
            self._dice.choices(self._acts, self._weights)[0]()
            self.promised = [future for future in self.promised if not future.done()]

    def _somewhere(self) -> str:
        return str(self._dice.randrange(CONVERSATIONS))

    # Messages.

    def _say_plainly(self) -> None:
        ref = self._next_ref()
        self._account.expect(ref)
        self._say(ref, plain(ref.id))

    def _say_something(self) -> None:
        self._say(self._next_ref(), self._dice.choice(WORDS))

    def _next_ref(self) -> MessageRef:
        self._count += 1
        return MessageRef(place(self._somewhere()), f"{self.name}.{self._count}")

    def _say(self, ref: MessageRef, text: str) -> None:
        self._account.enter(ref, self._bed.broker.receive(Inbound(ref, self._me, text)))
        self._recent.append(ref)

    def _withdraw(self) -> None:
        if self._recent:
            self._bed.broker.withdraw(self._dice.choice(self._recent))

    def _edit(self) -> None:
        if self._recent:
            ref = self._dice.choice(self._recent)
            if self._bed.broker.edit(ref, f"{plain(ref.id)} edited"):
                self._account.expect(ref)

    # Orders.

    def _order(self, name: str, argument: str = "") -> None:
        self.promised.append(self._bed.order(name, argument, self._somewhere(), self._me))

    def _cancel(self) -> None:
        self._order("cancel")

    def _cancel_all(self) -> None:
        self._order("cancel-all")

    def _reset(self) -> None:
        self._order("reset")

    def _choose(self) -> None:
        self._order(*self._dice.choice((("modes", "code"), ("modes", "ask"), ("models", "large"), ("config", ""))))

    def _look(self) -> None:
        self._order(self._dice.choice(("status", "queue", "help")))

    def _drop(self) -> None:
        self._order("queue", self._dice.choice(("drop 1", "drop 3")))

    # The rest of the world.

    def _answer(self) -> None:
        """Decide every question that is open; nobody else gets hold of it meanwhile."""
        port = self._bed.port
        with port.changed:
            taken, port.questions = port.questions, {}
        for question, future in taken.values():
            if question.options and future.set_running_or_notify_cancel():
                future.set_result(Decision(self._dice.choice(question.options).option_id, self._me))

    def _kill(self) -> None:
        """As the system does when memory runs out. Never a process that is not (or no longer) a child of ours."""
        pids = [session.pid for session in self._bed.broker.snapshot().sessions if session.pid]
        if pids:
            with suppress(psutil.NoSuchProcess):
                process = psutil.Process(self._dice.choice(pids))
                if process.ppid() == os.getpid():
                    process.send_signal(signal.SIGKILL)
