"""One turn being answered: what its end means, and that every question gets exactly one answer."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from openab_sync.acp.process import Launch
from openab_sync.config.live import Live
from openab_sync.config.schema import Config
from openab_sync.core.answering import Answering, current_model
from openab_sync.core.audit import NO_AUDIT, Audit
from openab_sync.core.house import House
from openab_sync.core.judging import Judge
from openab_sync.core.message import Inbound, MessageRef
from openab_sync.core.patience import Due
from openab_sync.core.port import Limits, Settled, TurnEnded
from openab_sync.errors import ChatTimeout
from openab_sync.text.redact import Redactor
from tests.acp.talk import ask, chunk, opened, update
from tests.core.bed import ANN, EVENTS, place
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FakePlatform

OPTIONS = [
    {"optionId": "go", "name": "Yes", "kind": "allow_once"},
    {"optionId": "no", "name": "No", "kind": "reject_once"},
]


class Scene:
    """A turn that has begun: the agent speaks by `hear`, time passes by `go`."""

    def __init__(self, limits: Limits = EVENTS, audit: Audit = NO_AUDIT, **sections: dict[str, Any]) -> None:
        self.clock = FakeClock()
        self.talk = opened()
        self.platform = FakePlatform(self.clock, limits)
        house = House(
            live=Live(msgspec.convert(sections, Config)),
            clock=self.clock,
            launch=lambda cwd: Launch("agent", (), cwd, {}),
            agent_name="Robin",
            redact=Redactor(),
            audit=audit,
        )
        self.config = house.config
        self.judge = judge = Judge(lambda: house.config.permissions, place(), house.names, "/work")
        notes = (Inbound(MessageRef(place(), "m1"), ANN, "hello"),)
        self.answering = Answering(notes, house, self.platform, self.talk.peer, lambda: None, judge=judge)
        self.answering.begin([])
        self.prompt = self.talk.written()[0]["id"]

    def hear(self, *messages: object) -> None:
        for event in self.talk.hear(*messages):
            self.answering.take(event)
        self.answering.tend()

    def end(self, **result: object) -> None:
        self.hear({"id": self.prompt, "result": result})

    def go(self, seconds: float) -> tuple[Due, ...]:
        self.clock.advance(seconds)
        return self.answering.tend()

    def outcomes(self) -> list[object]:
        """What the agent's questions were answered with, since the last time."""
        return [message["result"]["outcome"] for message in self.talk.written() if "result" in message]

    def settled(self) -> list[str]:
        return [event.text for _, event in self.platform.events if isinstance(event, Settled)]


CANCELLED = {"outcome": "cancelled"}


def chosen(option_id: str) -> dict[str, str]:
    return {"outcome": "selected", "optionId": option_id}


@pytest.mark.parametrize(
    ("stop", "outcome"),
    [
        ("end_turn", "done"),
        ("refusal", "refused"),
        ("max_tokens", "limit"),
        ("max_turn_requests", "limit"),
        ("cancelled", "cancelled"),
        ("tired", "failed"),
    ],
)
def test_only_end_turn_is_success(stop: str, outcome: str) -> None:
    scene = Scene()
    scene.hear(chunk("something"))
    scene.end(stopReason=stop)
    assert (scene.answering.is_over, scene.answering.turn.outcome) == (True, outcome)


def test_a_cancel_decides_how_the_turn_ends_whatever_the_agent_answers() -> None:
    for answer in ({"result": {"stopReason": "end_turn"}}, {"error": {"code": -32603, "message": "'NoneType'"}}):
        scene = Scene()
        scene.answering.cancel("cancelled", "Cancelled by Ann.")
        assert scene.answering.is_cancelling
        scene.hear({"id": scene.prompt, **answer})
        assert (scene.answering.turn.outcome, scene.answering.turn.reason) == ("cancelled", "Cancelled by Ann.")
        assert not scene.answering.is_cancelling


def test_a_second_cancel_changes_nothing() -> None:
    scene = Scene()
    scene.answering.cancel("cancelled", "first")
    scene.answering.cancel("stalled", "second")
    assert [message["method"] for message in scene.talk.written()] == ["session/cancel"]
    assert scene.go(10) == (Due.KILL,)


def test_a_choice_is_passed_on_and_says_who_chose() -> None:
    scene = Scene()
    scene.hear(ask(1, OPTIONS))
    assert scene.answering.questions == 1
    scene.platform.answer(scene.platform.until_question(), "go", ANN)
    scene.answering.tend()
    assert scene.outcomes() == [chosen("go")]
    assert scene.settled() == ["Yes — Ann"]
    assert scene.answering.questions == 0


def test_an_option_that_was_not_offered_is_never_passed_on() -> None:
    scene = Scene()
    scene.hear(ask(1, OPTIONS))
    scene.platform.answer(scene.platform.until_question(), "bypass", ANN)
    scene.answering.tend()
    assert scene.outcomes() == [chosen("no")]


def test_a_question_that_cannot_be_shown_is_rejected() -> None:
    scene = Scene()
    scene.platform.fail_next(ChatTimeout("no answer from the chat"), what="ask")
    scene.hear(ask(1, OPTIONS))
    _question, future = next(iter(scene.platform.questions.values()))
    if not future.done():
        future.set_exception(ChatTimeout("no answer from the chat"))
    scene.answering.tend()
    assert scene.outcomes() == [chosen("no")]
    assert "could not be shown" in scene.settled()[0]


def test_a_question_nobody_answers_is_rejected_with_the_agents_own_option_or_cancelled() -> None:
    for options, outcome in ((OPTIONS, chosen("no")), (OPTIONS[:1], CANCELLED)):
        scene = Scene()
        scene.hear(ask(1, options))
        assert scene.answering.next_at() <= scene.clock.monotonic() + 600
        scene.go(599)
        assert scene.outcomes() == []
        scene.go(1)
        assert scene.outcomes() == [outcome]
        assert "10 minutes" in scene.settled()[0]


def test_the_ceiling_stands_still_while_people_are_asked() -> None:
    scene = Scene(permissions={"timeout_secs": 100_000})
    scene.hear(ask(1, OPTIONS))
    assert Due.CANCEL not in scene.go(5000)
    scene.platform.answer(scene.platform.until_question(), "go", ANN)
    scene.answering.tend()
    assert Due.CANCEL not in scene.go(1700)
    assert Due.CANCEL in scene.go(101)


@pytest.mark.parametrize(("mode", "outcome"), [("allow", chosen("go")), ("deny", chosen("no"))])
def test_where_the_configuration_decides_nobody_is_asked(mode: str, outcome: object) -> None:
    scene = Scene(permissions={"mode": mode})
    scene.hear(ask(1, OPTIONS))
    assert (scene.outcomes(), scene.platform.questions) == ([outcome], {})


def test_where_nobody_can_be_asked_it_is_rejected() -> None:
    scene = Scene(Limits(live="events", typing_interval=None, reactions=False, can_ask=False))
    scene.hear(ask(1, OPTIONS))
    assert scene.outcomes() == [chosen("no")]


def test_the_end_of_the_turn_closes_what_is_open_and_what_comes_later() -> None:
    scene = Scene()
    scene.hear(ask(1, OPTIONS), ask(2, OPTIONS))
    scene.end(stopReason="end_turn")
    assert scene.outcomes() == [CANCELLED] * 2
    assert (scene.answering.questions, len(scene.settled())) == (0, 2)
    scene.hear(ask(3, OPTIONS))
    assert scene.outcomes() == [chosen("no")]


def test_the_agent_may_take_a_question_back() -> None:
    scene = Scene()
    scene.hear(ask(7, OPTIONS), {"method": "$/cancel_request", "params": {"requestId": 7}})
    assert scene.answering.questions == 0
    assert "took the question back" in scene.settled()[0]


def test_what_the_permission_request_tells_of_a_tool_is_shown() -> None:
    """Some agents never send `tool_call` for tools that ask."""
    scene = Scene()
    scene.hear(ask(1, OPTIONS, {"toolCallId": "t9", "title": "rm -rf build"}))
    assert scene.answering.tool == "rm -rf build"
    assert scene.platform.until_question().title == "rm -rf build"


def test_a_silent_agent_is_told_about_once_a_silence() -> None:
    scene = Scene()
    assert Due.REASSURE in scene.go(60)
    scene.answering.reassure()
    assert Due.REASSURE not in scene.go(60)
    scene.hear(chunk("hello"))
    assert Due.REASSURE in scene.go(60)


def test_the_footer_names_the_model_in_use() -> None:
    scene = Scene(reply={"footer": True})
    option = {
        "id": "model",
        "name": "Model",
        "category": "model",
        "type": "select",
        "currentValue": "l",
        "options": [{"value": "l", "name": "Large"}],
    }
    scene.hear(update("config_option_update", configOptions=[option]), chunk("hello"))
    assert current_model(scene.talk.peer.options) == "Large"
    scene.end(stopReason="end_turn")
    scene.answering.finish()
    assert scene.answering.is_delivered
    ends = [event for _, event in scene.platform.events if isinstance(event, TurnEnded)]
    assert "Large" in ends[0].footer
    assert current_model(()) == ""


def test_a_question_without_options_is_answered_at_once() -> None:
    """Nobody could choose anything."""
    scene = Scene()
    scene.hear(ask(1, []))
    assert (scene.outcomes(), scene.platform.questions) == ([CANCELLED], {})
