"""The account: every message that was accepted is answered, told of or taken back, once, and in its order.

Messages are called `who.number`, counted up by whoever writes them.

**Threads**: any; people write down what was accepted, sessions what became of it. **Locks**: one of its own, brief.
It keeps a few bytes a message and no text but the end of each running answer, so that memory measured beside it is the
house's.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

from openab_sync.acp.events import Said
from openab_sync.core.broker import Receipt
from openab_sync.core.house import House
from openab_sync.core.message import Conversation, Inbound, MessageRef
from openab_sync.core.port import ChatPort, TurnEnded, TurnEvent, TurnStarted

__all__ = ["Account", "plain"]

TAIL = 2000  # characters kept of an answer; a plain one is much shorter


def plain(name: str) -> str:
    """Return a prompt whose answer must name its message."""
    return f"say [{name}]"


class _Tally:
    """How often something is true of each message: a byte for each."""

    def __init__(self) -> None:
        self._rows: dict[str, bytearray] = {}

    def add(self, name: str) -> None:
        row, number = self._find(name)
        row.extend(bytes(max(0, number + 1 - len(row))))
        row[number] += 1

    def __getitem__(self, name: str) -> int:
        row, number = self._find(name)
        return row[number] if number < len(row) else 0

    def __contains__(self, name: str) -> bool:
        return self[name] > 0

    def __len__(self) -> int:
        return sum(len(row) - row.count(0) for row in self._rows.values())

    def __iter__(self) -> Iterator[str]:
        return (f"{who}.{n}" for who, row in sorted(self._rows.items()) for n, count in enumerate(row) if count)

    def _find(self, name: str) -> tuple[bytearray, int]:
        who, _, number = name.rpartition(".")
        return self._rows.setdefault(who, bytearray()), int(number)


class Account:
    """What was accepted, and what became of it. `event` and `drop` stand where the house tells of that."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accepted, self._refused, self._plain = _Tally(), _Tally(), _Tally()
        self._started, self._ended, self._dropped = _Tally(), _Tally(), _Tally()
        self._said: dict[Conversation, str] = {}
        self._latest: dict[tuple[Conversation, str], int] = {}  # the number of a person's message answered last
        self._faults: list[str] = []

    def __repr__(self) -> str:
        with self._lock:
            counts = (self._accepted, self._refused, self._ended, self._dropped)
            accepted, refused, ended, dropped = map(len, counts)
        return f"accepted {accepted} refused {refused} answered {ended} dropped {dropped}"

    # What people did.

    def expect(self, ref: MessageRef) -> None:
        """The text of this message is a plain one, before it is handed in and after each edit."""
        with self._lock:
            self._plain.add(ref.id)

    def enter(self, ref: MessageRef, receipt: Receipt) -> None:
        """A message was handed in."""
        with self._lock:
            (self._refused if receipt.state == "refused" else self._accepted).add(ref.id)

    # What the house did.

    def event(self, conversation: Conversation, event: TurnEvent) -> None:
        """Be told what happens, as a platform with `live = "events"` is."""
        with self._lock:
            match event:
                case TurnStarted(refs):
                    self._said[conversation] = ""
                    for ref in refs:
                        self._started.add(ref.id)
                case Said(text):
                    self._said[conversation] = (self._said.get(conversation, "") + text)[-TAIL:]
                case TurnEnded(refs):
                    for ref in refs:
                        if not self._is_turned_away_locked(ref, event):
                            self._ended.add(ref.id)
                    self._check_text_locked(conversation, event)
                    self._check_order_locked(event)

    def drop(self, house: House, port: ChatPort, note: Inbound) -> None:
        """A message will not be answered, and its people can know: it was taken back, dropped or turned away."""
        with self._lock:
            self._dropped.add(note.ref.id)

    def _is_turned_away_locked(self, ref: MessageRef, event: TurnEnded) -> bool:
        """The end of a turn that never was: its message was dropped, and whoever waits for the end is told so."""
        return event.outcome == "failed" and ref.id in self._dropped and ref.id not in self._started

    def _check_text_locked(self, conversation: Conversation, event: TurnEnded) -> None:
        said = self._said.get(conversation, "")
        for ref in event.refs:
            if event.outcome == "done" and ref.id in self._plain and f"[{ref.id}]" not in said:
                self._faults.append(f"{ref.id} got somebody else's answer: {said[-80:]!r}")

    def _check_order_locked(self, event: TurnEnded) -> None:
        for ref in event.refs:
            person, _, number = ref.id.rpartition(".")
            key = ref.conversation, person
            if int(number) < self._latest.get(key, 0):
                self._faults.append(f"{ref.id} was answered after {self._latest[key]}, which was written later")
            self._latest[key] = int(number)

    # What it comes to.

    def faults(self) -> list[str]:
        """Return a sentence for each message that the house has not kept its promise for. When all has ended."""
        with self._lock:
            faults = list(self._faults)
            for name in self._accepted:
                ends = f"answered {self._ended[name]} times and dropped {self._dropped[name]} times"
                if self._ended[name] + self._dropped[name] != 1:
                    faults.append(f"{name} was accepted, then {ends}")
            for name in self._refused:
                times = self._started[name] + self._ended[name] + self._dropped[name]
                faults += [f"{name} was refused and came back all the same"] if times else []
            for name in self._started:
                if (times := self._started[name]) > 1:
                    faults.append(f"{name} was begun {times} times")
        return faults
