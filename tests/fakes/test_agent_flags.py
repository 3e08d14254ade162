"""The fault agent is at start, and offers, what its flags say."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.agents.client import Json
from tests.fakes.harness import Fake, fake


def test_no_init_hangs_until_stdin_is_of_no_use() -> None:
    with Fake("--no-init", "--slow-init", "0") as client:
        client.request("initialize", {})
        client.send_raw(b"\n")
        with pytest.raises(BlockingIOError):
            client.peek()
        client.kill()


@pytest.mark.parametrize(("flag", "code"), [("--die-at-start", 3), ("--die-on=initialize", 4)])
def test_it_dies_when_told(flag: str, code: int) -> None:
    with Fake(flag) as client:
        with pytest.raises((EOFError, BrokenPipeError)):
            client.initialize()
        assert client.process.wait(10) == code
        assert client.stderr().startswith("fatal: ")


def test_only_the_first_process_is_at_fault_if_that_is_wanted(tmp_path: Path) -> None:
    once = ("--once", str(tmp_path / "once"), "--init-error")
    for failed in (True, False):
        with Fake(*once) as client:
            assert ("error" in client.initialize()) is failed


@pytest.mark.parametrize(("version", "answer"), [("2", 2), ("2026-01-01", "2026-01-01")])
def test_the_version_is_what_the_flag_says(version: str, answer: object) -> None:
    with Fake("--version", version, "--init-error=-32000") as client:
        assert client.initialize()["error"]["code"] == -32000
    with Fake("--version", version) as client:
        assert client.initialize()["result"]["protocolVersion"] == answer


@pytest.mark.parametrize("code", [0, -32002])
def test_a_session_that_is_not_known_is_taken_up_if_it_lies(tmp_path: Path, code: int) -> None:
    with Fake("--memory", str(tmp_path / "memory"), f"--load-lies={code}") as client:
        client.initialize()
        assert client.call("session/load", {"sessionId": "x", "cwd": "/", "mcpServers": []}).code is None
        answer = client.call("session/prompt", {"sessionId": "x", "prompt": []})
        assert answer.code == (code or None)
        assert code or answer.answer["result"] == {"stopReason": "refusal"}


def test_auth_is_needed_until_it_is_done() -> None:
    place: Json = {"cwd": "/", "mcpServers": []}
    with Fake("--auth") as client:
        assert len(client.initialize()["result"]["authMethods"]) == 3
        assert client.call("session/new", place).code == -32000
        assert client.call("authenticate", {"methodId": "login"}).code == -32602
        assert client.call("authenticate", {"methodId": "key"}).answer["result"] == {}
        assert client.call("session/new", place).code is None


def test_a_session_is_answered_once_its_gate_is_open(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with Fake("--slow-new-on", str(gate), "--slow-new", "0.01", "--new-error") as client:
        client.initialize()
        new = client.request("session/new", {"cwd": "/", "mcpServers": []})
        gate.touch()
        assert client.until_answer(new).code == -32603


def test_replay_comes_before_or_after_the_answer() -> None:
    params = {"sessionId": "any", "cwd": "/", "mcpServers": []}
    with fake("--resume-cap") as client:
        assert len(client.call("session/load", params).updates) == 2
        assert client.call("session/resume", params).updates == []
    with fake("--replay-after", "--resume-replays") as client:
        assert client.call("session/resume", params).updates == []
        client.until_text("an old answer")
    with fake("--load-error=-32002") as client:
        assert client.call("session/load", params).code == -32002
    with fake("--load-dies") as client, pytest.raises(EOFError):
        client.call("session/load", params)


def test_memory_survives_a_kill(tmp_path: Path) -> None:
    with fake("--memory", str(tmp_path / "m")) as client:
        client.say("say one")
        client.kill()
    with fake("--memory", str(tmp_path / "m")) as second:
        assert second.call("session/load", {"sessionId": "x", "cwd": "/", "mcpServers": []}).code == -32002
        told = second.call("session/load", {"sessionId": client.session, "cwd": "/", "mcpServers": []})
        assert told.text == "one"
        assert second.prompt(client.session, "recall").text == '["say one"]'


def test_the_wire_is_as_odd_as_told() -> None:
    with fake("--banner", "--bom", "--crlf", "--null-members", "--string-ids", "--early-updates") as client:
        assert client.noise[0] == b"Welcome to the fake agent!"
        assert client.until_update("usage_update")["messageId"] is None
        prompt = client.begin("ask")
        question = client.until_question()
        assert len(question["id"]) == 36
        client.choose(question, "ok-1")
        assert client.until_answer(prompt).stop == "end_turn"
        client.request("session/list", {})
        assert client.read_line().endswith(b"\r")


@pytest.mark.parametrize(
    ("flag", "members"),
    [
        ("--options", {"modes", "configOptions"}),
        ("--modes-only", {"modes"}),
        ("--models", {"models"}),
        ("--grouped-options", {"configOptions"}),
        ("--boolean-option", {"configOptions"}),
        ("--http-mcp", set()),
    ],
)
def test_a_session_offers_what_the_flags_say(flag: str, members: set[str]) -> None:
    with Fake(flag) as client:
        client.initialize()
        result = client.call("session/new", {"cwd": "/", "mcpServers": []}).answer["result"]
        assert result.keys() - {"sessionId"} == members


def test_what_is_set_stays_set() -> None:
    with fake("--options", "--boolean-option") as client:
        client.call("session/set_mode", {"sessionId": "x", "modeId": "auto"})
        client.call("session/set_model", {"sessionId": "x", "modelId": "large"})
        told = client.call("session/set_config_option", {"sessionId": "x", "configId": "auto_approve", "value": True})
        options = told.answer["result"]["configOptions"]
        assert [option["currentValue"] for option in options] == ["auto", "large", True]
    with fake("--set-error") as client:
        assert client.call("session/set_mode", {"sessionId": "x", "modeId": "auto"}).code == -32603


def test_noise_on_stderr_is_there_at_once() -> None:
    with fake("--stderr", "50") as client:
        assert client.stderr().count("api_key=") == 50


def test_a_deaf_agent_reads_nothing_more() -> None:
    with fake("--deaf") as client:
        client.begin("say x")
        client.close_stdin()
        with pytest.raises(BlockingIOError):
            client.peek()
        client.kill()


def test_only_sigkill_ends_the_stubborn(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with fake("--ignore-eof", "--ignore-term", "--log", str(log)) as client:
        client.process.send_signal(signal.SIGTERM)
        assert client.say("say still here").text == "still here"
        client.close_stdin()
        with pytest.raises(BlockingIOError):
            client.peek()
        client.kill()
        assert client.process.returncode == -signal.SIGKILL
