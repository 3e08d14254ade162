"""Which turn an event belongs to."""

from __future__ import annotations

import math

import pytest

from openab_sync.acp.events import Said, Thought
from openab_sync.core.agent import LONG, PACE
from openab_sync.core.answering import Answering
from openab_sync.core.floor import Floor
from openab_sync.core.turns import Turns
from tests.acp.talk import ask, opened
from tests.core.test_answering import Scene


class Both:
    """Two turns of one session; the second has been begun."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.floors: list[Floor] = []
        self.first, self.second = Scene(), Scene()
        self.peer = self.second.talk.peer
        for scene in (self.first, self.second):
            self.turns.begin(lambda floor, scene=scene: self.made(floor, scene))  # type: ignore[misc]  # mypy sees no default

    def made(self, floor: Floor, scene: Scene) -> Answering:
        self.floors.append(floor)
        return scene.answering

    def texts(self) -> tuple[str, str]:
        return self.first.answering.turn.text, self.second.answering.turn.text


def test_late_text_goes_by_its_message_id_and_else_to_the_latest_turn() -> None:
    both = Both()
    both.first.answering.take(Said("one", "id-1"))
    both.turns.take([Said(" late", "id-1")], both.peer)
    both.turns.take([Said("two", "id-2")], both.peer)
    both.turns.take([Said(" more")], both.peer)
    assert both.texts() == ("one late", "two more")


def test_late_text_and_new_text_in_one_breath_go_their_own_ways_in_order() -> None:
    both = Both()
    both.first.answering.take(Said("one", "id-1"))
    news = [Said("two ", "id-2"), Said(" late", "id-1"), Said("more", "id-2"), Said("!", "id-1")]
    both.turns.take(news, both.peer)
    assert both.texts() == ("one late!", "two more")


def test_text_is_left_to_the_kernel_for_longer_once_the_answer_is_drawn_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = Both()  # at a platform that is told everything as it happens
    both.turns.take([Said("two")], both.peer)
    assert (Turns().pace, both.turns.pace) == (PACE, PACE)
    monkeypatch.setattr(type(both.second.answering.reply), "is_drawn", True)
    assert both.turns.pace == LONG
    drawn = Both()
    drawn.turns.take([Thought("hm")], drawn.peer)
    assert drawn.turns.pace == PACE


def test_the_replies_of_a_session_share_one_floor_until_it_is_lost() -> None:
    both = Both()
    assert both.floors[0] is both.floors[1]
    both.turns.renew_floor()
    both.turns.begin(lambda floor: both.made(floor, Scene()))
    assert both.floors[2] is not both.floors[0]


def test_before_the_first_turn_history_is_dropped_and_questions_are_rejected() -> None:
    turns, talk = Turns(), opened()
    turns.take(talk.hear(ask(5, [{"optionId": "no", "name": "No", "kind": "reject_once"}])), talk.peer)
    turns.take([Said("from the past")], talk.peer)
    assert talk.written()[0]["result"]["outcome"] == {"outcome": "selected", "optionId": "no"}
    assert (turns.is_running, turns.next_at(), turns.draws_at(), turns.tend()) == (False, math.inf, math.inf, [])


def test_a_turn_runs_until_it_is_over() -> None:
    both = Both()
    assert both.turns.is_running
    both.second.end(stopReason="end_turn")
    assert not both.turns.is_running
