"""What people wrote, as the agent gets it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.platforms.discord.words import Ours, cut, order_in, quoted, unquoted
from openab_sync.text.clean import plain

OURS = Ours("7", frozenset({"42"}))

texts = st.text(st.sampled_from(list("ab <@!&7>42`\n#/é👨‍👩‍👧")), max_size=60)


@pytest.mark.parametrize(
    ("written", "prompt"),
    [
        ("<@7> build it", "build it"),
        ("<@!7> build it", "build it"),
        ("build it <@7>", "build it"),
        ("please <@7> build it", "please build it"),
        ("<@&42> build it", "build it"),
        ("<@7> <@&42>   build", "build"),
        ("<@7>\n\nbuild\n  it", "build\n  it"),
        ("build\n<@7>\nit", "build\n\nit"),
        ("<@7> ask <@8> and <@!9>", "ask <@8> and <@9>"),
        ("<@7> tell <@&43>", "tell @(role)"),
        ("<@7>", ""),
        ("  ", ""),
        ("<@7> explain `<@7>` and `<@&43>`", "explain `<@7>` and `<@&43>`"),
        ("<@7>\n```\n<@7> <@!8>\n```", "```\n<@7> <@!8>\n```"),
        ("<@77> hello", "<@77> hello"),
    ],
)
def test_our_names_go_and_others_stay(written: str, prompt: str) -> None:
    assert OURS.prompt(written) == prompt


@pytest.mark.parametrize(
    ("written", "called"),
    [
        ("<@7> x", True),
        ("<@!7> x", True),
        ("x <@&42>", True),
        ("<@&43> x", False),
        ("<@8> x", False),
        ("`<@7>`", False),
        ("```\n<@7>\n```", False),
        ("@bridge x", False),
        ("@everyone", False),
    ],
)
def test_both_forms_of_our_name_and_waking_roles_call_us(written: str, called: bool) -> None:
    """FIELD G8, G12."""
    assert OURS.are_called(written) is called


@given(texts)
def test_no_call_is_left_in_a_prompt_outside_of_code(text: str) -> None:
    if "`" not in text:
        assert not OURS.are_called(OURS.prompt(text))


@given(st.text(st.characters(exclude_characters="<>\x00"), max_size=100))
def test_a_text_without_mentions_is_the_prompt(text: str) -> None:
    assert OURS.prompt(text) == text.strip()


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("/cancel", ("cancel", "")),
        ("/cancel-all", ("cancel-all", "")),
        ("/queue drop 2", ("queue", "drop 2")),
        ("/queue edit 1 two\nlines", ("queue", "edit 1 two\nlines")),
        ("/agents", ("modes", "")),
        ("/models  opus ", ("models", "opus")),
        ("/modelsfoo", None),
        ("/cancel the order of pizzas", None),
        ("/cancel\nand then this", None),
        ("/compact", None),
        ("cancel", None),
        ("/", None),
        ("", None),
        ("/models opus\nand explain", None),
    ],
)
def test_only_exactly_a_command_is_an_order(text: str, order: tuple[str, str] | None) -> None:
    """FIELD F16: anything else is the agent's."""
    assert order_in(text) == order


@given(texts, st.integers(2, 40))
def test_a_cut_text_is_short_enough_and_begins_as_it_did(text: str, most: int) -> None:
    short = cut(text, most)
    assert len(short) <= most + 2
    assert plain(text).strip().startswith(short.removesuffix("…").rstrip()) or "\n" in text


def test_a_text_that_fits_is_not_cut() -> None:
    assert cut("as it is\n\nall of it", 30) == "as it is\n\nall of it"


def test_a_long_text_is_cut_at_a_line_where_that_keeps_most() -> None:
    assert cut("first line\nsecond", 14) == "first line\n…"
    assert cut("first\nsecond line that is long", 20).endswith("…")


@given(st.lists(st.text(st.characters(exclude_categories=["Cc", "Zl", "Zp", "Zs", "Cs"]), max_size=10), min_size=1))
def test_a_quote_can_be_taken_back(lines: list[str]) -> None:
    text = "\n".join(lines)
    assert unquoted(f"somebody asks:\n{quoted(text)}") == text
