"""The witness catches every fault it is for, and lets everything through that the rules allow."""

from __future__ import annotations

import ast
import concurrent.futures
import importlib
import importlib.util
import logging
import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openab_sync.acp.poll import Poll
from openab_sync.threads import Bell
from tests import witness as module
from tests.witness import FORBIDDEN, POOL, SESSION, WATCHED, WatchedLock, Witness, WitnessFault


@pytest.fixture
def pool(witness: Witness) -> WatchedLock:
    return WatchedLock(witness, threading.RLock(), POOL)


@pytest.fixture
def session(witness: Witness) -> WatchedLock:
    return WatchedLock(witness, threading.Lock(), SESSION)


@pytest.fixture
def bell() -> Iterator[Bell]:
    bell = Bell()
    bell.open()
    yield bell
    bell.close()


@pytest.fixture(autouse=True)
def faults_are_meant(witness: Witness, leaves_nothing_behind: None) -> Iterator[None]:
    """The faults of these tests are their outcome: each test takes them back, and none may be left over."""
    yield
    witness.faults.clear()


def test_a_sessions_lock_may_be_taken_under_the_pools(
    pool: WatchedLock, session: WatchedLock, witness: Witness
) -> None:
    with pool, pool, session:
        assert witness.held() == [pool, pool, session]
    assert witness.held() == []
    assert witness.faults == []


def test_the_pools_lock_may_not_be_taken_under_a_sessions(
    pool: WatchedLock, session: WatchedLock, witness: Witness
) -> None:
    with session, pytest.raises(WitnessFault, match="the pool's lock is taken while a session's is held"):
        pool.acquire()
    assert len(witness.faults) == 1


def test_two_sessions_locks_may_not_be_held_at_once(pool: WatchedLock, session: WatchedLock, witness: Witness) -> None:
    other = WatchedLock(witness, threading.Lock(), SESSION)
    with pool, session, pytest.raises(WitnessFault, match="a second session's lock"):
        other.acquire()
    assert not other.locked()


def test_a_session_that_waits_for_itself_is_told_instead(session: WatchedLock) -> None:
    with session, pytest.raises(WitnessFault, match="twice by one thread"):
        session.acquire()


def test_the_pools_lock_in_hand_may_be_taken_again_under_a_sessions(
    pool: WatchedLock, session: WatchedLock, witness: Witness
) -> None:
    """It cannot block there: this thread has it."""
    with pool, session, pool:
        assert witness.faults == []


def test_one_thread_does_not_answer_for_another(pool: WatchedLock, session: WatchedLock, witness: Witness) -> None:
    order: list[bool] = []

    def other() -> None:
        order.append(pool.acquire(blocking=False))
        pool.release()

    thread = threading.Thread(target=other, name="other")
    thread.start()
    thread.join(10)
    with session:
        held_here = witness.held()
    assert (order, held_here, witness.faults) == ([True], [], [])


def test_a_lock_that_was_not_got_is_not_held(witness: Witness) -> None:
    inner = threading.Lock()
    session = WatchedLock(witness, inner, SESSION)
    with inner:
        assert session.locked()
        assert not session.acquire(blocking=False)
        assert witness.held() == []


def test_locked_tells_whether_the_pools_lock_is_ours(pool: WatchedLock) -> None:
    assert not pool.locked()
    with pool:
        assert pool.locked()


BLOCKING: dict[str, Callable[[], object]] = {
    "os.read": lambda: os.read(0, 1),
    "os.write": lambda: os.write(1, b""),
    "time.sleep": lambda: time.sleep(0),
    "Popen.__init__": lambda: subprocess.Popen([sys.executable, "--version"]),
    "Selector.select": lambda: selectors.DefaultSelector.select(selectors.DefaultSelector()),
    "Poll.wait": lambda: Poll().wait(0),
    "Future.result": lambda: concurrent.futures.Future[int]().result(0),
    "Future.set_result": lambda: concurrent.futures.Future[int]().set_result(1),
    "Thread.start": lambda: threading.Thread(name="late").start(),
    "Thread.join": lambda: threading.current_thread().join(0),
    "Condition.wait": lambda: threading.Event().wait(0),
    "Logger.isEnabledFor": lambda: logging.getLogger(__name__).debug("nobody reads this"),
}


@pytest.mark.parametrize("rank", [POOL, SESSION])
@pytest.mark.parametrize("name", BLOCKING)
def test_what_can_block_is_caught_under_a_lock(name: str, rank: int, witness: Witness) -> None:
    with WatchedLock(witness, threading.RLock(), rank), pytest.raises(WitnessFault, match=name):
        BLOCKING[name]()
    assert witness.faults[0].startswith("MainThread: ")


@pytest.mark.parametrize(("owner", "name"), FORBIDDEN, ids=lambda value: getattr(value, "__name__", value))
def test_everything_forbidden_asks_first(owner: object, name: str, session: WatchedLock) -> None:
    with session, pytest.raises(WitnessFault, match="is called while a session's lock is held"):
        getattr(owner, name)()


def test_without_a_lock_everything_works_as_before(session: WatchedLock, witness: Witness) -> None:
    with session:
        pass
    out, into = os.pipe()
    os.write(into, b"word")
    word = os.read(out, 10)
    os.close(out)
    os.close(into)
    assert (word, witness.faults) == (b"word", [])


def test_the_bell_may_be_rung_under_a_sessions_lock(pool: WatchedLock, session: WatchedLock, bell: Bell) -> None:
    with session:
        bell.ring()
    with pool, session:
        bell.ring()
    assert selectors_sees(bell)


def test_the_bell_may_not_be_rung_under_the_pools_lock_alone(pool: WatchedLock, bell: Bell) -> None:
    with pool, pytest.raises(WitnessFault, match=r"os.write|posix.write"):
        bell.ring()


def test_a_fault_in_a_thread_that_swallows_it_is_kept(session: WatchedLock, witness: Witness) -> None:
    def careless() -> None:
        with session, pytest.raises(AssertionError):
            time.sleep(0)

    thread = threading.Thread(target=careless, name="careless")
    thread.start()
    thread.join(10)
    assert witness.faults == ["careless: time.sleep is called while a session's lock is held"]


def test_installing_puts_watched_locks_where_a_module_makes_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "imaginary_room.py").write_text("import threading\nfriend = threading.Event\n")
    monkeypatch.syspath_prepend(tmp_path)
    room = importlib.import_module("imaginary_room")
    monkeypatch.setattr(module, "WATCHED", (("imaginary_room", "Lock", SESSION),))
    with monkeypatch.context() as patch:
        module.install(patch)
        assert isinstance(room.threading.Lock(), WatchedLock)
        assert room.threading.Event is threading.Event
    assert room.threading is threading
    monkeypatch.delitem(sys.modules, "imaginary_room")


@pytest.mark.parametrize(("room", "maker", "rank"), WATCHED)
def test_the_house_makes_its_locks_by_the_watched_name(room: str, maker: str, rank: int) -> None:
    """A lock made in another way would go unwatched, and everything above would prove nothing."""
    spec = importlib.util.find_spec(room)
    assert spec is not None
    assert spec.origin is not None
    calls = [
        ast.unparse(node.func)
        for node in ast.walk(ast.parse(Path(spec.origin).read_text()))
        if isinstance(node, ast.Call)
    ]
    locks = [call for call in calls if call.rpartition(".")[2] in {"Lock", "RLock", "Condition", "Semaphore"}]
    assert locks == [f"threading.{maker}"]


def selectors_sees(bell: Bell) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(bell, selectors.EVENT_READ)
        return bool(selector.select(0))
