"""Whatever goes wrong, at whatever moment of a message's way from Discord and back: the same must hold.

What fails is Discord itself, the disk under the journal, the clock, an agent's memory; `faults/matrix.toml` is the
table, `faults/invariants.py` what must hold. What is left behind is looked at after every test.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from openab_sync.acp.weight import Weight
from openab_sync.clock import SystemClock
from openab_sync.config.bounds import AgentLimits
from openab_sync.core.watcher import MB, Watcher
from tests.fakes.discord import Server
from tests.faults.invariants import check
from tests.platforms.discord.bed import house
from tests.platforms.discord.fake_client import QUICK
from tests.platforms.discord.moments import Fault, Scene
from tests.store.outage import outage

pytestmark = pytest.mark.slow

MOMENTS = ("starting", "idle", "busy", "cancelling", "question", "delivering", "closing")
DAYS = 400 * 86_400.0  # seconds, longer than anything is kept


# Discord's faults.


def rest(**what: object) -> Fault:
    """Requests of the conversation that it comes to fail so, a few times."""

    @contextmanager
    def fault(scene: Scene) -> Iterator[None]:
        scene.server.fail("*", scene.path, **what)
        yield
        scene.server.backend.faults.clear()

    return fault


def gateway(act: Callable[[Server], object]) -> Fault:
    """What the gateway does once."""

    @contextmanager
    def fault(scene: Scene) -> Iterator[None]:
        act(scene.server)
        yield

    return fault


def forget(server: Server) -> None:
    server.advance(6.0)
    server.gateway.forget()
    server.gateway.drop()


@contextmanager
def deaf(scene: Scene) -> Iterator[None]:
    """Connected, and nothing is told any more; the heartbeats, which are quick here, notice it."""
    heart = scene.bed.platform.client.ws._keep_alive
    assert heart is not None
    heart.heartbeat_timeout = 0.3
    scene.server.gateway.deafen()
    yield


@contextmanager
def replay(scene: Scene) -> Iterator[None]:
    """The connection is lost with all that was acknowledged: what has happened is told once more when it resumes."""
    scene.bed.platform.client.ws.sequence = 1
    scene.server.gateway.drop()
    yield


# The machine's.


class Disk:
    """The journal's connection, with something before each statement."""

    def __init__(self, db: sqlite3.Connection, before: Callable[[str], object]) -> None:
        self._db, self._before = db, before

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        self._before(sql)
        return self._db.execute(sql, *values)


def disk(before: Callable[[str], object]) -> Fault:
    """Something is done, or raised, before each statement of the journal's."""

    @contextmanager
    def fault(scene: Scene) -> Iterator[None]:
        store, real = scene.bed.store, scene.bed.store._db
        store._db = Disk(real, before)  # type: ignore[assignment]  # all that a change asks of it
        yield
        store._db = real

    return fault


def full(sql: str) -> None:
    if sql == "COMMIT":
        raise sqlite_error(sqlite3.SQLITE_FULL, "database or disk is full")


def malformed(sql: str) -> None:
    if sql.split(maxsplit=1)[0] in {"INSERT", "UPDATE", "DELETE", "SELECT"}:
        raise sqlite_error(sqlite3.SQLITE_CORRUPT, "database disk image is malformed")


def slow(sql: str) -> None:
    if sql == "COMMIT":
        threading.Event().wait(0.1)


def sqlite_error(code: int, text: str) -> sqlite3.DatabaseError:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


@contextmanager
def read_only(scene: Scene) -> Iterator[None]:
    with suppress(sqlite3.ProgrammingError), outage(scene.bed.store):  # the journal may be closed before it is over
        yield


@contextmanager
def stepped(scene: Scene) -> Iterator[None]:
    """The wall clock is set 400 days on, whoever cleans up does so, and then it is set back."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SystemClock, "time", lambda _: time.time() + DAYS)
        scene.bed.app._janitor.round()
        yield
        scene.bed.app._janitor.round()


@contextmanager
def heavy(scene: Scene) -> Iterator[None]:
    """Each agent but that of the other conversation takes more memory than it may, by the watcher's scales."""
    sessions = scene.bed.app.broker.snapshot().sessions
    spared = {one.pid for one in sessions if one.conversation.id == str(scene.other.id)}

    def weigh(pids: Collection[int]) -> dict[int, Weight]:
        return {pid: Weight(1 if pid in spared else 250 * MB, 1) for pid in pids}

    watcher = Watcher(
        scene.bed.app._pool,
        {"discord": scene.bed.platform.port},
        lambda: AgentLimits(memory_soft_mb=0, memory_mb=200),
        SystemClock(),
        weigh=weigh,
        exactly=lambda pid: weigh([pid])[pid].bytes,
        interval=0.02,
    )
    watcher.start()
    try:
        yield
    finally:
        assert watcher.stop()


FAULTS: dict[str, Fault] = {
    "4xx": rest(status=400, code=50035, times=2),
    "429": rest(status=429, retry_after=0.6, times=2),
    "5xx": rest(status=502, times=1),
    "latency": rest(latency=0.4, times=4),
    "reset": rest(reset=True, times=2),
    "lost reply": rest(lost=True, times=2),
    "drop": gateway(lambda server: server.gateway.drop()),
    "deaf": deaf,
    "replay": replay,
    "invalid session": gateway(forget),
    "reconnect": gateway(lambda server: server.gateway.reconnect()),
    "full": disk(full),
    "read-only": read_only,
    "slow fsync": disk(slow),
    "corrupt": disk(malformed),
    "step": stepped,
    "limit": heavy,
}
CUTTING = {"drop", "deaf", "replay", "invalid session", "reconnect"}
KEEPING_OUT = {"full", "read-only", "corrupt"}
CASES = [f"{fault}-{moment}" for fault in FAULTS for moment in MOMENTS if fault != "reconnect" or moment == "busy"]


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server


@pytest.mark.timeout(100)
@pytest.mark.parametrize("case", CASES)
def test_a_fault_at_a_moment(case: str, server: Server, tmp_path: Path) -> None:
    """At `closing` the house is left with the fault, and what it leaves is looked at by the next one."""
    fault, moment = case.rsplit("-", 1)
    server.gateway.heartbeat_interval = 0.05 if fault == "deaf" else 40.0
    settings: dict[str, Any] = {
        "permissions": {"mode": "ask"},
        "pool": {"shutdown_grace_secs": 0, "cancel_grace_secs": 0.2},
    }
    with ExitStack() as broken, house(server, folder=tmp_path, **settings) as bed:
        scene = Scene(server, bed, FAULTS[fault], broken, tmp_path)
        scene.cuts = fault in CUTTING
        if fault in KEEPING_OUT and moment != "closing":
            scene.busy_elsewhere()
        scene.cut |= {"first"} if fault == "limit" else set()
        getattr(scene, moment)()
        if moment != "closing":
            scene.go_on()
    if moment == "closing":
        scene.mend()
        scene.unsure |= {"first"} if fault in KEEPING_OUT else set()
        with house(server, folder=tmp_path, **settings) as scene.bed:
            scene.go_on()
    check(scene.account())
