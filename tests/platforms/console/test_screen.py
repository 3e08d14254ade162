from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.acp import events as acp
from openab_sync.core.message import MessageRef
from openab_sync.core.port import Notice, Settled, TurnEnded, TurnEvent, TurnStarted
from openab_sync.platforms.console.screen import Screen, Shown, media_line
from openab_sync.platforms.console.style import Style
from openab_sync.text.tools import diff_text

from .stub import ONE, question

REF = MessageRef(ONE, "1")
PLAIN = Style(coloured=False)
DONE = TurnEnded((REF,), "done")


def drawn(*events: TurnEvent, shown: Shown = Shown(), style: Style = PLAIN) -> str:  # noqa: B008  it is frozen
    screen = Screen(style, shown)
    return "".join(screen.draw(event) for event in events)


# The answer.


def test_text_is_streamed_as_it_comes() -> None:
    screen = Screen(PLAIN, Shown())
    assert [screen.draw(acp.Said(text)) for text in ("Hel", "lo\nyou")] == ["Hel", "lo\nyou"]
    assert screen.is_mid_line


def test_a_line_is_finished_before_anything_else_begins() -> None:
    assert drawn(acp.Said("working"), Notice("a notice"), acp.Said("on")) == "working\na notice\non"


def test_another_message_begins_a_paragraph() -> None:
    assert drawn(acp.Said("a", "m1"), acp.Said("b", "m1"), acp.Said("c", "m2")) == "ab\n\nc"
    assert drawn(acp.Said("a\n", "m1"), acp.Said("b", "m2"), acp.Said("c")) == "a\n\nbc"


def test_a_new_turn_begins_no_paragraph() -> None:
    assert drawn(acp.Said("a", "m1"), DONE, TurnStarted((REF,)), acp.Said("b", "m2")) == "a\nb"


def test_text_after_the_end_of_the_turn_is_still_shown() -> None:
    assert drawn(acp.Said("a\n", "m1"), DONE, acp.Said("late\n", "m1")) == "a\nlate\n"


@pytest.mark.parametrize(
    "event",
    [
        acp.Said("\x1b]0;owned\x07a\x1b[2Jb\x9b31m\r\x08"),
        acp.ToolChanged("t", title="\x1b[2Jx\x07", status="failed", content=(acp.Output("\x1b[31mno\x1b]8;;u\x07"),)),
        acp.PlanChanged((acp.PlanEntry("\x1b[Hplan"),)),
        acp.Link("\x1b[2Ju", "\x1b[2Jn"),
        acp.Media("resource", text="\x1b[2Jtext"),
        acp.ToolChanged("t", title="e", content=(acp.Diff("/\x1b[2J", "a\x1b[2J\n", "b\x1b[2J\n"),)),
        Notice("\x1b[2Jn"),
        Settled(question(title="\x1b[2Jt"), "\x1b[2Jx"),
        TurnEnded((REF,), "failed", "\x1b[2Jr", "\x1b[2Jf"),
    ],
)
def test_nothing_that_an_agent_says_can_command_the_terminal(event: TurnEvent) -> None:
    text = drawn(event)
    assert text
    assert not any(ord(char) < 32 and char not in "\n\t" for char in text)
    assert "\x9b" not in text


@given(st.lists(st.text(), max_size=8))
def test_however_text_is_cut_no_escape_survives(pieces: list[str]) -> None:
    text = drawn(*(acp.Said(piece) for piece in pieces))
    assert "\x1b" not in text
    assert "\r" not in text


# Thoughts.


def test_thoughts_are_shown_on_request_only() -> None:
    events = (acp.Said("a"), acp.Thought("hm"), acp.Thought(" yes"), acp.Said("b"))
    assert drawn(*events) == "ab"
    assert drawn(*events, shown=Shown(thoughts=True)) == "a\n💭 hm yes\nb"


def test_a_thought_that_ends_its_line_needs_no_other_end() -> None:
    assert drawn(acp.Thought("hm\n"), acp.Said("b"), shown=Shown(thoughts=True)) == "💭 hm\nb"
    assert drawn(acp.Thought(""), acp.Said(""), shown=Shown(thoughts=True)) == ""


# Tools.


def test_a_tool_is_told_when_it_begins_and_when_it_ends() -> None:
    tool = acp.ToolChanged("t1", title="Read README", kind="read", status="in_progress")
    assert drawn(tool, acp.ToolChanged("t1", status="completed")) == "🔧 Read README\n✅ Read README\n"


def test_a_tool_that_is_done_at_once_is_one_line() -> None:
    assert drawn(acp.ToolChanged("t", title="x", status="completed")) == "✅ x\n"


def test_a_refined_title_is_told_at_the_end() -> None:
    events = (
        acp.ToolChanged("t", title="bash", status="pending"),
        acp.ToolChanged("t", title="make all"),
        acp.ToolChanged("t", status="in_progress"),
        acp.ToolChanged("t", status="completed"),
        acp.ToolChanged("t", status="in_progress"),
    )
    assert drawn(*events) == "🔧 bash\n✅ make all\n"


@pytest.mark.parametrize(
    ("tool", "title"),
    [
        (acp.ToolChanged("t", raw_input={"command": "make", "x": 1}), "make"),
        (acp.ToolChanged("t", raw_input={"path": "/a"}), "/a"),
        (acp.ToolChanged("t", title=" ", kind="edit", raw_input=["odd"]), "edit"),
        (acp.ToolChanged("t", status="in_progress"), "tool"),
        (acp.ToolChanged("t", title="two\nlines"), "two lines"),
    ],
)
def test_a_tool_without_a_title_is_named_by_what_it_was_given(tool: acp.ToolChanged, title: str) -> None:
    assert drawn(tool) == f"🔧 {title}\n"


def test_a_failed_tool_tells_its_last_words() -> None:
    output = "\n".join(f"line {number}" for number in range(30))
    text = drawn(acp.ToolChanged("t", title="x", status="failed", content=(acp.Output(output),)))
    assert text.startswith("❌ x\n   line 18\n")
    assert text.endswith("   line 29\n")


def test_a_diff_is_shown_once() -> None:
    diff = acp.Diff("a.txt", "old\n", "new\n")
    tool = acp.ToolChanged("t", title="Edit", status="pending", content=(diff,))
    text = drawn(tool, acp.ToolChanged("t", status="completed", content=(diff,)))
    assert (text.count("-old"), text.count("+new"), text.count("Edit")) == (1, 1, 2)


DIFF = acp.Diff("a.txt", "old\n", "new\n")
FENCED = "```diff\n" + diff_text("a.txt", "old\n", "new\n") + "\n```"


def test_a_question_does_not_repeat_the_change_that_stands_above_it() -> None:
    screen = Screen(PLAIN, Shown())
    tool = acp.ToolChanged("t", title="Edit", status="pending", content=(DIFF,))
    text = screen.draw(tool) + screen.question(question(detail=f"{FENCED}\n\nas you wished"), "answer")
    text += screen.draw(acp.ToolChanged("t", status="completed", content=(DIFF,)))
    assert (text.count("+new"), text.count("(the change above)"), text.count("as you wished")) == (1, 1, 1)
    again = Screen(PLAIN, Shown()).question(question(detail=FENCED), "answer")
    assert "+new" in again, "another screen has not shown it"


def test_a_change_that_a_question_has_shown_is_not_repeated_when_it_is_made() -> None:
    screen = Screen(PLAIN, Shown())
    text = screen.draw(acp.ToolChanged("t", title="Edit")) + screen.question(question(detail=FENCED), "answer")
    text += screen.draw(acp.ToolChanged("t", status="completed", content=(DIFF,)))
    assert (text.count("+new"), text.count("✅ Edit")) == (1, 1)
    assert "+new" in screen.draw(acp.ToolChanged("u", title="Again", content=(DIFF,))), "another tool, another change"


def test_a_new_turn_shows_its_changes_whatever_the_last_one_did() -> None:
    screen = Screen(PLAIN, Shown())
    tool = acp.ToolChanged("t", title="Edit", content=(DIFF,))
    shown = [screen.draw(tool), screen.draw(DONE), screen.question(question(detail=FENCED), "answer")]
    assert ["+new" in text for text in shown] == [True, False, True]


def test_a_diff_that_comes_late_is_shown_at_the_end() -> None:
    done = acp.ToolChanged("t", status="completed", content=(acp.Diff("a", None, "new\n"),))
    assert "+new" in drawn(acp.ToolChanged("t", title="Write"), done)


def test_diffs_are_coloured() -> None:
    tool = acp.ToolChanged("t", title="Edit", content=(acp.Diff("a", "old\n", "new\n"),))
    assert "\x1b[32m+new\x1b[0m" in drawn(tool, style=Style(coloured=True))


def test_tools_can_be_short_or_hidden() -> None:
    diff = (acp.Diff("a", "old\n", "new\n"),)
    tools = (acp.ToolChanged("t", title="x", content=diff), acp.ToolChanged("t", status="failed"))
    assert drawn(*tools, shown=Shown(tools="compact")) == "🔧 x\n❌ x\n"
    assert drawn(*tools, DONE, shown=Shown(tools="none")) == ""


def test_a_tool_that_never_ended_is_named_at_the_end_of_the_turn() -> None:
    text = drawn(acp.ToolChanged("t", title="x"), TurnEnded((REF,), "cancelled", "Cancelled by me."))
    assert text == "🔧 x\n– x (not finished)\n⏹ Cancelled by me.\n"


# Plans.


def test_a_plan_is_shown_whole_and_then_what_changed() -> None:
    first = acp.PlanChanged((acp.PlanEntry("read", "in_progress"), acp.PlanEntry("write")))
    then = acp.PlanChanged((acp.PlanEntry("read", "completed"), acp.PlanEntry("write")))
    assert drawn(first, first, then) == "📋 Plan\n◐ read\n☐ write\n☑ read\n"
    assert drawn(first, then, shown=Shown(plan=False)) == ""


def test_another_plan_is_shown_whole_again() -> None:
    plans = (acp.PlanChanged((acp.PlanEntry("a"),)), acp.PlanChanged((acp.PlanEntry("b"),)))
    assert drawn(*plans) == "📋 Plan\n☐ a\n📋 Plan\n☐ b\n"


# Everything else.


def test_pictures_and_links_have_a_line_each() -> None:
    assert media_line(acp.Media("image", "image/png", data="AAAA")) == "📎 image image/png, 3 bytes"
    assert drawn(acp.Said("see"), acp.Link("https://x", "doc")) == "see\n🔗 doc https://x\n"
    assert drawn(acp.Media("resource", uri="file:///a", text="body\n")) == "📎 resource file:///a\nbody\n"


@pytest.mark.parametrize(
    ("end", "text"),
    [
        (DONE, "said\n"),
        (TurnEnded((REF,), "done", "", "model · 1 s"), "said\nmodel · 1 s\n"),
        (TurnEnded((REF,), "done", "Nothing was said."), "said\nNothing was said.\n"),
        (TurnEnded((REF,), "cancelled"), "said\n⏹ cancelled\n"),
        (TurnEnded((REF,), "gone", "It died."), "said\n✗ It died.\n"),
        (TurnEnded((REF,), "limit"), "said\n✗ limit\n"),
    ],
)
def test_the_end_says_what_there_is_to_say(end: TurnEnded, text: str) -> None:
    assert drawn(acp.Said("said"), end) == text


def test_a_failure_is_red_and_a_notice_faint() -> None:
    style = Style(coloured=True)
    assert drawn(TurnEnded((REF,), "failed", "no"), style=style) == "\x1b[31m✗ no\x1b[0m\n"
    assert drawn(Notice("n"), style=style) == "\x1b[2mn\x1b[0m\n"


def test_usage_and_titles_have_their_place_elsewhere() -> None:
    assert drawn(acp.UsageChanged(1, 2), acp.SessionInfo("title")) == ""


def test_a_question_shows_all_of_what_it_is_about() -> None:
    detail = "```diff\n-old\n+new\n```\nplain"
    text = Screen(Style(coloured=True), Shown()).question(question(detail=detail), "answer 1-2")
    assert "❓ Run make?" in text
    assert "   \x1b[31m-old\x1b[0m\n   \x1b[32m+new\x1b[0m\n   ```\n   plain\n" in text
    assert text.endswith("   1. Allow once\n   2. Reject\n\x1b[2m   answer 1-2\x1b[0m\n")
    assert Screen(PLAIN, Shown()).question(question(), "now").count("\n") == 4


def test_the_name_of_an_option_cannot_look_like_another_option() -> None:
    asked = replace(question(), options=(acp.PermissionOption("yes", "Allow\n   2. Reject", "allow_once"),))
    assert "   1. Allow 2. Reject\n" in Screen(PLAIN, Shown()).question(asked, "now")


@pytest.mark.parametrize("text", ["a \x1b[31mred\x1b[0m b", "a \x1b]0;title\x07red b", "a\x1b]8;;u\x1b\\ red b"])
def test_an_escape_sequence_may_be_cut_anywhere(text: str) -> None:
    whole = drawn(acp.Said(text))
    for cut in range(len(text)):
        pieces = acp.Said(text[:cut], "m"), acp.UsageChanged(), acp.Said(text[cut:], "m")
        assert drawn(*pieces) == whole
        thoughts = acp.Thought(text[:cut]), acp.Thought(text[cut:])
        assert drawn(*thoughts, shown=Shown(thoughts=True)) == f"💭 {whole}"


def test_the_head_of_an_escape_sequence_is_forgotten_with_its_text() -> None:
    assert drawn(acp.Said("a\x1b["), DONE, TurnStarted((REF,)), acp.Said("2 b")) == "a\n2 b"
    assert drawn(acp.Said("a\x1b[", "m1"), acp.Said("2 b", "m2")) == "a\n\n2 b"
    assert drawn(acp.Said("a\x1b]" + "x" * 300 + "\nb")) == "a\nb"
