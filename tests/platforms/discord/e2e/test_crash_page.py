"""Killed while somebody writes on the page: the same holds there as on Discord."""

from __future__ import annotations

import re
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.cli.running import PATIENCE
from tests.crash.stage import Run, Stage, Warm, dies, stops
from tests.fakes.discord import Server
from tests.platforms.web.visitor import Visitor
from tests.waiting import until

pytestmark = pytest.mark.crash

CUT = ("", "", "Interrupted by a restart before anything had been said. It does not go on by itself.")
ANSWERED = ("<p>well</p>", "done", "")

TABLE = {
    "before-accept-commit": None,  # nobody was told that it was taken
    "after-accept-commit": ANSWERED,
    "before-start-commit": ANSWERED,
    "after-start-commit": CUT,
    "after-finish-commit": ANSWERED,
}
"""What was said, the outcome and the reason that stand on the page in the end, once, below the message."""


def visit(running: Run) -> Visitor:
    until(lambda: running.is_there and "/enter/" in running.log, PATIENCE, "it serves")
    return Visitor(re.findall(r"http://\S+/enter/\S+", running.log)[-1])


def look(visitor: Visitor, key: str) -> list[tuple[str, ...]]:
    """What stands on the page: each message, and the end of what was said for it.

    An agent may not remember a session in which nothing was asked yet, and that it begins anew is told: not looked at.
    """
    room = visitor.get(f"/web/look?room={key}")["room"]
    shown = {"message": ("text",), "said": ("html",), "end": ("outcome", "reason")}
    return [
        (entry["kind"], *(entry[name].strip().rpartition("</blockquote>\n")[2] for name in shown[entry["kind"]]))
        for entry in (room["entries"] if room else ())
        if entry["kind"] in shown
    ]


@pytest.mark.parametrize("point", TABLE)
def test_crash_on_the_page(warm: Warm, server: Server, tmp_path: Path, point: str) -> None:
    stage = Stage(warm, server, tmp_path)
    stage.sections["status"] = {"listen": "127.0.0.1:0"}
    with stage.run(point) as running:
        visitor = visit(running)
        key = visitor.post("/web/conversations", {})["conversation"]
        with suppress(HTTPException, OSError):  # it may be killed before it answers
            visitor.post("/web/messages", {"conversation": key, "text": "say well"})
        dies(running)
    for _ in range(2 if point == "after-start-commit" else 1):  # and after another restart it stands there as it did
        with stage.run() as running:
            visitor = visit(running)
            until(lambda: not stage.unfinished(), PATIENCE, "all of it is over")
            until(lambda: len(look(visitor, key)) == len(expected(point)), PATIENCE, "it is shown")  # noqa: B023  # at once
            assert look(visitor, key) == expected(point)
            stops(running)
    assert stage.prompts() == (TABLE[point] == ANSWERED)


def expected(point: str) -> list[tuple[str, ...]]:
    match TABLE[point]:
        case None:
            return []
        case said, outcome, reason:
            return [("message", "say well"), *([("said", said)] if said else []), ("end", outcome or "failed", reason)]


def test_what_had_been_said_on_the_page_stands_there_and_what_waited_is_answered(
    warm: Warm, server: Server, tmp_path: Path
) -> None:
    stage = Stage(warm, server, tmp_path)
    stage.sections["status"] = {"listen": "127.0.0.1:0"}
    with stage.run() as running:
        visitor = visit(running)
        key = visitor.say("say half of it\nhang")
        until(lambda: stage.rows("SELECT 1 FROM replies WHERE draft <> ''"), PATIENCE, "what it says is on the disk")
        visitor.post("/web/messages", {"conversation": key, "text": "say next"})
        running.kill()
    with stage.run() as running:
        visitor = visit(running)
        assert visitor.hear(key, "next")
        assert look(visitor, key) == [
            ("message", "say half of it\nhang"),
            ("said", "<p>half of it</p>"),
            ("end", "failed", "Interrupted by a restart: this is all that had been said. It does not go on by itself."),
            ("message", "say next"),
            ("said", "<p>next</p>"),
            ("end", "done", ""),
        ]
        entries = visitor.get(f"/web/look?room={key}")["room"]["entries"]
        asked = [entry["message"] for entry in entries if entry["kind"] == "message"]
        again = [entry["about"] for entry in entries if entry["kind"] == "end"]
        assert again == [asked[:1], []], "what was interrupted can be asked again"
        stops(running)
    assert stage.unfinished() == []
    assert stage.prompts() == 2
