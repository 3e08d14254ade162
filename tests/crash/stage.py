"""A home and a fake Discord for one broker after the other, each of which may die at a point of the table."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from discord import Permissions

from tests.cli.running import PATIENCE, ROOT, environment
from tests.fakes import fake_agent
from tests.fakes.discord import Server
from tests.fakes.discord.things import Channel, Message
from tests.platforms.discord.e2e.service import configure
from tests.waiting import until

__all__ = [
    "DONE", "FAILED", "LATE", "SEEN", "Run", "Stage", "Warm", "busy", "dies", "in_thread", "is_interrupted",
    "reactions", "said", "stops",
]  # fmt: skip

DONE, FAILED, SEEN, LATE = "🆗", "😱", "👀", "🕰️"


class Warm:
    """The process that forks brokers (`tests.crash.warm`)."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.crash.warm"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, point: str, config: Path, home: Path, log: Path) -> Run:
        ask = {"point": point, "arguments": ["run", "-c", str(config)], "environ": environment(home), "log": str(log)}
        assert self._process.stdin is not None
        self._process.stdin.write(f"{json.dumps(ask)}\n")
        self._process.stdin.flush()
        return Run(self, int(self.read()), log)

    def read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def close(self) -> None:
        self._process.communicate()


class Run:
    """One broker."""

    def __init__(self, warm: Warm, pid: int, log: Path) -> None:
        self._warm, self.pid, self._log = warm, pid, log
        self._code: int | None = None

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def is_there(self) -> bool:
        """Whether it serves: a signal before that ends it at once."""
        return self._log.exists() and "started, pid" in self.log

    def end(self) -> int:
        """Wait for its end; return its exit code."""
        if self._code is None:
            self._code = int(self._warm.read())
        return self._code

    def kill(self) -> None:
        """Make sure that it has ended."""
        if self._code is None:
            os.kill(self.pid, signal.SIGKILL)
            self.end()


class Stage:
    """A home, an agent that writes down what it hears, and one broker after the other."""

    def __init__(self, warm: Warm, server: Server, home: Path) -> None:
        self.warm, self.server, self.home, self.log = warm, server, home, home / "heard"
        program, *args = fake_agent("--log", str(self.log), "--memory", str(home / "memory"))
        self.sections: dict[str, Any] = {
            "agent": {"command": program, "args": args},
            "pool": {"shutdown_grace_secs": 5},
            "reactions.timing": {"debounce_ms": 0},
            "status": {"listen": ""},
        }
        self._starts = 0

    @contextmanager
    def run(self, point: str = "none") -> Iterator[Run]:
        """A broker, from its start until the `with` block ends; what is left then is killed."""
        if self._starts:
            self.server.advance(6.0)  # Discord takes a new session every five seconds
        self._starts += 1
        config = configure(self.home, self.server, **self.sections)
        running = self.warm.run(point, config, self.home, self.home / f"log-{self._starts}")
        try:
            yield running
        finally:
            running.kill()

    def until_ready(self) -> None:
        self.server.until(lambda: self.server.gateway.identifies >= self._starts, PATIENCE, "it logs in")
        self.server.until_ready(PATIENCE)

    def open(self) -> None:
        """Have the bot be there once: what it misses is what comes after that."""
        with self.run() as running:
            self.until_ready()
            first = self.mention("say hello")
            until(lambda: reactions(self.server, first) == {DONE} and not self.unfinished(), PATIENCE, "it is there")
            stops(running)
        self.log.unlink()

    def mention(self, text: str) -> Message:
        app = self.server.app
        return self.server.user("ann").write("general", f"<@{app.id}> {text}", mentions=[app])

    def prompts(self) -> int:
        """How often the agent was asked."""
        lines = self.log.read_bytes().splitlines() if self.log.exists() else []
        return sum(json.loads(line).get("method") == "session/prompt" for line in lines)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the journal answers; the program may be running."""
        with closing(sqlite3.connect(f"file:{self.home}/state/journal.db?mode=ro", uri=True)) as db:
            return db.execute(query).fetchall()

    def unfinished(self) -> list[str]:
        """What the journal holds that is not over; the program may be running."""
        replies = "SELECT state FROM replies WHERE state IN ('running', 'finished')"
        messages = "SELECT state FROM deliveries WHERE state IN ('accepted', 'started', 'finished')"
        return [state for (state,) in self.rows(f"{replies} UNION ALL {messages}")]

    def wait_ten_minutes(self) -> None:
        """Between two brokers: Discord forgets the nonces of what was posted, and the journal is older."""
        self.server.advance(600.0)
        with closing(sqlite3.connect(self.home / "state" / "journal.db")) as db, db:
            db.execute("UPDATE replies SET began = began - 600, ended = ended - 600")

    def blind(self) -> None:
        """From now on the bot may not read what was written."""
        self.server.allow(self.server.general, self.server.app, deny=Permissions(read_message_history=True).value)

    def has_whole(self) -> bool:
        """Whether the journal holds a message that is complete and waits."""
        return bool(self.rows("SELECT 1 FROM deliveries WHERE state = 'accepted' AND note IS NOT NULL"))

    def text(self, message: Message) -> str:
        """All that the bot has written for a message."""
        return "\n".join(one.content for one in self.ours(message))

    def ours(self, message: Message) -> list[Message]:
        """What the bot has written for a message."""
        app, thread = self.server.app, message.thread
        history = thread.history if thread else []
        return [one for one in history if one.author is app.user and not one.deleted and one.kind in (0, 19)]


def dies(running: Run) -> None:
    assert running.end() == -signal.SIGKILL, running.log


def stops(running: Run) -> None:
    os.kill(running.pid, signal.SIGTERM)
    assert running.end() == 0, running.log


def reactions(server: Server, message: Message) -> set[str]:
    """Ours, but for the one that says that a message was found late."""
    return {emoji for emoji, users in message.reactions.items() if server.app.id in users} - {LATE}


def is_interrupted(texts: list[str]) -> bool:
    return any("Interrupted by a restart" in text for text in texts)


def in_thread(stage: Stage, thread: Channel, text: str) -> Message:
    app = stage.server.app
    return stage.server.user("ann").write(thread, f"<@{app.id}> {text}", mentions=[app])


def busy(stage: Stage) -> Channel:
    """A conversation whose agent is at work."""
    first = stage.mention("hang")
    stage.server.until(lambda: first.thread, PATIENCE, "a thread opens")
    assert first.thread is not None
    until(lambda: stage.prompts() == 1, PATIENCE, "the agent is at work")
    return first.thread


def said(stage: Stage, thread: Channel) -> list[str]:
    return [one.content for one in thread.history if one.author is stage.server.app.user and one.kind in (0, 19)]
