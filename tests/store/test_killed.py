"""A broker that is killed at the worst moment: what its journal had reported is there, and nothing is there by half."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from openab_sync.store import Store
from tests.store.writer import PARTS

ROOT = Path(__file__).parents[2]


def killed(folder: Path, *point: str) -> set[int]:
    """What a writer that was killed (at `point`, or by us after a while) has reported."""
    command = [sys.executable, "-m", "tests.store.writer", str(folder), *point]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        reported = [process.stdout.readline() for _ in range(200)]
        if not point:
            process.kill()
        reported += process.stdout.readlines()
        assert process.wait(20) == -signal.SIGKILL
    return {int(line) for line in reported if line.endswith("\n")}


@pytest.mark.parametrize(
    "point", [(), ("change",), ("commit",), ("report",)], ids=lambda point: "".join(point) or "any"
)
def test_what_was_reported_is_there_and_nothing_by_half(tmp_path: Path, point: tuple[str, ...]) -> None:
    reported = killed(tmp_path, *point)
    store = Store.open(tmp_path)  # at once: the folder is nobody's any more
    rows = Counter(row[0] for row in store.read(lambda db: db.execute("SELECT number FROM rows").fetchall()))
    verdict = store.read(lambda db: db.execute("PRAGMA integrity_check").fetchone()[0])
    assert store.close()
    assert len(reported) >= 200
    assert reported <= set(rows)
    assert set(rows.values()) == {PARTS}
    assert verdict == "ok"
    assert not list(tmp_path.glob("journal.damaged*"))
