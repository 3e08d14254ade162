"""What other threads share with a session.

Races are not hoped for: one thread is stopped inside and the other is looked at. Whoever is stopped holds the session's
lock and waits for a bare lock of the test's: the witness forbids all other waiting.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import pytest

from openab_sync.config.schema import PoolConfig
from openab_sync.core.house import Open, SetOption
from openab_sync.core.inbox import Inbox
from openab_sync.core.mailbox import Mailbox
from openab_sync.core.message import MessageRef
from openab_sync.core.state import Event, State
from openab_sync.errors import IllegalTransition, InboxFull, SessionClosed
from openab_sync.threads import Bell
from tests.core.makers import BEN, HERE, note
from tests.waiting import MS
from tests.witness import Witness

THREE = PoolConfig(message_processing_mode="per-thread", max_buffered_messages=3)
TO_IDLE = (Event.START, Event.READY)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """One that is IDLE, its bell hung up."""
    box = Mailbox(HERE, Inbox(lambda: THREE))
    box.open()
    for event in TO_IDLE:
        box.move(event)
    yield box
    if box.state is not State.CLOSED:
        box.shut()
        box.close()


def rings(mailbox: Mailbox) -> bool:
    """Whether the bell has rung; it is hushed."""
    if mailbox.bell.fileno() < 0:
        return False
    rang = bool(select.select([mailbox.bell], [], [], 0)[0])
    mailbox.bell.hush()
    return rang


# Alone.


def test_a_message_that_is_left_rings(mailbox: Mailbox) -> None:
    assert not rings(mailbox)
    assert mailbox.offer(note("a")) == 1
    assert rings(mailbox)
    assert mailbox.waiting() == (note("a"),)


def test_a_place_counts_the_turn_that_runs(mailbox: Mailbox) -> None:
    assert [mailbox.offer(note(name)) for name in "ab"] == [1, 2]
    assert mailbox.take() == (note("a"), note("b"))
    assert mailbox.offer(note("c")) == 2
    mailbox.move(Event.CANCEL)
    assert mailbox.offer(note("d")) == 3


def test_the_messages_of_the_latest_turn_are_known_until_the_next_one_begins(mailbox: Mailbox) -> None:
    seen = [mailbox.begun]
    for name in "ab":
        mailbox.offer(note(name))
        mailbox.take_next()
        seen.append(mailbox.begun)
    mailbox.offer(note("waits"))
    mailbox.abandon()
    assert [*seen, mailbox.begun] == [(), (note("a"),), (note("b"),), (note("b"),)]


def test_before_the_agent_is_there_the_first_message_is_next() -> None:
    mailbox = Mailbox(HERE, Inbox())
    assert mailbox.offer(note("a")) == 1
    mailbox.move(Event.START)
    assert mailbox.offer(note("b")) == 2


def test_taking_is_becoming_busy_and_taking_nothing_is_not(mailbox: Mailbox) -> None:
    assert mailbox.take() == ()
    assert mailbox.state == "idle"
    mailbox.offer(note("a"))
    assert mailbox.take() == (note("a"),)
    assert mailbox.state is State.BUSY


def test_a_pause_is_for_who_does_nothing_and_keeps_what_comes(mailbox: Mailbox) -> None:
    assert mailbox.pause()
    mailbox.offer(note("a"))
    assert (mailbox.take(), mailbox.take_next(), mailbox.state) == ((), (), State.IDLE)
    rings(mailbox)
    mailbox.go_on()
    assert rings(mailbox)
    assert mailbox.take() == (note("a"),)
    assert not mailbox.pause(), "it is at work"


@pytest.mark.parametrize("what", ["a message", "an order", "its end"])
def test_who_is_about_to_do_something_is_not_paused(mailbox: Mailbox, what: str) -> None:
    if what == "a message":
        mailbox.offer(note("a"))
    elif what == "an order":
        mailbox.order(Open())
    else:
        mailbox.shut()
    assert not mailbox.pause()


def test_what_may_not_be_taken_now_stays(mailbox: Mailbox) -> None:
    mailbox.offer(note("a"))
    mailbox.take()
    mailbox.offer(note("b"))
    with pytest.raises(IllegalTransition):
        mailbox.take()
    assert mailbox.waiting() == (note("b"),)
    assert mailbox.state is State.BUSY


def test_a_full_inbox_is_told_and_does_not_ring(mailbox: Mailbox) -> None:
    for name in "abc":
        mailbox.offer(note(name))
    rings(mailbox)
    with pytest.raises(InboxFull):
        mailbox.offer(note("d"))
    assert not rings(mailbox)
    assert len(mailbox.waiting()) == 3


def test_orders_ring_and_are_taken_once(mailbox: Mailbox) -> None:
    first, second = Open(), SetOption("model", "big")
    mailbox.order(first)
    mailbox.order(second)
    assert rings(mailbox)
    assert mailbox.orders() == (first, second)
    assert mailbox.orders() == ()
    mailbox.keep(second)
    assert mailbox.orders() == (second,)


def test_a_shut_box_keeps_nothing_of_what_comes(mailbox: Mailbox) -> None:
    mailbox.refuse()
    with pytest.raises(SessionClosed, match="test:1 is ending"):
        mailbox.offer(note("a"))
    with pytest.raises(SessionClosed):
        mailbox.order(Open())
    assert mailbox.is_shut
    assert mailbox.waiting() == ()
    assert mailbox.orders() == ()
    assert not rings(mailbox)


def test_refusing_lets_what_is_done_go_on(mailbox: Mailbox) -> None:
    mailbox.offer(note("a"))
    mailbox.take()
    mailbox.refuse()
    assert mailbox.state == "busy"
    mailbox.move(Event.DONE)
    assert mailbox.state == "idle"


def test_shutting_twice_is_shutting_once(mailbox: Mailbox) -> None:
    mailbox.shut()
    mailbox.shut()
    assert (mailbox.state, mailbox.is_shut) == (State.CLOSING, True)
    mailbox.close()
    mailbox.shut()
    assert mailbox.state is State.CLOSED


def test_the_last_act_hands_over_what_is_left_and_gives_the_bell_back(mailbox: Mailbox) -> None:
    order = Open()
    mailbox.offer(note("a"))
    mailbox.order(order)
    mailbox.shut()
    assert mailbox.close() == ((note("a"),), [order])
    assert mailbox.waiting() == ()
    assert mailbox.orders() == ()
    assert mailbox.bell.fileno() == -1


def test_a_box_that_was_not_shut_cannot_be_closed(mailbox: Mailbox) -> None:
    mailbox.offer(note("a"))
    with pytest.raises(IllegalTransition):
        mailbox.close()
    assert mailbox.waiting() == (note("a"),)
    assert mailbox.bell.fileno() >= 0


def test_a_ring_after_the_end_touches_no_descriptor(mailbox: Mailbox) -> None:
    """The number of the bell's descriptor may belong to somebody else by then."""
    number = mailbox.bell.fileno()
    reader, writer = os.pipe()
    try:
        os.set_blocking(reader, False)
        mailbox.shut()
        mailbox.close()
        os.dup2(writer, number)
        mailbox.ring()
        mailbox.withdraw(MessageRef(HERE, "a"))
        with pytest.raises(BlockingIOError):
            os.read(reader, 8)
    finally:
        for descriptor in (reader, writer, number):
            os.close(descriptor)


def test_a_box_that_is_not_open_yet_takes_messages_silently() -> None:
    mailbox = Mailbox(HERE, Inbox())
    mailbox.offer(note("a"))
    mailbox.ring()
    mailbox.open()
    assert not rings(mailbox)
    assert mailbox.waiting() == (note("a"),)
    mailbox.shut()
    mailbox.close()


def test_only_an_idle_box_with_nothing_in_it_is_shut_for_eviction(mailbox: Mailbox) -> None:
    mailbox.offer(note("a"))
    assert not mailbox.shut_if_idle()  # something waits
    mailbox.take()
    assert not mailbox.shut_if_idle()  # it is busy
    mailbox.move(Event.DONE)
    mailbox.order(Open())
    assert not mailbox.shut_if_idle()  # something was ordered
    mailbox.orders()
    rings(mailbox)
    assert mailbox.shut_if_idle()
    assert rings(mailbox)
    assert (mailbox.state, mailbox.is_shut, mailbox.is_abandoned) == (State.IDLE, True, False)
    assert not mailbox.shut_if_idle()  # somebody else has


def test_a_box_that_is_starting_is_not_idle() -> None:
    mailbox = Mailbox(HERE, Inbox())
    assert not mailbox.shut_if_idle()
    mailbox.move(Event.START)
    assert not mailbox.shut_if_idle()


def test_abandoning_takes_what_waits_whatever_the_session_does(mailbox: Mailbox) -> None:
    mailbox.offer(note("a"))
    mailbox.take()
    mailbox.offer(note("b"))
    rings(mailbox)
    assert mailbox.abandon() == (note("b"),)
    assert rings(mailbox)
    assert (mailbox.state, mailbox.is_shut, mailbox.is_abandoned) == (State.BUSY, True, True)
    assert mailbox.abandon() == ()


def test_waiting_messages_can_be_edited_and_withdrawn(mailbox: Mailbox) -> None:
    mailbox.offer(note("a"))
    rings(mailbox)
    assert mailbox.edit(MessageRef(HERE, "a"), "better")
    assert mailbox.withdraw(MessageRef(HERE, "a")) == note("a", "better")
    assert rings(mailbox)  # what the session shows of itself has changed
    assert mailbox.withdraw(MessageRef(HERE, "a")) is None
    assert not mailbox.edit(MessageRef(HERE, "a"), "late")


def test_messages_are_dropped_from_the_front(mailbox: Mailbox) -> None:
    for name in "abc":
        mailbox.offer(note(name, by=BEN))
    assert mailbox.drop(1) == (note("a", by=BEN),)
    assert mailbox.drop(0) == ()
    assert mailbox.drop() == (note("b", by=BEN), note("c", by=BEN))
    assert mailbox.drop(1) == ()


def test_a_session_that_could_not_start_answers_the_first() -> None:
    mailbox = Mailbox(HERE, Inbox())
    mailbox.offer(note("a"))
    mailbox.offer(note("b"))
    mailbox.move(Event.START)
    mailbox.shut()
    assert mailbox.take_failed() == (note("a"),)
    assert mailbox.state is State.CLOSING
    assert mailbox.waiting() == (note("b"),)


# Two threads.


class Second:
    """A thread that calls something of a mailbox while another is inside. It says so when it stands before the lock."""

    def __init__(self, mailbox: Mailbox, call: Callable[[], Any]) -> None:
        self.result: Any = None
        self.is_back = threading.Event()
        self._knocked = threading.Event()
        self._call = call
        self._lock = mailbox._lock
        mailbox._lock = self  # type: ignore[assignment]  # it is only entered, left and asked
        self._thread = threading.Thread(target=self._run, name="second")
        self._thread.start()

    def _run(self) -> None:
        try:
            self.result = self._call()
        except SessionClosed as error:
            self.result = error
        self.is_back.set()

    def knocks(self) -> bool:
        """Wait until it stands before the lock."""
        return self._knocked.wait(5000 * MS)

    def join(self) -> Any:
        self._thread.join(5000 * MS)
        assert self.is_back.is_set()
        return self.result

    def __enter__(self) -> bool:
        if threading.current_thread() is self._thread:
            self._knocked.set()
        return self._lock.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.__exit__(kind, error, trace)

    def locked(self) -> bool:
        return self._lock.locked()


class Inside:
    """A thread that is stopped within `owner.name`, lock in hand, until it is let go."""

    def __init__(self, patch: pytest.MonkeyPatch, owner: type, name: str, call: Callable[[], Any]) -> None:
        self._gate = threading.Lock()
        self._gate.acquire()
        self._entered = threading.Event()
        self.result: Any = None
        real: Callable[..., Any] = getattr(owner, name)

        def stopped(*args: Any, **named: Any) -> Any:
            if threading.current_thread() is self._thread:
                self._entered.set()
                self._gate.acquire()
            return real(*args, **named)

        patch.setattr(owner, name, stopped)
        self._thread = threading.Thread(target=self._run, args=(call,), name="inside")
        self._thread.start()
        assert self._entered.wait(5000 * MS)

    def _run(self, call: Callable[[], Any]) -> None:
        self.result = call()

    def let_go(self) -> Any:
        self._gate.release()
        self._thread.join(5000 * MS)
        assert not self._thread.is_alive()
        return self.result


METHODS: dict[str, Callable[[Mailbox], Any]] = {
    "offer": lambda box: box.offer(note("b")),
    "order": lambda box: box.order(Open()),
    "ring": lambda box: box.ring(),
    "withdraw": lambda box: box.withdraw(MessageRef(HERE, "a")),
    "edit": lambda box: box.edit(MessageRef(HERE, "a"), "edited"),
    "waiting": lambda box: box.waiting(),
    "shut_if_idle": lambda box: box.shut_if_idle(),
    "abandon": lambda box: box.abandon(),
    "take": lambda box: box.take(),
    "take_failed": lambda box: box.take_failed(),
    "drop": lambda box: box.drop(),
    "orders": lambda box: box.orders(),
    "keep": lambda box: box.keep(Open()),
    "move": lambda box: box.move(Event.TAKE),
    "is_shut": lambda box: box.is_shut,
    "refuse": lambda box: box.refuse(),
    "shut": lambda box: box.shut(),
}

# What each of them says once the first message, whose sender was inside, is in the box.
SAYS: dict[str, Any] = {
    "offer": 2,
    "withdraw": note("a"),
    "edit": True,
    "waiting": (note("a"),),
    "shut_if_idle": False,
    "abandon": (note("a"),),
    "take": (note("a"),),
    "take_failed": (note("a"),),
    "drop": (note("a"),),
    "orders": (),
    "is_shut": False,
}


@pytest.mark.parametrize("name", METHODS)
def test_whoever_comes_while_a_message_is_being_left_waits_and_sees_it(
    name: str, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, witness: Witness
) -> None:
    inside = Inside(monkeypatch, Inbox, "put", lambda: mailbox.offer(note("a")))
    second = Second(mailbox, lambda: METHODS[name](mailbox))
    knocks, came_back_early = second.knocks(), second.is_back.is_set()
    assert inside.let_go() == 1
    assert second.join() == SAYS.get(name)
    assert knocks and not came_back_early
    assert witness.faults == []


def test_the_state_can_be_looked_at_without_waiting(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = Inside(monkeypatch, Inbox, "put", lambda: mailbox.offer(note("a")))
    assert mailbox.state is State.IDLE
    assert not mailbox.is_abandoned
    inside.let_go()


def test_a_session_holding_a_note_never_looks_idle(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    mailbox.offer(note("a"))
    inside = Inside(monkeypatch, Inbox, "take", mailbox.take)
    evictor = Second(mailbox, mailbox.shut_if_idle)
    assert evictor.knocks()
    assert inside.let_go() == (note("a"),)
    assert evictor.join() is False
    assert (mailbox.state, mailbox.is_shut) == (State.BUSY, False)


def test_a_message_comes_before_an_eviction_or_is_refused(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = Inside(monkeypatch, Inbox, "__len__", mailbox.shut_if_idle)
    sender = Second(mailbox, lambda: mailbox.offer(note("a")))
    assert sender.knocks()
    assert inside.let_go() is True
    assert isinstance(sender.join(), SessionClosed)
    assert mailbox.waiting() == ()


def test_nothing_is_left_in_a_box_that_is_being_abandoned(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    mailbox.offer(note("a"))
    inside = Inside(monkeypatch, Inbox, "clear", mailbox.abandon)
    sender = Second(mailbox, lambda: mailbox.offer(note("b")))
    assert sender.knocks()
    assert inside.let_go() == (note("a"),)
    assert isinstance(sender.join(), SessionClosed)
    assert mailbox.waiting() == ()


def test_a_ring_that_comes_during_the_last_act_is_silent(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    mailbox.shut()
    inside = Inside(monkeypatch, Bell, "close", mailbox.close)
    ringer = Second(mailbox, mailbox.ring)
    assert ringer.knocks()
    assert inside.let_go() == ((), [])
    assert ringer.join() is None
    assert mailbox.bell.fileno() == -1


def leave(mailbox: Mailbox, name: str) -> bool:
    """Leave a message, as often as it takes; False if the box is shut."""
    while True:
        try:
            mailbox.offer(note(name))
        except InboxFull:
            continue
        except SessionClosed:
            return False
        return True


@pytest.mark.stress
def test_every_message_is_taken_or_refused_whatever_the_threads_do(mailbox: Mailbox) -> None:
    """Eight senders, an impatient evictor and a session: nothing is lost, nothing comes twice."""
    taken: list[str] = []
    refused: list[str] = []

    def send(who: int) -> None:
        refused.extend(name for number in range(200) if not leave(mailbox, name := f"{who}-{number}"))

    def serve() -> None:
        while not mailbox.is_shut or mailbox.waiting():
            if batch := mailbox.take():
                taken.extend(item.ref.id for item in batch)
                mailbox.move(Event.DONE)

    senders = [threading.Thread(target=send, args=(who,)) for who in range(8)]
    session = threading.Thread(target=serve)
    for thread in (session, *senders):
        thread.start()
    while any(thread.is_alive() for thread in senders):
        if len(taken) > 800:
            mailbox.shut_if_idle()
        senders[0].join(1 * MS)
    mailbox.refuse()
    session.join()
    assert sorted(taken + refused) == sorted(f"{who}-{number}" for who in range(8) for number in range(200))
