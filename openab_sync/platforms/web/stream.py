"""What one open page is told, as it happens: server-sent events. One stream for each page, on a thread of its own.

    event: house   everything but transcripts, whenever it has changed
    event: room    what has changed in the conversation that the page shows
    : a comment    every two seconds, so that a page that has gone is noticed

**Threads**: whichever the web server gives to the request. It blocks in its bell, for two seconds at most, and is
woken by the hall; what comes within a twentieth of a second makes one picture. **Locks**: none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from queue import Empty, SimpleQueue

from ...clock import Clock, Deadline
from .drawing import Json, drawn_room
from .hall import Hall, View
from .port import Left, Listening

__all__ = ["Wanted", "look", "stream"]

BEAT = 2.0  # seconds
PACE = 0.05  # seconds between two pictures

Wanted = tuple[str, int]
"""The conversation that a page shows ("" for none), and the version that it has of it."""


def look(view: View, house: Json, wanted: Wanted) -> Json:
    """Return once what a stream would tell first."""
    room = view.rooms.get(wanted[0])
    return {"house": house, "room": None if room is None else drawn_room(room, wanted[1])}


def stream(hall: Hall, dashboard: Callable[[View], Json], wanted: Wanted, clock: Clock) -> Generator[str, None, None]:
    """Yield what the page is told until it goes or the hall ends. `dashboard` draws the house as it is."""
    bell: SimpleQueue[None] = SimpleQueue()
    hall.arrivals.put(Listening(bell))
    key, seen = wanted
    last: Json = {}
    try:
        yield "retry: 1000\n\n"
        while not (view := hall.view).is_over:
            house = dashboard(view)
            if house != last:
                last = house
                yield _event("house", {**house, "now": clock.time()})
            room = view.rooms.get(key)
            if room is not None and room.version != seen:
                # A version from before a restart is none of ours: then everything is told anew.
                news = drawn_room(room, seen if seen <= room.version else 0)
                seen = room.version
                yield _event("room", news, f"{seen}")
            if not _rest(bell, clock):
                yield ": \n\n"
        yield _event("over", {})
    finally:
        hall.arrivals.put(Left(bell))


def _rest(bell: SimpleQueue[None], clock: Clock) -> bool:
    """Wait for a change and a moment longer; False if there was none."""
    try:
        bell.get(timeout=BEAT)
    except Empty:
        return False
    pause = Deadline(clock, PACE)
    while pause.left:
        try:
            bell.get(timeout=pause.left)
        except Empty:
            break
    return True


def _event(name: str, data: Json, id: str = "") -> str:
    head = f"id: {id}\n" if id else ""
    return f"{head}event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
