"""The demo agent on a bad wire, and the ways in which it ends."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from tests.agents.client import ROOT
from tests.agents.demo_client import COMMAND, Demo, again

# ---- the wire ----

GARBAGE = [
    (b"{nonsense\n", -32700),
    (b"\xff\xfe\n", -32700),
    (b"[" * 100_000 + b"\n", -32700),
    (b"[]\n", -32600),
    (b"5\n", -32600),
    (b'{"id": 1}\n', -32600),
    (b'{"id": 1.5, "method": "initialize"}\n', -32600),
    (b'{"id": 1, "method": 5}\n', -32600),
    (b'{"id": 1, "method": "session/fly"}\n', -32601),
    (b'{"id": 1, "method": "initialize", "params": []}\n', -32602),
    (b'{"id": 1, "method": "initialize", "params": {"protocolVersion": "2026-01-01"}}\n', -32602),
    (b'{"id": 1, "method": "initialize", "params": {"protocolVersion": true}}\n', -32602),
    (b'{"id": 1, "method": "session/new", "params": {"cwd": "relative", "mcpServers": []}}\n', -32602),
    (b'{"id": 1, "method": "session/new", "params": {"cwd": "/"}}\n', -32602),
    (b'{"id": 1, "method": "session/prompt", "params": {"sessionId": "x", "prompt": []}}\n', -32002),
]


@pytest.mark.parametrize(("line", "code"), GARBAGE)
def test_garbage_is_answered_with_the_right_code(demo: Demo, line: bytes, code: int) -> None:
    demo.send_raw(line)
    answer = demo.until(lambda message: "error" in message).answer
    assert answer["error"]["code"] == code
    assert demo.say("echo alive").text == "alive\n"


def test_a_block_that_is_none_is_a_bad_parameter(demo: Demo) -> None:
    assert demo.prompt(demo.session, [{"type": "audio", "data": "", "mimeType": "audio/wav"}]).code == -32602


def test_notifications_are_never_answered(demo: Demo) -> None:
    demo.send_raw(b'\n  \r\n{"method": "initialize", "params": 7}\n{"method": "_vendor/thing"}\n')
    assert demo.say("echo next").text == "next\n"


def test_ids_come_back_as_they_were(demo: Demo) -> None:
    for id in ("a-string", 0, -7, None):
        demo.send({"id": id, "method": "session/list", "params": {}})
        assert demo.until(lambda message: "result" in message).answer["id"] == id


def test_a_line_of_many_megabytes_in_pieces_is_one_message(demo: Demo) -> None:
    image = {"type": "image", "mimeType": "image/png", "data": "A" * 8_000_000}
    told = demo.prompt(demo.session, [{"type": "text", "text": "files"}, image])
    assert "image image/png: 6000000 bytes" in told.text


def test_lone_surrogates_survive_the_round_trip(demo: Demo, tmp_path: Path) -> None:
    demo.say("echo \ud83d")
    demo.kill()
    with again(tmp_path) as second:
        told = second.come_back(demo.session)
        assert told.text == "\ud83d\n"


@pytest.mark.parametrize("words", ["hang", "slow 600", "flood 900000000"])
def test_the_end_of_stdin_ends_the_agent_in_mid_turn_even_if_nobody_reads(demo: Demo, words: str) -> None:
    demo.start(demo.session, f"echo begin\n{words}")
    demo.until_text("begin")
    demo.close_stdin()
    assert demo.process.wait(10) == 0


def test_what_is_owed_is_given_out_before_the_end() -> None:
    lines = [{"id": 1, "method": "initialize", "params": {"protocolVersion": 1}}] * 20
    stdin = "".join(json.dumps(line) + "\n" for line in lines)
    done = subprocess.run(COMMAND, input=stdin, cwd=ROOT, capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout.count('"protocolVersion"') == 20


def test_a_client_that_is_gone_ends_the_agent(demo: Demo) -> None:
    demo.start(demo.session, "flood 900000000")
    demo.until_text("flood line 1 ")
    demo.close_stdout()
    assert demo.process.wait(10) == 0
    assert demo.stderr() == ""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)])
def test_a_signal_ends_the_agent(demo: Demo, number: signal.Signals, code: int) -> None:
    demo.start(demo.session, "echo begin\nhang")
    demo.until_text("begin")
    demo.process.send_signal(number)
    assert demo.process.wait(10) == code
    assert demo.stderr() == ""
