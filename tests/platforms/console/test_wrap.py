"""Lines broken between words: nothing lost, nothing too wide, whatever the pieces."""

from __future__ import annotations

import io
import os
import pty
import struct
from fcntl import ioctl
from termios import TIOCSWINSZ

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth

from openab_sync.platforms.console.wrap import Wrapped, columns, wrapped

WORDS = st.text(st.sampled_from("ab \t\n汉👍é-"), max_size=80)


def shown(row: str) -> int:
    return wcswidth(row.rstrip())


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("one two three", ["one two", "three"]),
        ("one two\nthree four", ["one two", "three four"]),
        ("  one two three", ["  one two", "  three"]),
        ("one_long_word_and more", ["one_long_word_and", "more"]),
        ("see a_very_long_address", ["see", "a_very_long_address"]),
        ("汉字汉字汉字汉字", ["汉字汉字汉", "字汉字"]),
        ("a 汉字汉字汉字", ["a 汉字汉字", "汉字"]),
        ("", [""]),
        ("a\tb c d", ["a\tb", "c d"]),
        (" " * 6 + "far right", [" " * 6 + "far", "right"]),
    ],
)
def test_lines_are_broken_between_words(text: str, rows: list[str]) -> None:
    assert wrapped(text, 10).split("\n") == rows


def test_a_colour_ends_with_its_row_and_goes_on_in_the_next() -> None:
    faint = "\x1b[2mone two three\x1b[0m four"
    assert wrapped(faint, 8) == "\x1b[2mone two\x1b[0m\n\x1b[2mthree\x1b[0m\nfour"


def test_without_a_terminal_nothing_is_broken() -> None:
    assert wrapped("one two three", 0) == "one two three"
    assert Wrapped(lambda: 0).feed("one two thr") == "one two thr"
    assert columns(io.StringIO()) == 0
    with open(os.devnull, "w", encoding="utf-8") as sink:
        assert columns(sink) == 0


def test_a_terminal_is_as_wide_as_it_says() -> None:
    master, slave = pty.openpty()
    try:
        ioctl(slave, TIOCSWINSZ, struct.pack("HHHH", 24, 77, 0, 0))
        with open(slave, "w", encoding="utf-8", closefd=False) as stream:
            assert columns(stream) == 77
    finally:
        os.close(master)
        os.close(slave)


@given(WORDS, st.integers(4, 30))
def test_nothing_is_lost(text: str, width: int) -> None:
    rows = wrapped(text, width)
    assert "".join(rows.split()) == "".join(text.split())
    assert wrapped(rows, width) == rows


@given(WORDS.map(lambda text: text.replace("\t", "")), st.integers(4, 30))
def test_a_row_is_too_wide_only_for_a_word_that_is(text: str, width: int) -> None:
    for row in wrapped(text, width).split("\n"):
        indentation = len(row) - len(row.lstrip())
        widest = max(map(wcswidth, row.split()), default=0)
        assert shown(row) <= width or indentation + widest > width


@given(st.lists(WORDS, max_size=6), st.integers(4, 30))
def test_text_in_pieces_is_broken_as_a_whole_is(pieces: list[str], width: int) -> None:
    whole = wrapped("".join(pieces), width)
    paper = Wrapped(lambda: width)
    assert "".join(map(paper.feed, pieces)) + paper.flush() == whole
    printed, tail = "", ""  # as the line editor does it: the last row is drawn again and again
    for piece in pieces:
        rows, newline, tail = wrapped(tail + piece, width).rpartition("\n")
        printed += rows + newline
    assert printed + tail == whole


def test_a_terminal_that_becomes_narrower_keeps_what_stands_there() -> None:
    widths = [20, 20, 6, 6, 6, 6]
    paper = Wrapped(lambda: widths.pop(0) if len(widths) > 1 else 6)
    assert paper.feed("one two three four ") == "one two three four"
    assert paper.feed("five ") + paper.flush() == " five "


def test_a_word_without_an_end_is_not_waited_for_for_ever() -> None:
    paper = Wrapped(lambda: 40)
    assert sum(len(paper.feed("x")) for _ in range(500)) > 200
