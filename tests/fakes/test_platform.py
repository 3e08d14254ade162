"""The fake platform keeps its own promises: it is a port like any other, and it sees every rule that is broken."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from openab_sync.acp.events import Said
from openab_sync.core.message import Conversation, MessageRef, Person
from openab_sync.core.port import ChatPort, Decision, File, Limits, Question
from openab_sync.errors import ChatRefused, ChatTimeout
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FakePlatform

HERE, THERE = Conversation("fake", "1"), Conversation("fake", "2")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def platform(clock: FakeClock) -> FakePlatform:
    return FakePlatform(clock)


@pytest.fixture
def threaded(clock: FakeClock) -> Iterator[FakePlatform]:
    platform = FakePlatform(clock, threaded=True)
    yield platform
    platform.close()


def question(id: str = "q1") -> Question:
    return Question(id, HERE, "title", "detail", ())


def test_it_is_a_port_and_keeps_messages_in_order(platform: FakePlatform, clock: FakeClock) -> None:
    port: ChatPort = platform
    asked = MessageRef(HERE, "in-1")
    first = port.post(HERE, "one", reply_to=asked).result()
    port.post(THERE, "elsewhere")
    port.post(HERE, "two")
    clock.advance(2)
    port.edit(first, "one, edited").result()
    port.upload(HERE, File("a.png", b"1"))
    port.rename(HERE, "title")
    assert platform.texts(HERE) == ["one, edited", "two"]
    assert platform.texts(THERE) == ["elsewhere"]
    assert [file.name for file in platform.files(HERE)] == ["a.png"]
    assert platform.messages(HERE)[0].reply_to == asked
    assert platform.titles == {HERE: "title"}
    assert [round(op.at - platform.ops[0].at) for op in platform.ops] == [0, 0, 0, 2, 2, 2]
    assert platform.violations == []
    platform.close()


def test_the_same_nonce_makes_one_message(platform: FakePlatform) -> None:
    first = platform.post(HERE, "a", nonce="n").result()
    assert platform.post(HERE, "b", nonce="n").result() == first
    assert platform.texts(HERE) == ["a"]


def test_what_is_held_takes_effect_when_it_is_released(platform: FakePlatform) -> None:
    platform.hold()
    first, second = platform.post(HERE, "a"), platform.post(THERE, "b")
    assert platform.texts(HERE) == []
    assert [op.text for op in platform.held] == ["a", "b"]
    platform.release(platform.held[1])
    assert second.done()
    assert not first.done()
    platform.release()
    platform.post(HERE, "c")
    platform.release_all()
    platform.post(HERE, "d")
    assert platform.texts(HERE) == ["a", "c", "d"]


def test_faults_are_met_once_and_by_name(platform: FakePlatform) -> None:
    platform.fail_next(ChatRefused("no"), what="edit")
    ref = platform.post(HERE, "a").result()
    assert isinstance(platform.edit(ref, "b").exception(), ChatRefused)
    platform.fail_next(ChatTimeout("slow"), half_done=True)
    assert isinstance(platform.post(HERE, "c").exception(), ChatTimeout)
    assert platform.texts(HERE) == ["a", "c"]
    platform.drop_next()
    assert not platform.post(THERE, "lost").done()
    assert platform.texts(THERE) == []
    platform.refuse_edits = True
    assert isinstance(platform.edit(ref, "d").exception(), ChatRefused)


@pytest.mark.parametrize(
    ("limits", "break_it", "rule"),
    [
        (Limits(page=3), lambda port, ref: port.post(HERE, "long"), "a page of 4 characters, 3 allowed"),
        (Limits(), lambda port, ref: port.post(HERE, " \n"), "a page with nothing on it"),
        (Limits(), lambda port, ref: port.post(HERE, "x", nonce="n" * 26), "a nonce of 26 characters"),
        (Limits(live="once"), lambda port, ref: port.edit(ref, "y"), "an edit where replies are live=once"),
        (Limits(live="events"), lambda port, ref: None, "a message where the platform draws by itself"),
        (
            Limits(),
            lambda port, ref: port.event(HERE, Said("x")),
            "an event where the platform does not draw by itself",
        ),
        (
            Limits(),
            lambda port, ref: [port.hold(), port.post(HERE, "a"), port.upload(HERE, File("b", b""))],
            "upload while post is in flight",
        ),
        (
            Limits(),
            lambda port, ref: [port.hold(), port.react(ref, "a", True), port.react(ref, "b", True)],
            "two reactions in flight on one message",
        ),
        (
            Limits(),
            lambda port, ref: [port.edit(ref, "a"), port.edit(ref, "b")],
            "out-1 was edited twice within 1.2 s",
        ),
    ],
)
def test_every_rule_that_is_broken_is_written_down(
    limits: Limits, break_it: object, rule: str, clock: FakeClock
) -> None:
    assert callable(break_it)
    platform = FakePlatform(clock, limits)
    ref = platform.post(HERE, "x").result()
    break_it(platform, ref)
    assert platform.violations == [rule]


def test_operations_of_two_conversations_may_be_in_flight_together(platform: FakePlatform) -> None:
    platform.hold()
    platform.post(HERE, "a")
    platform.post(THERE, "b")
    platform.react(MessageRef(HERE, "1"), "x", True)
    platform.react(MessageRef(HERE, "2"), "x", True)
    platform.typing(HERE)
    assert platform.violations == []


def test_reactions_come_and_go(platform: FakePlatform) -> None:
    ref = MessageRef(HERE, "1")
    for emoji, on in (("a", True), ("a", True), ("b", True), ("a", False), ("c", False)):
        platform.react(ref, emoji, on)
    assert platform.reactions[ref] == ["b"]


def test_questions_are_answered_by_people(platform: FakePlatform) -> None:
    person = Person("1", "Ann")
    first, second = platform.ask(question("q1")), platform.ask(question("q2"))
    assert platform.until_question().id == "q2"
    platform.answer(question("q2"), "yes", person)
    assert second.result() == Decision("yes", person)
    assert not first.done()
    platform.settle(question("q1"), "withdrawn")
    assert [(item.id, text) for item, text in platform.settled] == [("q1", "withdrawn")]
    platform.fail_next(ChatRefused("no"), what="ask")
    assert isinstance(platform.ask(question("q3")).exception(), ChatRefused)


def test_with_a_thread_of_its_own_futures_are_completed_there(threaded: FakePlatform) -> None:
    threaded.post(HERE, "hello")
    threaded.until_text(HERE, "hell")
    assert threaded.texts(HERE) == ["hello"]


def test_what_never_comes_is_told(platform: FakePlatform) -> None:
    with pytest.raises(AssertionError, match="FakePlatform"):
        platform.until_text(HERE, "x", timeout=0.001)


def test_a_platform_that_draws_by_itself_keeps_events(clock: FakeClock) -> None:
    platform = FakePlatform(clock, Limits(live="events"))
    platform.event(HERE, Said("x"))
    assert platform.events == [(HERE, Said("x"))]
    assert platform.violations == []
