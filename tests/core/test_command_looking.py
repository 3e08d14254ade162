"""What waits, what everybody does, what has been used."""

from __future__ import annotations

import pytest

from openab_sync.core.commands import CommandAnswer, carry_out
from openab_sync.core.desk import View
from openab_sync.core.house import SessionSnapshot, Usage
from openab_sync.core.message import Conversation
from openab_sync.core.state import State
from tests.core.counter import Counter
from tests.core.makers import ANNA, BEN, HERE, THERE, note

# The queue.


@pytest.fixture
def queue() -> Counter:
    counter = Counter()
    counter.pool.notes = [note("a", "first\nthing"), note("x", where=THERE), note("b", "second", by=BEN)]
    return counter


def test_the_queue_is_numbered_and_only_of_here(queue: Counter) -> None:
    assert queue.ask("queue").text == "1. Anna: first thing\n2. Ben: second"
    queue.pool.notes.clear()
    assert queue.ask("queue") == CommandAnswer("Nothing waits here.")


def test_a_waiting_message_is_dropped_by_its_number(queue: Counter) -> None:
    assert queue.ask("queue", "drop 2") == CommandAnswer("Dropped.")
    assert [item.ref.id for item in queue.pool.notes] == ["a", "x"]


def test_a_waiting_message_is_changed_by_its_number(queue: Counter) -> None:
    assert queue.ask("queue", "edit 1  quite\nanother thing ") == CommandAnswer("Changed.")
    assert queue.pool.notes[0].text == "quite\nanother thing"


@pytest.mark.parametrize(
    "argument",
    ["drop", "edit 1", "edit", "drop one", "swap 1 2", "drop -1", "edit 1  ", "drop ²", "drop " + "9" * 5000],
)
def test_what_is_not_understood_is_answered_with_how_to_write_it(argument: str, queue: Counter) -> None:
    assert queue.ask("queue", argument) == CommandAnswer("Write /queue, /queue drop N or /queue edit N TEXT.", ok=False)
    assert len(queue.pool.notes) == 3


@pytest.mark.parametrize("number", [0, 3, 999_999_999])
def test_a_number_that_is_not_there_is_told(number: int, queue: Counter) -> None:
    assert queue.ask("queue", f"drop {number}") == CommandAnswer(f"There is no number {number}: 2 wait here.", ok=False)


def test_nobody_changes_what_another_has_written(queue: Counter) -> None:
    """Else their words would stand under the other's name."""
    assert queue.ask("queue", "edit 2 no") == CommandAnswer("Only who wrote it can change it.", ok=False)
    assert queue.pool.notes[2].text == "second"


@pytest.mark.parametrize("argument", ["drop 1", "edit 1 late"])
def test_a_message_that_was_taken_meanwhile_is_told(
    argument: str, queue: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue.pool, "waiting", lambda conversation: (note("gone"),))
    assert queue.ask("queue", argument) == CommandAnswer("The agent has taken it already.", ok=False)


def test_the_status_of_a_quiet_house() -> None:
    counter = Counter()
    counter.pool.sessions = ()
    assert counter.ask("status") == CommandAnswer("No agent is running.")


def test_the_status_tells_what_everybody_does() -> None:
    counter = Counter()
    started = counter.clock.monotonic()
    counter.clock.advance(65.0)
    busy = SessionSnapshot(
        THERE, State.BUSY, "Demo", inbox=2, turn_started=started, tool="cargo\nbuild " + "x" * 99, questions=2
    )
    counter.pool.sessions = (SessionSnapshot(HERE, State.IDLE, "Demo", questions=1), busy)
    counter.pool.line = ("test:3",)
    here, there, line = counter.ask("status").text.splitlines()
    assert here == "→ test:1: idle, Demo, 1 question open"
    assert there.startswith("test:2: busy, Demo, for 65 s, cargo build xxx")
    assert there.endswith("…, 2 questions open, 2 waiting")
    assert line == "test:3: waits for a free agent"


def test_the_status_counts_what_somebody_may_not_see() -> None:
    counter = Counter()
    here, there = (SessionSnapshot(where, State.IDLE, "Demo") for where in (HERE, THERE))
    counter.pool.sessions, counter.pool.line = (here, there), ("test:3", "test:4")
    line = Conversation("test", "4")
    some, nothing = View(lambda where: where == line), View(lambda _: False)

    def status(view: View) -> str:
        return carry_out(counter.desk, HERE, ("status", ""), ANNA, view).result(0).text

    assert status(some).splitlines() == ["→ test:1: idle, Demo", "test:4: waits for a free agent", "and 2 elsewhere"]
    counter.pool.sessions, counter.pool.line = (there,), ()
    assert status(nothing) == "No agent is running here, 1 elsewhere"


def test_the_usage_of_a_session_is_told_in_full() -> None:
    counter = Counter()
    usage = Usage(used=12_345, size=200_000, cost=0.5, currency="USD", output_tokens=1234, turns=3)
    counter.pool.sessions = (SessionSnapshot(HERE, State.BUSY, "Demo", usage=usage),)
    assert counter.ask("usage").text.splitlines() == [
        "Context: 12,345 of 200,000 tokens (6 %)",
        "Cost: $0.50",
        "Written: 1,234 tokens",
        "Turns: 3",
    ]


@pytest.mark.parametrize(
    ("usage", "text"),
    [
        (Usage(), "Demo has not told what it uses."),
        (Usage(used=8), "Context: 8 tokens"),
        (Usage(used=8, size=0), "Context: 8 tokens"),
        (Usage(cost=0.001, currency="XYZ"), "Cost: 0.0010 XYZ"),
    ],
)
def test_only_what_is_known_of_the_usage_is_told(usage: Usage, text: str) -> None:
    counter = Counter()
    counter.pool.sessions = (SessionSnapshot(HERE, State.IDLE, "Demo", usage=usage),)
    assert counter.ask("usage") == CommandAnswer(text)


def test_without_an_agent_nothing_was_used() -> None:
    counter = Counter()
    counter.pool.sessions = ()
    assert counter.ask("usage") == CommandAnswer("No agent is running here.")
