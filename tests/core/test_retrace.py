"""Which pages stand there already, and what an interrupted answer looks like."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openab_sync.core.message import MessageRef
from openab_sync.core.port import Limits, Seen
from openab_sync.core.retrace import INTERRUPTED, SILENT, TWICE, drafted, interrupted, retraced, unknown_turn
from openab_sync.store import PageRow, ReplyRow
from tests.core.makers import HERE

NOW = 10_000.0
ROW = ReplyRow("t", HERE.key, "finished", "done", began=NOW - 1000, ended=NOW - 900)
LIMITS = Limits(page=100)


def seen(id: str, text: str, stops: str = "") -> Seen:
    return Seen(MessageRef(HERE, id), text, stops)


def row(*pages: PageRow) -> ReplyRow:
    return replace(ROW, pages=pages)


def pages_of(reply: ReplyRow, *loose: Seen) -> tuple[PageRow, ...]:
    return retraced(reply, loose, NOW, LIMITS)


# What stands there.


def test_a_page_that_says_the_same_is_that_page() -> None:
    found = pages_of(
        row(PageRow(0, "one", "m0", is_shown=True), PageRow(1, "two"), PageRow(2, "three")), seen("m1", "two")
    )
    assert found == (
        PageRow(0, "one", "m0", is_shown=True), PageRow(1, "two", "m1", is_shown=True), PageRow(2, "three"),
    )  # fmt: skip


def test_white_space_that_the_chat_takes_away_makes_no_other_page() -> None:
    assert pages_of(row(PageRow(0, "\none \n")), seen("m0", "one")) == (PageRow(0, "\none \n", "m0", is_shown=True),)


@pytest.mark.parametrize(("text", "shown"), [("one two", "one"), ("x" * 90 + "end", "x" * 90 + "other end")])
def test_a_page_is_known_when_it_was_younger_and_is_brought_up_to_date(text: str, shown: str) -> None:
    assert pages_of(row(PageRow(0, text)), seen("m0", shown)) == (PageRow(0, text, "m0"),)


def test_a_page_that_can_stop_its_turn_is_one_of_its_pages_whatever_it_says() -> None:
    found = pages_of(row(PageRow(0, "one"), PageRow(1, "two")), seen("m9", "🔧 at work", stops="t"))
    assert found == (PageRow(0, "one", "m9"), PageRow(1, "two"))


def test_a_page_that_can_stop_another_turn_is_none_of_its_pages() -> None:
    assert pages_of(row(PageRow(0, "one")), seen("m9", "one", stops="u")) == (PageRow(0, "one"),)


def test_two_pages_that_say_the_same_are_two_messages() -> None:
    found = pages_of(row(PageRow(0, "x"), PageRow(1, "x")), seen("m0", "x"), seen("m1", "x"))
    assert [page.message for page in found] == ["m0", "m1"]


def test_other_words_of_ours_are_no_page() -> None:
    assert pages_of(row(PageRow(0, "one")), seen("n", "Queued."), seen("e", "")) == (PageRow(0, "one"),)


def test_a_page_that_nobody_had_written_down_is_found_by_its_button() -> None:
    running = replace(ROW, state="running")
    assert pages_of(running, seen("m0", "half", stops="t")) == (PageRow(0, "half", "m0"),)


def test_where_nothing_can_be_read_a_page_may_stand_there_twice_and_says_so() -> None:
    found = retraced(row(PageRow(0, "one", "m0"), PageRow(1, "two")), None, NOW, LIMITS)
    assert found == (PageRow(0, "one", "m0"), PageRow(1, f"two\n\n{TWICE}"))


def test_a_full_page_is_marked_by_one_of_its_own() -> None:
    found = retraced(row(PageRow(0, "x" * 100)), None, NOW, LIMITS)
    assert found == (PageRow(0, "x" * 100), PageRow(1, TWICE))


def test_while_the_chat_knows_the_nonce_nothing_is_doubted() -> None:
    young = replace(row(PageRow(0, "one")), ended=NOW - 30)
    assert retraced(young, None, NOW, LIMITS) == (PageRow(0, "one"),)


# What was interrupted.


def test_what_had_been_said_stays_and_the_reason_stands_below() -> None:
    pages = (PageRow(0, "one", "m0", is_shown=True), PageRow(1, "two", "m1", is_shown=True))
    assert interrupted(pages, (), Limits()) == (pages[0], PageRow(1, f"two\n\n> ⚠️ {INTERRUPTED}", "m1"))


def test_a_full_page_gets_another_below_it_and_loses_its_buttons() -> None:
    page = PageRow(0, "x" * 99, "m0", is_shown=True)
    assert interrupted((page,), (), LIMITS) == (replace(page, is_shown=False), PageRow(1, f"> ⚠️ {INTERRUPTED}"))


def test_what_people_have_read_is_not_made_shorter() -> None:
    (page,) = interrupted((PageRow(0, "on", "m0"),), [seen("m0", "one two")], Limits())
    assert page == PageRow(0, f"one two\n\n> ⚠️ {INTERRUPTED}", "m0")


def test_where_nothing_had_been_said_that_is_said() -> None:
    assert interrupted((), (), LIMITS) == (PageRow(0, f"> ⚠️ {SILENT}"),)
    assert interrupted((PageRow(0, " ", "m0"),), (), LIMITS) == (PageRow(0, f"> ⚠️ {SILENT}", "m0"),)


def test_what_was_posted_whole_is_not_edited() -> None:
    page = PageRow(0, "one", "m0", is_shown=True)
    assert len(interrupted((page,), (), Limits(live="once"))) == 2


# What nobody had written down.


def test_a_turn_that_could_be_stopped_and_is_not_known_had_begun() -> None:
    assert unknown_turn([seen("a", "x"), seen("b", "y", stops="t"), seen("c", "z", stops="u")], ["t"]) == "u"
    assert unknown_turn([seen("b", "y", stops="t")], ["t"]) == ""


# What nobody has seen.


def test_what_was_written_down_and_never_posted_becomes_pages() -> None:
    pages, files = drafted("one\n\n" + "x" * 98, Limits(page=100, live="once"))
    assert (pages, files) == ((PageRow(0, "one"), PageRow(1, "x" * 98)), ())
    assert interrupted((PageRow(0, "one"),), (), Limits(live="once")) == (PageRow(0, f"one\n\n> ⚠️ {INTERRUPTED}"),)


def test_of_more_than_may_be_posted_the_head_is_and_all_of_it_is_a_file() -> None:
    text = "\n".join(f"{number} {'x' * 90}" for number in range(9))
    pages, files = drafted(text, Limits(page=100, live="once", max_pages=4, file_size=500))
    assert [page.text[:1] for page in pages] == ["0", "1", "⋯"]
    assert "".join(file.data.decode() for file in files) == text
    assert [(file.number, file.after, file.name) for file in files] == [(1, 2, "answer-1.md"), (2, 2, "answer-2.md")]
    ended = interrupted(pages, (), Limits(page=100, live="once", max_pages=4))
    assert len(ended) == 4 and INTERRUPTED in ended[-1].text
