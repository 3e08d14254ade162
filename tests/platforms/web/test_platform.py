from __future__ import annotations

import getpass
from dataclasses import replace
from pathlib import Path

import pytest

from openab_sync.clock import SystemClock
from openab_sync.core.ledger import Journaled
from openab_sync.core.message import Conversation
from openab_sync.core.port import Limits
from openab_sync.platforms.web import platform as module
from openab_sync.platforms.web.entries import Asked, Call, Message, Sentence, Stopped, Words
from openab_sync.platforms.web.platform import Seats, Web
from openab_sync.status.feed import STREAMS
from openab_sync.status.server import THREADS
from openab_sync.store import Store, open_books
from tests.fakes.platform import FakePlatform
from tests.waiting import until

from .bed import DEMO, Bed, page
from .makers import ANN, note, ref

FAR = Conversation("test", "9")


def test_what_was_accepted_before_a_restart_is_answered_after_it(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    books = open_books(store)
    ledger = Journaled(books.deliveries, books.replies)
    for number, text in ((1, "say this was waiting"), (2, "say this, too")):
        delivery, safe = ledger.accept(ref(number), ANN, text, {})
        safe.result(10)
        if number == 1:  # the other had been written down, and no more
            ledger.complete(replace(note(number, text), delivery=delivery))
    with page(tmp_path, ledger=ledger) as bed:
        bed.web.take_up()
        bed.until_text("this was waiting")
        bed.until_text("this, too")
        until(lambda: [m.fate for m in bed.contents() if isinstance(m, Message)] == ["answered", "answered"])
    assert store.close()


def test_what_is_written_while_it_is_taken_up_comes_behind_it(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    books = open_books(store)
    number, safe = Journaled(books.deliveries, books.replies).accept(ref(1), ANN, "say first", {})
    safe.result(10)
    with page(tmp_path, store=store) as bed:
        assert bed.write("say second").data["state"] == "queued"
        assert not bed.app.broker.snapshot().sessions, "it waits, though there is room"
        bed.web.take_up()
        bed.until_text("second")
        assert bed.text().split() == ["first", "second"]
        until(lambda: not books.deliveries.waiting())
    assert store.close() and number == 1


def test_there_are_always_threads_for_other_requests_than_streams() -> None:
    assert module.SEATS + STREAMS + 2 < THREADS


def test_there_are_so_many_seats_and_no_more() -> None:
    seats = Seats(2)
    assert [seats.take(), seats.take(), seats.take()] == [True, True, False]
    seats.give_back()
    assert seats.take()


def test_a_page_that_was_never_started_keeps_nothing_and_ends_at_once(tmp_path: Path) -> None:
    web = Web(tmp_path)
    web.faulted(FAR, "It died.")
    assert web.hall.arrivals.empty()
    assert web.stop()


def test_files_that_cannot_be_deleted_are_not_said_to_be_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(tmp_path / "store")
    try:
        with page(tmp_path, store=store) as bed:
            bed.write("say hello")
            bed.until_text("hello")
            until(lambda: not bed.app.broker.snapshot().sessions[0].turn_started)
            monkeypatch.setattr(module, "remove", lambda _: False)
            bed.write("/forget here")
            told = "Not all of it could be deleted: the disk does not take it. Please try again."
            until(lambda: [Sentence(told, ok=False)] == bed.contents(), what="it is told")
    finally:
        assert store.close()


def test_the_dashboard_says_whom_people_talk_to_and_what_to_try(tmp_path: Path) -> None:
    with page(tmp_path, chips=(("Try", "slow 5"),)) as bed:
        house = bed.look()["house"]
        assert (house["agent"], house["chips"], house["cards"]) == ("Test agent", [["Try", "slow 5"]], [])


def test_people_have_a_name_even_where_their_user_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: dict[str, str]()["nobody"])
    assert module._me().name.isdecimal()


def test_a_whole_turn_of_a_real_agent_is_seen(tmp_path: Path) -> None:
    with page(tmp_path, command=DEMO) as bed:
        bed.write("plan then edit")
        question = until(lambda: bed.look()["house"]["questions"])[0]
        assert bed.look()["house"]["cards"][0]["state"] == "asking"
        allowed = next(option for option in question["options"] if option["kind"] == "allow_once")
        bed.ask("/web/answers", {"question": question["question"], "option": allowed["id"]})
        until(lambda: isinstance(bed.contents()[-1], Stopped))
        kinds = {type(item) for item in bed.contents()}
        assert {Message, Words, Call, Asked, Stopped} <= kinds
        assert any(call.changes for call in bed.contents() if isinstance(call, Call))
        until(lambda: bed.look()["house"]["cards"][0]["state"] == "idle")


def test_two_conversations_work_at_once(tmp_path: Path) -> None:
    with page(tmp_path) as bed:
        bed.write("say begun\nhang", "web:1")
        bed.until_text("begun", "web:1")
        bed.write("say quick", "web:2")
        bed.until_text("quick", "web:2")
        states = {card["key"]: card["state"] for card in bed.look()["house"]["cards"]}
        assert states["web:1"] == "working"


def test_conversations_of_other_platforms_are_seen_and_their_questions_answered(tmp_path: Path) -> None:
    """The platform itself does what it always does."""
    port = FakePlatform(SystemClock(), Limits(edit_interval=0.01, controls=True))
    with page(tmp_path, others={"test": port}) as bed:
        bed.app.broker.receive(note(1, "say hello\nask", place=FAR))
        question = until(lambda: bed.look()["house"]["questions"])[0]
        assert (question["where"], port.until_question().id) == ("say hello ask", question["question"])
        option = question["options"][0]["id"]
        assert bed.ask("/web/answers", {"question": question["question"], "option": option}).code == 200
        until(lambda: "end" in drawn(bed))
        kinds = drawn(bed)
        assert (kinds[0], kinds[-1], "said" in kinds, "question" in kinds) == ("message", "end", True, False)
        port.until(lambda: len(port.settled) == 1 and port.settled[0][1].startswith(question["options"][0]["name"]))
        [card] = bed.look()["house"]["cards"]
        assert (card["key"], card["who"], bool(card["words"])) == ("test:9", "Ann", True)
        told = bed.ask("/web/orders", {"conversation": "test:9", "name": "queue"})
        assert (told.code, told.data["text"]) == (202, "Nothing waits here.")
        assert bed.write("not from here", "test:9").code == 409
        bed.app.broker.receive(note(2, "error", place=FAR))
        [fault] = until(lambda: bed.look()["house"]["faults"])
        assert fault["key"] == "test:9"
        bed.app.broker.receive(note(3, "crash", place=FAR))
        until(lambda: not bed.app.broker.snapshot().sessions)
        until(lambda: ["ended" in fault["text"] for fault in bed.look()["house"]["faults"]] == [True])
        [fault] = bed.look()["house"]["faults"]  # that of the turn went with the session
        assert fault["key"] == "test:9"
    assert port.violations == []


def drawn(bed: Bed) -> list[str]:
    room = bed.look("test:9")["room"]
    return [entry["kind"] for entry in room["entries"]] if room else []


def test_a_death_is_a_fault_on_the_dashboard(tmp_path: Path) -> None:
    with page(tmp_path) as bed:
        bed.write("say begun\ncrash")
        [fault] = until(lambda: bed.look()["house"]["faults"])
        assert fault["key"] == "web:1"
        assert fault["text"]


def test_what_somebody_wants_forgotten_goes_from_the_page_its_files_and_the_journal(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    try:
        with page(tmp_path, store=store) as bed:
            for key in ("web:1", "web:2"):
                bed.write("say hello", key, [bed.upload("notes.bin", bytes(range(256)), key)])
                bed.until_text("hello", key)
            before = bed.look()["room"]["entries"][-1]["id"]
            until(lambda: not bed.app.broker.snapshot().sessions[0].turn_started)
            bed.write("/forget here")
            until(lambda: [Sentence("Forgotten: 1 conversation.")] == bed.contents(), what="only that is left")
            assert bed.look()["room"]["first"] > before, "pages that showed it let go of it"
            assert [path.parent.name for path in (tmp_path / "inbox").rglob("notes*")] == ["web_2"]
            rows = store.read(lambda db: db.execute("SELECT conversation FROM deliveries").fetchall())
            assert rows == [("web:2",)]
            assert "hello" in bed.text("web:2")
    finally:
        assert store.close()


def test_files_are_kept_as_long_as_is_wanted(tmp_path: Path) -> None:
    with page(tmp_path) as bed:
        bed.write("say hello", files=[bed.upload("notes.bin", bytes(range(256)))])
        bed.until_text("hello")
        (file,) = (tmp_path / "inbox").rglob("notes*")
        bed.web.tidy(60.0)
        assert file.exists()
        bed.web.tidy(-60.0)
        assert not file.exists()
