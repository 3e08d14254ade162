"""Sentences that belong to no turn, and the mark that says "got it"."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from openab_sync.config.schema import Config
from openab_sync.core.hourglass import Hourglass
from openab_sync.core.ledger import ON_DISK
from openab_sync.core.message import MessageRef, Person
from openab_sync.core.notices import break_off, forget_mark, mark, name, refuse, say_refused, tell, tell_dropped
from openab_sync.core.port import Limits, Notice, TurnEnded
from openab_sync.core.state import State
from openab_sync.errors import ChatError, ChatRefused, ChatTimeout
from tests.core.bed import ANN, BOB, Bed, place
from tests.core.makers import ANNA, BEN, HERE, house, note
from tests.core.paper_ledger import PaperLedger
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FakePlatform


@pytest.fixture
def port() -> FakePlatform:
    return FakePlatform(FakeClock())


def test_a_sentence_is_posted_as_an_answer_to_its_message(port: FakePlatform) -> None:
    tell(port, HERE, "All agents are busy.", note("m").ref)
    assert [(item.text, item.reply_to) for item in port.messages(HERE)] == [("All agents are busy.", note("m").ref)]


def test_a_platform_that_draws_by_itself_is_told() -> None:
    port = FakePlatform(FakeClock(), Limits(live="events"))
    tell(port, HERE, "All agents are busy.")
    assert port.events == [(HERE, Notice("All agents are busy."))]
    assert port.violations == []


def test_a_mark_is_put_and_taken_back(port: FakePlatform) -> None:
    inn = house(FakeClock())
    assert mark(inn, port, note("m").ref).done()
    assert port.reactions[note("m").ref] == ["👀"]
    forget_mark(inn, port, note("m"))
    assert port.reactions[note("m").ref] == []


def test_who_is_refused_is_told_when_that_is_written_and_it_is_over_when_that_shows(port: FakePlatform) -> None:
    ledger = PaperLedger(slow=True)
    inn = replace(house(FakeClock()), ledger=ledger)
    one = replace(note("m"), delivery=7)
    mark(inn, port, one.ref)
    port.hold()
    refuse(inn, port, one, "Not now.")
    assert (ledger.words(), port.ops[1:]) == (["refuse"], [])
    ledger.owed[0].set_result(None)
    assert ledger.words() == ["refuse"]
    port.release_all()
    assert ledger.lines == [("refuse", 7, "Not now."), ("fail", 7)]
    assert port.texts(HERE) == ["Not now."]
    assert port.reactions[one.ref] == []


def test_a_disk_that_hangs_keeps_nobody_from_knowing_that_they_are_refused(port: FakePlatform) -> None:
    clock, ledger = FakeClock(), PaperLedger(slow=True)
    inn = replace(house(clock), ledger=ledger, hourglass=Hourglass(clock))
    refuse(inn, port, replace(note("m"), delivery=7), "Not now.")
    clock.advance(ON_DISK)
    assert port.texts(HERE) == []
    inn.hourglass.look()
    assert port.texts(HERE) == ["Not now."]
    ledger.owed[0].set_result(None)
    assert port.texts(HERE) == ["Not now."], "once"
    assert ledger.words() == ["refuse", "fail"]


def test_who_is_told_again_that_they_are_refused_reads_it_once(port: FakePlatform) -> None:
    inn, one = house(FakeClock()), replace(note("m"), delivery=7)
    for _ in range(2):
        say_refused(inn, port, one, "Not now.")
    assert port.texts(HERE) == ["Not now."]


@pytest.mark.parametrize(("error", "words"), [(ChatRefused("no"), ["fail"]), (ChatTimeout("no"), [])], ids=repr)
def test_who_cannot_be_told_just_now_is_told_after_the_next_start(
    port: FakePlatform, error: ChatError, words: list[object]
) -> None:
    ledger = PaperLedger()
    port.fail_next(error, what="post")
    say_refused(replace(house(FakeClock()), ledger=ledger), port, replace(note("m"), delivery=7), "Not now.")
    assert ledger.words() == words


@pytest.mark.parametrize(
    ("limits", "config"),
    [(Limits(reactions=False), {}), (Limits(), {"reactions": {"enabled": False}})],
    ids=["the platform has none", "they are switched off"],
)
def test_without_reactions_nothing_is_marked(limits: Limits, config: dict[str, object]) -> None:
    port = FakePlatform(FakeClock(), limits)
    inn = house(FakeClock(), msgspec.convert(config, Config))
    assert mark(inn, port, note("m").ref).done()
    forget_mark(inn, port, note("m"))
    assert port.ops == []


@pytest.mark.parametrize("error", [ChatRefused("no"), ChatTimeout("silence")], ids=repr)
def test_what_the_chat_does_not_take_costs_a_line(
    error: ChatRefused, port: FakePlatform, caplog: pytest.LogCaptureFixture
) -> None:
    port.fail_next(error)
    tell(port, HERE, "hello")
    port.fail_next(error)
    mark(house(FakeClock()), port, note("m").ref)
    expected = f"test:1: a notice was not delivered: {error}"
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [(logging.WARNING, expected)] * 2


def test_a_notice_that_a_closing_platform_gives_up_is_no_complaint(
    port: FakePlatform, caplog: pytest.LogCaptureFixture
) -> None:
    port.hold()
    tell(port, HERE, "hello")
    assert port.held[0].future.cancel()
    assert caplog.records == []


def test_telling_waits_for_nobody(port: FakePlatform) -> None:
    port.hold()
    tell(port, HERE, "hello")
    assert port.texts(HERE) == []
    port.release_all()
    assert port.texts(HERE) == ["hello"]


def hanging(turn_started: float | None) -> Any:
    """What is looked at of a session that cannot speak for itself."""
    mailbox, snapshot = SimpleNamespace(begun=(note("m"),)), SimpleNamespace(turn_started=turn_started)
    return SimpleNamespace(conversation=HERE, mailbox=mailbox, snapshot=snapshot)


def test_whoever_waits_for_the_end_of_a_turn_gets_it_from_a_session_that_hangs() -> None:
    port = FakePlatform(FakeClock(), Limits(live="events"))
    break_off(port, hanging(turn_started=1.0), "It hangs.")
    break_off(port, hanging(turn_started=None), "It hung.")
    assert port.events == [(HERE, TurnEnded((note("m").ref,), "stalled", "It hangs.")), (HERE, Notice("It hung."))]


def test_where_pages_are_posted_a_session_that_hangs_is_a_sentence(port: FakePlatform) -> None:
    break_off(port, hanging(turn_started=1.0), "It hangs.")
    assert port.texts(HERE) == ["It hangs."]


def test_a_title_is_given_and_a_platform_that_refuses_it_costs_a_line(
    port: FakePlatform, caplog: pytest.LogCaptureFixture
) -> None:
    name(port, HERE, "A title")
    port.fail_next(ChatRefused("too often"), what="rename")
    name(port, HERE, "Another")
    assert port.titles == {HERE: "A title"}
    assert "a title was not given: too often" in caplog.text


def test_whoever_did_not_drop_their_own_messages_is_told_once(port: FakePlatform) -> None:
    cleo = Person("c", "Cleo")
    notes = [note("1", by=BEN), note("2"), note("3", by=cleo), note("4", by=BEN), note("5", by=BEN)]
    tell_dropped({"test": port}, notes, ANNA)
    assert [(item.text, item.reply_to) for item in port.messages(HERE)] == [
        ("Dropped by Anna: this message and 2 more of yours will not be answered.", note("1").ref),
        ("Dropped by Anna: this message will not be answered.", note("3").ref),
    ]


@pytest.mark.parametrize("by", [None, Person("", "deleting the message"), BEN], ids=["nobody", "a deletion", "Ben"])
def test_what_nobody_else_dropped_is_not_told(by: Person | None, port: FakePlatform) -> None:
    tell_dropped({"test": port}, [note("1", by=BEN)], by)
    assert port.ops == []


@pytest.mark.parametrize("how", ["at its session", "withdrawn", "in line"])
def test_somebody_elses_message_that_is_dropped_gets_a_reply(how: str, tmp_path: Path) -> None:
    """Wherever it waits, and whichever way it is dropped."""
    begin, limits = tmp_path / "begin", Limits(live="once", typing_interval=None)
    with Bed("--slow-new-on", str(begin), limits=limits, pool={"max_sessions": 1}) as bed:
        bed.say("say first")
        bed.until_state(State.STARTING)
        where = "2" if how == "in line" else "1"  # there it waits for a room, without a session
        bed.say("say never", to=where, by=BOB)
        ref = MessageRef(place(where), "m2")
        bed.port.until(lambda: all(op.future.done() for op in bed.port.ops))
        if how == "withdrawn":
            assert bed.broker.withdraw(ref, ANN)
        else:
            assert bed.command("cancel-all", at=where).ok
        text = "Dropped by Ann: this message will not be answered."
        bed.port.until(lambda: (text, ref) in [(item.text, item.reply_to) for item in bed.port.messages(place(where))])
        bed.port.until(lambda: bed.port.reactions.get(ref) == [] and all(op.future.done() for op in bed.port.ops))
        begin.touch()
        assert sum(text == item for item in bed.port.texts(place(where))) == 1
