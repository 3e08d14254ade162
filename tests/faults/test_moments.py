"""Whatever goes wrong with an agent, at whatever moment: the same must hold. See matrix.toml for what else can fail.

What must hold is in `invariants.py`. Threads, processes and descriptors are looked at after every test.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import pytest

from openab_sync.core.message import MessageRef
from openab_sync.core.port import Limits
from openab_sync.core.state import State
from tests.core.bed import ANN, Bed, place
from tests.fakes.clock import FakeClock
from tests.faults.invariants import Account, books, check
from tests.waiting import until

pytestmark = pytest.mark.slow

AGENT = Path(__file__).with_name("agent.py")
FAULTS = ("crash", "garbage", "silence", "flood", "deaf", "slow", "huge", "late", "wrong", "twice")
MOMENTS = ("starting", "idle", "busy", "cancelling", "question", "closing")
CASES = [f"{fault}-{moment}" for fault, moment in itertools.product(FAULTS, MOMENTS)]
WORDS = ("first", "second", "third")
KINDS = ("initialize", "session/new", "tool_call", "question", "agent_message_chunk", "answer")
# What becomes of the messages to an agent that fails so at that moment, where that is not "done" for all of them.
FATES = {
    "crash-starting": ("failed", "done"),
    "crash-busy": ("gone", "done"),
    "crash-cancelling": ("gone", "done"),
    "crash-question": ("gone", "done"),
    "silence-starting": ("failed", "done"),
    "silence-idle": ("done", "stalled"),
    "silence-busy": ("stalled", "done"),
    "silence-cancelling": ("stalled", "done"),
    "silence-question": ("stalled", "done"),
    "deaf-starting": ("stalled", "done"),
    "deaf-idle": ("done", "stalled"),
    "deaf-busy": ("done", "stalled"),
    "deaf-cancelling": ("cancelled", "stalled"),
    "deaf-question": ("stalled", "done"),
    "crash-loading": ("done", "failed"),
    "silence-loading": ("done", "failed"),
    "deaf-loading": ("done", "stalled"),
}
FIRST = {
    "before-initialize": "failed",
    "after-initialize": "failed",
    "before-session/new": "failed",
    "after-answer": "done",
}
PATIENCE = {"initialize_secs": 60, "new_session_secs": 60, "request_secs": 30, "prompt_hard_timeout_secs": 60}
HURRY = {"cancel_grace_secs": 0.2}
PAGES = Limits(edit_interval=0.0, typing_interval=None)
LONG = "x" * 70_000  # more than a pipe holds


@pytest.mark.parametrize("case", CASES)
def test_a_fault_of_an_agent(case: str, tmp_path: Path) -> None:
    fault, moment = case.split("-")
    met = tmp_path / "met"
    long = LONG if fault in {"deaf", "slow"} else "x"
    with Bed(command=command(fault, moment, met), clock=FakeClock(), pool=PATIENCE) as bed:
        bed.say(f"first {long}", to="A")
        if moment == "cancelling":
            bed.until_text("half", at="A")
            bed.order("cancel", at="A")
        if moment == "closing":
            patient(bed, lambda: bed.ends("A"), 0.3)
        else:
            until(met.exists, what="the fault has come")
        if moment == "question":
            bed.port.answer(bed.port.until_question(), "yes", ANN)
        bed.say("other x", to="B")
        patient(bed, lambda: bed.ends("B"), 0.3)
        for number, word in enumerate(WORDS[:1] if moment == "closing" else WORDS, 1):
            if number > 1:
                bed.say(f"{word} {long}", to="A")
            until_over(bed, number, step(fault, moment, number))
        pids = agents(bed)
    assert met.exists()
    check(account(bed, WORDS[:1] if moment == "closing" else WORDS, pids))
    assert [end.outcome for end in bed.ends("A")] == outcomes(fault, moment)


@pytest.mark.parametrize("case", [f"{when}-{kind}" for kind in KINDS for when in ("before", "after")])
def test_a_death_around_a_message(case: str, tmp_path: Path) -> None:
    """Before and after each kind of message that an agent sends in its first turn."""
    met = tmp_path / "met"
    allow = {"mode": "allow"}
    with Bed(command=command("crash", case, met), clock=FakeClock(), pool=PATIENCE, permissions=allow) as bed:
        for number, word in enumerate(WORDS, 1):
            bed.say(f"{word} x", to="A")
            until_over(bed, number, 0.3)
            if case == "after-answer" and number == 1:
                bed.until_state(State.CLOSED, at="A")  # else the next prompt may be on its way to a dead agent
        pids = agents(bed)
    assert met.exists()
    check(account(bed, WORDS, pids, others=()))
    assert [end.outcome for end in bed.ends("A")] == [FIRST.get(case, "gone"), "done", "done"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_while_a_session_is_taken_up_again(fault: str, tmp_path: Path) -> None:
    """A load that never ends is `silence`. What is said meanwhile is history and not shown."""
    met = tmp_path / "met"
    long = LONG if fault in {"deaf", "slow"} else "x"
    with Bed(command=command(fault, "loading", met), clock=FakeClock(), pool=PATIENCE) as bed:
        for number, word in enumerate(WORDS, 1):
            bed.say(f"{word} {long}", to="A")
            until_over(bed, number, step(fault, "loading", number))
            if number == 1:
                bed.say("other x", to="B")
                patient(bed, lambda: bed.ends("B"), 0.3)
                pid = bed.snapshot("A").pid
                assert pid
                psutil.Process(pid).kill()
                bed.until_state(State.CLOSED, at="A")
        pids = agents(bed)
    assert met.exists()
    check(account(bed, WORDS, pids))
    assert "(late)" not in bed.text("A")
    assert [end.outcome for end in bed.ends("A")] == outcomes(fault, "loading")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_while_the_answer_is_on_its_way(fault: str, tmp_path: Path) -> None:
    """The chat has not taken the answer yet; it is there once in the end, and so are those that follow."""
    met = tmp_path / "met"
    met.touch()
    with Bed(command=command(fault, "idle", met), clock=FakeClock(), limits=PAGES, pool=PATIENCE) as bed:
        bed.say("other x", to="B")
        until_signed(bed, MessageRef(place("B"), "m1"), 0.3)
        met.unlink()
        bed.port.hold()
        long = LONG if fault in {"deaf", "slow"} else "x"
        bed.say(f"first {long}", to="A")
        until(met.exists, what="the fault has come")
        until(lambda: bed.port.held, what="the answer is on its way")
        bed.port.release_all()
        bed.port.until_text(place("A"), "[first]")
        for number, word in enumerate(("second", "third"), 3):
            bed.say(f"{word} {long}", to="A")
            until_signed(bed, MessageRef(place("A"), f"m{number}"), step(fault, "idle", number - 1))
        pids = agents(bed)
    there = bed.port.texts(place("A"))
    told = [line for text in there for line in text.splitlines() if line.startswith("> ⚠️")]
    asked = {"first": [], "second": told, "third": [], "other": []}
    said = [*there, *bed.port.texts(place("B"))]
    check(Account(asked=asked, said=said, unhurt=("first", "third", "other"), unfinished=books(bed.pool), pids=pids))


@pytest.mark.parametrize("moment", MOMENTS[:-1])
def test_the_end_of_the_house(moment: str, tmp_path: Path) -> None:
    """As after a signal, with an agent that does not obey: who is answered and who waits are each told once."""
    met = tmp_path / "met"
    with Bed(command=command("late" if moment == "idle" else "silence", moment, met), pool=HURRY) as bed:
        assert bed.say("first x", to="A").state == "accepted"
        refs = ["m1"]
        if moment == "cancelling":
            bed.until_text("half", at="A")
            bed.order("cancel", at="A")
        until(met.exists, what="the agent does not obey from now on")
        if moment == "idle":
            bed.until_state(State.IDLE, at="A")
        else:
            assert bed.say("second x", to="A").state == "queued"
            refs.append("m2")
        assert bed.ask("other x", to="B").outcome == "done"
        pids = agents(bed)
    ends = bed.ends("A")
    assert [ref.id for end in ends for ref in end.refs] == refs
    check(account(bed, WORDS[: len(refs)], pids))
    silent = [end for end in ends if end.outcome != "done" and not end.reason]
    assert len(bed.notices("A")) == len(silent)
    assert all("shutting down" in text for text in bed.notices("A"))
    assert "[second]" not in bed.text("A")


# What the tests above are made of.


def outcomes(fault: str, moment: str) -> list[str]:
    if moment == "closing":
        return ["done"]
    first = "cancelled" if moment == "cancelling" else "done"
    return [*FATES.get(f"{fault}-{moment}", (first, "done")), "done"]


def command(fault: str, moment: str, met: Path) -> list[str]:
    return [sys.executable, "-IS", str(AGENT), fault, moment, str(met)]


def step(fault: str, moment: str, number: int) -> float:
    """So many seconds of the house's time pass at each look while that turn runs: many where a patience runs out."""
    fates = [*outcomes(fault, moment), "done"]
    return 4.0 if fault in {"silence", "deaf"} and fates[number - 1] in {"stalled", "failed"} else 0.3


def patient(bed: Bed, predicate: Callable[[], object], seconds: float) -> None:
    """Wait until it is so; the house's clock goes on a step at every fifth look only, lest it overtake an agent."""
    looks = itertools.count(1)

    def look() -> object:
        if next(looks) % 5 == 0:
            bed.pass_time(seconds)
        return predicate()

    until(look)


def until_over(bed: Bed, number: int, seconds: float) -> None:
    patient(bed, lambda: len(bed.ends("A")) >= number, seconds)


def until_signed(bed: Bed, ref: MessageRef, seconds: float) -> None:
    patient(bed, lambda: bed.port.reactions.get(ref) in (["🆗"], ["😱"]), seconds)


def agents(bed: Bed) -> list[int]:
    """The pids of those that there are now."""
    return [one.pid for one in bed.broker.snapshot().sessions if one.pid]


def account(bed: Bed, words: Sequence[str], pids: Sequence[int], others: Sequence[str] = ("other",)) -> Account:
    """Of the conversations A and B, after the end: how each message of A's has ended, one after another."""
    notices = iter(bed.notices("A"))  # who is told so has an end without a reason
    asked = {
        word: [] if end.outcome == "done" else [end.reason or next(notices)]
        for word, end in zip(words, bed.ends("A"), strict=True)
    }
    return Account(
        asked={**asked, **{word: [end.reason for end in bed.ends("B") if end.outcome != "done"] for word in others}},
        said=[bed.text("A"), bed.text("B")],
        unhurt=others,
        cut=[word for word, told in asked.items() if told],  # what it had said stands there
        unfinished=books(bed.pool),
        pids=pids,
    )
