"""Two conversations of a house on the fake Discord, of which one meets a fault: what `test_moments` is made of.

`Scene` brings one conversation to a moment, lets the fault come, goes on, and gives the account of it all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, closing
from pathlib import Path

from openab_sync.core.message import Conversation, Person
from openab_sync.core.state import State
from tests.fakes.discord import Server
from tests.fakes.discord.things import Channel, Message
from tests.faults.invariants import Account, books
from tests.platforms.discord.bed import Bed
from tests.platforms.discord.pressing import buttons, idle
from tests.waiting import MS, until

__all__ = ["Fault", "Scene", "unfinished"]

PATIENCE = 10_000 * MS
REST_OF_IT = "and the rest"

Fault = Callable[["Scene"], AbstractContextManager[object]]
"""What is broken until the end of the block."""


class Scene:
    """What people do and see. All that they have asked is in `asked`; `here` is where the fault comes."""

    def __init__(self, server: Server, bed: Bed, fault: Fault, broken: ExitStack, folder: Path) -> None:
        self.server, self.bed, self.fault = server, bed, fault
        self.gate, self.other_gate = folder / "gate", folder / "other-gate"
        self.asked: dict[str, Message] = {}
        self.unhurt = ["other", "meanwhile", "third"]
        self.cut, self.unsure = set[str](), set[str]()
        self.marks: dict[str, str] = {}
        self.pids: set[int] = set()
        self.path = ""  # of Discord's requests: those that fail
        self.cuts = False  # the fault cuts the connection to the gateway
        self._broken = broken
        self.other = self.open("other")
        self.here = self.other  # until it has one of its own
        bed.until_said("[other]", self.other)

    # What people do.

    def open(self, word: str, more: str = "") -> Channel:
        """Begin a conversation; its first answer must have the word."""
        message = self.bed.mention(f"say [{word}]{more}")
        self.asked[word] = message
        until(lambda: message.thread, PATIENCE, f"a thread opens for {word}")
        assert message.thread is not None
        return message.thread

    def ask(self, word: str, where: Channel | None = None, before: str = "") -> None:
        """Write into a conversation that there is; `before` is done before the word is said."""
        text = f"{before}\nsay [{word}]".strip()
        self.asked[word] = self.bed.ann.write(where or self.here, text)

    def begin(self, more: str = "") -> None:
        """Have a turn under way in a conversation of its own."""
        self.here = self.open("first", f"\n{more}" if more else "")
        self.path = f"/channels/{self.here.id}/*"
        self.bed.until_said("[first]", self.here)

    def wait(self) -> str:
        """What an agent is told that must not go on before the fault has come."""
        # A page whose last edit is refused is posted anew, and what had been seen of it stays: the end of it counts.
        self.marks["first"] = REST_OF_IT
        return f"gate {self.gate}\nsay {REST_OF_IT}"

    def busy_elsewhere(self) -> None:
        """For a fault that keeps everybody's new messages out: the other conversation has a turn under way."""
        self.ask("meanwhile", self.other, f"say at work\ngate {self.other_gate}")
        self.bed.until_said("at work", self.other)

    def break_it(self) -> None:
        """The fault comes."""
        self.remember()
        self._broken.enter_context(self.fault(self))

    def mend(self) -> None:
        """The fault is over."""
        self.remember()
        self._broken.close()

    def remember(self) -> None:
        """Take note of the agents that there are."""
        self.pids |= {one.pid for one in self.bed.app.broker.snapshot().sessions if one.pid}

    # The moments.

    def starting(self) -> None:
        self.path = "/channels/*/threads"
        self.break_it()
        message = self.bed.mention("say [first]")
        self.asked["first"] = message
        until(lambda: message.thread or self.told(message), PATIENCE, "it has a thread, or its writer was told")
        self.here = message.thread or self.other

    def idle(self) -> None:
        self.begin()
        idle(self.bed, self.here)
        self.break_it()

    def busy(self) -> None:
        self.begin(self.wait())
        self.break_it()
        self.gate.touch()

    def cancelling(self) -> None:
        """Of an agent that does not obey: it is ended when its grace is over."""
        self.begin("ignore")
        self.cut.add("first")
        place = Conversation("discord", str(self.here.id))
        assert self.bed.app.broker.command(place, "cancel", "", Person(str(self.bed.ann.id), "ann")).result(10).ok
        self.marks["first"] = "and was ended"
        until(self.is_cancelling, PATIENCE, "it is being cancelled")
        self.break_it()

    def question(self) -> None:
        self.begin("ask")
        until(self.questions, PATIENCE, "the question is there")
        if self.cuts:  # a press comes by the gateway or not at all
            before = self.server.gateway.accepted
            self.break_it()
            until(lambda: self.server.gateway.accepted > before, PATIENCE, "the connection is made again")
            self.server.until_ready(PATIENCE)
        self.bed.ann.click(self.questions()[0], "Allow once")
        if not self.cuts:
            self.break_it()

    def delivering(self) -> None:
        self.begin(self.wait())
        self.gate.touch()
        self.bed.until_said(REST_OF_IT, self.here)
        self.break_it()

    def closing(self) -> None:
        """The house is left with a turn under way; the test opens it again."""
        self.begin("hang")
        self.cut.add("first")
        self.break_it()

    # The end.

    def go_on(self) -> None:
        """The other conversation notices nothing, and this one goes on."""
        if "meanwhile" in self.asked:
            self.other_gate.touch()
        else:
            self.ask("meanwhile", self.other)
        self.ask("second")
        until(
            lambda: self.is_settled("meanwhile") and self.is_settled("second"), PATIENCE, "the next ones are answered"
        )
        self.mend()
        self.ask("third")
        until(lambda: self.is_settled("third"), PATIENCE, "the one after it is answered")
        until(lambda: not unfinished(self.bed.folder), PATIENCE, "the journal has nothing that is not over")

    def is_settled(self, word: str) -> bool:
        return any(f"[{word}]" in one.content for one in self.said()) or bool(self.told(self.asked[word]))

    # What people see.

    def questions(self) -> list[Message]:
        return [one for one in self.here.history if "Allow once" in buttons(one)]

    def is_cancelling(self) -> bool:
        sessions = self.bed.app.broker.snapshot().sessions
        return any(one.conversation.id == str(self.here.id) and one.state is State.CANCELLING for one in sessions)

    def told(self, message: Message) -> list[str]:
        """What the bot has said of it: in reply to it, by its writer's name right after it, or beneath its answer."""
        word = next((word for word, one in self.asked.items() if one is message), "")
        about: list[str] = []
        last: Message | None = None
        for one in message.channel.history:
            last = one if one.author is message.author else last
            is_named = last is message and not one.reply_to and message.author.name in one.content
            about += self._about(one, word, is_meant=is_named or one.reply_to is message)
        for one in message.thread.history if message.thread else ():
            about += self._about(one, word, is_meant=not one.reply_to and one.content.startswith("> ⚠️"))
        return about

    def _about(self, one: Message, word: str, *, is_meant: bool) -> list[str]:
        if one.author is not self.server.app.user or one.content.startswith("🔐"):  # a question and its answer
            return []
        if word and f"[{word}]" in one.content:
            return [line for line in one.content.splitlines() if line.startswith("> ⚠️")]
        return [one.content] if is_meant and one.content and "[" not in one.content else []

    def said(self) -> list[Message]:
        world = self.server.world
        with world.changed:
            everywhere = [one for channel in world.channels.values() for one in channel.history]
        return [one for one in everywhere if one.author is self.server.app.user and one.content]

    def account(self) -> Account:
        """Of all that has happened. After the house has closed."""
        asked = {word: self.told(message) for word, message in self.asked.items()}
        return Account(
            asked=asked,
            said=[one.content for one in self.said()],
            marks=self.marks,
            unhurt=self.unhurt,
            cut=self.cut,
            unsure=self.unsure,
            unfinished=[*unfinished(self.bed.folder), *books(self.bed.app._pool)],
            pids=self.pids,
        )


def unfinished(folder: Path) -> list[tuple[str, str]]:
    """What is not over, by the journal."""
    with closing(sqlite3.connect(f"file:{folder}/journal.db?mode=ro", uri=True)) as db:
        messages = db.execute("SELECT text, state FROM deliveries WHERE state IN ('accepted', 'started', 'finished')")
        return [*messages, *db.execute("SELECT turn, state FROM replies WHERE state IN ('running', 'finished')")]
