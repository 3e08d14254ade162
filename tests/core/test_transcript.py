"""Frozen turns: everything that was said and done, bounded, and the same whatever happens afterwards."""

from __future__ import annotations

from openab_sync.acp import events as acp
from openab_sync.core.port import Notice
from openab_sync.core.transcript import (
    CHARACTERS,
    PARTS,
    PIECE,
    WORDS,
    MediaPart,
    PlanPart,
    TextPart,
    ToolPart,
    freeze,
    last_words,
)
from openab_sync.core.turn import Turn
from openab_sync.text.redact import Redactor
from tests.core.makers import note
from tests.fakes.clock import FakeClock


def turn() -> Turn:
    return Turn((note("m1", "please"),), FakeClock())


def said(text: str) -> acp.Said:
    return acp.Said(text)


def test_everything_is_there_in_order() -> None:
    running = turn()
    changes = (acp.Output("12 passed"), acp.Diff("/a", None, "new\n"))
    running.take(
        Notice("Hello."),
        acp.Thought("hm"),
        said("I "),
        said("look."),
        acp.ToolChanged("t", "pytest", "execute", "in_progress", changes, raw_input={"command": "pytest -q"}),
        acp.PlanChanged((acp.PlanEntry("Do it"),)),
        acp.Media("image", "image/png", uri="file:///p.png"),
        acp.Link("file:///x", "x.txt", "text/plain"),
        acp.Media("audio", "audio/ogg"),
    )
    seen = freeze(3, running, ())
    assert seen.parts == (
        TextPart("notice", "Hello."),
        TextPart("thought", "hm"),
        TextPart("text", "I look."),
        ToolPart("t", "pytest", "execute", "running", "pytest -q", changes),
        PlanPart((acp.PlanEntry("Do it"),)),
        MediaPart("file:///p.png", "image/png"),
        MediaPart("x.txt", "text/plain"),
        MediaPart("audio", "audio/ogg"),
    )
    assert (seen.number, seen.outcome, seen.ended, seen.is_cut) == (3, None, None, False)
    assert [(one.id, one.by, one.text) for one in seen.asked] == [("m1", "Anna", "please")]


def test_it_stays_as_it_was() -> None:
    running = turn()
    running.take(said("one"), acp.ToolChanged("t", "make", "execute", "pending"))
    before = freeze(1, running, ())
    running.take(said(" two"), acp.ToolChanged("t", status="completed"))
    running.end("failed", "It broke.")
    after = freeze(1, running, ())
    assert [getattr(part, "state", part.kind) for part in before.parts] == ["text", "pending"]
    assert [getattr(part, "state", part.kind) for part in after.parts] == ["text", "done", "text"]
    assert (after.outcome, "It broke" in after.reason) == ("failed", True)


def test_of_a_long_answer_the_end_is_shown_and_that_it_is_the_end() -> None:
    running = turn()
    running.take(said("first"), acp.ToolChanged("t", "make", status="completed"))
    for number in range(CHARACTERS // 10):
        running.take(said(f"{number:010d}"))
    seen = freeze(1, running, ())
    assert seen.is_cut
    assert len(seen.parts) == 1 and isinstance(seen.parts[0], TextPart)
    assert len(seen.parts[0].text) == CHARACTERS
    assert seen.parts[0].text.endswith(f"{CHARACTERS // 10 - 1:010d}")


def test_of_many_parts_the_newest_are_shown() -> None:
    running = turn()
    for number in range(PARTS + 5):
        running.take(Notice(f"{number}"))
    seen = freeze(1, running, ())
    assert (len(seen.parts), seen.is_cut) == (PARTS, True)
    assert seen.parts[-1] == TextPart("notice", str(PARTS + 4))


def test_what_a_tool_puts_out_is_cut_but_not_its_name() -> None:
    running = turn()
    long = "x" * (PIECE + 1)
    content = (acp.Output(long), acp.Diff("/a", long, long), acp.Media("image"))
    running.take(acp.ToolChanged("t", "make", "execute", "completed", content))
    part = freeze(1, running, ()).parts[0]
    assert isinstance(part, ToolPart)
    assert part.content == (acp.Output("x" * PIECE + "…"), acp.Diff("/a", "x" * PIECE, "x" * PIECE))


def test_the_last_words_are_the_agents_own() -> None:
    first, second = turn(), turn()
    first.take(said("All done." + "." * WORDS))
    second.take(acp.Thought("hm"), said("\n"), Notice("Stopped."))
    turns = (freeze(1, first, ()), freeze(2, second, ()))
    assert last_words(turns) == "." * WORDS
    assert last_words(turns[1:]) == last_words(()) == ""


def test_what_is_seen_has_no_secrets_and_not_the_head_of_one_that_is_being_said() -> None:
    redact = Redactor(["canary-of-this-test"])
    running = turn()
    running.take(acp.Said("It is canary-of-th"), acp.ToolChanged("t", title="echo canary-of-this-test"))
    running.take(acp.Said("and canary-of-th"))
    seen = freeze(1, running, (), redact)
    assert seen.parts[-1] == TextPart("text", "and ")
    assert "[redacted]" in str(seen.parts[1]) and "canary" not in str(seen.parts[1])
    running.end("done")
    assert freeze(1, running, (), redact).parts[-1] == TextPart("text", "and canary-of-th")


def test_a_secret_that_a_tool_tears_into_two_texts_is_in_neither() -> None:
    redact, said = Redactor(["canary-of-this-test"]), turn()
    said.take(acp.Said("It is canary-of"), acp.ToolChanged("t", title="ls"), acp.Said("-this-test, so"))
    texts = [part.text for part in freeze(1, said, (), redact).parts if isinstance(part, TextPart)]
    assert texts == ["It is [redacted]", "[redacted], so"]
