"""`openab-sync chat` on real terminals: a person types, demo agents answer.

What is expected is what scrolls by: of the editor and the status line only the characters that changed are drawn.
"""

from __future__ import annotations

import re
import signal
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

from .running import PATIENCE, ROOT, environment

CTRL_C, CTRL_D, CTRL_U, TAB, UP = "\x03", "\x04", "\x15", "\t", "\x1b[A"
GREETING = "You talk to Demo"
READY = (GREETING, "ready")  # the status line is there: from now on the line editor takes the keys

Open = Callable[..., "Terminal"]


class Terminal:
    """A person at a terminal."""

    def __init__(self, home: Path, *arguments: str, **environ: str) -> None:
        env = environment(home, TERM="xterm-256color", PROMPT_TOOLKIT_NO_CPR="1") | environ
        self.child: pexpect.spawn[str] = pexpect.spawn(
            sys.executable,
            ["-m", "openab_sync", "chat", *arguments],
            cwd=str(ROOT),
            env=env,
            encoding="utf-8",
            timeout=PATIENCE,
            dimensions=(40, 120),
        )
        self.child.delaybeforesend = None

    def enter(self, text: str) -> None:
        self.child.send(f"{text}\r")

    def sees(self, *texts: str) -> str:
        """Wait for the texts, in this order; return what was seen up to the last one."""
        seen = ""
        for text in texts:
            self.child.expect_exact(text)
            seen += str(self.child.before)
        return seen

    def rests(self) -> None:
        """Wait until the agent has nothing to do: an answer is read before its turn has ended."""
        while True:
            self.enter("/status")
            if self.child.expect([r"→ \[1\] idle", r"→ \[1\] [^i]\w+"]) == 0:
                return

    def code(self) -> int:
        """Wait for the end; return the exit code."""
        self.child.expect_exact(pexpect.EOF)
        self.child.wait()
        assert self.child.signalstatus is None
        return int(self.child.exitstatus or 0)


@pytest.fixture
def open_chat(tmp_path: Path) -> Iterator[Open]:
    opened: list[Terminal] = []

    def open_one(*arguments: str, **environ: str) -> Terminal:
        opened.append(Terminal(tmp_path, *arguments, **environ))
        return opened[-1]

    yield open_one
    for terminal in opened:
        terminal.child.close(force=True)


def test_a_person_is_greeted_answered_and_let_go(open_chat: Open) -> None:
    terminal = open_chat()
    terminal.sees(*READY)
    terminal.enter("hello there")
    terminal.sees("> hello there", "I am the demo agent")
    terminal.enter("/status")
    terminal.sees("→ [1] ")
    terminal.child.send(CTRL_D)
    assert terminal.code() == 0


def test_words_are_kept_whole_where_the_terminal_ends(open_chat: Open) -> None:
    """120 columns: the fourteenth word would stand in them with its first three letters."""
    terminal = open_chat()
    terminal.sees(*READY)
    terminal.enter("echo " + " ".join(f"word{number:04}" for number in range(40)))
    terminal.sees("> echo word0000", "word0011\r\nword0012")  # what was entered
    terminal.sees("word0012\r\nword0013", "word0025\r\nword0026", "word0039")
    terminal.rests()
    terminal.enter("/quit")
    assert terminal.code() == 0


def test_tab_completes_orders_values_and_the_agents_own(open_chat: Open) -> None:
    terminal = open_chat()
    terminal.sees(*READY)
    terminal.enter("echo begun")
    terminal.sees("> echo begun", "begun")
    terminal.child.send(f"/mod{TAB}")
    terminal.sees("/models", "/modes")
    terminal.child.send(f"ls la{TAB}")
    terminal.sees("rge")  # only what is new is drawn
    terminal.child.send("\r")
    terminal.sees("> /models large")
    terminal.child.send(f"/rec{TAB}")
    terminal.sees("all")
    terminal.child.send("\r")
    terminal.sees("You said", "echo begun")
    terminal.enter("/quit")
    assert terminal.code() == 0


def test_keys_mean_the_same_while_something_is_printed(open_chat: Open) -> None:
    """Enter once became a new line when it fell into a moment of printing."""
    terminal = open_chat()
    terminal.sees(*READY)
    terminal.enter("flood 2000")
    for number in range(30):
        terminal.enter(f"/switch no-{number}")
        terminal.sees(f"There is no conversation [no-{number}]")
    terminal.child.send(CTRL_D)
    assert terminal.code() == 0


def test_a_long_text_is_pasted_whole(open_chat: Open) -> None:
    terminal = open_chat()
    terminal.sees(*READY)
    text = "\n".join("x" * 99 for _ in range(50))  # 4,999 characters
    terminal.child.send(f"\x1b[200~{text}\x1b[201~y\r")
    terminal.sees("(5000 characters in all)")
    terminal.enter("/quit")
    assert terminal.code() == 0


def test_two_conversations_work_at_once(open_chat: Open) -> None:
    terminal = open_chat()
    terminal.sees(*READY)
    terminal.enter("silent 60")
    terminal.sees("Build for 60 s")
    terminal.enter("/new")
    terminal.sees("[2] is the current conversation")
    terminal.enter("echo meanwhile")
    terminal.sees("> echo meanwhile", "meanwhile")
    terminal.enter("/switch 1")
    terminal.sees("[1] is the current conversation")
    terminal.child.send(CTRL_C)
    terminal.sees("Cancelled")
    terminal.enter("slow 0.5 echo labelled")
    terminal.enter("/switch 2")
    terminal.sees("[1]", "labelled")
    terminal.enter("/quit")
    assert terminal.code() == 0


def test_a_question_is_answered_with_the_agents_own_options(open_chat: Open) -> None:
    terminal = open_chat()
    terminal.sees(*READY)
    terminal.enter("ask")
    terminal.sees("❓", "make demo", "1. Allow once", "4. Always reject in this session")
    terminal.enter("3")
    terminal.sees("Your answer: reject_once.")
    terminal.enter("/new other")
    terminal.enter("ask")
    terminal.sees("1. Allow once")
    terminal.enter("/switch 1")
    terminal.sees("[1] is the current conversation")
    terminal.enter("/answer other 1")
    terminal.sees("Your answer: allow_once.")
    terminal.enter("/quit")
    assert terminal.code() == 0


def test_ctrl_c_cancels_the_turn_and_twice_leaves(open_chat: Open) -> None:
    terminal = open_chat()
    terminal.sees(*READY)
    terminal.enter("silent 60")
    terminal.sees("Build for 60 s")
    terminal.child.send(CTRL_C)
    terminal.sees("Cancelled")
    terminal.enter("echo alive")
    terminal.sees("> echo alive", "alive")
    terminal.rests()
    terminal.child.send(CTRL_C)
    terminal.sees("Ctrl-C again leaves")
    terminal.child.send(CTRL_C)
    assert terminal.code() == 0


def test_leaving_does_not_wait_for_what_still_runs(open_chat: Open) -> None:
    terminal = open_chat()
    terminal.sees(*READY)
    terminal.enter("silent 600")
    terminal.sees("Build for 600 s")
    terminal.child.send(CTRL_C + CTRL_C)
    assert terminal.code() == 0


def test_sigterm_is_leaving(open_chat: Open) -> None:
    terminal = open_chat()
    terminal.sees(*READY)
    terminal.child.kill(signal.SIGTERM)
    assert terminal.code() == 0


def test_colours_are_used_and_no_color_is_heeded(open_chat: Open) -> None:
    seen = []
    for no_color in ("", "1"):
        terminal = open_chat(NO_COLOR=no_color)
        terminal.sees(*READY)
        terminal.enter("error")
        seen.append(terminal.sees("✗", "asked to fail"))
        terminal.enter("/quit")
        assert terminal.code() == 0
    assert [bool(re.search(r"\x1b\[[0-9;]*3[0-7]m", text)) for text in seen] == [True, False]


def test_wide_characters_and_control_characters_are_harmless(open_chat: Open) -> None:
    terminal = open_chat()
    terminal.sees(*READY)
    terminal.enter("echo 表と絵文字 👩‍👩‍👧")
    terminal.sees("> echo 表と絵文字", "表と絵文字 👩‍👩‍👧")
    terminal.enter("/quit")
    assert terminal.code() == 0


def test_the_history_is_kept_for_next_time(open_chat: Open, tmp_path: Path) -> None:
    terminal = open_chat()
    terminal.sees(*READY)
    terminal.enter("echo remembered")
    terminal.sees("> echo remembered", "remembered")
    terminal.child.send(CTRL_D)
    assert terminal.code() == 0
    again = open_chat()
    again.sees(*READY)
    for _ in range(100):  # it is read while the first picture is drawn
        again.child.send(UP)
        if again.child.expect_exact(["remembered", pexpect.TIMEOUT], timeout=0.2) == 0:
            break
    again.enter("")
    again.sees("> echo remembered", "remembered")
    again.child.send(CTRL_U + CTRL_D)  # a late UP may have filled the line again
    assert again.code() == 0
    assert stat.S_IMODE((tmp_path / "state" / "chat-history").stat().st_mode) == 0o600


def test_a_dumb_terminal_gets_plain_lines(open_chat: Open) -> None:
    terminal = open_chat(TERM="dumb")
    seen = terminal.sees(GREETING)
    terminal.enter("hello")
    seen += terminal.sees("I am the demo agent")
    terminal.enter("ask")
    seen += terminal.sees("4. Always reject")
    terminal.enter("2")
    seen += terminal.sees("allow_always")
    terminal.enter("silent 60")
    seen += terminal.sees("Build for 60 s")
    terminal.child.send(CTRL_C)
    seen += terminal.sees("Cancelled")
    terminal.rests()
    terminal.child.send(CTRL_C)
    seen += terminal.sees("Ctrl-C again leaves")
    terminal.child.send(CTRL_C)
    assert terminal.code() == 0
    assert "\x1b" not in seen


def test_ctrl_d_leaves_a_dumb_terminal(open_chat: Open) -> None:
    terminal = open_chat(TERM="dumb")
    terminal.sees(GREETING)
    terminal.child.send(CTRL_D)
    assert terminal.code() == 0


def test_the_output_may_go_to_a_file(tmp_path: Path) -> None:
    file = tmp_path / "log"
    script = f'exec "{sys.executable}" -m openab_sync chat > "{file}"'
    env = environment(tmp_path, TERM="xterm-256color")
    child: pexpect.spawn[str] = pexpect.spawn(
        "/bin/sh",
        ["-c", script],
        cwd=str(ROOT),
        env=env,
        encoding="utf-8",
        timeout=PATIENCE,
    )
    child.send("echo into the file\r/help\r/quit\r")
    child.expect_exact(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert GREETING in file.read_text()


def test_json_needs_a_prompt(open_chat: Open) -> None:
    terminal = open_chat("--json")
    terminal.sees("--json needs -p TEXT or text piped in.")
    assert terminal.code() == 2
