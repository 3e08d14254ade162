"""What the core asks of a platform: plain data and a protocol, which mypy checks wherever it is filled."""

from __future__ import annotations

import inspect
from concurrent.futures import Future
from typing import get_args

from openab_sync.acp import events as acp
from openab_sync.clock import SystemClock
from openab_sync.core.port import ChatPort, Decision, File, Limits, Question, TurnEvent
from tests.core.makers import ANNA, HERE, note
from tests.fakes.platform import FakePlatform


def test_a_platform_is_asked_for_futures_and_never_waited_for() -> None:
    port: ChatPort = FakePlatform(SystemClock(), Limits(live="edit"))
    question = Question("q", HERE, "May I?", "rm -r /", (acp.PermissionOption("yes", "Yes"),), (ANNA,))
    posted = port.post(HERE, "hello", reply_to=note("m").ref, nonce="n")
    asked: list[Future[None]] = [
        port.edit(posted.result(0), "hello again"),
        port.react(note("m").ref, "👀", True),
        port.typing(HERE),
        port.settle(question, "nobody"),
        port.rename(HERE, "A title"),
    ]
    assert [future.result(0) for future in asked] == [None] * 5
    assert port.upload(HERE, File("a.txt", b"a")).result(0).conversation == HERE
    assert not port.ask(question).done()  # a person decides
    assert Decision("yes", ANNA).by == ANNA


def test_the_protocol_and_this_test_know_the_same_methods() -> None:
    public = {name for name, _ in inspect.getmembers(ChatPort) if not name.startswith("_")}
    assert public == {
        "limits", "post", "edit", "react", "typing", "ask", "settle", "upload", "rename", "ours", "sign", "event",
    }  # fmt: skip


def test_a_platform_that_draws_by_itself_is_told_all_that_a_turn_shows() -> None:
    """What only the session and the peer need is left out."""
    told = set(get_args(TurnEvent))
    asked = {acp.Asked, acp.AskWithdrawn, acp.Elicited, acp.ElicitationDone}
    inner = asked | {acp.OptionsChanged, acp.CommandsChanged, acp.Answered, acp.Failed, acp.Noise}
    assert set(get_args(acp.Event)) - told == inner
