"""The outbox: plain files leave, within their caps, once; nothing else does, and nothing outside is touched."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from openab_sync.media.outbox import (
    HOUR,
    Collected,
    Outbox,
    OutboxCaps,
    Outboxes,
    beside,
    clear_outboxes,
    held_outboxes,
    sweep_outboxes,
)

CAPS = OutboxCaps(file=1000, total=2500, turn=3, hour=5)


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    outbox = Outboxes(tmp_path / "outbox", CAPS).of("discord:1")
    outbox.open()
    return outbox


def names(found: Collected) -> list[str]:
    return [file.name for file in found.files]


def put(outbox: Outbox, name: str, data: bytes = b"text\n") -> Path:
    path = outbox.folder / name
    path.write_bytes(data)
    return path


def test_files_leave_once_and_lie_in_sent_afterwards(outbox: Outbox) -> None:
    put(outbox, "b.txt", b"second")
    put(outbox, "a.png", b"\x89PNG\r\n\x1a\nrest")
    found = outbox.collect(0.0)
    assert [(file.name, file.data, file.mime) for file in found.files] == [
        ("a.png", b"\x89PNG\r\n\x1a\nrest", "image/png"), ("b.txt", b"second", "text/plain"),
    ]  # fmt: skip
    assert outbox.collect(1.0) == Collected()
    assert sorted(os.listdir(outbox.folder)) == ["sent"]
    assert (outbox.folder / "sent" / "b.txt").read_bytes() == b"second"
    put(outbox, "b.txt", b"third")
    assert names(outbox.collect(2.0)) == ["b.txt"]
    assert len(os.listdir(outbox.folder / "sent")) == 3, "the one that was there is not overwritten"


def test_the_folder_is_for_its_user_only(outbox: Outbox) -> None:
    assert outbox.folder.stat().st_mode & 0o777 == 0o700
    assert outbox.folder.parent.stat().st_mode & 0o777 == 0o700


def test_a_file_that_is_being_written_under_a_hidden_name_is_left_alone(outbox: Outbox) -> None:
    put(outbox, ".part")
    assert outbox.collect(0.0) == Collected() and (outbox.folder / ".part").exists()


def test_nothing_but_plain_files_leaves(outbox: Outbox, tmp_path: Path) -> None:
    """I9: a link to a secret, a name of another file, a folder, a pipe, a socket, a device's link."""
    secret = tmp_path / "secret"
    secret.write_text("of the broker")
    (outbox.folder / "link").symlink_to(secret)
    (outbox.folder / "relative").symlink_to("../../secret")
    (outbox.folder / "dangling").symlink_to("nowhere")
    os.link(secret, outbox.folder / "hard")
    (outbox.folder / "folder").mkdir()
    os.mkfifo(outbox.folder / "pipe")
    (outbox.folder / "null").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(outbox.folder / "socket"))
        found = outbox.collect(0.0)
    assert found.files == ()
    assert sorted(found.refused) == [
        "`dangling` was not sent: it is a link, not a file.",
        "`folder` was not sent: it is a folder, not a file.",
        "`hard` was not sent: it has another name elsewhere (a hard link).",
        "`link` was not sent: it is a link, not a file.",
        "`null` was not sent: it is a link, not a file.",
        "`pipe` was not sent: it is a pipe, not a file.",
        "`relative` was not sent: it is a link, not a file.",
        "`socket` was not sent: it is a socket, not a file.",
    ]
    assert secret.read_text() == "of the broker"
    assert outbox.collect(1.0) == Collected(), "told once"


def test_a_folder_that_is_a_link_is_none(outbox: Outbox, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "secret").write_text("x")
    outbox.folder.rmdir()
    outbox.folder.symlink_to(elsewhere)
    assert outbox.collect(0.0) == Collected() and "could not be looked at" in caplog.text
    assert (elsewhere / "secret").exists()


def test_sent_cannot_be_made_a_way_out(outbox: Outbox, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (outbox.folder / "sent").symlink_to(tmp_path / "elsewhere")
    put(outbox, "a.txt")
    found = outbox.collect(0.0)
    assert found.files == () and "could not be put into `sent`" in found.refused[0]
    assert os.listdir(tmp_path / "elsewhere") == []


def test_size_count_and_rate_have_caps_and_every_refusal_is_told(outbox: Outbox) -> None:
    put(outbox, "a", b"x" * 1001)
    put(outbox, "b", b"")
    assert outbox.collect(0.0).refused == (
        "`a` was not sent: it has 1001 bytes; files may have 1000 bytes.",
        "`b` was not sent: it is empty.",
    )
    for name in "abcd":
        put(outbox, name)
    found = outbox.collect(1.0)
    assert names(found) == ["a", "b", "c"] and found.refused == (
        "`d` was not sent: it is one too many: 3 may leave in a turn.",
    )
    for name in "ef":
        put(outbox, name)
    assert names(outbox.collect(2.0)) == ["e", "f"]
    put(outbox, "g")
    assert outbox.collect(3.0).refused == ("`g` was not sent: it is one too many: 5 may leave in an hour.",)
    put(outbox, "h")
    assert names(outbox.collect(3.0 + HOUR)) == ["h"]


def test_all_files_of_a_turn_together_have_a_cap(outbox: Outbox) -> None:
    for name in "abc":
        put(outbox, name, b"x" * 900)
    found = outbox.collect(0.0)
    assert names(found) == ["a", "b"] and "with the others of this turn that is too much" in found.refused[0]


def test_what_the_chat_takes_is_a_cap_too(outbox: Outbox) -> None:
    put(outbox, "a", b"x" * 500)
    assert outbox.collect(0.0, most=400).refused == ("`a` was not sent: it has 500 bytes; files may have 400 bytes.",)


def test_the_rate_outlives_a_session(tmp_path: Path) -> None:
    outboxes = Outboxes(tmp_path, CAPS)
    found = []
    for turn in range(3):
        outbox = outboxes.of("discord:1")
        outbox.open()
        put(outbox, "a")
        put(outbox, "b")
        found.append(outbox.collect(float(turn)))
    assert [len(one.files) for one in found] == [2, 2, 1] and "an hour" in found[2].refused[0]
    assert len(outboxes.of("discord:2").collect(3.0).refused) == 0


def test_a_thousand_links_are_refused_in_a_few_sentences(outbox: Outbox) -> None:
    for number in range(1500):
        (outbox.folder / f"{number:04}").symlink_to("/etc/passwd")
    found = outbox.collect(0.0)
    assert len(found.refused) == 11 and found.refused[-1] == "990 more files were not sent."


def test_a_name_is_no_path_and_hides_nothing(outbox: Outbox) -> None:
    put(outbox, "a\u202egnp.exe")
    put(outbox, "x`; rm -rf $HOME")
    assert names(outbox.collect(0.0)) == ["agnp.exe", "x_; rm -rf _HOME"]


def test_a_folder_that_cannot_be_made_costs_a_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "outbox").write_text("a file")
    outbox = Outboxes(tmp_path / "outbox").of("a:1")
    outbox.open()
    assert "could not be made" in caplog.text and outbox.collect(0.0) == Collected()


def test_folders_in_which_nothing_lies_are_cleared_away_and_no_link_is_followed(outbox: Outbox, tmp_path: Path) -> None:
    (tmp_path / "elsewhere" / "empty").mkdir(parents=True)
    path = put(outbox, "a.txt")
    (tmp_path / "outbox" / "empty").mkdir()
    (tmp_path / "outbox" / "link").symlink_to(tmp_path / "elsewhere")
    clear_outboxes(tmp_path / "outbox")
    assert (
        path.exists() and (tmp_path / "elsewhere" / "empty").exists() and not (tmp_path / "outbox" / "empty").exists()
    )
    path.unlink()
    (tmp_path / "outbox" / "link").unlink()
    clear_outboxes(tmp_path / "outbox")
    assert not (tmp_path / "outbox").exists()
    clear_outboxes(tmp_path / "outbox")


def test_what_somebody_holds_is_not_cleared_away(tmp_path: Path) -> None:
    """Two chats in two terminals: the second clears what the first has left, but not what it works with."""
    root = tmp_path / "runs" / "one"
    with held_outboxes(root):
        Outboxes(root).of("console:1").open()
        clear_outboxes(root)
        assert (root / "console_1").is_dir()
    clear_outboxes(root)
    assert not root.exists()


def test_what_was_sent_goes_after_its_days_and_what_waits_stays(outbox: Outbox, tmp_path: Path) -> None:
    put(outbox, "old.txt")
    outbox.collect(0.0)
    put(outbox, "waits.txt")
    for path in (outbox.folder / "sent" / "old.txt", outbox.folder / "waits.txt"):
        os.utime(path, (1000.0, 1000.0))
    assert beside(tmp_path / "inbox") == outbox.folder.parent
    assert sweep_outboxes(outbox.folder.parent, 100.0, 2000.0) == 1
    assert sorted(os.listdir(outbox.folder)) == ["waits.txt"]
    assert sweep_outboxes(tmp_path / "nowhere", 1.0, 1.0) == 0
