"""`openab-sync chat` without a keyboard: real processes, the real house, the demo agent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .running import PATIENCE, ROOT, Ended, environment, run

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


def chat(home: Path, *arguments: str, stdin: str | bytes | None = None, **more: str) -> Ended:
    return run(home, "chat", *arguments, stdin=stdin, **more)


# One turn.


def test_the_answer_and_nothing_else_is_on_stdout(tmp_path: Path) -> None:
    assert chat(tmp_path, "-p", "echo hello  world") == Ended(0, "hello world\n", "")


def test_a_pipe_is_a_prompt(tmp_path: Path) -> None:
    assert chat(tmp_path, stdin="echo from a pipe\n") == Ended(0, "from a pipe\n", "")


def test_what_is_piped_in_is_appended_to_the_prompt(tmp_path: Path) -> None:
    done = chat(tmp_path, "-p", "What is this?", stdin="first\r\nsecond\n")
    assert (done.code, done.err) == (0, "")
    assert "> What is this?\n> \n> first\n> second\n" in done.out


def test_bytes_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    done = chat(tmp_path, stdin=b"what \xff\xfe is it")
    assert (done.code, "> what \ufffd\ufffd is it" in done.out) == (0, True)


def test_details_are_on_stderr_on_request(tmp_path: Path) -> None:
    done = chat(tmp_path, "-v", "-p", "tool plan")
    assert (done.code, done.out) == (0, "I have read the README (not really).\nThe plan is done.\n")
    assert "✅ Read README\n" in done.err
    assert "📋 Plan\n" in done.err


def test_an_agent_that_dies_is_a_failure_with_a_reason_and_its_text(tmp_path: Path) -> None:
    done = chat(tmp_path, "-p", "crash")
    assert (done.code, done.out) == (1, "I am about to crash.\n")
    assert "exit status 70" in done.err


@pytest.mark.parametrize(("word", "reason"), [("error", "asked to fail"), ("refuse", "refus"), ("empty", "token")])
def test_a_turn_that_did_not_end_well_is_a_failure_with_a_reason(tmp_path: Path, word: str, reason: str) -> None:
    done = chat(tmp_path, "-p", word)
    assert (done.code, done.out) == (1, "")
    assert reason in done.err


def test_an_agent_that_is_not_there_is_named(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[agent]\ncommand = "no-such-agent"\n')
    done = chat(tmp_path, "-c", str(config), "-p", "hello")
    assert (done.code, done.out) == (1, "")
    assert "no-such-agent" in done.err


def test_json_lines_hold_every_event_up_to_the_end(tmp_path: Path) -> None:
    done = chat(tmp_path, "--json", "-p", "think tool echo hi")
    events = [json.loads(line) for line in done.out.splitlines()]
    assert (done.code, done.err) == (0, "")
    kinds = [event["event"] for event in events]
    assert (kinds[0], kinds[-1]) == ("turn_started", "turn_ended")
    assert {"thought", "tool", "said"} <= set(kinds)
    assert "hi" in "".join(event["text"] for event in events if event["event"] == "said")
    assert events[-1]["outcome"] == "done"


def test_json_lines_tell_of_failures_too(tmp_path: Path) -> None:
    done = chat(tmp_path, "--json", "-p", "crash")
    last = json.loads(done.out.splitlines()[-1])
    assert (done.code, last["event"], last["outcome"]) == (1, "turn_ended", "gone")


@pytest.mark.parametrize(("mode", "verdict"), [(None, "reject_once"), ("deny", "reject_once"), ("allow", "allow_once")])
def test_where_nobody_can_be_asked_the_answer_is_no(tmp_path: Path, mode: str | None, verdict: str) -> None:
    done = chat(tmp_path, *(["--mode", mode] if mode else []), "-p", "ask")
    assert (done.code, done.out) == (0, f"Your answer: {verdict}.\n")


def test_files_are_attached_by_what_they_are(tmp_path: Path) -> None:
    for name, data in (("pic", PNG), ("notes.md", b"# Notes\n"), ("blob.bin", b"\0\1")):
        (tmp_path / name).write_bytes(data)
    files = [argument for name in ("pic", "notes.md", "blob.bin") for argument in ("--file", str(tmp_path / name))]
    done = chat(tmp_path, *files, "-p", "files")
    assert (done.code, done.err) == (0, "")
    for sign in ("image/png", "notes.md", "blob.bin"):
        assert sign in done.out, sign


def test_a_picture_is_kept_where_the_agent_works(tmp_path: Path) -> None:
    config, folder = tmp_path / "config.toml", tmp_path / "work"
    config.write_text(f'[agent]\npreset = "demo"\nenv = {{ PYTHONPATH = "{ROOT}" }}\n')
    folder.mkdir()
    done = chat(tmp_path, "-c", str(config), "--cwd", str(folder), "-p", "image")
    assert done.code == 0
    assert f"📎 image {folder}/image-1.png image/png" in done.err
    assert (folder / "image-1.png").read_bytes().startswith(b"\x89PNG")


def test_a_file_of_the_agents_is_named_by_its_path_and_stays(tmp_path: Path) -> None:
    done = chat(tmp_path, "-p", "deliver")
    assert (done.code, done.out) == (0, "Here is a file for you: `notes.txt`.\n")
    path = Path(done.err.removeprefix("📎 notes.txt ").strip())
    assert path.is_relative_to(tmp_path / "state" / "chat-outbox") and path.parent.name == "sent"
    assert path.read_text() == "A file of the demo agent's.\n"
    assert chat(tmp_path, "-p", "echo nothing").err == ""
    assert len(list((tmp_path / "state" / "chat-outbox").iterdir())) == 1, "nothing is left of a run without files"


def test_the_agent_works_where_it_is_told_to(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'[agent]\npreset = "demo"\nenv = {{ PYTHONPATH = "{ROOT}" }}\n')  # also where not installed
    done = chat(tmp_path, "-c", str(config), "--cwd", "tests", "-p", "cwd")
    assert (done.code, done.err) == (0, "")
    assert f"The session works in {ROOT / 'tests'}" in done.out


def test_an_agent_can_be_chosen_by_name(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[agent]\ncommand = "no-such-agent"\nargs = ["x"]\n\n[slack]\nbot_token = "t"\n')
    done = chat(tmp_path, "-c", str(config), "--agent", "demo", "-p", "echo hi")
    assert (done.code, done.out) == (0, "hi\n")
    assert "slack" in done.err, "its warning is told"


def test_what_only_the_bot_needs_is_not_asked_for(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[agent]\npreset = "demo"\n\n[discord]\nbot_token = "${NOT_SET_ANYWHERE}"\n')
    done = chat(tmp_path, "-c", str(config), "-p", "echo hi")
    assert (done.code, done.out, done.err) == (0, "hi\n", "")


# Wrong usage.


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["-p", " "], "The prompt is empty"),
        ([], "The prompt is empty"),
        (["--agent", "gemni", "-p", "x"], "did you mean gemini"),
        (["-c", "/does/not/exist.toml", "-p", "x"], "no such file"),
        (["--file", "/does/not/exist", "-p", "x"], "does not exist"),
        (["--mode", "maybe", "-p", "x"], "maybe"),
        (["--cwd", "/does/not/exist", "-p", "x"], "does not exist"),
    ],
)
def test_wrong_usage_is_two_and_a_sentence(tmp_path: Path, arguments: list[str], reason: str) -> None:
    done = chat(tmp_path, *arguments)
    assert (done.code, done.out) == (2, "")
    assert reason in done.err
    assert "Traceback" not in done.err


def test_a_prompt_needs_no_stdin_at_all(tmp_path: Path) -> None:
    script = 'exec 0<&-; exec "$0" -m openab_sync chat "$@"'
    for arguments, code in ((["-p", "echo hi"], 0), ([], 2)):
        done = subprocess.run(
            ["/bin/sh", "-c", script, sys.executable, *arguments],
            cwd=ROOT,
            env=environment(tmp_path),
            capture_output=True,
            timeout=PATIENCE,
        )
        assert done.returncode == code


# Being stopped.


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_cancels_the_turn_and_ends_everything(tmp_path: Path, number: signal.Signals, code: int) -> None:
    with start(tmp_path, "slow 60") as process:
        assert process.stdout is not None
        said = process.stdout.read(2)
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said, out[-1:]) == (code, "a ", "\n")
    assert "ancel" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_the_agent_starts_waits_for_no_answer(tmp_path: Path, number: signal.Signals, code: int) -> None:
    started = tmp_path / "started"
    config = tmp_path / "config.toml"
    os.mkfifo(started)  # opening it waits for the other side: then the agent is there, and silent
    config.write_text(f'[agent]\ncommand = "sh"\nargs = ["-c", "echo > {started}; while read line; do :; done"]\n')
    with start(tmp_path, "hello", "-c", str(config)) as process:
        assert started.read_text() == "\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (code, "", "⏹ Cancelled before it began.\n")


# Where nothing can be written.


@pytest.mark.parametrize("arguments", ["chat -p tool", "chat --json -p tool", "agents", "--version", "--help"])
def test_a_full_disk_is_a_sentence(tmp_path: Path, arguments: str) -> None:
    assert shell(tmp_path, f"{arguments} > /dev/full") == (1, "openab-sync: cannot write: No space left on device\n")


def test_without_a_stdout_nothing_is_asked(tmp_path: Path) -> None:
    assert shell(tmp_path, "chat -p tool >&-") == (1, "openab-sync: cannot write: Bad file descriptor\n")


@pytest.mark.parametrize("also", ["", "<&-"])
def test_without_a_stderr_the_answer_comes_all_the_same(tmp_path: Path, also: str) -> None:
    answer, wrong = tmp_path / "answer", tmp_path / "wrong"
    assert shell(tmp_path, f"chat -p 'echo hello' 2>&- {also} >{answer}") == (0, "")
    assert shell(tmp_path, f"chat -p crash 2>&- {also} >{wrong}") == (1, "")
    assert answer.read_text() == "hello\n"


def shell(home: Path, rest: str) -> tuple[int, str]:
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" -m openab_sync {rest}', sys.executable],
        cwd=ROOT,
        env=environment(home),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
    )
    return done.returncode, done.stderr


def test_a_reader_that_leaves_ends_it_quietly(tmp_path: Path) -> None:
    with start(tmp_path, "flood 200000") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "flood line 1 of 200000\n"
        process.stdout.close()
        err = process.stderr.read()
        assert process.wait(PATIENCE) == 1
    assert err == ""


def start(home: Path, prompt: str, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "openab_sync", "chat", "-p", prompt, *more],
        cwd=ROOT,
        env=environment(home) | {"PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )


def test_debug_may_stand_behind_the_command_too(tmp_path: Path) -> None:
    done = chat(tmp_path, "--debug", "-p", "echo hi")
    assert (done.code, done.out) == (0, "hi\n")
    assert " DEBUG " in done.err or " INFO " in done.err
    assert "Traceback" in chat(tmp_path, "--debug", "-c", "/does/not/exist.toml", "-p", "x").err


def test_stdin_that_never_ends_is_left_alone_when_there_is_a_prompt(tmp_path: Path) -> None:
    """Service managers hand down a socket: it must not be waited for."""
    import socket

    ours, theirs = socket.socketpair()
    with ours, theirs:
        done = subprocess.run(
            [sys.executable, "-m", "openab_sync", "chat", "-p", "echo hi"],
            cwd=ROOT,
            env=environment(tmp_path),
            stdin=theirs.fileno(),
            capture_output=True,
            timeout=PATIENCE,
        )
    assert (done.returncode, done.stdout) == (0, f"hi{os.linesep}".encode())
