"""Which turn an event belongs to."""

from __future__ import annotations

import math
from dataclasses import replace

import msgspec
import pytest

from openab_sync.acp.events import Said, Thought
from openab_sync.config.schema import Config
from openab_sync.core.agent import LONG, PACE
from openab_sync.core.answering import Answering
from openab_sync.core.floor import Floor
from openab_sync.core.judging import Judge
from openab_sync.core.ledger import UNWRITTEN, Ledger
from openab_sync.core.port import Limits
from openab_sync.core.turns import Turns
from tests.acp.talk import ask, opened
from tests.core.makers import HERE, house, note
from tests.core.paper_ledger import PaperLedger
from tests.core.test_answering import Scene
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FakePlatform


class Both:
    """Two turns of one session; the second has been begun."""

    def __init__(self) -> None:
        self.turns = Turns(FakeClock())
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
    assert (Turns(FakeClock()).pace, both.turns.pace) == (PACE, PACE)
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
    turns, talk = Turns(FakeClock()), opened()
    turns.take(talk.hear(ask(5, [{"optionId": "no", "name": "No", "kind": "reject_once"}])), talk.peer)
    turns.take([Said("from the past")], talk.peer)
    assert talk.written()[0]["result"]["outcome"] == {"outcome": "selected", "optionId": "no"}
    assert (turns.is_running, turns.next_at(), turns.draws_at(), turns.tend()) == (False, math.inf, math.inf, [])


def test_a_turn_runs_until_it_is_over() -> None:
    both = Both()
    assert both.turns.is_running
    both.second.end(stopReason="end_turn")
    assert not both.turns.is_running


def reacting(
    platform: FakePlatform, name: str, turns: Turns, ledger: Ledger = UNWRITTEN, **sections: dict[str, object]
) -> Answering:
    """A turn for the message `name`, begun, answered and finished at once."""
    talk, clock = opened(), FakeClock()
    config = msgspec.convert(sections, Config)
    notes = (replace(note(name), delivery=1),)
    inn, judge = replace(house(clock, config), ledger=ledger), Judge(lambda: config.permissions, HERE, ())
    made = turns.begin(lambda floor: Answering(notes, inn, platform, talk.peer, lambda: None, judge=judge, floor=floor))
    made.begin([])
    prompt = talk.written()[0]["id"]
    made.take(Said(name, f"id-{name}"), *talk.hear({"id": prompt, "result": {"stopReason": "end_turn"}}))
    made.finish()
    return made


def slow() -> FakePlatform:
    """A platform where reactions take as long as the test says."""
    platform = FakePlatform(FakeClock(), Limits(live="once", typing_interval=None))
    platform.hold()
    return platform


def release(platform: FakePlatform, what: str) -> None:
    for op in [op for op in platform.held if op.what == what]:
        platform.release(op)


def deliver(platform: FakePlatform, turns: Turns) -> None:
    while any(op.what == "post" for op in platform.held):
        release(platform, "post")
        turns.tend()


def test_quick_turns_get_their_last_reactions_however_slow_the_chat_is() -> None:
    platform, turns = slow(), Turns(FakeClock())
    names = [f"m{number}" for number in range(7)]
    for name in names:
        reacting(platform, name, turns)
        deliver(platform, turns)
    assert not turns.is_quiet
    while any(op.what == "react" for op in platform.held):
        release(platform, "react")
        assert turns.next_at() < math.inf
        turns.tend()
    assert [platform.reactions[note(name).ref] for name in names] == [["🆗"]] * 7
    assert (turns.is_quiet, turns.next_at(), turns._fading) == (True, math.inf, [])
    assert platform.violations == []


def test_late_text_of_a_turn_that_is_still_looked_after_is_its_own() -> None:
    platform, turns = slow(), Turns(FakeClock())
    made = []
    for name in ("m0", "m1", "m2", "m3"):
        made.append(reacting(platform, name, turns))
        deliver(platform, turns)
    turns.take([Said(" late", "id-m0"), Said(" more", "id-m3")], opened().peer)
    assert [item.turn.text for item in made] == ["m0 late", "m1", "m2", "m3 more"]


@pytest.mark.parametrize(
    ("reactions", "expected"),
    [({}, [("🆗", True)]), ({"remove_after_reply": True}, []), ({"enabled": False}, [])],
    ids=["shown", "taken back", "switched off"],
)
def test_of_too_many_turns_the_oldest_is_handed_over_to_the_chat(
    reactions: dict[str, object], expected: list[tuple[str, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openab_sync.core.turns.FADING", 2)
    platform, turns = slow(), Turns(FakeClock())
    monkeypatch.setattr(Answering, "is_quiet", False)
    for name in ("m0", "m1", "m2", "m3", "m4"):
        reacting(platform, name, turns, reactions=reactions)
        deliver(platform, turns)
    platform.release_all()
    steps = [(op.emoji, op.on) for op in platform.done("react") if op.ref == note("m0").ref and op.on]
    assert (steps, len(turns._fading)) == (expected, 2)


def test_what_has_faded_long_enough_and_is_not_out_is_owed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its session may live on for days."""
    monkeypatch.setattr("openab_sync.core.turns.FADING", 1)
    owed: list[list[str]] = []
    platform, turns = slow(), Turns(FakeClock(), lambda found: owed.append(list(found)))
    ledger = PaperLedger()
    made = [reacting(platform, f"m{number}", turns, ledger) for number in range(4)]
    assert owed == [[made[0].reply.record._turn]]
    turns.hand_over()
    assert owed[1:] == [[one.reply.record._turn for one in made[1:]]]


def test_whose_session_ends_before_the_last_signs_has_them_all_the_same() -> None:
    """An idle session makes room within moments of its answer: its message must not look as if it still waited."""
    platform, turns = slow(), Turns(FakeClock())
    made = reacting(platform, "m0", turns)
    deliver(platform, turns)
    assert made.is_delivered and not turns.is_quiet
    turns.hand_over()
    platform.release_all()
    assert platform.reactions[note("m0").ref] == ["🆗"]
    assert platform.violations == []


def test_what_is_not_out_is_left_alone_when_the_session_ends() -> None:
    """The next start delivers it, and shows how it ended then."""
    platform, turns = slow(), Turns(FakeClock())
    made = reacting(platform, "m0", turns)
    assert not made.is_delivered
    turns.hand_over()
    assert not [op for op in platform.ops if op.what == "react" and op.emoji in ("🆗", "😱")]
    platform.release_all()
