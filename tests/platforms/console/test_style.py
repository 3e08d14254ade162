from __future__ import annotations

import pytest

from openab_sync.platforms.console.style import Style, wants_colour


@pytest.mark.parametrize(
    ("environ", "is_tty", "wanted"),
    [
        ({"TERM": "xterm"}, True, True),
        ({"TERM": "xterm"}, False, False),
        ({"TERM": "dumb"}, True, False),
        ({}, True, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True, True),
    ],
)
def test_colour_is_for_terminals_that_can_and_people_who_want(
    environ: dict[str, str], is_tty: bool, wanted: bool
) -> None:
    assert wants_colour(environ, is_tty=is_tty) is wanted


def test_without_colour_nothing_is_added() -> None:
    style = Style(coloured=False)
    paints = (style.strong, style.faint, style.bad, style.good, style.ask, style.mark, style.diff)
    assert [paint("-a\n+b") for paint in paints] == ["-a\n+b"] * 7


def test_every_line_is_closed_for_itself() -> None:
    assert Style(coloured=True).bad("a\n\nb") == "\x1b[31ma\x1b[0m\n\n\x1b[31mb\x1b[0m"


def test_a_diff_is_coloured_line_by_line() -> None:
    lines = Style(coloured=True).diff("--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new\n same\n").split("\n")
    codes = [line.partition("m")[0].removeprefix("\x1b[") if "\x1b" in line else "" for line in lines]
    assert codes == ["1", "1", "36", "31", "32", "", ""]
