"""The audit as a file of lines: appended, for its owner only, found again after it was moved, in nobody's way."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

import pytest

from openab_sync.errors import ConfigError
from openab_sync.store import audit_file
from openab_sync.store.audit_file import AuditFile
from tests.waiting import until


def test_lines_are_appended_to_a_file_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    for line in ("one", "zwei ⚠"):
        file = AuditFile(path)
        file.put(line)
        assert file.close()
    assert path.read_text(encoding="utf-8") == "one\nzwei ⚠\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_was_moved_away_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    file = AuditFile(path)
    file.put("before")
    until(lambda: path.read_text() == "before\n")
    path.rename(tmp_path / "audit.1")
    file.put("after")
    assert file.close()
    assert path.read_text() == "after\n"


def test_what_cannot_be_written_is_a_sentence_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"audit\.file: cannot be written: No such file"):
        AuditFile(tmp_path / "nowhere" / "audit.jsonl")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="cannot be written"):
        AuditFile(tmp_path / "pipe")


def test_a_disk_that_fails_later_is_logged_once_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    path = folder / "audit.jsonl"
    file = AuditFile(path)
    path.unlink()
    folder.rmdir()
    with caplog.at_level(logging.WARNING):
        file.put("lost")
        file.put("lost, too")
        until(lambda: file._queue.empty() and file._is_failing)
        folder.mkdir()
        file.put("there again")
        assert file.close()
    assert path.read_text() == "there again\n"
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_a_disk_that_hangs_costs_lines_and_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writing, go_on = threading.Event(), threading.Event()

    def slowly(file: AuditFile, line: str) -> None:
        writing.set()
        go_on.wait(20)

    monkeypatch.setattr(audit_file.AuditFile, "_write", slowly)
    file = AuditFile(tmp_path / "audit.jsonl", most=3)
    file.put("0")
    assert writing.wait(20)
    for n in range(10):
        file.put(str(n))  # returns at once
    assert (file._queue.qsize(), file._lost) == (3, 7)
    go_on.set()
    assert file.close()
