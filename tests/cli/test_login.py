"""`openab-sync login`: the agent's own login on a terminal of its own, for a person and for a program."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pexpect
import psutil
import pytest

from tests.cli.running import PATIENCE, ROOT, Ended, environment, run
from tests.fakes import fake_agent
from tests.waiting import until

# A login as agents have them: an address, a code, a question; what is pasted decides.
LOGIN = """
import os, sys
assert sys.stdin.isatty() and sys.stdout.isatty()
open(os.path.join(os.path.dirname(__file__), "pid"), "w").write(str(os.getpid()))
print("Open https://example.org/device and enter ABCD-1234")
answer = input("Paste what you got: ")
sys.exit(0 if answer == "secret-answer" else 3)
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose agent has the login above: a preset's program is found on PATH, and so is its login."""
    bin = tmp_path / "bin"
    bin.mkdir()
    agent, login = " ".join(map(shlex.quote, fake_agent())), tmp_path / "login.py"
    login.write_text(LOGIN)
    script = f'#!/bin/sh\nif [ "$1" = auth ]; then exec {sys.executable} {login}; fi\nexec {agent}\n'
    (bin / "opencode").write_text(script)
    (bin / "opencode").chmod(0o755)
    return tmp_path


def on_path(home: Path) -> dict[str, str]:
    return {"PATH": f"{home / 'bin'}:/usr/bin:/bin"}


def events(ended: Ended) -> list[tuple[str, str]]:
    return [(item["event"], item["text"]) for item in map(json.loads, ended.out.splitlines())]


def test_a_program_is_told_address_code_and_question_and_its_answer_is_handed_on(home: Path) -> None:
    ended = run(home, "login", "opencode", "--json", stdin="secret-answer\n", **on_path(home))
    assert (ended.code, ended.err) == (0, "")
    said = events(ended)
    assert said[0] == ("status", "opencode logs in by opencode auth login")
    assert ("url", "https://example.org/device") in said and ("code", "ABCD-1234") in said
    assert said[-1][0] == "done" and "began a session" in said[-1][1]
    assert "secret-answer" not in ended.out + ended.err


def in_a_terminal(home: Path) -> pexpect.spawn[str]:
    """A login, and the person in front of it."""
    child = pexpect.spawn(
        sys.executable,
        ["-m", "openab_sync", "login", "opencode"],
        cwd=str(ROOT),
        env=environment(home, **on_path(home)),
        encoding="utf-8",
        timeout=PATIENCE,
    )
    child.delaybeforesend = None
    return child


def test_a_person_talks_to_the_login_itself(home: Path) -> None:
    child = in_a_terminal(home)
    child.expect_exact("Paste what you got: ")
    child.sendline("secret-answer")
    child.expect_exact("→ open https://example.org/device")
    child.expect_exact("is logged in")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_a_login_that_is_not_finished_in_time_is_ended(home: Path) -> None:
    ended = run(home, "login", "opencode", "--json", "--timeout", "1", stdin="", **on_path(home))
    assert ended.code == 1
    assert "in time" in ended.err and ("question", "Paste what you got:") in events(ended)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_a_login_that_is_cancelled_ends_with_all_of_it(home: Path, number: signal.Signals, code: int) -> None:
    """SIGTERM is what `/login cancel` sends, SIGINT what Ctrl-C is."""
    with subprocess.Popen(
        [sys.executable, "-m", "openab_sync", "login", "opencode", "--json"],
        cwd=ROOT, env=environment(home, **on_path(home)), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as login:  # fmt: skip
        assert login.stdout is not None
        while json.loads(login.stdout.readline())["event"] != "question":
            pass
        its_own = psutil.Process(int((home / "pid").read_text()))
        login.send_signal(number)
        _, complaints = login.communicate(timeout=PATIENCE)
        assert (login.returncode, "Traceback" in complaints) == (code, False)
    until(lambda: not its_own.is_running() or its_own.status() == psutil.STATUS_ZOMBIE, what="the agent's own is gone")


def test_a_person_cancels_with_ctrl_c(home: Path) -> None:
    child = in_a_terminal(home)
    child.expect_exact("Paste what you got: ")
    child.sendintr()
    child.expect_exact("The login was cancelled.")
    child.expect(pexpect.EOF)
    assert "is logged in" not in (child.before or "")
    child.close()
    assert child.exitstatus == 130


def agent(home: Path, *flags: str) -> Path:
    program, *args = fake_agent(*flags)
    file = home / "config.toml"
    file.write_text(f"[agent]\ncommand = {json.dumps(program)}\nargs = {json.dumps(args)}\n")
    return file


def test_a_way_that_the_agent_handles_itself_is_taken_through_the_protocol(tmp_path: Path) -> None:
    ended = run(tmp_path, "login", "-c", str(agent(tmp_path, "--auth")), "--method", "key", "--json")
    assert ended.code == 0, ended.err
    assert [event for event, _ in events(ended)] == ["status", "done"]


@pytest.mark.parametrize(("method", "browser"), [("login", "none"), ("vendor", "")])
def test_a_way_that_wants_a_terminal_runs_the_program_that_the_agent_names(
    tmp_path: Path, method: str, browser: str
) -> None:
    """`login` is the agent's own program with further arguments and variables, `vendor` a command of its own."""
    (tmp_path / "login.py").write_text(LOGIN)
    program = tmp_path / "bin" / "fake"
    program.parent.mkdir()
    is_in, agents = tmp_path / "is-in", [shlex.join(fake_agent(*flags)) for flags in ((), ("--auth",))]
    program.write_text(
        f'#!/bin/sh\nif [ "$1" = login ]; then echo "$BROWSER" > {tmp_path}/browser\n'
        f"{sys.executable} {tmp_path}/login.py && exec touch {is_in}; exit 3; fi\n"
        f"if [ -e {is_in} ]; then exec {agents[0]}; fi\nexec {agents[1]}\n"
    )
    program.chmod(0o755)
    config = tmp_path / "config.toml"
    config.write_text(f'[agent]\ncommand = "{program}"\n')
    arguments = ("login", "-c", str(config), "--method", method, "--json")
    ended = run(tmp_path, *arguments, stdin="secret-answer\n", **on_path(tmp_path))
    assert (ended.code, ended.err) == (0, ""), ended.out
    assert ("code", "ABCD-1234") in events(ended) and events(ended)[-1][0] == "done"
    assert (tmp_path / "browser").read_text().strip() == browser


def test_a_way_that_is_not_named_is_a_sentence_with_those_that_are(tmp_path: Path) -> None:
    ended = run(tmp_path, "login", "-c", str(agent(tmp_path, "--auth")), "--method", "nothing")
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert "it names: " in ended.err and "key" in ended.err


def test_an_agent_that_needs_none_works_at_once_and_one_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    ended = run(tmp_path, "login", "demo")
    assert ended.code == 0 and "is logged in" in ended.out
    gone = run(tmp_path, "login", "gemini", PATH="/nowhere")
    assert (gone.code, gone.err) == (1, "")
    assert gone.out.startswith("command not found: gemini. Install it with `npm install")


def test_an_agent_that_still_wants_a_login_afterwards_is_a_failure(home: Path) -> None:
    script = home / "bin" / "opencode"
    refusing = " ".join(map(shlex.quote, fake_agent("--auth")))
    script.write_text(f'#!/bin/sh\nif [ "$1" = auth ]; then exit 0; fi\nexec {refusing}\n')
    ended = run(home, "login", "opencode", "--json", **on_path(home))
    assert ended.code == 1
    assert events(ended)[-1][0] == "failed" and "log in" in events(ended)[-1][1]
