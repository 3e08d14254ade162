"""Killed at every commit and in between: what was accepted is answered once, or its people are told what became of it.

A row of the table is a point (`tests.crash.points`), what Ann does, and what the next start must make of it:

    answered     exactly once, with every word of the answer, and the agent was asked exactly once
    interrupted  told so, with what had been said, Retry and Discard; the agent is never asked again by itself
    unheard      killed before anything was accepted: nothing was acknowledged

Whatever the row: no page stands twice, no Stop button is left, each message shows how it ended, and nothing in the
journal is unfinished.
"""

from __future__ import annotations

import json
import re
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import PATIENCE
from tests.fakes import fake_agent
from tests.fakes.discord import Server
from tests.fakes.discord.things import Message
from tests.platforms.discord.e2e.service import QUICK, Service, service
from tests.platforms.discord.pressing import buttons
from tests.waiting import until

pytestmark = pytest.mark.crash

SHORT, LONG, HALF = "say good morning", "chunks 300 15", "say half of it\nhang"
EDITS = "say half\ngate {gate}\nsay  of it\nhang"
DONE, FAILED, SEEN = "🆗", "😱", "👀"


@dataclass(frozen=True)
class Row:
    point: str
    said: str
    outcome: str
    then: str = ""
    """A second point, at which the one that mends dies."""


TABLE = [
    Row("before-accept", SHORT, "unheard"),
    Row("before-accept-commit", SHORT, "unheard"),
    Row("after-accept-commit", SHORT, "answered"),
    Row("before-mark", SHORT, "answered"),
    Row("after-mark", SHORT, "answered"),
    Row("before-thread", SHORT, "answered"),
    Row("after-thread", SHORT, "answered"),
    Row("before-complete-commit", SHORT, "answered"),
    Row("after-complete-commit", SHORT, "answered"),
    Row("before-placed", SHORT, "answered"),
    Row("after-placed", SHORT, "answered"),
    Row("before-start", SHORT, "answered"),
    Row("before-start-commit", SHORT, "answered"),
    Row("after-start-commit", SHORT, "interrupted"),
    Row("before-prompt", SHORT, "interrupted"),
    Row("after-prompt", SHORT, "interrupted"),
    Row("first-page-posted", HALF, "interrupted"),
    Row("before-page-commit", HALF, "interrupted"),
    Row("after-page-commit", HALF, "interrupted"),
    Row("first-edit", EDITS, "interrupted"),
    Row("before-question", "ask", "interrupted"),
    Row("question-posted", "ask", "interrupted"),
    Row("before-finish", SHORT, "interrupted"),
    Row("before-finish-commit", SHORT, "interrupted"),
    Row("after-finish-commit", SHORT, "answered"),
    Row("after-finish-commit", LONG, "answered"),
    Row("page-1-sent", LONG, "either"),
    Row("page-2-sent", LONG, "answered"),
    Row("page-3-sent", LONG, "answered"),
    Row("before-upload", "image_out", "answered"),
    Row("after-upload", "image_out", "either"),
    Row("before-close", SHORT, "answered"),
    Row("before-close-commit", SHORT, "answered"),
    Row("after-close-commit", SHORT, "answered"),
    Row("first-page-posted", HALF, "interrupted", "mending-read"),
    Row("first-page-posted", HALF, "interrupted", "after-finish-commit"),
    Row("first-page-posted", HALF, "interrupted", "mending-told"),
    Row("first-page-posted", HALF, "interrupted", "mending-signed"),
    Row("before-prompt", SHORT, "interrupted", "mending-posted"),
    Row("after-finish-commit", LONG, "answered", "page-2-sent"),
]


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server


class Stage:
    """A home, an agent that writes down what it hears, and one run after the other."""

    def __init__(self, server: Server, home: Path) -> None:
        self.server, self.home, self.log = server, home, home / "heard"
        program, *args = fake_agent("--log", str(self.log), "--memory", str(home / "memory"))
        self.sections: dict[str, Any] = {
            "agent": {"command": program, "args": args},
            "pool": {"shutdown_grace_secs": 5},
            "reactions.timing": {"debounce_ms": 0},
        }
        self._starts = 0

    def run(self, point: str = "none") -> Any:
        if self._starts:
            self.server.advance(6.0)  # Discord takes a new session every five seconds
        self._starts += 1
        return service(self.home, self.server, program=("tests.crash.program", point), **self.sections)

    def until_ready(self) -> None:
        self.server.until(lambda: self.server.gateway.identifies >= self._starts, PATIENCE, "it logs in")
        self.server.until_ready(PATIENCE)

    def mention(self, text: str) -> Message:
        app = self.server.app
        return self.server.user("ann").write("general", f"<@{app.id}> {text}", mentions=[app])

    def prompts(self) -> int:
        """How often the agent was asked."""
        lines = self.log.read_bytes().splitlines() if self.log.exists() else []
        return sum(json.loads(line).get("method") == "session/prompt" for line in lines)

    def unfinished(self) -> list[str]:
        """What the journal holds that is not over; the program may be running."""
        with closing(sqlite3.connect(f"file:{self.home}/state/journal.db?mode=ro", uri=True)) as db:
            replies = db.execute("SELECT state FROM replies WHERE state IN ('running', 'finished')").fetchall()
            messages = db.execute("SELECT state FROM deliveries WHERE state IN ('accepted', 'started', 'finished')")
            return [state for (state,) in [*replies, *messages]]

    def ours(self, message: Message) -> list[Message]:
        """What the bot has written for a message."""
        app, thread = self.server.app, message.thread
        history = thread.history if thread else []
        return [one for one in history if one.author is app.user and not one.deleted and one.kind in (0, 19)]


def dies(running: Service) -> None:
    assert running.end() == -signal.SIGKILL, running.log


def stops(running: Service) -> None:
    running.signal()
    assert running.end() == 0, running.log


def reactions(server: Server, message: Message) -> set[str]:
    return {emoji for emoji, users in message.reactions.items() if server.app.id in users}


def is_interrupted(texts: list[str]) -> bool:
    return any("Interrupted by a restart" in text for text in texts)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: "-then-".join(filter(None, (row.point, row.then))))
def test_crash(server: Server, tmp_path: Path, row: Row) -> None:
    stage = Stage(server, tmp_path)
    with stage.run(row.point) as running:
        stage.until_ready()
        message = stage.mention(row.said.format(gate=tmp_path / "gate"))
        if row.said == EDITS:
            until(lambda: stage.ours(message), PATIENCE, "half of it is there")
            (tmp_path / "gate").touch()
        dies(running)
    if row.then:
        with stage.run(row.then) as running:
            dies(running)
    acknowledged = reactions(server, message)
    with stage.run() as running:
        stage.until_ready()
        if row.outcome == "unheard":
            assert acknowledged == set()
        else:
            ended = (
                {DONE} if row.outcome == "answered" else {FAILED} if row.outcome == "interrupted" else {DONE, FAILED}
            )
            until(lambda: reactions(server, message) & ended, PATIENCE, f"it is {row.outcome}")
        until(lambda: not stage.unfinished(), PATIENCE, "all of it is over")
        stops(running)
    if row.outcome != "unheard":
        check(stage, message, row)
    assert stage.unfinished() == []
    assert server.violations == []


def check(stage: Stage, message: Message, row: Row) -> None:
    ours = stage.ours(message)
    texts = [one.content for one in ours]
    labels = [label for one in ours for label in buttons(one)]
    assert "Stop" not in labels
    assert reactions(stage.server, message) in ({DONE}, {FAILED})
    assert stage.prompts() <= 1
    outcome = row.outcome
    if outcome == "either":  # how much had been said when the end was written is a race
        outcome = "interrupted" if is_interrupted(texts) else "answered"
    if outcome == "answered":
        assert stage.prompts() == 1
        assert not is_interrupted(texts)
        assert_whole(texts, ours, row.said)
    else:
        assert sum("Interrupted by a restart" in text for text in texts) == 1, texts
        assert labels == ["Retry", "Discard"]
        if row.said in (HALF, EDITS):
            said = sum("half" in text for text in texts)
            assert said == 1 or (said == 0 and row.point == "before-page-commit"), texts
        if row.said == "ask" and len(ours) > 1:
            assert sum("restarted after it was asked" in text for text in texts) == 1, texts


def assert_whole(texts: list[str], ours: list[Message], said: str) -> None:
    if said == SHORT:
        assert [text for text in texts if "good morning" in text] == [texts[0]], texts
    if said == LONG:
        numbers = Counter(re.findall(r"\d+", " ".join(texts)))
        assert numbers == Counter(str(number) for number in range(300)), texts
    if said == "image_out":
        assert sum(len(one.attachments) for one in ours) == 1
