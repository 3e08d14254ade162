"""What a login shows is picked out, however it comes in pieces, and once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.text.device import Hint, Watch

DEVICE = (
    "\x1b[1mFirst copy your one-time code: \x1b[32mABCD-1234\x1b[0m\r\n"
    "Then open https://example.org/login/device?user_code=WXYZ-9876&x=1 in your browser.\r\n"
    "Waiting for you ...\r\n"
)


def all_hints(*pieces: str) -> list[Hint]:
    watch = Watch()
    return [hint for piece in pieces for hint in watch.feed(piece)] + watch.rest()


def test_an_address_and_a_code_are_told() -> None:
    assert set(all_hints(DEVICE)) == {
        Hint("code", "ABCD-1234"),
        Hint("url", "https://example.org/login/device?user_code=WXYZ-9876&x=1"),
    }


@given(st.lists(st.integers(0, len(DEVICE)), max_size=8).map(sorted))
def test_it_comes_in_pieces_and_is_told_once_and_whole(cuts: list[int]) -> None:
    pieces = [DEVICE[a:b] for a, b in zip([0, *cuts], [*cuts, len(DEVICE)], strict=True)]
    found = all_hints(*pieces)
    assert len(found) == len(set(found)) == 2
    assert set(found) == set(all_hints(DEVICE))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Your code is K7QX2M9P", "K7QX2M9P"),
        ("Enter the code: 493817", "493817"),
        ("user code WDJB-MJHT\n", "WDJB-MJHT"),
        ("Code: `X1Y2Z3`", "X1Y2Z3"),
        ("AB12-CD34-EF56\n", "AB12-CD34-EF56"),
    ],
)
def test_codes_of_several_kinds(text: str, code: str) -> None:
    assert Hint("code", code) in all_hints(text)


@pytest.mark.parametrize("text", ["error code: FAILED", "UTF-8\n", "2026-11-30", "see http:// nothing", "a/AB12-CD34"])
def test_what_only_looks_like_one_is_none(text: str) -> None:
    assert all_hints(text) == []


def test_a_question_is_the_last_line_that_waits() -> None:
    watch = Watch()
    watch.feed("Welcome\nPaste the code here: ")
    assert watch.question == "Paste the code here:"
    watch.feed("\nThanks.\n")
    assert watch.question == ""


@given(st.text(max_size=300))
def test_nothing_breaks_it_and_it_stays_small(text: str) -> None:
    watch = Watch()
    for _ in range(3):
        watch.feed(text)
    watch.feed("x" * 100_000)
    assert len(watch._text) <= 16_384
