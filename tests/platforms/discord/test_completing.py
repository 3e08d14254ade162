"""What a command offers while it is typed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from openab_sync.platforms.discord.completing import meant, offered

PAIRS = st.lists(st.tuples(st.text(max_size=150), st.text(max_size=150)), max_size=60)


@given(PAIRS, st.text(max_size=5))
def test_it_never_offers_more_than_discord_takes(found: list[tuple[str, str]], typed: str) -> None:
    choices = offered(found, typed)
    assert len(choices) <= 25
    assert all(1 <= len(choice.name) <= 100 and 1 <= len(choice.value) <= 100 for choice in choices)


@given(PAIRS)
def test_what_is_chosen_is_what_was_meant(found: list[tuple[str, str]]) -> None:
    values = [value for _, value in found]
    for choice in offered(found, ""):
        assert meant(values, choice.value) in values


def test_what_begins_with_it_comes_first_in_any_case() -> None:
    found = [("The Big One", "big"), ("Tiny", "tiny"), ("Small", "small"), ("", "")]
    assert [choice.value for choice in offered(found, "T")] == ["big", "tiny"]
    assert [choice.value for choice in offered(found, " BIG ")] == ["big"]
    assert [choice.value for choice in offered(found, "i")] == ["big", "tiny"]
    assert [choice.value for choice in offered([("a b", "x"), ("b a", "y")], "b")] == ["y", "x"]
    assert [choice.name for choice in offered(found, "")] == ["The Big One", "Tiny", "Small"]


def test_a_long_value_is_offered_by_a_token_and_found_again() -> None:
    value = "v" * 150
    [choice] = offered([("label", value)], "")
    assert choice.value != value
    assert meant(["other", value], choice.value) == value
    assert meant(["other"], choice.value) == choice.value  # gone meanwhile: the core says that there is none
    assert meant([value], "=x") == "=x"
    assert meant([value], "words") == "words"
