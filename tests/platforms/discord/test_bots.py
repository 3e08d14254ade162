"""Who else speaks in a conversation, and how long bots may."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.platforms.discord import bots
from openab_sync.platforms.discord.bots import (
    HARD_LIMIT,
    Company,
    conversation_at,
    limit_reached,
    takes_part,
    warning_of,
)
from openab_sync.store import Books, Known, Store, open_books

KEY = "discord:1"


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    store = Store.open(tmp_path)
    yield open_books(store)
    assert store.close()


def test_a_conversation_has_one_key_whatever_its_id_came_as() -> None:
    """FIELD G5."""
    assert conversation_at(12) == conversation_at("12")
    assert conversation_at(12).key == "discord:12"


def test_all_messages_of_bots_count_our_own_included(books: Books) -> None:
    """FIELD G1, G2: a ping-pong of two bots is counted as what it is."""
    company = Company(books.conversations, lambda: 4)
    for _ in range(2):
        company.hear_bot(KEY, "9")
        company.hear_bot(KEY, "7", is_us=True)
    assert company.limit(KEY) == "soft"
    known = books.conversations.get(KEY)
    assert (known.bot_turns, known.bots) == (4, ("9",))


def test_a_persons_words_begin_the_count_anew(books: Books) -> None:
    """FIELD G3: both counts, so that no thread is locked for ever."""
    company = Company(books.conversations, lambda: 1)
    company.hear_bot(KEY, "9")
    assert company.warning(KEY)
    company.hear_person(KEY)
    assert company.limit(KEY) == ""
    assert books.conversations.get(KEY).bot_turns_total == 0
    company.hear_bot(KEY, "9")
    assert company.warning(KEY), "and so the next warning is a new one"


def test_each_limit_is_said_once(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """FIELD G6, G10: soft and hard, by one constant each."""
    monkeypatch.setattr(bots, "HARD_LIMIT", 3)
    company = Company(books.conversations, lambda: 2)
    said = []
    for _ in range(5):
        company.hear_bot(KEY, "9")
        said.append(company.warning(KEY))
    assert [bool(text) for text in said] == [False, True, True, False, False]
    assert said[1] == warning_of("soft", 2)
    assert said[2] == warning_of("hard", 2)


def test_what_another_of_our_kind_has_said_need_not_be_said_again(books: Books) -> None:
    """FIELD G6: one warning, not one for each bot in the thread."""
    company = Company(books.conversations, lambda: 2)
    company.hear_bot(KEY, "9")
    company.hear_bot(KEY, "9", warning_of("soft", 20))
    assert (company.limit(KEY), company.warning(KEY)) == ("soft", "")
    company.hear_bot(KEY, "9", warning_of("hard", 20))
    books.conversations.put(Known(KEY, bot_turns=HARD_LIMIT, bot_turns_total=HARD_LIMIT))
    assert (company.limit(KEY), company.warning(KEY)) == ("hard", "")


@given(st.integers(0, 2000), st.integers(1, 2000))
def test_nobody_talks_past_the_hard_limit_whatever_was_configured(turns: int, most: int) -> None:
    """FIELD G10."""
    limit = limit_reached(Known(KEY, bot_turns=turns, bot_turns_total=turns), most)
    assert bool(limit) == (turns >= min(most, HARD_LIMIT))


def test_taking_part_is_remembered_with_who_wrote_and_what_was_seen(books: Books) -> None:
    company = Company(books.conversations, lambda: 5)
    company.take_part(KEY, "1", parent="10", seen="99")
    company.take_part(KEY, "2", seen="100")
    company.take_part(KEY, seen="98")
    company.take_part(KEY, "1")
    known = books.conversations.get(KEY)
    assert takes_part(known)
    assert (known.people, known.parent, known.last_seen) == (("1", "2"), "10", "100")


def test_the_lists_are_bounded(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bots, "MOST_PEOPLE", 2)
    monkeypatch.setattr(bots, "MOST_BOTS", 2)
    monkeypatch.setattr(bots, "MOST_WARNED", 1)
    company = Company(books.conversations, lambda: 1)
    for name in ("1", "2", "3"):
        company.take_part(KEY, name)
        company.hear_bot(KEY, name)
    assert (books.conversations.get(KEY).people, books.conversations.get(KEY).bots) == (("2", "3"), ("2", "3"))
    assert company.warning(KEY)
    company.hear_bot("discord:2", "1")
    assert company.warning("discord:2")
    assert company.warning(KEY), "forgotten: better said twice than remembered without end"


def test_what_is_known_survives_a_restart(tmp_path: Path) -> None:
    """FIELD D11."""
    for expected in (0, 1):
        store = Store.open(tmp_path)
        company = Company(open_books(store).conversations, lambda: 5)
        assert open_books(store).conversations.get(KEY).bot_turns == expected
        company.hear_bot(KEY, "9")
        company.take_part(KEY, "1")
        assert store.close()
    store = Store.open(tmp_path)
    known = open_books(store).conversations.get(KEY)
    assert store.close()
    assert (known.took_part, known.bots, known.bot_turns) == (True, ("9",), 2)
