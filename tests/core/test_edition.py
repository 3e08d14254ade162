"""edition.py: pages bounded in number, the whole as a file, and everybody called who is spoken to."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.acp import events as acp
from openab_sync.core.drawing import Drawing
from openab_sync.core.edition import Edition
from openab_sync.core.port import File, Limits, Notice
from openab_sync.core.turn import Turn
from openab_sync.text.split import split
from tests.core.scene import note, tool
from tests.fakes.clock import FakeClock

LIMITS = Limits(page=200, max_pages=3)


def new_turn() -> Turn:
    return Turn((note(),), FakeClock())


def lines(first: int, last: int) -> str:
    return "".join(f"line number {number}\n" for number in range(first, last))


def names(edition: Edition) -> list[str]:
    return [item.name for _, item in edition.files if isinstance(item, File)]


def test_an_answer_within_the_bound_is_what_the_manuscript_says() -> None:
    turn, edition = new_turn(), Edition(Drawing(), LIMITS)
    turn.take(acp.Said(lines(0, 30)))
    live = edition.write(turn, "*working*")
    assert edition.pages + live == split(lines(0, 30) + "\n*working*", 200)
    assert (edition.is_long, edition.files) == (False, [])


def test_a_longer_one_goes_on_in_its_last_page_and_ends_as_a_file() -> None:
    turn, edition = new_turn(), Edition(Drawing(), LIMITS)
    turn.take(acp.Said(lines(0, 30)))
    edition.write(turn)
    head = list(edition.pages)
    last = ""
    for number in range(30, 60):
        turn.take(acp.Said(lines(number, number + 1)))
        last = edition.write(turn)[-1]
        assert len(last) <= 200
        assert last.endswith(f"line number {number}")
    assert "characters so far; all of it will be in `answer.md`" in last
    assert edition.pages == head == split(lines(0, 60), 200)[:2]
    turn.end("done")
    edition.write(turn, "*footer*")
    edition.close(turn, "*footer*")
    assert edition.pages[:2] == head
    assert len(edition.pages) == 3
    assert edition.pages[2].startswith("⋯ *All of the answer, 895 characters, is in `answer.md`.*\n\nline")
    assert edition.pages[2].endswith("line number 59\n\n*footer*")
    ((after, file),) = edition.files
    assert after == 2
    assert file == File("answer.md", f"{lines(0, 60)}\n*footer*".encode(), "text/markdown")
    assert repr(edition).startswith("<Edition pages=3 long=False")


def test_the_bound_holds_where_everything_comes_at_once() -> None:
    turn, edition = new_turn(), Edition(Drawing(), LIMITS)
    turn.take(acp.Said(lines(0, 100)))
    turn.end("done")
    edition.close(turn)
    assert len(edition.pages) == 3
    assert names(edition) == ["answer.md"]


@pytest.mark.parametrize("page", [200, 30])
def test_a_single_page_is_enough(page: int) -> None:
    turn, edition = new_turn(), Edition(Drawing(), Limits(page=page, max_pages=1))
    turn.take(acp.Said(lines(0, 30)))
    (live,) = edition.write(turn)
    turn.end("done")
    edition.close(turn)
    assert len(live) <= page
    assert [len(text) <= page for text in edition.pages] == [True]


def test_what_comes_late_begins_a_new_page_with_a_bound_of_its_own() -> None:
    turn, edition = new_turn(), Edition(Drawing(), LIMITS)
    turn.take(acp.Said(lines(0, 60)))
    turn.end("done")
    edition.close(turn)
    turn.take(acp.Said("late\n"))
    edition.close(turn)
    assert edition.pages[3:] == ["late"]
    turn.take(acp.Said(lines(0, 60)))
    edition.close(turn)
    assert len(edition.pages) == 3 + 1 + 3
    assert names(edition) == ["answer.md", "answer.md"]


def test_files_follow_the_page_that_stands_for_theirs() -> None:
    turn, edition = new_turn(), Edition(Drawing(), LIMITS)
    image = acp.Media("image", "image/png", data="")
    for _ in range(4):
        turn.take(acp.Said(lines(0, 12)), image)
        edition.write(turn)
    turn.end("done")
    edition.close(turn)
    assert [(page, item is image) for page, item in edition.files] == [
        (0, True),
        (1, True),
        (2, True),
        (2, True),
        (2, False),
    ]


def test_thoughts_that_are_hidden_in_the_chat_are_quoted_in_the_file() -> None:
    turn, edition = new_turn(), Edition(Drawing(thoughts=True), Limits(page=200, max_pages=1, spoilers=True))
    turn.take(acp.Thought("hm"), acp.Said(lines(0, 30)))
    turn.end("done")
    edition.close(turn)
    ((_, file),) = edition.files
    assert isinstance(file, File)
    assert file.data.startswith("> 💭 hm\n\nline".encode())


# ---- whom it speaks to ----

MENTIONS = Limits(page=100, live="once", mention=r"<@\d+>")


def test_those_whom_the_answer_speaks_to_are_named_on_every_page() -> None:
    """FIELD E10."""
    turn, edition = new_turn(), Edition(Drawing(), MENTIONS)
    turn.take(acp.Said("<@1>, <@22>: <@1> please look.\n" + lines(0, 20) + "and <@333>"))
    turn.end("done")
    edition.close(turn)
    assert len(edition.pages) > 3
    for page in edition.pages:
        assert len(page) <= 100
        assert "<@1>" in page
        assert "<@22>" in page
    assert [page.startswith("<@1> <@22>\n") for page in edition.pages] == [False] + [True] * (len(edition.pages) - 1)
    turn.take(acp.Said("\nlate"))
    edition.close(turn)
    assert edition.pages[-1] == "<@1> <@22>\nlate"


def test_a_tool_line_above_the_answer_is_no_reason_to_name_nobody() -> None:
    turn, edition = new_turn(), Edition(Drawing(), MENTIONS)
    turn.take(tool("a", "ls", "completed"), acp.Said("<@1> look.\n" + lines(0, 20)))
    turn.end("done")
    edition.close(turn)
    assert all("<@1>" in page for page in edition.pages)
    assert edition.pages[0].startswith("✅ `ls`\n\n<@1> look.")


@pytest.mark.parametrize("text", ["Look, <@1>.\n", "", "<@1"])
def test_who_is_named_further_down_is_named_once(text: str) -> None:
    turn, edition = new_turn(), Edition(Drawing(), MENTIONS)
    turn.take(acp.Said(text + lines(0, 20)))
    turn.end("done")
    edition.close(turn)
    assert edition.pages == split(text + lines(0, 20), 100)


def test_a_crowd_does_not_fill_the_pages() -> None:
    turn, edition = new_turn(), Edition(Drawing(), MENTIONS)
    turn.take(acp.Said("".join(f"<@{number}> " for number in range(100, 150)) + lines(0, 20)))
    turn.end("done")
    edition.close(turn)
    assert edition.pages[-1].startswith("<@100> <@101> <@102>\nline")


def test_the_last_page_of_a_very_long_answer_names_them_too() -> None:
    turn, edition = new_turn(), Edition(Drawing(), Limits(page=100, live="once", mention=r"<@\d+>", max_pages=2))
    turn.take(acp.Said("<@1> look.\n" + lines(0, 50)))
    turn.end("done")
    edition.close(turn)
    assert edition.pages[1].startswith("<@1>\n⋯ *All")
    assert len(edition.pages[1]) <= 100


# ---- whatever happens ----


@given(
    st.lists(
        st.sampled_from(["line\n", "```py\n", "```\n", "words " * 9, "\n\n", "look", ""]) | st.just("late"), max_size=40
    ),
    st.integers(60, 200),
    st.integers(0, 4),
)
def test_pages_never_change_and_are_never_too_many(steps: list[str], page: int, most: int) -> None:
    turn, edition = new_turn(), Edition(Drawing(), Limits(page=page, max_pages=most))
    for step in steps:
        if step != "look":
            turn.take(acp.Said(step) if step != "late" else Notice("ours"))
            continue
        before = list(edition.pages)
        live = edition.write(turn)
        assert edition.pages[: len(before)] == before
        pages = edition.pages + live
        assert not most or len(pages) <= most
        assert all(len(text) <= page and text.strip() for text in pages)
    before = list(edition.pages)
    turn.end("done")
    edition.close(turn)
    assert edition.pages[: len(before)] == before
    assert not most or len(edition.pages) <= most
    assert all(len(text) <= page and text.strip() for text in edition.pages)


def test_a_very_long_answer_costs_time_in_proportion_to_its_text() -> None:
    def cost(chunks: int) -> float:
        turn, edition = new_turn(), Edition(Drawing(), Limits(max_pages=3))
        begin = time.thread_time()
        for number in range(chunks):
            turn.take(acp.Said("a line of ordinary text\n"))
            if number % 100 == 0:
                edition.write(turn)
        edition.write(turn)
        return time.thread_time() - begin

    cost(100)
    assert cost(20_000) < 30 * cost(2_000)
