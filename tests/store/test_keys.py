"""Small secrets in files of their own."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from openab_sync.errors import StoreError
from openab_sync.store.keys import make_key, read_note, write_note


def test_a_key_is_made_once(tmp_path: Path) -> None:
    key = make_key(tmp_path, "a.key")
    assert len(key) >= 40
    assert make_key(tmp_path, "a.key") == key
    assert make_key(tmp_path, "b.key") != key


def test_only_this_user_may_read_it_and_nothing_else_is_left(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_note(tmp_path, "a.key", "secret")
        write_note(tmp_path, "a.key", "another")
    finally:
        os.umask(before)
    assert [path.name for path in tmp_path.iterdir()] == ["a.key"]
    assert stat.S_IMODE((tmp_path / "a.key").stat().st_mode) == 0o600
    assert read_note(tmp_path, "a.key") == "another"


def test_what_is_not_there_is_none_and_what_is_no_key_is_said(tmp_path: Path) -> None:
    assert read_note(tmp_path, "a.key") is None
    (tmp_path / "a.key").write_text("short\n")
    with pytest.raises(StoreError, match="remove it"):
        make_key(tmp_path, "a.key")
    (tmp_path / "a.key").write_bytes(b"\xff\xfe")
    with pytest.raises(StoreError, match="cannot be read"):
        read_note(tmp_path, "a.key")


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        write_note(tmp_path / "nowhere", "a.key", "x")
