"""The audit on the disk: it only grows, its oldest entries go one way, and it is read beside a broker."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openab_sync.errors import ConfigError, StoreError
from openab_sync.store import AuditFile, AuditTrail, Store, Wanted, read_audit
from openab_sync.store import audit as module
from openab_sync.text.redact import Redactor
from tests.fakes.clock import FakeClock
from tests.waiting import until

SECRET = "swordfish-12345"
ANN = ("1", "Ann")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path)
    yield store
    store.close()


def trail(
    store: Store, clock: FakeClock, *, days: Callable[[], float] = lambda: 30, most: int = 1_000_000
) -> AuditTrail:
    return AuditTrail(store, clock, redact=Redactor([SECRET]), days=days, most=most)


def read(store: Store, **wanted: object) -> list[tuple[str, str, str]]:
    store.read(lambda db: None)  # what was kept is on the disk now
    found = read_audit(store.folder, Wanted(**wanted))  # type: ignore[arg-type]
    return [(entry.kind, entry.conversation, entry.person) for entry in found]


def test_what_is_kept_is_read_while_the_broker_runs_and_after_it(store: Store) -> None:
    clock = FakeClock()
    trail(store, clock).keep("message", "discord:1", ANN, {"message": "7", "files": ["a"]})
    store.read(lambda db: None)
    [entry] = read_audit(store.folder, Wanted())
    assert (entry.number, entry.at, entry.kind, entry.name) == (1, clock.time(), "message", "Ann")
    assert json.loads(entry.line())["files"] == ["a"]
    assert store.close()
    assert list(read_audit(store.folder, Wanted())) == [entry]


def test_it_is_asked_for_by_time_person_conversation_and_kind(store: Store) -> None:
    clock = FakeClock()
    book = trail(store, clock)
    book.keep("message", "discord:1", ANN, {})
    clock.advance(100)
    later = clock.time()
    book.keep("command", "discord:2", ("2", "Bob"), {})
    book.keep("message", "discord:1", ("2", "Bob"), {})
    one, two, three = ("message", "discord:1", "1"), ("command", "discord:2", "2"), ("message", "discord:1", "2")
    assert read(store) == [one, two, three]
    assert read(store, since=later) == [two, three]
    assert read(store, person="2") == read(store, person="Bob") == [two, three]
    assert read(store, conversation="discord:1") == read(store, conversation="1") == [one, three]
    assert read(store, kind="message", person="1") == [one]
    assert read(store, most=2) == [two, three]
    assert read(store, person="' OR 1 --") == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET name = 'Eve'",
        "DELETE FROM audit",
        "REPLACE INTO audit VALUES (1, 0, '', '', '', '', '{}')",
        "INSERT INTO audit VALUES (1, 0, '', '', '', '', '{}')",
        "UPDATE audit_horizon SET number = -1",
        "DELETE FROM audit_horizon",
        "INSERT INTO audit_horizon VALUES (9)",
    ],
)
def test_nothing_in_it_is_changed_or_taken_out(store: Store, change: str) -> None:
    trail(store, FakeClock()).keep("message", "discord:1", ANN, {})
    with pytest.raises(sqlite3.IntegrityError, match="audit"):
        store.read(lambda db: db.execute(change))
    assert read(store) == [("message", "discord:1", "1")]


def test_entries_go_when_they_are_old_enough_and_that_is_an_entry(store: Store) -> None:
    clock, configured = FakeClock(), [30.0]
    book = trail(store, clock, days=lambda: configured[0])
    book.keep("message", "discord:1", ANN, {})
    book.keep("message", "discord:2", ANN, {})
    clock.advance(3 * 86400)
    configured[0] = 2.0  # read again meanwhile
    book.keep("message", "discord:3", ANN, {})
    assert read(store) == [("message", "discord:3", "1"), ("retention", "", "")]
    [*_, last] = read_audit(store.folder, Wanted())
    assert last.details == {"deleted_before": 3}


def test_whatever_people_do_it_stays_within_bounds(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BETWEEN", 0.0)
    monkeypatch.setattr(module, "_AT_ONCE", 50)
    book = trail(store, FakeClock(), most=20)
    for _ in range(200):
        book.keep("refused", "discord:1", ANN, {"why": "x" * 100_000})
    store.read(lambda db: None)
    entries = list(read_audit(store.folder, Wanted()))
    assert len(entries) <= 22
    assert max(len(str(entry.details)) for entry in entries) < 5000


def test_secrets_are_taken_out_wherever_they_stand(store: Store, tmp_path: Path) -> None:
    lines = tmp_path / "audit.jsonl"
    file = AuditFile(lines)
    book = AuditTrail(store, FakeClock(), redact=Redactor([SECRET]), days=lambda: 1, file=file)
    details: dict[str, object] = {"a": f"use {SECRET}", "b": [{"c": SECRET}], "d": "x" * 3990 + SECRET, "n": 1}
    book.keep("permission", "discord:1", ("1", f"Ann {SECRET}"), details)
    assert store.close()
    assert book.close()
    [entry] = read_audit(store.folder, Wanted())
    for text in (entry.line(), lines.read_text()):
        assert "[redacted]" in text and SECRET[:8] not in text


def test_the_file_gets_every_entry_with_its_number(store: Store, tmp_path: Path) -> None:
    lines = tmp_path / "audit.jsonl"
    book = AuditTrail(store, FakeClock(), redact=Redactor(), days=lambda: 1, file=AuditFile(lines))
    for n in range(3):
        book.keep("command", f"discord:{n}", ANN, {"command": "reset"})
    store.read(lambda db: None)
    until(lambda: lines.read_text().count("\n") == 3)
    assert [json.loads(line)["number"] for line in lines.read_text().splitlines()] == [1, 2, 3]
    assert store.close()
    book.keep("command", "discord:9", ANN, {})  # the journal takes no more: the line has no number
    assert book.close()
    assert json.loads(lines.read_text().splitlines()[-1])["number"] == 0


def test_where_there_is_no_journal_it_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no journal here yet"):
        list(read_audit(tmp_path, Wanted()))
    (tmp_path / "journal.db").write_bytes(b"something else entirely, of some length" * 100)
    with pytest.raises(StoreError, match="damaged"):
        list(read_audit(tmp_path, Wanted()))
