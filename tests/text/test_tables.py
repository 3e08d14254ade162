"""tables: what is a table is rewritten, all else stays byte for byte, however the text arrives."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth

from openab_sync.text.tables import Mode, TableStream, convert

TABLE = """\
before
| Name | Qty | Note |
|:-----|----:|:----:|
| **apple** | 3 | `a\\|b` |
| [home](https://a.b) | 10 | |
| 日本語 | 5 |
after ~/.ssh *.rs 3 * 4
"""

modes = st.sampled_from(["code", "bullets", "off"])
cells = st.sampled_from(["", "a", " b ", "**c**", "`d`", "日本", "👩‍👩‍👧", "x\\|y", "[t](http://u.v)", "~~~", "z\r"])
rows = st.lists(cells, min_size=1, max_size=4).map(lambda row: "|" + "|".join(row) + "|")
rules = st.integers(1, 4).map(lambda count: "|" + "---|" * count)
lines = rows | rules | st.sampled_from(["", "text", "```", "~~~ x|y", "    | a |", "> | a |", "a|b", ":-|-:", "<div>"])
texts = st.lists(lines, max_size=12).map("\n".join)


def test_code_aligns_columns_by_their_width_on_the_screen() -> None:
    """E5: East Asian width counts; marks are stripped; E16: text with single markers stays as it is."""
    assert convert(TABLE, "code").split("\n") == [
        "before",
        "```",
        "Name               | Qty | Note",
        "-------------------+-----+-----",
        "apple              |   3 | a|b",
        "home (https://a.b) |  10 |",
        "日本語             |   5 |",
        "```",
        "after ~/.ssh *.rs 3 * 4",
        "",
    ]


def test_bullets_make_a_group_of_each_row() -> None:
    """E5: no empty values; marks stay, a chat shows them."""
    assert convert(TABLE, "bullets").split("\n") == [
        "before",
        "• Name: **apple**",
        "• Qty: 3",
        "• Note: `a|b`",
        "",
        "• Name: [home](https://a.b)",
        "• Qty: 10",
        "",
        "• Name: 日本語",
        "• Qty: 5",
        "after ~/.ssh *.rs 3 * 4",
        "",
    ]


def test_off_changes_nothing() -> None:
    assert convert(TABLE, "off") == TABLE


@pytest.mark.parametrize(
    "text",
    [
        "no bar at all",
        "ls | wc -l\nfoo | bar\n",
        "```\n| a | b |\n|---|---|\n```\n",
        "~~~~ md\n| a | b |\n|---|---|\n| 1 | 2 |\n~~~\n",
        "    | a | b |\n    |---|---|\n",
        "> | a | b |\n> |---|---|\n",
        "| a | b |\n|---|\n",
        "| a | b |\n\n|---|---|\n",
        "|---|---|\n",
        "| | |\n|-|-|\n",
        "<div>\r\n&amp; a|b \t\n</div>\x0b\u2028|",
    ],
)
@pytest.mark.parametrize("mode", ["code", "bullets"])
def test_what_is_no_table_stays_byte_for_byte(text: str, mode: Mode) -> None:
    """E5, E16: also code, quotes, HTML, and a table with nothing in it."""
    assert convert(text, mode) == text


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ("| 1 |", "1 |"),
        ("1 | 2", "1 | 2"),
        ("| `ps | grep x` |", "`ps | grep x`"),
        ("| 1 | 2 | 3 |", "1 | 2 | 3"),
        ("| a<br>b | c |", "a b | c"),
        ("| ~/.ssh | *.rs |", "~/.ssh | *.rs"),
        ("| 3 * 4 | snake_case_name |", "3 * 4 | snake_case_name"),
        ("| ![pic](a.png) | <https://a.b> |", "pic (a.png) | https://a.b"),
        ("| ~~no~~ | _yes_ |", "no | yes"),
        ("| <me@a.b> | &amp; |", "me@a.b | &"),
    ],
)
def test_a_row_in_code(row: str, shown: str) -> None:
    """E5, E16: ragged rows, a bar that was not escaped, marks that come in pairs and those that do not."""
    drawn = convert(f"|H|I|\n|-|-|\n{row}", "code").split("\n")
    assert " ".join(drawn[3].split()) == shown
    assert drawn[0] == drawn[-1] == "```"


def test_the_fence_is_longer_than_any_backticks_inside() -> None:
    drawn = convert("| a | b |\n|---|---|\n| ```` | x |", "code")
    assert drawn.startswith("`````\n")
    assert drawn.endswith("\n`````")


def test_bullets_without_rows_or_headers() -> None:
    assert convert("| a | b |\n|---|---|\n", "bullets") == "• a\n• b\n"
    assert convert("| | b |\n|---|---|\n| 1 | 2 |\n||\n", "bullets") == "• 1\n• b: 2\n"


def test_a_cell_with_a_control_character_is_still_drawn() -> None:
    assert "a\x07b" in convert("| a\x07b | c |\n|---|---|\n", "code")


def test_one_long_cell_does_not_widen_every_row() -> None:
    drawn = convert("| a | b |\n|---|---|\n" + "| x | y |\n" * 50 + f"| **{'z' * 5000}** | y |\n", "code")
    assert len(drawn) < 10_000


def test_columns_line_up_for_wide_characters_and_emoji() -> None:
    """E5: every bar stands in the same column."""
    drawn = convert("| a | b | c |\n|---|---|---|\n| 汉字 | 👍🏽 | x |\n| é | 🇩🇪🇩🇪 | ｈ |\n", "code").split("\n")[1:-2]
    at = [[wcswidth(part) for part in line.replace("+", "|").split("|")][:2] for line in drawn]
    assert all(left == right for left, right in pairwise(at))


@given(texts, modes, st.integers(1, 30))
def test_the_pieces_do_not_matter(text: str, mode: Mode, size: int) -> None:
    stream = TableStream(mode)
    done = "".join(stream.feed(text[at : at + size]) for at in range(0, len(text), size))
    assert done + stream.tail() == done + stream.flush() == convert(text, mode)


@given(texts, texts, st.sampled_from(["code", "bullets"]))
def test_the_tail_shows_what_would_be_flushed_and_changes_nothing(text: str, late: str, mode: Mode) -> None:
    stream = TableStream(mode)
    done = stream.feed(text)
    assert done + stream.tail() == convert(text, mode)
    assert stream.tail() == stream.tail()
    assert done + stream.feed(late) + stream.flush() == convert(text + late, mode)


@given(texts, modes)
def test_every_line_without_a_bar_is_kept(text: str, mode: Mode) -> None:
    drawn = convert(text, mode).split("\n")
    kept = [line for line in text.split("\n") if line and "|" not in line]
    rest = iter(drawn)
    assert all(line in rest for line in kept)  # in this order


@given(st.lists(st.text("ab |`\n", max_size=1500), max_size=4), st.integers(1, 700))
def test_long_lines_in_pieces(texts: list[str], size: int) -> None:
    text = ("x" * 350).join(texts)
    stream = TableStream("code")
    done = "".join(stream.feed(text[at : at + size]) for at in range(0, len(text), size))
    assert done + stream.flush() == convert(text, "code")


def test_only_what_may_become_a_table_is_held_back() -> None:
    stream = TableStream("code")
    assert stream.feed("one\ntwo | three\nfour") == "one\n"
    assert stream.feed(" | five\n") == "two | three\n"
    assert stream.feed("-- | --\n1 |") == ""
    assert stream.tail() == "```\nfour | five\n-----+-----\n1    |\n```"
    assert stream.feed(" 2\nend\n") == "```\nfour | five\n-----+-----\n1    | 2\n```\nend\n"
    assert repr(stream) == "<TableStream code held=0>"


def test_off_releases_whole_lines() -> None:
    stream = TableStream("off")
    assert stream.feed("| a |\n|---|\nrest | x") == "| a |\n|---|\n"
    assert stream.flush() == "rest | x"


def test_a_long_line_without_a_bar_is_released_up_to_its_last_word() -> None:
    stream = TableStream("code")
    assert stream.feed("word " * 80) == ""
    assert stream.feed("an unfinished") == "word " * 80 + "an "
    assert stream.feed(" one | two\n|---|---|\n") == "unfinished one | two\n"
    assert stream.feed("a" * 500) == "|---|---|\n" + "a" * 500
    assert stream.feed("\n") == "\n"


def test_a_huge_row_is_text() -> None:
    stream = TableStream("code")
    assert stream.feed("| a | b |\n|---|---|\n" + "|x" * 9_000) == ""
    assert stream.feed("|x" * 9_000).startswith("```\na | b\n")
    assert stream.feed("\n| 1 | 2 |\n") == "\n"


def test_a_flushed_line_goes_on_as_text() -> None:
    """Late text after the end of an answer."""
    stream = TableStream("code")
    assert stream.feed("| a ") == ""
    assert stream.flush() == "| a "
    assert stream.feed("| b |\n|---|---|\n") == "| b |\n"
    assert stream.flush() == "|---|---|\n"
    assert stream.feed("```") == ""
    assert stream.flush() + stream.flush() == "```"
    assert stream.feed("\n| a |\n|---|\n") == "\n| a |\n|---|\n"


def test_a_huge_table_is_drawn_in_part() -> None:
    row = "| one | two |\n"
    drawn = convert("| a | b |\n|---|---|\n" + row * 10_000, "code")
    assert drawn.startswith("```\na   | b\n")
    assert drawn.endswith(row * 1000)


@pytest.mark.parametrize(
    "text",
    [
        "|" * 1_000_000,
        "|a|b|\n" * 160_000,
        "|a|b|\n|-|-|\n" + "|**x**|`y`|\n" * 80_000,
        "|a|b|c|\n|-|-|\n" * 60_000,
        "|" + "a|" * 9_000 + "\n|" + "-|" * 9_000 + "\n" + "|\n" * 1_000,
        "|a|b|\n|-|-|\n|" + "[" * 400 + "|" + "*a_" * 130 + "|\n",
    ],
    ids=lambda text: repr(text[:12]),
)
def test_hostile_tables_take_linear_time(text: str) -> None:
    """E3: or the test's own time limit ends it."""
    assert convert(text, "code")


def test_many_small_pieces_take_linear_time() -> None:
    stream = TableStream("code")
    text = "a" * 100_000 + "\n" + "|x" * 50_000
    assert "".join(map(stream.feed, text)) + stream.flush() == text


def test_the_parser_is_imported_only_when_it_is_needed() -> None:
    program = "import sys, openab_sync.text.tables; print('markdown_it' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert shown.stdout == "False\n"
