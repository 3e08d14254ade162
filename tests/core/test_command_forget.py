"""/forget: what it offers, what it does, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from openab_sync.core import hourglass
from openab_sync.core.message import Conversation
from openab_sync.core.retention import Retention
from openab_sync.core.state import State
from openab_sync.errors import StoreError
from openab_sync.store import Theirs
from tests.core.bed import ANN, Bed, place
from tests.fakes.clock import FakeClock
from tests.waiting import until


class Paper(Retention):
    """Knows whose what is as the test says, and writes down what is forgotten."""

    def __init__(self) -> None:
        self.theirs = Theirs()
        self.gone: list[str] = []
        self.error: StoreError | None = None

    def also(self, unused: object) -> None:
        pass

    def tidy(self) -> None:
        pass

    def of(self, platform: str, person: str) -> Future[Theirs]:
        assert (platform, person) == ("test", ANN.id)
        return self._done(self.theirs)

    def forget(self, conversations: Collection[Conversation]) -> list[Future[None]]:
        self.gone += [conversation.id for conversation in conversations]
        return [self._done(None)]

    def _done(self, value: Any) -> Future[Any]:
        done: Future[Any] = Future()
        if self.error is None:
            done.set_result(value)
        else:
            done.set_exception(self.error)
        return done


@pytest.fixture
def paper() -> Paper:
    return Paper()


@pytest.fixture
def bed(paper: Paper) -> Iterator[Bed]:
    with Bed(retention=paper) as bed:
        yield bed


def keys(*names: str) -> frozenset[str]:
    return frozenset(place(name).key for name in names)


def test_without_a_word_it_only_says_what_it_would_do(bed: Bed, paper: Paper) -> None:
    paper.theirs = Theirs(keys("1", "2"), keys("3"))
    answer = bed.command("forget")
    assert answer.ok
    assert "2 conversations of yours" in answer.text and "/forget here" in answer.text and "/forget all" in answer.text
    assert "/forget here" not in bed.command("forget", at="3").text
    assert paper.gone == []


def test_who_has_nothing_of_their_own_is_told(bed: Bed) -> None:
    assert "no conversation of yours" in bed.command("forget").text
    assert not bed.command("forget", "all").ok


def test_here_is_this_one_and_all_are_all(bed: Bed, paper: Paper) -> None:
    paper.theirs = Theirs(keys("1", "2", "3"))
    assert bed.command("forget", "here").text == "Forgotten: 1 conversation."
    assert bed.command("forget", "all").text == "Forgotten: 3 conversations."
    assert paper.gone == ["1", "1", "2", "3"]


def test_what_others_have_written_in_stays(bed: Bed, paper: Paper) -> None:
    paper.theirs = Theirs(keys("2"), keys("1"))
    answer = bed.command("forget", "here")
    assert not answer.ok
    assert "Others have written here" in answer.text
    assert paper.gone == []


def test_an_agent_that_sits_there_idle_leaves_and_begins_anew(bed: Bed, paper: Paper) -> None:
    bed.ask("say hello")
    bed.until_state(State.IDLE)
    paper.theirs = Theirs(keys("1"))
    assert bed.command("forget", "here").ok
    bed.until_state(State.CLOSED)
    assert bed.pool.memories.of(place().key).acp_session_id is None


def test_what_somebody_works_at_is_left_and_named(bed: Bed, paper: Paper) -> None:
    bed.say("hang", to="2")
    bed.until_state(State.BUSY, at="2")
    paper.theirs = Theirs(keys("1", "2"))
    answer = bed.command("forget", "all")
    assert answer.ok
    assert answer.text.startswith("Forgotten: 1 conversation. 1 left")
    assert paper.gone == ["1"]
    assert bed.state("2") is State.BUSY


def test_a_disk_that_fails_is_told(bed: Bed, paper: Paper) -> None:
    paper.error = StoreError("the disk is full")
    for word in ("", "all"):
        answer = bed.command("forget", word)
        assert not answer.ok and "the disk is full" in answer.text


@pytest.mark.parametrize(("hangs", "sentence"), [("of", "does not answer"), ("forget", "Please try again")])
def test_a_disk_that_hangs_is_told_too(
    bed: Bed, paper: Paper, monkeypatch: pytest.MonkeyPatch, hangs: str, sentence: str
) -> None:
    monkeypatch.setattr(hourglass, "ON_DISK", 0.0)
    paper.theirs = Theirs(keys("1"))
    never: Future[Any] = Future()
    monkeypatch.setattr(paper, hangs, lambda *_: never if hangs == "of" else [never])
    answer = bed.order("forget", "all")

    def is_told() -> bool:
        bed.app.house.hourglass.look()
        return answer.done()

    until(is_told)
    assert (answer.result().ok, sentence in answer.result().text) == (False, True)


def test_other_words_are_explained(bed: Bed) -> None:
    assert bed.command("forget", "everything").text.startswith("Write /forget here")


def test_where_nothing_is_kept_it_says_so() -> None:
    with Bed(clock=FakeClock()) as bed:
        assert "outlives this program" in bed.command("forget").text
