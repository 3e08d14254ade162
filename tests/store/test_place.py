"""Where state is kept: the folder that is meant, whether it can be used, and one broker at a time in it."""

from __future__ import annotations

import fcntl
import logging
import os
from pathlib import Path

import pytest

from openab_sync.config import StoreConfig
from openab_sync.errors import ConfigError, StoreError
from openab_sync.store.place import LOCK_NAME, Hold, make_private, network_disk, store_folder, warn_of_the_disk

# As the kernel writes them: id, parent, device, root, point, options, optional fields, -, type, source, options.
MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:35 / /home rw,relatime shared:20 - nfs4 server:/home rw,vers=4.2
41 40 8:2 / /home/ann/disk rw - xfs /dev/sdb1 rw
42 22 0:40 / /srv/with\\040space rw - cifs //server/share rw
43 22 0:41 / /srv/twice rw - nfs server:/x rw
44 22 0:42 / /srv/twice rw - tmpfs tmpfs rw
45 22 0:43 / /mnt/far rw - fuse.sshfs ann@host:/ rw
46 22 0:44 / /mnt/near rw - fuse.portal portal rw
this line is none
"""


def test_the_configuration_wins_over_the_variable_and_that_over_the_usual_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    named = StoreConfig(path=str(tmp_path / "named"))
    assert store_folder(named, {"OPENAB_SYNC_HOME": "/elsewhere"}) == tmp_path / "named"
    assert store_folder(StoreConfig(), {"OPENAB_SYNC_HOME": "/elsewhere"}) == Path("/elsewhere")
    assert store_folder(StoreConfig(), {"OPENAB_SYNC_HOME": ""}).name == "openab-sync"
    assert not (tmp_path / "named").exists(), "asking makes nothing"


def test_a_folder_may_be_named_from_home_or_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert store_folder(StoreConfig(path="~/state"), {}) == tmp_path / "state"
    assert store_folder(StoreConfig(path="state"), {}) == tmp_path / "state"


# ---- the folder ----


def test_a_new_folder_is_for_this_user_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "a" / "b"
    make_private(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    make_private(folder)
    assert caplog.records == []


def test_a_folder_that_is_open_to_others_is_left_so_and_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tmp_path.chmod(0o755)
    make_private(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    assert f"{tmp_path} is open to others (mode 755)" in caplog.text


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="file: cannot be used: File exists"):
        make_private(tmp_path / "file")
    with pytest.raises(ConfigError, match="names another folder"):
        make_private(tmp_path / "file" / "below")


def test_a_folder_that_may_not_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    with pytest.raises(ConfigError, match="may not be written by this user"):
        make_private(tmp_path)


# ---- the disk ----


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/var/lib/x", ""),
        ("/home/ann/state", "nfs4"),
        ("/home/ann/disk/state", ""),
        ("/homeless", ""),
        ("/srv/with space/x", "cifs"),
        ("/srv/twice/x", ""),
        ("/mnt/far", "fuse.sshfs"),
        ("/mnt/near", ""),
    ],
)
def test_a_network_disk_is_recognized_by_its_mount(folder: str, kind: str) -> None:
    assert network_disk(Path(folder), MOUNTS) == kind


def test_nothing_is_said_of_a_list_of_mounts_that_cannot_be_read() -> None:
    assert network_disk(Path("/x"), "") == ""


def test_a_network_disk_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: f"1 1 0:1 / {tmp_path} rw - nfs4 server:/ rw\n")
    warn_of_the_disk(tmp_path)
    assert f"{tmp_path} is on a network disk (nfs4)" in caplog.text


def test_where_mounts_cannot_be_listed_nothing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", refuse)
    with caplog.at_level(logging.DEBUG):
        warn_of_the_disk(tmp_path)
    assert caplog.records == []


# ---- one broker at a time ----


def test_a_second_broker_is_refused_with_the_name_of_the_first(tmp_path: Path) -> None:
    first = Hold(tmp_path)
    with pytest.raises(StoreError, match=rf"{tmp_path}: is in use by another openab-sync \(pid {os.getpid()}\)"):
        Hold(tmp_path)
    first.release()
    first.release()
    second = Hold(tmp_path)
    second.release()
    assert (tmp_path / LOCK_NAME).stat().st_mode & 0o777 == 0o600


def test_a_holder_that_has_not_written_its_name_is_one_all_the_same(tmp_path: Path) -> None:
    with open(tmp_path / LOCK_NAME, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match="it has not said which"):
            Hold(tmp_path)


def test_a_lock_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / LOCK_NAME).mkdir()
    with pytest.raises(ConfigError, match="cannot be used: Is a directory"):
        Hold(tmp_path)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (OSError(37, "No locks available"), ConfigError, "cannot be locked: No locks available"),
        (OSError(28, "No space left on device"), StoreError, "the disk is full"),
    ],
)
def test_a_disk_that_cannot_lock_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, kind: type[Exception], words: str
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(kind, match=words):
        Hold(tmp_path)
