"""What is asked while somebody logs the agent in, before there is a turn; `test_login` has it with a real agent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from openab_sync.acp.events import Elicited, Field
from openab_sync.acp.peer import AcpPeer
from openab_sync.core.beforehand import MOST, Beforehand
from openab_sync.core.port import Limits
from openab_sync.errors import ChatRefused
from tests.core.bed import ANN, EVENTS, Bed, place
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FakePlatform

CODE = Field("code", "text", "Code", is_required=True)


class StubPeer:
    """Remembers what it was to answer."""

    agent_title = "Robin"

    def __init__(self) -> None:
        self.filled: list[tuple[object, str]] = []

    def fill(self, name: object, result: dict[str, Any]) -> bool:
        self.filled.append((name, result["action"]))
        return True


def scene(limits: Limits) -> tuple[Beforehand, FakePlatform, StubPeer, FakeClock]:
    bed = Bed(limits=limits)
    clock = FakeClock()
    port, peer = FakePlatform(clock, limits), StubPeer()
    house = replace(bed.app.house, clock=clock)
    bed.port.close()
    return Beforehand(place(), house, port, cast(AcpPeer, peer), (ANN,), lambda: None), port, peer, clock


FORMS = replace(EVENTS, forms=True)


def form(name: str = "1") -> Elicited:
    return Elicited(name, "form", "The code?", (CODE,))


def test_each_is_answered_by_who_logs_in_and_the_rest_when_that_is_over() -> None:
    asked, port, peer, clock = scene(FORMS)
    for name in ("1", "2", "3"):
        asked.elicit(form(name))
    first, second, _ = (question for question, _ in port.questions.values())
    port.answer(first, "fill", ANN, {"code": ("4711",)})
    port.answer(second, "decline", ANN)
    asked.tend()
    assert asked.next_at() == clock.monotonic() + 600
    asked.end()
    assert peer.filled == [("1", "accept"), ("2", "decline"), ("3", "cancel")]
    assert [text for _, text in port.settled] == ["Filled in — Ann", "Declined — Ann", "The login is over."]
    assert asked.next_at() == float("inf")


def test_what_nobody_answers_or_the_agent_takes_back_is_closed() -> None:
    asked, port, peer, clock = scene(FORMS)
    asked.elicit(form("1"))
    asked.elicit(form("2"))
    asked.withdrawn("2")
    clock.advance(601)
    asked.tend()
    assert peer.filled == [("1", "cancel")], "the other has its answer"
    assert [text for _, text in port.settled] == ["The agent took the question back.", "Nobody answered in time."]


def test_where_nobody_can_be_asked_and_beyond_a_few_it_is_answered_at_once() -> None:
    asked, port, peer, _ = scene(replace(FORMS, can_ask=False))
    asked.elicit(form())
    assert (peer.filled, port.questions) == ([("1", "cancel")], {})
    asked, port, peer, _ = scene(FORMS)
    for number in range(MOST + 2):
        asked.elicit(form(str(number)))
    assert peer.filled == [(str(MOST), "cancel"), (str(MOST + 1), "cancel")] and len(port.questions) == MOST


def test_what_the_chat_does_not_take_is_cancelled_and_an_answer_that_is_none_too() -> None:
    asked, port, peer, _ = scene(FORMS)
    asked.elicit(form("1"))
    asked.elicit(form("2"))
    lost, odd = (question for question, _ in port.questions.values())
    port.questions[lost.id][1].set_exception(ChatRefused("I may not write here."))
    port.answer(odd, "fill", ANN, {"code": ()})
    asked.tend()
    assert peer.filled == [("1", "cancel"), ("2", "cancel")]
    assert "I may not write here" in port.settled[0][1]
