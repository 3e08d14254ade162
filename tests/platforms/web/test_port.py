from __future__ import annotations

from queue import SimpleQueue

from openab_sync.acp import events as acp
from openab_sync.core.port import ChatPort, Controls, Decision, File, Notice
from openab_sync.platforms.web.port import Arrival, AskedOf, Happened, Made, Offered, SettledBy, WebPort

from .makers import ANN, ONE, question


def arrived(queue: SimpleQueue[Arrival]) -> list[Arrival]:
    return [queue.get_nowait() for _ in range(queue.qsize())]


def test_the_page_draws_by_itself_and_is_a_chat_port() -> None:
    port: ChatPort = WebPort(SimpleQueue())
    limits = port.limits(ONE)
    assert (limits.live, limits.can_ask, limits.reactions, limits.typing_interval) == ("events", True, False, None)


def test_all_that_the_core_says_arrives_in_order() -> None:
    queue: SimpleQueue[Arrival] = SimpleQueue()
    port = WebPort(queue)
    port.event(ONE, acp.Said("a"))
    posted = port.post(ONE, "b").result(0)
    port.edit(posted, "c")
    port.upload(ONE, File("d.txt", b"d"))
    for future in (port.react(posted, "x", True), port.typing(ONE), port.rename(ONE, "t")):
        assert future.result(0) is None
    assert arrived(queue) == [
        Happened(ONE, acp.Said("a")),
        Happened(ONE, Notice("b")),
        Happened(ONE, Notice("c")),
        Made(ONE, File("d.txt", b"d")),
    ]


def test_a_sentence_with_which_limits_are_lifted_says_whose() -> None:
    queue: SimpleQueue[Arrival] = SimpleQueue()
    port = WebPort(queue)
    port.post(ONE, "too much", controls=Controls(lift="page"))
    port.post(ONE, "something", controls=Controls())
    assert arrived(queue) == [Offered(ONE, "too much", "page"), Happened(ONE, Notice("something"))]


def test_a_question_arrives_and_so_does_its_end() -> None:
    queue: SimpleQueue[Arrival] = SimpleQueue()
    port = WebPort(queue)
    assert not port.ask(question()).done()
    port.settle(question(), "by Ann")
    assert arrived(queue) == [AskedOf(question()), SettledBy(question(), "by Ann")]


def test_a_question_is_decided_once_and_not_when_it_is_over() -> None:
    port = WebPort(SimpleQueue())
    answer, late = port.ask(question("q1")), port.ask(question("q2"))
    assert [port.decide(name, Decision("no", ANN)) for name in ("q1", "q1", "q3")] == [True, False, False]
    assert answer.result(0) == Decision("no", ANN)
    port.settle(question("q2"), "Nobody answered")
    assert not port.decide("q2", Decision("yes", ANN)) and not late.done()
    withdrawn = port.ask(question("q4"))
    withdrawn.cancel()
    assert not port.decide("q4", Decision("yes", ANN))
