"""Killed at every commit and in between: what was accepted is answered once, or its people are told what became of it.

A row of the table is a point (`tests.crash.points`), what Ann does, and what the next start must make of it:

    answered     exactly once, with every word of the answer, and the agent was asked exactly once; also where nothing
                 had been accepted: then nothing was acknowledged, and the message is found by catching up
    interrupted  told so, with what had been said, Retry and Discard; the agent is never asked again by itself

Whatever the row: no page stands twice, no Stop button is left, each message shows how it ended, and nothing in the
journal is unfinished.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.running import PATIENCE
from tests.crash.stage import (
    DONE,
    FAILED,
    Stage,
    Warm,
    dies,
    is_interrupted,
    reactions,
    stops,
)  # fmt: skip
from tests.fakes.discord import Server
from tests.fakes.discord.things import Message
from tests.platforms.discord.pressing import buttons
from tests.waiting import until

pytestmark = pytest.mark.crash

SHORT, LONG, HALF = "say good morning", "chunks 300 15", "say half of it\nhang"
EDITS = "say half\ngate {gate}\nsay  of it\nhang"
FILE, FILE_AND_ON = "say look\nimage_out", "image_out\nhang"
TWICE = "sent again: it may stand above"


@dataclass(frozen=True)
class Row:
    point: str
    said: str
    outcome: str
    then: str = ""
    """A second point, at which the one that mends dies."""
    is_held: bool = False
    """The first post stands still until the end of the turn is on the disk: all that is sent comes behind that."""
    is_late: bool = False
    """Ten minutes pass before the next start: Discord knows no nonce any more, what stands there has to be compared."""
    is_blind: bool = False
    """The next one may not read what stands there: nonces have to do."""

    def __str__(self) -> str:
        marks = [name for name in ("is_held", "is_late", "is_blind") if getattr(self, name)]
        return "-then-".join(filter(None, (self.point, self.then))) + "".join(f"-{name[3:]}" for name in marks)


TABLE = [
    Row("before-accept", SHORT, "answered"),
    Row("before-accept-commit", SHORT, "answered"),
    Row("after-accept-commit", SHORT, "answered"),
    Row("before-mark", SHORT, "answered"),
    Row("after-mark", SHORT, "answered"),
    Row("before-thread", SHORT, "answered"),
    Row("after-thread", SHORT, "answered"),
    Row("before-complete-commit", SHORT, "answered"),
    Row("after-complete-commit", SHORT, "answered"),
    Row("before-placed", SHORT, "answered"),
    Row("after-placed", SHORT, "answered"),
    Row("before-start", SHORT, "answered"),
    Row("before-start-commit", SHORT, "answered"),
    Row("after-start-commit", SHORT, "interrupted"),
    Row("before-prompt", SHORT, "interrupted"),
    Row("after-prompt", SHORT, "interrupted"),
    Row("first-page-posted", HALF, "interrupted"),
    Row("before-page-commit", HALF, "interrupted"),
    Row("after-page-commit", HALF, "interrupted"),
    Row("first-edit", EDITS, "interrupted"),
    Row("before-question", "ask", "interrupted"),
    Row("question-posted", "ask", "interrupted"),
    Row("before-finish", SHORT, "interrupted"),
    Row("before-finish-commit", SHORT, "interrupted"),
    Row("after-finish-commit", SHORT, "answered"),
    Row("after-finish-commit", LONG, "answered"),
    *(Row(f"page-{n}-sent", LONG, "answered", is_held=True, is_late=late) for n in (1, 2, 3) for late in (False, True)),
    Row("page-2-sent", LONG, "answered", is_held=True, is_blind=True),
    Row("before-upload", FILE, "answered", is_held=True),
    Row("after-upload", FILE, "answered", is_held=True),
    Row("after-upload", FILE, "answered", is_held=True, is_late=True),
    Row("after-upload", FILE, "answered", is_held=True, is_blind=True),
    Row("before-sent-commit", FILE, "answered", is_held=True),
    Row("after-sent-commit", FILE, "answered", is_held=True),
    Row("before-upload", FILE_AND_ON, "interrupted"),
    Row("after-upload", FILE_AND_ON, "interrupted"),
    Row("before-close", SHORT, "answered"),
    Row("before-close-commit", SHORT, "answered"),
    Row("after-close-commit", SHORT, "answered"),
    Row("first-page-posted", HALF, "interrupted", "mending-read"),
    Row("first-page-posted", HALF, "interrupted", "after-finish-commit"),
    Row("first-page-posted", HALF, "interrupted", "mending-told"),
    Row("first-page-posted", HALF, "interrupted", "mending-signed"),
    Row("before-prompt", SHORT, "interrupted", "mending-posted"),
    Row("after-finish-commit", LONG, "answered", "mending-posted"),
]


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_crash(warm: Warm, server: Server, tmp_path: Path, row: Row) -> None:
    stage = Stage(warm, server, tmp_path)
    if row.point.startswith("before-accept"):
        stage.open()
    with stage.run(row.point) as running:
        stage.until_ready()
        held = server.fail("POST", "/channels/*/messages", hold=True) if row.is_held else None
        message = stage.mention(row.said.format(gate=tmp_path / "gate"))
        if held is not None:
            until(lambda: held.seen and stage.unfinished() == ["finished"] * 2, PATIENCE, "the end is on the disk")
            held.release()
        if row.said == EDITS:
            until(lambda: stage.ours(message), PATIENCE, "half of it is there")
            (tmp_path / "gate").touch()
        dies(running)
    if row.then:
        with stage.run(row.then) as running:
            dies(running)
    acknowledged = reactions(server, message)
    if row.is_late:
        stage.wait_ten_minutes()
    if row.is_blind:
        stage.blind()
    with stage.run() as running:
        stage.until_ready()
        if row.point.startswith("before-accept"):
            assert acknowledged == set()
        if not row.is_blind:  # else it may not react either
            ended = {"answered": DONE, "interrupted": FAILED}[row.outcome]
            until(lambda: reactions(server, message) == {ended}, PATIENCE, f"it is {row.outcome}")
        until(lambda: not stage.unfinished(), PATIENCE, "all of it is over")
        stops(running)
    check(stage, message, row)
    assert server.violations == []


def check(stage: Stage, message: Message, row: Row) -> None:
    ours = stage.ours(message)
    texts = [one.content for one in ours]
    labels = [label for one in ours for label in buttons(one)]
    assert "Stop" not in labels
    assert stage.prompts() <= 1
    assert not any(TWICE in text for text in texts), "nothing is in doubt"
    if row.outcome == "answered":
        assert stage.prompts() == 1
        assert not is_interrupted(texts)
        assert_whole(texts, ours, row.said)
    else:
        assert sum("Interrupted by a restart" in text for text in texts) == 1, texts
        assert labels == ["Retry", "Discard"]
        if row.said in (HALF, EDITS):
            said = sum("half" in text for text in texts)
            assert said == 1 or (said == 0 and row.point == "before-page-commit"), texts
        if row.said == FILE_AND_ON:  # nobody has it before it is out
            assert sum(len(one.attachments) for one in ours) == (row.point == "after-upload"), texts
        if row.said == "ask":
            assert sum("restarted after it was asked" in text for text in texts) == (row.point == "question-posted")


def assert_whole(texts: list[str], ours: list[Message], said: str) -> None:
    if said == SHORT:
        assert [text for text in texts if "good morning" in text] == [texts[0]], texts
    if said == LONG:
        numbers = Counter(re.findall(r"\d+", " ".join(texts)))
        assert numbers == Counter(str(number) for number in range(300)), texts
    if said == FILE:
        assert [text.partition("\n")[0] for text in texts if text] == ["look"], texts
        assert sum(len(one.attachments) for one in ours) == 1


def test_where_nothing_can_tell_a_page_is_rather_sent_twice_than_lost_and_says_so(
    warm: Warm, server: Server, tmp_path: Path
) -> None:
    """Killed behind the second page of three, the nonces are over, and what stands there may not be read."""
    stage = Stage(warm, server, tmp_path)
    with stage.run("page-2-sent") as running:
        stage.until_ready()
        first, second = (server.fail("POST", "/channels/*/messages", hold=True) for _ in range(2))
        message = stage.mention(LONG)
        until(lambda: stage.unfinished() == ["finished"] * 2, PATIENCE, "the end is on the disk")
        first.release()
        until(lambda: stage.rows("SELECT 1 FROM pages WHERE message <> ''"), PATIENCE, "so is the first page's message")
        second.release()
        dies(running)
    before = [one.content for one in stage.ours(message)]
    assert len(before) == 2
    stage.wait_ten_minutes()
    stage.blind()
    with stage.run() as running:
        stage.until_ready()
        until(lambda: not stage.unfinished(), PATIENCE, "all of it is over")
        stops(running)
    texts = [one.content for one in stage.ours(message)]
    numbers = Counter(re.findall(r"\d+", " ".join(texts)))
    in_doubt = Counter(re.findall(r"\d+", before[1]))
    assert numbers == Counter(str(number) for number in range(300)) + in_doubt, "the second page, and no other"
    assert [TWICE in text for text in texts] == [False, False, False, True, True], "a full page, below it and the next"
    assert stage.prompts() == 1
    assert server.violations == []
