"""An agent that tells all its secrets: nothing of them is posted, edited, asked, uploaded, told, answered or logged.

However it cuts them: into pieces, over pages, between a tool and an answer. What is shown instead is looked for as
well, so that no test passes because nothing was said.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from openab_sync.app import App
from openab_sync.clock import SystemClock
from openab_sync.config.schema import Config
from openab_sync.core.message import Conversation, Inbound, MessageRef, Person
from openab_sync.core.port import Decision, Limits
from tests.fakes.platform import FakePlatform
from tests.hostile.telltale import SESSION
from tests.waiting import until

HERE, ANN = Conversation("test", "1"), Person("a", "Ann")
PROGRAM = str(Path(__file__).with_name("telltale.py"))
# Eight characters is the shortest; one has spaces, one is what JSON escapes, one looks like a key.
CANARIES = {
    "CANARY_A": "kanari-8",
    "CANARY_B": "canary of several words",
    "CANARY_C": 'canary"with\\escapes',
    "CANARY_D": "sk-canary" + "0aB" * 8,
    "CANARY_KEY": "canary/that+is=base64==",
}
ARGUMENT = "canary-in-an-argument"
SECRETS = [*CANARIES.values(), ARGUMENT, SESSION]
ORDERS = ["once", "cut 1", "cut 2", "cut 3", "cut 7", "pages 90", "pages 93", "pages 97"]


def limits(live: str) -> Limits:
    return msgspec.convert(
        {"page": 100, "edit_interval": 0.0, "live": live, "reactions": False, "typing_interval": None},
        Limits,
    )


@pytest.fixture(params=["edit", "once", "events"])
def port(request: pytest.FixtureRequest) -> Iterator[FakePlatform]:
    port = FakePlatform(SystemClock(), limits(request.param), threaded=True)
    yield port
    port.close()


def config() -> Config:
    return msgspec.convert(
        {
            "agent": {
                "command": sys.executable,
                "args": [PROGRAM, ARGUMENT],
                "env": {"MINE_TOKEN": CANARIES["CANARY_A"]},
                "inherit_env": [name for name in CANARIES if name != "CANARY_A"],
            },
            "reply": {"thoughts": True, "footer": True},
            "pool": {"shutdown_grace_secs": 0},
        },
        Config,
    )


def everything(port: FakePlatform) -> str:
    """All that the platform was ever told, as one text; files are read."""
    told: list[object] = []
    for op in port.ops:
        told += [op.text, op.controls]
    for message in port.messages(HERE):
        told += [message.text, message.file and (message.file.name, message.file.data.decode("utf-8", "replace"))]
    told += [question for question, _ in port.questions.values()]
    told += port.settled
    told += port.titles.values()
    told += [event for _, event in port.events]
    return "\n".join(map(str, told))


@pytest.mark.parametrize("size", [1, 4, 12])
def test_a_secret_with_a_tool_in_its_middle_is_not_told_in_two_parts(size: int, port: FakePlatform) -> None:
    """What its first characters are may be seen, up to seven; the rest is nowhere."""
    secrets = [secret for secret in SECRETS if len(secret) > size + 3]
    app = App(config(), {"test": port}, environ={**CANARIES, "PATH": "/usr/bin:/bin"}, secrets=[ARGUMENT])
    app.start()
    app.broker.receive(Inbound(MessageRef(HERE, "m1"), ANN, f"tear {size}"))
    port.until(lambda: bool(port.questions))
    for _, future in port.questions.values():
        future.set_result(Decision("no", ANN))
    until(lambda: all(item.turn_started is None for item in app.broker.snapshot().sessions), what="the turn ends")
    seen = {"sent": everything(port), "seen": f"{app.broker.snapshot().sessions[0].turns!r}"}
    assert app.stop()
    assert all(text.count("[redacted]") > len(secrets) for text in seen.values())
    parts = {(secret, part) for secret in secrets for part in (secret[size:], secret[:size][8:]) if part}
    found = {(where, secret) for where, text in seen.items() for secret, part in parts if part in text}
    assert found == set()


@pytest.mark.parametrize("order", ORDERS)
def test_nothing_that_leaves_holds_a_secret(order: str, port: FakePlatform, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    environ = {**CANARIES, "PATH": "/usr/bin:/bin"}
    app = App(config(), {"test": port}, environ=environ, secrets=[ARGUMENT])
    app.start()
    app.broker.receive(Inbound(MessageRef(HERE, "m1"), ANN, order))
    port.until(lambda: bool(port.questions))
    status = app.broker.command(HERE, "status", "", ANN).result(10).text
    until(lambda: app.broker.snapshot().sessions[0].questions, what="the snapshot shows the question")
    (look,) = app.broker.snapshot().sessions
    snapshot = f"{look!r} {look.title} {look.tool}"
    for _, future in port.questions.values():
        future.set_result(Decision("no", ANN))
    until(lambda: all(item.turn_started is None for item in app.broker.snapshot().sessions), what="the turn ends")
    assert app.stop()
    sent = everything(port)
    assert sent.count("[redacted]") > 20 and "[redacted]" in snapshot
    seen = {"sent": sent, "status": status, "snapshot": snapshot, "logged": caplog.text}
    assert {(where, secret) for where, text in seen.items() for secret in SECRETS if secret in text} == set()
    assert caplog.text.count("[redacted]") >= 1
