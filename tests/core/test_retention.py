"""What is kept too long goes, everywhere, at its time and in steps; and what is to be forgotten goes at once."""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

from openab_sync.core.message import Conversation
from openab_sync.core.retention import DAY, PAUSE, Retention
from openab_sync.errors import StoreError
from tests.core.bed import place
from tests.fakes.clock import FakeClock


class Paper:
    """Writes down what is to be forgotten: the journal's rows, and what a platform has."""

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.more: list[bool | Exception] = []

    def forget_before(self, moment: float) -> Future[bool]:
        self.asked.append(("rows", moment))
        done: Future[bool] = Future()
        verdict = self.more.pop(0) if self.more else False
        if isinstance(verdict, Exception):
            done.set_exception(verdict)
        else:
            done.set_result(verdict)
        return done

    def forget(self, what: Any) -> Future[None]:
        self.asked.append(what)
        return Future()

    def tidy(self, age: float) -> None:
        self.asked.append(("files", age))


def made(paper: Paper, clock: FakeClock, days: float = 2) -> Retention:
    keeping: Any = paper
    return Retention(keeping, {"test": paper}, clock, lambda: days)


def test_what_is_too_old_goes_everywhere_and_once_an_hour() -> None:
    paper, clock = Paper(), FakeClock()
    retention = made(paper, clock)
    retention.also(lambda before: paper.asked.append(("memories", before)))
    before = clock.time() - 2 * DAY
    retention.tidy()
    retention.tidy()
    assert paper.asked == [("rows", before), ("memories", before), ("files", 2 * DAY)]
    clock.advance(PAUSE)
    retention.tidy()
    assert len(paper.asked) == 6


def test_where_there_is_more_than_goes_at_once_the_next_round_goes_on() -> None:
    paper, clock = Paper(), FakeClock()
    paper.more = [True, StoreError("the disk is full")]
    retention = made(paper, clock)
    for _ in range(3):
        retention.tidy()
    assert [what for what in paper.asked if isinstance(what, tuple) and what[0] == "rows"] == [paper.asked[0]] * 2


def test_without_days_everything_is_kept() -> None:
    paper = Paper()
    made(paper, FakeClock(), days=0).tidy()
    assert paper.asked == []


def test_what_is_to_be_forgotten_is_forgotten_by_the_journal_and_by_its_platform() -> None:
    paper = Paper()
    elsewhere = Conversation("nowhere", "2")
    assert len(made(paper, FakeClock()).forget([place("1"), elsewhere])) == 2
    assert paper.asked == [[place("1").key, elsewhere.key], place("1")]


def test_what_must_go_is_tried_again_until_the_disk_does_it() -> None:
    paper, clock, rows = Paper(), FakeClock(), list[Future[None]]()

    def forget(keys: Any) -> Future[None]:
        rows.append(Future())
        paper.asked.append(keys)
        return rows[-1]

    keeping: Any = SimpleNamespace(forget=forget)
    retention = Retention(keeping, {"test": paper}, clock, lambda: 0)
    retention.let_go(place("1"))
    retention.tidy()
    assert paper.asked == [["test:1"], place("1")]
    rows[-1].set_exception(StoreError("the disk is full"))
    retention.tidy()
    rows[-1].set_result(None)
    retention.tidy()
    assert paper.asked == [["test:1"], place("1")] * 2
