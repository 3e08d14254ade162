"""Taking over from dead brokers: theirs are ended, the living ones' are not, and whoever is left is tried again."""

from __future__ import annotations

import logging
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from openab_sync.acp.environment import BROKER_ID
from openab_sync.acp.kin import Kin, boot, identify
from openab_sync.acp.orphans import Orphans
from openab_sync.core import orphans
from openab_sync.core.orphans import take_over
from openab_sync.store import BrokerProcess, Processes, Store
from tests.core.bed import Bed

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system has no /proc")

DEAD = BrokerProcess("dead", 4_000_000, 1, boot())  # a number that no process here has


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path)
    yield store
    assert store.close()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[Kin], list[str]]]:
    """What was to be ended."""
    asked: list[tuple[list[Kin], list[str]]] = []

    def end(recorded: list[Kin], brokers: list[str]) -> Orphans:
        asked.append((recorded, brokers))
        return Orphans(tuple(recorded))

    monkeypatch.setattr(orphans, "end_orphans", end)
    return asked


def enter(store: Store, broker: BrokerProcess) -> None:
    processes = Processes(store, broker.id)
    processes.begin(broker, [])
    processes.began(f"{broker.id}-1", 7, 70)


def test_what_a_dead_broker_left_is_ended_and_forgotten(
    store: Store, asked: list[tuple[list[Kin], list[str]]], caplog: pytest.LogCaptureFixture
) -> None:
    enter(store, DEAD)
    processes = Processes(store, BROKER_ID)
    take_over(processes)
    assert asked == [([Kin(7, 70)], ["dead"])]
    assert "left 1 processes behind" in caplog.text
    assert [broker.id for broker in processes.earlier()] == [BROKER_ID]


def test_a_broker_that_lives_keeps_its_agents(store: Store, asked: list[tuple[list[Kin], list[str]]]) -> None:
    """A store may be copied while its broker runs: the copy's book names agents of the living."""
    us = identify(os.getpid())
    assert us is not None
    enter(store, BrokerProcess("alive", us.pid, us.started, boot()))
    processes = Processes(store, BROKER_ID)
    take_over(processes)
    assert asked == [([], [])]
    assert [broker.id for broker in processes.earlier()] == ["alive", BROKER_ID]


def test_after_a_restart_of_the_machine_nobody_is_looked_for(
    store: Store, asked: list[tuple[list[Kin], list[str]]]
) -> None:
    enter(store, BrokerProcess("earlier", 1, 1, "another boot"))
    processes = Processes(store, BROKER_ID)
    take_over(processes)
    assert asked == [([], [])]
    assert [broker.id for broker in processes.earlier()] == [BROKER_ID]


@pytest.mark.parametrize(("of_boot", "later", "lives"), [("", 0, False), ("", 1, True), ("another boot", 0, True)])
def test_a_process_is_ended_only_if_its_number_its_start_and_the_boot_are_those_in_the_book(
    store: Store, of_boot: str, later: int, lives: bool
) -> None:
    """Without the marker, which a stranger does not carry: a number alone is nobody."""
    with subprocess.Popen(["sleep", "600"], env={}) as process:
        kin = identify(process.pid)
        assert kin is not None
        dead = BrokerProcess("dead", 4_000_000, 1, of_boot or boot())
        processes = Processes(store, dead.id)
        processes.begin(dead, [])
        processes.began("dead-1", kin.pid, kin.started + later)
        take_over(Processes(store, BROKER_ID))
        is_there = identify(process.pid) == kin
        process.kill()
    assert is_there == lives


def test_who_cannot_be_ended_is_named_and_tried_again(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(orphans, "end_orphans", lambda recorded, _: Orphans(tuple(recorded), tuple(recorded)))
    enter(store, DEAD)
    processes = Processes(store, BROKER_ID)
    take_over(processes)
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == [
        "these processes of an earlier openab-sync cannot be ended: pids 7"
    ]
    assert [broker.id for broker in processes.earlier()] == ["dead", BROKER_ID]


def test_every_agent_of_a_house_is_in_the_book_as_long_as_it_lives(store: Store) -> None:
    processes = Processes(store, BROKER_ID)
    take_over(processes)
    with Bed(register=processes) as bed:
        assert bed.ask("say hello").outcome == "done"
        (broker,) = processes.earlier()
        (agent,) = broker.agents
        assert identify(agent.pid) == Kin(agent.pid, agent.started)
        assert agent.pid == bed.snapshot().pid
        assert f"OPENAB_SYNC_SESSION={agent.marker}".encode() in Path(f"/proc/{agent.pid}/environ").read_bytes()
        bed.ask("crash")
        assert bed.ask("say again").outcome == "done"
        assert len(processes.earlier()[0].agents) == 1, "who has died is out of it"
    assert processes.earlier()[0].agents == ()
