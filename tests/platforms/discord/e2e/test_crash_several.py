"""Killed while several messages are under way, waiting, changed or taken back: each has its own fate, and one only.

And what the next one does with a journal that it cannot use.

What becomes of a single one at every point is `test_crash.py`'s.
"""

from __future__ import annotations

import os
import random
import re
import signal
import sqlite3
import threading
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.running import PATIENCE
from tests.crash.stage import (
    DONE,
    FAILED,
    SEEN,
    Stage,
    Warm,
    busy,
    dies,
    in_thread,
    is_interrupted,
    reactions,
    said,
    stops,
)  # fmt: skip
from tests.fakes.discord import Server
from tests.fakes.discord.things import Message
from tests.platforms.discord.pressing import buttons
from tests.waiting import until

pytestmark = pytest.mark.crash


def test_the_buttons_of_what_was_cut_off_work_though_the_one_that_gave_them_was_killed_too(
    warm: Warm, server: Server, tmp_path: Path
) -> None:
    """Nothing is asked again before somebody presses Retry, and then once; what is discarded never is."""
    stage, ann = Stage(warm, server, tmp_path), server.user("ann")
    with stage.run() as running:
        stage.until_ready()
        again, never = stage.mention(f"gate {tmp_path / 'gate'}\nsay well"), stage.mention("say half\nhang")
        until(lambda: stage.prompts() == 2 and "half" in stage.text(never), PATIENCE, "both are at work")
        running.kill()
    with stage.run() as running:
        stage.until_ready()
        until(lambda: not stage.unfinished(), PATIENCE, "both are told")
        running.kill()
    (tmp_path / "gate").touch()
    with stage.run() as running:
        stage.until_ready()
        notices = [next(one for one in stage.ours(message) if buttons(one)) for message in (again, never)]
        assert [buttons(notice) for notice in notices] == [["Retry", "Discard"]] * 2
        assert stage.prompts() == 2
        ann.click(notices[1], "Discard")
        ann.click(notices[0], "Retry")
        until(lambda: reactions(server, again) == {DONE} and not stage.unfinished(), PATIENCE, "it is answered")
        until(lambda: not any(map(buttons, notices)), PATIENCE, "the buttons are gone")
        stops(running)
    assert notices[1].content.endswith("🗑️ ann")
    assert (stage.prompts(), stage.text(again).count("well"), stage.text(never).count("half")) == (3, 1, 1)
    assert reactions(server, never) == {FAILED}
    assert server.violations == []


def test_what_waited_is_answered_in_its_order(warm: Warm, server: Server, tmp_path: Path) -> None:
    stage = Stage(warm, server, tmp_path)
    with stage.run() as running:
        stage.until_ready()
        thread = busy(stage)
        waiting = [in_thread(stage, thread, f"say {word}") for word in ("second", "third", "fourth")]
        until(lambda: all(reactions(server, one) == {SEEN} for one in waiting), PATIENCE, "they are accepted")
        running.kill()
    with stage.run() as running:
        stage.until_ready()
        in_thread(stage, thread, "say fifth")
        until(lambda: "fifth" in said(stage, thread) and not stage.unfinished(), PATIENCE, "all is said")
        stops(running)
    first, *rest = said(stage, thread)
    assert "Interrupted by a restart" in first
    assert rest == ["second", "third", "fourth", "fifth"]
    assert server.violations == []


@pytest.mark.parametrize("point", ["before-withdraw-commit", "after-withdraw-commit"])
def test_what_was_taken_back_is_not_answered(warm: Warm, server: Server, tmp_path: Path, point: str) -> None:
    """Killed before that is written down, too: the message is gone, and is looked for before it is answered."""
    stage = Stage(warm, server, tmp_path)
    with stage.run(point) as running:
        stage.until_ready()
        thread = busy(stage)
        gone, stays = (in_thread(stage, thread, f"say {word}") for word in ("gone", "stays"))
        until(lambda: reactions(server, stays) == {SEEN}, PATIENCE, "they are accepted")
        server.user("ann").delete(gone)
        dies(running)
    with stage.run() as running:
        stage.until_ready()
        until(lambda: "stays" in said(stage, thread) and not stage.unfinished(), PATIENCE, "the other is answered")
        stops(running)
    assert "gone" not in said(stage, thread)
    assert server.violations == []


@pytest.mark.parametrize(
    "point", ["before-refuse-commit", "after-refuse-commit", "before-fail-commit", "after-fail-commit"]
)
def test_one_that_is_refused_is_told_so_once_and_not_begun(
    warm: Warm, server: Server, tmp_path: Path, point: str
) -> None:
    """That it is refused is written before it is told; before that it is not refused."""
    stage = Stage(warm, server, tmp_path)
    stage.sections["pool"]["max_buffered_messages"] = 1
    with stage.run(point) as running:
        stage.until_ready()
        thread = busy(stage)
        in_thread(stage, thread, "say second")
        stage.server.until(stage.has_whole, PATIENCE, "the second waits")
        refused = in_thread(stage, thread, "say third")
        dies(running)
    assert sum("this one was not taken" in text for text in thread.texts) == (1 if "fail" in point else 0)
    with stage.run() as running:
        stage.until_ready()
        until(lambda: not stage.unfinished(), PATIENCE, "all of it is over")
        until(lambda: reactions(server, refused) != {SEEN}, PATIENCE, "it shows")
        stops(running)
    answered = sum(text == "third" for text in thread.texts)
    told = sum("this one was not taken" in text for text in thread.texts)
    if point == "before-refuse-commit":  # it is handed in again, and there is room for it or not
        assert answered + told == 1, thread.texts
    else:
        assert (answered, told) == (0, 1), thread.texts
        assert reactions(server, refused) == set()
    assert sum(text == "second" for text in thread.texts) == 1
    assert server.violations == []


@pytest.mark.parametrize("point", ["before-edit-commit", "after-edit-commit"])
def test_what_was_changed_is_answered_as_it_is_now(warm: Warm, server: Server, tmp_path: Path, point: str) -> None:
    stage = Stage(warm, server, tmp_path)
    with stage.run(point) as running:
        stage.until_ready()
        thread = busy(stage)
        waits = in_thread(stage, thread, "say old")
        until(stage.has_whole, PATIENCE, "it waits")
        server.user("ann").edit(waits, f"<@{server.app.id}> say new")
        dies(running)
    with stage.run() as running:
        stage.until_ready()
        until(lambda: "new" in said(stage, thread) and not stage.unfinished(), PATIENCE, "it is answered")
        stops(running)
    assert "old" not in said(stage, thread)
    assert server.violations == []


def test_what_waits_when_it_is_stopped_goes_on_afterwards(warm: Warm, server: Server, tmp_path: Path) -> None:
    stage = Stage(warm, server, tmp_path)
    stage.sections["pool"]["shutdown_grace_secs"] = 0
    with stage.run() as running:
        stage.until_ready()
        thread = busy(stage)
        waits = in_thread(stage, thread, "say later")
        until(lambda: reactions(server, waits) == {SEEN}, PATIENCE, "it is accepted")
        stops(running)
        assert reactions(server, waits) == {SEEN}
        assert sum("goes on afterwards" in text for text in said(stage, thread)) == 1
    with stage.run() as running:
        stage.until_ready()
        until(lambda: reactions(server, waits) == {DONE} and not stage.unfinished(), PATIENCE, "it is answered")
        stops(running)
    assert said(stage, thread)[-1] == "later"
    assert not is_interrupted(said(stage, thread)), "the turn that ran was cancelled, and its outcome is known"
    assert server.violations == []


def test_what_is_written_while_it_leaves_is_answered_by_the_next_one_and_once(
    warm: Warm, server: Server, tmp_path: Path
) -> None:
    """In the grace of a turn: it is still there, and takes nothing in any more."""
    stage, gate = Stage(warm, server, tmp_path), tmp_path / "gate"
    with stage.run() as running:
        stage.until_ready()
        first = stage.mention(f"say begun\ngate {gate}\nsay and done")
        server.until(lambda: first.thread and "begun" in stage.text(first), PATIENCE, "its turn runs")
        assert first.thread is not None
        os.kill(running.pid, signal.SIGTERM)
        server.until_said("This turn has 5 s to finish", first.thread, PATIENCE)
        here, elsewhere = in_thread(stage, first.thread, "say here"), stage.mention("say elsewhere")
        until(lambda: len(stage.rows("SELECT 1 FROM deliveries")) == 3, PATIENCE, "they are written down")
        gate.touch()
        assert running.end() == 0, running.log
    assert reactions(server, first) == {DONE}
    with stage.run() as running:
        stage.until_ready()
        for message in (here, elsewhere):
            until(lambda: reactions(server, message) == {DONE}, PATIENCE, "it is answered")  # noqa: B023  # at once
        until(lambda: not stage.unfinished(), PATIENCE, "all of it is over")
        stops(running)
    texts = said(stage, first.thread)
    assert [text for text in texts if text == "here"] == ["here"]
    assert stage.text(elsewhere).splitlines()[-1] == "elsewhere"
    assert stage.text(elsewhere).count("what waits here goes on afterwards") == 1
    assert not any("send it again" in one.content for one in [*first.thread.history, *server.general.history])
    assert stage.prompts() == 3
    assert server.violations == []


def test_what_had_been_said_beside_another_bot_is_told_though_nothing_of_it_was_posted(
    warm: Warm, server: Server, tmp_path: Path
) -> None:
    """Answers are posted when they are whole there: what they say so far is on the disk alone."""
    stage = Stage(warm, server, tmp_path)
    with stage.run() as running:
        stage.until_ready()
        first = stage.mention("say hello")
        until(lambda: reactions(server, first) == {DONE}, PATIENCE, "a thread is there")
        assert first.thread is not None
        server.bot("helper").write(first.thread, "good morning")
        message = in_thread(stage, first.thread, "say half of it\nhang")
        until(lambda: stage.rows("SELECT 1 FROM replies WHERE draft <> ''"), PATIENCE, "it is on the disk")
        assert said(stage, first.thread) == ["hello"]
        running.kill()
    with stage.run() as running:
        stage.until_ready()
        until(lambda: reactions(server, message) == {FAILED} and not stage.unfinished(), PATIENCE, "it is told")
        stops(running)
    _hello, told = said(stage, first.thread)
    assert told.startswith("half of it\n") and is_interrupted([told])
    assert stage.prompts() == 2
    assert server.violations == []


def test_a_damaged_store_is_kept_and_a_newer_one_is_not_touched(warm: Warm, server: Server, tmp_path: Path) -> None:
    stage, file = Stage(warm, server, tmp_path), tmp_path / "state" / "journal.db"
    stage.open()
    raw = file.read_bytes()
    file.write_bytes(raw[:4096] + bytes(len(raw) - 4096))
    with stage.run() as running:
        stage.until_ready()
        message = stage.mention("say good morning")
        until(lambda: reactions(server, message) == {DONE} and not stage.unfinished(), PATIENCE, "it is answered")
        stops(running)
        assert running.log.count("journal.db is damaged: it is kept as") == 1
    assert file.with_name("journal.damaged-1.db").read_bytes()[4096:] == bytes(len(raw) - 4096)
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA user_version = 999")
    before = file.read_bytes()
    with stage.run() as running:
        assert running.end() == 2
        (line,) = running.log.splitlines()
    assert "schema 999" in line and file.read_bytes() == before


KILLS, TALKS = 4, 4


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", [int(os.environ.get("OPENAB_SEED", random.randrange(10**6)))])
def test_at_any_moment(warm: Warm, server: Server, tmp_path: Path, seed: int) -> None:
    """Conversations at work, killed again and again: each message is answered once, or told as interrupted, and no page
    stands twice. Set OPENAB_SEED to the test's number to see the same people and moments again."""
    dice, stage = random.Random(seed), Stage(warm, server, tmp_path)
    messages: dict[str, Message] = {}
    stage.open()
    for kill in range(KILLS):
        with stage.run() as running:
            for talk in range(TALKS):
                word = f"w{kill}x{talk}"
                messages[word] = stage.mention(f"say {word}" if dice.random() < 0.5 else f"chunks 150 15\nsay {word}")
            threading.Event().wait(dice.uniform(0.05, 1.2))
            running.kill()
    with stage.run() as running:
        until(lambda: running.is_there, PATIENCE, "it is there: all may be over by then")
        ended = {DONE, FAILED}
        until(
            lambda: not stage.unfinished() and all(reactions(server, one) & ended for one in messages.values()),
            2 * PATIENCE,
            "all of it is over",
        )
        stops(running)
    for word, message in messages.items():
        texts = [one.content for one in stage.ours(message)]
        answers, interruptions = (sum(part in text for text in texts) for part in (word, "Interrupted by a restart"))
        assert interruptions <= 1, (word, texts)
        assert (answers, interruptions) in {(1, 0), (0, 1), (1, 1)}, (word, texts)
        assert reactions(server, message) == ({FAILED} if interruptions else {DONE}), (word, texts)
        answer = " ".join(text for text in texts if "in line, it starts by itself" not in text)
        numbers = Counter(re.findall(r"\b\d+\b", answer))
        assert not numbers or max(numbers.values()) == 1, (word, texts)
    assert server.violations == []
