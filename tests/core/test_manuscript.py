"""manuscript.py: pages of a turn while it grows."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from openab_sync.acp import events as acp
from openab_sync.core.drawing import Drawing
from openab_sync.core.manuscript import Manuscript
from openab_sync.core.port import Notice
from openab_sync.core.turn import Taken, ToolGroup, Turn
from openab_sync.text.split import split
from openab_sync.text.tables import convert
from tests.core.scene import note, tool
from tests.fakes.clock import FakeClock

EVENTS = st.one_of(
    st.text(alphabet="ab |-\n`é", max_size=30).map(acp.Said),
    st.builds(acp.Said, st.text(alphabet="xy\n", max_size=10), st.sampled_from(["1", "2"])),
    st.just(acp.Said("| a | b |\n|---|---|\n| 1 | 2 |\n")),
    st.text(alphabet="th", max_size=30).map(acp.Thought),
    st.builds(
        tool,
        st.sampled_from("abc"),
        st.sampled_from([None, "ls", "a longer title of a tool"]),
        st.sampled_from([None, "pending", "in_progress", "completed", "failed"]),
    ),
    st.builds(lambda word, state: acp.PlanChanged((acp.PlanEntry(word, state),)), st.text("pq", min_size=1, max_size=9),
              st.sampled_from(["pending", "completed"])),
    st.just(Notice("ours")),
    st.just(acp.Media("image", "image/png", data="")),
)  # fmt: skip
DRAWINGS = st.builds(
    Drawing,
    st.sampled_from(["full", "compact", "none"]),
    st.sampled_from(["code", "bullets", "off"]),
    st.booleans(),
    st.booleans(),
)


def new_turn() -> Turn:
    return Turn((note(),), FakeClock())


def written(turn: Turn, manuscript: Manuscript, ending: str = "") -> list[str]:
    pages = manuscript.write(turn, ending)
    return manuscript.finished + pages


@given(st.lists(EVENTS | st.none(), max_size=25), DRAWINGS, st.integers(20, 120))
def test_pages_written_on_the_way_are_the_pages_of_the_whole(
    events: list[Taken | None], drawing: Drawing, limit: int
) -> None:
    """Looked at at any moment (None), nothing is lost, doubled or reordered; finished pages never change."""
    turn, manuscript = new_turn(), Manuscript(drawing, limit)
    for event in events:
        if event is not None:
            turn.take(event)
            continue
        before = list(manuscript.finished)
        pages = written(turn, manuscript, "*working*")
        assert pages[: len(before)] == before
        assert all(len(page) <= limit and page.strip() for page in pages)
    turn.end("done")
    whole = convert(drawing.whole(turn), drawing.tables)
    assert written(turn, manuscript) == split(whole, limit)


def test_what_may_still_change_is_drawn_as_it_is_now() -> None:
    turn, manuscript = new_turn(), Manuscript(Drawing(), 2000)
    turn.take(acp.PlanChanged((acp.PlanEntry("a"),)))
    turn.take(tool("1", "ls", "in_progress"))
    turn.take(acp.Said("text"))
    assert manuscript.write(turn) == ["☐ a\n\n🔧 `ls`\n\ntext"]
    turn.take(acp.PlanChanged((acp.PlanEntry("a", "completed"),)))
    turn.take(tool("1", status="completed"))
    assert manuscript.write(turn) == ["☑ a\n\n✅ `ls`\n\ntext"]
    assert manuscript.finished == []


def test_what_does_not_fit_is_sealed_and_its_news_come_below() -> None:
    turn, manuscript = new_turn(), Manuscript(Drawing(), 60)
    turn.take(tool("1", "make", "in_progress"))
    turn.take(acp.Said("words words words\n" * 6))
    first = written(turn, manuscript)[0]
    turn.take(tool("1", status="completed"))
    pages = written(turn, manuscript)
    assert first.startswith("🔧 `make`")
    assert pages[0] == first
    assert pages[-1].endswith("✅ `make`")


def test_the_newest_is_what_is_seen_of_many_tools() -> None:
    """FIELD E4: the tail is kept, not the head."""
    turn, manuscript = new_turn(), Manuscript(Drawing(), 100)
    for number in range(40):
        turn.take(tool(str(number), f"step number {number}", "completed"))
        pages = written(turn, manuscript)
        assert f"step number {number}" in pages[-1]


def test_a_table_being_written_makes_no_page_that_could_vanish() -> None:
    turn, manuscript = new_turn(), Manuscript(Drawing(), 100)
    turn.take(acp.Said("| head | row |\n|---|---|\n" + "| cell | cell |\n" * 30))
    assert len(manuscript.write(turn)) == 1
    turn.end("done")
    assert len(manuscript.write(turn)) > 1


def test_a_reassurance_makes_no_page_of_its_own() -> None:
    turn, manuscript = new_turn(), Manuscript(Drawing(), 60)
    turn.take(acp.Said("x" * 50))
    assert manuscript.write(turn, "*still at work*") == ["x" * 50]
    assert manuscript.write(new_turn(), "*still at work*") == ["x" * 50, "*still at work*"][:1]


def test_closed_pages_stay_and_what_comes_later_is_new() -> None:
    turn, manuscript = new_turn(), Manuscript(Drawing(), 100)
    turn.take(acp.Said("first"))
    turn.end("done")
    manuscript.close(turn, "*footer*")
    manuscript.close(turn)
    assert manuscript.finished == ["first\n\n*footer*"]
    turn.take(acp.Said("\nand late"))
    manuscript.close(turn)
    assert manuscript.finished == ["first\n\n*footer*", "and late"]


def test_escape_sequences_go_however_they_are_cut() -> None:
    """FIELD E18."""
    turn, manuscript = new_turn(), Manuscript(Drawing(), 100)
    for piece in ("red: \x1b[3", "1mred\x1b[0", "m done\r", "\nnext \x1b"):
        turn.take(acp.Said(piece))
        manuscript.write(turn)
    turn.take(Notice("ours"))
    assert written(turn, manuscript) == ["red: red done\nnext \n\n> ours"]


def test_files_are_noted_behind_the_page_that_speaks_of_them() -> None:
    turn, manuscript = new_turn(), Manuscript(Drawing(), 50)
    image = acp.Media("image", "image/png", data="")
    turn.take(acp.Said("words " * 20))
    turn.take(image)
    turn.take(acp.Said("more " * 20))
    manuscript.write(turn)
    ((page, item),) = manuscript.media
    pages = written(turn, manuscript)
    assert item is image
    assert any("📎" in text for text in pages[: page + 1])
    turn.take(acp.PlanChanged((acp.PlanEntry("a plan that may change holds back what follows"),)))
    turn.take(image)
    manuscript.write(turn)
    assert len(manuscript.media) == 2
    turn.end("done")
    manuscript.write(turn)
    assert len(manuscript.media) == 2
    assert repr(manuscript).startswith("<Manuscript pages=")


def test_hidden_segments_leave_no_trace_and_hold_nothing_up() -> None:
    turn, manuscript = new_turn(), Manuscript(Drawing("none", plan=False), 30)
    for event in (acp.Said("a"), tool("1", "ls", "in_progress"), acp.PlanChanged((acp.PlanEntry("x"),))):
        turn.take(event)
        manuscript.write(turn)
    turn.take(acp.Said("b" * 40))
    assert "".join(written(turn, manuscript)) == "a" + "b" * 40
    assert not any(isinstance(segment, ToolGroup) and segment.sealed for segment in turn.segments)


def test_a_long_turn_costs_time_in_proportion_to_its_text() -> None:
    def cost(chunks: int) -> float:
        turn, manuscript = new_turn(), Manuscript(Drawing(), 2000)
        begin = time.perf_counter()
        for number in range(chunks):
            turn.take(acp.Said("a line of ordinary text\n"))
            if number % 100 == 0:
                manuscript.write(turn)
        manuscript.write(turn)
        return time.perf_counter() - begin

    cost(100)
    assert cost(20_000) < 30 * cost(2_000)
