"""Ids of buttons: what we make we can read, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.platforms.discord.ids import KINDS, Id, made, read

NUMBERS = st.integers(0, 10**20 - 1).map(str)
TOKENS = st.from_regex(r"[A-Za-z0-9_-]{1,48}", fullmatch=True)
OURS = st.one_of(
    st.tuples(st.just("about"), NUMBERS, NUMBERS),
    st.tuples(st.sampled_from(["ask", "choose", "page"]), TOKENS, NUMBERS),
    st.tuples(st.sampled_from(["stop", "retry", "pick"]), TOKENS),
    st.tuples(st.just("resume"), TOKENS, st.sampled_from(["here", "thread"])),
)


@given(OURS)
def test_what_was_made_is_read_and_fits(parts: tuple[str, ...]) -> None:
    kind, *rest = parts
    text = made(kind, *rest)
    assert len(text) <= 100
    assert read(text) == Id(kind, tuple(rest))


@given(st.text() | st.lists(st.sampled_from(["oab", *KINDS, "1", "x", "here", ""])).map(":".join))
def test_whatever_comes_is_read_as_it_would_be_written_or_not_at_all(text: str) -> None:
    known = read(text)
    assert known is None or made(known.kind, *known.parts) == text


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "oab",
        "oab:",
        "about:1:2",
        "oab:stop",
        "oab:about:1",
        "oab:about:1:2:3",
        "oab:about:1:x",
        "oab:about:1:2\n",
        "oab:about:１:2",
        "oab:about:" + "1" * 21 + ":2",
        "oab:stop:1:2",
        "oab:stop:a.b",
        "oab:resume:token:everywhere",
        "oab:pick:" + "x" * 49,
        "oab:pick:a/../b",
        "oab:unknown:1:2",
        "OAB:about:1:2",
        "oab:about:1:2" + " " * 200,
    ],
)
def test_a_forged_id_is_not_ours(forged: str) -> None:
    """FIELD I6."""
    assert read(forged) is None


def test_an_id_that_could_not_be_read_is_not_made() -> None:
    for parts in (("stop", "x", "1"), ("pick", ""), ("pick", "x" * 100), ("nothing",)):
        with pytest.raises(ValueError, match="no id of ours"):
            made(*parts)
