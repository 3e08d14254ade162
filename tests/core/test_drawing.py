"""drawing.py: segments as markdown, and blocks joined so that none swallows the next."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.acp import events as acp
from openab_sync.config.schema import Config, MarkdownConfig, ReactionsConfig, ReplyConfig
from openab_sync.core.drawing import Drawing, Scribe, diff_file, file_of, media_name, tool_detail
from openab_sync.core.port import File, Limits, Notice
from openab_sync.core.tool import Tool
from openab_sync.core.turn import MediaItem, NoticeLine, PlanList, Segment, Taken, TextRun, ThoughtRun, ToolGroup, Turn
from tests.core.scene import note, tool
from tests.fakes.clock import FakeClock


def turn_of(*events: Taken) -> Turn:
    turn = Turn((note(),), FakeClock())
    for event in events:
        turn.take(event)
    return turn


def joined(*segments: Segment) -> str:
    scribe = Scribe()
    pieces = []
    for segment in segments:
        scribe.begin(segment)
        pieces.append(scribe.put(Drawing().block(segment)))
    return "".join(pieces)


def test_the_configuration_says_what_is_drawn() -> None:
    config = Config(
        reactions=ReactionsConfig(tool_display="compact"),
        markdown=MarkdownConfig(tables="bullets"),
        reply=ReplyConfig(plan=False, thoughts=True),
    )
    assert Drawing.of(config) == Drawing("compact", "bullets", plan=False, thoughts=True)


@pytest.mark.parametrize(
    ("segment", "block"),
    [
        (TextRun(["a", "b"]), "ab"),
        (ThoughtRun(["one\n", "two"]), "> 💭 one\n> two"),
        (NoticeLine("a\n\nb"), "> a\n>\n> b"),
        (NoticeLine(""), ""),
        (
            PlanList((
                acp.PlanEntry("x"), acp.PlanEntry("y\nz", "in_progress"), acp.PlanEntry("w", "completed"),
                acp.PlanEntry("v", "odd"),
            )),
            "☐ x\n◐ y z\n☑ w\n☐ v",
        ),
        (MediaItem(acp.Media("image", "image/png", data="")), "📎 image.png (image/png)"),
        (MediaItem(acp.Link("file:///tmp/a.txt", "a.txt")), "📎 a.txt file:///tmp/a.txt"),
        (PlanList((acp.PlanEntry("fix `foo` **now"), acp.PlanEntry("**so**"))), "☐ `fix ˋfooˋ **now`\n☐ **so**"),
        (MediaItem(acp.Media("image", "image/png", uri="x:/||my_cat**.png", data="")),
         "📎 `||my_cat**.png` (image/png)"),
        (MediaItem(acp.Link("https://a.b/||c**", "c")), "📎 c https://a.b/%7C%7Cc%2A%2A"),
    ],
)  # fmt: skip
def test_each_kind_of_segment_has_its_block(segment: Segment, block: str) -> None:
    assert Drawing(thoughts=True).block(segment) == block


def test_what_is_not_wanted_is_hidden() -> None:
    drawing = Drawing("none", plan=False, thoughts=False)
    for segment in (ThoughtRun(["x"]), ToolGroup([Tool("a")]), PlanList((acp.PlanEntry("x"),))):
        assert drawing.hides(segment)
        assert drawing.block(segment) == ""
    assert not drawing.hides(TextRun(["x"]))


@pytest.mark.parametrize("mode", ["full", "compact"])
def test_a_call_of_which_nothing_more_was_heard_has_a_mark_of_its_own(mode: str) -> None:
    drawing = Drawing("full" if mode == "full" else "compact")
    group = ToolGroup([
        Tool("a", "one", state="done"),
        Tool("b", "two", state="stopped"),
        Tool("c", "two", state="stopped"),
        Tool("d", "", "read", "stopped"),
        Tool("e", "five", state="failed"),
    ])  # fmt: skip
    assert drawing.block(group) == "✅ `one`\n– `two` ×2\n– `read`\n❌ `five`"


def test_failures_and_changes_are_shown_in_full_and_not_in_compact() -> None:
    turn = turn_of(
        acp.ToolChanged("a", title="cat", status="failed", content=(acp.Output("no such file"),)),
        acp.ToolChanged("b", title="edit", status="completed", content=(acp.Diff("f", "old", "new"),)),
        acp.ToolChanged("c", title="ls", status="completed", content=(acp.Output("not shown"),)),
    )
    block = Drawing().block(turn.segments[0])
    assert "no such file" in block
    assert "-old\n+new" in block
    assert "not shown" not in block
    assert Drawing("compact").block(turn.segments[0]) == "❌ `cat`\n✅ `edit`\n✅ `ls`"


def test_a_detail_is_made_once_for_the_same_content() -> None:
    item = Tool("a", content=(acp.Diff("f", None, "x"),))
    assert "+x" in tool_detail(item)
    kept = item.drawn
    tool_detail(item)
    assert item.drawn is kept
    item.content, item.state = (acp.Output("sorry"),), "failed"
    assert tool_detail(item) == "sorry"


def test_an_ending_is_a_warning_and_a_footer() -> None:
    assert Drawing().ending("It failed.", "model · 1 s") == "> ⚠️ It failed.\n\n*model · 1 s*"
    assert Drawing().ending("", "") == ""


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        ("a", "b", "a\n\nb"),
        ("a\n", "b", "a\n\nb"),
        ("a\n\n\n", "\n\nb", "a\n\n\nb"),
        ("a", "  ", "a"),
        (" \n", "b", "b"),
        ("```py\nx", "b", "```py\nx\n```\n\nb"),
        ("```py\nx\n", "b", "```py\nx\n```\n\nb"),
        ("```py\nx\n```", "b", "```py\nx\n```\n\nb"),
        ("~~~\nx\n~~", "b", "~~~\nx\n~~\n~~~\n\nb"),
        ("x ```", "b", "x ```\n\nb"),
    ],
)
def test_a_paragraph_stands_between_blocks_and_open_code_is_closed(first: str, second: str, text: str) -> None:
    """FIELD B2: a notice about a death in the middle of a block of code must not become code."""
    assert joined(TextRun([first]), TextRun([second])) == text


def test_text_of_the_same_message_goes_on_where_nothing_shows_between() -> None:
    assert joined(TextRun(["wo"]), TextRun(["rd"], continues=True)) == "word"
    assert joined(TextRun(["wo"]), NoticeLine("x"), TextRun(["rd"], continues=True)) == "wo\n\n> x\n\nrd"


@given(st.lists(st.text(alphabet="ab \n`~", max_size=12), max_size=12), st.integers(0, 5))
def test_a_block_put_in_pieces_is_the_block_put_whole(parts: list[str], cut: int) -> None:
    pieces, whole = Scribe(), Scribe()
    for scribe in (pieces, whole):
        scribe.begin(NoticeLine("x"))
        scribe.put("> x")
        scribe.begin(TextRun())
    text = "".join(pieces.put(part) for part in parts)
    assert text == whole.put("".join(parts))
    assert pieces.behind(["end"]) == whole.behind(["end"])


def test_what_stands_behind_is_forgotten_again() -> None:
    scribe = Scribe()
    scribe.begin(TextRun())
    assert scribe.behind(["a", "", "b"]) == "a\n\nb"
    assert scribe.put("x") == "x"
    assert scribe.behind(["a"]) == scribe.behind(["a"]) == "\n\na"


def test_a_whole_turn_is_one_text() -> None:
    turn = turn_of(Notice("fresh"), acp.Said("hi"), acp.Thought("hm"), tool("a", "ls", "completed"), acp.Said("bye"))
    assert Drawing().whole(turn, "> end") == "> fresh\n\nhi\n\n✅ `ls`\n\nbye\n\n> end"


@pytest.mark.parametrize(
    ("item", "name"),
    [
        (acp.Media("image", "image/jpeg"), "image.jpg"),
        (acp.Media("audio", "audio/wav; rate=1"), "audio.wav"),
        (acp.Media("resource", "text/plain", text="x"), "text.txt"),
        (acp.Media("resource"), "file.bin"),
        (acp.Media("resource", uri="file:///a/b.tar.gz?x=1"), "b.tar.gz"),
        (acp.Media("resource", uri="file:///a/../"), "file.bin"),
        (acp.Link("x:y", name="../../etc/passwd"), "_.._etc_passwd"),
        (acp.Media("image", "image/a/b"), "image.a_b"),
    ],
)
def test_a_file_has_a_name_that_is_no_path(item: acp.Media | acp.Link, name: str) -> None:
    assert media_name(item) == name


def test_data_becomes_a_file_and_a_link_does_not() -> None:
    data = base64.b64encode(b"\x89PNG").decode()
    for form in (data, f"data:image/png;base64,{data}", data[:3] + "\n" + data[3:]):
        file = file_of(acp.Media("image", "image/png", data=form))
        assert file is not None
        assert (file.name, file.data, file.mime) == ("image.png", b"\x89PNG", "image/png")
    text = file_of(acp.Media("resource", "text/plain", text="grüß", uri="a/b.txt"))
    assert text is not None
    assert (text.name, text.data) == ("b.txt", "grüß".encode())
    assert file_of(acp.Link("x")) is None
    assert file_of(acp.Media("image")) is None
    with pytest.raises(ValueError):
        file_of(acp.Media("image", data="no base64!"))


def test_thoughts_are_hidden_where_there_are_spoilers_and_quoted_on_paper() -> None:
    drawing = Drawing(thoughts=True).fitted(Limits(page=100, spoilers=True))
    assert drawing.block(ThoughtRun(["one"])) == "||💭 one||"
    assert drawing.block(ThoughtRun([" \n"])) == "> 💭"
    assert len(drawing.block(ThoughtRun(["word " * 40])).split("\n\n")) > 3
    assert drawing.on_paper().block(ThoughtRun(["one"])) == "> 💭 one"
    assert Drawing(thoughts=True).fitted(Limits()) == Drawing(thoughts=True)


def changed(path: str, lines: int, state: str = "completed") -> Tool:
    new = "".join(f"{number}\n" for number in range(lines))
    item = Tool("a")
    item.take(acp.ToolChanged("a", title="Edit", status=state, content=(acp.Diff(path, None, new),)))
    return item


def test_a_long_diff_shows_its_head_and_is_a_file_once_its_call_has_ended() -> None:
    running, done = changed("a/b.py", 100, "in_progress"), changed("a/b.py", 100)
    shown = Drawing().block(ToolGroup([running]))
    assert shown.startswith("🔧 `Edit`\n```diff\n--- /dev/null\n+++ b/a/b.py\n@@ -0,0 +1,100 @@\n+0\n")
    assert shown.endswith("+21\n```\n… (103 lines)")
    assert Drawing().block(ToolGroup([done])).endswith("\n```\n📎 b.py.diff (103 lines)")
    assert diff_file(running) is None
    file = diff_file(done)
    assert file == File("b.py.diff", f"{tool_detail(done)}\n".encode(), "text/x-diff")


@pytest.mark.parametrize(("path", "name"), [("", "changes.diff"), ("..", "changes.diff"), ("x/a\\b", "a_b.diff")])
def test_the_file_of_a_diff_has_a_name_and_no_path(path: str, name: str) -> None:
    file = diff_file(changed(path, 100))
    assert file is not None
    assert file.name == name


def test_what_is_shown_whole_is_no_file() -> None:
    assert diff_file(changed("a.py", 5)) is None
    assert diff_file(Tool("a", state="done", content=(acp.Output("x\n" * 100),))) is None
    assert Drawing("compact").block(ToolGroup([changed("a.py", 100)])) == "✅ `Edit`"
