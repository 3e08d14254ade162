"""inline: which texts go into a prompt, and how they stand there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from openab_sync.errors import FileRefused
from openab_sync.media.inline import FILE_BYTES, FILES, TOTAL_BYTES, Budget, fenced, language


def test_a_prompt_takes_five_texts() -> None:
    budget = Budget()
    for _ in range(FILES):
        budget.take(10)
    with pytest.raises(FileRefused, match="is one text more than the 5"):
        budget.take(10)


def test_a_text_may_not_be_too_large() -> None:
    budget = Budget()
    budget.take(FILE_BYTES)
    with pytest.raises(FileRefused, match="is a text of more than 512 KB"):
        budget.take(FILE_BYTES + 1)


def test_all_texts_together_may_not_be_too_large_and_a_smaller_one_still_fits() -> None:
    budget = Budget()
    budget.take(FILE_BYTES)
    budget.take(FILE_BYTES - 10)
    with pytest.raises(FileRefused, match="above 1024 KB"):
        budget.take(11)
    budget.take(10)


@given(st.lists(st.integers(0, 2 * FILE_BYTES)))
def test_no_order_of_texts_gets_past_the_budget(sizes: list[int]) -> None:
    budget, taken = Budget(), []
    for size in sizes:
        try:
            budget.take(size)
        except FileRefused:
            continue
        taken.append(size)
    assert len(taken) <= FILES
    assert sum(taken) <= TOTAL_BYTES
    assert all(size <= FILE_BYTES for size in taken)


@pytest.mark.parametrize(("name", "expected"), [
    ("a.py", "python"), ("A.PY", "python"), ("x.tar.yml", "yaml"), ("Makefile", ""), ("a.unknown", ""), ("py", ""),
])  # fmt: skip
def test_the_extension_tells_the_language(name: str, expected: str) -> None:
    assert language(name) == expected


def test_a_file_in_words_has_its_name_and_its_language() -> None:
    assert fenced("a.py", "x = 1\n") == "a.py:\n```python\nx = 1\n```"


@given(st.text("ab.`\n ~#"), st.text("`~ab \n"))
def test_nothing_in_a_file_closes_its_fence(name: str, text: str) -> None:
    """FIELD H2."""
    blocks = [token for token in MarkdownIt("commonmark").parse("\n" + fenced("a.py", text)) if token.type == "fence"]
    assert [token.content.removesuffix("\n") for token in blocks] == [text.removesuffix("\n")]
    assert fenced(name, text).count("\n") >= 2
