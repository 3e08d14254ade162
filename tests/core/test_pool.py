"""The books: rooms, the line in front of them, eviction, what outlives a session. Nothing blocks anything else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from openab_sync.core.house import Cancel, Open, Reset
from openab_sync.core.message import Conversation, Inbound, MessageRef
from openab_sync.core.port import TurnEvent
from openab_sync.core.session import Session
from openab_sync.core.state import State
from openab_sync.errors import PoolClosed
from tests.core.bed import ANN, BOB, Bed, place, received
from tests.fakes.clock import FakeClock
from tests.waiting import until

BUSY_WORDS = ["hang", "flood 1000000", "drip 0.02"]


@contextmanager
def stuck(bed: Bed, at: str = "1") -> Iterator[threading.Event]:
    """The chat hangs, in the session's own thread, when it is told of the next event in a conversation."""
    inside, go_on, real = threading.Event(), threading.Event(), bed.port.event

    def event(conversation: Conversation, news: TurnEvent) -> None:
        if conversation == place(at) and not inside.is_set():
            inside.set()
            go_on.wait()
        real(conversation, news)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bed.port, "event", event)
        try:
            yield inside
        finally:
            go_on.set()


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


# Nothing blocks anything else: the bug that all of this grew out of.


@pytest.mark.parametrize("word", BUSY_WORDS)
def test_a_busy_conversation_costs_the_others_nothing(word: str) -> None:
    """FIELD A1, A2, A3, A6, A14: no second of the house's time passes while all of this happens."""
    with Bed(clock=FakeClock(), pool={"max_sessions": 3}) as bed:
        bed.say(word, to="A")
        bed.until_state(State.BUSY, at="A")
        assert bed.ask("say one", to="B").outcome == "done"
        assert bed.ask("say two", to="C").outcome == "done"  # a new session beside it
        assert bed.ask("say three", to="D").outcome == "done"  # in the room of an idle one
        assert "A: busy" in bed.command("status", at="B").text
        assert bed.state("A") is State.BUSY
        assert bed.command("cancel", at="A").text == "Cancelling."
        until(lambda: bed.ends("A"))
        bed.say(word, to="A")
        bed.until_state(State.BUSY, at="A")
        assert bed.command("reset", at="A").ok
        until(lambda: len(bed.ends("A")) == 2)


def test_a_session_whose_thread_is_stuck_costs_the_others_nothing() -> None:
    """Even the worst: its thread hangs in foreign code, and cleaning up does not wait for it."""
    with Bed(clock=FakeClock(), pool={"max_sessions": 2}) as bed:
        with stuck(bed, "A") as inside:
            bed.say("say hello", to="A")
            assert inside.wait(10)
            assert bed.ask("say one", to="B").outcome == "done"
            assert bed.ask("say two", to="C").outcome == "done"
            assert bed.pool.suspend_idle() == 0
            assert bed.pool.drop_hung() == 0
            bed.pool.sweep()
            assert "A: busy" in bed.command("status", at="B").text
            assert bed.say("say later", to="A").state == "queued"
        bed.tick(lambda: len(bed.ends("A")) == 2)


def test_the_first_message_starts_one_agent_however_many_come_at_once(tmp_path: Path) -> None:
    """FIELD A4, D9, A20."""
    log = tmp_path / "log"
    with Bed("--log", str(log), pool={"max_buffered_messages": 20}) as bed:
        barrier = threading.Barrier(8)

        def write() -> None:
            barrier.wait()
            bed.say("say x")

        threads = [threading.Thread(target=write) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        until(lambda: len(bed.ends()) == 8, timeout=15)
        assert bed.text() == "x" * 8
    assert [message.get("method") for message in received(log)].count("initialize") == 1


# Rooms.


def test_the_longest_idle_session_makes_room_and_is_resumed_later(tmp_path: Path) -> None:
    """FIELD A16."""
    with Bed("--memory", str(tmp_path / "memory"), pool={"max_sessions": 2}) as bed:
        bed.ask("say one", to="A")
        bed.ask("say two", to="B")
        bed.until_state(State.IDLE, at="B")
        bed.ask("say three", to="C")
        assert (bed.state("A"), bed.state("B")) == (State.CLOSED, State.IDLE)
        bed.ask("recall", to="A")
        assert "say one" in bed.text("A")
        assert bed.notices("A") == []


def test_there_are_never_more_agents_than_rooms(tmp_path: Path) -> None:
    """FIELD A20; agents that are still ending count."""
    most, seen = 3, []
    before = {child.pid for child in psutil.Process().children()}
    with Bed(pool={"max_sessions": most, "max_waiting": 50}) as bed:
        for number in range(12):
            bed.say("say x", to=str(number))

        def all_answered() -> bool:
            agents = [child for child in psutil.Process().children() if child.pid not in before]
            seen.append(sum(is_alive(agent) for agent in agents))
            return all(bed.ends(str(number)) for number in range(12))

        until(all_answered, timeout=25)
    assert max(seen) <= most


def test_when_all_are_busy_the_newcomer_waits_in_a_fair_and_visible_line(tmp_path: Path) -> None:
    gates = [tmp_path / str(number) for number in range(4)]
    with Bed(pool={"max_sessions": 1}) as bed:
        bed.say(f"gate {gates[0]}", to="0")
        bed.until_state(State.BUSY, at="0")
        receipts = [bed.say(f"say hello\ngate {gates[number]}", to=str(number)) for number in (1, 2, 3)]
        assert [(receipt.state, receipt.position) for receipt in receipts] == [("waiting", n) for n in (1, 2, 3)]
        assert "number 2 in line" in bed.notices("2")[0]
        assert bed.broker.snapshot().waiting == tuple(place(str(n)).key for n in (1, 2, 3))
        for number in (1, 2, 3):
            gates[number - 1].touch()
            bed.until_text("hello", at=str(number))
            assert not any(bed.starts(str(later)) for later in range(number + 1, 4))
        gates[3].touch()
        until(lambda: bed.ends("3"))


def test_a_full_line_is_answered_never_silently_parked() -> None:
    with Bed(pool={"max_sessions": 1, "max_waiting": 1}) as bed:
        bed.say("hang", to="A")
        bed.until_state(State.BUSY, at="A")
        assert bed.say("say b", to="B").state == "waiting"
        refused = bed.say("say c", to="C")
        assert refused.state == "refused"
        assert refused.text in bed.notices("C")
        assert bed.say("say b again", to="B").state == "waiting"  # its place is its own
        bed.command("cancel", at="A")
        until(lambda: len(bed.ends("B")) == 2)
        assert bed.ends("C") == []


def test_a_full_inbox_is_answered_in_the_session_and_in_the_line() -> None:
    with Bed(pool={"max_sessions": 1, "max_buffered_messages": 2}) as bed:
        bed.say("hang", to="A")
        bed.until_state(State.BUSY, at="A")
        for name in ("A", "B"):
            assert bed.say("say 1", to=name).state != "refused"
            assert bed.say("say 2", to=name).state != "refused"
            assert "2 messages are waiting" in bed.say("say 3", to=name).text
        bed.command("cancel-all", at="A")
        until(lambda: len(bed.ends("B")) == 2)


def test_limits_are_those_of_now() -> None:
    """More rooms let in who waits at once; fewer end nobody; a smaller inbox holds from the next message on."""
    with Bed(pool={"max_sessions": 1, "max_buffered_messages": 5}) as bed:
        bed.say("hang", to="A")
        assert bed.say("say hello", to="B").state == "waiting"
        bed.renew(pool={"max_sessions": 2})
        bed.until_text("hello", at="B")
        bed.say("say again", to="A")
        bed.renew(pool={"max_sessions": 1, "max_buffered_messages": 1})
        assert bed.say("say no", to="A").state == "refused"
        assert bed.ask("say still here", to="B").outcome == "done"


def test_a_newcomer_may_be_cancelled_listed_changed_and_withdrawn_in_the_line() -> None:
    with Bed(pool={"max_sessions": 1}) as bed:
        bed.say("hang", to="A")
        bed.until_state(State.BUSY, at="A")
        for text in ("say one", "say two", "say three"):
            bed.say(text, to="B")
        assert bed.command("queue", at="B").text.splitlines()[1] == "2. Ann: say two"
        assert bed.command("queue", "edit 2 say zwei", at="B").ok
        assert bed.command("queue", "drop 3", at="B").ok
        assert bed.command("cancel", at="B").text == "Cancelled before it began."
        bed.command("cancel", at="A")
        bed.until_text("zwei", at="B")
        assert (len(bed.starts("B")), bed.text("B")) == (1, "zwei")


def test_whoever_drops_all_that_waits_leaves_the_line() -> None:
    with Bed(pool={"max_sessions": 1}) as bed:
        bed.say("hang", to="A")
        bed.until_state(State.BUSY, at="A")
        bed.say("say never", to="B")
        assert bed.command("cancel-all", at="B").ok
        assert bed.broker.snapshot().waiting == ()
        bed.say("say never", to="B")
        assert bed.command("reset", at="B").ok
        assert bed.broker.snapshot().waiting == ()


# Withdrawn and changed while they wait for their turn.


def test_a_waiting_message_is_changed_or_withdrawn_by_its_id(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with Bed() as bed:
        bed.say(f"gate {gate}")
        bed.until_state(State.BUSY)
        bed.say("say two")
        bed.say("say three")
        two, three = (note.ref for note in bed.pool.waiting(place()))
        assert bed.broker.edit(two, "say zwei")
        assert bed.broker.withdraw(three)
        assert not bed.broker.withdraw(three)
        gate.touch()
        bed.until_text("zwei")
        until(lambda: len(bed.ends()) == 2)
        assert not bed.broker.edit(two, "too late")
        assert bed.text() == "zwei"


@pytest.mark.parametrize(
    ("mode", "prompts"),
    [
        ("per-message", [["say a1"], ["say b1"], ["say a2"]]),
        ("per-thread", [["say a1", "say b1", "say a2"]]),
        ("per-lane", [["say a1", "say a2"], ["say b1"]]),
    ],
)
def test_what_waits_becomes_one_turn_or_several(mode: str, prompts: list[list[str]], tmp_path: Path) -> None:
    """Upstream's three dispatch modes."""
    gate, log = tmp_path / "gate", tmp_path / "log"
    with Bed("--log", str(log), pool={"message_processing_mode": mode}) as bed:
        bed.say(f"gate {gate}")
        bed.until_state(State.BUSY)
        bed.say("say a1")
        bed.say("say b1", by=BOB)
        bed.say("say a2")
        gate.touch()
        until(lambda: len(bed.ends()) == 1 + len(prompts))
    sent = [message["params"]["prompt"] for message in received(log) if message.get("method") == "session/prompt"]
    assert [[block["text"] for block in blocks] for blocks in sent[1:]] == prompts


# Time.


def test_an_idle_session_is_suspended_after_its_hours_and_busy_ones_are_skipped(tmp_path: Path) -> None:
    with Bed("--memory", str(tmp_path / "memory"), clock=FakeClock(), pool={"prompt_hard_timeout_secs": 10**6}) as bed:
        bed.ask("say one", to="A")
        bed.until_state(State.IDLE, at="A")
        bed.say("hang", to="B")
        bed.until_state(State.BUSY, at="B")
        bed.pass_time(4 * 3600 - 1)
        assert bed.pool.suspend_idle() == 0
        bed.pass_time(1)
        assert bed.pool.suspend_idle() == 1
        until(lambda: bed.state("A") is State.CLOSED)
        assert bed.state("B") is State.BUSY
        bed.say("recall", to="A")
        bed.tick(lambda: "say one" in bed.text("A"))


def test_a_session_that_hangs_loses_its_room_and_is_not_resumed(tmp_path: Path) -> None:
    """FIELD A10, A11, D7: whatever its thread does."""
    log = tmp_path / "log"
    with Bed("--log", str(log), clock=FakeClock(), pool={"max_sessions": 1}) as bed:
        bed.ask("say before", to="A")
        with stuck(bed, "A") as inside:
            bed.say("hang", to="A")
            assert inside.wait(10)
            pid = bed.snapshot("A").pid
            assert pid is not None
            bed.say("say waiting", to="A")
            bed.say("say other", to="B")
            bed.pass_time(1800 + 119)
            assert bed.pool.drop_hung() == 0
            bed.pass_time(1)
            assert bed.pool.drop_hung() == 1
            until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
            bed.until_text("waiting", at="A")
            bed.tick(lambda: "other" in bed.text("B"))
        assert bed.text("A") == "beforewaiting"  # it went to the successor, which had the first place in the line
        _, end, *_ = bed.ends("A")  # whoever waits for the end of its turn must not wait for ever
        assert (end.refs, end.outcome) == ((MessageRef(place("A"), "m2"),), "stalled")
        assert "hangs" in end.reason
    assert "session/load" not in [message.get("method") for message in received(log)]


def test_a_session_that_waits_for_a_person_does_not_hang() -> None:
    with Bed(clock=FakeClock(), permissions={"timeout_secs": 10**6}) as bed:
        bed.say("ask")
        question = bed.port.until_question()
        until(lambda: bed.snapshot().questions == 1)
        bed.pass_time(5 * 3600)
        assert bed.pool.drop_hung() == 0
        bed.port.answer(question, question.options[0].option_id, ANN)
        until(bed.ends)
        assert bed.ends()[0].outcome == "done"


# Books.


def test_nothing_grows_with_conversations_that_come_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """FIELD F8, F13."""
    with Bed(pool={"max_sessions": 2}) as bed:
        monkeypatch.setattr(bed.pool.memories, "_most", 5)
        for number in range(12):
            bed.ask("say x", to=str(number))
        until(lambda: len(bed.pool._rooms.ending) == 0)
        bed.pool.sweep()
        assert len(bed.pool.memories) <= 5
        assert len(bed.pool._rooms.open) <= 2
        assert len(bed.pool._rooms.threads) <= 3
        assert not bed.pool._line
        assert repr(bed.pool) == "<SessionPool sessions=2 ending=0 line=0>"


def test_a_session_that_cannot_be_started_is_told_and_leaves_the_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread, no descriptor: the next message is another try."""
    real, fail = Session.start, [True]

    def start(session: Session) -> None:
        if fail:
            raise RuntimeError("can't start new thread")
        real(session)

    monkeypatch.setattr(Session, "start", start)
    with Bed(pool={"max_sessions": 1}) as bed:
        bed.say("say never")
        order = bed.order("models")
        assert any("no room for another agent" in text for text in bed.notices())
        assert [end.outcome for end in bed.ends()] == ["failed"]  # else `chat -p` would wait for ever
        assert order.result(5).ok is False
        fail.clear()
        assert bed.ask("say again").outcome == "done"


def test_a_thread_that_dies_without_a_word_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own bug: the janitor sees it, and what waited is answered."""
    real = Session._run

    def run(session: Session) -> None:
        monkeypatch.setattr(Session, "_run", real)
        with session.mailbox._lock:  # as the bell wants it
            session.mailbox.bell.close()

    monkeypatch.setattr(Session, "_run", run)
    with Bed() as bed:
        bed.say("say hello")
        thread = bed.pool._rooms.threads[0].thread
        assert thread is not None
        thread.join(10)
        bed.pool.sweep()
        bed.until_text("hello")


def test_a_bug_of_ours_ends_the_turn_with_a_sentence_and_not_the_house(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from openab_sync.core.answering import Answering

    def broken(*_: object, **__: object) -> Any:
        raise ZeroDivisionError("a bug")

    with Bed() as bed:
        with monkeypatch.context() as patch:
            patch.setattr(Answering, "begin", broken)
            bed.say("say never")
            until(bed.ends)
        assert "internal error" in bed.ends()[0].reason
        assert bed.ask("say hello").outcome == "done"
    assert "ZeroDivisionError" in caplog.text


def test_a_closed_pool_takes_nothing_and_says_so() -> None:
    """FIELD K8."""
    with Bed() as bed:
        bed.app.stop()
        receipt = bed.say("say never")
        assert (receipt.state, bed.notices()) == ("refused", [receipt.text])
        with pytest.raises(PoolClosed):
            bed.pool.order(place(), Reset(ANN))


def test_what_waits_in_the_line_is_told_when_the_house_closes() -> None:
    with Bed(pool={"max_sessions": 1}) as bed:
        bed.say("hang", to="A")
        bed.until_state(State.BUSY, at="A")
        bed.say("say never", to="B")
        bed.app.stop()
        assert any("shutting down" in text for text in bed.notices("B"))


def test_an_order_for_nobody_is_answered() -> None:
    with Bed() as bed:
        assert bed.pool.order(place(), Cancel(ANN)).result(5) == "Nothing is running here."
        assert bed.pool.order(place(), Reset(ANN)).result(5).startswith("Reset")


def test_who_has_a_room_now_starts_even_if_who_came_by_is_refused() -> None:
    """Limits that were changed live give rooms to the line with the next message, and that one may not be taken."""
    with Bed(pool={"max_sessions": 1, "max_waiting": 1}) as bed:
        bed.say("hang", to="A")
        bed.until_state(State.BUSY, "A")
        bed.say("say waited", to="B")
        changed = msgspec.structs.replace(bed.config.pool, max_sessions=2, max_waiting=0)
        bed.live.renew(msgspec.structs.replace(bed.config, pool=changed))
        assert bed.say("say too much", to="C").state == "refused"
        until(lambda: "waited" in bed.text("B"))
        bed.command("cancel", at="A")


def test_what_was_accepted_before_a_restart_has_its_place_however_much_came_before_it() -> None:
    """FIELD F12: the inbox is full with what was said while the old ones were still on their way."""
    with Bed(pool={"max_sessions": 2, "max_waiting": 0, "max_buffered_messages": 1}) as bed:
        bed.pool.hold([place()], 2)
        names = ("3", "4", "1", "2")
        notes = [Inbound(MessageRef(place(), f"m{one}"), ANN, f"say {one} ", delivery=int(one)) for one in names]
        states = [bed.broker.receive(one).state for one in notes]
        assert states == ["queued", "refused", "queued", "queued"]
        bed.pool.let_in(place())
        until(lambda: len(bed.ends()) == 3)
        assert bed.text() == "123"
        bed.say("hang")
        bed.until_state(State.BUSY)
        assert bed.say("say waits").state == "queued"
        assert bed.broker.receive(replace(notes[2], text="say late")).state == "queued", "wherever it comes to"
        bed.say("hang", to="B")
        bed.until_state(State.BUSY, at="B")
        elsewhere = replace(notes[3], ref=MessageRef(place("C"), "m2"))
        assert (bed.say("x", to="C").state, bed.broker.receive(elsewhere).state) == ("refused", "waiting")
        bed.command("cancel-all")
        bed.command("cancel", at="B")


def test_where_something_of_an_older_reply_is_brought_out_nothing_begins_until_it_is() -> None:
    with Bed() as bed:
        bed.ask("say hello")
        bed.until_state(State.IDLE)
        assert bed.pool.hold_quiet(place())
        assert not bed.pool.hold_quiet(place()), "once"
        assert bed.say("say late").state == "accepted"
        bed.pool.order(place(), Open()).result(10)  # its thread has been awake
        assert (bed.state(), bed.text()) == (State.IDLE, "hello")
        bed.pool.let_in(place())
        bed.until_text("late")
        bed.say("hang")
        bed.until_state(State.BUSY)
        assert not bed.pool.hold_quiet(place()), "something is being said"
        bed.command("cancel")


def test_who_has_no_session_gets_none_while_something_of_an_older_reply_is_brought_out() -> None:
    with Bed() as bed:
        assert bed.pool.hold_quiet(place())
        assert bed.say("say hello").state == "queued"
        assert bed.broker.snapshot().sessions == ()
        bed.pool.let_in(place())
        bed.until_text("hello")
