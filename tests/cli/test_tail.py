"""`openab-sync tail`: a conversation as it grows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from openab_sync.core.state import State
from tests.cli.running import PATIENCE, ROOT, environment, run
from tests.cli.serving import serving


def test_a_turn_is_told_as_it_grows_and_its_end_ends_it(tmp_path: Path) -> None:
    with serving(tmp_path) as bed:
        bed.ask("say of old")
        bed.say("say first\ntool_unfinished\nhang")
        bed.until_state(State.BUSY)
        bed.until_text("first")
        with subprocess.Popen(
            [sys.executable, "-m", "openab_sync", "tail", "test:1", "--once"],
            cwd=ROOT, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as tail:  # fmt: skip
            assert tail.stdout is not None
            seen = ""
            while "[running]" not in seen and "[pending]" not in seen:
                line = tail.stdout.readline()
                assert line, seen
                seen += line
            assert "» Ann: say first" in seen and "\nfirst\n" in seen and "of old" not in seen
            bed.command("cancel")
            rest, err = tail.communicate(timeout=PATIENCE)
        assert "— cancelled, " in rest and err == ""
        assert tail.returncode == 1


def test_a_turn_that_went_well_is_a_success(tmp_path: Path) -> None:
    with serving(tmp_path) as bed:
        bed.ask("say hello")
        bed.until_state(State.IDLE)
        ended = run(tmp_path, "tail", "test:1", "--once")
        assert (ended.code, ended.err) == (0, "")
        assert ended.out.splitlines()[1] == "hello"


def test_where_nothing_is_at_work_once_says_so_and_waits_for_nothing(tmp_path: Path) -> None:
    with serving(tmp_path):
        ended = run(tmp_path, "tail", "test:nobody", "--once")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "openab-sync: test:nobody has no session, and nothing waits for one there.\n"


def test_a_conversation_that_waits_for_a_room_is_waited_for(tmp_path: Path) -> None:
    with serving(tmp_path, pool={"max_sessions": 1}) as bed:
        bed.say("hang", to="A")
        bed.until_state(State.BUSY, at="A")
        bed.say("say at last", to="B")
        with subprocess.Popen(
            [sys.executable, "-m", "openab_sync", "tail", "test:B", "--once"],
            cwd=ROOT, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as tail:  # fmt: skip
            assert tail.stderr is not None
            assert tail.stderr.readline() == "test:B has no session yet: waiting for one.\n"
            bed.command("cancel", at="A")
            out, _ = tail.communicate(timeout=PATIENCE)
        assert "at last" in out and tail.returncode == 0
