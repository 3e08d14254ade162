"""One turn around a stub of the house, in this process; tests/cli has the real house, and terminals."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from pathlib import Path

import pytest

from openab_sync.acp.events import Said, Thought
from openab_sync.config.schema import AgentConfig, Config, ReplyConfig
from openab_sync.core.broker import Receipt
from openab_sync.core.message import Inbound
from openab_sync.core.port import ChatPort, TurnEnded
from openab_sync.errors import ConfigError, PoolClosed
from openab_sync.platforms.console import talk as talk_module
from openab_sync.platforms.console.chat import Chat
from openab_sync.platforms.console.style import Style
from openab_sync.platforms.console.talk import Wish, talk
from tests.waiting import until

from .stub import StubDesk


class StubHouse(StubDesk):
    """A house whose only agent answers at once."""

    def __init__(self, ports: Mapping[str, ChatPort], *, stops: bool = True, starts: bool = True) -> None:
        super().__init__()
        self.port, self.stops, self.starts = ports["console"], stops, starts
        self.life: list[str] = []

    @property
    def broker(self) -> StubDesk:
        return self

    def start(self) -> None:
        self.life.append("start")
        if not self.starts:
            raise PoolClosed

    def stop(self) -> bool:
        self.life.append("stop")
        return self.stops

    def receive(self, note: Inbound) -> Receipt:
        for event in (Thought("hm\n"), Said("answer"), TurnEnded((note.ref,), "done")):
            self.port.event(note.conversation, event)
        return super().receive(note)


class Builder:
    """Builds one house and remembers it."""

    def __init__(self, *, stops: bool = True, starts: bool = True) -> None:
        self.stops, self.starts = stops, starts

    def __call__(self, ports: Mapping[str, ChatPort]) -> StubHouse:
        self.house = StubHouse(ports, stops=self.stops, starts=self.starts)
        return self.house


def test_one_turn_is_answered_and_the_house_is_closed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("inline")
    build = Builder()
    assert talk(Config(), Wish("hello", (tmp_path / "a.txt",)), {}, build) == 0
    assert (capsys.readouterr().out, build.house.life) == ("answer\n", ["start", "stop"])
    (note,) = build.house.received
    assert (note.text, note.attachments[0].text, note.sender.name) == ("hello", "inline", getpass.getuser())


def test_what_is_shown_is_configured(capsys: pytest.CaptureFixture[str]) -> None:
    assert talk(Config(reply=ReplyConfig(thoughts=True)), Wish("hello", verbose=True), {}, Builder()) == 0
    assert capsys.readouterr().err == "💭 hm\n"


def test_a_house_that_does_not_close_well_is_a_failure() -> None:
    assert talk(Config(), Wish("hello"), {}, Builder(stops=False)) == 1


def test_a_house_that_does_not_open_is_closed_all_the_same() -> None:
    build = Builder(starts=False)
    with pytest.raises(PoolClosed):
        talk(Config(), Wish("hello"), {}, build)
    assert build.house.life == ["start", "stop"]


def test_a_file_that_cannot_be_read_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.txt: cannot be read: No such file") as caught:
        talk(Config(), Wish("hello", (tmp_path / "nothing.txt",)), {}, Builder())
    assert caught.value.exit_code == 2


def test_a_user_without_a_name_is_called_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nobody)
    build = Builder()
    talk(Config(), Wish("hello"), {}, build)
    sender = build.house.received[0].sender
    assert sender.name == sender.id


class StubFront:
    """A front whose person asks once and leaves."""

    def __init__(self) -> None:
        self.text, self.closed = "", False

    def run(self, chat: Chat) -> None:
        chat.enter("hello")
        until(lambda: "answer" in self.text)

    def stream(self, text: str) -> None:
        self.text += text

    def close(self) -> None:
        self.closed = True

    def echo(self, text: str) -> None:
        """Nothing."""

    def refresh(self) -> None:
        """Nothing."""


def test_a_person_is_greeted_and_hears_the_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    front = StubFront()
    monkeypatch.setattr(talk_module, "_front", lambda _style, _environ, is_tty: front)
    build = Builder()
    assert talk(Config(agent=AgentConfig(command="my-agent")), Wish(), {}, build) == 0
    assert front.text == "You talk to my-agent. /help lists the orders, /quit leaves.\nanswer\n"
    assert (build.house.life, front.closed) == (["start", "stop"], True)


def test_state_is_kept_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert talk_module._state_folder({"OPENAB_SYNC_HOME": str(tmp_path)}) == tmp_path
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = talk_module._state_folder({})
    assert folder.name == "openab-sync"
    assert tmp_path in folder.parents


@pytest.mark.parametrize(
    ("environ", "is_tty", "kind"),
    [
        ({"TERM": "xterm"}, True, "Terminal"),
        ({"TERM": "xterm"}, False, "Lines"),
        ({"TERM": "dumb"}, True, "Lines"),
        ({}, True, "Lines"),
    ],
)
def test_a_line_editor_runs_where_the_terminal_can_carry_it(
    environ: dict[str, str], is_tty: bool, kind: str, tmp_path: Path
) -> None:
    style = Style(coloured=False)
    front = talk_module._front(style, environ | {"OPENAB_SYNC_HOME": str(tmp_path)}, is_tty=is_tty)
    front.close()
    assert type(front).__name__ == kind
