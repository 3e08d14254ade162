"""snippets: a block of code that fits no page becomes a file; all else stays byte for byte, however it arrives."""

from __future__ import annotations

import re
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.text.fences import Fence, step
from openab_sync.text.snippets import CodeStream, Snippet

PAGE = 60
LONG = "".join(f"line {number}\n" for number in range(20))

lines = st.sampled_from(
    ["", "text", "a line of words that is a bit longer", "```", "```py", "````", "~~~", "~~~ c", "  ```", "    ```",
     "``", "`code` in text", "```a`b", "|a|", "x" * 70, "``` ", "   "]
)  # fmt: skip
texts = st.lists(lines, max_size=25).map("\n".join)
words = st.text("ab \n", max_size=120)


def whole(text: str, limit: int = PAGE) -> tuple[str, list[Snippet]]:
    stream = CodeStream(limit)
    done = stream.feed(text) + stream.settle()
    return done + stream.tail(), stream.taken


def in_pieces(text: str, cuts: list[int], limit: int = PAGE) -> tuple[str, list[Snippet]]:
    stream, done = CodeStream(limit), ""
    places = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    for start, end in pairwise(places):
        before = stream.tail(text[start:end])
        seen = stream.feed(text[start:end])
        assert before == seen + stream.tail(), "a look changes nothing and sees what will be"
        done += seen
    done += stream.settle()
    return done + stream.tail(), stream.taken


def test_a_block_that_fits_no_page_becomes_a_file_and_a_line() -> None:
    text, files = whole(f"Before.\n\n```python\n{LONG}```\nAfter.")
    assert text == "Before.\n\n```python\nline 0\nline 1\n```\n📎 code-1.py (20 lines)\nAfter."
    assert files == [Snippet("code-1.py", LONG)]


def test_a_block_that_fits_stays_as_it_is() -> None:
    text = f"```py\n{'x' * 51}\n```\n"
    assert len(text) == PAGE + 2
    assert whole(text, PAGE + 1) == (text, [])
    assert whole(text, PAGE)[1] == [Snippet("code-1.py", "x" * 51 + "\n")]


def test_nothing_is_shown_of_a_block_whose_first_line_is_too_long() -> None:
    assert whole("~~~\n" + "y" * 300 + "\n~~~") == ("📎 code-1.txt (1 line)", [Snippet("code-1.txt", "y" * 300 + "\n")])


@pytest.mark.parametrize(
    ("info", "name"),
    [
        ("", "code-1.txt"), ("rust", "code-1.rs"), ("TypeScript title=x", "code-1.ts"), ("c++", "code-1.cpp"),
        ("klingon", "code-1.txt"), ("{.python}", "code-1.txt"), ("json:data.json", "code-1.json"), ("sh", "code-1.sh"),
        (".py", "code-1.py"),
    ],
)  # fmt: skip
def test_the_language_decides_what_the_file_is_called(info: str, name: str) -> None:
    assert whole(f"```{info}\n{LONG}```")[1] == [Snippet(name, LONG)]


def test_files_are_numbered_on() -> None:
    stream = CodeStream(PAGE, first=3)
    stream.feed(f"```py\n{LONG}```\nand\n```js\n{LONG}```\n")
    assert [item.name for item in stream.taken] == ["code-3.py", "code-4.js"]


def test_while_a_block_grows_its_head_is_seen_and_then_how_long_it_is() -> None:
    stream = CodeStream(PAGE)
    assert stream.feed("```py\nline 0\n") == ""
    assert (stream.holds_code, stream.tail(), stream.least()) == (True, "```py\nline 0\n", "```py\nline 0\n```\n")
    assert stream.feed(LONG) == "```py\nline 0\nline 0\n```\n"
    assert (stream.holds_code, stream.tail()) == (False, "📎 code-1.py (21 lines so far)")
    assert stream.least() == "📎 code-1.py (21 lines so far)"
    assert stream.tail("```\n\nnotice") == "📎 code-1.py (21 lines)\n\nnotice"
    assert "TAKEN" in repr(stream)


def test_a_block_that_nobody_closed_is_a_file_when_the_turn_ends() -> None:
    stream = CodeStream(PAGE)
    stream.feed(f"```py\n{LONG}and")
    assert stream.settle() == "📎 code-1.py (21 lines)\n"
    assert stream.taken == [Snippet("code-1.py", LONG + "and")]
    assert (stream.settle(), stream.tail()) == ("", "")
    assert stream.tail("\n```\n\nnotice") == "```py\n\n```\n\nnotice"
    assert stream.feed("```\nafter") == "after"


def test_a_block_that_goes_on_after_the_end_is_a_block_of_its_own() -> None:
    stream = CodeStream(PAGE)
    stream.feed(f"```py\n{LONG}")
    stream.settle()
    assert stream.feed("late\n```\n") == "```py\nlate\n```\n"


def test_a_block_that_is_closed_without_a_last_newline_is_settled_too() -> None:
    stream = CodeStream(PAGE)
    stream.feed(f"```py\n{LONG}```")
    assert stream.settle() == "📎 code-1.py (20 lines)"
    assert stream.feed("\nlate") == "\nlate"
    assert CodeStream(PAGE).settle() == ""


@given(texts, st.lists(st.integers(0, 400), max_size=12), st.integers(20, 200))
def test_however_a_text_arrives_it_becomes_the_same(text: str, cuts: list[int], limit: int) -> None:
    assert in_pieces(text, cuts, limit) == whole(text, limit)


@given(texts, st.lists(st.integers(0, 400), max_size=12))
def test_where_no_block_is_too_long_the_text_stays_as_it_is(text: str, cuts: list[int]) -> None:
    assert in_pieces(text, cuts, 10_000) == (text, [])


@given(st.lists(st.tuples(words, words, st.sampled_from(["py", "", "rust"])), max_size=5), st.integers(20, 120))
def test_nothing_is_lost(parts: list[tuple[str, str, str]], limit: int) -> None:
    """Each file put back in the place of its line, the text is what it was."""
    text = "".join(f"{before}\n```{info}\n{code}\n```\n" for before, code, info in parts)
    done, files = whole(text, limit)
    for file in files:
        code = re.escape(file.text)
        shown = re.compile(rf"(?:```\w*\n(?P<head>[^`]*)```\n)?📎 {re.escape(file.name)} \(\d+ lines?\)\n")
        found = shown.search(done)
        assert found, (done, code)
        assert file.text.startswith(found["head"] or "")
        done = f"{done[: found.start()]}```{_info(file)}\n{file.text}```\n{done[found.end() :]}"
    assert done == text


def _info(file: Snippet) -> str:
    return {"py": "py", "rs": "rust", "txt": ""}[file.name.rpartition(".")[2]]


@given(texts, st.integers(20, 100))
def test_no_block_that_is_left_is_longer_than_a_page(text: str, limit: int) -> None:
    done, _ = whole(text, limit)
    fence: Fence | None = None
    size = 0
    for line in done.split("\n"):
        was, fence = fence, step(line, fence)
        size = size + len(line) + 1 if was or fence else 0
        if was and fence is None:
            assert size - 1 <= limit, done
            size = 0


@pytest.mark.parametrize("opener", ["~~~" + "a" * 1000, "```" + "b" * 1000])
def test_an_opening_line_without_an_end_holds_nothing_up(opener: str) -> None:
    stream, done = CodeStream(PAGE), ""
    for piece in (opener[:300], opener[300:], "\n", LONG, opener[:2], opener[2:3] + "\n", f"```py\n{LONG}```\n"):
        done += stream.feed(piece)
    assert done.startswith(f"{opener}\n{LONG}{opener[:3]}\n")
    assert [item.name for item in stream.taken] == ["code-1.py"]
    assert len(CodeStream(PAGE).feed(opener)) == len(opener)


def test_an_opening_line_that_comes_whole_and_is_too_long_stays_text() -> None:
    text = f"```{'b' * 500}\n{LONG}```\n"
    assert whole(text) == (text, [])


def test_a_huge_line_of_code_costs_nothing_while_it_grows() -> None:
    stream = CodeStream(PAGE)
    stream.feed("```\n")
    for _ in range(5000):
        stream.feed("word " * 10)
        assert len(stream.tail()) < 100
    stream.feed("\n```")
    stream.settle()
    assert len(stream.taken[0].text) == 250_001


def test_time_grows_with_the_text_and_no_faster() -> None:
    def cost(blocks: int) -> float:
        text = (f"words\n```py\n{LONG * 10}```\n" + "some text\n" * 20) * blocks
        stream, begin = CodeStream(2000), time.thread_time()
        for at in range(0, len(text), 50):
            stream.feed(text[at : at + 50])
            if at % 1000 == 0:
                stream.tail()
        return time.thread_time() - begin

    cost(1)
    assert cost(100) < 30 * cost(10)
