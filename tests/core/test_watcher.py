"""The watcher: a word, an end, and nobody else is touched. Weights are the tests' own, but where agents really eat."""

from __future__ import annotations

import math
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from openab_sync.acp.weight import Weight
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
        self.tasks: dict[int, int] = {}
        self.looks = 0
        self.exactly: list[int] = []  # who was weighed so
        ports = {"test": bed.port}
        self.watcher = Watcher(bed.pool, ports, lambda: limits, bed.clock, weigh=self.weigh, exactly=self.weigh_exactly)

    def weigh(self, pids: Collection[int]) -> dict[int, Weight]:
        """More than it is: what is shared counts in each."""
        self.looks += 1
        return {pid: Weight(self.weights.get(pid, 0) * MB * 2, self.tasks.get(pid, 1)) for pid in pids}

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


def test_an_agent_that_takes_too_much_before_its_first_turn_costs_a_message_each_and_not_the_machine() -> None:
    """Its successor was started for the same message, took as much, and so on without end, and nobody was told."""
    with Bed("--hang-on", "session/new") as bed:
        for text in ("say one", "say two"):
            bed.say(text)
        scales = Scales(bed)
        for count in (1, 2):
            until(lambda: bed.state() is State.STARTING and bed.snapshot().pid not in {None, *scales.weights})
            scales.weights[pid_of(bed)] = 250
            scales.watcher.round()
            until(lambda: bed.ends()[count - 1 :], what="its turn says why")  # noqa: B023  # called at once
        until(lambda: bed.broker.snapshot().sessions == ())
        assert [(end.outcome, "250 MB of memory" in end.reason) for end in bed.ends()] == [("failed", True)] * 2
        assert bed.notices() == [], "each is told once, by its reply"


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


def test_too_many_processes_and_threads_get_a_word_and_an_end_as_well() -> None:
    with Bed() as bed:
        bed.say("hang")
        bed.until_state(State.BUSY)
        bed.ask("say hi", to="2")
        limits = AgentLimits(memory_soft_mb=0, memory_mb=0, tasks_soft=20, tasks=30)
        scales, pid, other = Scales(bed, limits), pid_of(bed), pid_of(bed, "2")
        for count in (19, 20, 30):
            scales.tasks[pid] = count
            scales.watcher.round()
        (word,) = [text for text in bed.notices() if "processes and threads" in text]
        assert "use 20 processes and threads. Beyond 30 it is ended." in word
        assert bed.ends() == [], "as many as it may have"
        scales.tasks[pid] = 31
        scales.watcher.round()
        (end,) = until(lambda: bed.ends("1"), what="the turn ends")
        assert "31 processes and threads, more than the 30 of agent.limits.tasks" in end.reason
        assert scales.exactly == [], "nobody asked for memory"
        assert bed.snapshot("2").pid == other
        assert bed.ask("say again").outcome == "done"


def test_a_word_about_one_thing_does_not_stand_for_another() -> None:
    with Bed() as bed:
        bed.ask("say hi")
        scales = Scales(bed, AgentLimits(memory_soft_mb=100, memory_mb=200, tasks_soft=20, tasks=30))
        scales.weights[pid_of(bed)], scales.tasks[pid_of(bed)] = 150, 25
        scales.watcher.round()
        scales.watcher.round()
        told = [text for text in bed.notices() if "it has started use" in text]
        assert sorted("memory" in text for text in told) == [False, True]


def test_without_limits_nobody_is_weighed_and_no_thread_begins() -> None:
    with Bed() as bed:
        bed.ask("say hi")
        scales = Scales(bed, AgentLimits(memory_soft_mb=0, memory_mb=0, tasks_soft=0, tasks=0))
        scales.watcher.start()
        scales.watcher.round()
        assert scales.looks == 0 and scales.watcher.stop()


# What the prompt makes it do itself, or a child of it in a session of its own.
EATER = """
import json, subprocess, sys
food = []
for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    result = {"initialize": {"protocolVersion": 1, "agentCapabilities": {}}, "session/new": {"sessionId": "s"}}
    if message["method"] == "session/prompt":
        if sys.argv[1] == "itself":
            exec(sys.argv[2])
        else:
            subprocess.Popen([sys.executable, "-c", sys.argv[2]], start_new_session=True)
        continue
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result[message["method"]]}), flush=True)
"""
MEMORY = "food = bytearray(b'x') * (80 * 1024 * 1024); import sys, time; sys.argv[1:] or time.sleep(600)"
"""Whoever has no arguments is the child."""
THREADS = """
import sys, threading, time
for _ in range(30):
    threading.Thread(target=time.sleep, args=[600], daemon=True).start()
sys.argv[1:] or time.sleep(600)
"""


@contextmanager
def eaten(folder: Path, who: str, what: str, limits: AgentLimits) -> Iterator[Bed]:
    """A house whose watcher looks all the time, in which one agent takes what it likes."""
    (program := folder / "eater.py").write_text(EATER.replace("exec(sys.argv[2])", "exec(sys.argv[2], globals())"))
    with Bed(command=(sys.executable, str(program), who, what)) as bed:
        bed.say("eat")
        bed.until_state(State.BUSY)
        watcher = Watcher(bed.pool, {"test": bed.port}, lambda: limits, bed.clock, interval=0.02)
        watcher.start()
        until(lambda: watcher.beat.due < math.inf, what="it owes a sign of life")
        try:
            yield bed
        finally:
            assert watcher.stop()
        assert watcher.beat.due == math.inf


@pytest.mark.parametrize("who", ["itself", pytest.param("its child", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("what", "limits", "said"),
    [
        (MEMORY, AgentLimits(memory_soft_mb=0, memory_mb=60, tasks_soft=0, tasks=0), "more than the 60 MB"),
        (THREADS, AgentLimits(memory_soft_mb=0, memory_mb=0, tasks_soft=0, tasks=20), "more than the 20 of"),
    ],
    ids=["memory", "threads"],
)
def test_an_agent_that_really_eats_is_really_ended(
    who: str, what: str, limits: AgentLimits, said: str, tmp_path: Path
) -> None:
    """From /proc to the sentence, with the numbers of this system; with the agent all that it has started is gone."""
    with eaten(tmp_path, who, what, limits) as bed:
        child = None if who == "itself" else until(psutil.Process(pid_of(bed)).children)[0]
        (end,) = until(bed.ends, what="the turn ends")
        assert end.outcome == "stalled" and said in end.reason
        assert bed.snapshot().conversation == place()
        until(lambda: child is None or not child.is_running(), what="the child is gone, too")
