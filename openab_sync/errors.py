"""Everything that openab-sync raises, sorted by whose fault it is.

    OpenabError                 exit 1   something that we can say in one sentence
    ├── ConfigError             exit 2   the operator's: a file, a key, a value
    ├── PoolError                        the house is full or closing
    │   ├── PoolFull
    │   └── PoolClosed
    ├── SessionClosed                    the note was not taken; offer it to the successor
    ├── InboxFull                        the conversation has too many messages waiting
    ├── NotAllowed                       somebody's who is not trusted far enough for what they want
    ├── FileRefused                      a file that came with a message is not passed on as what it claims to be
    ├── AgentError                       the agent's: carries command, pid and the tail of its stderr
    │   ├── AgentStartError              it could not be started, or not in time
    │   ├── AgentGone                    its process ended
    │   ├── AgentStalled                 it lives but does not do what it must
    │   ├── AgentRefused                 it answered with an error; the session goes on
    │   │   └── AuthRequired             … because somebody has to log in first
    │   └── AgentProtocolError           what it sends is not the protocol
    ├── ChatError                        the chat service's
    │   ├── ChatTimeout
    │   └── ChatRefused
    ├── StoreError                       the disk's: what must be kept cannot be, or another broker keeps it
    └── IllegalTransition                ours: a bug

`str(error)` is for logs and terminals, `user_text()` is the one sentence for a conversation. Foreign exceptions are
mapped to these at the seam where they appear and nowhere else. This module imports nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "AgentError",
    "AgentGone",
    "AgentProtocolError",
    "AgentRefused",
    "AgentStalled",
    "AgentStartError",
    "AuthRequired",
    "ChatError",
    "ChatRefused",
    "ChatTimeout",
    "ConfigError",
    "FileRefused",
    "IllegalTransition",
    "InboxFull",
    "NotAllowed",
    "OpenabError",
    "PoolClosed",
    "PoolError",
    "PoolFull",
    "SessionClosed",
    "StoreError",
]


class OpenabError(Exception):
    """The root: a failure that has a sentence and an exit code."""

    exit_code = 1

    def user_text(self) -> str:
        """Return the sentence that people in a conversation see."""
        return str(self)


# Whose fault: the operator's.


class ConfigError(OpenabError):
    """A configuration that cannot be used; names the place and what was expected there."""

    exit_code = 2

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        key: str | None = None,
        line: int | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message, self.file, self.key, self.line, self.hint = message, file, key, line, hint

    def __str__(self) -> str:
        return "".join(char if char.isprintable() else repr(char)[1:-1] for char in self._told())

    def _told(self) -> str:
        """With what it quotes, which others may have written, and which is no business of a terminal."""
        place = self.file or ""
        if self.line is not None:
            place += f":{self.line}"
        parts = [part for part in (place, self.key, self.message) if part]
        return ": ".join(parts) + (f" ({self.hint})" if self.hint else "")


# Whose fault: nobody's; the house is full or closing.


class PoolError(OpenabError):
    """The pool cannot take a conversation."""


class PoolFull(PoolError):
    """Every room is busy and the line of waiting conversations is full."""

    def __init__(self, sessions: int, waiting: int) -> None:
        super().__init__(f"all {sessions} sessions are busy and {waiting} conversations wait already")
        self.sessions, self.waiting = sessions, waiting

    def user_text(self) -> str:
        busy = "The only agent is" if self.sessions == 1 else f"All {self.sessions} agents are"
        return f"{busy} busy and the waiting line is full: please try again in a few minutes."


class PoolClosed(PoolError):
    """openab-sync is stopping."""

    def __init__(self) -> None:
        super().__init__("the pool is closed")

    def user_text(self) -> str:
        return "I am shutting down and did not take this message: please send it again when I am back."


class SessionClosed(OpenabError):
    """This session is ending: the note was not taken."""


class InboxFull(OpenabError):
    """Too many messages wait in one conversation."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} messages are waiting in this conversation already")
        self.limit = limit

    def user_text(self) -> str:
        return f"{self.limit} messages are waiting here already: this one was not taken. `/queue` shows them."


class NotAllowed(OpenabError):
    """Somebody may talk to us, and not do this. The message is the sentence for them."""


class FileRefused(OpenabError):
    """A file that came with a message cannot be taken; the text goes on after its name: "is larger than 100 MB"."""


# Whose fault: the agent's.


class AgentError(OpenabError):
    """Something about the agent; `command` and `pid` say which, `stderr` is the cleaned tail of what it logged."""

    def __init__(self, message: str, *, command: str = "", pid: int | None = None, stderr: str = "") -> None:
        super().__init__(message)
        self.message, self.command, self.pid, self.stderr = message, command, pid, stderr

    def __str__(self) -> str:
        who = f" [{self.command}{'' if self.pid is None else f', pid {self.pid}'}]" if self.command else ""
        tail = f"\nits last words on stderr:\n{self.stderr}" if self.stderr else ""
        return f"{self.message}{who}{tail}"

    def user_text(self) -> str:
        return self.message


class AgentStartError(AgentError):
    """The agent could not be started, or did not shake hands in time."""


class AgentGone(AgentError):
    """The agent's process has ended."""


class AgentStalled(AgentError):
    """The agent lives, but does not read, does not obey a cancel, or has passed the hard ceiling."""


class AgentRefused(AgentError):
    """The agent answered a request with an error. The session goes on.

    `code` and `data` are the agent's own (JSON-RPC error object); `message` is the useful text found in it.
    """

    def __init__(
        self,
        message: str,
        *,
        code: int = 0,
        data: object = None,
        command: str = "",
        pid: int | None = None,
        stderr: str = "",
    ) -> None:
        super().__init__(message, command=command, pid=pid, stderr=stderr)
        self.code, self.data = code, data


class AuthRequired(AgentRefused):
    """The agent wants somebody to log in first; `methods` are the names of the ways it offers."""

    def __init__(
        self,
        message: str,
        *,
        methods: Sequence[str] = (),
        data: object = None,
        command: str = "",
        pid: int | None = None,
        stderr: str = "",
    ) -> None:
        super().__init__(message, code=-32000, data=data, command=command, pid=pid, stderr=stderr)
        self.methods = tuple(methods)

    def user_text(self) -> str:
        ways = f" It offers: {', '.join(self.methods)}." if self.methods else ""
        return f"The agent wants somebody to log in first ({self.message}).{ways}"


class AgentProtocolError(AgentError):
    """What the agent sends is not the protocol we speak."""


# Whose fault: the chat service's.


class ChatError(OpenabError):
    """A message could not be delivered."""


class ChatTimeout(ChatError):
    """The chat service did not answer in time; whether it acted is not known."""


class ChatRefused(ChatError):
    """The chat service said no: trying again will not help."""


# Whose fault: the disk's.


class StoreError(OpenabError):
    """State cannot be kept: `message` says why in a few words, `file` where (not shown to people in a chat)."""

    def __init__(self, message: str, *, file: str = "") -> None:
        super().__init__(message)
        self.message, self.file = message, file

    def __str__(self) -> str:
        return f"{self.file}: {self.message}" if self.file else self.message

    def user_text(self) -> str:
        return f"I cannot keep anything at the moment: {self.message}. Please tell whoever runs me."


# Whose fault: ours.


class IllegalTransition(OpenabError):
    """A state machine was asked for a move that it does not have: a bug of ours."""
