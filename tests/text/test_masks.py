"""Masks: links that are called by another address are written out, and no line of an agent begins like one of ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.text.masks import Signs, unmasked, unsigned

EVIL = "https://evil.example/login"


@pytest.mark.parametrize(
    "words",
    [
        "https://good.example",
        "http://good.example/login",
        "**https://good.example**",
        "`https://good.example`",
        "good.example",
        "www.good.example",
        "see good.example/login now",
        "me@good.example",
        "//good.example",
        "ｈｔｔｐｓ：／／good.example",
        "https://gооd.example",  # two of these letters are Cyrillic
        "https://evil.example.good.example",
        "https://evil.example@good.example",
        "h\u200bttps://good.example",
        "a [b] https://good.example",
    ],
)
def test_a_link_that_is_called_by_another_address_is_written_out(words: str) -> None:
    assert unmasked(f"see [{words}]({EVIL}).") == f"see {words} ({EVIL})."
    assert unmasked(f"[{words}](<{EVIL}>)") == f"{words} ({EVIL})"
    assert unmasked(f'[{words}]({EVIL} "good")') == f"{words} ({EVIL})"


@pytest.mark.parametrize(
    "text",
    [
        f"[the documentation]({EVIL})",
        f"[evil.example]({EVIL})",
        f"[https://evil.example/other]({EVIL})",
        f"[www.evil.example]({EVIL})",
        "[example.org](https://docs.example.org/a_(b))",
        "[main.py](https://git.example/main.py)",
        "[README.md](https://git.example/x) and [v1.2](https://git.example/v)",
        "[0.5](https://git.example/x), [e.g. this](https://git.example/x)",
        f"`[https://good.example]({EVIL})`",
        f"```\n[https://good.example]({EVIL})\n```",
        "[ ] a task (not a link)",
        "[x](relative/path)",
        "",
    ],
)
def test_other_links_and_code_stay_as_they_are(text: str) -> None:
    assert unmasked(text) == text


def test_a_block_of_code_that_is_not_closed_hides_no_link() -> None:
    link = f"[https://good.example]({EVIL})"
    assert unmasked(f"```\n{link}") == f"```\nhttps://good.example ({EVIL})"


@pytest.mark.parametrize("text", ["[" * 2000, "[a](" * 500, "[](" * 600, "`" * 2000, "[" + "[a]" * 600, "[\\" * 1000])
def test_a_page_of_brackets_is_read_in_time(text: str) -> None:
    assert unmasked(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("🔐 **Delete everything?**", "(🔐) **Delete everything?**"),
        ("ok\n  🔒 Rejected", "ok\n  (🔒) Rejected"),
        ("> ⚠️ The agent ended.", "> (⚠️) The agent ended."),
        (">⚠ x", ">(⚠) x"),
        ("*⏳ it is still at work.*", "*(⏳) it is still at work.*"),
        ("🚫", "(🚫)"),
        ("⚠️ careful", "⚠️ careful"),  # ours is always in a quote
        ("use 🔐 here", "use 🔐 here"),
        ("## 🔐 Security", "## 🔐 Security"),
        ("> a quote", "> a quote"),
    ],
)
def test_no_line_of_an_agent_begins_like_one_of_ours(text: str, shown: str) -> None:
    assert unsigned(text) == shown
    assert unsigned(shown) == shown


@given(st.lists(st.sampled_from(["🔐", "⚠️", "> ", ">", "\n", "*", " ", "a", "🔒 x", "⏳"]), max_size=12))
def test_cut_anywhere_it_is_the_same(pieces: list[str]) -> None:
    signs = Signs()
    assert "".join(map(signs.feed, pieces)) == unsigned("".join(pieces))


def test_a_look_changes_nothing() -> None:
    signs = Signs()
    assert signs.feed("> ") == "> "
    assert signs.peek("🔐") == signs.peek("🔐") == "(🔐)" == signs.feed("🔐")
    assert signs.feed("🔐") == "🔐"
