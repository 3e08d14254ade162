"""How a question looks: all of it, in the message or in a file with it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from openab_sync.core.events import PermissionOption
from openab_sync.core.message import Conversation, Person
from openab_sync.core.port import Question
from openab_sync.platforms.discord.question_view import over_text, people_of, shown
from tests.platforms.discord.test_questions import question

HERE = Conversation("discord", "1")
LONG = st.text(max_size=3000)


def test_a_long_detail_is_in_a_file_and_the_message_says_so() -> None:
    """A destructive line below the fold must not be approved unseen."""
    detail = "```\n" + "\n".join(f"line {number}" for number in range(500)) + "\nrm -rf /\n```"
    page = shown(question(HERE, detail=detail))
    assert len(page.text) <= 1700
    assert "only the beginning" in page.text and "rm -rf /" not in page.text
    assert detail in page.file


def test_what_does_not_fit_on_its_button_is_marked_by_its_kind() -> None:
    kinds = {"allow_once": "🟢", "allow_always": "🔵", "reject_once": "🔴", "reject_always": "🔴", "": "⚪"}
    options = tuple(PermissionOption(kind, f"{kind} " + "x" * 90, kind) for kind in kinds)
    text = shown(question(HERE, options=options)).text
    for number, mark in enumerate(kinds.values(), 1):
        assert f"{number}. {mark} " in text


def test_a_label_that_does_not_fit_on_its_button_stands_in_the_text() -> None:
    name = "Allow everything that begins with " + "x" * 60
    page = shown(question(HERE, options=(PermissionOption("a", name), PermissionOption("b", "No"))))
    assert f"1. ⚪ {name}" in page.text
    assert "2." not in page.text


def test_an_open_fence_does_not_swallow_what_follows() -> None:
    page = shown(question(HERE, detail="before\n~~~sh\nrm x", asked_of=(Person("5", "ann"),)))
    assert page.text.endswith("rm x\n~~~\n<@5>")


def test_a_title_cannot_format_what_follows() -> None:
    assert "**rm \\*\\*x\\*\\***" in shown(question(HERE, title="rm **x**")).text


@given(LONG, LONG, st.lists(st.text(max_size=200), max_size=30))
def test_nothing_is_cut_silently(title: str, detail: str, names: list[str]) -> None:
    options = tuple(PermissionOption(str(number), name) for number, name in enumerate(names))
    page = shown(question(HERE, title=title, detail=detail, options=options))
    assert 0 < len(page.text) <= 1700
    assert detail in (page.file or page.text)


@given(LONG, LONG, st.text(max_size=2000))
def test_a_question_that_is_over_fits_whatever_it_was(title: str, detail: str, text: str) -> None:
    asked = question(HERE, title=title, detail=detail)
    over = over_text(asked, text)
    assert over.startswith(shown(asked).text) and len(over) <= 2000


def test_bots_are_not_asked() -> None:
    asked: Question = question(HERE, asked_of=(Person("1", "helper", is_bot=True), Person("5", "ann")))
    assert people_of(asked) == [Person("5", "ann")]
