"""Everything at once, for a while, and then the account: nothing accepted was lost or doubled, nothing is left behind.

A second net below the deterministic races. What each thread does is drawn from a seed, another one in each round of
`python -m tests.again`; what the machine makes of it is not, so a failure here asks for a test in `test_races`.
"""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

import pytest

from openab_sync.acp.process import kill_now
from openab_sync.core import notices
from openab_sync.core import pool as pool_module
from openab_sync.core.house import Cancel, Open, Order, Reset, SetOption
from openab_sync.core.message import Inbound, MessageRef, Person
from openab_sync.core.port import TurnEnded
from openab_sync.errors import OpenabError
from tests.core.bed import Bed, place
from tests.waiting import until

pytestmark = pytest.mark.stress

ROUND = int(os.environ.get("OPENAB_ROUND", "0"))
PLACES = [str(number) for number in range(5)]
WORDS = ["say x"] * 18 + ["crash", "say half\nexit0", "error bare", "hang", "ask", "close_stdout"]


class Crowd:
    """People who write and order at random, each on a thread of their own, and what became of it."""

    def __init__(self, bed: Bed, steps: int, seed: int) -> None:
        self.bed, self.steps, self.seed = bed, steps, seed + 10 * ROUND
        self.accepted: list[MessageRef] = []
        self.answers: list[Future[str]] = []
        self.dropped: list[MessageRef] = []  # withdrawn, cancelled, reset, or told that nobody will answer
        self._over = threading.Event()

    def person(self, who: int) -> None:
        chance, me = random.Random(self.seed * 100 + who), Person(f"p{who}")
        mine: list[MessageRef] = []
        for step in range(self.steps):
            at = place(chance.choice(PLACES))
            match chance.randrange(40):
                case 0:
                    self.order(at.id, Cancel(me))
                case 1:
                    self.order(at.id, Cancel(me, all=True))
                case 2:
                    self.order(at.id, Reset(me))
                case 3:
                    self.order(at.id, SetOption("model", "big"))
                case 4:
                    self.order(at.id, Open())
                case 5 | 6 | 7 if mine:
                    self.bed.broker.withdraw(chance.choice(mine))
                case 8 | 9 if mine:
                    self.bed.broker.edit(chance.choice(mine), "say edited")
                case _:
                    ref = MessageRef(at, f"{who}-{step:03}")
                    if self.write(Inbound(ref, me, chance.choice(WORDS))):
                        mine.append(ref)
                        if chance.random() < 0.4:  # people wait for answers now and then
                            until(partial(self.has_fate, ref), 15, f"{ref.id} has its fate")

    def write(self, note: Inbound) -> bool:
        if self.bed.broker.receive(note).state == "refused":
            return False
        self.accepted.append(note.ref)
        return True

    def order(self, at: str, order: Order) -> None:
        try:
            self.answers.append(self.bed.pool.order(place(at), order))
        except OpenabError:
            return  # refused: the caller knows

    def killer(self) -> None:
        """Agents die at any moment."""
        chance = random.Random(self.seed)
        while not self._over.wait(0.2):
            pids = [session.pid for session in self.bed.broker.snapshot().sessions if session.pid is not None]
            if pids:
                kill_now(chance.choice(pids))

    def janitor(self) -> None:
        while not self._over.wait(0.01):
            self.bed.app._janitor.round()

    def watch(self, patch: pytest.MonkeyPatch) -> None:
        """Write down whose mark is taken back."""
        for module in (pool_module, notices):
            patch.setattr(module, "forget_mark", lambda _house, _port, note: self.dropped.append(note.ref))

    def run(self, people: int, meanwhile: Callable[[], Any] = lambda: None) -> None:
        others = [threading.Thread(target=what) for what in (self.killer, self.janitor)]
        crowd = [threading.Thread(target=self.person, args=(who,)) for who in range(people)]
        for thread in (*others, *crowd):
            thread.start()
        meanwhile()
        for thread in crowd:
            thread.join()
        self._over.set()
        for thread in others:
            thread.join()

    def has_fate(self, ref: MessageRef) -> bool:
        return ref in self.dropped or ref in self.ended()

    def ended(self) -> list[MessageRef]:
        """The messages whose turns have ended, in that order."""
        events = [event for _, event in list(self.bed.port.events) if isinstance(event, TurnEnded)]
        # A message that is turned away is dropped, and whoever waits for the end of its turn is told so.
        events = [event for event in events if event.outcome != "failed" or event.refs[0] not in self.dropped]
        return [ref for event in events for ref in event.refs]

    def settle(self) -> None:
        """Wait until everybody has had an answer."""
        until(lambda: len(self.ended()) + len(self.dropped) >= len(self.accepted), 20, "all are accounted for")
        until(lambda: all(answer.done() for answer in self.answers), 10, "all orders are answered")

    def check(self) -> None:
        """The account: each accepted message has one fate, and nobody is overtaken by what they wrote later."""
        ended = self.ended()
        assert Counter(ended) + Counter(self.dropped) == Counter(self.accepted)
        assert all(answer.done() for answer in self.answers)
        assert self.accepted
        for at in PLACES:
            for who in {ref.id.partition("-")[0] for ref in ended}:
                order = [ref.id for ref in ended if ref.conversation == place(at) and ref.id.startswith(f"{who}-")]
                assert order == sorted(order), f"conversation {at}"


def crowded(**pool: Any) -> Bed:
    limits = {"max_sessions": 2, "prompt_hard_timeout_secs": 1, "cancel_grace_secs": 0.5, **pool}
    return Bed("--options", pool=limits, permissions={"mode": "deny"})


@pytest.mark.parametrize(("mode", "seed"), [("per-message", 1), ("per-lane", 2)])
def test_every_accepted_message_has_one_fate(mode: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with crowded(message_processing_mode=mode, max_waiting=10) as bed:
        crowd = Crowd(bed, 25, seed)
        crowd.watch(monkeypatch)
        crowd.run(people=4)
        crowd.settle()
        crowd.check()
        until(lambda: not bed.pool._rooms.ending and not bed.pool._line, 10)
        assert len(bed.pool._rooms.open) <= 2


def test_every_accepted_message_has_one_fate_when_the_house_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    with crowded() as bed:
        crowd = Crowd(bed, 200, 3)
        crowd.watch(monkeypatch)

        def close() -> None:
            until(lambda: len(crowd.ended()) > 5, 10)
            assert bed.app.stop()

        crowd.run(people=4, meanwhile=close)
        crowd.check()
        assert repr(bed.pool) == "<SessionPool sessions=0 ending=0 line=0 closed>"
