"""Who has a store, and asking whoever that is."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from openab_sync.errors import StoreError
from openab_sync.signals import handled
from openab_sync.store import Store, answer, ask, holder
from openab_sync.store.place import LOCK_NAME
from tests.waiting import MS, until


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path)
    yield store
    store.close()


def test_nobody_has_a_store_that_is_not_there(tmp_path: Path) -> None:
    assert holder(tmp_path / "none") is None


def test_whoever_has_it_is_told_by_its_number(store: Store) -> None:
    assert holder(store.folder) == os.getpid()
    store.close()
    assert holder(store.folder) is None, "the file is still there, and nobody has it"


def test_looking_keeps_nobody_out(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store.close()
    assert holder(tmp_path) is None
    store = Store.open(tmp_path)
    store.close()


def test_one_that_has_not_said_who_it_is_is_an_error(store: Store) -> None:
    os.truncate(store.folder / LOCK_NAME, 0)
    with pytest.raises(StoreError, match="has not said which"):
        holder(store.folder)


def test_what_cannot_be_looked_into_is_an_error(store: Store) -> None:
    with pytest.raises(StoreError, match="cannot be looked into"):
        holder(store.folder / LOCK_NAME)


def asked(folder: Path, patience: float = 5000 * MS) -> tuple[threading.Thread, list[tuple[bool, str]]]:
    """Ask ourselves, from a thread; the pipe is there when this returns."""
    heard: list[tuple[bool, str]] = []
    thread = threading.Thread(target=lambda: heard.append(ask(folder, os.getpid(), patience)), name="asks")
    thread.start()
    return thread, heard


def test_who_asks_is_told_and_nothing_is_left(store: Store) -> None:
    hangups: list[signal.Signals] = []
    with handled({signal.SIGHUP: hangups.append}):
        threads = [asked(store.folder) for _ in range(2)]
        until(lambda: len(hangups) >= 1 and len(list(store.folder.glob("reload.*"))) == 2, what="both have asked")
        answer(store.folder, "Applies from now on: café.", is_well=True)
        for thread, heard in threads:
            thread.join()
            assert heard == [(True, "Applies from now on: café.")]
        until(lambda: hangups, what="the signal has come")
    assert list(store.folder.glob("reload.*")) == []


def test_a_pipe_that_is_seen_is_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else an answer to somebody else, just then, would take it for one that nobody reads."""
    rename, seen = Path.rename, list[str]()

    def answered_just_then(path: Path, to: Path) -> Path:
        answer(store.folder, "for another", is_well=True)
        seen.append(path.name.partition(".")[0])
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", answered_just_then)
    with handled({signal.SIGHUP: lambda _: answer(store.folder, "for us", is_well=True)}):
        assert ask(store.folder, os.getpid(), 5000 * MS) == (True, "for us")
    assert seen == ["unread"]
    assert list(store.folder.glob("*.????????????????")) == []


def test_a_fault_is_told_as_one_and_a_long_one_is_cut(store: Store) -> None:
    with handled({signal.SIGHUP: lambda _: None}):
        thread, heard = asked(store.folder)
        until(lambda: list(store.folder.glob("reload.*")), what="it has asked")
        answer(store.folder, "ü" * 5000, is_well=False)
        thread.join()
    [(is_well, text)] = heard
    assert not is_well
    assert text.endswith("ü…") and 2000 < len(text) < 2100


def test_a_broker_that_does_not_answer_is_not_waited_for(store: Store) -> None:
    with handled({signal.SIGHUP: lambda _: None}), pytest.raises(StoreError, match="did not answer within"):
        ask(store.folder, os.getpid(), 10 * MS)
    assert list(store.folder.glob("reload.*")) == []


def test_a_broker_that_has_just_ended_cannot_be_asked(store: Store) -> None:
    with pytest.raises(StoreError, match="cannot be told"):
        ask(store.folder, 4_100_000, 10 * MS)


def test_a_folder_that_is_not_there_cannot_be_asked_through(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be asked through"):
        ask(tmp_path / "none", os.getpid(), 10 * MS)


def test_pipes_that_nobody_reads_and_files_that_are_none_hold_nothing_up(store: Store) -> None:
    os.mkfifo(store.folder / "reload.left")
    (store.folder / "reload.file").write_text("kept out of")
    (store.folder / "reload.link").symlink_to(store.folder / "elsewhere")
    answer(store.folder, "well", is_well=True)
    assert list(store.folder.glob("reload.*")) == []
    assert not (store.folder / "elsewhere").exists()
