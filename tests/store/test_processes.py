"""The book of processes: who ran with this store, and which agents were not seen to end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from openab_sync.store import AgentProcess, BrokerProcess, Processes, Store

FIRST = BrokerProcess("first", 10, 100, "boot")
SECOND = BrokerProcess("second", 20, 200, "boot")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path)
    yield store
    assert store.close()


def test_an_empty_store_has_had_no_broker(store: Store) -> None:
    assert Processes(store, "first").earlier() == ()


def test_who_was_not_seen_to_end_is_found_by_the_next(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    processes = Processes(store, "first")
    processes.begin(FIRST, [])
    processes.began("m1", 11, 110)
    processes.began("m2", 12, 120)
    processes.ended("m1")
    assert store.close()
    store = Store.open(tmp_path)
    agents = (AgentProcess("m2", 12, 120),)
    assert Processes(store, "second").earlier() == (BrokerProcess("first", 10, 100, "boot", agents),)
    assert store.close()


def test_who_is_gone_is_forgotten_with_all_its_agents(store: Store) -> None:
    first, second = Processes(store, "first"), Processes(store, "second")
    first.begin(FIRST, [])
    first.began("m1", 11, 110)
    second.begin(SECOND, ["first"])
    second.began("m2", 21, 210)
    assert second.earlier() == (BrokerProcess("second", 20, 200, "boot", (AgentProcess("m2", 21, 210),)),)


def test_who_could_not_be_ended_stays_in_the_book(store: Store) -> None:
    Processes(store, "first").begin(FIRST, [])
    Processes(store, "second").begin(SECOND, [])
    assert Processes(store, "third").earlier() == (FIRST, SECOND)


def test_entering_oneself_twice_changes_nothing(store: Store) -> None:
    processes = Processes(store, "first")
    processes.begin(FIRST, [])
    processes.began("m1", 11, 110)
    processes.begin(FIRST, [])
    assert [len(broker.agents) for broker in processes.earlier()] == [1]
