"""marks.py: what an agent calls things reaches no further than its own line."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openab_sync.text.fences import Fence, step
from openab_sync.text.marks import contained, hidden, literal
from openab_sync.text.split import split
from openab_sync.text.tables import convert

thoughts = st.text(alphabet="ab |`*_~\\<-:\n", max_size=300)


@pytest.mark.parametrize(
    ("label", "text"),
    [("image.png", "image.png"), ("a_b.py", "`a_b.py`"), ("||x||", "`||x||`"), ("`a`*", "`ˋaˋ*`"), ("", "")],
)
def test_a_name_is_read_as_it_is(label: str, text: str) -> None:
    assert literal(label) == text


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("Fix `foo()` **now**", "Fix `foo()` **now**"),
        ("read *.rs", "`read *.rs`"),
        ("**open", "`**open`"),
        ("a || b", "`a || b`"),
        ("~~gone", "`~~gone`"),
        ("it`s", "`itˋs`"),
        ("snake_case stays", "snake_case stays"),
    ],
)
def test_marks_without_a_partner_are_contained(label: str, text: str) -> None:
    """FIELD E16: nothing is stripped."""
    assert contained(label) == text


def test_thoughts_are_hidden_as_one_block_without_blank_lines() -> None:
    assert hidden("Is `a` || b?\n\n**no**\n", 200) == "||Is ˋaˋ ││ b?\n\u200b\n\\*\\*no\\*\\*||"
    assert hidden(" \n", 200) == ""


@given(thoughts, st.integers(0, 200))
@example("a" * 300, 20)
def test_every_spoiler_is_closed_and_fits(text: str, size: int) -> None:
    blocks = hidden(text, size).split("\n\n") if text.strip() else []
    for block in blocks:
        assert len(block) <= max(size, 20)
        assert re.fullmatch(r"\|\|[^|]+\|\|", block), block


@given(thoughts, st.lists(st.text("xy \n", max_size=80), min_size=2, max_size=2), st.integers(60, 200))
def test_no_page_is_cut_inside_a_spoiler_and_none_becomes_code_or_a_table(
    text: str, around: list[str], limit: int
) -> None:
    block = hidden(text, limit // 2)
    whole = f"{around[0]}\n\n{block}\n\n{around[1]}"
    assert convert(whole, "code") == whole
    for page in split(whole, limit):
        assert page.count("||") % 2 == 0, page
    fence: Fence | None = None
    for line in block.split("\n"):
        fence = step(line, fence)
        assert fence is None
