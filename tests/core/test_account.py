"""The account of a turn: what it uses is added as it is told, what is too much ends it, admins can lift that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from openab_sync.acp.events import UsageChanged
from openab_sync.config.limits import LimitsConfig
from openab_sync.core.account import Account, Payer
from openab_sync.core.audit import Audit
from openab_sync.core.budget import Day, unconfigured
from openab_sync.core.house import Usage
from openab_sync.core.state import State
from openab_sync.core.turn import Turn
from tests.core.bed import ANN, BOB, Bed, received
from tests.core.test_audit import Book
from tests.fakes.clock import FakeClock
from tests.waiting import until


def today(bed: Bed, scope: str) -> Day:
    return next(day for day in bed.app.house.budget.days() if day.scope == scope)


@pytest.mark.parametrize(
    ("before", "is_new", "reports", "answered", "tokens", "cost"),
    [
        (Usage(), True, [(100, 1.0), (250, 1.5)], None, 250, 1.5),
        (Usage(), False, [(100, 1.0), (250, 1.5)], None, 150, 0.5),  # what it had used before is not known
        (Usage(used=80, cost=0.75), True, [(100, 1.0)], None, 20, 0.25),
        (Usage(), True, [(100, 1.0)], 900, 900, 1.0),  # its answer knows better than its context
        (Usage(), True, [(100, 1.0)], 10, 100, 1.0),
        (Usage(used=500), True, [(100, None), (130, None)], None, 30, 0.0),  # it has tidied up
        (Usage(), True, [], None, 0, 0.0),
    ],
)
def test_a_turn_uses_what_the_agents_figures_have_grown(
    before: Usage,
    is_new: bool,
    reports: list[tuple[int, float | None]],
    answered: int | None,
    tokens: int,
    cost: float,
) -> None:
    budget, turn = unconfigured(), Turn((), FakeClock(), "Agent")
    account = Account(budget, LimitsConfig, Payer("ann", "test:1"), before, is_new=is_new)
    for used, price in reports:
        turn.take(UsageChanged(used, None, price))
        assert account.look(turn) is None
        account.look(turn)  # nothing new: nothing is added
    account.end(turn, answered)
    found = [(day.tokens, day.cost) for day in budget.days()]
    assert found == ([(tokens, cost)] * 3 if tokens or cost else [])


def test_what_a_turn_has_used_is_counted_for_its_person_and_its_conversation(tmp_path: Path) -> None:
    with Bed() as bed:
        bed.ask("usage", to="1")
        bed.ask("tokens", to="1", by=BOB)
        assert (today(bed, "everybody").turns, today(bed, "everybody").cost) == (2, 0.25)
        sums = {day.key: day for day in bed.app.house.budget.days() if day.scope == "person"}
        assert (sums["ann"].tokens, sums["ann"].cost, sums["bob"].tokens) == (1200, 0.25, 15)


@pytest.mark.parametrize(
    ("limits", "text", "said"),
    [
        ({"tool_calls_per_turn": 5}, "repeat_tools 8\nhang", "5 tool calls"),
        ({"tool_calls_per_turn": 5}, "repeat_tools 8", "5 tool calls"),  # all at once, with the answer
        (
            {"repeated_tool_calls": 4},
            "repeat_tools 8\nhang",
            "times, which is the limit: Read the same",
        ),
        ({"person": {"cost_per_day": 0.2}}, "usage\nhang", "You have used 0.25 of 0.20"),
        ({"conversation": {"tokens_per_day": 1000}}, "usage\nhang", "This conversation has used 1,200 of 1,000 tokens"),
    ],
)
def test_a_turn_that_passes_a_limit_is_cancelled_and_says_which(limits: dict[str, Any], text: str, said: str) -> None:
    book = Book()
    with Bed(audit=Audit(book), quota=limits) as bed:
        end = bed.ask(text)
        assert end.outcome == "limit"
        assert said in end.reason
        assert any("lift the limits until midnight" in notice for notice in bed.notices())
        bed.until_state(State.IDLE)  # it obeyed the cancel: the agent lives on
    assert book.of("limit")[-1]["what"] == "the turn was cancelled" if "hang" in text else "the turn had ended already"


def test_a_turn_brings_so_much_and_no_more_whatever_admins_lift() -> None:
    """What is beyond is neither kept nor shown: not what still comes of a flood, nor a question."""
    book = Book()
    with Bed(audit=Audit(book), quota={"turn_mb": 1}) as bed:
        bed.command("limits", "lift")
        end = bed.ask("flood 2000000\nask")
        assert end.outcome == "limit" and end.reason.startswith("This turn has brought 1 MB, which is the limit.")
        assert 500_000 < len(bed.text()) < 4_000_000
        assert not any("lift the limits" in text for text in bed.notices())
        assert bed.port.questions == {}
        bed.until_state(State.IDLE)
        assert bed.ask("say next").outcome == "done"
    assert book.of("limit")[-1]["what"] in {"the turn was cancelled", "the turn had ended already"}


def test_a_word_comes_before_a_turn_has_brought_too_much() -> None:
    with Bed(quota={"turn_mb": 1}) as bed:
        bed.say(f"say {'x' * 900_000}\nhang")
        until(lambda: [one for one in bed.notices() if "⚠ 1 of 1 MB that a turn may bring." in one])
        bed.command("cancel")
        until(bed.ends)
        assert bed.ends()[0].outcome == "cancelled"


def test_a_turn_beyond_a_limit_does_not_begin(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Bed("--log", str(log), quota={"person": {"turns_per_hour": 1}}) as bed:
        assert bed.ask("say one").outcome == "done"
        end = bed.ask("say two")
        assert (end.outcome, "1 turns within an hour" in end.reason) == ("limit", True)
        assert bed.ask("say three", by=BOB).outcome == "done"
        assert bed.text() == "onethree"
        assert len([one for one in received(log) if one.get("method") == "session/prompt"]) == 2


def test_a_word_comes_first() -> None:
    with Bed(quota={"tool_calls_per_turn": 10, "repeated_tool_calls": 14}) as bed:
        bed.say("repeat_tools 8\nhang")
        until(lambda: [one for one in bed.notices() if "8 of 10 tool calls" in one])
        assert [one for one in bed.notices() if "repeated itself 7 times (Read the same); after 14" in one]
        bed.command("cancel")
        until(bed.ends)
        assert bed.ends()[0].outcome == "cancelled"


def test_a_word_about_the_day_is_said_when_the_turn_is_over() -> None:
    with Bed(quota={"person": {"tokens_per_day": 18}}) as bed:
        assert bed.ask("tokens").outcome == "done"
        until(lambda: [one for one in bed.notices() if "You have used 15 of 18 tokens for today." in one])
        assert bed.ask("tokens").outcome == "done"
        assert bed.ask("tokens").outcome == "limit"


def test_an_admin_lifts_what_would_end_a_turn() -> None:
    with Bed(quota={"tool_calls_per_turn": 5, "person": {"cost_per_day": 0.1}}) as bed:
        assert bed.command("limits", "lift", by=BOB).text == "No limits here until midnight."
        assert bed.ask("repeat_tools 8\nusage").outcome == "done"
        assert bed.command("limits", "restore", by=BOB).ok
        assert bed.ask("say more").outcome == "limit"


def test_a_turn_that_takes_long_is_told_and_goes_on_if_the_limit_is_lifted() -> None:
    with Bed(clock=FakeClock(), pool={"silence_secs": 100_000}) as bed:
        bed.say("hang")
        bed.until_state(State.BUSY)
        bed.pass_time(0.8 * 1800 + 1)
        until(lambda: [one for one in bed.notices() if "80 % of the 30 minutes" in one])
        bed.command("limits", "lift")
        bed.pass_time(400)
        until(lambda: bed.snapshot().overdue_at > bed.clock.monotonic() + 1800)
        assert bed.ends() == []
        bed.pass_time(1800)
        bed.command("limits", "restore")
        bed.pass_time(1801)
        until(bed.ends)
        assert bed.ends()[0].outcome == "stalled"


def test_agents_that_work_for_one_person_are_counted_while_they_do() -> None:
    with Bed(quota={"agents_per_person": 1}) as bed:
        bed.say("hang", to="1")
        bed.until_state(State.BUSY, "1")
        until(lambda: bed.app.house.budget._at_work)
        assert bed.ask("say no", to="2").outcome == "limit"
        assert bed.ask("say yes", to="3", by=BOB).outcome == "done"
        bed.command("cancel", at="1")
        until(lambda: bed.ends("1"))
        assert bed.ask("say yes", to="2", by=ANN).outcome == "done"
