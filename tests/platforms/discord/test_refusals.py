"""Refusals: shown, logged and kept, and never a storm."""

from __future__ import annotations

import logging

import pytest

from openab_sync.core.audit import Audit
from openab_sync.core.budget import Hit
from openab_sync.core.message import Conversation, Person
from openab_sync.platforms.discord import refusals
from openab_sync.platforms.discord.refusals import Refusals
from tests.fakes.clock import FakeClock

HERE = Conversation("discord", "1")
EVE = Person("666", "Eve")


def made() -> tuple[FakeClock, Refusals, list[tuple[str, dict[str, object]]]]:
    clock, kept = FakeClock(), list[tuple[str, dict[str, object]]]()
    audit = Audit(lambda kind, conversation, person, details: kept.append((person[0], details)))
    return clock, Refusals(clock, audit), kept


def test_somebody_is_refused_aloud_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    clock, book, kept = made()
    with caplog.at_level(logging.INFO):
        assert [book.note(HERE, EVE, "message") for _ in range(3)] == [True, False, False]
        assert book.note(HERE, Person("7"), "message")
        clock.advance(61)
        assert book.note(HERE, EVE, "component")
    assert [line for line in caplog.messages if "666" in line] == [
        "discord:1: 666 is not let in (message)",
        "discord:1: 666 is not let in (component)",
    ]
    assert kept[1] == ("7", {"what": "message", "why": "not let in; 2 more since the last line like this"})


def test_a_crowd_is_refused_so_many_times_a_minute_and_remembered_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "MOST", 10)
    clock, book, kept = made()
    shown = [book.note(HERE, Person(str(n)), "message") for n in range(200)]
    assert sum(shown) == len(kept) == refusals.MOST_A_MINUTE
    assert len(book._last) == 10
    clock.advance(61)
    assert book.note(HERE, EVE, "message")


def test_what_is_beyond_a_limit_is_noted_once_a_minute_for_each_limit() -> None:
    _, book, kept = made()
    hits = [Hit(name, "Too much.", "666") for name in ("turns_per_hour", "turns_per_hour", "tokens_per_day")]
    assert [book.limit(HERE, EVE, hit) for hit in hits] == [True, False, True]
    assert book.note(HERE, EVE, "message")
    assert kept[0] == ("666", {"limit": "turns_per_hour", "what": "a message was refused"})
    assert kept[1][1]["what"] == "a message was refused; 1 more since the last line like this"
