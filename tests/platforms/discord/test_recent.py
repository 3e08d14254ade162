"""What is remembered of messages for a while."""

from __future__ import annotations

import pytest

from openab_sync.platforms.discord import recent
from openab_sync.platforms.discord.recent import Recent


def test_a_message_comes_once() -> None:
    """FIELD F2, K4: the gateway replays what it thinks we have not heard."""
    book = Recent()
    assert [book.is_first(1), book.is_first(2), book.is_first(1)] == [True, True, False]


def test_memory_is_bounded_and_the_oldest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "MOST_SEEN", 2)
    book = Recent()
    assert [book.is_first(n) for n in (1, 2, 3)] == [True, True, True]
    assert [book.is_first(n) for n in (3, 2, 1)] == [False, False, True]


def test_other_words_are_a_change_and_the_same_are_none() -> None:
    book = Recent()
    assert not book.has_changed(1, "never admitted")
    book.admit(1, "build")
    assert book.was_admitted(1)
    assert not book.was_admitted(2)
    assert not book.has_changed(1, "build")
    assert book.has_changed(1, "build it")
    assert not book.has_changed(1, "build it")
