"""fences: CommonMark's grammar of fences, and blocks that their content cannot close."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from openab_sync.text.fences import Fence, fence, step


@pytest.mark.parametrize(
    ("line", "mark"),
    [
        ("```", "```"),
        ("```py", "```"),
        ("   ````  c++ title='x'", "````"),
        ("~~~", "~~~"),
        ("~~~ a`b", "~~~"),
        ("```py\r", "```"),
    ],
)
def test_a_line_opens_a_block(line: str, mark: str) -> None:
    assert step(line, None) == Fence(line.rstrip(), mark)


@pytest.mark.parametrize("line", ["", "``", "text ```", "    ```", "``` a`b", "`````` `", "> ```", "~~ ~"])
def test_a_line_opens_nothing(line: str) -> None:
    assert step(line, None) is None


@pytest.mark.parametrize("line", ["```", "````", "   ```  ", "```\r"])
def test_a_line_closes_the_block(line: str) -> None:
    assert step(line, Fence("```py", "```")) is None


@pytest.mark.parametrize("line", ["", "``", "``` x", "    ```", "~~~", "x```", "```~"])
def test_a_line_inside_leaves_the_block_open(line: str) -> None:
    inside = Fence("```py", "```")
    assert step(line, inside) is inside


def test_a_longer_fence_is_not_closed_by_a_shorter_one() -> None:
    inside = Fence("````", "````")
    assert step("```", inside) is inside


@given(st.text("`~ab \n"), st.text("`ab c\n"))
def test_content_cannot_close_its_block(text: str, info: str) -> None:
    tokens = MarkdownIt("commonmark").parse(fence(text, info))
    assert [token.type for token in tokens] == ["fence"]
    assert tokens[0].content == (text if not text or text.endswith("\n") else text + "\n")
    assert tokens[0].info.strip() == " ".join(info.replace("`", "").split())


@given(st.lists(st.text("`~a ", max_size=6), max_size=8))
def test_the_grammar_agrees_with_a_parser(lines: list[str]) -> None:
    """markdown-it without its other block rules sees the same lines as code."""
    parser = MarkdownIt("zero").enable("fence")
    expected = {
        number
        for token in parser.parse("\n".join(lines))
        if token.type == "fence" and token.map
        for number in range(*token.map)
    }
    inside: Fence | None = None
    code = set()
    for number, line in enumerate(lines):
        after = step(line, inside)
        if inside or after:
            code.add(number)
        inside = after
    # The parser drops blank lines at the end of the text from an open block's range.
    assert {number for number in code if lines[number].strip()} == {n for n in expected if lines[n].strip()}
