"""The stream of what changes: `/api/events`, as server-sent events.

    house      everything, first; then only what is new:
    session    a session as it is now               gone       the key of one that has ended
    waiting    the line                             questions  all that people are asked
    ready      whether people can write to us       turns      those of the conversation asked for that have changed

Each stream holds a server thread for as long as somebody listens, so there are fewer of them than threads: whoever
comes when all are taken is sent away. One that is not read fast enough ends; its reader comes again, and gets all.

**Threads**: `look` is the pulse's; each stream is read by the server thread that serves it, which waits in its queue
and is woken by news, or every second to see whether the reader is still there. **Locks**: none; a stream is added and
taken away in one step of a list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

import msgspec
from flask import Blueprint, Response, request

from ..core.house import SessionSnapshot
from ..core.transcript import TurnSeen
from . import shapes, views
from .answers import refuse
from .guard import Access
from .health import not_ready
from .looking import house_page
from .routes import Route, serve
from .sources import Sources

__all__ = ["STREAMS", "Feed", "events"]

STREAMS = 6  # of `server.THREADS`
MOST = 500  # events that wait for their reader
STILL = 15.0  # seconds without news after which a line shows that we are still there
GLANCE = 1.0  # seconds between two looks at whether the reader is

EVENTS = Route(
    "GET",
    "/api/events",
    Access.CONTENT,
    "What changes, as it changes (server-sent events)",
    "text/event-stream",
    also={503: "All streams are taken: try again later."},
    query={"conversation": "Tell its turns as well, as they grow."},
)


@dataclass(eq=False, slots=True)
class Stream:
    """One reader. `conversation` is the key of the one whose turns it wants, "" for none."""

    conversation: str
    queue: SimpleQueue[bytes | None] = field(default_factory=SimpleQueue)
    sessions: dict[str, SessionSnapshot] = field(default_factory=dict)  # as they were told last
    turns: dict[int, TurnSeen] = field(default_factory=dict)
    told: dict[str, Any] = field(default_factory=dict)  # the last event of each kind that is told when it changes


class Feed:
    """All streams."""

    def __init__(self, sources: Sources, wake: Callable[[], object] = lambda: None) -> None:
        """`wake` is called when there is a new reader."""
        self._sources = sources
        self._wake = wake
        self._streams: list[Stream] = []
        self._is_over = False

    def __len__(self) -> int:
        return len(self._streams)

    # ---- server threads ----

    def listen(self, conversation: str = "") -> Stream | None:
        """Return a new stream, None if there are too many."""
        stream = Stream(conversation)
        self._streams.append(stream)
        if len(self._streams) > STREAMS or self._is_over:
            self._streams.remove(stream)
            return None
        self._wake()
        return stream

    def read(self, stream: Stream, is_gone: Callable[[], bool] = lambda: False) -> Iterator[bytes]:
        """Yield what there is to tell, until the stream or its reader ends. Blocks in between."""
        yield b"retry: 2000\n\n"
        silent = 0.0
        while not is_gone():
            try:
                piece = stream.queue.get(timeout=GLANCE)
            except Empty:
                silent += GLANCE
                piece = b": still here\n\n" if silent >= STILL else b""
            if piece is None:
                return
            if piece:
                silent = 0.0
                yield piece

    def leave(self, stream: Stream) -> None:
        """Nobody reads this stream any more. Again: does nothing."""
        if stream in self._streams:
            self._streams.remove(stream)

    # ---- the pulse's thread ----

    def look(self) -> None:
        """Tell every stream what is new."""
        for stream in list(self._streams):
            if stream.queue.qsize() > MOST:
                stream.queue.put(None)
                self.leave(stream)
            else:
                self._tell(stream)

    def close(self) -> None:
        """End all streams, and take no more. Any thread."""
        self._is_over = True
        for stream in list(self._streams):
            stream.queue.put(None)

    # ---- how it is done ----

    def _tell(self, stream: Stream) -> None:
        sources = self._sources
        house, now = sources.broker.snapshot(), sources.clock.monotonic()
        rss, clean = sources.memory(), sources.redact
        found = {session.conversation.key: session for session in house.sessions}
        if not stream.told:
            everything = house_page(sources, content=True)
            _send(stream, "house", everything)
            stream.sessions = dict(found)
            stream.told = {
                "waiting": everything.waiting, "questions": everything.questions, "ready": everything.ready,
            }  # fmt: skip
        for key in stream.sessions.keys() - found.keys():
            _send(stream, "gone", {"key": key})
        for key, session in found.items():
            if stream.sessions.get(key) is not session:
                _send(stream, "session", views.row(session, now, rss, clean, content=True))
        stream.sessions = found
        reasons = list(not_ready(sources))
        questions = [views.question(item, item.conversation.key, clean) for item in views.open_questions(house)]
        self._tell_changed(stream, "waiting", [shapes.Waiting(key) for key in house.waiting])
        self._tell_changed(stream, "questions", questions)
        self._tell_changed(stream, "ready", shapes.Ready(not reasons, reasons))
        if stream.conversation in found:
            self._tell_turns(stream, found[stream.conversation], now)

    def _tell_changed(self, stream: Stream, kind: str, what: Any) -> None:
        if stream.told.get(kind) != what:
            stream.told[kind] = what
            _send(stream, kind, what)

    def _tell_turns(self, stream: Stream, session: SessionSnapshot, now: float) -> None:
        changed = [turn for turn in session.turns if stream.turns.get(turn.number) is not turn]
        stream.turns = {turn.number: turn for turn in session.turns}
        if changed:
            turns = [views.turn(turn, stream.conversation, now, self._sources.redact) for turn in changed]
            _send(stream, "turns", {"key": stream.conversation, "turns": turns})


def _send(stream: Stream, kind: str, what: Any) -> None:
    stream.queue.put(b"event: " + kind.encode() + b"\ndata: " + msgspec.json.encode(what) + b"\n\n")


def events(feed: Feed) -> Blueprint:
    """Return the route."""
    pages = Blueprint("events", __name__)

    @serve(pages, EVENTS)
    def stream() -> Response:
        found = feed.listen(request.args.get("conversation", ""))
        if found is None:
            return refuse(503, f"{STREAMS} streams are open already: close a page, or try again later.")
        is_gone = request.environ.get("waitress.client_disconnected", lambda: False)
        answer = Response(feed.read(found, is_gone), mimetype="text/event-stream")
        answer.call_on_close(lambda: feed.leave(found))
        return answer

    return pages
