"""Whatever goes wrong with Discord, at whatever moment of a message's way: the same must hold. See faults/matrix.toml.

No message is lost or answered twice, who got no answer is told so, the next one is answered, another conversation
notices nothing, and the journal has nothing that is not over. What is left behind is looked at after every test.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.fakes.discord import Server
from tests.fakes.discord.things import Channel, Message
from tests.platforms.discord.bed import Bed, house
from tests.platforms.discord.fake_client import QUICK
from tests.platforms.discord.pressing import buttons
from tests.waiting import MS, until

pytestmark = pytest.mark.slow

REST: dict[str, dict[str, object]] = {
    "4xx": {"status": 400, "code": 50035, "times": 2},
    "429": {"status": 429, "retry_after": 1.2, "times": 2},
    "5xx": {"status": 502, "times": 3},
    "latency": {"latency": 0.7, "times": 4},
    "reset": {"reset": True, "times": 2},
    "lost reply": {"lost": True, "times": 2},
}


def _forget(server: Server) -> None:
    server.advance(6.0)
    server.gateway.forget()
    server.gateway.drop()


GATEWAY: dict[str, Callable[[Server], object]] = {
    "drop": lambda server: server.gateway.drop(),
    "invalid session": _forget,
    "reconnect": lambda server: server.gateway.reconnect(),
}
MOMENTS = ("starting", "busy", "question", "delivering")
CASES = [f"{fault}-{moment}" for fault, moment in itertools.product(REST, MOMENTS)]
CASES += [f"{fault}-{moment}" for fault, moment in itertools.product(GATEWAY, ("busy",))]
PATIENCE = 10_000 * MS


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server


@pytest.mark.timeout(100)
@pytest.mark.parametrize("case", CASES)
def test_a_fault_of_discord(case: str, server: Server, tmp_path: Path) -> None:
    fault, moment = case.split("-")
    with house(server, folder=tmp_path, permissions={"mode": "ask"}) as bed:
        scene = Scene(server, bed, fault, tmp_path / "gate")
        getattr(scene, moment)()
        scene.go_on()
    check(server, tmp_path, scene)


class Scene:
    """Two conversations: one that meets a fault, and another one. All that people have asked is in `asked`."""

    def __init__(self, server: Server, bed: Bed, fault: str, gate: Path) -> None:
        self.server, self.bed, self.fault, self.gate = server, bed, fault, gate
        self.asked: dict[str, Message] = {}
        self.other = self.open("other")
        bed.until_said("[other]", self.other)

    # What people do.

    def open(self, word: str, more: str = "") -> Channel:
        """Begin a conversation; its first answer must have the word."""
        message = self.bed.mention(f"say [{word}]{more}")
        self.asked[word] = message
        self.until(lambda: message.thread, f"a thread opens for {word}")
        assert message.thread is not None
        return message.thread

    def ask(self, word: str, more: str = "") -> None:
        self.asked[word] = self.bed.ann.write(self.here, f"say [{word}]{more}")

    def begin(self, more: str = "") -> None:
        """Have a turn under way in a conversation of its own."""
        self.here = self.open("first", f"\n{more}" if more else "")
        self.bed.until_said("[first]", self.here)

    def wait(self) -> str:
        """What an agent is told that must not go on before the fault has come."""
        return f"gate {self.gate}\nsay and the rest"

    def break_it(self, path: str = "") -> None:
        """Let the fault come, for the one conversation only where that can be."""
        if self.fault in GATEWAY:
            GATEWAY[self.fault](self.server)
        else:
            self.server.fail("*", path or f"/channels/{self.here.id}/*", **REST[self.fault])

    # The moments.

    def starting(self) -> None:
        self.break_it("/channels/*/threads")
        message = self.bed.mention("say [first]")
        self.asked["first"] = message
        self.until(lambda: message.thread or self.is_told(message), "it has a thread, or its writer was told")
        self.here = message.thread or self.other

    def busy(self) -> None:
        self.begin(self.wait())
        self.break_it()
        self.gate.touch()

    def question(self) -> None:
        self.begin("ask")
        self.until(self.questions, "the question is there")
        question = self.questions()[0]
        self.bed.ann.click(question, "Allow once")
        self.break_it()

    def delivering(self) -> None:
        self.begin(self.wait())
        self.gate.touch()
        self.bed.until_said("and the rest", self.here)
        self.break_it()

    # What people see.

    def questions(self) -> list[Message]:
        return [one for one in self.here.history if "Allow once" in buttons(one)]

    def is_told(self, message: Message) -> bool:
        """Whether the bot has replied to it, or has said in its channel why it is not answered."""
        name = message.author.name
        told = [one for one in self.said() if one.channel is message.channel and name in one.content]
        return any(one.reply_to is message for one in self.said()) or any("[" not in one.content for one in told)

    def said(self) -> list[Message]:
        world = self.server.world
        with world.changed:
            everywhere = [one for channel in world.channels.values() for one in channel.history]
        return [one for one in everywhere if one.author is self.server.app.user]

    def until(self, predicate: Callable[[], object], what: str) -> None:
        """Wait, and let Discord's time go on: deadlines of its own pass."""
        until(predicate, PATIENCE, what)

    def until_over(self) -> None:
        self.until(lambda: not unfinished(self.bed.folder), "the journal has nothing that is not over")

    # The end.

    def go_on(self) -> None:
        """The other conversation notices nothing, and this one goes on."""
        self.asked["meanwhile"] = self.bed.ann.write(self.other, "say [meanwhile]")
        self.ask("second")
        self.until(lambda: self.is_settled("meanwhile") and self.is_settled("second"), "the next ones are answered")
        self.server.backend.faults.clear()
        self.ask("third")
        self.until(lambda: self.is_settled("third"), "the one after it is answered")
        self.until_over()

    def is_settled(self, word: str) -> bool:
        return any(f"[{word}]" in one.content for one in self.said()) or self.is_told(self.asked[word])


def check(server: Server, folder: Path, scene: Scene) -> None:
    """After the house has closed: each message has one answer, or its writer was told; nothing is unfinished."""
    said = scene.said()
    for word in scene.asked:
        # A page whose last edit is refused is posted anew, and what had been seen of it stays: the end of it counts.
        end = "and the rest" if word == "first" and scene.gate.exists() else f"[{word}]"
        assert sum(end in one.content for one in said) <= 1, (word, [one.content for one in said])
        assert scene.is_settled(word), (word, [one.content for one in said])
    assert [sum(f"[{word}]" in one.content for one in said) for word in ("other", "meanwhile", "third")] == [1, 1, 1]
    assert unfinished(folder) == []


def unfinished(folder: Path) -> list[tuple[str, str]]:
    """What is not over, by the journal."""
    with closing(sqlite3.connect(f"file:{folder}/journal.db?mode=ro", uri=True)) as db:
        messages = db.execute("SELECT text, state FROM deliveries WHERE state IN ('accepted', 'started', 'finished')")
        return [*messages, *db.execute("SELECT turn, state FROM replies WHERE state IN ('running', 'finished')")]
