"""The watcher: a word, an end, and nobody else is touched. Weights are the tests' own, but for one agent that eats."""

from __future__ import annotations

import math
import sys
from collections.abc import Collection
from pathlib import Path

import pytest

from openab_sync.config.bounds import AgentLimits
from openab_sync.core.state import State
from openab_sync.core.watcher import MB, Watcher
from tests.core.bed import Bed, place
from tests.waiting import until

LIMITS = AgentLimits(memory_soft_mb=100, memory_mb=200)


class Scales:
    """What every agent weighs, by its pid."""

    def __init__(self, bed: Bed, limits: AgentLimits = LIMITS) -> None:
        self.weights: dict[int, int] = {}
        self.looks = 0
        self.exactly: list[int] = []  # who was weighed so
        ports = {"test": bed.port}
        self.watcher = Watcher(bed.pool, ports, lambda: limits, bed.clock, weigh=self.weigh, exactly=self.weigh_exactly)

    def weigh(self, pids: Collection[int]) -> dict[int, int]:
        """More than it is: what is shared counts in each."""
        self.looks += 1
        return {pid: self.weights.get(pid, 0) * MB * 2 for pid in pids}

    def weigh_exactly(self, pid: int) -> int:
        self.exactly.append(pid)
        return self.weights[pid] * MB


def pid_of(bed: Bed, at: str = "1") -> int:
    pid = bed.snapshot(at).pid
    assert pid is not None
    return pid


def test_people_get_one_word_until_it_is_below_again() -> None:
    with Bed() as bed:
        bed.ask("say hi")
        scales = Scales(bed)
        scales.weights[pid_of(bed)] = 150
        scales.watcher.round()
        scales.watcher.round()
        words = [text for text in bed.notices() if "150 MB of memory" in text]
        assert len(words) == 1 and "Beyond 200 MB it is ended." in words[0]
        assert scales.exactly == [pid_of(bed)] * 2, "the exact sum is worth having from the first limit on"
        scales.weights[pid_of(bed)] = 40
        scales.watcher.round()
        assert len(scales.exactly) == 2, "even with what is shared it is below all limits"
        scales.weights[pid_of(bed)] = 150
        scales.watcher.round()
        assert len([text for text in bed.notices() if "150 MB" in text]) == 2
        assert scales.looks == 4
        assert bed.ask("say still there").outcome == "done"


def test_an_agent_that_takes_too_much_is_ended_at_once_and_its_turn_says_why() -> None:
    with Bed("--ignore-term", "--ignore-eof") as bed:
        bed.say("hang")
        bed.until_state(State.BUSY)
        bed.ask("say hi", to="2")
        scales, other = Scales(bed), pid_of(bed, "2")
        scales.weights[pid_of(bed)] = 250
        scales.watcher.round()
        (end,) = until(lambda: bed.ends("1"), what="the turn ends")
        assert end.outcome == "stalled"
        assert "250 MB of memory, more than the 200 MB of agent.limits.memory_mb" in end.reason
        assert bed.snapshot("2").pid == other, "other conversations are not touched"
        assert bed.ask("say again").outcome == "done", "the next message starts a new one"


def test_an_idle_agent_that_takes_too_much_is_told_of_in_a_sentence() -> None:
    with Bed() as bed:
        bed.ask("say hi")
        scales = Scales(bed)
        scales.weights[pid_of(bed)] = 250
        scales.watcher.round()
        until(lambda: any("it was ended" in text for text in bed.notices()), what="people are told")
        bed.until_state(State.CLOSED)


def test_a_session_that_does_not_come_to_it_loses_its_agent_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    with Bed() as bed:
        bed.ask("say hi")
        scales, pid = Scales(bed), pid_of(bed)
        monkeypatch.setattr(bed.pool, "order", lambda *_: None)  # it is stuck: nothing comes of an order
        scales.weights[pid] = 250
        scales.watcher.round()
        assert bed.snapshot().pid == pid
        scales.watcher.round()
        until(lambda: bed.snapshot().pid != pid, what="the agent is gone")
        monkeypatch.undo()


def test_without_limits_nobody_is_weighed_and_no_thread_begins() -> None:
    with Bed() as bed:
        bed.ask("say hi")
        scales = Scales(bed, AgentLimits(memory_soft_mb=0, memory_mb=0))
        scales.watcher.start()
        scales.watcher.round()
        assert scales.looks == 0 and scales.watcher.stop()


EATER = """
import json, sys
food = []
for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    result = {"initialize": {"protocolVersion": 1, "agentCapabilities": {}}, "session/new": {"sessionId": "s"}}
    if message["method"] == "session/prompt":
        food.append(bytearray(b"x") * (80 * 1024 * 1024))
        continue
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result[message["method"]]}), flush=True)
"""


def test_an_agent_that_really_eats_is_really_ended(tmp_path: Path) -> None:
    """From /proc to the sentence, with the numbers of this system."""
    (program := tmp_path / "eater.py").write_text(EATER)
    limits = AgentLimits(memory_soft_mb=0, memory_mb=60)
    with Bed(command=(sys.executable, str(program))) as bed:
        bed.say("eat")
        bed.until_state(State.BUSY)
        watcher = Watcher(bed.pool, {"test": bed.port}, lambda: limits, bed.clock, interval=0.02)
        watcher.start()
        until(lambda: watcher.beat.due < math.inf, what="it owes a sign of life")
        try:
            (end,) = until(bed.ends, what="the turn ends")
        finally:
            assert watcher.stop()
        assert watcher.beat.due == math.inf
        assert end.outcome == "stalled" and "more than the 60 MB" in end.reason
        assert bed.snapshot().conversation == place()
