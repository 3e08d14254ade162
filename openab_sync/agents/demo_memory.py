"""What the demo agent remembers: sessions, their settings, and what was said in them.

A session is one file of JSON lines under the state folder, written with one append per event, so that a kill at any
moment loses at most the event under way. `$OPENAB_DEMO_STATE` names the folder, else it is `openab-sync/demo` under
`$XDG_STATE_HOME` or `~/.local/state`. Only the newest 200 sessions are kept.

A folder that cannot be written costs one line on stderr: the agent then remembers only as long as it runs.

Not here: the protocol (`demo`), turns (`demo_turn`), words (`demo_words`). One thread; the functions block on the disk.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["CHOICES", "Json", "Memory", "Session", "state_folder"]

Json = dict[str, Any]

KEPT_SESSIONS = 200

CHOICES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "mode": (
        ("ask", "Ask", "Ask before every edit"),
        ("auto", "Auto", "Edit without asking"),
        ("read-only", "Read only", "Never edit"),
    ),
    "model": (
        ("small", "Small", "Answers briefly, forgets soon"),
        ("large", "Large", "Answers the same, with a bigger window"),
    ),
}
WINDOWS = {"small": 8_000, "large": 200_000}


def state_folder(environ: Mapping[str, str]) -> str:
    """Say where sessions are kept, given an environment; nothing is created."""
    if named := environ.get("OPENAB_DEMO_STATE"):
        return named
    base = environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return os.path.join(base, "openab-sync", "demo")


class Session:
    """One conversation as the agent sees it."""

    def __init__(self, id: str, cwd: str) -> None:
        self.id = id
        self.cwd = cwd
        self.title: str | None = None
        self.history: list[tuple[str, str]] = []  # ("user" or "agent", text), oldest first
        self.options: dict[str, str | bool] = {"mode": "ask", "model": "small", "verbose": False}
        self.standing: str | None = None  # "allow" or "reject": the last answer that was meant for always
        self.servers: list[str] = []  # names of the MCP servers that came with the session

    @property
    def mode(self) -> str:
        return str(self.options["mode"])

    @property
    def window(self) -> int:
        """Tokens that the chosen model would hold."""
        return WINDOWS[str(self.options["model"])]

    @property
    def used(self) -> int:
        """Tokens in the history, at four characters each."""
        return sum(len(text) for _, text in self.history) // 4

    def choose(self, option: str, value: object) -> bool:
        """Set an option and say whether that changed anything. Raise ValueError for what is not offered."""
        if option not in self.options:
            raise ValueError(f"no option {option!r}; there are {', '.join(self.options)}")
        offered: tuple[object, ...] = (True, False)
        if option in CHOICES:
            offered = tuple(value for value, _, _ in CHOICES[option])
        # 1 == True in Python, so the type is compared as well.
        if not any(value == one and type(value) is type(one) for one in offered):
            raise ValueError(f"{option} cannot be {value!r}; it can be {', '.join(map(str, offered))}")
        assert isinstance(value, (str, bool))
        changed = self.options[option] != value
        self.options[option] = value
        return changed

    def modes(self) -> Json:
        """The modes as session/new tells them."""
        offered = [{"id": id, "name": name, "description": text} for id, name, text in CHOICES["mode"]]
        return {"currentModeId": self.options["mode"], "availableModes": offered}

    def config_options(self) -> list[Json]:
        """All options as `configOptions` tells them."""
        selects: list[Json] = [
            {
                "id": id,
                "name": id.capitalize(),
                "category": id,
                "type": "select",
                "currentValue": self.options[id],
                "options": [{"value": value, "name": name, "description": text} for value, name, text in choices],
            }
            for id, choices in CHOICES.items()
        ]
        verbose: Json = {"id": "verbose", "name": "Verbose", "description": "Think aloud before each answer"}
        return [*selects, {**verbose, "type": "boolean", "currentValue": self.options["verbose"]}]


class Memory:
    """All sessions: those in use, and those on disk."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._live: dict[str, Session] = {}
        self._complained = False  # one line on stderr is enough for a folder that cannot be written

    def create(self, cwd: str) -> Session:
        """Begin a session with an id that nobody has used."""
        session = Session(os.urandom(8).hex(), cwd)
        self._live[session.id] = session
        self.record(session, {"cwd": cwd}, create=True)
        self._prune()
        return session

    def find(self, id: str) -> Session | None:
        """The session of that id, in use or read from disk; None when there is none."""
        if id not in self._live and id.isalnum():
            session = self._read(id)
            if session is not None:
                self._live[id] = session
        return self._live.get(id)

    def live(self, id: str) -> Session | None:
        """The session of that id if it is in use."""
        return self._live.get(id)

    def release(self, id: str) -> None:
        """Stop using a session; what is on disk stays."""
        self._live.pop(id, None)

    def listing(self, cwd: str | None) -> list[Json]:
        """What session/list tells, newest first; of one directory only when `cwd` is given."""
        found: list[Json] = []
        for when, id in self._on_disk():
            session = self._live.get(id) or self._read(id)
            if session is not None and cwd in (None, session.cwd):
                stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when))
                found.append({"sessionId": id, "cwd": session.cwd, "title": session.title, "updatedAt": stamp})
        return found

    def say(self, session: Session, who: str, text: str) -> None:
        """Remember that the user or the agent said this."""
        session.history.append((who, text))
        self.record(session, {who: text})

    def entitle(self, session: Session, title: str) -> None:
        """Give the session a title."""
        session.title = title
        self.record(session, {"title": title})

    def record(self, session: Session, event: Json, *, create: bool = False) -> None:
        """Append one event to the session's file."""
        line = json.dumps(event).encode() + b"\n"
        try:
            if create:
                # One by one: the mode counts for the last folder only, and the one around it may be the bridge's own.
                os.makedirs(os.path.dirname(os.path.abspath(self._folder)), mode=0o700, exist_ok=True)
                os.makedirs(self._folder, mode=0o700, exist_ok=True)
            flags = os.O_WRONLY | os.O_APPEND | (os.O_CREAT if create else 0)
            descriptor = os.open(self._path(session.id), flags, 0o600)
            try:
                os.write(descriptor, line)
            finally:
                os.close(descriptor)
        except OSError as error:
            if not self._complained:
                print(f"demo agent: sessions are not kept on disk: {error}", file=sys.stderr, flush=True)
            self._complained = True

    def _path(self, id: str) -> str:
        return os.path.join(self._folder, f"{id}.jsonl")

    def _on_disk(self) -> list[tuple[float, str]]:
        """(time of the last event, id) of every session on disk, newest first."""
        try:
            with os.scandir(self._folder) as entries:
                found = [(entry.stat().st_mtime, entry.name[:-6]) for entry in entries if entry.name.endswith(".jsonl")]
        except OSError:  # no folder, or one file less than a moment ago: nothing that could be listed
            return []
        return sorted(found, reverse=True)

    def _prune(self) -> None:
        for _, id in self._on_disk()[KEPT_SESSIONS:]:
            try:
                os.unlink(self._path(id))
            except FileNotFoundError:  # another demo agent was quicker
                continue

    def _read(self, id: str) -> Session | None:
        try:
            with open(self._path(id), encoding="utf-8", errors="replace") as lines:
                return _session_of(id, list(_events(lines)))
        except OSError:  # never written, or not readable for us: not a session that we know
            return None


def _events(lines: Iterator[str]) -> Iterator[Json]:
    """Yield the events that can be read; the line under way at a kill cannot."""
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event


def _session_of(id: str, events: list[Json]) -> Session | None:
    """Rebuild a session from its events; None if its first one is missing."""
    if not events or not isinstance(events[0].get("cwd"), str):
        return None
    session = Session(id, events[0]["cwd"])
    for event in events[1:]:
        for key, value in event.items():
            _apply(session, key, value)
    return session


def _apply(session: Session, key: str, value: Any) -> None:
    if key in ("user", "agent"):
        session.history.append((key, str(value)))
    elif key == "title":
        session.title = str(value)
    elif key in session.options:
        try:
            session.choose(key, value)
        except ValueError:  # an option of an older version of this agent: the default will do
            return
