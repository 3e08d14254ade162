"""What one open page is told, as it happens: server-sent events. One stream for each page, on a thread of its own.

    event: house   everything but transcripts, whenever it has changed
    event: room    what has changed in the conversation that the page shows
    : a comment    every two seconds, so that a page that has gone is noticed

**Threads**: whichever the web server gives to the request. It blocks in its bell, for two seconds at most, and is
woken by the hall; what comes within a twentieth of a second makes one picture. **Locks**: none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from ...clock import Clock, Deadline
from ...core.house import SessionSnapshot
from .drawing import Json, drawn_room
from .elsewhere import Glass
from .entries import Room
from .hall import Hall, View
from .port import Left, Listening

__all__ = ["Sights", "Wanted", "look", "stream"]

BEAT = 2.0  # seconds
GLANCE = 0.25  # seconds between two looks at what tells nobody that it has changed
PACE = 0.05  # seconds between two pictures

Wanted = tuple[str, int]
"""The conversation that a page shows ("" for none), and the version that it has of it."""


@dataclass(frozen=True, slots=True)
class Sights:
    """What pages look at: the hall, the sessions as they are, and all of it as a dashboard."""

    hall: Hall
    sessions: Callable[[], Sequence[SessionSnapshot]]
    dashboard: Callable[[View], Json]
    clock: Clock

    def room(self, view: View, key: str, glass: Glass) -> Room | None:
        """Return a conversation: the page's own as the hall has it, another one through the page's `glass`."""
        if key in view.rooms:
            return view.rooms[key]
        session = next((session for session in self.sessions() if session.conversation.key == key), None)
        return None if session is None else glass.look(session)


def look(sights: Sights, wanted: Wanted) -> Json:
    """Return once what a stream would tell first."""
    view = sights.hall.view
    key, seen = wanted
    room = sights.room(view, key, Glass())
    house = {**sights.dashboard(view), "now": sights.clock.time()}
    return {"house": house, "room": None if room is None else drawn_room(room, seen if key in view.rooms else 0)}


def stream(sights: Sights, wanted: Wanted) -> Generator[str, None, None]:
    """Yield what the page is told until it goes or the hall ends."""
    hall, clock, glass = sights.hall, sights.clock, Glass()
    bell: SimpleQueue[None] = SimpleQueue()
    hall.arrivals.put(Listening(bell))
    key, seen = wanted
    seen = seen if key in hall.view.rooms else 0  # what another page's glass has called its versions means nothing
    last: Json = {}
    beat = Deadline(clock, BEAT)
    try:
        yield "retry: 1000\n\n"
        while not (view := hall.view).is_over:
            house = sights.dashboard(view)
            if house != last:
                last = house
                yield _event("house", {**house, "now": clock.time()})
            room = sights.room(view, key, glass)
            if room is not None and room.version != seen:
                # A version from before a restart is none of ours: then everything is told anew.
                news = drawn_room(room, seen if seen <= room.version else 0)
                seen = room.version
                yield _event("room", news, f"{seen}")
                beat = Deadline(clock, BEAT)
            elif beat.expired:
                beat = Deadline(clock, BEAT)
                yield ": \n\n"
            _rest(bell, clock, BEAT / 2 if key in view.rooms or room is None else GLANCE)
        yield _event("over", {})
    finally:
        hall.arrivals.put(Left(bell))


def _rest(bell: SimpleQueue[None], clock: Clock, seconds: float) -> None:
    """Wait for a change and a moment longer, or until it is time to look."""
    try:
        bell.get(timeout=seconds)
    except Empty:
        return
    pause = Deadline(clock, PACE)
    while pause.left:
        try:
            bell.get(timeout=pause.left)
        except Empty:
            return


def _event(name: str, data: Json, id: str = "") -> str:
    head = f"id: {id}\n" if id else ""
    return f"{head}event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
