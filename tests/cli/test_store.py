"""`openab-sync store`: what it prints and how it ends. What it finds is shown in store/test_upkeep.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from openab_sync.store import Fact, Store, open_books
from tests.cli.running import run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    store = Store.open(tmp_path / "state")
    open_books(store).deliveries.accept(Fact("test:1", "m1", "ann", "good mörning"))[1].result(10)
    assert store.close()
    return store.folder


def test_all_is_well(tmp_path: Path, folder: Path) -> None:
    ended = run(tmp_path, "store", "check")
    first, *lines = ended.out.splitlines()
    assert (ended.code, ended.err, first) == (0, "", str(folder))
    assert lines and all(line.startswith("✓ ") for line in lines)


def test_something_is_not_well(tmp_path: Path, folder: Path) -> None:
    folder.chmod(0o755)
    ended = run(tmp_path, "store", "check")
    assert ended.code == 1
    assert "✗ " in ended.out and "chmod 700" in ended.out


def test_where_there_is_no_store_it_says_which_one_was_meant(tmp_path: Path) -> None:
    for name in ("check", "vacuum", "export", "backup"):
        ended = run(tmp_path, "store", name, *(["copy.db"] if name == "backup" else []))
        assert (ended.code, len(ended.err.splitlines())) == (2, 1)
        assert str(tmp_path / "state") in ended.err


def test_a_broker_that_runs_keeps_its_room_and_is_named(tmp_path: Path, folder: Path) -> None:
    store = Store.open(folder)
    ended = run(tmp_path, "store", "vacuum")
    assert ended.code == 1
    assert "is in use by another openab-sync (pid " in ended.err
    assert store.close()
    ended = run(tmp_path, "store", "vacuum")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.endswith(" KiB now.\n")


def test_a_copy_is_a_new_file(tmp_path: Path, folder: Path) -> None:
    ended = run(tmp_path, "store", "backup", str(tmp_path / "copy.db"))
    assert (ended.code, ended.err) == (0, "") and ended.out.startswith(f"{tmp_path / 'copy.db'}: ")
    again = run(tmp_path, "store", "backup", str(tmp_path / "copy.db"))
    assert (again.code, "is there already" in again.err) == (2, True)


def test_everything_comes_as_lines(tmp_path: Path, folder: Path) -> None:
    (file := tmp_path / "config.toml").write_text(
        f'[discord]\nbot_token = "${{NOT_HERE}}"\n[store]\npath = "{folder}"\n'
    )
    ended = run(tmp_path, "store", "export", "-c", str(file))
    assert run(tmp_path, "store", "-c", str(file), "export") == ended
    rows = [json.loads(line) for line in ended.out.splitlines()]
    assert [row["text"] for row in rows if row["table"] == "deliveries"] == ["good mörning"]
    assert ended.code == 0
