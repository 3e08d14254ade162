"""`openab-sync run` while people write, killed over and over or watched for what it costs; the account.

A program of its own, on the fake Discord, with 30 conversations. People write, edit and delete; agents crash and are
killed; connections are lost and requests refused. Either the broker gets a SIGKILL every 20 to 40 seconds and is
started again, or it lives on and its memory, threads and descriptors must stay flat. When all is quiet every message
must have been answered or told about, once; nothing may be unfinished in the journal, no process left, and no rule of
Discord's broken.
"""

from __future__ import annotations

import math
import random
import signal
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psutil

from openab_sync.acp.kin import marked
from tests.cli.running import PATIENCE
from tests.fakes import fake_agent
from tests.fakes.discord import Server
from tests.platforms.discord.e2e.service import QUICK, Service, configure
from tests.soak.crowd import CONVERSATIONS, Crowd, Weather
from tests.soak.fates import Fates
from tests.soak.gauge import Reading, drift
from tests.soak.saying import say
from tests.waiting import until

__all__ = ["kills", "run"]

PEOPLE = 4
BETWEEN = (20.0, 40.0)  # seconds between two deaths of the broker
STORMY, FAIR = 2.5, 10.0  # seconds between two things that happen to connections, requests and agents
LOOK = 10.0  # seconds between two lines of print
SIGNS = 10.0  # seconds for the last reactions
QUIET = 60.0  # seconds in which something more must be over when nobody writes any more

SECTIONS: dict[str, dict[str, Any]] = {
    "pool": {
        "max_sessions": 8,
        "max_waiting": 30,
        "cancel_grace_secs": 2,
        "prompt_hard_timeout_secs": 6,
        "liveness_check_secs": 2,
        "shutdown_grace_secs": 5,
    },
    "status": {"listen": ""},
}


class Broker:
    """The program, now and again."""

    def __init__(self, server: Server, home: Path) -> None:
        program, *args = fake_agent("--memory", str(home / "memory"), "--ignore-eof")
        self._server, self._home = server, home
        self._config = configure(home, server, agent={"command": program, "args": args}, **SECTIONS)
        self._ids = set[str]()  # of brokers that were, as their agents carry them
        self.deaths = 0
        self._before = ""  # what those that were killed have logged
        self._service = self._start()

    def _start(self) -> Service:
        self._server.advance(6.0)  # Discord takes a new session every five seconds
        return Service(self._config, self._home, MALLOC_ARENA_MAX="2")  # as the service files have it

    def agents(self) -> list[psutil.Process]:
        """Its agents and theirs. Any thread."""
        try:
            return self._service.agents
        except psutil.Error:
            return []

    @property
    def written(self) -> str:
        """All that they have logged so far."""
        return self._before + self._service.log

    def weigh(self, at: float) -> Reading:
        """What it costs now; `at` is seconds since the start."""
        return Reading.take(at, self._service.process)

    def kill(self) -> None:
        """SIGKILL it, and start the next one."""
        for agent in self.agents():
            try:
                self._ids.add(agent.environ()["OPENAB_SYNC_AGENT"])
            except (psutil.Error, KeyError):
                continue
        self._service.signal(signal.SIGKILL)
        self._service.end()
        self._before += f"{self._service.log}--- killed\n"
        self.deaths += 1
        self._service = self._start()

    def stop(self) -> list[str]:
        """End it in order; return a sentence for each thing that is not as it should be then."""
        self._service.signal(signal.SIGTERM)
        code, log = self._service.end(), self._service.log
        faults = [f"it ended with {code}:\n{log}"] if code else []
        faults += [f"logged: {line}" for line in log.splitlines() if " ERROR " in line or "Traceback" in line]
        left = marked("OPENAB_SYNC_AGENT", self._ids) if self._ids else []
        faults += [f"{len(left)} processes of brokers that died are still there"] if left else []
        return faults + self.unfinished()

    def unfinished(self) -> list[str]:
        """Return a sentence for each message and each reply that is not over for the journal. It may be running."""
        with closing(sqlite3.connect(f"file:{self._home}/state/journal.db?mode=ro", uri=True)) as db:
            messages = db.execute(
                "SELECT text, state FROM deliveries WHERE state IN ('accepted', 'started', 'finished')"
            )
            replies = db.execute("SELECT turn, state FROM replies WHERE state IN ('running', 'finished')")
            rows = [*messages, *replies]
        return [f"the journal has {text!r} as {state}, which is not over" for text, state in rows]

    def trail(self, fault: str) -> list[str]:
        """Return what the journal says of the message that a fault begins with: how to find out what happened."""
        name = fault.partition(" ")[0]
        with closing(sqlite3.connect(f"file:{self._home}/state/journal.db?mode=ro", uri=True)) as db:
            rows = db.execute(
                "SELECT d.id, d.conversation, d.message, d.state, d.refusal, d.accepted, d.changed, r.turn, r.outcome, "
                "r.reason, r.began, r.ended FROM deliveries d LEFT JOIN replies r USING (turn) "
                "WHERE d.text LIKE '%[' || ? || ']%'",
                (name,),
            )
            return [f"    {row}" for row in rows]

    def give_up(self) -> None:
        """Make sure that nothing is left."""
        self._service.stop()
        for kin in marked("OPENAB_SYNC_AGENT", self._ids) if self._ids else []:
            psutil.Process(kin.pid).kill()


def run(seconds: float, seed: int, log: Path | None, *, is_killed: bool) -> tuple[list[str], list[Reading]]:
    """Run and print; return a sentence for each fault, and what it has cost. Blocks for a bit more than `seconds`."""
    between = kills(seconds) if is_killed else None
    with tempfile.TemporaryDirectory() as home, Server(limits=QUICK) as server:
        fates, broker = Fates(server), Broker(server, Path(home))
        try:
            faults, readings = _live(server, broker, fates, seconds, between, seed)
            faults += broker.stop()
        finally:
            broker.give_up()
            if log:
                log.write_text(broker.written)
        told = fates.faults()
        faults += [line for fault in told for line in (fault, *broker.trail(fault))]
        faults += [f"Discord: {one}" for one in server.violations]
        faults += [] if is_killed else drift(readings)
        say(f"{fates!r}  killed {broker.deaths} times")
    return faults, readings


Between = tuple[float, float] | None
"""Seconds between two deaths of the broker, at least and at most; None if it lives on."""


def kills(seconds: float) -> tuple[float, float]:
    """Return the seconds between two deaths, at least and at most: a short soak has some, too."""
    low, high = BETWEEN
    return min(low, seconds / 6), min(high, seconds / 3)


def _live(
    server: Server, broker: Broker, fates: Fates, seconds: float, between: Between, seed: int
) -> tuple[list[str], list[Reading]]:
    """Let people loose for a while; wait until all is over. Return what went wrong, and what it has cost."""
    server.until_ready(PATIENCE)
    stop, crowd, weather = threading.Event(), Crowd(server, fates), Weather(server, broker.agents)
    say(f"{CONVERSATIONS} conversations, {PEOPLE} people, seed {seed}")
    with ThreadPoolExecutor(PEOPLE + 1, "crowd") as pool:
        lives = [pool.submit(crowd.live, n, random.Random(seed * 1000 + n), stop) for n in range(PEOPLE)]
        # Reading again what was missed takes a while: who is to be weighed at work must come to work.
        lives.append(pool.submit(weather.live, STORMY if between else FAIR, random.Random(seed), stop))
        try:
            readings = _reign(broker, fates, seconds, between, random.Random(seed + 1))
        finally:
            stop.set()
    for life in lives:
        life.result()
    server.backend.faults.clear()
    say(f"{weather.counted}")
    if _left(lambda: len(fates.open())) or _left(lambda: len(broker.unfinished())):
        return [f"{QUIET:g} s without an end: {len(fates.open())} messages", *broker.unfinished()], readings
    with suppress(AssertionError):  # what is lost of the signs is counted in the account
        until(lambda: not fates.waiting(), SIGNS, "no message looks as if it waited")
    return [], readings


def _left(count: Callable[[], int]) -> int:
    """Wait until nothing is left, for as long as it becomes less; return what is left then."""
    pause, fewest, since = threading.Event(), count(), time.monotonic()
    while fewest and time.monotonic() < since + QUIET:
        pause.wait(0.5)  # not more often: to count costs the fake Discord its time
        if (now := count()) < fewest:
            fewest, since = now, time.monotonic()
    return fewest


def _reign(broker: Broker, fates: Fates, seconds: float, between: Between, dice: random.Random) -> list[Reading]:
    """For so many seconds look how it goes, print it, and kill the broker now and then."""
    pause, began = threading.Event(), time.monotonic()
    readings: list[Reading] = []
    kill_at = began + dice.uniform(*between) if between else math.inf
    look_at = began + (step := min(LOOK, seconds / 3))
    while (now := time.monotonic()) < began + seconds:
        if now >= kill_at and between:
            broker.kill()
            kill_at = time.monotonic() + dice.uniform(*between)
        if now >= look_at:
            readings.append(broker.weigh(now - began))
            say(f"{readings[-1]}  {fates!r}  killed {broker.deaths} times")
            look_at += step
        pause.wait(max(0.0, min(kill_at, look_at, began + seconds) - time.monotonic()))
    return readings
