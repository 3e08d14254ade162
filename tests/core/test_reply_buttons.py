"""reply.py: the buttons below a reply: stop while it runs, retry where it failed, and never on two messages."""

from __future__ import annotations

import pytest

from openab_sync.core.message import Person
from openab_sync.core.port import Controls, Limits, Outcome
from openab_sync.errors import ChatTimeout
from tests.core.scene import CONVERSATION, Scene, note, tool

STOP, RETRY, NONE = Controls(stop=True), Controls(retry=True), Controls()


@pytest.fixture
def scene() -> Scene:
    return Scene(Limits(page=100, controls=True))


def controls(scene: Scene) -> list[Controls]:
    """Which buttons there are, without what they belong to."""
    given = [message.controls for message in scene.platform.messages(CONVERSATION) if message.file is None]
    return [Controls(stop=one.stop, retry=one.retry) for one in given]


def words(count: int) -> str:
    return " ".join(f"word{number}" for number in range(count))


def test_a_running_reply_can_be_stopped_and_a_finished_one_cannot(scene: Scene) -> None:
    scene.say("Hello")
    assert controls(scene) == [STOP]
    scene.end()
    assert (scene.texts, controls(scene)) == (["Hello"], [NONE])
    assert scene.settled()
    assert len(scene.platform.done("edit")) == 1, "the button goes though the text is the same"
    assert scene.platform.violations == []


def test_a_button_belongs_to_its_turn_and_to_the_people_who_wrote_what_it_answers() -> None:
    ann, bot = Person("1", "ann"), Person("3", "helper", is_bot=True)
    notes = note("one", ann), note("two", bot), note("three", ann)
    scene = Scene(Limits(page=100, controls=True), notes=notes)
    scene.say("Hello")
    [message] = scene.platform.messages(CONVERSATION)
    given = message.controls
    assert (given.about, given.people) == (tuple(one.ref for one in notes), (ann,))
    assert given.turn and given.turn != Scene(Limits(controls=True)).reply._buttons.turn


def test_the_button_is_below_the_page_that_grows(scene: Scene) -> None:
    for _ in range(6):
        scene.say(words(8) + "\n")
        scene.go(1.2)
        assert [item for item in controls(scene) if item != NONE] == [STOP]
        assert controls(scene)[-1] == STOP
    scene.end()
    scene.go(2)
    assert set(controls(scene)) == {NONE}
    assert scene.platform.violations == []


def test_a_running_tool_can_be_stopped(scene: Scene) -> None:
    scene.take(tool("a", "make", "in_progress"))
    assert controls(scene) == [STOP]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("done", NONE), ("cancelled", NONE), ("refused", RETRY), ("failed", RETRY), ("gone", RETRY), ("stalled", RETRY),
        ("limit", RETRY),
    ],
)  # fmt: skip
def test_a_turn_that_failed_can_be_tried_again(scene: Scene, outcome: Outcome, expected: Controls) -> None:
    scene.say("so far")
    scene.end(outcome, "a reason")
    assert controls(scene) == [expected]


def test_between_the_answer_and_the_end_of_the_reply_there_is_no_button(scene: Scene) -> None:
    scene.say("so far")
    scene.turn.end("failed", "why")
    scene.go(2)
    assert controls(scene) == [NONE]


def test_text_that_makes_it_well_after_all_takes_the_retry_away(scene: Scene) -> None:
    scene.end()
    assert controls(scene) == [RETRY]
    scene.say("here it is")
    scene.go(2)
    assert (scene.texts, controls(scene)) == (["here it is"], [NONE])
    assert scene.settled()


def test_where_there_are_no_buttons_none_is_asked_for() -> None:
    scene = Scene()
    scene.say("Hello")
    scene.end("failed", "why")
    assert {op.controls for op in scene.platform.done("post", "edit")} == {None}
    assert scene.platform.violations == []


def test_where_replies_are_posted_once_the_last_page_offers_to_try_again() -> None:
    scene = Scene(Limits(page=100, live="once", controls=True))
    scene.end()
    assert controls(scene) == [RETRY]
    scene.say("late")
    scene.go(2)
    assert controls(scene) == [NONE, NONE]
    assert scene.texts[1:] == ["late"]
    assert scene.settled()
    assert scene.platform.violations == []


def test_a_button_that_cannot_be_taken_away_is_no_failure(scene: Scene) -> None:
    scene.say("Hello")
    for _ in range(2):
        scene.platform.fail_next(ChatTimeout("slow"), what="edit")
    scene.end()
    assert scene.texts == ["Hello"]
    assert scene.settled()
    assert scene.reply.failure is None
