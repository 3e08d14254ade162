"""reply.py: one turn in a conversation, from the first word to the last late page."""

from __future__ import annotations

import base64
import math
import random
import time
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openab_sync.acp import events as acp
from openab_sync.config.schema import ReactionEmojis, ReactionsConfig
from openab_sync.core.drawing import Drawing
from openab_sync.core.message import Conversation, MessageRef
from openab_sync.core.port import Decision, Limits, Notice, Settled, TurnEnded, TurnStarted
from openab_sync.core.reply import Reply
from openab_sync.errors import ChatRefused, ChatTimeout
from openab_sync.text.split import split
from openab_sync.text.tables import convert
from tests.core.scene import ANN, BOT, CONVERSATION, Scene, note, tool
from tests.fakes.platform import Op

E = ReactionEmojis()
IMAGE = acp.Media("image", "image/png", data=base64.b64encode(b"png").decode())


def words(count: int) -> str:
    return " ".join(f"word{number}" for number in range(count))


# ---- while the turn runs ----


def test_the_first_words_are_shown_at_once_and_answer_the_message() -> None:
    scene = Scene()
    scene.say("Hello")
    (message,) = scene.platform.messages(CONVERSATION)
    assert (message.text, message.reply_to) == ("Hello", note().ref)
    assert len(message.nonce) <= 25


def test_a_growing_answer_is_one_message_that_is_edited(scene: Scene) -> None:
    """FIELD E1, E7: the stream never appears as many messages."""
    for number in range(100):
        scene.say(f"word{number} ")
        scene.go(0.1)
    assert len(scene.texts) == 1
    assert len(scene.platform.done("edit")) <= 10 / 1.2 + 1
    scene.end()
    assert scene.texts == [" ".join(f"word{number}" for number in range(100))]
    assert scene.platform.violations == []


def test_answers_that_begin_together_are_edited_at_moments_of_their_own_and_none_later_than_it_would_be() -> None:
    """Fifty that were edited at the same moment would hold up the loop of the chat's connection."""
    moments = []
    for number in range(50):
        conversation = Conversation("test", str(1577111407315386369 + 4096 * number))
        scene = Scene(Limits(edit_spread=0.9), notes=(replace(note(), ref=MessageRef(conversation, "1")),))
        began = scene.clock.monotonic()
        scene.say("a")
        assert len(scene.platform.done("post")) == 1, "the first text is shown at once, whatever comes after it"
        scene.say("b")
        moments.append(scene.reply.due() - began)
        scene.go(moments[-1])
        scene.say("c")
        assert scene.reply.due() - scene.clock.monotonic() == pytest.approx(1.2), "from then on as often as all"
    moments.sort()
    assert moments[0] >= 0.3 and moments[-1] <= 1.2
    assert max(later - sooner for sooner, later in pairwise(moments)) < 0.1


def test_edits_come_no_faster_than_the_platform_bears(scene: Scene) -> None:
    scene.say("a")
    scene.say("b")
    assert scene.reply.due() == scene.clock.monotonic() + 1.2
    scene.go(1.1)
    assert scene.texts == ["a"]
    scene.go(0.2)
    assert scene.texts == ["ab"]
    assert scene.reply.due() == math.inf


def test_one_operation_is_in_flight_and_the_newest_text_wins() -> None:
    scene = Scene(Limits(typing_interval=None))
    scene.platform.hold()
    for text in "abcdefgh":
        scene.say(text)
        scene.go(5)
    assert [op.text for op in scene.platform.held] == ["a"]
    assert scene.reply.due() == math.inf
    scene.platform.release()
    scene.refresh()
    assert [op.text for op in scene.platform.held] == ["abcdefgh"]


def test_full_pages_are_finished_and_the_next_ones_follow_at_once() -> None:
    """FIELD E1: what overflows is posted once, not again with every edit."""
    scene = Scene(Limits(page=100))
    scene.say(words(100))
    scene.go(0)
    before = scene.texts[:-1]
    scene.say(" " + words(100))
    scene.go(10)
    scene.end()
    assert scene.texts[: len(before)] == before
    assert scene.texts == split(words(100) + " " + words(100), 100)
    assert len(scene.platform.done("edit")) <= 2
    assert scene.platform.violations == []


def test_tools_and_plan_are_live() -> None:
    scene = Scene()
    scene.take(acp.PlanChanged((acp.PlanEntry("do it"),)), tool("a", "make", "in_progress"))
    scene.go(5)
    assert scene.texts == ["☐ do it\n\n🔧 `make`"]
    scene.take(acp.PlanChanged((acp.PlanEntry("do it", "completed"),)), tool("a", status="completed"))
    scene.go(5)
    assert scene.texts == ["☑ do it\n\n✅ `make`"]


def test_a_reassurance_is_seen_until_the_agent_gives_a_sign(scene: Scene) -> None:
    scene.reply.reassure(scene.turn, 60)
    scene.go(2)
    assert scene.texts == ["*⏳ The agent is still at work; no sign from it for 60 s.*"]
    scene.reply.reassure(scene.turn, 300)
    scene.go(2)
    assert "5 min" in scene.texts[0]
    scene.say("here")
    scene.go(2)
    assert scene.texts == ["here"]
    scene.end()
    scene.reply.reassure(scene.turn, 60)
    assert scene.settled()


def test_typing_is_shown_while_there_is_nothing_to_see(scene: Scene) -> None:
    scene.go(20)
    typed = len(scene.platform.done("typing"))
    assert typed == 3
    scene.say("x")
    scene.go(60)
    assert len(scene.platform.done("typing")) == typed


def test_a_live_edit_that_fails_is_made_good_by_the_next(scene: Scene) -> None:
    scene.say("a")
    scene.platform.fail_next(ChatTimeout("slow"))
    scene.say("b")
    scene.go(1.3)
    assert scene.texts == ["a"]
    scene.go(1.3)
    assert scene.texts == ["ab"]
    assert scene.platform.violations == []


# ---- when it is over ----


def test_the_final_text_is_exact_and_has_its_footer(scene: Scene) -> None:
    scene.say("a")
    scene.say("b")
    scene.end(footer="model · 1 s")
    assert scene.texts == ["ab\n\n*model · 1 s*"]
    assert scene.settled()
    assert scene.reply.failure is None
    assert scene.reply.due() == math.inf


def test_a_late_live_edit_never_overwrites_the_final_text(scene: Scene) -> None:
    """FIELD E22: the final edit is not sent before the live one has landed."""
    scene.say("a")
    scene.platform.hold()
    scene.say("b")
    scene.go(1.2)
    scene.say("c")
    scene.end()
    assert [op.text for op in scene.platform.held] == ["ab"]
    assert not scene.settled()
    scene.platform.release()
    scene.refresh()
    scene.platform.release()
    scene.refresh()
    assert scene.texts == ["abc"]
    assert scene.settled()


def test_the_end_is_written_once(scene: Scene) -> None:
    """FIELD E14."""
    scene.say("answer")
    scene.end(footer="f")
    scene.reply.finish(scene.turn, footer="f")
    scene.go(100)
    assert scene.texts == ["answer\n\n*f*"]
    assert len(scene.platform.done("post", "edit")) == 2


def test_an_ending_that_is_no_success_is_explained_below_the_text(scene: Scene) -> None:
    """FIELD B2, B4: partial text is kept and marked, and an open block of code does not swallow the mark."""
    scene.say("```py\nx = 1")
    scene.end("gone", "killed by signal 9", stop="")
    (text,) = scene.texts
    assert text.startswith("```py\nx = 1\n```\n\n> ⚠️ The agent ended before its answer did: killed by signal 9.")


def test_an_empty_answer_is_explained_and_late_text_takes_its_place() -> None:
    """FIELD B1: text that comes after the answer is delivered, and settles again."""
    scene = Scene(reactions=ReactionsConfig())
    scene.end()
    assert scene.texts == ["> ⚠️ The agent ended its turn without any answer. Asking again may help."]
    scene.go(17)
    scene.say("here")
    scene.say(" it is")
    assert not scene.settled()
    scene.go(2)
    assert scene.texts == ["here it is"]
    assert scene.settled()
    assert scene.reactions == [E.error]  # FIELD K11: the end stays the end
    assert scene.platform.violations == []


def test_late_text_makes_the_reply_grow(scene: Scene) -> None:
    scene.say(words(10))
    scene.end(footer="f")
    for number in range(50):
        scene.say(f" late{number}")
        scene.go(0.1)
    scene.go(2)
    assert "".join(scene.texts) == words(10) + "".join(f" late{number}" for number in range(50)) + "\n\n*f*"
    assert len(scene.platform.done("edit")) < 8
    assert scene.platform.violations == []


def test_a_page_that_cannot_be_edited_is_posted_anew() -> None:
    """FIELD E11."""
    scene = Scene(reactions=ReactionsConfig())
    scene.say("half of")
    scene.platform.refuse_edits = True
    for _ in range(10):
        scene.say(" it")
        scene.go(2)
    scene.end()
    scene.go(2)
    assert scene.texts == ["half of", "half of" + " it" * 10]
    assert len(scene.platform.done("edit")) <= 4
    assert scene.reply.failure is None
    assert scene.reactions == [E.done]


def test_a_page_that_failed_is_never_reported_as_done() -> None:
    """FIELD E12, E15."""
    scene = Scene(Limits(page=50), reactions=ReactionsConfig())
    scene.platform.hold()
    scene.say(words(30))
    scene.end()
    scene.platform.fail_next(ChatRefused("too long"), what="post")
    while scene.platform.held:
        scene.platform.release()
        scene.refresh()
    scene.platform.release_all()
    scene.go(1)
    assert scene.settled()
    assert isinstance(scene.reply.failure, ChatRefused)
    assert scene.reactions == [E.error]
    *pages, sorry = scene.texts
    assert len(pages) == len(split(words(30), 50)) - 1
    assert "could not be delivered (too long)" in sorry


def test_nothing_is_settled_before_it_is_delivered(scene: Scene) -> None:
    scene.platform.hold()
    scene.say("x")
    scene.end()
    scene.go(100)
    assert not scene.settled()
    assert "finished" in repr(scene.reply)
    scene.platform.release_all()
    scene.refresh()
    assert scene.settled()
    assert "settled" in repr(scene.reply)


def test_the_reactions_follow_the_turn_and_end_when_it_is_delivered() -> None:
    scene = Scene(reactions=ReactionsConfig(remove_after_reply=True))
    scene.take(tool("a", "make", "in_progress", "execute"))
    scene.go(1)
    assert scene.reactions == [E.coding]
    scene.say("done")
    scene.end()
    scene.go(0.1)
    assert scene.reactions == [E.done]
    assert scene.settled()
    assert not scene.reply.is_quiet
    scene.go(2)
    assert scene.reactions == []
    assert scene.reply.is_quiet


def test_a_turn_run_again_for_the_same_message_is_not_taken_for_the_first() -> None:
    nonces = set()
    for _ in range(2):
        scene = Scene()
        scene.say("x")
        nonces.add(scene.platform.messages(CONVERSATION)[0].nonce)
    assert len(nonces) == 2


# ---- once ----


def test_where_nothing_can_be_edited_nothing_is_shown_before_the_end_and_nothing_edited_after() -> None:
    """FIELD E9, E13: every page is a new message, posted once, so that it notifies whom it mentions."""
    scene = Scene(Limits(page=100, live="once"))
    scene.say(words(40))
    scene.reply.reassure(scene.turn, 60)
    scene.go(100)
    assert scene.texts == []
    assert len(scene.platform.done("typing")) == 13
    scene.end(footer="f")
    assert "\n\n".join(scene.texts).endswith("*f*")
    assert scene.texts == split(words(40) + "\n\n*f*", 100)
    assert scene.platform.done("edit") == []
    assert scene.platform.violations == []


def test_late_text_is_a_new_message_there() -> None:
    scene = Scene(Limits(live="once"))
    scene.say("answer")
    scene.end(footer="f")
    scene.say("\nlate")
    scene.say(" text")
    assert len(scene.texts) == 1
    scene.go(2)
    assert scene.texts == ["answer\n\n*f*", "late text"]
    scene.reply.finish(scene.turn, footer="f")
    scene.go(10)
    assert len(scene.texts) == 2
    assert scene.settled()
    assert scene.platform.violations == []


# ---- events ----


def test_a_platform_that_draws_by_itself_is_told_everything_and_gets_no_message() -> None:
    scene = Scene(Limits(live="events", typing_interval=None, reactions=False))
    said, notice = acp.Said("hi"), Notice("ours")
    scene.take(said, tool("a", "ls"))
    scene.reply.forward(notice)
    scene.reply.reassure(scene.turn, 60)
    scene.go(10)
    assert not scene.settled()
    scene.clock.advance(3)
    scene.end(footer="f")
    scene.reply.finish(scene.turn)
    scene.say("late")
    events = [event for _, event in scene.platform.events]
    assert events[:4] == [TurnStarted((note().ref,)), said, tool("a", "ls"), notice]
    assert isinstance(events[4], Notice)
    assert events[5:] == [TurnEnded((note().ref,), "done", "", "f", "end_turn", 13.0), acp.Said("late")]
    assert scene.settled()
    assert scene.platform.violations == []
    assert scene.reply.due() == math.inf


def test_a_platform_that_draws_by_itself_is_told_what_was_decided() -> None:
    scene = Scene(Limits(live="events"))
    question = scene.reply.ask(acp.Asked(1, tool("a", "ls")), None, 60)
    scene.reply.settle(1, "No.")
    scene.reply.settle(1, "No.")
    assert [event for _, event in scene.platform.events][1:] == [Settled(question, "No.")]
    assert scene.platform.settled == [(question, "No.")]


# ---- questions ----


def test_a_question_goes_to_the_people_of_the_turn_and_silence_meanwhile_is_theirs() -> None:
    scene = Scene(notes=(note("m1"), note("m2", BOT), note("m3")), reactions=ReactionsConfig())
    scene.take(tool("a", "make", "in_progress", "execute"))
    option = acp.PermissionOption("yes", "Yes")
    question = scene.reply.ask(acp.Asked(0, acp.ToolChanged("a"), (option,)), scene.turn.tool("a"), 600)
    assert (question.title, question.asked_of) == ("make", (ANN,))
    scene.refresh()
    scene.go(500)
    assert scene.reactions == [E.coding]
    bells = scene.bells
    scene.platform.answer(question, "yes", ANN)
    assert scene.bells == bells + 1
    assert scene.reply.decisions() == [(0, Decision("yes", ANN))]
    scene.reply.settle(0, "Yes — Ann")
    assert scene.platform.settled == [(question, "Yes — Ann")]


# ---- files ----


def test_a_picture_is_sent_after_the_text_before_it() -> None:
    scene = Scene()
    scene.say("Look:")
    scene.take(IMAGE)
    scene.go(2)
    assert [message.text or "picture" for message in scene.platform.messages(CONVERSATION)] == [
        "Look:\n\n📎 image.png (image/png)",
        "picture",
    ]
    assert scene.platform.files(CONVERSATION)[0].data == b"png"
    scene.say("Nice.")
    scene.end()
    assert len(scene.platform.files(CONVERSATION)) == 1
    assert scene.platform.violations == []


def test_a_picture_that_could_not_be_sent_is_a_failure() -> None:
    scene = Scene()
    scene.platform.fail_next(ChatRefused("too large"), what="upload")
    scene.take(IMAGE)
    scene.end()
    assert isinstance(scene.reply.failure, ChatRefused)
    assert scene.settled()


def test_a_picture_that_cannot_be_read_is_told() -> None:
    scene = Scene()
    scene.take(acp.Media("image", "image/png", data="no base64!"), acp.Media("resource", uri="x:/y"))
    scene.end()
    scene.go(2)
    assert "could not be read" in scene.texts[0]
    assert scene.platform.files(CONVERSATION) == []
    assert scene.settled()


# ---- whatever happens ----

SAID = st.text(alphabet="abc \n`|é", min_size=1, max_size=40).map(acp.Said)
TOOLS = st.builds(
    tool, st.sampled_from("ab"), st.sampled_from(["ls", "make all"]), st.sampled_from(["in_progress", "completed"])
)
FAULTS = st.sampled_from(["release", "release", "release", "slow", "slow but done", "refused"])
STEPS = st.lists(SAID | TOOLS | st.floats(0, 3, allow_nan=False) | FAULTS, max_size=40)


def fail(scene: Scene, fault: str) -> None:
    """Let the next edit fail: a post that fails for good would be a failure, and a message twice is no lost text."""
    if fault == "refused":
        scene.platform.fail_next(ChatRefused("no"), what="edit")
    else:
        scene.platform.fail_next(ChatTimeout("slow"), what="edit", half_done=fault == "slow but done")


def finish(scene: Scene, chance: random.Random) -> None:
    """Let everything land, in any order of those in flight."""
    while not scene.settled():
        held: list[Op] = scene.platform.held
        if held:
            scene.platform.release(chance.choice(held))
        scene.refresh()
        if not scene.platform.held and not scene.settled():
            scene.go(1.2)


@given(STEPS, STEPS, st.integers(20, 200), st.randoms(use_true_random=False))
@example([acp.Said("a"), 2.0, acp.Said("b"), "refused", 2.0], [], 50, random.Random(1))
def test_the_final_pages_are_the_whole_turn_whatever_became_of_the_edits(
    steps: list[acp.Said | acp.ToolChanged | float | str],
    late: list[acp.Said | acp.ToolChanged | float | str],
    limit: int,
    chance: random.Random,
) -> None:
    scene = Scene(Limits(page=limit, typing_interval=None))
    scene.platform.hold()
    begun = scene.clock.monotonic()
    faults = 0

    def play(script: list[acp.Said | acp.ToolChanged | float | str]) -> None:
        nonlocal faults
        for step in script:
            match step:
                case float():
                    scene.go(step)
                case "release":
                    if scene.platform.held:
                        scene.platform.release(chance.choice(scene.platform.held))
                        scene.refresh()
                case str():
                    fail(scene, step)
                    faults += 1
                case _:
                    scene.take(step)

    play(steps)
    scene.end(footer="f")
    play(late)
    finish(scene, chance)
    ending = Drawing().ending(scene.turn.explain(), "f")
    pages = split(convert(Drawing().whole(scene.turn, ending), "code"), limit)
    assert [page for page in pages if page not in scene.texts] == []
    if not any(op.error for op in scene.platform.done("edit")):
        # A message that refuses its edit stays as it was, and its text comes again below.
        assert scene.texts[: len(pages)] == pages
    assert scene.reply.failure is None
    assert scene.platform.violations == []
    seconds = scene.clock.monotonic() - begun
    edits = len(scene.platform.done("edit"))
    assert edits <= 2 * seconds / 1.2 + 3 * len(scene.texts) + 2 * faults


def test_a_flood_of_chunks_costs_no_more_than_its_text() -> None:
    def cost(chunks: int) -> float:
        scene = Scene()
        begin = time.thread_time()
        for number in range(chunks):
            scene.turn.take(acp.Said("a line of ordinary text\n"))
            if number % 10 == 0:
                scene.reply.refresh(scene.turn)
        scene.end()
        scene.refresh()
        assert scene.settled()
        return time.thread_time() - begin

    cost(100)
    assert cost(20_000) < 40 * cost(2_000)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_the_conversation_is_that_of_the_message() -> None:
    scene = Scene(notes=(note("m9"),))
    assert scene.reply.conversation == CONVERSATION
    assert scene.notes[0].ref == MessageRef(CONVERSATION, "m9")


def test_a_reply_that_has_not_seen_its_turn_wants_to() -> None:
    scene = Scene()
    fresh = Reply(scene.notes, scene.platform, scene.clock, Drawing(), ReactionsConfig(), lambda: None)
    assert fresh.due() == scene.clock.monotonic()
    assert "live" in repr(fresh)
    fresh.refresh(scene.turn)
    assert fresh.due() > scene.clock.monotonic()
