"""The rooms: which sessions there are, which of them take messages, whose threads have not been seen to end.

Plain data; `SessionPool` guards it with its lock, and looks at the mailboxes of sessions (rank 2) inside it, one at a
time. Nothing here waits, starts or tells.
"""

from __future__ import annotations

from collections.abc import Callable

from .session import Session

__all__ = ["Rooms"]


class Rooms:
    """The sessions, by the key of their conversation."""

    def __init__(self) -> None:
        self.open: dict[str, Session] = {}  # take messages
        self.ending: dict[str, Session] = {}  # take none, but their agents still hold a room
        self.threads: list[Session] = []  # every session whose thread has not been seen to end

    def __len__(self) -> int:
        """Return how many rooms are taken."""
        return len(self.open) + len(self.ending)

    def every(self) -> list[Session]:
        """Return all sessions that hold a room."""
        return [*self.open.values(), *self.ending.values()]

    def holder(self, key: str) -> Session | None:
        """Return the session of a conversation, whether it takes messages or not."""
        return self.open.get(key) or self.ending.get(key)

    def take(self, session: Session) -> None:
        """A new session has a room."""
        key = session.conversation.key
        assert key not in self.open
        self.open[key] = session
        # Those that have ended properly go at once: until the janitor comes a rush would pile them up.
        every = self.every()
        self.threads = [item for item in self.threads if not item.has_ended or item in every] + [session]

    def retire(self, session: Session, now: float) -> None:
        """It takes no more messages; its agent holds the room until it is forgotten."""
        key = session.conversation.key
        if self.open.get(key) is session:  # the very one, not a successor (FIELD A5)
            del self.open[key]
            self.ending[key] = session
            session.retired_at = now

    def forget(self, session: Session) -> bool:
        """Take it out; False if it was not in: its room had been given away."""
        key = session.conversation.key
        books = self.open if self.open.get(key) is session else self.ending
        return books.get(key) is session and books.pop(key) is session

    def retire_idle(self, now: float, wanted: Callable[[Session], bool], most: int | None = None) -> list[Session]:
        """Shut those that are idle and `wanted`, at most so many, the longest idle first; return them."""
        shut: list[Session] = []
        for session in sorted(self.open.values(), key=lambda item: item.snapshot.last_activity):
            if len(shut) != most and wanted(session) and session.mailbox.shut_if_idle():
                shut.append(session)
        for session in shut:
            self.retire(session, now)
        return shut

    def sweep(self) -> list[Session]:
        """Let go of sessions whose threads have ended; return those that hold a room: they died silently."""
        gone = [item for item in self.threads if item.has_ended]
        self.threads = [item for item in self.threads if item not in gone]
        return [item for item in gone if item in self.every()]
