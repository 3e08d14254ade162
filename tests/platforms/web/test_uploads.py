from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from openab_sync.errors import FileRefused
from openab_sync.media.inbox import Caps
from openab_sync.platforms.web import uploads as module
from openab_sync.platforms.web.uploads import Uploads
from tests.fakes.clock import FakeClock

from .makers import ONE, TWO


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def uploads(tmp_path: Path, clock: FakeClock) -> Iterator[Uploads]:
    uploads = Uploads(tmp_path, clock, Caps(file=100))
    yield uploads
    uploads.close()
    assert repr(uploads) == "<Uploads 0>"


def files(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


def test_pieces_become_one_file(uploads: Uploads, tmp_path: Path) -> None:
    key = uploads.begin(ONE, "a.txt")
    assert [uploads.add(key, piece) for piece in (b"one ", b"two")] == [4, 7]
    [attachment] = uploads.settle([key], ONE).attachments
    assert (attachment.kind, attachment.name) == ("text", "a.txt")
    assert Path(attachment.path).read_text() == "one two"
    assert files(tmp_path) == ["a.txt"], "until it is in the prompt"


def test_what_really_comes_counts_and_not_what_was_said(uploads: Uploads, tmp_path: Path) -> None:
    key = uploads.begin(ONE, "a.txt")
    with pytest.raises(FileRefused, match="larger than 100 bytes"):
        uploads.add(key, b"x" * 101)
    with pytest.raises(FileRefused):
        uploads.add(key, b"x")
    assert files(tmp_path) == []


def test_a_file_stays_in_its_own_conversation(uploads: Uploads, tmp_path: Path) -> None:
    key = uploads.begin(ONE, "a.bin")
    uploads.add(key, b"\0\xff")
    received = uploads.settle([key], TWO)
    assert received.attachments == ()
    assert received.notes == ("`a.bin` was not taken: it belongs to another conversation.",)
    assert files(tmp_path) == []


def test_one_refused_file_does_not_cost_the_others(uploads: Uploads) -> None:
    keys = [uploads.begin(ONE, name) for name in ("empty", "b.txt")]
    uploads.add(keys[1], b"b")
    received = uploads.settle([*keys, "unknown", keys[1]], ONE)
    assert [attachment.name for attachment in received.attachments] == ["b.txt"]
    assert len(received.notes) == 2


def test_a_message_brings_so_many_and_no_more(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FILES", 1)
    keys = [uploads.begin(ONE, name) for name in ("a.txt", "b.txt")]
    for key in keys:
        uploads.add(key, b"x")
    received = uploads.settle(keys, ONE)
    assert ([attachment.name for attachment in received.attachments], len(received.notes)) == (["a.txt"], 1)


def test_what_lies_about_goes(uploads: Uploads, clock: FakeClock, tmp_path: Path) -> None:
    old = uploads.begin(ONE, "old.txt")
    uploads.add(old, b"x")
    clock.advance(module.PATIENCE + 1)
    uploads.begin(ONE, "new.txt")
    assert files(tmp_path) == ["new.txt"]
    assert uploads.settle([old], ONE).notes == ("A file was not taken: it lay about for too long.",)


def test_there_are_never_too_many(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OPEN", 1)
    key = uploads.begin(ONE, "a.txt")
    with pytest.raises(FileRefused, match="too many"):
        uploads.begin(ONE, "b.txt")
    uploads.forget(key)
    uploads.forget(key)
    uploads.begin(ONE, "b.txt")
