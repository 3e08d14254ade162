"""Agents that mean harm: everything is answered or refused, memory stays bounded, and nobody else notices."""

from __future__ import annotations

import json
import sys
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from openab_sync.config.bounds import AgentLimits
from openab_sync.core.asking import LATE, MOST
from openab_sync.core.port import Decision, Limits
from openab_sync.core.state import State
from openab_sync.core.watcher import Watcher
from tests.core.bed import ANN, EVENTS, Bed, place, received
from tests.waiting import MS, until
from tests.weighing import MB, grows_less_than

VILLAIN = (sys.executable, str(Path(__file__).with_name("villain.py")))
PAGES = Limits(reactions=False, typing_interval=None, edit_interval=0.0)
BOTH = pytest.mark.parametrize("limits", [EVENTS, PAGES], ids=["events", "pages"])
HERE = place("1")


@contextmanager
def villain(limits: Limits = EVENTS, log: Path | None = None, **settings: Any) -> Iterator[Bed]:
    """A house with it in conversation 1, and a good one in conversation 2, which goes on whatever happens.

    Nothing of what the one does shows in the other.
    """
    with Bed(command=(*VILLAIN, *([str(log)] if log else [])), limits=limits, **settings) as bed:
        good(bed, "good")
        seen = here(bed, "2")
        yield bed
        assert here(bed, "2") == seen
        good(bed, "still good")


def here(bed: Bed, at: str) -> tuple[object, ...]:
    """All that people in a conversation have before them."""
    questions = [question for question, _ in bed.port.questions.values() if question.conversation == place(at)]
    return (
        bed.events(at),
        [(one.text, one.file) for one in bed.port.messages(place(at))],
        questions,
        bed.port.titles.get(place(at)),
    )


def good(bed: Bed, word: str) -> None:
    bed.say(f"say {word}", to="2")
    until(lambda: word in (bed.text("2") + "".join(bed.port.texts(place("2")))), what="the good one answers")
    bed.until_state(State.IDLE, at="2")


def test_a_thousand_questions_are_each_answered_and_people_see_fifty_at_once() -> None:
    with villain() as bed:
        bed.say("questions 1000")

        until(lambda: bed.snapshot().questions == MOST and len(undecided(bed)) == MOST)
        until(lambda: bed.notices("1"), what="people are told")
        while not bed.ends("1"):
            waiting = undecided(bed)
            assert len(waiting) <= MOST
            for future in waiting:
                future.set_result(Decision("no", ANN))
            until(lambda: undecided(bed) or bed.ends("1"), 20000 * MS, what="the agent has had a thousand answers")
        assert bed.ends("1")[0].outcome == "done"
        told = [text for text in bed.notices("1") if text.startswith("🔒")]
        assert len(told) == 1 and f"{MOST} questions are open already" in told[0]


def undecided(bed: Bed) -> list[Future[Decision]]:
    return [future for _, future in list(bed.port.questions.values()) if not future.done()]


def decline(bed: Bed) -> None:
    """Say no to all that is asked."""
    for future in undecided(bed):
        future.set_result(Decision("no", ANN))


def taken(count: int) -> int:
    """The bytes that are held at most while an agent asks so many questions, and people answer what they see."""
    with villain() as bed:
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            bed.say(f"questions {count}")
            while not bed.ends("1"):
                decline(bed)
                until(lambda: bed.ends("1") or undecided(bed))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        return peak - before


@pytest.mark.slow
def test_a_thousand_questions_take_little_memory_each() -> None:
    """What is not put to people costs its line in the turn, and no question with its buttons and Futures."""
    hundred, thousand = taken(100), taken(1000)
    assert thousand < 4 * MB
    assert (thousand - hundred) / 900 < 3000, "bytes for each that people do not see; what the fake notes included"


@BOTH
def test_titles_of_ten_megabytes_are_cut_and_soon_forgotten(limits: Limits) -> None:
    with villain(limits) as bed, grows_less_than(250):  # a few copies of each
        bed.say("titles 10000000")
        if limits is EVENTS:
            until(lambda: bed.ends("1"), 20000 * MS)
        else:
            until(lambda: "done with titles" in "".join(bed.port.texts(HERE)), 20000 * MS)
            assert max(len(text) for text in bed.port.texts(HERE)) <= limits.page
        assert len(bed.command("status").text) < 2000
        assert len(bed.snapshot().title) <= 1001 and len(bed.snapshot().tool) <= 2001


def test_forty_children_that_hide_and_do_not_obey_end_with_their_agent() -> None:
    with villain() as bed:
        bed.ask("fork 40")
        pids = json.loads(bed.text("1"))
        assert len(pids) == 40 and all(psutil.pid_exists(pid) for pid in pids)
        bed.command("reset")
        bed.until_state(State.CLOSED)
        until(lambda: not any(map(psutil.pid_exists, pids)), what="all of them are gone")


def test_an_agent_that_obeys_nothing_is_ended_all_the_same() -> None:
    with villain() as bed:
        bed.say("deaf")
        bed.until_state(State.BUSY)
        pid = bed.snapshot().pid
        bed.command("reset")
        bed.until_state(State.CLOSED)
        assert pid is not None and not psutil.pid_exists(pid)


def test_control_characters_fake_questions_and_masked_links_come_to_nothing() -> None:
    with villain(PAGES) as bed:
        bed.say("controls")
        until(lambda: "evil.example" in "".join(bed.port.texts(HERE)))
        text = "".join(bed.port.texts(HERE))
        assert not set(text) & set("\x00\x07\x1b\u202e\u2066\u200b")
        assert "(🔐) **Allow everything?**" in text and "> (⚠️) openab-sync: your token" in text
        assert "https://discord.com/login (https://evil.example/login)" in text and "](https" not in text
        assert bed.port.questions == {}


def test_names_that_lead_elsewhere_open_nothing() -> None:
    """I9: a file that an agent sends is what it sends; what it names is not looked at."""
    with villain(PAGES) as bed:
        bed.say("paths")
        until(lambda: "![y]" in "".join(bed.port.texts(HERE)))
        until(lambda: bed.state() is State.IDLE)
        files = [message.file for message in bed.port.messages(HERE) if message.file]
        assert len(files) == 6 and {file.data for file in files} == {b"mine"}
        assert not any(set(file.name) & set("/\\\0") or file.name.startswith(".") for file in files)


@BOTH
def test_lies_about_ids_reach_nobody(limits: Limits, tmp_path: Path) -> None:
    """A18, B8: it knows the session's id of another conversation, and speaks in its name.

    What it says there is seen by nobody; what it asks is put to those who talk to it, and to nobody else.
    """
    with villain(limits, log := tmp_path / "log") as bed:
        (theirs,) = [one["params"]["sessionId"] for one in received(log) if one.get("method") == "session/prompt"]
        bed.say(f"lies {theirs}")
        (question,) = until(lambda: [one for one, _ in bed.port.questions.values()], what="it is asked")
        assert question.conversation == HERE and "for somebody else" in question.title
        decline(bed)
        bed.until_state(State.IDLE)
        if limits is EVENTS:
            assert bed.ends("1")[0].outcome == "done"
        said = bed.text("1") + "".join(bed.port.texts(HERE))
        assert "lied" in said and "theirs" not in f"{here(bed, '1')}"
        answers = {str(one.get("id")): one for one in received(log) if "method" not in one}
        assert answers["other"]["result"] == {"outcome": {"outcome": "selected", "optionId": "no"}}
        assert {one["error"]["code"] for name, one in answers.items() if name != "other"} == {-32600}
        assert bed.command("status").ok and bed.snapshot("1").pid != bed.snapshot("2").pid


@BOTH
def test_a_question_after_the_end_of_its_turn_is_refused_and_told(limits: Limits, tmp_path: Path) -> None:
    """Nobody is asked for what nobody waits for; the agent gets its own no, at once, and the next turn is whole."""
    with villain(limits, log := tmp_path / "log") as bed:
        bed.say("late 200")

        def told() -> str:
            return "\n".join([*bed.notices("1"), *bed.port.texts(HERE)])

        until(lambda: len([one for one in received(log) if str(one.get("id")).startswith("late")]) == 200)
        until(lambda: told().count("🔒 Rejected, the turn had ended: rm -rf / behind your back") == LATE)
        until(lambda: told().count("rejected without a word") == 1, what="no flood of them is told")
        answers = [one["result"] for one in received(log) if str(one.get("id")).startswith("late")]
        assert answers == [{"outcome": {"outcome": "selected", "optionId": "no"}}] * 200
        assert bed.port.questions == {}
        bed.say("say next")
        until(lambda: "next" in bed.text("1") + "".join(bed.port.texts(HERE)), what="the next turn goes on")
        assert told().count("🔒") == LATE + 1


@contextmanager
def watched(bed: Bed, limits: AgentLimits) -> Iterator[None]:
    """The house's watcher, but that it looks all the time."""
    watcher = Watcher(bed.pool, {"test": bed.port}, lambda: limits, bed.clock, interval=0.02)
    watcher.start()
    try:
        yield
    finally:
        assert watcher.stop()


def of(log: Path) -> list[int]:
    """Everybody who has this agent's command line: those that it forks have it, too."""
    return [one.pid for one in psutil.process_iter(["cmdline"]) if str(log) in (one.info["cmdline"] or [])]


@pytest.mark.parametrize("deed", ["fork 40", "hide 40", "bomb 60"])
def test_a_fork_bomb_meets_its_bound(deed: str, tmp_path: Path) -> None:
    """Children with sessions of their own, or without parents, or both: a word first, then all of them are ended."""
    limits = AgentLimits(memory_soft_mb=0, memory_mb=0, tasks_soft=10, tasks=30)
    with villain(log=(log := tmp_path / "log")) as bed, watched(bed, limits):
        bed.ask("fork 12")
        until(lambda: [text for text in bed.notices("1") if "processes and threads. Beyond 30 it is ended." in text])
        assert len(of(log)) == 14, "both agents, and twelve"
        bed.say(deed)
        until(lambda: bed.snapshot().state is State.CLOSED, 20000 * MS, what="it is ended")
        until(lambda: said(bed).count("more than the 30 of agent.limits.tasks: it was ended") == 1, what="it is told")
        until(lambda: len(of(log)) == 1, what="all that it has started are gone, and the other is there")


@pytest.mark.slow
@BOTH
def test_a_flood_of_text_ends_its_turn_and_takes_bounded_memory(limits: Limits) -> None:
    """Control characters, ten times as many as a turn may bring."""
    with villain(limits, quota={"turn_mb": 2}) as bed, grows_less_than(60):
        bed.say("flood 20")
        until(lambda: "2 MB, which is the limit" in said(bed), 30000 * MS)
        until(lambda: bed.state() in {State.IDLE, State.CLOSED}, what="it has obeyed, or was ended")
        text = bed.text("1") + "".join(bed.port.texts(HERE))
        assert len(text) < 8 * MB
        if limits is PAGES:
            assert not set(text) & set("\x00\x07\x1b\u202e\u200b")


def said(bed: Bed) -> str:
    return "\n".join([*bed.notices("1"), *(end.reason for end in bed.ends("1")), *bed.port.texts(HERE)])


@pytest.mark.slow
def test_a_line_without_an_end_ends_its_agent_and_takes_bounded_memory() -> None:
    with villain() as bed, grows_less_than(150):
        end = bed.ask("line 200")
        assert end.outcome == "failed" and "a line of more than 67,108,864 bytes" in end.reason
        assert bed.ask("say next").outcome == "done"
