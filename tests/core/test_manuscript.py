"""manuscript.py: pages of a turn while it grows."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from openab_sync.acp import events as acp
from openab_sync.core.drawing import Drawing
from openab_sync.core.manuscript import Manuscript
from openab_sync.core.port import File, Notice
from openab_sync.core.turn import Taken, ToolGroup, Turn
from openab_sync.text.redact import Redactor
from openab_sync.text.snippets import CodeStream
from openab_sync.text.split import split
from openab_sync.text.tables import convert
from tests.core.scene import note, tool
from tests.fakes.clock import FakeClock

EVENTS = st.one_of(
    st.text(alphabet="ab |-\n`é", max_size=30).map(acp.Said),
    st.builds(acp.Said, st.text(alphabet="xy\n", max_size=10), st.sampled_from(["1", "2"])),
    st.just(acp.Said("| a | b |\n|---|---|\n| 1 | 2 |\n")),
    st.sampled_from(["```py\n", "\n```\n", "code\n" * 5, "```\n" + "more code\n" * 20 + "```"]).map(acp.Said),
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
    code = CodeStream(limit)
    text = code.feed(drawing.whole(turn)) + code.settle()
    assert written(turn, manuscript) == split(convert(text + code.tail(), drawing.tables), limit)
    files = [item for _, item in manuscript.files if isinstance(item, File) and item.name.startswith("code-")]
    assert [(file.name, file.data.decode()) for file in files] == [(item.name, item.text) for item in code.taken]


def test_a_secret_with_a_tool_in_its_middle_is_not_told_in_two_parts() -> None:
    """Looked at at every step, and as a whole: of the first part at most seven characters are seen."""
    drawing = Drawing(redact=Redactor(["canary-of-this-test"]))
    turn, manuscript = new_turn(), Manuscript(drawing, 2000)
    looks = []
    for event in (acp.Said("It is canary-of"), tool("a", "ls", "completed"), acp.Said("-this-test, and so on.")):
        turn.take(event)
        looks.append("\n".join(written(turn, manuscript)))
    turn.end("done")
    looks.append("\n".join(written(turn, manuscript)))
    looks.append(drawing.whole(turn))
    assert all("canary" not in look and "this-test" not in look for look in looks)
    assert all(look.count("[redacted]") == 2 for look in looks[-2:])


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
    ((page, item),) = manuscript.files
    pages = written(turn, manuscript)
    assert item is image
    assert any("📎" in text for text in pages[: page + 1])
    turn.take(acp.PlanChanged((acp.PlanEntry("a plan that may change holds back what follows"),)))
    turn.take(image)
    manuscript.write(turn)
    assert len(manuscript.files) == 2
    turn.end("done")
    manuscript.write(turn)
    assert len(manuscript.files) == 2
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


CODE = "".join(f"line {number}\n" for number in range(40))


def test_long_code_is_a_file_behind_the_page_that_names_it() -> None:
    turn, manuscript = new_turn(), Manuscript(Drawing(), 100)
    turn.take(acp.Said(f"See:\n```py\n{CODE}"))
    assert manuscript.write(turn) == [
        "See:\n```py\nline 0\nline 1\nline 2\nline 3\n```\n📎 code-1.py (40 lines so far)"
    ]
    assert manuscript.files == []
    turn.take(acp.Said("```\nDone.\n"))
    assert manuscript.write(turn)[-1].endswith("📎 code-1.py (40 lines)\nDone.")
    assert manuscript.files == [(0, File("code-1.py", CODE.encode(), "text/plain"))]


def test_code_that_nobody_closed_is_sent_when_the_turn_ends_and_numbered_on() -> None:
    turn, manuscript = new_turn(), Manuscript(Drawing(), 100)
    turn.take(acp.Said(f"```py\n{CODE}"))
    turn.end("gone")
    manuscript.close(turn, "> ended")
    assert manuscript.finished[-1].endswith("📎 code-1.py (40 lines)\n\n> ended")
    turn.take(acp.Said(f"late\n```js\n{CODE}```\n", "2"))
    manuscript.close(turn)
    assert [item.name for _, item in manuscript.files if isinstance(item, File)] == ["code-1.py", "code-2.js"]


def test_code_that_may_become_a_file_makes_no_page_that_could_vanish() -> None:
    turn, manuscript = new_turn(), Manuscript(Drawing(), 100)
    turn.take(acp.Said("words " * 14 + "\n```py\n" + "a line\n" * 12))
    shown = manuscript.write(turn)
    assert len(shown) == 2, "its head will be there in any case"
    turn.take(acp.Said("a line\n" * 20))
    assert len(manuscript.write(turn)) + len(manuscript.finished) >= 2


def diff(lines: int) -> acp.ToolChanged:
    new = "".join(f"new {number}\n" for number in range(lines))
    return acp.ToolChanged("1", title="Edit", status="in_progress", content=(acp.Diff("src/a.py", None, new),))


def test_a_long_diff_is_shown_in_part_and_sent_once_when_the_call_has_ended() -> None:
    turn, manuscript = new_turn(), Manuscript(Drawing(), 2000)
    turn.take(diff(100))
    (page,) = manuscript.write(turn)
    assert page.startswith("🔧 `Edit`\n```diff\n--- /dev/null\n+++ b/src/a.py\n@@")
    assert page.endswith("+new 21\n```\n… (103 lines)")
    turn.take(tool("1", status="completed"), acp.Said("more"))
    manuscript.write(turn)
    turn.take(tool("1", status="completed"), acp.ToolChanged("1", title="Edited"), acp.Said("end"))
    pages = written(turn, manuscript)
    ((after, file),) = manuscript.files
    assert "📎 a.py.diff (103 lines)" in pages[after]
    assert isinstance(file, File)
    assert file.name == "a.py.diff"
    assert file.data.decode().endswith("+new 99\n")


def test_short_diffs_and_those_that_are_not_shown_are_not_sent() -> None:
    for drawing, lines in ((Drawing(), 5), (Drawing("compact"), 100), (Drawing("none"), 100)):
        turn, manuscript = new_turn(), Manuscript(drawing, 2000)
        turn.take(diff(lines), tool("1", status="completed"), acp.Said("end"))
        manuscript.write(turn)
        assert manuscript.files == []
