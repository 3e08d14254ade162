"""Turns that end oddly, late or not at all: rows B, the must-do list, the quirks of real agents (tests/README.rst)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from openab_sync.core.message import Attachment, Inbound, MessageRef
from openab_sync.core.port import TurnEnded, TurnStarted
from openab_sync.core.state import State
from tests.core.bed import ANN, EVENTS, Bed, place
from tests.fakes.clock import FakeClock
from tests.faults.scenes import PAGES, calls, page, refusals, sent
from tests.waiting import until

SECRET = "hunter2-hunter2-hunter2"


# Late text.


def test_text_within_the_drain_window_stands_before_the_next_turn(tmp_path: Path) -> None:
    """B1. The next prompt waits for 200 ms of the house's time, which stands still here."""
    gate, late = tmp_path / "gate", tmp_path / "late"
    with Bed(clock=FakeClock()) as bed:
        bed.say(f"late_on {late} afterwards\ngate {gate}\nsay answer")
        bed.until_state(State.BUSY)
        bed.say("say second")
        gate.touch()
        bed.until_text("answer")
        late.touch()
        bed.until_text("afterwards")
        assert len(bed.starts()) == 1
        bed.tick(lambda: len(bed.ends()) == 2)
        assert bed.text() == "answerafterwardssecond"


def test_late_text_goes_to_the_turn_whose_message_it_names(tmp_path: Path) -> None:
    """B1. It comes when the next prompt has been sent already, and must not stand in the wrong answer."""
    gate = tmp_path / "gate"
    with Bed(limits=PAGES) as bed:
        assert page(bed, "late_next and late") == "early"
        bed.say(f"gate {gate}\nsay second")
        bed.port.until_text(place(), "early and late")
        gate.touch()
        bed.port.until_text(place(), "second")
        assert bed.port.texts(place()) == ["early and late", "second"]


def test_what_an_agent_reports_after_its_answer_is_not_taken_for_one() -> None:
    with Bed() as bed:
        assert bed.ask("late_usage").outcome == "done"
        assert bed.ask("empty").outcome == "failed"
        assert len(bed.ends()) == 2


def test_a_second_answer_to_the_same_prompt_does_not_end_the_next_turn(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with Bed() as bed:
        bed.ask("answer_twice")
        bed.say(f"say waiting\ngate {gate}")
        bed.until_text("waiting")
        assert len(bed.ends()) == 1
        gate.touch()
        until(lambda: len(bed.ends()) == 2)
        assert bed.ends()[1].outcome == "done"


# Errors and empty answers.


def test_an_error_stands_below_what_had_been_said_with_its_code() -> None:
    """B4, B5."""
    with Bed(limits=PAGES) as bed:
        text = page(bed, "say half an answer\nerror details")
        assert text.startswith("half an answer\n\n> ⚠️ Fake could not finish: Internal error: the model is on holiday")
        assert "(−32603)" in text
        assert "code" not in page(bed, "error bare", "m2")


def test_an_error_shows_no_secret_that_the_agent_was_given() -> None:
    """B5. Shown is what the agent says, redacted."""
    with Bed(agent={"env": {"MODEL_KEY": SECRET}}) as bed:
        end = bed.ask(f"error the key {SECRET} has expired")
        assert "has expired" in end.reason
        assert SECRET not in end.reason


def test_a_notice_of_ours_does_not_make_an_empty_answer_a_success() -> None:
    """B6."""
    with Bed("--no-load") as bed:
        bed.ask("crash")
        assert bed.ask("empty").outcome == "failed"
        assert len(bed.notices()) == 1


def test_a_notice_stands_once_at_the_head_of_the_next_answer() -> None:
    """B7."""
    with Bed("--no-load", limits=PAGES) as bed:
        page(bed, "crash")
        page(bed, "say an answer", "m2")
        text = bed.port.texts(place())[-1]
        assert text.startswith("> Fake cannot resume sessions")
        assert (text.count("cannot resume"), text.count("an answer")) == (1, 1)
        page(bed, "say another", "m3")
        assert bed.port.texts(place())[-1] == "another"


@pytest.mark.parametrize("word", ["empty_usage", "zero_tokens", "empty", "thought_only"])
def test_an_agent_that_says_nothing_is_named(word: str) -> None:
    """B3, B11, B12."""
    with Bed() as bed:
        assert "Fake" in bed.ask(word).reason


def test_text_and_tools_stand_in_the_order_in_which_they_came() -> None:
    """B13."""
    with Bed(limits=PAGES) as bed:
        text = page(bed, "say one\ntools_only\nsay two\ntool_failed\nsay three")
        places = [text.index(word) for word in ("one", "Read a", "Edit b", "two", "make", "three")]
        assert places == sorted(places)


# Tools of every habit.


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("tool_twice", "✅ `Build`"),
        ("update_first", "✅ `Late news`"),
        ("title_refine", "✅ `ls -l ˋnowˋ`"),
        ("repeat_tools 5", "✅ `Read the same` ×5"),
        ("terminal_content", "✅ `make`"),
        ("tool_unfinished", "– `Never ends`"),
        ("ask_unseen", "✅ `First seen here`"),
        ("ask_minimal", "– `Title told before`"),
    ],
)
def test_each_call_is_one_line_whatever_its_news_came_in(word: str, shown: str) -> None:
    """B9, B10. Sent twice, told of late, renamed, repeated, left open, first seen in a question."""
    with Bed(limits=PAGES, permissions={"mode": "allow"}) as bed:
        lines = [line for line in page(bed, f"{word}\nsay done").splitlines() if "`" in line]
        assert lines == [shown]


# Questions.

POLICIES = [
    ("ask", "ok-1", "no-1"),
    ("ask_no_always", "ok-1", "no-1"),
    ("ask_same_kind_twice", "ok-1", "no-1"),
    ("ask_plan_mode", "default", "plan"),
    ("ask_only_always", "no-all", "no-all"),
    ("ask_only_rejects", "no-1", "no-1"),
    ("ask_unknown_kinds", "cancelled", "cancelled"),
    ("ask_without_kinds", "cancelled", "cancelled"),
    ("ask_no_options", "cancelled", "cancelled"),
    ("ask_null_options", "cancelled", "cancelled"),
]


@pytest.mark.parametrize("mode", ["allow", "deny"])
def test_what_is_picked_is_one_of_the_agents_own_options_or_cancelled(mode: str) -> None:
    """B8. Never for ever, never a mode in which it asks no more, never an id that was not offered."""
    with Bed(limits=replace(EVENTS, can_ask=False), permissions={"mode": mode}) as bed:
        for word, allowed, denied in POLICIES:
            before = bed.text()
            assert bed.ask(word).outcome == "done"
            assert bed.text()[len(before) :] == f"answer: {allowed if mode == 'allow' else denied}\n"


def test_questions_with_ids_of_any_type_get_their_answers() -> None:
    """B14."""
    with Bed("--string-ids") as bed:
        bed.say("ask\nsame_id\nask")
        for option in ("ok-1", "no-1", "ok-all"):
            bed.port.answer(bed.port.until_question(), option, ANN)
        until(bed.ends)
        assert bed.text() == "answer: ok-1\nanswer: no-1\nanswer: ok-all\n"


def test_a_late_decision_does_not_answer_a_later_question_of_the_same_id(tmp_path: Path) -> None:
    """Decisions belong to one question, not to a number that an agent uses again."""
    log = tmp_path / "log"
    with Bed("--log", str(log)) as bed:
        bed.say("dup_request_id")
        old = bed.port.until_question()
        until(lambda: len(refusals(log)) == 1)  # of the second under that id; the first stays open
        bed.command("cancel")
        until(bed.ends)
        before = len(bed.text())
        bed.say("dup_request_id")
        until(lambda: len(bed.port.questions) == 2 and len(refusals(log)) == 2)
        bed.port.answer(old, "ok-all", ANN)
        bed.port.answer(bed.port.until_question(), "no-1", ANN)
        until(lambda: len(bed.ends()) == 2)
        assert bed.text()[before:] == "answer 1: -32600\nanswer 2: no-1\n"


def test_a_rejection_that_ends_the_turn_leaves_the_agent_usable() -> None:
    """Two agents of the field answer a reject with `cancelled`."""
    with Bed(permissions={"mode": "deny"}) as bed:
        end = bed.ask("ask_strict")
        assert (end.outcome, end.stop_reason) == ("cancelled", "cancelled")
        assert bed.ask("say still here").outcome == "done"


# Cancel.


@pytest.mark.parametrize(("flags", "fresh"), [((), False), (("--load-error=-31002",), True)])
def test_an_agent_lost_in_a_cancelled_question_is_replaced(flags: tuple[str, ...], fresh: bool, tmp_path: Path) -> None:
    """It never answers the prompt and would refuse every later one; some cannot even load after that."""
    memory = ("--memory", str(tmp_path / "memory"))
    with Bed(*memory, *flags, clock=FakeClock()) as bed:
        bed.say("ask_stuck")
        bed.port.until_question()
        pid = bed.snapshot().pid
        assert pid is not None
        assert bed.command("cancel").text == "Cancelling."
        bed.pass_time(4.9)
        assert bed.ends() == []
        bed.tick(bed.ends)
        assert bed.ends()[0].outcome == "stalled"
        assert "was ended" in bed.ends()[0].reason
        assert not psutil.pid_exists(pid)
        bed.say("say recovered")
        bed.tick(lambda: len(bed.ends()) == 2)
        assert (bed.ends()[1].outcome, bed.text()) == ("done", "recovered")
        assert bool(bed.notices()) is fresh


def test_an_agent_that_answers_a_cancel_with_an_error_was_cancelled() -> None:
    """What it says ever after is its own, and shown; a reset gets a new one."""
    with Bed() as bed:
        bed.say("cancel_error")
        bed.until_state(State.BUSY)
        until(lambda: bed.snapshot().tool)
        bed.command("cancel")
        until(bed.ends)
        assert bed.ends()[0].outcome == "cancelled"
        bed.ask("say hello")
        assert "Queued for the next turn" in bed.text()
        bed.command("reset")
        bed.ask("say fresh")
        assert bed.text().endswith("fresh")


def test_the_ceiling_cancels_the_turn_and_does_not_only_stop_waiting(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Bed("--log", str(log), clock=FakeClock()) as bed:
        bed.say("hang")
        until(lambda: "session/prompt" in sent(log))
        bed.pass_time(1801)
        until(bed.ends)
        bed.say("say next")
        bed.tick(lambda: len(bed.ends()) == 2)
        order = [method for method in sent(log) if method in {"session/prompt", "session/cancel"}]
        assert order == ["session/prompt", "session/cancel", "session/prompt"]
        assert "a second prompt while one runs" not in sent(log)


# Beginning.


def test_a_session_that_takes_long_to_begin_is_waited_for(tmp_path: Path) -> None:
    """46 s have been seen."""
    begin, log = tmp_path / "begin", tmp_path / "log"
    with Bed("--slow-new-on", str(begin), "--log", str(log), clock=FakeClock()) as bed:
        bed.say("say at last")
        until(lambda: "session/new" in sent(log))
        bed.pass_time(100)
        assert "starting" in bed.command("status").text
        begin.touch()
        bed.tick(bed.ends)
        assert bed.text() == "at last"


@pytest.mark.parametrize("code", [-32603, -32002, -32602, -31002])
def test_a_load_refused_with_any_code_is_a_fresh_start_that_is_told(code: int) -> None:
    with Bed(f"--load-error={code}") as bed:
        bed.ask("crash")
        assert bed.ask("say new").outcome == "done"
        assert "starts fresh" in bed.notices()[0]


def test_a_load_that_only_seemed_to_succeed_is_seen_by_what_comes_of_it() -> None:
    """One agent says yes to any id and then refuses without a word."""
    with Bed() as bed:
        bed.ask("crash")
        end = bed.ask("stop refusal")
        assert end.outcome == "refused"
        assert "refused" in end.reason
        assert "an old answer" not in bed.text()


def test_a_mode_is_set_before_the_first_prompt(tmp_path: Path) -> None:
    """J12. Agents that begin in a mode that asks nobody are put into one that does."""
    log = tmp_path / "log"
    with Bed("--options", "--log", str(log), pool={"default_config_options": {"mode": "auto"}}) as bed:
        bed.ask("say hello")
        assert calls(log, "session/set_config_option")[0]["value"] == "auto"
        order = [method for method in sent(log) if method.startswith("session/")]
        assert order == ["session/new", "session/set_config_option", "session/prompt"]


# Options.


def test_an_option_that_the_agent_refuses_is_no_prompt(tmp_path: Path) -> None:
    """B19. The refusal is shown, and nothing is tried behind people's backs."""
    log = tmp_path / "log"
    with Bed("--options", "--set-error", "--log", str(log)) as bed:
        bed.ask("say hello")
        answer = bed.command("models", "large")
        assert not answer.ok
        assert "because a flag said so" in answer.text
        assert sent(log).count("session/prompt") == 1
        assert bed.text() == "hello"


def test_a_model_that_cannot_be_reached_shows_the_agents_own_error() -> None:
    """B18."""
    with Bed("--options") as bed:
        bed.ask("say hello")
        assert bed.command("models", "large").ok
        end = bed.ask("error no route to the model large")
        assert end.outcome == "failed"
        assert "no route to the model large" in end.reason
        assert "● large" in bed.command("models").text


# What goes out.


def test_an_agent_without_images_gets_words_instead() -> None:
    """B16, and the MUST of the protocol."""
    picture = Attachment("image", "cat.png", "image/png", data="aGVsbG8=")
    for flags, kinds in (((), ["text", "image"]), (("--no-image",), ["text", "text"])):
        with Bed(*flags) as bed:
            bed.broker.receive(Inbound(MessageRef(place(), "p1"), ANN, "blocks", attachments=(picture,)))
            until(bed.ends)
            got, _ = json.JSONDecoder().raw_decode(bed.text())
            assert [block["type"] for block in got] == kinds


def test_what_an_agent_says_between_turns_belongs_to_the_last_one(tmp_path: Path) -> None:
    """Some begin turns of their own. It is neither lost nor the beginning of the next answer."""
    late = tmp_path / "late"
    with Bed() as bed:
        bed.ask(f"late_on {late} by the way")
        bed.until_state(State.IDLE)
        late.touch()
        bed.until_text("by the way")
        bed.ask("say next")
        kinds = [type(event) for event in bed.events() if isinstance(event, TurnStarted | TurnEnded)]
        assert kinds == [TurnStarted, TurnEnded] * 2
