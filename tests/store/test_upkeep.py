"""Looking after a store from outside, beside a broker that runs and without one."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from openab_sync.errors import ConfigError, StoreError
from openab_sync.store import Fact, Known, Memory, Store, open_books, upkeep
from openab_sync.store.database import FILE_NAME, open_for_reading
from openab_sync.store.migrations import MIGRATIONS
from openab_sync.store.upkeep import backup, check, export, vacuum


def fill(store: Store, rows: int = 1) -> None:
    books = open_books(store)
    for number in range(rows):
        books.deliveries.accept(Fact("test:1", f"m{number}", "ann", "words" * 100))[1].result(10)
    books.conversations.put(Known("test:1", took_part=True))
    books.memories.save(["test:1"], lambda _: Memory("a-credential", archive=("an-old-one",))).result(10)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store that nobody uses just now."""
    folder = tmp_path / "state"
    store = Store.open(folder)
    fill(store)
    assert store.close()
    return folder


@pytest.fixture
def running(folder: Path) -> Iterator[Store]:
    store = Store.open(folder)
    yield store
    store.close()


def said(folder: Path) -> tuple[list[str], list[str]]:
    """What is well, and what is not."""
    findings = list(check(folder))
    return [one.text for one in findings if one.is_well], [one.text for one in findings if not one.is_well]


def test_a_store_that_is_well_is_said_to_be(folder: Path) -> None:
    well, ill = said(folder)
    assert ill == []
    assert well[0] == "in use by nobody"
    assert f"schema {len(MIGRATIONS)}, the one of this version" in well
    assert "the journal is whole" in well
    assert any("conversations 1" in text and "deliveries 1" in text and "memories 1" in text for text in well)
    assert "messages that are not answered yet: 1 of test" in well


def test_beside_a_broker_it_is_looked_at_all_the_same(running: Store) -> None:
    fill(running, 3)
    well, ill = said(running.folder)
    assert ill == []
    assert well[0].startswith("in use by pid ")
    assert any("deliveries 4" in text for text in well)


def test_what_is_open_to_others_is_named_with_what_closes_it(folder: Path) -> None:
    folder.chmod(0o755)
    (folder / "journal.db").chmod(0o644)
    _, ill = said(folder)
    assert [text.rpartition(": ")[2] for text in ill] == ["chmod 700 closes it", "chmod 600 closes it"]


def test_files_and_a_full_disk_are_counted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "inbox" / "one").mkdir(parents=True)
    (folder / "inbox" / "one" / "a.txt").write_bytes(b"x" * 1024 * 1024)
    (folder / "journal.damaged-1.db").touch(0o600)
    monkeypatch.setattr(upkeep, "_LITTLE", 1 << 62)
    well, ill = said(folder)
    assert any("1 files of messages 1.0 MiB" in text for text in well)
    assert len(ill) == 2
    assert "journal.damaged-1.db" in ill[0] and "free on the disk" in ill[1]


def test_damage_is_found(folder: Path) -> None:
    file = folder / "journal.db"
    raw = bytearray(file.read_bytes())
    raw[4096:] = b"\xff" * (len(raw) - 4096)  # all pages but the first, which says that it is a database
    file.write_bytes(raw)
    _, ill = said(folder)
    assert any("damaged" in text for text in ill)


def test_rows_without_their_parents_are_found(folder: Path) -> None:
    with sqlite3.connect(folder / "journal.db") as db:
        db.execute("INSERT INTO agents (marker, broker, pid, started) VALUES ('m', 'nobody', 1, 1)")
    db.close()
    _, ill = said(folder)
    assert ill == ["1 rows belong to rows that are not there"]


def test_where_there_is_none_it_says_so(tmp_path: Path) -> None:
    for work in (check, export):
        with pytest.raises(ConfigError, match="no journal here yet"):
            list(work(tmp_path))
    with pytest.raises(ConfigError, match="no journal here yet"):
        vacuum(tmp_path)
    assert not list(tmp_path.iterdir()), "nothing is made"


def test_room_is_given_back(folder: Path) -> None:
    store = Store.open(folder)
    fill(store, 500)
    store.read(lambda db: db.execute("DELETE FROM deliveries"))
    assert store.close()
    before, after = vacuum(folder)
    assert after < before / 2
    assert said(folder)[1] == []


def test_room_is_not_given_back_under_a_broker_s_feet(running: Store) -> None:
    with pytest.raises(StoreError, match=r"in use by another openab-sync \(pid \d+\)"):
        vacuum(running.folder)
    fill(running)


def test_a_damaged_one_is_left_as_it_is(folder: Path) -> None:
    file = folder / "journal.db"
    raw = bytearray(file.read_bytes())
    raw[4096:] = b"\xff" * (len(raw) - 4096)
    file.write_bytes(raw)
    with pytest.raises(StoreError, match="damaged"):
        vacuum(folder)
    assert file.read_bytes() == bytes(raw)


def test_a_copy_of_one_that_is_written_to_is_whole_and_can_be_gone_back_to(running: Store, tmp_path: Path) -> None:
    """Another process does it, as `openab-sync store backup` is one, while the broker goes on writing."""
    books, target = open_books(running), tmp_path / "copies" / "copy.db"
    target.parent.mkdir()
    before = read(running.folder)
    program = "import sys; from pathlib import Path; from openab_sync.store.upkeep import backup"
    copying = subprocess.Popen(
        [sys.executable, "-c", f"{program}; backup(*map(Path, sys.argv[1:]))", running.folder, target]
    )
    safe = [books.deliveries.accept(Fact("test:1", f"busy-{n}", "ann", "x" * 2000))[1] for n in range(300)]
    assert copying.wait() == 0
    for one in safe:
        one.result(10)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600 and os.listdir(target.parent) == ["copy.db"]
    again = tmp_path / "again"
    again.mkdir(mode=0o700)
    shutil.copy(target, again / FILE_NAME)
    restored = Store.open(again)
    assert restored.close()
    assert len(before) <= len(read(again)) <= len(read(running.folder))
    assert all(finding.is_well for finding in check(again))


def read(folder: Path) -> list[str]:
    """Every message there is."""
    with closing(open_for_reading(folder)) as db:
        return [row[0] for row in db.execute("SELECT text FROM deliveries")]


def test_no_copy_is_made_over_another_nor_of_a_damaged_one(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "there.db").write_text("mine")
    with pytest.raises(ConfigError, match="is there already"):
        backup(folder, tmp_path / "there.db")
    assert (tmp_path / "there.db").read_text() == "mine"
    with pytest.raises(StoreError, match="cannot be written"):
        backup(folder, tmp_path / "nowhere" / "copy.db")
    data = bytearray((folder / FILE_NAME).read_bytes())
    data[8192:] = bytes(len(data) - 8192)
    (folder / FILE_NAME).write_bytes(data)
    with pytest.raises(StoreError, match=r"damaged|malformed"):
        backup(folder, tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists() and not list(tmp_path.glob(".*.new"))


def test_everything_is_written_out_without_what_resumes_a_session(running: Store) -> None:
    fill(running, 2)
    rows = [json.loads(line) for line in export(running.folder)]
    assert {"conversations", "deliveries", "memories"} <= {row["table"] for row in rows}
    assert [row["text"] for row in rows if row["table"] == "deliveries"] == ["words" * 100] * 3
    [memory] = [row for row in rows if row["table"] == "memories"]
    assert (memory["session"], memory["archive"]) == ("[redacted]", "[redacted]")
    assert "a-credential" not in json.dumps(rows) and "an-old-one" not in json.dumps(rows)
    [memory] = [json.loads(line) for line in export(running.folder, credentials=True) if '"memories"' in line]
    assert memory["session"] == "a-credential"


def test_bytes_are_written_as_text(running: Store) -> None:
    columns = "turn, conversation, state, outcome, reason, began"
    running.read(lambda db: db.execute(f"INSERT INTO replies ({columns}) VALUES ('t', 'test:1', 'running', '', '', 1)"))
    running.read(lambda db: db.execute("INSERT INTO files VALUES ('t', 0, 0, 'a', 'b', x'00ff')"))
    [file] = [json.loads(line) for line in export(running.folder) if '"table": "files"' in line]
    assert file["data"] == {"base64": "AP8="}


def test_what_is_not_answered_yet_is_counted_for_each_chat_service(folder: Path) -> None:
    store = Store.open(folder)
    books = open_books(store)
    for number, key in enumerate(("web:1", "web:2", "discord:1", "test:1")):
        books.deliveries.accept(Fact(key, f"n{number}", "ann", "words"))[1].result(10)
    books.deliveries.withdraw([1]).result(10)
    books.deliveries.fail([4]).result(10)
    assert store.close()
    assert "messages that are not answered yet: 1 of test, 2 of web" in said(folder)[0]
