"""What a session publishes of its turns: soon, rarely, and the same object as long as nothing is new."""

from __future__ import annotations

import math
from typing import Any

from openab_sync.acp import events as acp
from openab_sync.core.chronicle import EVERY, KEPT, Chronicle
from openab_sync.core.transcript import TextPart
from openab_sync.core.turn import Turn
from openab_sync.text.redact import Redactor
from tests.core.bed import Bed
from tests.core.makers import note
from tests.fakes.clock import FakeClock
from tests.waiting import until


class PaperAnswering:
    """A turn, without all that would answer it."""

    def __init__(self, clock: FakeClock) -> None:
        self.turn = Turn((note("m1"),), clock)
        self.questions, self.asked = 0, ()
        self.redact = Redactor()

    @property
    def is_over(self) -> bool:
        return self.turn.outcome is not None


def pair() -> tuple[Chronicle, Any, FakeClock]:
    clock = FakeClock()
    return Chronicle(clock), PaperAnswering(clock), clock


def test_before_the_first_turn_there_is_nothing() -> None:
    chronicle, _, _ = pair()
    assert chronicle.look(None) == ()
    assert chronicle.next_at() == math.inf


def test_news_is_shown_at_once_and_then_as_often_as_one_can_follow() -> None:
    chronicle, answering, clock = pair()
    first = chronicle.look(answering)
    assert len(first) == 1 and chronicle.look(answering) is first
    answering.turn.take(acp.Said("one"))
    assert chronicle.look(answering) is first
    assert chronicle.next_at() == clock.monotonic() + EVERY
    clock.advance(EVERY)
    second = chronicle.look(answering)
    assert second[0].parts == (TextPart("text", "one"),)
    assert chronicle.next_at() == math.inf


def test_of_a_turn_that_was_seen_as_it_ended_no_other_picture_is_made() -> None:
    chronicle, answering, clock = pair()
    answering.turn.end("done")
    (seen,) = chronicle.look(answering)
    past, new = chronicle.look(PaperAnswering(clock))  # type: ignore[arg-type]
    assert past is seen and new is not seen
    late = PaperAnswering(clock)
    (_, _, seen) = chronicle.look(late)  # type: ignore[arg-type]
    late.turn.take(acp.Said("too late to be seen"))
    *_, past, _ = chronicle.look(PaperAnswering(clock))  # type: ignore[arg-type]
    assert past is not seen and past.parts == (TextPart("text", "too late to be seen"),)


def test_the_end_does_not_wait() -> None:
    chronicle, answering, _ = pair()
    chronicle.look(answering)
    answering.turn.take(acp.Said("one"))
    answering.turn.end("done")
    assert chronicle.look(answering)[0].outcome == "done"


def test_the_last_turns_are_kept_as_they_were_when_the_next_began() -> None:
    chronicle, _, clock = pair()
    rounds: list[Any] = [PaperAnswering(clock) for _ in range(KEPT + 2)]
    for answering in rounds:
        chronicle.look(answering)
        answering.turn.take(acp.Said("hello"))
        answering.turn.end("done")
    turns = chronicle.look(rounds[-1])
    assert [turn.number for turn in turns] == list(range(2, KEPT + 3))
    assert all(turn.outcome == "done" for turn in turns)


def test_a_silent_tool_is_seen_while_it_runs_without_anything_more_being_said() -> None:
    """The picture is due though the agent is silent: the session wakes for it."""
    with Bed() as bed:
        bed.say("say looking\ntool_unfinished\nhang")
        until(lambda: any(part.kind == "tool" for turn in bed.snapshot().turns for part in turn.parts))
        turn = bed.snapshot().turns[-1]
        assert turn.parts[0] == TextPart("text", "looking")
        assert bed.snapshot().cwd
        bed.command("cancel")
        until(lambda: bed.snapshot().turns[-1].outcome == "cancelled")


def test_a_question_is_there_while_it_is_open() -> None:
    with Bed() as bed:
        bed.say("ask")
        question = bed.port.until_question()
        until(lambda: bed.snapshot().turns[-1].questions == (question,))
        bed.command("cancel")
        until(lambda: bed.snapshot().turns[-1].questions == ())
