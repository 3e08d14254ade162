"""Names of threads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.platforms.discord.titles import LONGEST, UNTITLED, title_of


@pytest.mark.parametrize(
    ("prompt", "title"),
    [
        ("fix the login page", "fix the login page"),
        ("<@8> fix <@!9> the <@&10> page in <#11>", "fix the page in"),
        ("@(role) look at this", "look at this"),
        ("**bold** and __under__ ~~gone~~ ||hidden|| `code`", "bold and under gone hidden code"),
        ("# A heading\n\nwith text", "A heading with text"),
        ("> a quote\n- a point", "a quote a point"),
        ("why does this fail?\n```python\nprint(1)\n```", "why does this fail?"),
        ("```python\nprint(1)\n```", "print(1)"),
        ("```\n```", UNTITLED),
        ("see https://github.com/openabdev/openab/issues/373 please", "see openabdev/openab#373 please"),
        ("see https://github.com/a/b/pull/5/files", "see a/b#5"),
        ("read https://www.example.org/", "read example.org"),
        ("read https://example.org/page", "read example.org/page"),
        ("read <https://example.org/a/b/page?x=1>", "read example.org/…/page"),
        ("read [the docs](https://example.org/a)", "read the docs"),
        ("https://[broken/x", "link"),
        ("snake_case_name and 3 * 4 stay", "snake_case_name and 3 * 4 stay"),
        ("hi <:wave:123456> <a:dance:99>", "hi :wave: :dance:"),
        ("at <t:1700000000:R> use </models:55>", "at use /models"),
        ("two\n\n  lines\tand tabs", "two lines and tabs"),
        ("@everyone wake up", "wake up"),
        ("", UNTITLED),
        ("<@8>", UNTITLED),
        ("...", UNTITLED),
        ("**", UNTITLED),
        ("\x1b[31mred\x1b[0m", "red"),
    ],
)
def test_a_title_says_what_was_asked(prompt: str, title: str) -> None:
    """FIELD F18."""
    assert title_of(prompt) == title


def test_a_long_title_ends_at_a_word() -> None:
    title = title_of("please look into the reasons why the nightly build takes so much longer than before")
    assert title == "please look into the reasons why the nightly build takes so…"
    assert title_of("x" * 200) == "x" * 59 + "…"


def test_a_family_is_not_torn_apart() -> None:
    assert title_of("👨‍👩‍👧‍👦" * 20) == "👨‍👩‍👧‍👦" * 8 + "…"


@given(st.text(max_size=300) | st.text(st.sampled_from(list("<@&>`*_|~#[]()/: \nhttps1a")), max_size=300))
def test_a_title_is_one_line_that_fits_and_never_empty(prompt: str) -> None:
    title = title_of(prompt)
    assert 0 < len(title) <= LONGEST
    assert title == " ".join(title.split())
