"""The buttons below a reply."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import discord
import pytest

from openab_sync.core.message import Conversation, MessageRef, Person
from openab_sync.core.port import Controls
from openab_sync.platforms.discord.controls import messages_of, view
from openab_sync.platforms.discord.ids import read
from openab_sync.store import Buttons, Store, open_books

HERE = Conversation("discord", "123456789012345678")
ABOUT = (MessageRef(HERE, "223456789012345678"), MessageRef(HERE, "323456789012345678"))
ANN = Person("7", "ann")
BOTH = Controls(stop=True, retry=True, turn="abc", about=ABOUT, people=(ANN,))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path)
    yield store
    assert store.close()


async def shown(controls: Controls, books: Buttons) -> discord.ui.View | None:
    return view(controls, HERE, books)


def test_each_button_says_its_turn_and_discord_py_keeps_nothing(store: Store) -> None:
    both = asyncio.run(shown(BOTH, open_books(store).buttons))
    assert both is not None
    ids = [item["custom_id"] for row in both.to_components() for item in row["components"]]
    known = [read(text) for text in ids]
    assert [(one.kind, one.parts) for one in known if one] == [("stop", ("abc",)), ("retry", ("abc",))]
    assert both.is_finished()  # discord.py stores no view that is


def test_what_a_turn_answers_and_whose_it_is_outlives_a_restart(store: Store) -> None:
    asyncio.run(shown(BOTH, open_books(store).buttons))
    books = open_books(store).buttons
    assert messages_of(books, "abc", HERE) == tuple(ref.id for ref in ABOUT)
    button = books.get("abc")
    assert button is not None and button.people == (ANN.id,)


def test_a_turn_is_written_down_once_however_often_it_is_drawn(store: Store) -> None:
    books = open_books(store).buttons
    for controls in (BOTH, Controls(retry=True, turn="abc", about=ABOUT[:1])):
        asyncio.run(shown(controls, books))
    assert len(messages_of(books, "abc", HERE)) == 2


def test_what_is_no_turn_of_this_conversation_answers_nothing(store: Store) -> None:
    books = open_books(store).buttons
    asyncio.run(shown(BOTH, books))
    menu = books.make("menu", HERE.key, {"messages": "1"})
    assert messages_of(books, "abc", Conversation("discord", "1")) == ()
    assert messages_of(books, "unknown", HERE) == messages_of(books, menu.id, HERE) == ()


def test_without_a_button_there_is_no_view(store: Store) -> None:
    for controls in (Controls(), Controls(stop=True), Controls(turn="abc", about=ABOUT)):
        assert asyncio.run(shown(controls, open_books(store).buttons)) is None
