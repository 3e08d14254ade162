"""What travels between platforms and the core: frozen plain data, readable from any thread."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Attachment", "Conversation", "Inbound", "MessageRef", "Person"]


@dataclass(frozen=True, slots=True)
class Conversation:
    """Where people talk to one agent: a thread of a chat service, a direct message, a terminal."""

    platform: str
    id: str

    @property
    def key(self) -> str:
        """The name used in books, logs and thread names: `platform:id`."""
        return f"{self.platform}:{self.id}"

    def __str__(self) -> str:
        return self.key


@dataclass(frozen=True, slots=True)
class MessageRef:
    """One chat message: enough to edit it, react to it or find what it left in an inbox."""

    conversation: Conversation
    id: str


@dataclass(frozen=True, slots=True)
class Person:
    """Who wrote or clicked: `id` is the platform's, `name` is for people."""

    id: str
    name: str = ""
    is_bot: bool = False


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message, ready for the agent.

    `image` and `audio` carry `data` (base64) and `mime`, `text` its `text`; a picture or a text that waits lies at
    `path` instead (`luggage`). `file` is named to the agent by `path`. Paths are absolute. What an agent cannot take is
    turned into something that it can by the protocol peer.
    """

    kind: Literal["image", "audio", "text", "file"]
    name: str
    mime: str = ""
    data: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    path: str = ""
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Inbound:
    """A message to answer, complete: admitted, placed in its conversation, its files fetched.

    `context` is the platform's block about the sender, written before the text on every arrival ("" for none);
    `is_marked` says that people can see already that it was accepted; `delivery` is its number in the ledger, 0 where
    it is not in it.
    """

    ref: MessageRef
    sender: Person
    text: str = field(repr=False)
    attachments: tuple[Attachment, ...] = ()
    context: str = field(default="", repr=False)
    is_marked: bool = False
    delivery: int = 0
    arrived: float = field(default=0.0, compare=False)  # monotonic seconds: when the front desk got it; 0: not known

    @property
    def conversation(self) -> Conversation:
        return self.ref.conversation
