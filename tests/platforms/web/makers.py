"""Short ways to what the tests of the page need."""

from __future__ import annotations

from openab_sync.acp.events import PermissionOption
from openab_sync.core.message import Attachment, Conversation, Inbound, MessageRef, Person
from openab_sync.core.port import Question

ANN = Person("ann", "Ann")
ONE = Conversation("web", "1")
TWO = Conversation("web", "2")
OPTIONS = (PermissionOption("yes", "Allow once", "allow_once"), PermissionOption("no", "Reject", "reject_once"))


def ref(number: int, place: Conversation = ONE) -> MessageRef:
    return MessageRef(place, f"m{number}")


def note(number: int = 1, text: str = "hello", place: Conversation = ONE, files: tuple[str, ...] = ()) -> Inbound:
    return Inbound(ref(number, place), ANN, text, tuple(Attachment("file", name, path="/x") for name in files))


def question(id: str = "q1", place: Conversation = ONE, title: str = "Run make?", detail: str = "") -> Question:
    return Question(id, place, title, detail, OPTIONS)
