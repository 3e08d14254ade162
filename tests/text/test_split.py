"""split: pages within the limit, with whole fences and whole characters, the same however the text arrives."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from wcwidth import iter_graphemes

from openab_sync.text.fences import Fence, step
from openab_sync.text.split import Paginator, split

FAMILY = "👨‍👩‍👧‍👦"
CLUSTERS = ["a", "é", "e\u0301", "汉", "ש", "ع", FAMILY, "🇩🇪", "🇯🇵", "👍🏽", "각", "क्षि", "\u0600ا", "x\u0301\u0323"]

hostile = st.text("ab `~\n\t汉é🇩🇪👍🏽\u0301\u200d\u3000\r", max_size=300)
limits = st.integers(1, 60)
words = st.lists(
    st.sampled_from(["one", "two-three", "汉字汉字", "https://example.org/a?b=c", "**bold**", FAMILY]), min_size=1
)
prose = words.map(" ".join) | words.map("\n".join)
code_line = st.text("ab (=)\t汉#", max_size=30)
code = st.lists(code_line, max_size=12).map("\n".join)


@st.composite
def blocks(draw: st.DrawFn) -> str:
    mark = draw(st.sampled_from(["```", "````", "~~~", "  ```"]))
    info = draw(st.sampled_from(["", "py", "c++ x"]))
    return f"{mark}{info}\n{draw(code)}\n{mark.strip()}"


documents = st.lists(prose | blocks(), max_size=8).map("\n\n".join)


def inked(text: str) -> str:
    """The text without its white space."""
    return "".join(text.split())


def open_fence(text: str) -> Fence | None:
    """The block that is open at the end of `text`."""
    inside: Fence | None = None
    for line in text.split("\n"):
        inside = step(line, inside)
    return inside


def unfenced(text: str) -> str:
    """The text without white space and without the lines that open and close code."""
    inside: Fence | None = None
    kept = []
    for line in text.split("\n"):
        after = step(line, inside)
        if after is inside:
            kept.append(line)
        inside = after
    return inked("".join(kept))


# ---- every text ----


@given(hostile, limits)
@example("```\n" * 20, 10)
@example("`" * 100, 7)
@example("```\n" + "\n" * 100, 20)
@example("```\n" + "`" * 100 + "\nx", 20)
@example("a" * 1000, 1)
def test_no_page_exceeds_the_limit_or_is_blank(text: str, limit: int) -> None:
    """E6: tiny limits survive too."""
    pages = split(text, limit)
    assert all(page.strip() and len(page) <= limit for page in pages)
    assert bool(pages) == bool(text.strip())


@given(st.lists(hostile | documents, max_size=6), st.integers(1, 200), st.integers(1, 40))
def test_the_pieces_do_not_matter(texts: list[str], limit: int, size: int) -> None:
    whole = "\n".join(texts)
    pages = Paginator(limit)
    done = [page for at in range(0, len(whole), size) for page in pages.feed(whole[at : at + size])]
    assert done + pages.page() == split(whole, limit)


@given(hostile | documents, hostile | documents, st.integers(1, 200))
def test_looking_changes_nothing_and_text_may_come_after_the_end(text: str, late: str, limit: int) -> None:
    pages = Paginator(limit)
    done = pages.feed(text)
    last = pages.page()
    assert pages.page(late) == split(text + late, limit)[len(done) :]
    assert pages.page() == last
    done += pages.feed(late)
    assert done + pages.page() == split(text + late, limit)


@given(hostile | documents, st.integers(1, 100))
def test_a_page_is_finished_only_when_another_follows(text: str, limit: int) -> None:
    pages = Paginator(limit)
    for character in text:
        if pages.feed(character):
            assert pages.page()


# ---- nothing is lost ----


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="`~")), limits)
def test_outside_code_only_white_space_vanishes(text: str, limit: int) -> None:
    """E2: whatever the characters are."""
    pages = split(text, limit)
    at = 0
    for page in pages:
        at += len(text[at:]) - len(text[at:].lstrip())
        start = text.index(page.strip(), at)
        assert not text[at:start].strip()
        at = start + len(page.strip())
    assert not text[at:].strip()


@given(code, st.sampled_from(["```py", "~~~~", "  ```"]), st.integers(32, 80))
def test_inside_code_no_character_is_lost(text: str, opener: str, limit: int) -> None:
    """E6: fences are closed and reopened with their info string; all between them is the code, but for newlines."""
    closer = opener.strip().rstrip("py")
    pages = split(f"{opener}\n{text}\n{closer}", limit)
    at = 0
    for number, page in enumerate(pages):
        shown = page if number else " " * (len(opener) - len(opener.lstrip())) + page.lstrip()
        assert shown.startswith(opener + "\n")
        assert shown.endswith("\n" + closer)
        inner = shown[len(opener) + 1 : -len(closer)].removesuffix("\n")
        assert text.startswith(inner, at), (inner, text[at:])
        at += len(inner)
        at += text.startswith("\n", at)
    assert not text[at:].strip()


@given(documents, st.integers(40, 200))
def test_every_page_has_whole_fences(text: str, limit: int) -> None:
    """E6: a page never leaves a block of code open, and shows all that was said."""
    pages = split(text, limit)
    assert not any(open_fence(page) for page in pages)
    assert "".join(map(unfenced, pages)) == unfenced(text)


@given(st.lists(st.sampled_from(CLUSTERS)), st.integers(12, 40))
@example([FAMILY] * 20, 12)
@example(["🇩🇪"] * 50, 13)
def test_characters_as_people_see_them_stay_whole(clusters: list[str], limit: int) -> None:
    """E2: combining marks, flags, families, Hangul, Devanagari, prepended marks."""
    text = "".join(clusters)
    pages = split(text, limit)
    assert "".join(pages) == text
    assert [cluster for page in pages for cluster in iter_graphemes(page)] == list(iter_graphemes(text))


# ---- examples ----


def test_a_text_that_fits_is_one_page() -> None:
    assert split("  \n\nhello\n\n  world\n\n", 20) == ["hello\n\n  world"]


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\u3000\t\n" * 100])
def test_a_blank_text_has_no_pages(text: str) -> None:
    assert split(text, 5) == []


@pytest.mark.parametrize("limit", [0, -1])
def test_a_page_must_hold_something(limit: int) -> None:
    with pytest.raises(ValueError, match=f"not {limit}"):
        split("a", limit)


@pytest.mark.parametrize(
    ("text", "pages"),
    [
        ("first one\n\nsecond\nthird", ["first one", "second\nthird"]),  # paragraph before line
        ("first one\nsecond third", ["first one", "second third"]),  # line before space
        ("first one two three", ["first one two", "three"]),  # space before character
        ("ab" * 10, ["ab" * 8, "ab" * 2]),
        ("see\n  - nested item", ["see", "  - nested item"]),  # indentation stays
        ("see https://a.bcde", ["see", "https://a.bcde"]),  # an address stays whole
        ("aaaa bbbb cccc   \n  dddd", ["aaaa bbbb cccc", "  dddd"]),
        ("fits exactly 16c\n\n\n", ["fits exactly 16c"]),
        ("fits exactly 16c" + "\n" * 50 + "x", ["fits exactly 16c", "x"]),
        ("a" * 15 + "e\u0301", ["a" * 15, "e\u0301"]),
        ("汉" * 18, ["汉" * 16, "汉" * 2]),
        ("شكرا جزيلا يا صديقي", ["شكرا جزيلا يا", "صديقي"]),
        ("x\u0301" + "\u0323" * 20, ["x\u0301" + "\u0323" * 14, "\u0323" * 6]),  # longer than a page: the last resort
        ("one two thr fo \u0301ur", ["one two thr", "fo \u0301ur"]),  # a mark on a space
        ("one two three  \u0301x", ["one two three", " \u0301x"]),
    ],
)
def test_where_a_page_of_16_ends(text: str, pages: list[str]) -> None:
    assert split(text, 16) == pages


def test_a_block_that_would_be_cut_starts_a_new_page() -> None:
    text = "Some words to begin with.\n```py\none()\ntwo()\n```\nbye"
    assert split(text, 44) == ["Some words to begin with.", "```py\none()\ntwo()\n```\nbye"]


def test_a_cut_block_keeps_its_language_and_indentation() -> None:
    text = "```py\nif a:\n    b()\n    c()\n    d()\n```\nend"
    assert split(text, 30) == ["```py\nif a:\n    b()\n```", "```py\n    c()\n    d()\n```\nend"]


def test_a_long_line_of_code_is_cut_behind_a_space() -> None:
    assert split("```\nabcdef  ghi\n```", 18) == ["```\nabcdef  \n```", "```\nghi\n```"]


def test_an_unclosed_block_is_closed() -> None:
    assert split("look:\n~~~ text\nx", 40) == ["look:\n~~~ text\nx\n~~~"]
    assert split("look:\n~~~ text\nx\n", 40) == ["look:\n~~~ text\nx\n~~~"]


def test_a_fence_of_another_length_that_ends_at_the_cut_is_not_repeated() -> None:
    text = "```\nabcdefg\n`````\nnext words"
    assert split(text, 16) == ["```\nabcdefg\n```", "next words"]


def test_text_that_looks_like_a_fence_does_not_begin_a_page() -> None:
    pages = split("aaaa bbbb cccc ```x y z and more", 16)
    assert not any(open_fence(page) for page in pages)
    assert " ".join(pages) == "aaaa bbbb cccc ```x y z and more"


def test_text_that_is_all_backticks_is_cut_all_the_same() -> None:
    assert "".join(split("x" + "`" * 50, 16)) == "x" + "`" * 50


def test_fences_that_would_take_half_a_page_are_left_out() -> None:
    """E6: at a tiny limit the code flows like text."""
    assert split("```python\nabc def\n```", 10) == ["```python", "abc def", "```"]


def test_blank_code_at_the_end_makes_no_page() -> None:
    assert split("```\nabcdefgh\n" + " \n" * 3, 16) == ["```\nabcdefgh\n```"]


def test_blank_code_longer_than_a_page_is_kept() -> None:
    pages = split("```\na\n" + "\n" * 30 + "b\n```", 20)
    assert all(re.fullmatch(r"```\n[ab\n]*```", page) for page in pages)
    assert sum(page.count("\n") - 1 for page in pages) >= 30


def test_code_of_spaces_is_cut_at_its_lines() -> None:
    blank = "".join(" " * width + "\n" for width in (12, 11, 12, 10, 6, 11, 12, 11, 10, 12))
    pages = split(f"```\na\n{blank}b\n```", 20)
    assert all(page.startswith("```\n") and page.endswith("\n```") and len(page) <= 20 for page in pages)
    assert sum(page.count(" ") for page in pages) == blank.count(" ")
    assert "".join(map(unfenced, pages)) == "ab"


def test_the_unfinished_page_is_drawn_with_its_fence_closed() -> None:
    pages = Paginator(30)
    assert pages.feed("see\n```py\na = 1\n") == []
    assert pages.page("b =") == ["see\n```py\na = 1\nb =\n```"]
    assert pages.page() == ["see\n```py\na = 1\n```"]
    assert pages.feed("b = 2\n```\n" + "x " * 30) == ["see\n```py\na = 1\nb = 2\n```", "x " * 14 + "x"]


def test_a_full_page_stays_editable_while_only_its_closing_fence_follows() -> None:
    pages = Paginator(20)
    done = pages.feed("```\nabcdefghijkl\n```" + "\n" * 40)
    assert done == []
    assert pages.page() == ["```\nabcdefghijkl\n```"]
    assert pages.feed("more") == ["```\nabcdefghijkl\n```"]
    assert pages.page() == ["more"]


def test_it_tells_what_it_holds() -> None:
    pages = Paginator(2000)
    pages.feed("abc")
    assert repr(pages) == "<Paginator limit=2000 held=0 rest=3>"


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "汉" * 1_000_000,
        "word " * 200_000,
        "```py\n" + "x = 1\n" * 160_000 + "```",
        "```\n" + "a" * 1_000_000,
        "🇩🇪" * 200_000,
        "a" + "\u0301" * 300_000,
        "x" + "`" * 1_000_000,
        "aa ```" * 160_000,
        " " * 1_000_000 + "x",
        "x" + "\n" * 1_000_000 + "x",
    ],
    ids=lambda text: repr(text[:8]),
)
def test_a_megabyte_is_cut_in_time(text: str) -> None:
    """E3: one line or many, in code or not: linear, or the test's own time limit ends it."""
    pages = split(text, 2000)
    assert max(map(len, pages)) <= 2000
    assert sum(map(len, pages)) >= len(inked(text)) * 0.99


@pytest.mark.parametrize("text", ["a" * 200_000, "```\n" + "x = 1\n" * 30_000, "x\n" + " \n" * 100_000 + "x"], ids=len)
def test_many_small_pieces_are_cut_in_time(text: str) -> None:
    """E3: as an answer arrives."""
    pages = Paginator(2000)
    done = [page for character in text for page in pages.feed(character)]
    assert done + pages.page() == split(text, 2000)
