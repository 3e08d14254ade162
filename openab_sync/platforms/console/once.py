"""One turn, without a person at a keyboard: the answer on stdout, what matters besides on stderr, and an exit code.

**Threads**: everything happens on the main thread, which blocks in `arrivals.get()`; session threads and the signal
handler put into that queue. **Never**: anything but the answer (or, as JSON lines, the events) on stdout.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TextIO

from ...clock import Clock, Deadline
from ...core import events as acp
from ...core.message import Inbound
from ...core.port import Notice, Question, Settled, TurnEnded, TurnEvent
from .chat import Desk
from .jsonlines import json_line
from .port import Arrival, Happened, SettledBy, Signalled
from .screen import Screen, Shown
from .style import Style
from .wrap import Wrapped, columns, wrapped

__all__ = ["Once", "Streams"]

CANCEL_SPARE = 5.0  # seconds beyond the agent's grace until a cancelled turn is given up
LOOK = 0.5  # seconds until a signal is noticed that came in the very moment in which a wait began


@dataclass(frozen=True, slots=True)
class Streams:
    """Where to write, and how."""

    out: TextIO
    err: TextIO
    style: Style  # of stderr; the answer is never painted
    shown: Shown
    as_json: bool = False
    verbose: bool = False
    keep: Callable[[acp.Media], acp.Media] = lambda media: media  # saves a picture, returns it with its path


class Once:
    """Asks once and shows the answer."""

    def __init__(self, desk: Desk, arrivals: SimpleQueue[Arrival], streams: Streams, clock: Clock) -> None:
        self._desk = desk
        self._arrivals = arrivals
        self._streams = streams
        self._clock = clock
        self._answer = Screen(Style(coloured=False), Shown())
        self._wrapped = Wrapped(lambda: columns(streams.out))
        self._asides = Screen(streams.style, streams.shown)
        self._settled = ""  # the question whose end was told last: the event and the port may both tell it

    def run(self, inbound: Inbound, *, cancel_grace: float) -> int:
        """Return the exit code: 0 for a turn that ended well, 128 + N for signal N, else 1.

        Blocks until the turn has ended or, after a signal, for `cancel_grace` seconds and a little. Raise
        BrokenPipeError if nobody reads stdout any more.
        """
        receipt = self._desk.receive(inbound)
        if receipt.state == "refused":  # its notice is in the queue already: here is the end that belongs to it
            self._arrivals.put(Happened(inbound.conversation, TurnEnded((inbound.ref,), "failed")))
        code, patience = 0, Deadline(self._clock, None)
        while True:
            arrival = self._next(patience)
            if isinstance(arrival, Signalled):
                self._write(self._streams.out, self._wrapped.flush())
                if code:
                    return code  # the second one: no more patience
                code, patience = 128 + arrival.number, Deadline(self._clock, cancel_grace + CANCEL_SPARE)
                self._cancel(inbound)
            elif isinstance(arrival, Happened):
                self._show(arrival)
                if isinstance(arrival.event, TurnEnded):
                    return code or (0 if arrival.event.outcome == "done" else 1)
            elif isinstance(arrival, SettledBy):
                self._show_settled(arrival.question, arrival.text)
            elif arrival is None:
                return code  # patience has run out

    def _cancel(self, inbound: Inbound) -> None:
        """Stop the turn. One that has not begun, as while its agent starts, would never end: its end is told here."""
        if self._desk.withdraw(inbound.ref):
            end = TurnEnded((inbound.ref,), "cancelled", "Cancelled before it began.")
            self._arrivals.put(Happened(inbound.conversation, end))
        else:
            self._desk.command(inbound.conversation, "cancel", "", inbound.sender)

    def _next(self, patience: Deadline) -> Arrival:
        while True:
            try:
                return self._arrivals.get(timeout=min(patience.left, LOOK))
            except Empty:
                if patience.expired:
                    return None

    def _show(self, happened: Happened) -> None:
        event, out = happened.event, self._streams.out
        if self._streams.as_json:
            self._write(out, json_line(happened.conversation, event))
        elif isinstance(event, acp.Said):
            self._write(out, self._wrapped.feed(self._answer.draw(event)))
        if isinstance(event, Settled):
            self._show_settled(event.question, event.text)
        elif not isinstance(event, acp.Said) and self._matters(event):
            event = self._streams.keep(event) if isinstance(event, acp.Media) else event
            self._aside(self._asides.draw(event))
        if isinstance(event, TurnEnded) and self._answer.is_mid_line:
            self._write(out, self._wrapped.feed(self._answer.block("")[:-1]))

    def _matters(self, event: TurnEvent) -> bool:
        """Whether stderr gets it though nobody asked for details."""
        if isinstance(event, TurnEnded):
            return self._streams.verbose or event.outcome != "done" or bool(event.reason)
        if self._streams.as_json:
            return self._streams.verbose
        return self._streams.verbose or isinstance(event, (Notice, acp.Media, acp.Link))

    def _show_settled(self, question: Question, text: str) -> None:
        if question.id != self._settled:
            self._settled = question.id
            self._aside(self._asides.settled(question, text))

    def _aside(self, text: str) -> None:
        if not text:
            return
        mid_line = self._answer.is_mid_line and self._streams.out.isatty()
        self._write(self._streams.out, self._wrapped.flush())
        if mid_line:
            self._wrapped.begin()
        self._write(self._streams.err, ("\n" if mid_line else "") + wrapped(text, columns(self._streams.err)))

    @staticmethod
    def _write(stream: TextIO, text: str) -> None:
        stream.write(text)
        stream.flush()
