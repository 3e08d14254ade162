"""What is written down of a reply, and what waits for it: the prompt, and the last pages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from openab_sync.acp import events as acp
from openab_sync.core import reply, session
from openab_sync.core.drawing import Drawing
from openab_sync.core.ledger import ON_DISK
from openab_sync.core.message import Inbound
from openab_sync.core.port import Limits
from openab_sync.core.reply import DRAFT, DRAFTED
from openab_sync.core.state import State
from openab_sync.errors import ChatRefused, ChatTimeout, StoreError
from openab_sync.store import PageRow
from openab_sync.text.redact import Redactor
from tests.core.bed import ANN, Bed, place
from tests.core.paper_ledger import PaperLedger
from tests.core.points import methods, ref
from tests.core.scene import Scene, note
from tests.waiting import until

ONCE = Limits(page=100, live="once")


def written(*, slow: bool = False, limits: Limits | None = None) -> tuple[Scene, PaperLedger]:
    """A reply to a message that is in a ledger."""
    ledger = PaperLedger(slow=slow)
    return Scene(limits, notes=(replace(note(), delivery=1),), ledger=ledger), ledger


def test_a_page_is_written_down_with_the_edit_that_shows_it() -> None:
    scene, ledger = written()
    scene.say("one")
    scene.say(" two")
    scene.go(5)
    shown = [line[1] for line in ledger.lines if line[0] == "draw"]
    assert shown == [
        PageRow(0, "one"), PageRow(0, "one", "out-1", is_shown=True),
        PageRow(0, "one two", "out-1"), PageRow(0, "one two", "out-1", is_shown=True),
    ]  # fmt: skip


def test_the_end_is_written_before_the_last_pages_are_sent() -> None:
    scene, ledger = written(slow=True, limits=ONCE)
    scene.say("all of it")
    scene.end("done")
    scene.go(ON_DISK - 1)
    assert (scene.texts, scene.reply.is_settled) == ([], False)
    assert [page.text for page in ledger.ends[0].pages] == ["all of it"]
    bells = scene.bells
    ledger.owed[-1].set_result(None)
    assert scene.bells > bells, "it rings: nobody has to look"
    scene.refresh()
    assert scene.texts == ["all of it"]


def test_while_the_end_is_being_written_nobody_has_to_look() -> None:
    scene, _ = written(slow=True, limits=ONCE)
    scene.say("all of it")
    scene.end("done")
    assert scene.reply.due() > scene.clock.monotonic()


def test_a_disk_that_fails_holds_no_answer_up() -> None:
    scene, ledger = written(slow=True, limits=ONCE)
    scene.say("all of it")
    scene.end("done")
    ledger.owed[-1].set_exception(StoreError("the disk is full"))
    scene.refresh()
    assert scene.texts == ["all of it"]


def test_a_disk_that_hangs_holds_an_answer_up_for_some_seconds() -> None:
    scene, ledger = written(slow=True, limits=ONCE)
    scene.say("all of it")
    scene.end("done")
    scene.go(ON_DISK - 0.1)
    assert scene.texts == []
    scene.go(0.2)
    assert scene.texts == ["all of it"]
    ledger.owed[-1].set_result(None)
    scene.go(1)
    assert (scene.texts, scene.reply.is_settled) == (["all of it"], True)


def test_while_a_disk_hangs_an_answer_that_streams_is_held_up_once() -> None:
    """Each word of it is one more change that waits: those behind the first are not waited for anew."""
    scene, _ = written(slow=True)
    for second in range(int(ON_DISK) + 2):
        scene.say(f"{second} ")
        scene.go(1)
        assert bool(scene.texts) == (second >= ON_DISK - 1)
    scene.say("end")
    scene.go(2)
    assert scene.texts[0].endswith("end"), "what comes later is shown as it comes"


def test_it_is_closed_when_all_of_it_is_out() -> None:
    scene, ledger = written()
    scene.say("one")
    scene.end("done")
    scene.go(5)
    assert ledger.words()[-1] == "close"
    assert ledger.lines[-1] == ("close", True)
    assert ledger.words().count("close") == 1


def test_late_text_opens_it_again() -> None:
    scene, ledger = written()
    scene.say("one")
    scene.end("done")
    scene.go(5)
    scene.say(" two")
    scene.go(5)
    assert [[page.text for page in end.pages] for end in ledger.ends] == [["one"], ["one two"]]
    assert ledger.words().count("close") == 2


def test_a_reply_that_cannot_be_delivered_is_accounted_for() -> None:
    scene, ledger = written(limits=ONCE)
    scene.platform.fail_next(ChatRefused("no"), what="post")
    scene.say("one")
    scene.end("done")
    scene.go(5)
    assert ledger.lines[-1] == ("close", False)


def test_files_that_are_not_out_are_written_down_until_they_are() -> None:
    scene, ledger = written()
    scene.platform.fail_next(ChatTimeout("slow"), what="upload")
    scene.say("one")
    scene.take(acp.Media("image", "image/png", "aGVsbG8="))
    scene.end("done")
    scene.go(5)
    (file,) = ledger.ends[0].files
    assert (file.number, file.name, file.data) == (1, "image.png", b"hello")
    assert ("sent", 1) in ledger.lines
    assert ledger.words().index("sent") < ledger.words().index("close")


def test_of_a_message_that_is_in_no_ledger_nothing_is_written() -> None:
    ledger = PaperLedger()
    scene = Scene(ledger=ledger)
    scene.say("one")
    scene.end("done")
    scene.go(5)
    assert ledger.lines == []


# Where nobody sees anything of an answer before it is whole.


def drafts(ledger: PaperLedger) -> list[object]:
    return [line[1] for line in ledger.lines if line[0] == "draft"]


def test_what_an_answer_says_so_far_is_written_down_every_few_seconds() -> None:
    scene, ledger = written(limits=ONCE)
    scene.say("one")
    scene.go(DRAFT - 0.1)
    assert drafts(ledger) == [], "a short turn costs nothing"
    scene.go(0.2)
    for word in (" two", " three"):
        scene.say(word)
    assert drafts(ledger) == ["one"]
    scene.go(DRAFT)
    scene.go(10 * DRAFT)
    assert drafts(ledger) == ["one", "one two three"], "and nothing while nothing is said"
    scene.end("done")
    scene.go(5)
    assert (scene.texts, len(drafts(ledger))) == (["one two three"], 2)


def test_of_a_long_answer_it_is_written_down_so_seldom_that_the_disk_has_little_to_do() -> None:
    scene, ledger = written(limits=replace(ONCE, page=2000))
    for _ in range(100):
        scene.say("x" * 9999 + "\n")
        scene.go(1)
    assert 3 <= len(drafts(ledger)) <= 15
    assert sum(len(str(text)) for text in drafts(ledger)[:-1]) <= 100 * DRAFTED


def test_a_slow_disk_gets_the_next_draft_when_it_has_the_last() -> None:
    scene, ledger = written(slow=True, limits=ONCE)
    for _ in range(5):
        scene.say("x")
        scene.go(DRAFT + 1)
    assert drafts(ledger) == ["x"]
    ledger.owed[-1].set_exception(StoreError("the disk is full"))
    scene.go(DRAFT + 1)
    assert drafts(ledger) == ["x", "x" * 5]


def test_an_answer_that_people_see_grow_has_pages_and_no_draft() -> None:
    scene, ledger = written()
    scene.say("one")
    scene.go(10 * DRAFT)
    assert drafts(ledger) == []


def test_what_the_platform_draws_by_itself_is_on_record_whole_at_the_end() -> None:
    scene, ledger = written(limits=Limits(live="events"))
    scene.say("one")
    scene.go(DRAFT)
    scene.say(" two")
    scene.end("done")
    assert (drafts(ledger), ledger.ends[0].draft) == (["one"], "one two")


@pytest.mark.parametrize(("limits", "owed"), [(ONCE, 1), (Limits(live="events"), 0)], ids=["posted", "drawn"])
def test_nobody_is_owed_what_the_platform_has_drawn_by_itself(limits: Limits, owed: int) -> None:
    """Else it would be told, without a restart, that it was said before one."""
    scene, _ = written(slow=True, limits=limits)
    scene.say("all of it")
    assert scene.reply.hand_over(scene.turn) == []
    scene.end("done")
    assert len(scene.reply.hand_over(scene.turn)) == owed


def test_nothing_is_drafted_that_may_be_the_head_of_a_secret() -> None:
    ledger = PaperLedger()
    drawing = Drawing(redact=Redactor(["sesame-open-99"]))
    scene = Scene(ONCE, drawing, notes=(replace(note(), delivery=1),), ledger=ledger)
    scene.say("it is sesame-op")
    scene.go(DRAFT)
    assert drafts(ledger) == ["it is "]


# In a session.


def say(bed: Bed, text: str, number: int = 1) -> None:
    bed.broker.receive(Inbound(ref(number), ANN, text, delivery=number))


def test_the_agent_hears_of_a_message_when_that_is_written_down(tmp_path: Path) -> None:
    log, ledger = tmp_path / "log", PaperLedger(slow=True)
    with Bed("--log", str(log), ledger=ledger) as bed:
        say(bed, "hello")
        until(lambda: "start" in ledger.words())
        bed.until_state(State.BUSY)
        assert "session/prompt" not in methods(log)
        ledger.slow = False
        ledger.owed[-1].set_result(None)
        until(bed.ends)
        assert methods(log).count("session/prompt") == 1


def test_a_disk_that_fails_keeps_no_message_from_its_agent() -> None:
    ledger = PaperLedger(slow=True)
    with Bed(ledger=ledger) as bed:
        say(bed, "hello")
        until(lambda: "start" in ledger.words())
        ledger.slow = False
        ledger.owed[-1].set_exception(StoreError("the disk is full"))
        until(bed.ends)
        assert bed.ends()[0].outcome == "done"


def test_who_cancels_before_it_is_written_down_has_cancelled(tmp_path: Path) -> None:
    log, ledger = tmp_path / "log", PaperLedger(slow=True)
    with Bed("--log", str(log), ledger=ledger) as bed:
        say(bed, "hello")
        until(lambda: "start" in ledger.words())
        start = ledger.owed[-1]
        assert bed.command("cancel").ok
        ledger.slow = False
        start.set_result(None)
        until(bed.ends)
        assert bed.ends()[0].outcome == "cancelled"
        assert not {"session/prompt", "session/cancel"} & set(methods(log))
        assert [end.outcome for end in ledger.ends] == ["cancelled"]


def test_what_waits_when_the_house_closes_goes_on_afterwards_and_that_is_said_once() -> None:
    ledger = PaperLedger()
    with Bed(ledger=ledger) as bed:
        say(bed, "hang")
        bed.until_state(State.BUSY)
        say(bed, "second", 2)
        say(bed, "third", 3)
        assert bed.app.stop()
        say(bed, "fourth", 4)
        assert [text for text in bed.notices() if "goes on afterwards" in text] == [bed.notices()[-1]]
    assert "fail" not in ledger.words() and "withdraw" not in ledger.words()
    assert [end.outcome for end in ledger.ends] == ["cancelled"]


def test_what_is_dropped_is_written_down() -> None:
    ledger = PaperLedger()
    with Bed(ledger=ledger) as bed:
        say(bed, "hang")
        bed.until_state(State.BUSY)
        for number in (2, 3, 4):
            say(bed, "more", number)
        bed.broker.edit(ref(2), "other words")
        bed.broker.withdraw(ref(2))
        bed.command("cancel-all")
        until(lambda: ledger.words().count("withdraw") == 3)
    assert ("edit", "m2", "other words") in ledger.lines
    assert sorted(line[1:] for line in ledger.lines if line[0] == "withdraw") == [(2,), (3,), (4,)]


@pytest.mark.parametrize("limit", [1])
def test_what_is_turned_away_is_written_down_as_told(limit: int) -> None:
    ledger = PaperLedger()
    with Bed(ledger=ledger, pool={"max_buffered_messages": limit}) as bed:
        say(bed, "hang")
        bed.until_state(State.BUSY)
        say(bed, "fits", 2)
        say(bed, "one too many", 3)
        assert ("fail", 3) in ledger.lines
        assert bed.notices(), place()


def test_a_session_wakes_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reply, "DRAFT", 0.05)
    ledger = PaperLedger()
    with Bed(ledger=ledger, limits=ONCE) as bed:
        say(bed, "say half of it\nhang")
        until(lambda: drafts(ledger) == ["half of it"])


def test_a_disk_that_hangs_is_told_and_keeps_no_message_from_its_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "ON_DISK", 0.05)
    ledger = PaperLedger(slow=True)
    with Bed(ledger=ledger) as bed:
        say(bed, "say hello")
        until(bed.ends)
        assert bed.ends()[0].outcome == "done"
        assert [text for text in bed.notices() if "could not be written down yet" in text]
        for done in ledger.owed:
            done.set_result(None)
