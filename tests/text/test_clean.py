"""clean: nothing is left that a terminal would obey, and nothing is lost that people would see."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import iter_graphemes

from openab_sync.text.clean import one_line, plain, settled_length

# Neither control nor format to Unicode, and yet nothing to be seen.
UNSEEN = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0" + "".join(
    map(chr, (*range(0xFE00, 0xFE10), *range(0xE0000, 0xE1000)))
)
noise = st.text("\x1b\x9b\x9d\x90[]();8m0\x07\\ab \r\n\t\u202e\u2066\ud800é汉")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x9b31mred\x9bm", "red"),
        ("\x1b[38;5;12", ""),
        ("\x1b", ""),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]0;title\x1b\\text", "text"),
        ("\x1b]0;never ended\nnext", "\nnext"),
        ("\x1bP1$r\x1b\\text", "text"),
        ("\x90never ended\nnext", "\nnext"),
        ("\x1b(Btext\x1b=\x1bc", "text"),
        ("a\x00b\x08c\x7fd\x85e", "abcde"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("10%\r100%\r\ndone", "10%\n100%\ndone"),
        ("half \ud83d pair", "half \ufffd pair"),
        ("safe\u202egpj.exe\u2066x\u2069", "safegpj.exex"),
        ("pass\u200bword s\u200dk so\u00adft \ufeffbom w\u2060j", "password sk soft bom wj"),
        ("a\u200eb \u200fc", "ab c"),
        ("hid\U000e0068\U000e0069den a\ufe01\ufe02b", "hidden ab"),
        ("\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f 1\ufe0f\u20e3 \u2764\ufe0f",) * 2,
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \u0915\u094d\u200d\u0937",) * 2,
        ("\u200d\U0001f469", "\u200d\U0001f469"),  # the rest of a picture that came in two pieces
        ("שלום \u200fعالم 汉字 👨‍👩‍👧 🇩🇪 e\u0301", "שלום \u200fعالم 汉字 👨‍👩‍👧 🇩🇪 e\u0301"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    """B5, E18: colours, titles, unended sequences, controls, overrides of the reading direction."""
    assert plain(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]8;;https://a.b/c\x1b\\Log in\x1b]8;;\x1b\\.", "Log in (https://a.b/c)."),
        ("\x1b]8;id=1;https://a.b\x07\x1b[4mhttps://a.b\x1b[0m\x1b]8;;\x07", "https://a.b"),
        ("\x1b]8;;https://a.b\x07one\x1b]8;;https://c.d\x07two\x1b]8;;\x07", "one (https://a.b)two (https://c.d)"),
    ],
)
def test_the_address_of_a_hyperlink_is_kept(text: str, shown: str) -> None:
    """E18: a login link must stay usable."""
    assert plain(text) == shown


@given(noise | st.text(st.characters()))
def test_plain_text_is_plain(text: str) -> None:
    shown = plain(text)
    assert not any(ord(c) < 32 and c not in "\n\t" for c in shown)
    assert not any(0x7F <= ord(c) <= 0x9F or 0xD800 <= ord(c) <= 0xDFFF for c in shown)
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert plain(shown) == shown


@given(st.text(st.characters(exclude_categories=["Cc", "Cf", "Cn", "Cs"], exclude_characters=UNSEEN)))
def test_ordinary_text_is_not_changed(text: str) -> None:
    """E2."""
    assert plain(text) == text


@given(noise | st.text(), st.integers(1, 30))
def test_one_line_is_one_line_of_whole_characters(text: str, width: int) -> None:
    """E2, B9."""
    line = one_line(text, width)
    whole = " ".join(plain(text).split())
    assert len(line) <= width
    assert line == " ".join(line.split())
    if line != whole:
        assert line.endswith("…")
        kept = list(iter_graphemes(line[:-1]))
        assert kept == list(iter_graphemes(whole))[: len(kept)]


@pytest.mark.parametrize(
    ("text", "width", "line"),
    [
        ("  a\n\t b  ", 9, "a b"),
        ("abcdef", 6, "abcdef"),
        ("abcdefg", 6, "abcde…"),
        ("ab cdefg", 4, "ab…"),
        ("a👨‍👩‍👧b", 4, "a…"),
        ("abc", 1, "…"),
    ],
)
def test_a_line_is_cut(text: str, width: int, line: str) -> None:
    assert one_line(text, width) == line


def test_a_line_must_hold_something() -> None:
    with pytest.raises(ValueError, match="not 0"):
        one_line("a", 0)


@pytest.mark.parametrize(
    "text",
    ["\x1b" * 1_000_000, "\x1b]" * 400_000, "\x1b[" + "1;" * 500_000, "\x1b]8;;http://x\x1b\\a" * 50_000],
    ids=lambda text: repr(text[:6]),
)
def test_a_megabyte_of_noise_is_cleaned_in_time(text: str) -> None:
    assert "\x1b" not in plain(text)


@pytest.mark.parametrize(
    ("text", "settled"),
    [
        ("", 0),
        ("text", 4),
        ("a\x1b", 1),
        ("a\x1b[31", 1),
        ("a\x1b[31m", 6),
        ("a\x9b31", 1),
        ("a\x1b]0;title", 1),
        ("a\x1b]0;title\x1b", 1),
        ("a\x1b]0;title\x07", 11),
        ("a\x1b]0;never ended\n", 17),
        ("a\x1bP1$r", 1),
        ("line\r", 4),
        ("a\x1b]" + "x" * 300, 303),
    ],
)
def test_only_the_head_of_an_escape_sequence_is_waited_for(text: str, settled: int) -> None:
    assert settled_length(text) == settled


@given(noise)
def test_what_is_waited_for_is_bounded_and_shows_nothing(text: str) -> None:
    held = text[settled_length(text) :]
    assert len(held) <= 200
    assert not plain(held).strip("\n")
