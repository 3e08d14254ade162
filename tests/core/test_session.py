"""One session, with a real agent process: its life, its turns, its end."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Literal

import psutil
import pytest

from openab_sync.acp import events as acp
from openab_sync.core import agent
from openab_sync.core import session as session_module
from openab_sync.core.message import Inbound, MessageRef
from openab_sync.core.port import Limits, Settled
from openab_sync.core.state import State
from tests.core.bed import ANN, EVENTS, Bed, place, received
from tests.core.paper_ledger import PaperLedger
from tests.fakes.clock import FakeClock
from tests.waiting import until


def methods(log: Path) -> list[str]:
    return [message.get("method", "answer") for message in received(log)]


# Turns.


def test_a_message_is_answered_and_the_session_is_idle_again() -> None:
    with Bed() as bed:
        assert bed.ask("say hello").outcome == "done"
        assert bed.text() == "hello"
        bed.until_state(State.IDLE)


def test_messages_of_one_conversation_are_answered_in_order_by_one_agent(tmp_path: Path) -> None:
    """FIELD A4, F12."""
    log = tmp_path / "log"
    with Bed("--log", str(log)) as bed:
        for number in range(5):
            assert bed.say(f"say {number}\\n").state in {"accepted", "queued"}
        until(lambda: len(bed.ends()) == 5)
        assert bed.text().split() == ["0", "1", "2", "3", "4"]
    assert methods(log).count("initialize") == 1


def test_a_second_prompt_is_never_sent_while_one_runs(tmp_path: Path) -> None:
    gate, log = tmp_path / "gate", tmp_path / "log"
    with Bed("--log", str(log)) as bed:
        bed.say(f"say first\ngate {gate}")
        bed.until_text("first")
        assert bed.say("say second").state == "queued"
        assert methods(log).count("session/prompt") == 1
        gate.touch()
        bed.until_text("second")
        assert [end.outcome for end in bed.ends()][:1] == ["done"]
        until(lambda: len(bed.ends()) == 2)


def test_text_that_comes_after_the_answer_is_a_late_page_of_that_turn(tmp_path: Path) -> None:
    """FIELD B1, 76: 17 s were seen."""
    late = tmp_path / "late"
    with Bed() as bed:
        bed.ask(f"late_on {late} afterwards\nsay early")
        assert bed.text() == "early"
        late.touch()
        bed.until_text("afterwards")
        assert len(bed.ends()) == 1


def test_a_late_answer_to_a_cancelled_prompt_does_not_touch_the_next_turn() -> None:
    """FIELD A8."""
    with Bed(pool={"cancel_grace_secs": 0.2}) as bed:
        bed.say("late_answer_after_cancel")
        bed.until_state(State.BUSY)
        bed.command("cancel")
        until(bed.ends)
        assert bed.ends()[0].outcome == "stalled"
        end = bed.ask("say fresh")
        assert (end.outcome, "fresh" in bed.text()) == ("done", True)


@pytest.mark.parametrize("replay", ["--replay-after", "--load-session"])
def test_history_that_the_agent_replays_is_not_shown(replay: str, tmp_path: Path) -> None:
    """FIELD section 2, must-do 9; 66 messages after the answer were seen."""
    flags = ["--memory", str(tmp_path / "memory")] + ([replay] if replay == "--replay-after" else [])
    with Bed(*flags) as bed:
        bed.ask("say in the past")
        bed.ask("crash")
        end = bed.ask("say now")
        assert end.outcome == "done"
        assert bed.text().count("in the past") == 1
        assert bed.notices() == []


def test_updates_of_other_sessions_are_not_shown() -> None:
    with Bed() as bed:
        bed.ask("wrong_session\nsay mine")
        assert bed.text() == "for youmine"  # the word sends the same to another session


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("empty", "failed"),
        ("empty_usage", "failed"),
        ("zero_tokens", "failed"),
        ("thought_only", "failed"),
        ("tools_only", "done"),
        ("null_result", "failed"),
        ("stop refusal", "refused"),
        ("stop max_tokens", "limit"),
        ("stop max_turn_requests", "limit"),
        ("stop tired", "failed"),
        ("error details", "failed"),
        ("error message", "failed"),
        ("error nomessage", "failed"),
        ("error string", "failed"),
        ("error bare", "failed"),
    ],
)
def test_an_answer_that_says_nothing_is_explained_and_no_success(word: str, outcome: str) -> None:
    """FIELD 77, B2-B5, B11, B12."""
    with Bed() as bed:
        end = bed.ask(word)
        assert end.outcome == outcome
        assert end.reason
        assert bed.ask("say still here").outcome == "done"


# Death.


@pytest.mark.parametrize("word", ["crash_after_text half", "say half\nexit0", "say half\norphan"])
def test_a_death_ends_the_turn_at_once_with_what_was_said(word: str) -> None:
    """FIELD B2, A7; a grandchild that keeps stdout open changes nothing."""
    with Bed(clock=FakeClock()) as bed:  # no second passes on it: nothing here is due to a time-out
        end = bed.ask(word)
        assert end.outcome == "gone"
        assert "half" in bed.text()
        assert "exit status" in end.reason or "killed" in end.reason


def test_a_killed_agent_is_noticed_and_the_next_message_takes_the_session_up_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Bed("--memory", str(tmp_path / "memory"), "--log", str(log)) as bed:
        bed.ask("say one")
        bed.say("hang")
        bed.until_state(State.BUSY)
        pid = bed.snapshot().pid
        assert pid is not None
        os.killpg(pid, signal.SIGKILL)
        until(lambda: len(bed.ends()) == 2)
        assert bed.ends()[1].outcome == "gone"
        assert bed.ask("recall").outcome == "done"
        assert "say one" in bed.text()
        assert "session/load" in methods(log)


def test_the_grandchildren_of_an_ended_agent_are_ended_too() -> None:
    """FIELD C1."""
    with Bed("--linger") as bed:
        bed.ask("pid")
        pids = [int(word) for word in bed.text().replace(",", " ").replace("}", " ").split() if word.isdigit()]
        assert pids
        bed.command("reset")
        until(lambda: not any(psutil.pid_exists(pid) for pid in pids), what="all of them are gone")


def test_messages_that_wait_run_in_order_on_the_successor(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with Bed("--memory", str(tmp_path / "memory")) as bed:
        bed.say(f"gate {gate}\ncrash")
        bed.until_state(State.BUSY)
        bed.say("say one\\n")
        bed.say("say two\\n")
        gate.touch()
        until(lambda: len(bed.ends()) == 3)
        assert [end.outcome for end in bed.ends()] == ["gone", "done", "done"]
        assert bed.text().split() == ["one", "two"]


def test_an_agent_that_cannot_resume_says_so_in_one_line() -> None:
    """FIELD D8."""
    with Bed("--no-load") as bed:
        bed.ask("crash")
        bed.ask("say again")
        assert len(bed.notices()) == 1
        assert "fresh" in bed.notices()[0]


def test_an_idle_agent_that_dies_is_replaced_with_the_next_message() -> None:
    with Bed() as bed:
        bed.ask("say one\\n")
        bed.until_state(State.IDLE)
        pid = bed.snapshot().pid
        assert pid is not None
        os.killpg(pid, signal.SIGKILL)
        until(lambda: bed.broker.snapshot().sessions == ())
        assert bed.ask("say two").outcome == "done"


# Patience.


def test_a_silent_agent_is_waited_for_below_the_ceiling_and_people_are_reassured() -> None:
    """FIELD 59, 732: silence is not death."""
    with Bed(clock=FakeClock()) as bed:
        bed.say("hang")
        bed.until_state(State.BUSY)
        for _ in range(20):
            bed.pass_time(60)
        until(bed.notices)
        assert "still at work" in bed.notices()[0]
        assert bed.ends() == []
        assert bed.command("cancel").text == "Cancelling."
        until(bed.ends)
        assert bed.ends()[0].outcome == "cancelled"


def test_the_ceiling_holds_for_an_agent_that_never_falls_silent() -> None:
    """FIELD section 2, row 1: something every 20 ms, and the limit is met all the same."""
    with Bed(clock=FakeClock()) as bed:
        bed.say("drip 0.02")
        until(lambda: len(bed.events()) > 3)
        bed.pass_time(1801)
        until(bed.ends)
        assert bed.ends()[0].outcome == "stalled"
        assert "30 minutes" in bed.ends()[0].reason
        bed.until_state(State.IDLE)  # it obeyed the cancel: the agent lives on


def test_an_agent_that_ignores_a_cancel_is_ended_after_its_grace(tmp_path: Path) -> None:
    with Bed("--memory", str(tmp_path / "memory"), clock=FakeClock()) as bed:
        bed.say("say begun\nignore")
        bed.until_text("begun")
        pid = bed.snapshot().pid
        assert pid is not None
        bed.command("cancel")
        bed.until_state(State.CANCELLING)
        bed.pass_time(5)
        until(bed.ends)
        assert bed.ends()[0].outcome == "stalled"
        until(lambda: not psutil.pid_exists(pid))
        until(lambda: bed.broker.snapshot().sessions == ())


def test_waiting_for_a_person_does_not_count_against_the_ceiling() -> None:
    with Bed(clock=FakeClock(), permissions={"timeout_secs": 100_000}) as bed:
        bed.say("ask\nsay after")
        question = bed.port.until_question()
        for _ in range(10):
            bed.pass_time(600)
        assert bed.ends() == []
        bed.port.answer(question, question.options[0].option_id, ANN)
        until(bed.ends)
        assert bed.ends()[0].outcome == "done"
        assert "after" in bed.text()


@pytest.mark.parametrize("flags", [("--no-init",), ("--hang-on", "session/new")])
def test_a_start_that_takes_too_long_is_given_up_and_told(flags: tuple[str, ...]) -> None:
    with Bed(*flags, clock=FakeClock()) as bed:
        bed.say("say never")
        bed.until_state(State.STARTING)
        until(lambda: bed.snapshot().pid is not None or bool(bed.events()))
        bed.pass_time(121)
        until(bed.ends)
        assert bed.ends()[0].outcome == "failed"
        assert "did not answer" in bed.ends()[0].reason


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("--die-at-start", "ended"),
        ("--init-error", "flag"),
        ("--new-error", ""),
        ("--version 2", "version"),
        ("--version 2026-01-01", "version"),
        ("--auth", "log in"),
    ],
)
def test_an_agent_that_cannot_begin_is_told_to_everybody_who_waits(flag: str, words: str) -> None:
    """FIELD B15, C10; each message is one try."""
    with Bed(*flag.split(), limits=replace(EVENTS, can_ask=False)) as bed:
        bed.say("say one")
        bed.say("say two")
        until(lambda: len(bed.ends()) == 2)
        assert {end.outcome for end in bed.ends()} == {"failed"}
        assert all(words in end.reason.lower() for end in bed.ends())


def test_a_missing_command_is_named_with_where_it_was_looked_for() -> None:
    """FIELD C11."""
    with Bed(command=["no-such-agent"]) as bed:
        end = bed.ask("say hello")
        assert end.outcome == "failed"
        assert "no-such-agent" in end.reason
        assert "PATH" in end.reason


def test_a_turn_that_could_not_even_begin_is_written_down_as_over() -> None:
    """Else the next start would answer what its people were told will not be."""
    ledger = PaperLedger()
    with Bed("--die-at-start", ledger=ledger) as bed:
        bed.broker.receive(Inbound(MessageRef(place(), "m"), ANN, "say hello", delivery=7))
        until(lambda: "close" in ledger.words(), what="it is over")
    assert ledger.words() == ["complete", "start", "finish", "close"]


def test_a_turn_that_a_bug_of_ours_ends_before_it_begins_is_written_down_as_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ledger = PaperLedger()

    def wrong(_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(agent.Agent, "listen", wrong)
    with Bed(ledger=ledger) as bed:
        bed.broker.receive(Inbound(MessageRef(place(), "m"), ANN, "say hello", delivery=7))
        until(lambda: "close" in ledger.words(), what="it is over")
    assert ledger.words() == ["complete", "start", "finish", "close"]


@pytest.mark.parametrize(
    ("flag", "keeps"),
    [("--load-error", False), ("--load-dies", True), ("--load-hang", True), ("--load-error -32000", True)],
)
def test_only_an_error_answer_makes_the_session_start_fresh(flag: str, keeps: bool, tmp_path: Path) -> None:
    """FIELD D3: a time-out, a death and "log in first" keep the ACP session id."""
    log = tmp_path / "log"
    with Bed(*flag.split(), "--log", str(log), pool={"new_session_secs": 0.3}) as bed:
        assert bed.ask("say one").outcome == "done"
        bed.ask("crash")
        end = bed.ask("say two")
        assert end.outcome == ("failed" if keeps else "done")
        assert bool(bed.notices()) is not keeps
        bed.ask("say three")
    loads = [message["params"]["sessionId"] for message in received(log) if message.get("method") == "session/load"]
    assert len(set(loads)) == 1
    assert len(loads) == (2 if keeps else 1)


# Orders in every state.


def test_cancel_while_starting_takes_the_message_back(tmp_path: Path) -> None:
    begin = tmp_path / "begin"
    with Bed("--slow-new-on", str(begin)) as bed:
        bed.say("say one\\n")
        bed.until_state(State.STARTING)
        assert bed.command("cancel").text == "Cancelled before it began."
        bed.say("say two")
        begin.touch()
        bed.until_text("two")
        assert "one" not in bed.text()


def test_cancel_all_drops_what_waits_as_well() -> None:
    with Bed() as bed:
        bed.say("hang")
        bed.until_state(State.BUSY)
        bed.say("say never")
        bed.say("say never")
        assert bed.command("cancel-all").text == "Cancelling. 2 waiting messages were dropped."
        until(bed.ends)
        bed.until_state(State.IDLE)
        assert (len(bed.starts()), bed.text()) == (1, "")


def test_cancel_when_nothing_runs_says_so() -> None:
    with Bed() as bed:
        assert bed.command("cancel").text == "Nothing is running here."
        bed.ask("say hello")
        bed.until_state(State.IDLE)
        assert bed.command("cancel").text == "Nothing is running here."


def test_cancel_acts_in_the_middle_of_a_flood() -> None:
    """FIELD A14."""
    with Bed() as bed:
        bed.say("flood")
        until(lambda: len(bed.events()) > 3)
        assert bed.command("cancel").text == "Cancelling."
        until(bed.ends)
        assert bed.ends()[0].outcome == "cancelled"


@pytest.mark.parametrize("word", ["hang", "ignore", "flood", "drip 0.02"])
def test_reset_ends_the_agent_whatever_it_does(word: str, tmp_path: Path) -> None:
    """FIELD A15, F11: what others had queued goes too."""
    log = tmp_path / "log"
    with Bed("--memory", str(tmp_path / "memory"), "--log", str(log)) as bed:
        bed.say(word)
        bed.until_state(State.BUSY)
        pid = bed.snapshot().pid
        assert pid is not None
        bed.say("say never")
        assert bed.command("reset").ok
        until(lambda: bed.broker.snapshot().sessions == ())
        assert not psutil.pid_exists(pid)
        assert [end.outcome for end in bed.ends()] == ["cancelled"]
        assert bed.ask("say new").outcome == "done"
        assert "never" not in bed.text()
    assert "session/load" not in methods(log)


def test_reset_while_starting_ends_the_start() -> None:
    with Bed("--no-init") as bed:
        bed.say("say never")
        bed.until_state(State.STARTING)
        assert "1 waiting message was dropped" in bed.command("reset").text
        until(lambda: bed.broker.snapshot().sessions == ())
        assert bed.ends() == []


def test_an_option_is_set_in_the_middle_of_a_turn_and_again_after_a_restart(tmp_path: Path) -> None:
    """FIELD D10."""
    log = tmp_path / "log"
    with Bed("--options", "--memory", str(tmp_path / "memory"), "--log", str(log)) as bed:
        bed.say("hang")
        bed.until_state(State.BUSY)
        models = bed.command("models").text
        choice = next(line.split()[1] for line in models.splitlines() if line.startswith("○"))
        assert bed.command("models", choice).ok
        bed.command("cancel")
        until(bed.ends)
        bed.ask("crash")
        bed.ask("say again")
        assert f"● {choice}" in bed.command("models").text


def test_options_can_be_asked_for_before_anybody_has_written() -> None:
    with Bed("--options") as bed:
        assert "●" in bed.command("modes").text
        bed.until_state(State.IDLE)
        assert bed.command("models", "no-such-model").ok is False


# Questions.


def test_a_question_is_answered_with_the_option_a_person_chose() -> None:
    with Bed() as bed:
        bed.say("ask")
        question = bed.port.until_question()
        assert [option.name for option in question.options]
        bed.port.answer(question, question.options[-1].option_id, ANN)
        until(bed.ends)
        assert question.options[-1].option_id in bed.text()
        settled = [event for event in bed.events() if isinstance(event, Settled)]
        assert "Ann" in settled[0].text


@pytest.mark.parametrize(
    ("word", "answer", "said"),
    [
        ("ask", "no-1", "Reject."),
        ("ask_only_always", "no-all", "Always reject."),
        ("ask_without_kinds", "cancelled", "cancelled."),  # nobody knows which of them is a no
    ],
)
def test_a_question_nobody_answers_gets_the_agents_own_reject_option(word: str, answer: str, said: str) -> None:
    """FIELD section 5: `cancelled` would abort whole turns in some agents; it is what is left where there is none."""
    with Bed(clock=FakeClock()) as bed:
        bed.say(word)
        bed.port.until_question()
        bed.pass_time(599)
        assert bed.text() == "", "people have ten minutes"
        bed.pass_time(2)
        until(bed.ends)
        assert bed.text().strip() == f"answer: {answer}"
        (settled,) = [event for event in bed.events() if isinstance(event, Settled)]
        assert settled.text == f"Nobody answered within 10 minutes: {said}"


def test_cancel_answers_every_open_question_with_cancelled(tmp_path: Path) -> None:
    """ACP, session/cancel: gemini and cline hold the prompt until then."""
    log = tmp_path / "log"
    with Bed("--log", str(log)) as bed:
        bed.say("ask_two")
        until(lambda: len(bed.port.questions) == 2)
        bed.command("cancel")
        until(bed.ends)
        assert bed.ends()[0].outcome == "cancelled"
    answers = [message["result"]["outcome"] for message in received(log) if "outcome" in message.get("result", {})]
    assert answers == [{"outcome": "cancelled"}] * 2


@pytest.mark.parametrize(("mode", "kind"), [("allow", "allow_once"), ("deny", "reject_once")])
def test_the_other_modes_decide_by_themselves(mode: str, kind: str) -> None:
    with Bed(permissions={"mode": mode}) as bed:
        bed.ask("ask")
        assert bed.port.questions == {}
        tools = [event for event in bed.events() if isinstance(event, acp.ToolChanged)]
        assert tools
        assert bed.text().strip() == f"answer: {'ok-1' if kind == 'allow_once' else 'no-1'}"


@pytest.mark.parametrize(
    "word", ["ask_no_options", "ask_null_options", "ask_unknown_kinds", "ask_after_end", "ask_unseen", "ask_minimal"]
)
def test_a_question_of_any_shape_gets_one_answer_and_never_an_invented_one(word: str, tmp_path: Path) -> None:
    """FIELD A18, B8."""
    log = tmp_path / "log"
    with Bed("--log", str(log), permissions={"mode": "deny"}) as bed:
        bed.ask(word)
        bed.ask("say done")
        assert "done" in bed.text()
    answers = [message for message in received(log) if "outcome" in message.get("result", {})]
    assert len(answers) == 1


# The end.


def test_a_busy_session_is_told_graced_cancelled_and_its_reply_delivered() -> None:
    with Bed(pool={"shutdown_grace_secs": 0.1}) as bed:
        bed.say("say begun\nhang")
        bed.until_text("begun")
        bed.say("say never")
        assert bed.app.stop()
        assert bed.ends()[0].outcome == "cancelled"
        assert "shutting down" in bed.ends()[0].reason
        about_the_turn, about_the_other = [text for text in bed.notices() if "shutting down" in text]
        assert about_the_turn == "openab-sync is shutting down. This turn has 0.1 s to finish."
        assert "did not take this message" in about_the_other
        assert bed.say("say too late").state == "refused"


def test_a_chat_that_does_not_answer_does_not_hold_the_end_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither who is being answered, nor whose reply is on its way already when the end begins."""
    monkeypatch.setattr(session_module, "LAST_WORDS", 0.05)
    with Bed(limits=Limits(edit_interval=0.01)) as bed:
        bed.say("say begun\nhang", to="A")
        bed.port.until_text(place("A"), "begun")
        bed.port.hold()
        bed.say("say done", to="B")
        bed.port.until(lambda: any(op.conversation == place("B") and op.what == "post" for op in bed.port.held))
        assert bed.app.stop()
        assert caplog.text.count("the reply was not delivered in time") == 2
        bed.port.release_all()


def test_the_session_looks_like_what_it_is() -> None:
    with Bed() as bed:
        bed.ask("say hello")
        bed.until_state(State.IDLE)
        pid = bed.snapshot().pid
        assert repr(bed.session()) == f"<Session {place()} IDLE inbox=0 pid={pid}>"


# The reply, as a chat with messages shows it.


@pytest.mark.parametrize("live", ["edit", "once"])
def test_the_reply_is_posted_exactly_and_the_session_is_idle_at_once(live: Literal["edit", "once"]) -> None:
    """On the real clock: a reply that waits for a moment that has just passed would keep the session busy."""
    with Bed(limits=Limits(live=live, page=100, edit_interval=0.01)) as bed:
        bed.say("say one\\n\nchunks 30 10")
        bed.port.until(lambda: "🆗" in str(bed.port.reactions), 5)
        bed.until_state(State.IDLE)
        pages = bed.port.texts(place())
        assert len(pages) > 2
        assert "one" in pages[0]
        assert all(len(page) <= 100 for page in pages)


def test_the_last_reaction_is_there_although_the_agent_died() -> None:
    with Bed(limits=Limits(edit_interval=0.01)) as bed:
        bed.say("crash_after_text half")
        bed.port.until(lambda: "😱" in str(bed.port.reactions), 5)
        bed.port.until_text(place(), "half")
        assert "exit status" in bed.port.texts(place())[-1]


def test_an_option_that_the_agent_never_sets_is_given_up_and_told() -> None:
    with Bed("--options", "--hang-on", "session/set_config_option", clock=FakeClock()) as bed:
        models = bed.command("models").text
        choice = next(line.split()[1] for line in models.splitlines() if line.startswith("○"))
        answer = bed.order("models", choice)
        bed.tick(answer.done, step=5)
        assert answer.result(0).ok is False
        assert "did not answer" in answer.result(0).text


def test_an_order_learns_why_the_agent_could_not_be_started() -> None:
    with Bed(command=["no-such-agent"]) as bed:
        answer = bed.command("models")
        assert answer.ok is False
        assert "no-such-agent" in answer.text
