"""inbox: whatever a file is called and whatever the agent has put there, nothing outside is touched or overwritten."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openab_sync.errors import FileRefused
from openab_sync.media import inbox
from openab_sync.media.inbox import (
    NAME_BYTES,
    Caps,
    Draft,
    discard,
    folder_of,
    read_back,
    remove,
    safe_name,
    size_text,
    sweep,
)  # fmt: skip

CAPS = Caps()


# Names.


@pytest.mark.parametrize(("name", "safe"), [
    ("report.pdf", "report.pdf"), ("../../etc/passwd", "passwd"), ("C:\\temp\\a.txt", "a.txt"), (".bashrc", "bashrc"),
    ("-rf", "rf"), ("a\nb\tc.txt", "a b c.txt"), ("", "file"), ("...", "file"), ("a/", "file"), ("..", "file"),
    ("\u202egnp.exe", "gnp.exe"), ("a:b|c?.txt", "a_b_c_.txt"), ("naïve 🦊.md", "naïve 🦊.md"), ("\ud800.txt", "txt"),
    ("`$(reboot)`.sh", "__(reboot)_.sh"), ("a\u1fefb", "a_b"), ("x" * 300 + ".tar", "x" * (NAME_BYTES - 4) + ".tar"),
    ("a." + "y" * 300, "a." + "y" * (NAME_BYTES - 2)),
])  # fmt: skip
def test_names_become_harmless(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@given(st.text(st.characters(codec=None), max_size=300) | st.text("./\\ -~a\0\n\u202e\u0301`é🦊", max_size=200))
@example("ab\u200d\u0301.txt")
@example("x" * 119 + "é.txt")
def test_every_name_becomes_one_harmless_part_of_a_path(name: str) -> None:
    safe = safe_name(name)
    assert 0 < len(safe.encode()) <= NAME_BYTES
    assert safe.isprintable()
    assert not set(safe) & set('/\\<>:"|?*`$')
    assert safe[0] not in ".-~ "
    assert safe[-1] not in ". "
    assert safe_name(safe) == safe


def test_each_conversation_has_a_folder_of_its_own(tmp_path: Path) -> None:
    assert folder_of(tmp_path, "discord:123") == tmp_path / "discord_123"
    assert folder_of(tmp_path, "../../x").parent == tmp_path


@pytest.mark.parametrize(("size", "text"), [
    (0, "0 bytes"), (1, "1 byte"), (1023, "1023 bytes"), (1024, "1 KB"), (1024**2 - 1, "1023 KB"),
    (1024**2, "1 MB"), (2_400_000, "2.3 MB"), (100 * 1024**2, "100 MB"),
])  # fmt: skip
def test_sizes_for_people(size: int, text: str) -> None:
    assert size_text(size) == text


# Drafts.


def test_a_file_that_is_kept_is_there_for_its_owner_alone(tmp_path: Path) -> None:
    with Draft(tmp_path / "inbox" / "one", "a.bin", CAPS) as draft:
        draft.write(b"ab")
        draft.write(b"cd")
        assert (draft.size, draft.read(), draft.head()) == (4, b"abcd", b"abcd")
        assert repr(draft) == "<Draft a.bin 4 bytes>"
        path = draft.keep()
    assert path == tmp_path / "inbox" / "one" / "a.bin"
    assert path.read_bytes() == b"abcd"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_that_is_not_kept_is_gone(tmp_path: Path) -> None:
    with Draft(tmp_path, "a.bin", CAPS) as draft:
        draft.write(b"ab")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_somebody_removed_meanwhile_is_no_trouble(tmp_path: Path) -> None:
    with Draft(tmp_path, "a.bin", CAPS) as draft:
        draft.path.unlink()
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_begins_anew_begins_with_nothing(tmp_path: Path) -> None:
    with Draft(tmp_path, "a.bin", CAPS) as draft:
        draft.write(b"half of")
        draft.restart()
        draft.write(b"all")
        path = draft.keep()
    assert path.read_bytes() == b"all"
    assert draft.size == 3


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    paths = [kept(tmp_path, "a.txt", text) for text in (b"1", b"2", b"3")]
    assert [path.name for path in paths] == ["a.txt", "a-2.txt", "a-3.txt"]
    assert [path.read_bytes() for path in paths] == [b"1", b"2", b"3"]
    assert kept(tmp_path, "Makefile", b"").name == "Makefile"
    assert kept(tmp_path, "Makefile", b"").name == "Makefile-2"


def test_a_name_that_is_taken_many_times_gets_one_by_chance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "_TRIES", 2)
    kept(tmp_path, "a.txt", b"1")
    monkeypatch.setattr("secrets.token_hex", lambda _: "cafe")
    assert kept(tmp_path, "a.txt", b"2").name == "a-cafe.txt"
    with pytest.raises(FileRefused, match="taken many times"):
        Draft(tmp_path, "a.txt", CAPS)


def test_no_link_is_followed_in_the_place_of_a_file(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    folder = tmp_path / "inbox"
    folder.mkdir()
    (folder / "a.txt").symlink_to(target)
    assert kept(folder, "a.txt", b"x").name == "a-2.txt"
    assert not target.exists()


def test_no_link_is_followed_in_the_place_of_the_folder(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "inbox").symlink_to(elsewhere)
    with pytest.raises(FileRefused, match="could not be saved"):
        Draft(tmp_path / "inbox", "a.txt", CAPS)
    assert list(elsewhere.iterdir()) == []


def test_a_file_that_grows_too_large_is_refused(tmp_path: Path) -> None:
    """FIELD H3: it is what comes that counts."""
    with Draft(tmp_path, "a", Caps(file=1024)) as draft:
        draft.write(bytes(1024))
        with pytest.raises(FileRefused, match="is larger than 1 KB"):
            draft.write(b"x")
    assert list(tmp_path.iterdir()) == []


def test_a_full_folder_takes_no_more(tmp_path: Path) -> None:
    kept(tmp_path, "a", bytes(2000))
    with pytest.raises(FileRefused, match="has no room: 1 KB are in"):
        Draft(tmp_path, "b", Caps(folder=2000))
    with pytest.raises(FileRefused, match="has no room: 1 files are in"):
        Draft(tmp_path, "b", Caps(files=1))
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_what_goes_while_the_room_is_counted_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(tmp_path, "a", b"x")
    monkeypatch.setattr(os, "listdir", lambda _: ["a", "ghost"])
    assert kept(tmp_path, "b", b"x").name == "b"


def test_a_full_disk_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", full)
        with pytest.raises(FileRefused, match=r"could not be saved \(No space left on device\)"):
            Draft(tmp_path, "a", CAPS)
    with Draft(tmp_path, "a", CAPS) as draft:
        pass
    with pytest.raises(ValueError, match="closed"):
        draft.write(b"x")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_disk_that_fills_up_when_it_is_too_late_leaves_nothing(tmp_path: Path) -> None:
    with Draft(tmp_path, "a", CAPS) as draft:
        os.dup2(full := os.open("/dev/full", os.O_RDWR), draft._file.fileno())
        os.close(full)
        draft.write(b"x")
        with pytest.raises(FileRefused, match="No space left"):
            draft.keep()
    assert list(tmp_path.iterdir()) == []


# Cleaning up.


def test_a_conversations_folder_goes_with_all_that_is_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    kept(folder, "a", b"x")
    (folder / "deep").mkdir()
    (folder / "deep" / "b").write_bytes(b"x")
    (folder / "link").symlink_to(tmp_path)
    assert remove(folder)
    assert list(tmp_path.iterdir()) == []
    assert remove(folder), "there is nothing of it"
    assert list(tmp_path.iterdir()) == []


def test_a_link_in_the_place_of_a_folder_is_not_followed_when_it_is_removed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    kept(elsewhere, "a", b"x")
    (tmp_path / "inbox").symlink_to(elsewhere)
    remove(tmp_path / "inbox")
    assert (elsewhere / "a").exists()


def test_what_cannot_be_removed_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_: object) -> None:
        raise PermissionError(errno.EACCES, "not yours")

    monkeypatch.setattr("shutil.rmtree", refuse)
    assert not remove(tmp_path)
    assert "could not be removed" in caplog.text


def test_old_files_go_and_empty_folders_with_them(tmp_path: Path) -> None:
    old, young = kept(tmp_path / "one", "old", b"x"), kept(tmp_path / "two", "young", b"x")
    also_old = kept(tmp_path / "two", "old", b"x")
    (tmp_path / "two" / "made by the agent").mkdir()
    for path in (old, also_old, tmp_path / "two" / "made by the agent"):
        os.utime(path, (1000, 1000))
    os.utime(young, (5000, 5000))
    assert sweep(tmp_path, 600, 5000) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["two"]
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == ["made by the agent", "young"]


def test_a_sweep_follows_no_link_and_needs_no_folder(tmp_path: Path) -> None:
    outside = kept(tmp_path / "outside", "old", b"x")
    os.utime(outside, (1000, 1000))
    root = tmp_path / "root"
    assert sweep(root, 600, 5000) == 0
    root.mkdir()
    (root / "link").symlink_to(outside.parent)
    (root / "file").write_bytes(b"")
    assert sweep(root, 600, 5000) == 0
    assert outside.exists()


def test_what_cannot_be_swept_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    os.utime(kept(tmp_path / "one", "old", b"x"), (1000, 1000))

    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(errno.EACCES, "not yours")

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refuse)
        assert sweep(tmp_path, 600, 5000) == 0
    assert "could not be swept" in caplog.text
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        assert sweep(tmp_path, 600, 5000) == 0
    assert "could not be looked at" in caplog.text


def kept(folder: Path, name: str, data: bytes) -> Path:
    with Draft(folder, name, CAPS) as draft:
        draft.write(data)
        return draft.keep()


# A file that is there.


def test_what_was_kept_is_read_back_and_removed(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    with Draft(folder, "a.png", CAPS) as draft:
        draft.write(b"abc")
        path = draft.keep()
    assert read_back(path, 3) == b"abc"
    assert read_back(path, 2) is None, "it is larger than what we have put there"
    (folder / "other").touch()
    discard(path)
    discard(path)
    assert read_back(path, 3) is None
    assert [left.name for left in folder.iterdir()] == ["other"]
    discard(folder / "other")
    assert not folder.exists()


def test_what_grows_while_it_is_read_is_not_read_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, real = tmp_path / "a.png", os.fdopen
    path.write_bytes(b"abc")

    def grown(descriptor: int, *how: Any, **more: Any) -> Any:
        path.write_bytes(b"abc" * 1000)  # its size has been looked at already
        return real(descriptor, *how, **more)

    assert read_back(path, 3) == b"abc"
    monkeypatch.setattr(os, "fdopen", grown)
    assert read_back(path, 3) is None


def test_what_the_agent_has_put_in_its_place_is_not_followed(tmp_path: Path) -> None:
    secret, folder = tmp_path / "secret", tmp_path / "one"
    secret.write_text("key")
    folder.mkdir()
    (folder / "a.png").symlink_to(secret)
    os.mkfifo(folder / "b.png")
    (folder / "c.png").mkdir()
    assert [read_back(folder / name, 100) for name in ("a.png", "b.png", "c.png")] == [None] * 3
    discard(folder / "a.png")
    assert secret.read_text() == "key"
    (tmp_path / "two").symlink_to(tmp_path)
    assert read_back(tmp_path / "two" / "secret", 100) is None
    discard(tmp_path / "two" / "secret")
    assert secret.exists()
