"""Agents that mean harm: everything is answered or refused, memory stays bounded, and nobody else notices."""

from __future__ import annotations

import json
import sys
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from openab_sync.acp import events as acp
from openab_sync.core.asking import MOST
from openab_sync.core.port import Decision, Limits
from openab_sync.core.state import State
from tests.core.bed import ANN, EVENTS, Bed, place
from tests.waiting import MS, until

VILLAIN = (sys.executable, str(Path(__file__).with_name("villain.py")))
PAGES = Limits(reactions=False, typing_interval=None, edit_interval=0.0)
MB = 1024 * 1024
HERE = place("1")


@contextmanager
def villain(limits: Limits = EVENTS) -> Iterator[Bed]:
    """A house with it in conversation 1, and a good one in conversation 2, which goes on whatever happens."""
    with Bed(command=VILLAIN, limits=limits) as bed:
        good(bed, "good")
        yield bed
        good(bed, "still good")


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


@pytest.mark.parametrize("limits", [EVENTS, PAGES], ids=["events", "pages"])
def test_titles_of_ten_megabytes_are_cut_and_soon_forgotten(limits: Limits) -> None:
    with villain(limits) as bed:
        before = psutil.Process().memory_info().rss
        bed.say("titles 10000000")
        if limits is EVENTS:
            until(lambda: bed.ends("1"), 20000 * MS)
        else:
            until(lambda: "done with titles" in "".join(bed.port.texts(HERE)), 20000 * MS)
            assert max(len(text) for text in bed.port.texts(HERE)) <= limits.page
        assert len(bed.command("status").text) < 2000
        assert len(bed.snapshot().title) <= 1001 and len(bed.snapshot().tool) <= 2001
        assert psutil.Process().memory_info().rss - before < 400 * MB, "a few copies of each"


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


def test_lies_about_ids_reach_nobody() -> None:
    """A18, B8: every question gets an answer, and none of them is for people who were not asked."""
    with villain() as bed:
        assert bed.ask("lies").outcome in {"done", "failed"}
        assert "another session" not in bed.text("1") and "lied" in bed.text("1")
        assert bed.text("2") == "good"
        assert all(isinstance(event, acp.Said) or "somebody" not in str(event) for event in bed.events("1"))
