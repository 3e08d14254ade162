"""`openab-sync status`: a table, JSON, a link; a live table in a real terminal."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pexpect

from openab_sync.core.state import State
from openab_sync.status.listen import Address
from tests.cli.running import PATIENCE, ROOT, environment, run
from tests.cli.serving import serving
from tests.status.test_server import fetch


def test_what_every_session_does_is_a_table(tmp_path: Path) -> None:
    with serving(tmp_path, pool={"max_sessions": 2}) as bed:
        bed.ask("say hello\nusage", "1")
        bed.until_state(State.IDLE, "1")
        bed.say("title_refine\nhang", "2")
        bed.until_state(State.BUSY, "2")
        shown = run(tmp_path, "status")
        assert (shown.code, shown.err) == (0, "")
        lines = shown.out.splitlines()
        assert lines[0] == "✔ ready"
        first = next(line for line in lines if "test:1" in line)
        assert "idle" in first and "1,200" in first and "0.25 USD" in first
        assert "busy" in next(line for line in lines if "test:2" in line)
        seen = json.loads(run(tmp_path, "status", "--json").out)
        assert seen["health"]["ok"] and {row["key"] for row in seen["sessions"]} == {"test:1", "test:2"}
        bed.command("cancel", at="2")


def test_what_keeps_people_from_writing_is_said_and_is_a_failure(tmp_path: Path) -> None:
    with serving(tmp_path, trouble="the token is not accepted"):
        shown = run(tmp_path, "status")
    assert shown.code == 1
    assert "✘ test: the token is not accepted" in shown.out and "No agent is running." in shown.out


def test_a_link_lets_one_browser_in(tmp_path: Path) -> None:
    with serving(tmp_path):
        link = run(tmp_path, "status", "--link").out.strip()
        url = (tmp_path / "state" / "status.address").read_text().strip()
        assert link.startswith(f"{url}/enter/")
        address = Address.parse(url.removeprefix("http://"))
        assert [fetch(address, link.removeprefix(url)) for _ in range(2)] == [200, 403]


def test_nobody_who_runs_is_one_sentence(tmp_path: Path) -> None:
    ended = run(tmp_path, "status", "--url", "http://127.0.0.1:1")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("openab-sync: Nobody answers at http://127.0.0.1:1")


def test_a_live_table_follows_until_it_is_interrupted(tmp_path: Path) -> None:
    with serving(tmp_path) as bed:
        arguments = ["-m", "openab_sync", "status", "--watch"]
        env = environment(tmp_path, TERM="xterm", COLUMNS="140")
        child = pexpect.spawn(sys.executable, arguments, cwd=str(ROOT), env=env, timeout=PATIENCE, dimensions=(30, 140))
        try:
            child.expect("No agent is running")
            bed.ask("say hello")
            child.expect("test:1")
            child.sendintr()
            child.expect(pexpect.EOF)
        finally:
            child.close()
        assert child.exitstatus == 130
