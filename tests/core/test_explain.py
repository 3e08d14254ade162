"""explain.py: endings in words."""

from __future__ import annotations

import pytest

from openab_sync.acp import events as acp
from openab_sync.core.explain import explain
from openab_sync.core.port import Outcome
from openab_sync.core.turn import Turn
from tests.core.scene import note, tool
from tests.fakes.clock import FakeClock


@pytest.fixture
def turn() -> Turn:
    return Turn((note(),), FakeClock(), agent="Robin")


def test_a_turn_that_runs_and_an_answer_need_no_words(turn: Turn) -> None:
    assert explain(turn) == ""
    turn.take(acp.Said("fine"))
    turn.end("done", stop_reason="end_turn")
    assert explain(turn) == ""


@pytest.mark.parametrize(
    ("outcome", "stop", "words"),
    [
        ("limit", "max_tokens", "max_tokens"),
        ("limit", "max_turn_requests", "max_turn_requests"),
        ("refused", "refusal", "refused"),
        ("cancelled", "cancelled", "cancelled"),
        ("failed", "brand_new", "brand_new"),
        ("done", "brand_new", "brand_new"),
    ],
)
def test_every_stop_reason_but_end_turn_is_named(turn: Turn, outcome: Outcome, stop: str, words: str) -> None:
    """Refusal, limits and cancels must not look like success; an unknown reason is shown."""
    turn.take(acp.Said("partial"))
    turn.end(outcome, stop_reason=stop)
    assert words in explain(turn)


def test_an_error_is_shown_below_what_had_been_said(turn: Turn) -> None:
    """FIELD B4."""
    turn.take(acp.Said("partial"))
    turn.end("failed", "quota exceeded (-32603)")
    assert explain(turn) == ("Robin could not finish: quota exceeded (-32603). What it had said until then is above.")


def test_a_death_is_named_and_never_a_normal_end(turn: Turn) -> None:
    """FIELD B2."""
    turn.end("gone")
    assert explain(turn) == "Robin ended before its answer did."
    turn.take(acp.Said("partial"))
    turn.end("gone", "killed by signal 9")
    assert "killed by signal 9. What it had said until then is above." in explain(turn)


def test_a_cancel_is_said_once(turn: Turn) -> None:
    turn.end("cancelled", "Cancelled by Ann", stop_reason="cancelled")
    assert explain(turn) == "Cancelled by Ann."
    turn.end("cancelled")
    assert explain(turn) == "The turn was cancelled."


def test_a_stall_says_which_limit_it_was(turn: Turn) -> None:
    turn.end("stalled", "The turn passed the limit of 30 minutes.", stop_reason="cancelled")
    assert explain(turn) == "The turn passed the limit of 30 minutes."
    turn.end("stalled")
    assert explain(turn).startswith("Robin did not come to an end")


def test_tools_without_an_answer_are_listed(turn: Turn) -> None:
    """openab#77."""
    for number in range(7):
        turn.take(tool(str(number), f"step `{number}`", "completed"))
    turn.end("done", stop_reason="end_turn")
    text = explain(turn)
    assert text.startswith("Robin used tools but wrote no answer: `step ˋ0ˋ`, ")
    assert text.endswith(" and 2 more.")


def test_one_tool_is_listed_without_a_count(turn: Turn) -> None:
    turn.take(tool("1", "ls", "completed"))
    turn.end("done")
    assert explain(turn) == "Robin used tools but wrote no answer: `ls`."


def test_zero_tokens_are_a_silent_failure(turn: Turn) -> None:
    """FIELD B3, B12, 1212."""
    turn.end("done", stop_reason="end_turn", output_tokens=0)
    assert "quota" in explain(turn)
    assert "login" in explain(turn)


def test_a_turn_of_thoughts_alone_is_named(turn: Turn) -> None:
    """FIELD B3."""
    turn.take(acp.Thought("hm"))
    turn.end("done", output_tokens=12)
    assert explain(turn) == "Robin thought aloud but wrote no answer."


def test_a_turn_of_usage_alone_names_the_agent(turn: Turn) -> None:
    """FIELD B11."""
    turn.take(acp.UsageChanged(used=5))
    turn.end("done")
    assert explain(turn).startswith("Robin reported what it used")


def test_nothing_at_all_is_said_to_be_nothing(turn: Turn) -> None:
    turn.end("done", stop_reason="end_turn")
    assert explain(turn).startswith("Robin ended its turn without any answer.")


def test_an_answer_of_media_alone_is_an_answer(turn: Turn) -> None:
    turn.take(acp.Media("image", "image/png", data=""))
    turn.end("done")
    assert explain(turn) == ""
