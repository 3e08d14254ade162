"""The line editor with keys from a pipe and a picture that nobody sees; tests/cli has it on a real terminal."""

from __future__ import annotations

import logging
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest
from prompt_toolkit.application import Application
from prompt_toolkit.history import FileHistory, InMemoryHistory
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from openab_sync.core.broker import HouseSnapshot
from openab_sync.core.state import State
from openab_sync.platforms.console.chat import Chat, Setting
from openab_sync.platforms.console.port import Arrival, Happened, Told, Typed
from openab_sync.platforms.console.screen import Shown
from openab_sync.platforms.console.style import Style
from openab_sync.platforms.console.terminal import TAIL, Terminal, history_at

from .stub import ME, StubDesk, session

LEAVE = "\x04"  # Ctrl-D


class Editor:
    """A terminal with keys from a pipe; `chat` takes what is entered and is never run."""

    def __init__(self, keys: PipeInput) -> None:
        self.keys, self.desk, self.arrivals = keys, StubDesk(), SimpleQueue[Arrival]()
        style = Style(coloured=False)
        self.front = Terminal(style, InMemoryHistory(), input=keys, output=DummyOutput())
        self.chat = Chat(self.desk, self.arrivals, self.front, Setting(ME, style, Shown()))

    def press(self, keys: str) -> list[str]:
        """Press the keys, let it run until it ends, and return what was entered or hinted at."""
        self.keys.send_text(keys)
        self.front.run(self.chat)
        found = []
        while not self.arrivals.empty():
            match self.arrivals.get():
                case Typed(text) | Told(_, text):
                    found.append(text)
                case Happened(_, event):
                    found.append(f"hint: {getattr(event, 'text', '')}")
        return found


@pytest.fixture
def editor() -> Iterator[Editor]:
    with create_pipe_input() as keys:
        yield Editor(keys)


def test_enter_sends_a_line_and_ctrl_d_leaves(editor: Editor) -> None:
    assert editor.press("hello\rtwo\r" + LEAVE) == ["hello", "two"]


def test_ctrl_d_leaves_from_an_empty_line_only(editor: Editor) -> None:
    assert editor.press("ab\x01" + LEAVE + "\r" + LEAVE) == ["b"]  # Ctrl-A goes to the front: there it deletes


@pytest.mark.parametrize("key", ["\x1b\r", "\n"])
def test_alt_enter_and_ctrl_j_begin_a_new_line(editor: Editor, key: str) -> None:
    assert editor.press(f"one{key}two\r" + LEAVE) == ["one\ntwo"]


def test_what_is_pasted_is_taken_whole(editor: Editor) -> None:
    text = "\n".join(f"line {number}" for number in range(800))
    assert editor.press(f"\x1b[200~{text}\x1b[201~\r" + LEAVE) == [text]


def test_a_colour_that_is_pasted_is_no_mouse(editor: Editor) -> None:
    assert editor.press("\x1b[31mred\x1b[0;1M\r" + LEAVE) == ["red"]


def test_what_goes_wrong_in_the_editor_is_a_sentence(editor: Editor, caplog: pytest.LogCaptureFixture) -> None:
    def fail(text: str) -> None:
        editor.keys.send_text("\x03" + LEAVE)  # the line is still there: Ctrl-C empties it
        raise OSError(f"no room for {text}")

    with pytest.MonkeyPatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr(editor.chat, "enter", fail)
        editor.press("hello\r")
    assert [record.getMessage() for record in caplog.records] == ["the line editor had a problem: no room for hello"]
    assert caplog.records[0].exc_info is None


def test_quit_leaves(editor: Editor) -> None:
    assert editor.press("/quit \rnot sent\r") == []


def test_ctrl_c_twice_leaves(editor: Editor) -> None:
    assert editor.press("\x03\x03") == ["hint: Ctrl-C again leaves."]


def test_ctrl_c_empties_the_line_first(editor: Editor) -> None:
    assert editor.press("not this\x03this\r" + LEAVE) == ["this"]


def test_ctrl_c_cancels_what_runs_and_keeps_the_line(editor: Editor) -> None:
    editor.desk.house = HouseSnapshot((session(state=State.BUSY),), ())
    assert editor.press("keep\x03\r" + LEAVE) == ["as you wish", "keep"]
    assert editor.desk.commands == [("1", "cancel", "")]


def test_a_terminal_that_is_gone_is_left(editor: Editor) -> None:
    editor.keys.close()
    editor.front.run(editor.chat)  # returns
    assert editor.arrivals.empty()


@pytest.mark.parametrize("way", ["leave", "interrupt"])
def test_a_signal_that_comes_before_it_runs_is_not_lost(editor: Editor, way: str) -> None:
    getattr(editor.front, way)()
    assert editor.press("not sent\r") == []  # and it returns


def test_a_signal_that_comes_before_its_loop_runs_is_not_lost(editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    run = editor.front._run

    def late(app: Application[None]) -> None:
        editor.front.leave()
        run(app)

    monkeypatch.setattr(editor.front, "_run", late)
    assert editor.press("not sent\r") == []


def test_refresh_and_close_before_it_runs_do_nothing(editor: Editor) -> None:
    editor.front.refresh()
    editor.front.close()
    assert editor.press("still there\r" + LEAVE) == ["still there"]


def test_only_whole_lines_are_printed_while_a_line_grows(editor: Editor, capsys: pytest.CaptureFixture[str]) -> None:
    editor.front.stream("one\ntw")
    editor.front.lines("[2] news\n")
    assert capsys.readouterr().out == "one\n[2] news\n"
    editor.front.stream("o\n")
    assert capsys.readouterr().out == "two\n"


def test_an_endless_line_is_broken_at_a_space_if_it_has_one(editor: Editor, capsys: pytest.CaptureFixture[str]) -> None:
    editor.front.stream("word " * (TAIL // 5) + "x")
    editor.front.stream("y" * TAIL)
    assert capsys.readouterr().out == "word " * (TAIL // 5) + "\n" + "x" + "y" * TAIL + "\n"


def test_words_are_kept_whole_where_the_terminal_ends(capsys: pytest.CaptureFixture[str]) -> None:
    front = Terminal(Style(coloured=False), InMemoryHistory(), width=lambda: 10)
    front.stream("one two ")
    front.stream("thr")
    seen = capsys.readouterr().out
    front.stream("ee four five\n")
    front.lines("[2] some other news\n")
    front.echo("and what I said")
    assert seen == "one two\n"  # a row is printed once nothing can change it
    assert capsys.readouterr().out == "three four\nfive\n[2] some\nother news\n> and what\nI said\n"


def test_an_unfinished_line_is_not_lost_when_it_ends(editor: Editor, capsys: pytest.CaptureFixture[str]) -> None:
    editor.front.stream("half a line")
    editor.press(LEAVE)
    assert capsys.readouterr().out == "half a line\n"


def test_what_was_entered_is_shown_again_above(editor: Editor, capsys: pytest.CaptureFixture[str]) -> None:
    editor.front.echo("one\ntwo\n")
    assert capsys.readouterr().out == "> one\n  two\n"


def test_log_lines_are_printed_above_the_editor_and_not_into_it(
    editor: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []
    monkeypatch.setattr(editor.chat, "enter", lambda _text: seen.append(sys.stderr))  # called while it runs
    before = sys.stderr
    editor.press("x\r" + LEAVE)
    assert (seen[0] is before, sys.stderr is before) == (False, True)


def test_the_history_is_its_owners_alone(tmp_path: Path) -> None:
    history = history_at(tmp_path / "state" / "history")
    assert isinstance(history, FileHistory)
    history.store_string("secret plan")
    assert list(history_at(tmp_path / "state" / "history").load_history_strings()) == ["secret plan"]
    assert stat.S_IMODE((tmp_path / "state" / "history").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_without_a_place_to_write_the_history_is_kept_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert isinstance(history_at(tmp_path / "file" / "history"), InMemoryHistory)
