"""From snapshots to what is said over HTTP."""

from __future__ import annotations

import msgspec

from openab_sync.acp import events as acp
from openab_sync.core.house import HouseSnapshot, SessionSnapshot, Usage
from openab_sync.core.message import Person
from openab_sync.core.port import Notice, Question
from openab_sync.core.state import State
from openab_sync.core.transcript import freeze
from openab_sync.core.turn import Turn
from openab_sync.status.views import asked, open_questions, question, row, turn
from openab_sync.text.redact import Redactor
from tests.core.makers import ANNA, HERE, note
from tests.fakes.clock import FakeClock

SECRET = "s3cret-value-of-ours"
CLEAN = Redactor([SECRET])
QUESTION = Question(
    "q1", HERE, f"rm {SECRET}", "```\nrm\n```", (acp.PermissionOption("o1", "Allow", "allow_once"),), (ANNA,)
)


def session() -> SessionSnapshot:
    clock = FakeClock()
    running = Turn((note("m1", f"please {SECRET}"),), clock)
    content = (acp.Output(f"out {SECRET}"), acp.Diff("/a/b.txt", "one\n", f"{SECRET}\n"))
    running.take(
        acp.Said(f"I say {SECRET}"),
        acp.Thought(f"hm {SECRET}"),
        Notice(f"note {SECRET}"),
        acp.ToolChanged("t", f"make {SECRET}", "execute", "in_progress", content),
        acp.PlanChanged((acp.PlanEntry(f"do {SECRET}"),)),
        acp.Link("file:///x", f"name {SECRET}"),
    )
    seen = freeze(1, running, (QUESTION,))
    return SessionSnapshot(
        HERE, State.BUSY, "Robin", 4711, inbox=2, turn_started=90.0, last_activity=99.0, tool=f"make {SECRET}",
        questions=1, title=f"About {SECRET}", usage=Usage(10, 100, 0.5, "USD", 7, 3), cwd="/work", turns=(seen,),
    )  # fmt: skip


def test_a_row_says_what_a_session_does_and_without_a_key_nothing_of_what_was_said() -> None:
    plain = row(session(), 100.0, {4711: 1024}, CLEAN, content=False)
    assert (plain.key, plain.state, plain.agent, plain.pid, plain.rss) == ("test:1", "busy", "Robin", 4711, 1024)
    assert (plain.queue, plain.questions, plain.turn_seconds, plain.idle_seconds) == (2, 1, 10.0, 1.0)
    assert (plain.title, plain.tool, plain.words, plain.asked) == ("", "", "", "")
    assert (plain.usage.context, plain.usage.cost, plain.usage.turns) == (10, 0.5, 3)
    assert (plain.cwd, plain.usage.output_tokens, plain.usage.currency) == ("/work", 7, "USD")
    full = row(session(), 100.0, {}, CLEAN, content=True)
    assert full.rss is None
    assert full.words == "I say [redacted]" and full.asked == "please [redacted]"


def test_no_secret_leaves() -> None:
    found = session()
    told = [
        row(found, 100.0, {}, CLEAN, content=True),
        turn(found.turns[0], "test:1", 100.0, CLEAN),
        asked([note("m2", SECRET)], CLEAN),
    ]
    text = msgspec.json.encode(told).decode()
    assert SECRET not in text
    assert text.count("[redacted]") == 15


def test_a_turn_shows_its_parts_a_change_as_a_diff() -> None:
    page = turn(session().turns[0], "test:1", 100.0, str)
    data = msgspec.to_builtins(page)
    assert [part["kind"] for part in data["parts"]] == ["text", "text", "text", "tool", "plan", "media"]
    assert [part.get("voice") for part in data["parts"][:3]] == ["text", "thought", "notice"]
    output, diff = data["parts"][3]["output"]
    assert (output["text"], output["is_diff"]) == (f"out {SECRET}", False)
    assert diff["is_diff"] and f"+{SECRET}" in diff["text"] and diff["path"] == "/a/b.txt"
    assert (page.outcome, page.number, page.is_cut) == ("", 1, False)


def test_open_questions_are_found_whatever_session_asks() -> None:
    house = HouseSnapshot((session(), SessionSnapshot(HERE, State.IDLE)), ())
    assert open_questions(house) == [QUESTION]
    shown = question(QUESTION, "test:1", CLEAN)
    assert (shown.id, shown.key, shown.title, shown.asked_of) == ("q1", "test:1", "rm [redacted]", ["Anna"])
    assert [option.id for option in shown.options] == ["o1"]


def test_who_has_no_name_is_called_by_an_id() -> None:
    assert asked([note("m1", "x", by=Person("42"))], str)[0].by == "42"
