"""Two things at once: both orders of pairs that can hurt. `races.toml` names the tests of all pairs, wherever they are.

As in `test_races`: one thread is stopped at a named point, and the other does what it must not notice.
"""

from __future__ import annotations

import fcntl
import struct
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from openab_sync.acp.peer import AcpPeer
from openab_sync.clock import SystemClock
from openab_sync.core import arrears
from openab_sync.core import session as session_module
from openab_sync.core.arrears import Arrears
from openab_sync.core.house import Cancel, Close, Reset
from openab_sync.core.ledger import Journaled
from openab_sync.core.message import Inbound, MessageRef
from openab_sync.core.obeying import Obeying
from openab_sync.core.pool import SessionPool
from openab_sync.core.port import Limits
from openab_sync.core.record import Record
from openab_sync.core.retention import Retention
from openab_sync.core.session import Session
from openab_sync.core.state import State
from openab_sync.store import Books, Keeping, Store, open_books
from tests.core.bed import ANN, Bed, place, received
from tests.core.points import beside, methods, order, stopped
from tests.fakes.clock import FakeClock
from tests.waiting import until

EDITED = Limits(edit_interval=0.01, typing_interval=None, reactions=False)


def has_spoken(bed: Bed) -> bool:
    """Whether there is something in the pipe that the session has not read."""
    count = fcntl.ioctl(bed.session()._agent._connection.process.stdout, termios.FIONREAD, b"\0" * 4)
    return bool(struct.unpack("i", count)[0])


# A close and a message.


@pytest.mark.parametrize("is_closed", [False, True])
def test_a_message_around_a_close_is_answered_by_the_successor_once(is_closed: bool) -> None:
    """Left before the close is obeyed, or when all is over but the books."""
    with Bed() as bed:
        bed.ask("say one\\n")
        bed.until_state(State.IDLE)
        with stopped(SessionPool, "on_end") if is_closed else stopped(Obeying, "_close") as point:
            closed = order(bed, Close("enough"))
            point.reach()
            assert bed.say("say two\\n").state != "refused"
        assert closed.result(5) == "Closing."
        until(lambda: len(bed.ends()) == 2)
        assert (bed.text().split(), [end.outcome for end in bed.ends()]) == (["one", "two"], ["done", "done"])
        assert bed.notices() == []


# A cancel, a ceiling, and an answer that crosses them.


def test_an_answer_that_crosses_a_cancel_ends_the_turn_once_and_touches_no_other(tmp_path: Path) -> None:
    gate, log = tmp_path / "gate", tmp_path / "log"
    with Bed("--log", str(log)) as bed:
        bed.say(f"gate {gate}\nsay one\\n")
        bed.until_state(State.BUSY)
        until(lambda: "session/prompt" in methods(log))
        with stopped(Session, "cancel") as point:
            answer = order(bed, Cancel(ANN))
            point.reach()
            gate.touch()
            until(lambda: has_spoken(bed), what="its answer is on the way")
        assert answer.result(5) == "Cancelling."
        until(bed.ends)
        assert bed.ask("say two\\n").outcome == "done"
        assert [end.outcome for end in bed.ends()] == ["cancelled", "done"]
        assert bed.text().split() == ["one", "two"]


def test_an_answer_that_crosses_the_ceiling_ends_the_turn_once_and_touches_no_other(tmp_path: Path) -> None:
    gate, log = tmp_path / "gate", tmp_path / "log"
    with Bed("--log", str(log), clock=FakeClock()) as bed:
        bed.say(f"gate {gate}\nsay one\\n")
        bed.until_state(State.BUSY)
        until(lambda: "session/prompt" in methods(log))
        with stopped(AcpPeer, "cancel") as point:
            bed.pass_time(1801)
            point.reach()
            gate.touch()
            until(lambda: has_spoken(bed), what="its answer is on the way")
        bed.tick(lambda: len(bed.ends()) == 1)
        assert bed.ends()[0].outcome == "stalled"
        bed.say("say two\\n")
        bed.tick(lambda: len(bed.ends()) == 2)
        assert (bed.ends()[1].outcome, bed.text().split()) == ("done", ["one", "two"])


def test_a_decision_that_comes_while_the_turn_is_being_cancelled_is_no_second_answer(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Bed("--log", str(log)) as bed:
        bed.say("ask")
        question = bed.port.until_question()
        with stopped(Session, "cancel") as point:
            answer = order(bed, Cancel(ANN))
            point.reach()
            bed.port.answer(question, question.options[0].option_id, ANN)
        assert answer.result(5) == "Cancelling."
        until(bed.ends)
        assert bed.ask("say after").outcome == "done"
    answers = [message["result"]["outcome"] for message in received(log) if "outcome" in message.get("result", {})]
    assert answers == [{"outcome": "cancelled"}]


# A reset of a session that is to begin.


def test_a_reset_before_the_start_has_begun_drops_what_waits_and_starts_nothing(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Bed("--log", str(log)) as bed:
        with stopped(Session, "_live") as point:
            bed.say("say never")
            point.reach()
            answer = order(bed, Reset(ANN))
        assert answer.result(5).endswith("1 waiting message was dropped.")
        assert bed.ask("say new").outcome == "done"
        assert bed.text() == "new"
    assert methods(log).count("initialize") == 1


# Live configuration, and who is let in.


@pytest.mark.parametrize("is_late", [False, True])
def test_fewer_rooms_while_a_message_is_placed_lose_nobody(is_late: bool) -> None:
    """Renewed before the message is placed, or after it has a room that there should not be any more."""
    with Bed(pool={"max_sessions": 2}) as bed:
        bed.say("hang", to="A")
        bed.until_state(State.BUSY, at="A")
        where, name = (Session, "start") if is_late else (SessionPool, "deliver")
        with stopped(where, name) as point, beside(lambda: bed.say("say b", to="B").state) as states:
            point.reach()
            bed.renew(pool={"max_sessions": 1})
            point.go()
        assert states == ["accepted" if is_late else "waiting"]
        assert bed.say("say c", to="C").state == "waiting"
        bed.command("cancel", at="A")
        until(lambda: bed.ends("B") and bed.ends("C"))
        assert [(bed.text(at), len(bed.ends(at))) for at in "BC"] == [("b", 1), ("c", 1)]


# The journal: what is forgotten, and what comes late.


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    store = Store.open(tmp_path)
    yield open_books(store)
    assert store.close()


def write_down(bed: Bed, text: str, message: str) -> MessageRef:
    """A message that is on record before it is handed in, as chat services do it."""
    ref = MessageRef(place(), message)
    number, safe = bed.app.house.ledger.accept(ref, ANN, text, {})
    safe.result(10)
    bed.broker.receive(Inbound(ref, ANN, text, delivery=number))
    return ref


@pytest.mark.parametrize("is_first", [True, False])
def test_what_is_forgotten_around_the_end_of_its_turn_is_answered_and_gone(books: Books, is_first: bool) -> None:
    """Before its end is written down, or right after; its place is gone, and so is all that it left in the journal."""
    store = books.deliveries._store
    keeping = Retention(Keeping(store), {}, SystemClock(), lambda: 0.0)
    with Bed(ledger=Journaled(books.deliveries, books.replies), limits=EDITED, retention=keeping) as bed:
        with stopped(Record, "finish" if is_first else "close") as point:
            write_down(bed, "say secret", "m1")
            point.reach()
            keeping.let_go(place())
            store.read(lambda db: None)  # it has been done
        bed.port.until_text(place(), "secret")
        write_down(bed, "say more", "m2")
        bed.port.until_text(place(), "more")
        until(lambda: not books.replies.open() and not books.deliveries.waiting())
    left = store.read(lambda db: [*db.execute("SELECT text FROM deliveries"), *db.execute("SELECT text FROM pages")])
    assert [text for (text,) in left if "secret" in text] == []
    assert bed.port.texts(place()) == ["secret", "more"]


@pytest.mark.parametrize("is_first", [True, False])
def test_an_old_reply_and_a_new_turn_are_both_out_once_and_not_mixed(
    books: Books, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_first: bool
) -> None:
    """While what was lost is brought out no turn begins; while a turn is under way it waits for its end."""
    monkeypatch.setattr(session_module, "DELIVERY", 0.05)
    monkeypatch.setattr(arrears, "FIRST", 0.05)
    gate = tmp_path / "gate"
    with Bed(ledger=Journaled(books.deliveries, books.replies), limits=EDITED) as bed:
        bed.port.drop_next("post")
        write_down(bed, "say old", "m1")
        until(lambda: [row.state for row in books.replies.open()] == ["finished"])
        with stopped(Arrears, "_bring_out" if is_first else "_try") as old:
            order(bed, Close("idle")).result(10)
            old.reach()
            write_down(bed, f"gate {gate}\nsay new", "m2")
            if is_first:
                assert bed.state() is not State.BUSY
            else:
                bed.until_state(State.BUSY)
            old.go()
            gate.touch()
            bed.port.until_text(place(), "new")
        until(lambda: not books.replies.open(), what="both are out")
        bed.port.violations = [what for what in bed.port.violations if "is in flight" not in what]  # what was lost is
    assert bed.port.texts(place()) == (["old", "new"] if is_first else ["new", "old"])
