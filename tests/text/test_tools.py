"""tools: lines that show what an agent did and cannot break the reply around them."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from wcwidth import wcswidth

from openab_sync.text.tools import ToolLine, diff_head, diff_text, fence, tool_lines

State = Literal["pending", "running", "done", "failed"]
states: st.SearchStrategy[State] = st.sampled_from(["pending", "running", "done", "failed"])
titles = st.text("ab `\n\r\x1b[汉👍🏽*_|~") | st.sampled_from(["", "ls", "ls -l"])
tools = st.lists(st.builds(ToolLine, titles, st.sampled_from(["other", "edit", ""]), states, st.text("ab`~\n-")))
modes: st.SearchStrategy[Literal["full", "compact"]] = st.sampled_from(["full", "compact"])


def done(title: str) -> ToolLine:
    return ToolLine(title, state="done")


def failed(title: str, detail: str = "") -> ToolLine:
    return ToolLine(title, state="failed", detail=detail)


def test_full_shows_each_tool_and_why_it_failed() -> None:
    lines = [ToolLine("wait", state="pending"), ToolLine("ls"), done("cat"), failed("make", "no rule\n"), done("x")]
    assert tool_lines(lines, "full").split("\n") == [
        "🔧 `wait`",
        "🔧 `ls`",
        "✅ `cat`",
        "❌ `make`",
        "```",
        "no rule",
        "```",
        "✅ `x`",
    ]


def test_full_shows_diffs_but_no_other_results() -> None:
    change = diff_text("a.py", "x\n", "y\n")
    shown = tool_lines([ToolLine("Edit", "edit", "done", change), ToolLine("Read", "read", "done", "much")], "full")
    assert shown == f"✅ `Edit`\n```diff\n{change}\n```\n✅ `Read`"


def test_only_equal_neighbours_are_grouped() -> None:
    """B10: equal are title and state; the order tells what happened."""
    lines = [done("a"), done("a"), failed("a"), done("b"), done("a")]
    assert tool_lines(lines, "full") == "✅ `a` ×2\n❌ `a`\n✅ `b`\n✅ `a`"


def test_a_group_shows_each_different_detail_once() -> None:
    shown = tool_lines([failed("a", "one"), failed("a", "two"), failed("a", "one")], "full")
    assert shown == "❌ `a` ×3\n```\none\n```\n```\ntwo\n```"


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("run `ls`\nand more", "run ˋlsˋ and more"),
        ("```\nrm\n```", "ˋˋˋ rm ˋˋˋ"),
        ("\x1b[31mred\x1b[0m\x00", "red"),
        ("", "execute"),
        (" \n", "execute"),
        ("汉字 שלום 👨‍👩‍👧", "汉字 שלום 👨‍👩‍👧"),
    ],
)
def test_a_title_cannot_break_its_line(title: str, shown: str) -> None:
    """B9, E18: line breaks flattened, backticks neutralised, colours gone; without a title the kind is shown."""
    assert tool_lines([ToolLine(title, "execute")], "full") == f"🔧 `{shown}`"


def test_a_tool_without_any_name_is_a_tool() -> None:
    assert tool_lines([ToolLine("", "")], "compact") == "🔧 `tool`"


def test_titles_are_cut() -> None:
    assert tool_lines([done("x" * 600)], "full") == f"✅ `{'x' * 499}…`"
    assert tool_lines([done("x" * 600)], "compact") == f"✅ `{'x' * 79}…`"
    assert tool_lines([done("x" * 80)], "compact") == f"✅ `{'x' * 80}`"
    assert tool_lines([done("汉" * 60)], "compact") == f"✅ `{'汉' * 39}…`"


def test_compact_shows_three_finished_groups_and_no_details() -> None:
    """B10: the threshold counts groups."""
    lines = [done("a"), done("a"), failed("b", "why"), done("c"), ToolLine("d")]
    assert tool_lines(lines, "compact") == "✅ `a` ×2\n❌ `b`\n✅ `c`\n🔧 `d`"


def test_compact_counts_more_than_three_finished_groups() -> None:
    """E4: tool lines must not hide the answer; what runs is shown."""
    lines = [done("a"), done("a"), failed("b"), ToolLine("r"), done("c"), done("d"), ToolLine("s", state="pending")]
    assert tool_lines(lines, "compact") == "✅ 4 tools · ❌ 1 failed\n🔧 `r`\n🔧 `s`"
    assert tool_lines([failed(name) for name in "abcd"], "compact") == "❌ 4 failed"
    assert tool_lines([done("x"), *(failed(name) for name in "abc")], "compact") == "✅ 1 tool · ❌ 3 failed"
    assert tool_lines([done(name) for name in "abcde"], "compact") == "✅ 5 tools"


def test_none_shows_nothing() -> None:
    assert tool_lines([done("a"), ToolLine("b")], "none") == ""
    assert tool_lines([], "full") == tool_lines([], "compact") == ""


def test_a_long_detail_keeps_its_head_and_its_tail() -> None:
    shown = tool_lines([failed("a", "h" * 1000 + "m" * 5000 + "t" * 500)], "full")
    assert shown == f"❌ `a`\n```\n{'h' * 1000}\n…\n{'t' * 500}\n```"


@given(tools, modes)
def test_tools_are_lines_of_inline_code_and_whole_blocks(
    lines: list[ToolLine], mode: Literal["full", "compact"]
) -> None:
    """B9: whatever titles and details hold, a parser sees inline code and fences, nothing else."""
    parser = MarkdownIt("commonmark")
    tokens = parser.parse(tool_lines(lines, mode))
    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close", "fence"}
    spans = [child for token in tokens for child in token.children or []]
    assert {span.type for span in spans} <= {"text", "code_inline", "softbreak"}


@given(tools)
def test_compact_lines_are_short_and_few(lines: list[ToolLine]) -> None:
    """E4."""
    shown = tool_lines(lines, "compact").split("\n")
    running = [line for line in lines if line.state in {"pending", "running"}]
    assert len(shown) <= len(running) + 3 + (not lines)
    assert all(wcswidth(line.split("`")[1]) <= 80 for line in shown if "`" in line)


def test_a_fence_cannot_be_closed_by_its_content() -> None:
    assert fence("a\n```\nb", "py") == "````py\na\n```\nb\n````"


# ---- diffs ----


def test_a_diff_of_a_changed_and_of_a_new_file() -> None:
    assert diff_text("a b.py", "x\ny\n", "x\nz\n") == "--- a/a b.py\n+++ b/a b.py\n@@ -1,2 +1,2 @@\n x\n-y\n+z"
    assert diff_text("a", None, "x") == "--- /dev/null\n+++ b/a\n@@ -0,0 +1 @@\n+x"
    assert diff_text("a", "x", "") == "--- a/a\n+++ b/a\n@@ -1 +0,0 @@\n-x"
    assert diff_text("a", "same", "same") == ""


def test_a_newline_at_the_end_is_a_change_too() -> None:
    missing = "\\ No newline at end of file"
    assert diff_text("a", "x", "x\n") == f"--- a/a\n+++ b/a\n@@ -1 +1 @@\n-x\n{missing}\n+x"
    assert diff_text("a", "x\n", "x") == f"--- a/a\n+++ b/a\n@@ -1 +1 @@\n-x\n+x\n{missing}"


def test_a_path_cannot_break_the_header() -> None:
    assert diff_text("a\n+evil", None, "x").split("\n")[1] == "+++ b/a +evil"


def test_large_files_are_counted() -> None:
    big = "line\n" * 50_000
    assert diff_text("a", big, "one\ntwo") == "--- a/a\n+++ b/a\n@@ 50000 lines → 2 lines, too many to show @@"
    assert diff_text("a", None, big) == "--- /dev/null\n+++ b/a\n@@ 0 lines → 50000 lines, too many to show @@"
    many = "".join(f"{number}\n" for number in range(1500))
    assert "1500 lines → 1500 lines" in diff_text("a", many, many.replace("\n", "x\n"))


def test_a_small_change_in_a_long_file_is_shown() -> None:
    text = "".join(f"{number}\n" for number in range(9000))
    assert "-4711\n+changed" in diff_text("a", text, text.replace("\n4711\n", "\nchanged\n"))


@given(st.none() | st.text("ab\n"), st.text("ab\n"))
def test_the_lines_of_a_diff_are_those_of_the_files(old: str | None, new: str) -> None:
    lines = diff_text("f", old, new).split("\n")[2:]
    added = [line[1:] for line in lines if line[:1] in {"+", " "}]
    removed = [line[1:] for line in lines if line[:1] in {"-", " "}]
    assert set(added) <= set(new.split("\n"))
    assert set(removed) <= set((old or "").split("\n"))
    assert (len(lines) == 0) == (old == new or (old is None and new == ""))


def test_a_long_diff_is_shown_up_to_its_last_whole_line() -> None:
    short = "\n".join(["--- a", "+++ b", *(f"+{number}" for number in range(23))])
    assert diff_head(short) == short
    assert diff_head(f"{short}\n+24") == short
    wide = "--- a\n" + "+" * 2000 + "\n+end"
    assert diff_head(wide) == "--- a"
    assert diff_head("+" * 2000) == "+" * 1500
    even = "--- a\n" + "+" * 1494
    assert diff_head(f"{even}\n+end") == even


def test_a_note_stands_below_its_detail() -> None:
    tools = [
        ToolLine("Edit", "edit", "done", "--- a\n+++ b", "more in a file"),
        ToolLine("ls", "read", "done", "", "no"),
    ]
    assert tool_lines(tools, "full") == "✅ `Edit`\n```diff\n--- a\n+++ b\n```\nmore in a file\n✅ `ls`"
    assert tool_lines(tools, "compact") == "✅ `Edit`\n✅ `ls`"
