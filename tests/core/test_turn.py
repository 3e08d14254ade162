"""turn.py: what the agent said and did, in the order in which it came."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.acp import events as acp
from openab_sync.core.port import Notice
from openab_sync.core.tool import Tool
from openab_sync.core.turn import MediaItem, NoticeLine, PlanList, Taken, TextRun, ThoughtRun, ToolGroup, Turn
from tests.core.scene import note, tool
from tests.fakes.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def turn(clock: FakeClock) -> Turn:
    return Turn((note(),), clock)


def seal(turn: Turn) -> None:
    """Seal the first segment, as if it had been written."""
    first = turn.segments[0]
    assert isinstance(first, (ThoughtRun, ToolGroup, PlanList))
    first.seal()


def test_segments_stand_in_the_order_in_which_they_came(turn: Turn) -> None:
    """FIELD B13."""
    for event in (
        acp.Said("one "),
        acp.Said("two"),
        tool("a", "ls"),
        tool("b", "cat"),
        acp.Thought("hm"),
        acp.Said("three"),
        acp.PlanChanged((acp.PlanEntry("first"),)),
        Notice("ours"),
        acp.Media("image", "image/png", data=""),
        acp.Link("file:///x"),
    ):
        turn.take(event)
    kinds = [type(segment) for segment in turn.segments]
    assert kinds == [TextRun, ToolGroup, ThoughtRun, TextRun, PlanList, NoticeLine, MediaItem, MediaItem]
    assert turn.text == "one two\n\nthree"


@given(st.lists(st.text(), max_size=30))
def test_text_is_what_was_said_however_it_was_cut(parts: list[str]) -> None:
    turn = Turn((note(),), FakeClock())
    for part in parts:
        turn.take(acp.Said(part))
    assert turn.text == "".join(parts).strip("\n")
    assert turn.has_text == bool("".join(parts).strip())


def test_another_message_begins_a_paragraph_and_an_unknown_id_does_not(turn: Turn) -> None:
    for text, message in (("a", "1"), ("b", None), ("c", "1"), ("", "2"), ("d", "2"), ("e", "3")):
        turn.take(acp.Said(text, message))
    assert turn.text == "abc\n\nd\n\ne"
    assert turn.message_ids == {"1", "2", "3"}


def test_a_message_goes_on_after_a_thought_only_if_it_says_that_it_is_the_same(turn: Turn) -> None:
    for event in (acp.Said("wo", "1"), acp.Thought("hm"), acp.Said("rd", "1"), acp.Thought("so"), acp.Said("new", "2")):
        turn.take(event)
    assert turn.text == "word\n\nnew"


def test_notices_are_no_answer(turn: Turn) -> None:
    """FIELD B6, B7: what we say ourselves never makes an empty answer look like one."""
    turn.take(Notice("The session starts fresh."))
    turn.end("done")
    assert (turn.text, turn.is_empty, turn.outcome) == ("", True, "failed")


def test_a_call_is_one_whatever_order_its_news_come_in(turn: Turn) -> None:
    """FIELD B9: an update before the call, the call twice, a title refined and then left out."""
    turn.take(tool("a", status="in_progress"))
    turn.take(tool("a", "Terminal", "pending", "execute"))
    turn.take(tool("a", "Terminal", kind="execute"))
    turn.take(tool("a", "ls -la", "in_progress"))
    turn.take(acp.ToolChanged("a", content=(acp.Output("x"),)))
    turn.take(tool("a", status="completed"))
    known = turn.tool("a")
    assert known is not None
    assert (known.label, known.kind, known.state, known.content) == ("ls -la", "execute", "done", (acp.Output("x"),))
    assert turn.tools == (known,)
    assert len(turn.segments) == 1
    assert turn.tool("b") is None


@pytest.mark.parametrize(
    ("raw", "locations", "label"),
    [
        ({"command": "make test"}, None, "make test"),
        ({"command": ["ls", "-l"]}, None, "ls -l"),
        ({"command": [1], "path": "/etc"}, None, "/etc"),
        ({"other": 1}, ("/a.py",), "/a.py"),
        (None, None, "edit"),
        ("text", None, "edit"),
    ],
)
def test_a_call_without_a_title_is_called_by_what_it_works_on(
    turn: Turn, raw: object, locations: tuple[str, ...] | None, label: str
) -> None:
    turn.take(acp.ToolChanged("a", kind="edit", raw_input=raw, locations=locations))
    assert turn.open_tool == label
    turn.take(acp.ToolChanged("a", raw_output="o"))
    assert turn.open_tool == label


def test_a_call_of_which_nothing_is_known_is_a_tool() -> None:
    assert Tool("x").label == "tool"


def test_open_calls_are_known_and_the_newest_is_current(turn: Turn) -> None:
    turn.take(tool("a", "one", "in_progress"))
    turn.take(tool("b", "two"))
    assert [item.label for item in turn.open_tools] == ["one", "two"]
    assert turn.open_tool == "two"
    turn.take(tool("b", status="failed"))
    assert turn.open_tool == "one"
    turn.take(tool("a", status="completed"))
    assert (turn.open_tool, turn.current_tool) == ("", None)
    turn.take(tool("a", status="something new"))
    assert turn.current_tool is None


def test_calls_that_never_ended_are_neither_done_nor_running(turn: Turn) -> None:
    turn.take(tool("a", "one", "in_progress"))
    turn.take(tool("b", "two", "completed"))
    turn.end("done")
    assert [item.state for item in turn.tools] == ["stopped", "done"]
    turn.take(tool("c", "late", "in_progress"))
    turn.take(tool("a", status="completed"))
    assert [item.state for item in turn.tools] == ["done", "done", "stopped"]
    assert turn.open_tools == ()


def test_news_of_a_sealed_call_make_a_segment_of_their_own(turn: Turn) -> None:
    turn.take(tool("a", "one", "in_progress"))
    sealed = turn.segments[0]
    assert isinstance(sealed, ToolGroup)
    sealed.seal()
    turn.take(acp.ToolChanged("a", raw_output={"not": "shown"}))
    assert len(turn.segments) == 1
    turn.take(tool("a", status="completed"))
    assert isinstance(turn.segments[1], ToolGroup)
    assert [item.state for item in sealed.tools] == ["running"]
    assert [item.state for item in turn.segments[1].tools] == ["done"]
    assert sealed.is_open
    assert not turn.segments[1].is_open


def test_a_call_that_was_sealed_running_is_reported_when_the_turn_ends(turn: Turn) -> None:
    turn.take(tool("a", "one", "in_progress"))
    group = turn.segments[0]
    assert isinstance(group, ToolGroup)
    group.seal()
    turn.end("cancelled")
    assert isinstance(turn.segments[1], ToolGroup)
    assert [item.state for item in turn.segments[1].tools] == ["stopped"]


def test_a_plan_replaces_the_one_before_until_that_is_sealed(turn: Turn) -> None:
    first, second = (acp.PlanEntry("a"),), (acp.PlanEntry("a", "completed"),)
    turn.take(acp.PlanChanged(first))
    turn.take(acp.PlanChanged(second))
    assert turn.segments == [PlanList(second)]
    seal(turn)
    changes = turn.changes
    turn.take(acp.PlanChanged(second))
    assert turn.changes == changes
    turn.take(acp.PlanChanged(first))
    assert turn.segments == [PlanList(second, sealed=True), PlanList(first)]


def test_thoughts_are_kept_apart_and_a_sealed_run_stays_as_it_is(turn: Turn) -> None:
    turn.take(acp.Thought(""))
    turn.take(acp.Thought("a"))
    turn.take(acp.Thought("b"))
    assert turn.segments == [ThoughtRun(["a", "b"])]
    seal(turn)
    turn.take(acp.Thought("c"))
    assert turn.segments[1] == ThoughtRun(["c"])
    assert turn.has_thoughts
    assert turn.is_empty


def test_moments_are_kept(turn: Turn, clock: FakeClock) -> None:
    started = clock.monotonic()
    clock.advance(1)
    turn.take(acp.Said(" \n"))
    assert not turn.has_text
    clock.advance(1)
    turn.take(acp.Said("x"))
    clock.advance(1)
    turn.take(Notice("ours is no sign of the agent"))
    assert (turn.started, turn.first_text_at, turn.last_event) == (started, started + 2, started + 2)
    clock.advance(1)
    assert turn.seconds == 4
    turn.end("done")
    clock.advance(10)
    assert turn.seconds == 4


def test_usage_is_merged_and_makes_nothing_to_draw(turn: Turn) -> None:
    changes = turn.changes
    turn.take(acp.UsageChanged(used=10, size=100))
    turn.take(acp.UsageChanged(cost=0.5, currency="USD"))
    turn.take(acp.UsageChanged(used=20))
    turn.take(acp.SessionInfo("A title"))
    assert (turn.used, turn.size, turn.cost, turn.currency, turn.title) == (20, 100, 0.5, "USD", "A title")
    assert turn.changes == changes


def test_an_empty_answer_is_no_success_and_late_text_makes_it_one(turn: Turn) -> None:
    """FIELD B1, B3."""
    seen: list[tuple[str | None, bool]] = [(turn.outcome, bool(turn.explain()))]
    turn.end("done", stop_reason="end_turn", output_tokens=0)
    seen.append((turn.outcome, bool(turn.explain())))
    turn.take(acp.Said("late"))
    seen.append((turn.outcome, bool(turn.explain())))
    assert seen == [(None, False), ("failed", True), ("done", False)]


@pytest.mark.parametrize("event", [tool("a", "ls"), acp.Media("image", data="")])
def test_an_answer_of_tools_or_media_is_one(turn: Turn, event: acp.ToolChanged | acp.Media) -> None:
    turn.take(event)
    turn.end("done")
    assert turn.outcome == "done"


def test_a_turn_shows_what_it_is(turn: Turn) -> None:
    turn.take(tool("a", "ls"))
    assert repr(turn) == "<Turn running segments=1 open_tools=1>"


def test_taking_text_costs_the_same_however_much_there_is(turn: Turn) -> None:
    event = acp.Said("twenty characters...")

    def cost() -> float:
        begin = time.perf_counter()
        for _ in range(20_000):
            turn.take(event)
        return time.perf_counter() - begin

    first = min(cost() for _ in range(3))
    last = min(cost() for _ in range(3))
    assert last < 10 * first  # copying the text for each piece would cost a thousandfold
    assert len(turn.segments) == 1


# How much it holds.


def test_everything_that_an_agent_brings_counts() -> None:
    big = "x" * 1000
    brought: list[Taken] = [
        acp.Said(big),
        acp.Thought(big),
        acp.Media("image", data=big),
        acp.Link(big),
        acp.ToolChanged("t", title=big),
        acp.ToolChanged("u", raw_input={"command": [big]}),
        acp.PlanChanged((acp.PlanEntry(big),)),
    ]
    for number, event in enumerate(brought):
        turn = Turn((note(),), FakeClock())
        turn.take(event)
        assert 1000 <= turn.bulk < 2500, number
    turn = Turn((note(),), FakeClock())
    for n in range(1000):
        turn.take(acp.Said("", message_id=f"m{n}"))  # says nothing, and is remembered
    assert turn.bulk > 50_000


def test_what_a_call_replaces_counts_no_more_unless_a_page_has_it() -> None:
    turn = Turn((note(),), FakeClock())
    for _ in range(10):
        turn.take(acp.ToolChanged("t", content=(acp.Output("x" * 1000),)))
    assert turn.bulk < 3000
    for _ in range(10):
        for segment in turn.segments:
            if isinstance(segment, ToolGroup):
                segment.seal()
        turn.take(acp.ToolChanged("t", status="completed", content=(acp.Output("x" * 1000),)))
        turn.take(acp.ToolChanged("t", status="in_progress", content=(acp.Output("y" * 1000),)))
    assert turn.bulk > 10_000


def test_a_full_turn_takes_nothing_but_our_sentences() -> None:
    turn = Turn((note(),), FakeClock(), most=1000)
    turn.take(acp.Said("x" * 2000))
    assert turn.is_full
    before = turn.bulk
    turn.take(acp.Said("more"), acp.ToolChanged("t"), Notice("This was too much."), acp.Thought("hm"))
    assert turn.text == "x" * 2000 and turn.tools == () and not turn.has_thoughts
    assert turn.segments[-1] == NoticeLine("This was too much.") and turn.bulk == before
