from __future__ import annotations

from queue import SimpleQueue

from openab_sync.acp import events as acp
from openab_sync.core.port import ChatPort, File, Notice
from openab_sync.platforms.web.port import Arrival, AskedOf, Happened, Made, SettledBy, WebPort

from .makers import ONE, question


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


def test_a_question_arrives_and_so_does_its_end() -> None:
    queue: SimpleQueue[Arrival] = SimpleQueue()
    port = WebPort(queue)
    assert not port.ask(question()).done()  # people answer by the front desk
    port.settle(question(), "by Ann")
    assert arrived(queue) == [AskedOf(question()), SettledBy(question(), "by Ann")]
