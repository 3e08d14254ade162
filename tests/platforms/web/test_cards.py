from __future__ import annotations

from openab_sync.core.house import HouseSnapshot, SessionSnapshot, Usage
from openab_sync.core.message import Conversation
from openab_sync.core.state import State
from openab_sync.platforms.web.cards import Epoch, dashboard
from openab_sync.platforms.web.entries import Asked, Entry, Message, Room
from openab_sync.platforms.web.hall import Fault, View

from .makers import ONE, TWO, question

EPOCH = Epoch(1000.0)
FAR = Conversation("discord", "9")


def test_a_card_joins_what_the_house_knows_and_what_was_heard() -> None:
    usage = Usage(used=1200, size=8000, cost=0.5, currency="USD", turns=3)
    session = SessionSnapshot(
        ONE, State.BUSY, "Demo", 42, inbox=2, turn_started=5.04, tool="make\ntest", usage=usage, title="theirs"
    )
    room = Room(ONE, 4, (), "Fix it", "Ann", "so far", 77.0)
    [card] = dashboard(View({"web:1": room}), HouseSnapshot((session,), ()), EPOCH)["cards"]
    assert card == {
        "key": "web:1", "platform": "web", "state": "working", "doing": "make test", "since": 1005.0, "queue": 2,
        "agent": "Demo", "used": 1200, "size": 8000, "cost": card["cost"], "turns": 3, "pid": 42, "title": "Fix it",
        "who": "Ann", "words": "so far", "touched": 77.0, "questions": 0,
    }  # fmt: skip
    assert "0.5" in card["cost"]


def test_a_conversation_without_an_agent_is_asleep_or_in_line() -> None:
    waiting = Room(ONE, 1, (Entry(1, 1, Message("m1", "Ann", "x")),), "One")
    house = HouseSnapshot((), ("web:1",))
    cards = dashboard(View({"web:1": waiting, "web:2": Room(TWO, title="Two")}), house, EPOCH)["cards"]
    assert [(card["key"], card["state"], card["doing"], card["queue"]) for card in cards] == [
        ("web:1", "waiting", "number 1 in line", 1),
        ("web:2", "asleep", "", 0),
    ]


def test_a_session_that_nobody_was_heard_in_has_a_card_too() -> None:
    house = HouseSnapshot((SessionSnapshot(FAR, State.IDLE, title="Named"), SessionSnapshot(TWO, State.STARTING)), ())
    cards = dashboard(View(), house, EPOCH)["cards"]
    assert [(card["key"], card["platform"], card["title"], card["state"]) for card in cards] == [
        ("web:2", "web", "web:2", "starting"),
        ("discord:9", "discord", "Named", "idle"),
    ]


def test_open_questions_come_first_and_say_where_they_belong() -> None:
    asking = Room(ONE, 1, (Entry(1, 1, Asked(question())), Entry(2, 1, Asked(question("q2"), "yes"))), "One")
    sessions = (SessionSnapshot(TWO, State.BUSY, turn_started=1.0), SessionSnapshot(ONE, State.BUSY, turn_started=1.0))
    drawn = dashboard(View({"web:1": asking}), HouseSnapshot(sessions, ()), EPOCH)
    assert [(asked["question"], asked["where"]) for asked in drawn["questions"]] == [("q1", "One")]
    assert [(card["key"], card["state"]) for card in drawn["cards"]] == [("web:1", "asking"), ("web:2", "working")]


def test_faults_are_told_with_their_moment() -> None:
    drawn = dashboard(View({}, (Fault(ONE, "died", 12.345),)), HouseSnapshot((), ()), EPOCH)
    assert drawn["faults"] == [{"key": "web:1", "text": "died", "at": 12.3}]


def test_nothing_changes_while_nothing_happens() -> None:
    """Moments are told, not ages: else every look would be news."""
    house = HouseSnapshot((SessionSnapshot(ONE, State.BUSY, turn_started=3.33333),), ())
    assert dashboard(View(), house, EPOCH) == dashboard(View(), house, EPOCH)
    assert EPOCH.of(None) is None
