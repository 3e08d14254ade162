"""ends.py: how a long text ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.text.ends import last_lines
from openab_sync.text.fences import Fence, step


@pytest.mark.parametrize(
    ("text", "room", "end"),
    [
        ("one\ntwo\nthree", 9, "two\nthree"),
        ("one\ntwo\nthree", 100, "one\ntwo\nthree"),
        ("one\n\ntwo\nthree", 12, "two\nthree"),
        ("a long line\nand\n\nx\n", 9, "and\n\nx"),
        ("```py\na\nb\nc\n```", 12, "```py\nc\n```"),
        ("```py\na\nb\nc\n```\nend", 9, "end"),
        ("one very long line", 9, "long line"),
        ("```py\nabcdefghijkl\n```", 6, "ghijkl"),
    ],
)
def test_the_last_lines_stand_by_themselves(text: str, room: int, end: str) -> None:
    assert last_lines(text, room) == end


@given(st.lists(st.sampled_from(["", "a", "words of text", "```", "```py", "~~~"]), max_size=20), st.integers(25, 80))
def test_whatever_the_text_its_end_fits_and_opens_what_it_closes(lines: list[str], room: int) -> None:
    text = "\n".join(lines)
    fence: Fence | None = None
    for line in lines:
        fence = step(line, fence)
    text += f"\n{fence.mark}" if fence else ""  # as a page is
    if not text.strip():
        return
    end = last_lines(text, room)
    assert 0 < len(end) <= room
    body = end.partition("\n")[2] if end.startswith(("```", "~~~")) else end
    assert text.rstrip().endswith(body) or end in text
    fence = None
    for line in end.split("\n"):
        fence = step(line, fence)
    assert fence is None or text.rstrip() == fence.opener
