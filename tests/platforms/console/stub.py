"""A front desk and a front for tests of the console: they remember what they were told."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field

from openab_sync.acp.events import PermissionOption
from openab_sync.core.broker import HouseSnapshot, Receipt
from openab_sync.core.commands import CommandAnswer
from openab_sync.core.house import SessionSnapshot
from openab_sync.core.message import Conversation, Inbound, MessageRef, Person
from openab_sync.core.port import Question
from openab_sync.core.state import State

ME = Person("1000", "me")
ONE = Conversation("console", "1")
TWO = Conversation("console", "2")
OPTIONS = (
    PermissionOption("yes", "Allow once", "allow_once"),
    PermissionOption("no", "Reject", "reject_once"),
)


def question(conversation: Conversation = ONE, id: str = "q1", title: str = "Run make?", detail: str = "") -> Question:
    return Question(id, conversation, title, detail, OPTIONS)


def session(conversation: Conversation = ONE, state: State = State.IDLE, inbox: int = 0) -> SessionSnapshot:
    return SessionSnapshot(conversation, state, inbox=inbox)


@dataclass
class StubDesk:
    """Takes everything; answers commands with `answer`."""

    receipt: Receipt = field(default_factory=lambda: Receipt("accepted"))
    answer: CommandAnswer = field(default_factory=lambda: CommandAnswer("as you wish"))
    house: HouseSnapshot = field(default_factory=lambda: HouseSnapshot((), ()))
    waits: bool = False  # messages are not taken by an agent
    received: list[Inbound] = field(default_factory=list)
    refused: str = ""
    commands: list[tuple[str, str, str]] = field(default_factory=list)

    def refusal(self, conversation: Conversation, by: Person) -> str:
        return self.refused

    def receive(self, note: Inbound) -> Receipt:
        self.received.append(note)
        return self.receipt

    def withdraw(self, ref: MessageRef) -> bool:
        return self.waits and ref in [note.ref for note in self.received]

    def command(self, conversation: Conversation, name: str, argument: str, by: Person) -> Future[CommandAnswer]:
        assert by.id
        self.commands.append((conversation.id, name, argument))
        future: Future[CommandAnswer] = Future()
        future.set_result(self.answer)
        return future

    def snapshot(self) -> HouseSnapshot:
        return self.house


@dataclass
class StubFront:
    """Keeps the current conversation's text apart from the lines between it."""

    text: str = ""
    between: str = ""
    echoed: list[str] = field(default_factory=list)
    refreshed: int = 0

    def stream(self, text: str) -> None:
        self.text += text

    def lines(self, text: str) -> None:
        assert text.endswith("\n"), "only whole lines may come between"
        self.between += text

    def echo(self, text: str) -> None:
        self.echoed.append(text)

    def refresh(self) -> None:
        self.refreshed += 1
