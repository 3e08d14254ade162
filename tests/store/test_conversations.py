"""What is known of conversations: in memory at once, after a restart too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.store import Known, Store, open_books
from openab_sync.store.conversations import Conversations, _known, _row

FULL = Known(
    key="discord:1",
    parent="2",
    took_part=True,
    bots=("3",),
    people=("4", "5"),
    bot_turns=6,
    bot_turns_total=7,
    title="a title",
    title_is_settled=True,
    last_seen="8",
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path)
    yield store
    assert store.close()


def test_of_an_unknown_conversation_nothing_is_known(store: Store) -> None:
    assert Conversations(store).get("discord:1") == Known("discord:1")


def test_what_is_known_survives_a_restart(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    books = open_books(store)
    books.conversations.put(FULL)
    assert books.conversations.get("discord:1") == FULL
    assert store.close()
    store = Store.open(tmp_path)
    again = open_books(store).conversations
    assert (again.get("discord:1"), repr(again)) == (FULL, "<Conversations 1>")
    assert store.close()


def test_what_is_the_same_costs_no_writing(store: Store) -> None:
    conversations = Conversations(store)
    conversations.put(FULL)
    store.read(lambda _: None)
    before = store.changes
    conversations.put(FULL)
    store.read(lambda _: None)
    assert store.changes == before + 1, "the reading only"


def test_what_is_forgotten_is_forgotten_for_good(store: Store) -> None:
    conversations = Conversations(store)
    conversations.put(FULL)
    conversations.forget("discord:1")
    conversations.forget("discord:2")
    assert conversations.get("discord:1") == Known("discord:1")
    assert Conversations(store).get("discord:1") == Known("discord:1")


@given(st.builds(Known))
def test_whatever_is_known_comes_back_as_it_was(known: Known) -> None:
    assert _known(_row(known)) == known
