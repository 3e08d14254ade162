"""The fault agent does what the words of a prompt say: what other tests build on."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.agents.client import Json, text_of
from tests.fakes import fake_agent
from tests.fakes.agent_asks import ASKS
from tests.fakes.agent_faults import FAULTS
from tests.fakes.agent_flags import ALIASES, CODES, FILES, SECONDS, SWITCHES
from tests.fakes.agent_words import WORDS
from tests.fakes.harness import Fake, fake

README = Path(__file__).with_name("README.rst")


@pytest.fixture(scope="module")
def healthy() -> Iterator[Fake]:
    """One agent for all the words that do no harm."""
    with fake() as client:
        yield client


def test_the_readme_names_every_flag_and_every_word() -> None:
    told = set(re.findall(r"``-*([\w-]+)", README.read_text(encoding="utf-8")))
    flags = {*SWITCHES, *SECONDS, *CODES, *FILES, *ALIASES, "stderr", "version", "hang-on", "die-on"}
    assert told >= flags | WORDS.keys() | FAULTS.keys() | ASKS.keys()


def test_it_runs_anywhere_with_an_empty_environment(tmp_path: Path) -> None:
    line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}}) + "\n"
    done = subprocess.run(fake_agent(), input=line.encode(), cwd=tmp_path, env={}, capture_output=True, check=True)
    assert json.loads(done.stdout)["result"]["protocolVersion"] == 1
    assert done.stderr == b""


# ---- words that do no harm ----

TEXTS = [
    ("hello there", "you said: hello there\n"),
    ("<sender_context>{}</sender_context>\n\nsay a\\nb", "a\nb"),
    ("chunks 3 4", "0   1   2   "),
    ("empty_chunks", "between"),
    ("message_ids", "first messagesecond message"),
    ("echo_user", "your own words came back"),
    ("garbage 3", "after the garbage"),
    ("blank_lines", "after blank lines"),
    ("invalid_utf8", "after invalid UTF-8"),
    ("lone_cr", "after a progress bar"),
    ("surrogate", "lone \ud83d surrogate"),
    ("u2028", "one\u2028two\u2029three\u0085four"),
    ("hostile\nempty", "still there?"),
    ("notify_ext", "notified"),
    ("stderr 2\nsay a\nsay b", "ab"),
]


@pytest.mark.parametrize(("prompt", "text"), TEXTS)
def test_text_is_said_as_told(healthy: Fake, prompt: str, text: str) -> None:
    prompt_id = healthy.begin(prompt)
    said: list[Json] = []
    while True:  # the hostile word sends what the client's own bookkeeping would stumble over
        message = healthy.receive()
        if message.get("id") == prompt_id:
            break
        params = message.get("params")
        update = params.get("update") if isinstance(params, dict) else None
        if isinstance(update, dict) and isinstance(update.get("content"), dict):
            said += [update] if isinstance(update["content"].get("text"), str) else []
    assert text_of(said) == text


KINDS = [
    ("thought_only", ["agent_thought_chunk"]),
    ("tools_only", ["tool_call", "tool_call_update"] * 2),
    ("tool_twice", ["tool_call", "tool_call", "tool_call_update"]),
    ("update_first", ["tool_call_update", "tool_call", "tool_call_update"]),
    ("tool_unfinished", ["tool_call"]),
    ("tool_failed", ["tool_call", "tool_call_update"]),
    ("title_refine", ["tool_call", "tool_call_update", "tool_call_update"]),
    ("repeat_tools 2", ["tool_call", "tool_call_update"] * 2),
    ("diff", ["tool_call", "tool_call_update"]),
    ("terminal_content", ["tool_call", "tool_call_update"]),
    ("usage", ["usage_update"]),
    ("empty_usage", ["usage_update"]),
    ("float_numbers", ["usage_update"]),
    ("plan", ["plan", "plan"]),
    ("commands", ["available_commands_update"]),
    ("mode_update", ["current_mode_update"]),
    ("options_update", ["config_option_update"]),
    ("session_info", ["session_info_update"]),
    ("prompt_title", ["session_info_update"]),
    ("unknown_update", ["weather_report", "agent_message_chunk"]),
    ("unknown_block", ["agent_message_chunk"] * 2),
    ("image_out", ["agent_message_chunk"]),
    ("audio_out", ["agent_message_chunk"]),
    ("resource_out", ["agent_message_chunk"] * 2),
    ("empty", []),
]


@pytest.mark.parametrize(("prompt", "kinds"), KINDS)
def test_updates_come_as_told(healthy: Fake, prompt: str, kinds: list[str]) -> None:
    told = healthy.say(prompt)
    assert (told.stop, told.kinds) == ("end_turn", kinds)


def test_huge_is_one_line(healthy: Fake) -> None:
    assert len(healthy.say("huge 3000000").of("agent_message_chunk")[0]["content"]["text"]) == 3_000_000


@pytest.mark.parametrize("shape", ["details", "message", "nomessage", "string", "bare", "auth"])
def test_errors_have_every_shape(healthy: Fake, shape: str) -> None:
    assert healthy.say(f"error {shape}").answer["error"]


def test_answers_have_every_shape(healthy: Fake) -> None:
    assert healthy.say("stop max_tokens").stop == "max_tokens"
    assert healthy.say("null_result").answer["result"] is None
    assert healthy.say("zero_tokens").answer["result"]["usage"]["outputTokens"] == 0
    assert healthy.say("tokens").answer["result"]["_meta"]["quota"]
    assert healthy.say("answer_unknown_id").text == "nobody asked"
    twice = healthy.begin("answer_twice")
    assert [healthy.until_answer(twice).stop, healthy.until_answer(twice).stop] == ["end_turn"] * 2


def test_it_tells_what_it_knows(healthy: Fake) -> None:
    assert json.loads(healthy.say("env").text)["PATH"] == os.environ["PATH"]
    assert json.loads(healthy.say("pid").text)["pid"] == healthy.process.pid
    assert json.loads(healthy.say("fds").text)[:3] == [0, 1, 2]
    assert json.loads(healthy.say("blocks").text) == [{"type": "text", "text": "blocks"}]
    assert healthy.say("cwd").text == os.getcwd()
    assert "fds" in json.loads(healthy.say("recall").text)


def test_an_update_for_another_session_carries_its_id(healthy: Fake) -> None:
    prompt = healthy.begin("wrong_session")
    assert healthy.until(lambda message: "params" in message).answer["params"]["sessionId"] == "another"
    assert healthy.until_answer(prompt).text == "for you"


# ---- questions ----


@pytest.mark.parametrize(
    "word", sorted(ASKS.keys() - {"ask_two", "ask_after_end", "ask_stuck", "dup_request_id", "notify_ext"})
)
def test_every_question_reports_the_answer(healthy: Fake, word: str) -> None:
    prompt = healthy.begin(word)
    question = healthy.until_question()
    if word in ("fs_write", "fs_read", "terminal", "elicit", "elicit_form", "elicit_url", "ext"):
        healthy.send({"id": question["id"], "error": {"code": -32601, "message": "no"}})
        assert healthy.until_answer(prompt).text.endswith(": -32601\n")
        return
    healthy.choose(question, "chosen")
    assert healthy.until_answer(prompt).text == "answer: chosen\n"
    assert (question["id"] == prompt) == (word == "same_id")


@pytest.mark.parametrize("word", ["ask_two", "dup_request_id"])
def test_two_questions_are_open_at_once(healthy: Fake, word: str) -> None:
    prompt = healthy.begin(word)
    questions = [healthy.until_question() for _ in range(2)]
    for question, option in zip(questions, ("one", "two"), strict=True):
        healthy.choose(question, option)
    assert healthy.until_answer(prompt).text == "answer 1: one\nanswer 2: two\n"


def test_a_question_after_the_answer_reports_late(healthy: Fake) -> None:
    healthy.say("ask_after_end")
    healthy.choose(healthy.until_question(), None)
    assert healthy.until_text("answer: cancelled").answer


def test_a_strict_agent_ends_the_turn_when_rejected(healthy: Fake) -> None:
    prompt = healthy.begin("ask_strict")
    healthy.choose(healthy.until_question(), "no-1")
    assert healthy.until_answer(prompt).stop == "cancelled"


def test_a_batch_waits_for_the_one_answer_with_id_null(healthy: Fake) -> None:
    prompt = healthy.begin("batch")
    healthy.send({"id": None, "error": {"code": -32600, "message": "no batches"}})
    assert healthy.until_answer(prompt).text == "batch: -32600\n"


def test_a_question_holds_the_turn_until_it_is_answered_even_when_cancelled(healthy: Fake) -> None:
    prompt = healthy.begin("ask")
    question = healthy.until_question()
    healthy.cancel(healthy.session)
    healthy.choose(question, None)
    assert healthy.until_answer(prompt).stop == "cancelled"


# ---- time ----


@pytest.mark.parametrize("word", ["hang", "drip 0.01", "flood", "flood 100000", "toolong 3000000", "gate /nowhere"])
def test_a_cancel_ends_what_waits_or_floods(word: str) -> None:
    with fake() as client:
        prompt = client.begin(f"say go\n{word}")
        client.until_text("go")
        client.cancel(client.session)
        if word.startswith("toolong"):
            line = client.read_line()
            assert line.startswith(b"x" * 3_000_000)  # the answer, glued to the line that never ended
            return
        assert client.until_answer(prompt).stop == "cancelled"


def test_a_second_prompt_while_one_runs_is_refused_and_logged(tmp_path: Path) -> None:
    with fake("--log", str(tmp_path / "log")) as client:
        client.begin("ignore")
        assert client.say("say x").code == -32600
        client.cancel(client.session)
        client.close_stdin()
        assert client.process.wait(10) == 0
    log = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [entry.get("method") or entry["event"] for entry in log] == [
        "initialize",
        "session/new",
        "session/prompt",
        "session/prompt",
        "a second prompt while one runs",
        "session/cancel",
        "eof",
    ]


def test_gates_open_when_their_file_is_there(healthy: Fake, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    prompt = healthy.begin(f"say before\ngate {gate}\nsay after\nlate_on {gate}2 late")
    healthy.until_text("before")
    gate.touch()
    assert healthy.until_answer(prompt).text == "after"
    (tmp_path / "gate2").touch()
    assert healthy.until_text("late").answer


def test_late_things_come_after_the_answer(healthy: Fake) -> None:
    assert healthy.say("late 0.01 much later").text == ""
    healthy.until_text("much later")
    healthy.say("late_usage")
    assert healthy.until_update("usage_update")["used"] == 1
    healthy.say("late_next from before")
    told = healthy.say("say now")
    assert told.text == "from beforenow"
    assert told.updates[0]["messageId"] == "late-1"


def test_a_cancelled_prompt_is_answered_when_the_next_one_comes(healthy: Fake) -> None:
    first = healthy.begin("say go\nlate_answer_after_cancel")
    healthy.until_text("go")
    healthy.cancel(healthy.session)
    second, answer = 0, Json(error="not yet")
    while "error" in answer:  # refused until the turn's thread has noticed the cancel
        second = healthy.begin("say x")
        answer = healthy.until(lambda message: "method" not in message).answer
    assert (answer["id"], answer["result"]["stopReason"]) == (first, "cancelled")
    assert healthy.until_answer(second).text == "x"


@pytest.mark.parametrize(("word", "asks"), [("cancel_error", False), ("ask_stuck", True)])
def test_some_agents_never_recover_from_a_cancel(word: str, asks: bool) -> None:
    with fake() as client:
        prompt = client.begin(word)
        if asks:
            question = client.until_question()
            client.cancel(client.session)
            client.choose(question, None)
        else:
            client.until_update("tool_call")
            client.cancel(client.session)
            assert client.until_answer(prompt).code == -32603
        while (told := client.say("say x")).code == -32600:
            continue
        assert told.code == -32603 if asks else told.text.startswith("Queued")


# ---- deaths ----


@pytest.mark.parametrize(
    ("prompt", "code", "text"), [("crash", 70, ""), ("crash_after_text half", 70, "half"), ("exit0", 0, "")]
)
def test_deaths_leave_the_prompt_unanswered(prompt: str, code: int, text: str) -> None:
    with fake() as client:
        client.begin(prompt)
        with pytest.raises(EOFError):
            client.until_answer("never")
        assert client.process.wait(10) == code
        assert text_of(client.updates) == text


def test_a_closed_stdout_is_not_the_end_of_the_process() -> None:
    with fake() as client:
        client.begin("close_stdout bye")
        with pytest.raises(EOFError):
            client.until_answer("never")
        assert text_of(client.updates) == "bye"
        assert client.process.poll() is None


def test_an_orphan_keeps_stdout_open_after_the_crash() -> None:
    with fake() as client:
        client.begin("orphan")
        orphan = psutil.Process(int(text_of(client.until_text("").updates)))
        assert client.process.wait(10) == 70
        assert os.getpgid(orphan.pid) == client.process.pid
        with pytest.raises(BlockingIOError):
            client.peek()


def test_a_double_fork_has_left_the_group() -> None:
    with fake() as client:
        stray = psutil.Process(int(client.say("double_fork").text))
        assert os.getsid(stray.pid) not in (client.process.pid, os.getsid(0))
        stray.kill()


def test_a_lingering_child_outlives_its_leader_and_sigterm() -> None:
    with fake("--linger") as client:
        child = psutil.Process(json.loads(client.say("pid").text)["linger"])
        client.close_stdin()
        assert client.process.wait(10) == 0
        os.killpg(client.process.pid, signal.SIGTERM)
        assert child.is_running()
        client.kill()
