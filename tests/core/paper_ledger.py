"""A ledger on paper: what is written into it stands in `lines`, and the test says when it is safe."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future

from openab_sync.core.ledger import Unfinished, numbers
from openab_sync.core.message import Inbound, MessageRef, Person
from openab_sync.store import End, PageRow, ReplyRow

__all__ = ["PaperLedger"]


class PaperLedger:
    """A `Ledger`. While it is `slow`, its futures wait in `owed` until the test completes them."""

    keeps = True

    def __init__(self, *, slow: bool = False) -> None:
        self.slow = slow
        self.lines: list[tuple[object, ...]] = []
        self.owed: list[Future[None]] = []
        self.ends: list[End] = []
        self.left = Unfinished()

    def unfinished(self) -> Unfinished:
        return self.left

    def reply(self, turn: str) -> Future[ReplyRow | None]:
        found: Future[ReplyRow | None] = Future()
        found.set_result(next((row for row in self.left.replies if row.turn == turn), None))
        return found

    def words(self) -> list[object]:
        """What was done, in order."""
        return [line[0] for line in self.lines]

    def accept(self, ref: MessageRef, by: Person, text: str, route: Mapping[str, str]) -> tuple[int, Future[None]]:
        return len(self.lines) + 1, self._write("accept", ref.id, by.id, text)

    def complete(self, note: Inbound) -> None:
        self._write("complete", note.delivery)

    def edit(self, ref: MessageRef, text: str) -> None:
        self._write("edit", ref.id, text)

    def withdraw(self, found: Collection[int]) -> None:
        if found:
            self._write("withdraw", *found)

    def refuse(self, found: Collection[int], words: str) -> Future[None]:
        return self._write("refuse", *found, words)

    def fail(self, found: Collection[int]) -> None:
        if found:
            self._write("fail", *found)

    def start(self, turn: str, notes: Sequence[Inbound]) -> Future[None]:
        return self._write("start", *numbers(notes))

    def draw(self, turn: str, pages: Sequence[PageRow]) -> Future[None]:
        return self._write("draw", *pages)

    def draft(self, turn: str, text: str) -> Future[None]:
        return self._write("draft", text)

    def finish(self, turn: str, notes: Sequence[Inbound], end: End) -> Future[None]:
        self.ends.append(end)
        return self._write("finish", end.outcome)

    def sent(self, turn: str, number: int) -> None:
        self._write("sent", number)

    def close(self, turn: str, *, well: bool) -> None:
        self._write("close", well)

    def _write(self, *line: object) -> Future[None]:
        self.lines.append(line)
        done: Future[None] = Future()
        if self.slow:
            self.owed.append(done)
        else:
            done.set_result(None)
        return done
