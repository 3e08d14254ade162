from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from openab_sync.core.broker import HouseSnapshot
from openab_sync.core.state import State
from openab_sync.platforms.console import lines as lines_module
from openab_sync.platforms.console.chat import Chat, Setting
from openab_sync.platforms.console.lines import Lines
from openab_sync.platforms.console.port import Arrival, Happened, Told, Typed
from openab_sync.platforms.console.screen import Shown
from openab_sync.platforms.console.style import Style

from .stub import ME, StubDesk, session


class Keyboard:
    """A front whose stdin is a pipe of ours; `chat` takes what is typed and is never run."""

    def __init__(self) -> None:
        stdin, self.pipe = os.pipe()
        self.stdin, self.out, self.time = stdin, io.StringIO(), 0.0
        self.front = Lines(stdin, self.out, lambda: self.time)
        self.desk, self.arrivals = StubDesk(), SimpleQueue[Arrival]()
        self.chat = Chat(self.desk, self.arrivals, self.front, Setting(ME, Style(coloured=False), Shown()))

    def type(self, data: bytes) -> None:
        os.write(self.pipe, data)

    def end(self) -> None:
        os.close(self.pipe)
        self.pipe = -1

    def arrived(self) -> list[str]:
        """What was entered or hinted at so far."""
        found = []
        while not self.arrivals.empty():
            match self.arrivals.get():
                case Typed(text) | Told(_, text):
                    found.append(text)
                case Happened(_, event):
                    found.append(f"hint: {getattr(event, 'text', '')}")
        return found


@pytest.fixture
def keyboard() -> Iterator[Keyboard]:
    board = Keyboard()
    yield board
    board.front.close()
    for descriptor in {board.stdin, board.pipe} - {-1}:
        os.close(descriptor)


def test_lines_are_passed_on_until_the_end_of_input(keyboard: Keyboard) -> None:
    keyboard.type("größer\nzwei\nunfinished".encode())
    keyboard.end()
    keyboard.front.run(keyboard.chat)
    assert keyboard.arrived() == ["größer", "zwei", "unfinished"]


def test_a_line_may_come_in_pieces_and_with_bytes_that_are_no_text(
    keyboard: Keyboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines_module, "READ", 3)  # cuts the first ö in two
    keyboard.type("größer".encode() + b" \xff\n/quit\n")
    keyboard.front.run(keyboard.chat)
    assert keyboard.arrived() == ["größer \ufffd"]


def test_a_terminal_that_is_gone_is_the_end_of_input(keyboard: Keyboard, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_descriptor: int, _size: int) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    keyboard.type(b"x")
    with monkeypatch.context() as patch:
        patch.setattr(keyboard.front, "_heed", lambda _chat: patch.setattr("os.read", gone))  # after the bell's read
        keyboard.front.run(keyboard.chat)
    assert keyboard.arrived() == [""]


def test_quit_leaves_and_what_is_behind_it_is_not_sent(keyboard: Keyboard) -> None:
    keyboard.type(b"one\n /quit \ntwo\n")
    keyboard.front.run(keyboard.chat)
    assert keyboard.arrived() == ["one"]


def test_leave_ends_the_wait(keyboard: Keyboard) -> None:
    keyboard.front.leave()
    keyboard.front.run(keyboard.chat)
    assert keyboard.arrived() == []


def test_ctrl_c_twice_leaves_when_nothing_runs(keyboard: Keyboard) -> None:
    keyboard.front.interrupt()
    keyboard.front.interrupt()
    keyboard.type(b"not read any more\n")
    keyboard.front.run(keyboard.chat)
    assert keyboard.arrived() == ["hint: Ctrl-C again leaves."]


def test_ctrl_c_cancels_what_runs(keyboard: Keyboard) -> None:
    keyboard.desk.house = HouseSnapshot((session(state=State.BUSY),), ())
    keyboard.front.interrupt()
    keyboard.type(b"/quit\n")
    keyboard.front.run(keyboard.chat)
    assert keyboard.desk.commands == [("1", "cancel", "")]


def test_text_is_written_as_it_comes_and_lines_never_run_into_it(keyboard: Keyboard) -> None:
    front = keyboard.front
    front.stream("half ")
    front.stream("a")
    front.lines("[2] news\n")
    front.stream(" line\n")
    front.lines("[2] more\n")
    front.echo("nothing: the terminal has done it")
    front.refresh()
    assert keyboard.out.getvalue() == "half a\n[2] news\n line\n[2] more\n"


def test_words_are_kept_whole_where_the_terminal_ends(keyboard: Keyboard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "columns", lambda stream: 10)
    for piece in ("one two thr", "ee four", " five"):
        keyboard.front.stream(piece)
    keyboard.front.lines("[2] other news\n")
    keyboard.front.stream("done\n")
    assert keyboard.out.getvalue() == "one two\nthree four\nfive\n[2] other\nnews\ndone\n"
