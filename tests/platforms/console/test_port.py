from __future__ import annotations

import pytest

from openab_sync.core.port import ChatPort, Decision, File, Notice
from openab_sync.errors import ChatRefused
from openab_sync.platforms.console.port import AskedOf, ConsolePort, Happened, SettledBy

from .stub import ME, ONE, question


def test_the_console_draws_by_itself_and_is_a_chat_port() -> None:
    port: ChatPort = ConsolePort(can_ask=True)
    limits = port.limits(ONE)
    assert (limits.live, limits.can_ask, limits.reactions) == ("events", True, False)
    assert limits.typing_interval is None


def test_what_happens_arrives_in_order() -> None:
    port = ConsolePort(can_ask=True)
    for text in ("a", "b"):
        port.event(ONE, Notice(text))
    assert [port.arrivals.get_nowait() for _ in "ab"] == [Happened(ONE, Notice("a")), Happened(ONE, Notice("b"))]


def test_a_question_is_answered_through_its_future() -> None:
    port = ConsolePort(can_ask=True)
    answer = port.ask(question())
    arrived = port.arrivals.get_nowait()
    assert isinstance(arrived, AskedOf)
    arrived.answer.set_result(Decision("yes", ME))
    assert answer.result(0) == Decision("yes", ME)


def test_without_a_person_a_question_is_refused_at_once() -> None:
    port = ConsolePort(can_ask=False)
    assert isinstance(port.ask(question()).exception(0), ChatRefused)
    assert port.arrivals.empty()


def test_the_end_of_a_question_arrives() -> None:
    port = ConsolePort(can_ask=True)
    assert port.settle(question(), "too late").done()
    assert port.arrivals.get_nowait() == SettledBy(question(), "too late")


def test_posts_edits_and_files_are_shown_as_sentences() -> None:
    port = ConsolePort(can_ask=True)
    first, second = port.post(ONE, "one").result(0), port.post(ONE, "two", reply_to=None, nonce="n").result(0)
    assert first != second
    port.edit(first, "three").result(0)
    port.upload(ONE, File("a.png", b"1234")).result(0)
    shown = [port.arrivals.get_nowait() for _ in range(4)]
    assert shown == [Happened(ONE, Notice(text)) for text in ("one", "two", "three", "📎 a.png, 4 bytes")]


@pytest.mark.parametrize("sign", ["react", "typing", "rename"])
def test_what_a_terminal_has_no_room_for_is_done_at_once(sign: str) -> None:
    port = ConsolePort(can_ask=True)
    ref = port.post(ONE, "x").result(0)
    port.arrivals.get_nowait()
    futures = {"react": port.react(ref, "👀", True), "typing": port.typing(ONE), "rename": port.rename(ONE, "t")}
    assert futures[sign].done()
    assert futures[sign].exception() is None
    assert port.arrivals.empty()
