"""The front on a dumb terminal, or one whose output goes elsewhere: lines in, text out, no cursor is moved.

**Threads**: `run` is the main thread's; it blocks in one `select` over stdin and a bell, which `interrupt` and `leave`
ring (both may be called by a signal handler). The rest is called on `chat-console`.
**Locks**: none; the bell is made before and closed after everybody who rings it.
"""

from __future__ import annotations

import codecs
import os
import select
import sys
import time
from collections.abc import Callable
from typing import TextIO

from ...threads import Bell
from .chat import Chat
from .words import Interrupts
from .wrap import Wrapped, columns

__all__ = ["Lines"]

READ = 65536


class Lines:
    """A Front without a line editor."""

    def __init__(self, stdin: int = 0, out: TextIO | None = None, now: Callable[[], float] = time.monotonic) -> None:
        self._stdin = stdin
        self._out = sys.stdout if out is None else out
        self._now = now
        self._bell = Bell()
        self._bell.open()
        self._presses = 0  # Ctrl-C that were not seen to
        self._leaves = False
        self._mid_line = False
        self._wrapped = Wrapped(lambda: columns(self._out))
        self._typed = ""  # a line that is not complete
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._interrupts = Interrupts()

    # ---- the main thread, and its signal handlers ----

    def run(self, chat: Chat) -> None:
        """Pass on what is typed until the person leaves."""
        while not self._leaves:
            self._wait(chat)

    def _wait(self, chat: Chat) -> None:
        ready, _, _ = select.select([self._stdin, self._bell.fileno()], [], [])
        self._bell.hush()
        self._heed(chat)
        if self._stdin in ready and not self._leaves:
            self._read(chat)

    def _read(self, chat: Chat) -> None:
        try:
            data = os.read(self._stdin, READ)
        except OSError:  # the terminal was closed: that is the end of input, too
            data = b""
        *lines, self._typed = (self._typed + self._decoder.decode(data)).split("\n")
        self._pass_on(chat, lines if data else [self._typed])
        if not data:
            self._leaves = True

    def interrupt(self) -> None:
        """Ctrl-C was pressed."""
        self._presses += 1
        self._bell.ring()

    def leave(self) -> None:
        """Make `run` return."""
        self._leaves = True
        self._bell.ring()

    def close(self) -> None:
        """Give back what it holds, when nobody calls it any more."""
        self._bell.close()

    def _heed(self, chat: Chat) -> None:
        while self._presses:
            self._presses -= 1
            match self._interrupts.press(self._now(), busy=chat.is_busy):
                case "cancel":
                    chat.cancel()
                case "hint":
                    chat.hint("Ctrl-C again leaves.")
                case "leave":
                    self._leaves = True

    def _pass_on(self, chat: Chat, lines: list[str]) -> None:
        for line in lines:
            self._interrupts.forget()
            if line.strip() == "/quit":
                self._leaves = True
                return
            chat.enter(line)

    # ---- the thread chat-console ----

    def stream(self, text: str) -> None:
        self._write(self._wrapped.feed(text))
        self._mid_line = not text.endswith("\n")

    def lines(self, text: str) -> None:
        head = self._wrapped.flush() + self._wrapped.feed("\n") if self._mid_line else ""
        self._write(head + self._wrapped.feed(text))
        self._mid_line = False

    def echo(self, text: str) -> None:
        """The terminal has done it."""

    def refresh(self) -> None:
        """There is no status line."""

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()
