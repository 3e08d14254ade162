"""How a session looks while a turn runs, and after."""

from __future__ import annotations

import math

from openab_sync.core.portrait import line_of
from openab_sync.core.state import State
from tests.core.bed import ANN, Bed
from tests.fakes.clock import FakeClock
from tests.waiting import until


def test_a_running_turn_shows_since_when_with_which_tool_and_until_when() -> None:
    with Bed("--options", clock=FakeClock()) as bed:
        now = bed.clock.monotonic()
        bed.say("tool_unfinished\nhang")
        until(lambda: bed.snapshot().tool)
        seen = bed.snapshot()
        assert seen.state is State.BUSY
        assert seen.turn_started == now
        assert seen.overdue_at == now + 1800 + 120
        assert seen.pid is not None
        assert {option.category for option in seen.options} >= {"mode", "model"}
        bed.command("cancel")
        until(bed.ends)
        bed.until_state(State.IDLE)
        seen = bed.snapshot()
        assert (seen.turn_started, seen.tool, seen.overdue_at) == (None, "", math.inf)


def test_an_open_question_is_counted() -> None:
    with Bed() as bed:
        bed.say("ask_two")
        until(lambda: bed.snapshot().questions == 2)
        bed.command("cancel")
        until(bed.ends)
        assert bed.snapshot().questions == 0


def test_a_question_is_closed_at_once_though_the_agent_says_nothing_more() -> None:
    """Until then the turn has no ceiling: one that hangs would keep its room for ever."""
    with Bed(clock=FakeClock()) as bed:
        started = bed.clock.monotonic()
        bed.say("ask\nhang")
        question = bed.port.until_question()
        until(lambda: bed.snapshot().questions == 1)
        assert bed.snapshot().overdue_at == math.inf
        bed.port.answer(question, question.options[0].option_id, ANN)
        until(lambda: bed.snapshot().questions == 0)
        assert bed.snapshot().overdue_at == started + 1800 + 120


def test_a_line_for_the_log_says_what_a_session_does_and_nothing_of_what_was_said() -> None:
    with Bed() as bed:
        bed.say("say hello\nhang")
        bed.until_text("hello")
        line = line_of(bed.snapshot(), bed.clock.monotonic())
        assert line.startswith("test:1 busy pid=") and " turn=0s " in line and "hello" not in line
        bed.command("cancel")
