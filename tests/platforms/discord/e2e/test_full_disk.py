"""`openab-sync run` on a disk that fills up: nothing more is accepted, people are told, what is under way is answered.

The disk is a real one (`tests.crash.small_disk`), so what SQLite meets is ENOSPC, wherever it comes.
"""

from __future__ import annotations

import itertools
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import PATIENCE
from tests.crash import small_disk
from tests.crash.stage import DONE, FAILED, SEEN, reactions
from tests.fakes import fake_agent
from tests.fakes.discord import Server
from tests.fakes.discord.things import Channel
from tests.platforms.discord.e2e.service import Service, mention, service
from tests.waiting import until

pytestmark = pytest.mark.slow

FULL = "I cannot keep anything at the moment: the disk is full"


class Disk:
    """The disk of a service, from outside."""

    def __init__(self, running: Service, folder: Path) -> None:
        self._folder = Path(f"/proc/{running.process.pid}/root{folder}")
        self._ballast = self._folder / "ballast"

    def fill(self) -> None:
        """To the last byte."""
        with pytest.raises(OSError, match="No space left"), self._ballast.open("wb", buffering=0) as file:
            file.writelines(itertools.repeat(bytes(4096)))

    def empty(self) -> None:
        self._ballast.unlink()

    def states(self, folder: Path) -> list[str]:
        """Of the messages, as the journal has them; copied to `folder`, because SQLite does not find it in there."""
        for name in ("journal.db", "journal.db-wal"):
            shutil.copy(self._folder / name, folder / name)
        with closing(sqlite3.connect(folder / "journal.db")) as db:
            return [state for (state,) in db.execute("SELECT state FROM deliveries ORDER BY id")]


def said(server: Server, channel: Channel) -> list[str]:
    return [one.content for one in channel.history if one.author is server.app.user and one.kind in (0, 19)]


@pytest.mark.skipif(not small_disk.can_be(), reason="no disk of its own for a process here")
def test_a_disk_that_is_full_accepts_nothing_tells_people_and_holds_no_answer_up(
    server: Server, tmp_path: Path
) -> None:
    program, *args = fake_agent()
    gate, ann = tmp_path / "gate", server.user("ann")
    sections: dict[str, Any] = {"agent": {"command": program, "args": args}, "reactions.timing": {"debounce_ms": 0}}
    with service(tmp_path, server, program=("tests.crash.small_disk",), **sections) as running:
        server.until_ready(PATIENCE)
        thread = mention(server, f"say begun\ngate {gate}\nsay and finished")
        server.until_said("begun", thread, PATIENCE)
        disk = Disk(running, tmp_path / "state")
        disk.fill()
        refused = [
            ann.write(where, f"<@{server.app.id}> say refused", mentions=[server.app])
            for where in (thread, "general", "general")
        ]
        server.until_said(FULL, thread, PATIENCE)
        server.until_said(FULL, "general", PATIENCE)
        until(lambda: reactions(server, refused[2]) == {FAILED}, PATIENCE, "a sign where it is not said again")
        assert all(SEEN not in reactions(server, one) and one.thread is None for one in refused)
        gate.touch()
        server.until_said("begunand finished", thread, PATIENCE)
        assert disk.states(tmp_path) == ["started"], "what is under way goes on unwritten"
        disk.empty()
        more = ann.write(thread, f"<@{server.app.id}> say once more", mentions=[server.app])
        server.until_said("once more", thread, PATIENCE)
        until(lambda: disk.states(tmp_path) == ["delivered"] * 2, PATIENCE, "what the outage kept is written as well")
        until(lambda: reactions(server, more) == {DONE}, PATIENCE, "it shows")
        running.signal()
        assert running.end() == 0, running.log
    assert [text for text in said(server, thread) if "refused" in text] == []
    assert sum(FULL in text for text in said(server, thread)) == 1
    assert sum("the disk is full" in line and " ERROR " in line for line in running.log.splitlines()) == 1, running.log
    assert "can be written again" in running.log and "Traceback" not in running.log
    assert server.violations == []
