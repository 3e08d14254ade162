"""The points at which a broker can die: before and after each commit, and in between.

A point is a function of ours that is about to be called or has just returned, or a commit that is about to be made or
has just been made. Each strikes once, at the first call for which `when` holds, with SIGKILL from inside.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import os
import re
import signal
import sqlite3
import threading
from dataclasses import dataclass
from typing import Any, Literal

from openab_sync.store import journal

__all__ = ["COMMITS", "POINTS", "Commit", "Function", "arm", "die"]


def die() -> None:
    """The end, at once."""
    os.kill(os.getpid(), signal.SIGKILL)
    threading.Event().wait()  # it comes a moment later


When = Literal["before", "after"]
WHENS: tuple[When, When] = ("before", "after")


@dataclass(frozen=True)
class Function:
    """A function or coroutine, as `module:Class.name`; `count` says at which call."""

    name: str
    when: When = "before"
    count: int = 1


@dataclass(frozen=True)
class Commit:
    """The commit of a change whose SQL has this text in it; `after`: when it has been made, before anything else is."""

    text: str
    when: When = "before"
    count: int = 1


def arm(point: Function | Commit) -> None:
    """Have this process die at `point`."""
    if isinstance(point, Function):
        _arm_function(point)
    else:
        _arm_commit(point)


def _arm_function(point: Function) -> None:
    module, _, path = point.name.partition(":")
    owner: Any = importlib.import_module(module)
    *way, name = path.split(".")
    for part in way:
        owner = getattr(owner, part)
    real, calls = getattr(owner, name), iter(range(1, 1_000_000))

    def strikes() -> bool:
        return next(calls) == point.count

    if asyncio.iscoroutinefunction(real):

        @functools.wraps(real)
        async def coroutine(*args: Any, **more: Any) -> Any:
            is_it = strikes()
            if is_it and point.when == "before":
                die()
            result = await real(*args, **more)
            if is_it:
                die()
            return result

        setattr(owner, name, coroutine)
        return

    @functools.wraps(real)
    def function(*args: Any, **more: Any) -> Any:
        is_it = strikes()
        if is_it and point.when == "before":
            die()
        result = real(*args, **more)
        if is_it:
            die()
        return result

    setattr(owner, name, function)


def _arm_commit(point: Commit) -> None:
    module: Any = journal
    real, pattern = module.open_database, re.compile(point.text)
    calls = iter(range(1, 1_000_000))
    state = {"meant": False, "made": False}

    def look(sql: str) -> None:
        if pattern.search(sql) and next(calls) == point.count:
            state["meant"] = True
        if sql == "COMMIT" and state["meant"] and point.when == "before":
            die()

    def opened(*args: Any) -> sqlite3.Connection:
        db: sqlite3.Connection = real(*args)
        db.set_trace_callback(look)
        return db

    module.open_database = opened
    if point.when == "after":
        note = module.Store._note

        def made(store: journal.Store, outage: Any) -> None:  # right behind the COMMIT, before anybody is told
            if state["meant"]:
                die()
            note(store, outage)

        module.Store._note = made


COMMITS: dict[str, str] = {
    # messages and their replies
    "accept": r"INSERT INTO deliveries",
    "complete": r"UPDATE deliveries SET conversation",
    "edit": r"UPDATE deliveries SET text",
    "withdraw": r"SET state = 'withdrawn'",
    "refuse": r"UPDATE deliveries SET refusal",
    "fail": r"UPDATE deliveries SET state = 'failed'",
    "start": r"UPDATE deliveries SET state = 'started'",
    "page": r"REPLACE INTO pages",
    "finish": r"UPDATE replies SET state = 'finished'",
    "sent": r"DELETE FROM files WHERE turn = \S+ AND number",
    "close": r"UPDATE replies SET state = '?(delivered|\?)",
    # the books
    "memory": r"REPLACE INTO memories",
    "memory-gone": r"DELETE FROM memories WHERE key =",
    "cursor": r"REPLACE INTO cursors",
    "conversation": r"REPLACE INTO conversations",
    "title": r"REPLACE INTO conversations .*'A new title'",
    "rename": r"REPLACE INTO conversations .*, 1, '\d*', \d+\)",
    "question": r"REPLACE INTO buttons .*'question'",
    "broker": r"INSERT INTO brokers",
    "agent": r"INSERT INTO agents",
    "agent-gone": r"DELETE FROM agents WHERE marker",
    "audit": r"INSERT INTO audit .*'message'",
    "spending": r"REPLACE INTO spending",
    "forget": r"DELETE FROM deliveries WHERE conversation",
}
"""What is written to the journal, by words of its SQL: each has a point before its commit, and one after."""

PORT = "openab_sync.platforms.discord.port:DiscordPort"

POINTS: dict[str, Function | Commit] = {
    "none": Function("openab_sync.app:chat"),  # never called
    # on its way in
    "before-accept": Function("openab_sync.store.deliveries:Deliveries.accept"),
    "before-mark": Function("openab_sync.core.broker:Broker.mark"),
    "after-mark": Function(f"{PORT}._react", "after"),
    "before-thread": Function("openab_sync.platforms.discord.places:_opened"),
    "after-thread": Function("openab_sync.platforms.discord.places:_opened", "after"),
    "before-placed": Function("openab_sync.core.pool:SessionPool.deliver"),
    "after-placed": Function("openab_sync.core.pool:SessionPool.deliver", "after"),
    # its turn
    "before-start": Function("openab_sync.core.record:Record.start"),
    "before-prompt": Function("openab_sync.core.answering:Answering.begin"),
    "after-prompt": Function("openab_sync.core.turn:Turn.take"),
    "first-page-posted": Function(f"{PORT}._post", "after"),
    "first-edit": Function(f"{PORT}._edit", "after"),
    "question-posted": Function("openab_sync.platforms.discord.questions:Questions._post", "after"),
    "before-question": Function("openab_sync.platforms.discord.questions:Questions._post"),
    # its end
    "before-finish": Function("openab_sync.core.record:Record.finish"),
    "page-1-sent": Function(f"{PORT}._post", "after", 1),
    "page-2-sent": Function(f"{PORT}._post", "after", 2),
    "page-3-sent": Function(f"{PORT}._post", "after", 3),
    "before-upload": Function(f"{PORT}._upload"),
    "after-upload": Function(f"{PORT}._upload", "after"),
    "before-close": Function("openab_sync.core.ledger:Journaled.close"),
    # while the one after it mends
    "mending-read": Function(f"{PORT}._ours", "after"),
    "mending-told": Function(f"{PORT}._edit", "after"),
    "mending-posted": Function(f"{PORT}._post", "after"),
    "mending-signed": Function(f"{PORT}._sign", "after"),
}
POINTS |= {f"before-{name}-commit": Commit(text) for name, text in COMMITS.items()}
POINTS |= {f"after-{name}-commit": Commit(text, "after") for name, text in COMMITS.items()}
# The first start of a turn is that of the one that had been interrupted.
POINTS |= {f"{when}-next-start-commit": Commit(COMMITS["start"], when, 2) for when in WHENS}
