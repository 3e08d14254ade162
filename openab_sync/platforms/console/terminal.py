"""The front on a real terminal: a line editor and a status line at the bottom, what is said scrolls by above.

Rows that are complete, broken between words, are printed above the editor; the unfinished last one of the current
conversation is part of the picture at the bottom, and so grows in place while somebody types.

**Threads**: `run` is the main thread's: prompt_toolkit's loop, which `leave` wakes. The rest is called on
`chat-console`.
**Locks**: none of ours; prompt_toolkit's StdoutProxy takes text from any thread, and one attribute (`_tail`) is
written by one thread and read by the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import ANSI
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.input import Input
from prompt_toolkit.input.vt100 import Vt100Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import BufferControl, ConditionalContainer, Dimension, HSplit, Layout, Window
from prompt_toolkit.layout.controls import FormattedTextControl
from prompt_toolkit.layout.menus import CompletionsMenu
from prompt_toolkit.layout.processors import BeforeInput
from prompt_toolkit.output import Output
from prompt_toolkit.patch_stdout import StdoutProxy
from prompt_toolkit.styles import Style as Looks

from ...text.clean import one_line
from .chat import Chat
from .completion import Known, propose
from .style import Style
from .words import Interrupts
from .wrap import columns, wrapped

__all__ = ["Terminal", "history_at"]

log = logging.getLogger(__name__)

TAIL = 1000  # characters of an unfinished row that are drawn again and again; then it is broken
LINE_MS = 20  # between two prints above the editor: each one draws the editor anew
PROMPT = "> "


def history_at(path: Path) -> History:
    """Return the history kept in `path`, which only its owner can read; in memory if there is no way to write it."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError:  # a read-only home: the chat works, it only does not remember
        return InMemoryHistory()
    return FileHistory(str(path))


class _Proposals(Completer):
    """Tab, for prompt_toolkit."""

    def __init__(self, known: Callable[[], Known]) -> None:
        self._known = known

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        text = document.text_before_cursor
        begun = len(text) - len(text.rpartition(" ")[0]) - (" " in text)
        for proposal in propose(text, self._known()):
            yield Completion(proposal.word, -begun, display_meta=one_line(proposal.meaning, 80))


class _Keyboard(Vt100Input):
    """The terminal's keys, raw for as long as the editor runs.

    prompt_toolkit gives the terminal its cooked mode back whenever something is printed above the editor. A key pressed
    in that moment would be another one: Enter becomes Ctrl-J, which is a new line here, and Ctrl-D vanishes.
    """

    def cooked_mode(self) -> AbstractContextManager[None]:
        return contextlib.nullcontext()


class Terminal:
    """A Front with prompt_toolkit."""

    def __init__(
        self,
        style: Style,
        history: History,
        *,
        input: Input | None = None,  # None: the terminal
        output: Output | None = None,
        width: Callable[[], int] = lambda: columns(sys.stdout),
    ) -> None:
        self._style = style
        self._history = history
        self._input, self._output = input, output
        self._columns = width
        self._tail = ""
        self._proxy: StdoutProxy | None = None
        self._interrupts = Interrupts()
        self._app: Application[None] | None = None
        self._leaves = False  # somebody wants to, perhaps before there is a loop to tell

    # ---- the main thread ----

    def run(self, chat: Chat) -> None:
        """Pass on what is typed until the person leaves. Blocks in prompt_toolkit's loop."""
        app = self._app = self._application(chat)
        with contextlib.suppress(EOFError):  # the terminal is gone: that is leaving, too
            self._run(app)
        self._app = None
        tail, self._tail = self._tail, ""
        self._write(f"{tail}\n" if tail else "")

    def _run(self, app: Application[None]) -> None:
        # Log lines, too, are printed above the editor.
        proxy = StdoutProxy(sleep_between_writes=LINE_MS / 1000, raw=True)
        with proxy, contextlib.redirect_stderr(proxy):
            self._proxy = proxy
            try:
                app.run(pre_run=self._arrive, set_exception_handler=False)
            finally:
                self._proxy = None

    def _arrive(self) -> None:
        """The loop runs: from now on `leave` reaches it; who came before is seen here."""
        _take_errors()
        if self._leaves:
            _exit(self._app)

    def leave(self) -> None:
        """Make `run` return, also if it has not begun. Any thread, and signal handlers."""
        self._leaves = True
        app = self._app
        if app is not None and app.loop is not None:
            app.loop.call_soon_threadsafe(_exit, app)

    def interrupt(self) -> None:
        """A SIGINT that did not come from the keyboard: leave."""
        self.leave()

    def close(self) -> None:
        """It holds nothing."""

    def _application(self, chat: Chat) -> Application[None]:
        def entered(buffer: Buffer) -> bool:
            self._interrupts.forget()
            if buffer.text.strip() == "/quit":
                _exit(self._app)
            else:
                chat.enter(buffer.text)
            return False  # do not keep the text

        buffer = Buffer(completer=_Proposals(chat.known), history=self._history, multiline=True, accept_handler=entered)
        tail = Window(FormattedTextControl(lambda: ANSI(self._tail)), wrap_lines=True, dont_extend_height=True)
        body = HSplit(
            [
                ConditionalContainer(tail, Condition(lambda: bool(self._tail))),
                Window(
                    BufferControl(buffer, input_processors=[BeforeInput(PROMPT)]),
                    height=Dimension(min=1, max=10),
                    wrap_lines=True,
                    dont_extend_height=True,
                ),
                CompletionsMenu(max_height=8),
                Window(
                    FormattedTextControl(lambda: chat.status(time.monotonic())),
                    height=1,
                    style="class:status",
                    always_hide_cursor=True,
                ),
            ]
        )
        return Application(
            Layout(body),
            key_bindings=self._keys(chat, buffer),
            style=Looks([("status", "reverse")]),
            erase_when_done=True,
            refresh_interval=1.0,  # the status line counts seconds
            min_redraw_interval=0.03,
            input=self._input or _Keyboard(sys.stdin),
            output=self._output,
        )

    def _keys(self, chat: Chat, buffer: Buffer) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("enter")
        def _(_event: KeyPressEvent) -> None:
            buffer.validate_and_handle()

        @keys.add("escape", "enter")
        @keys.add("c-j")
        def _(_event: KeyPressEvent) -> None:
            buffer.newline(copy_margin=False)

        @keys.add("c-d", filter=Condition(lambda: not buffer.text))
        def _(event: KeyPressEvent) -> None:
            _exit(event.app)

        @keys.add(Keys.Vt100MouseEvent)
        def _(_event: KeyPressEvent) -> None:
            """There is no mouse here: it is a colour of a text that was pasted."""

        @keys.add("c-c")
        @keys.add("<sigint>")
        def _(_event: KeyPressEvent) -> None:
            self._interrupted(chat, buffer)

        return keys

    def _interrupted(self, chat: Chat, buffer: Buffer) -> None:
        busy = chat.is_busy
        if buffer.text and not busy:
            buffer.reset()
            return
        match self._interrupts.press(time.monotonic(), busy=busy):
            case "cancel":
                chat.cancel()
            case "hint":
                chat.hint("Ctrl-C again leaves.")
            case "leave":
                _exit(self._app)

    # ---- the thread chat-console ----

    def stream(self, text: str) -> None:
        lines, newline, tail = wrapped(self._tail + text, self._columns()).rpartition("\n")
        if len(tail) > TAIL:
            cut = tail.rfind(" ") + 1 or len(tail)
            lines, newline, tail = lines + newline + tail[:cut], "\n", tail[cut:]
        self._write(lines + newline)
        self._tail = tail
        self.refresh()

    def lines(self, text: str) -> None:
        self._write(wrapped(text, self._columns()))

    def echo(self, text: str) -> None:
        first, *rest = text.rstrip().split("\n")
        self.lines("\n".join([self._style.strong(f"{PROMPT}{first}"), *(f"  {line}" for line in rest)]) + "\n")

    def refresh(self) -> None:
        app = self._app
        if app is not None:
            app.invalidate()

    def _write(self, text: str) -> None:
        proxy = self._proxy
        if not text:
            return
        if proxy is not None:
            proxy.write(text)
        else:
            sys.stdout.write(text)
            sys.stdout.flush()


def _take_errors() -> None:
    """Have what goes wrong in the editor logged: its own way is a traceback over the screen that waits for Enter."""
    asyncio.get_running_loop().set_exception_handler(_log_error)


def _log_error(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    log.error("the line editor had a problem: %s", error or context.get("message"))
    log.debug("it was here", exc_info=error)


def _exit(app: Application[None] | None) -> None:
    """End the application, on its own thread; asking twice is fine."""
    if app is not None and app.is_running and not app.is_done:
        app.exit()
