"""The agent that tells all its secrets, at a terminal: in what scrolls by, and in what a script reads."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

import pytest

from tests.cli.running import run
from tests.cli.test_chat_terminal import CTRL_D, Terminal
from tests.hostile.telltale import SESSION
from tests.hostile.test_telltale import CANARIES, PROGRAM

NAMES = [name for name in CANARIES if name != "CANARY_A"]
GIVEN = {name: CANARIES[name] for name in NAMES}


@pytest.fixture
def config(tmp_path: Path) -> str:
    lines = [
        "[agent]",
        f"command = {json.dumps(sys.executable)}",
        f"args = {json.dumps([PROGRAM])}",
        f"inherit_env = {json.dumps(NAMES)}",
        f"[agent.env]\nMINE_TOKEN = {json.dumps(CANARIES['CANARY_A'])}",
        "[reply]\nthoughts = true\nfooter = true",
    ]
    file = tmp_path / "config.toml"
    file.write_text("\n".join(lines))
    file.chmod(0o600)
    return str(file)


def told(text: str) -> set[str]:
    """The secrets in it, however the terminal has broken its lines."""
    shown = "".join(re.sub(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07|\x1b.", "", text).split())
    secrets = {*CANARIES.values(), *(json.dumps(secret)[1:-1] for secret in CANARIES.values()), SESSION}
    return {secret for secret in secrets if "".join(secret.split()) in shown}


@pytest.mark.parametrize("more", [(), pytest.param(("--json",), marks=pytest.mark.slow)], ids=["text", "json"])
def test_what_a_script_reads_holds_no_secret(more: tuple[str, ...], config: str, tmp_path: Path) -> None:
    ended = run(tmp_path, "--debug", "chat", "-c", config, "-p", "cut 3", *more, **GIVEN)
    assert ended.code == 1, "the turn ends with an error, which is all its secrets"
    assert ended.out.count("[redacted]") >= len(CANARIES) and "[redacted]" in ended.err
    assert told(ended.out) == set() and told(ended.err) == set()
    assert told("> canary of\x1b[0m several\r\nwords"), "this test would see one"


@pytest.mark.slow
def test_what_scrolls_by_holds_no_secret(config: str, tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "-c", config, **GIVEN)
    try:
        terminal.child.logfile_read = scrolled = io.StringIO()
        terminal.sees("You talk to", "ready")
        terminal.enter("once")
        terminal.sees("No, ", "[redacted]")  # the tool is asked for, with what its options are called
        terminal.enter("/cancel")
        terminal.sees("Cancel")
        terminal.rests()
        terminal.child.send(CTRL_D)
        assert terminal.code() == 0
    finally:
        terminal.child.close(force=True)
    seen = scrolled.getvalue()
    assert seen.count("[redacted]") >= len(CANARIES)
    assert told(seen) == set()
