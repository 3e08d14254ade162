"""Buttons: bound to what they were made for, good for a while, and after a restart still."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from openab_sync.store import Store, open_books
from openab_sync.store.buttons import Buttons
from tests.fakes.clock import FakeClock


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path)
    yield store
    assert store.close()


def test_a_button_is_found_by_its_id_after_a_restart_too(store: Store) -> None:
    clock = FakeClock()
    button = Buttons(store, clock).make("permission", "discord:1", {"request": "7"}, ("42",))
    assert (button.kind, button.conversation, button.people) == ("permission", "discord:1", ("42",))
    assert button.expires == clock.time() + 7 * 86400
    assert open_books(store, clock).buttons.get(button.id) == button


def test_ids_are_short_and_plain_and_not_to_be_guessed(store: Store) -> None:
    buttons = Buttons(store, FakeClock())
    ids = {buttons.make("k", "c", {}).id for _ in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{16}", id) for id in ids)


def test_what_became_of_one_is_kept(store: Store) -> None:
    clock = FakeClock()
    buttons = Buttons(store, clock)
    button = buttons.make("k", "c", {"a": "b"})
    closed = dataclasses.replace(button, data={**button.data, "closed": "Rejected by ann at 12:03."})
    buttons.put(closed)
    assert buttons.get(button.id) == Buttons(store, clock).get(button.id) == closed


def test_what_was_given_may_be_changed_by_its_giver(store: Store) -> None:
    data = {"a": "b"}
    button = Buttons(store, FakeClock()).make("k", "c", data)
    data["a"] = "x"
    assert button.data == {"a": "b"}


class Stepped(FakeClock):
    """Its time of the day is set as one likes."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


def test_setting_the_clock_makes_none_stale_and_none_good_for_longer(store: Store) -> None:
    clock = Stepped()
    buttons = Buttons(store, clock)
    button = buttons.make("k", "c", {}, ttl=10)
    clock.ahead = 1e8
    assert (buttons.get(button.id), buttons.of_kind("k")) == (button, (button,))
    clock.ahead = -1e8
    clock.advance(10)
    assert buttons.get(button.id) is None


def test_an_expired_one_is_not_found_and_soon_forgotten(store: Store) -> None:
    clock = FakeClock()
    buttons = Buttons(store, clock)
    brief, lasting = buttons.make("k", "c", {}, ttl=10), buttons.make("k", "c", {})
    clock.advance(10)
    assert (buttons.get(brief.id), buttons.get(lasting.id)) == (None, lasting)
    assert repr(buttons) == "<Buttons 2>"
    clock.advance(3600)
    buttons.make("k", "c", {})
    assert repr(buttons) == "<Buttons 2>", "the expired one is gone, a new one has come"
    clock.advance(7 * 86400)
    assert repr(Buttons(store, clock)) == "<Buttons 0>"


def test_a_dropped_or_invented_one_is_not_found(store: Store) -> None:
    buttons = Buttons(store, FakeClock())
    button = buttons.make("k", "c", {})
    buttons.drop(button.id)
    buttons.drop("never there")
    assert (buttons.get(button.id), buttons.get("never there")) == (None, None)


def test_those_of_a_conversation_are_forgotten_together(store: Store) -> None:
    buttons = Buttons(store, FakeClock())
    ours, theirs = buttons.make("stop", "test:1", {}), buttons.make("stop", "test:2", {})
    buttons.forget("test:1")
    assert buttons.get(ours.id) is None
    assert buttons.get(theirs.id) == theirs
