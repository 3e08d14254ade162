"""Killed while what is known of conversations is written: they go on all the same, and nothing of it is false.

The commits of messages and replies are in `test_crash.py`; these are those of the books beside them. The last test
holds both tables to what the store really writes.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.cli.running import PATIENCE, ROOT
from tests.crash.points import COMMITS
from tests.crash.stage import DONE, FAILED, Stage, Warm, busy, dies, is_interrupted, reactions, said, stops
from tests.fakes.discord import Server
from tests.fakes.discord.things import Channel, Message
from tests.media.paint import encoded, gradient
from tests.platforms.discord.pressing import buttons
from tests.waiting import until

crash = pytest.mark.crash


def both(*commits: str) -> pytest.MarkDecorator:
    points = [f"{when}-{name}-commit" for name in commits for when in ("before", "after")]
    return pytest.mark.parametrize("point", points)


def asked(stage: Stage, method: str) -> int:
    """How often the agents of all brokers heard this."""
    return sum(json.loads(line).get("method") == method for line in stage.log.read_bytes().splitlines())


def agents(stage: Stage) -> list[int]:
    """The agents of this home that live."""
    found = []
    for process in psutil.process_iter():
        try:
            if str(stage.log) in process.cmdline():
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def thread_of(stage: Stage, message: Message) -> Channel:
    stage.server.until(lambda: message.thread, PATIENCE, "a thread opens")
    assert message.thread is not None
    return message.thread


def over(stage: Stage, message: Message) -> None:
    until(lambda: reactions(stage.server, message) & {DONE, FAILED}, PATIENCE, "it shows how it ended")
    until(lambda: not stage.unfinished(), PATIENCE, "all of it is over")


@crash
@both("memory", "conversation", "cursor", "agent", "audit", "spending")
def test_a_conversation_goes_on(warm: Warm, server: Server, tmp_path: Path, point: str) -> None:
    """What was asked has one end; then something is said there without calling the bot, and is answered once."""
    stage = Stage(warm, server, tmp_path)
    opened = "conversation" in point or "cursor" in point  # before anything is accepted: it is found by catching up
    if opened:
        stage.open()
    with stage.run(point) as running:
        stage.until_ready()
        message = stage.mention("say good morning")
        dies(running)
    had_begun = bool(stage.rows("SELECT 1 FROM replies WHERE state = 'running'"))
    with stage.run() as running:
        stage.until_ready()
        over(stage, message)
        thread = thread_of(stage, message)
        texts = said(stage, thread)
        assert is_interrupted(texts) == had_begun
        if point.startswith("before"):  # after it: what comes next, its beginning or its end, may be in the same commit
            assert had_begun == ("spending" in point)
        assert sum("good morning" in text for text in texts) in ((0, 1) if had_begun else (1,)), texts
        more = server.user("ann").write(thread, "say good night")
        over(stage, more)
        assert sum("good night" in text for text in said(stage, thread)) == 1
        stops(running)
    assert asked(stage, "session/prompt") <= 2
    assert agents(stage) == []
    remembered = stage.rows("SELECT session FROM memories")
    assert len(remembered) == 1 + opened
    if "memory" in point:
        assert asked(stage, "session/load") == (point == "after-memory-commit"), "what is known is taken up"
    told = [what for (what,) in stage.rows("SELECT details ->> 'message' FROM audit WHERE kind = 'message'")]
    assert told.count(str(more.id)) == 1
    assert told.count(str(message.id)) <= 2, "handed in again, it is told of again"
    assert server.violations == []


@crash
@both("broker")
def test_the_book_of_brokers_has_one_more_or_none(warm: Warm, server: Server, tmp_path: Path, point: str) -> None:
    stage = Stage(warm, server, tmp_path)
    with stage.run(point) as running:
        dies(running)
    with stage.run() as running:
        server.until_ready(PATIENCE)
        over(stage, stage.mention("say good morning"))
        stops(running)
    assert len(stage.rows("SELECT id FROM brokers")) == 1
    assert agents(stage) == []


@crash
@both("agent-gone")
def test_an_agent_that_has_ended_is_not_looked_for(warm: Warm, server: Server, tmp_path: Path, point: str) -> None:
    stage = Stage(warm, server, tmp_path)
    with stage.run(point) as running:
        stage.until_ready()
        message = stage.mention("say half\ncrash")
        dies(running)
    with stage.run() as running:
        stage.until_ready()
        over(stage, message)
        stops(running)
    assert stage.rows("SELECT marker FROM agents") == []
    assert agents(stage) == []
    assert len([text for text in said(stage, thread_of(stage, message)) if "half" in text]) == 1
    assert server.violations == []


@crash
@both("question")
def test_a_question_that_nobody_can_answer_any_more_says_so(
    warm: Warm, server: Server, tmp_path: Path, point: str
) -> None:
    """Killed before it is in the book it was never posted; afterwards, it may have been."""
    stage = Stage(warm, server, tmp_path)
    with stage.run(point) as running:
        stage.until_ready()
        message = stage.mention("ask")
        dies(running)
    with stage.run() as running:
        stage.until_ready()
        over(stage, message)
        stops(running)
    texts = said(stage, thread_of(stage, message))
    questions = [one for one in stage.ours(message) if "Allow" in " ".join(buttons(one))]
    assert questions == []
    assert is_interrupted(texts)
    if point == "before-question-commit":
        assert len(texts) == 1, texts
    assert server.violations == []


@crash
@both("title")
def test_a_title_is_given_or_is_not(warm: Warm, server: Server, tmp_path: Path, point: str) -> None:
    """A thread has the agent's title once: a second one comes only where Discord never had the first."""
    stage = Stage(warm, server, tmp_path)
    with stage.run(point) as running:
        stage.until_ready()
        message = stage.mention("session_info A new title\nsay done")
        dies(running)
    with stage.run() as running:
        stage.until_ready()
        over(stage, message)
        was = (thread := thread_of(stage, message)).name
        server.user("ann").write(thread, "session_info Another one\nsay and on")
        until(lambda: "and on" in said(stage, thread), PATIENCE, "it goes on")
        stops(running)
    assert was in {"session_info A new title say done", "A new title"}
    may_come = point == "before-title-commit" and was != "A new title"
    assert thread.name == ("Another one" if may_come else was)
    assert server.violations == []


@crash
@both("rename")
def test_the_name_that_a_person_has_given_stays(warm: Warm, server: Server, tmp_path: Path, point: str) -> None:
    """Though nobody could write down that they did: it is not the one that we gave."""
    stage = Stage(warm, server, tmp_path)
    with stage.run(point) as running:
        stage.until_ready()
        over(stage, message := stage.mention("say good morning"))
        thread = thread_of(stage, message)
        server.user("ann").rename(thread, "Mine")
        dies(running)
    with stage.run() as running:
        stage.until_ready()
        server.user("ann").write(thread, "session_info A new title\nsay and on")
        until(lambda: "and on" in said(stage, thread) and not stage.unfinished(), PATIENCE, "it goes on")
        stops(running)
    assert thread.name == "Mine"
    assert server.violations == []


@crash
@both("forget", "memory-gone")
def test_what_is_forgotten_is_so_as_a_whole(warm: Warm, server: Server, tmp_path: Path, point: str) -> None:
    """Nobody is told that it is before it is; asked again, it is."""
    stage = Stage(warm, server, tmp_path)
    ann = server.user("ann")
    with stage.run(point) as running:
        stage.until_ready()
        over(stage, message := stage.mention("say good morning"))
        order = ann.slash("forget", where=thread_of(stage, message), what="here")
        dies(running)
    assert not order.is_done or "Forgotten" not in order.answer
    tables = ["deliveries", "replies", "pages", "conversations", "memories"]
    left = [table for table in tables if stage.rows(f"SELECT * FROM {table}")]
    steps = [
        tables,
        tables[:-1],
        [],
    ]  # the session is forgotten first; all of the rest in one commit, that one or the next
    could_be = {"before-memory-gone": steps[:1], "before-forget": steps[:2], "after-memory-gone": steps[1:]}
    assert left in could_be.get(point.removesuffix("-commit"), steps[2:])
    with stage.run() as running:
        stage.until_ready()
        again = ann.slash("forget", where=thread_of(stage, message), what="here")
        server.until(lambda: again.is_done, PATIENCE, "it is answered")
        stops(running)
    kept = {table for table in tables if stage.rows(f"SELECT * FROM {table}")}
    assert kept <= {"conversations"}, kept
    assert all(row == ("[]", "") for row in stage.rows("SELECT people, title FROM conversations")), "that it is one"
    assert [one for one in server.violations if "got no answer to 'forget'" not in one] == []


@crash
@pytest.mark.parametrize("point", ["before-next-start-commit", "after-next-start-commit", "before-close-commit"])
def test_messages_of_one_turn_have_one_fate(warm: Warm, server: Server, tmp_path: Path, point: str) -> None:
    """Three that waited are answered together: none of them alone, none twice."""
    stage = Stage(warm, server, tmp_path)
    stage.sections["pool"]["message_processing_mode"] = "per-thread"
    ann = server.user("ann")
    with stage.run() as running:
        stage.until_ready()
        gate = tmp_path / "gate"
        first = stage.mention(f"gate {gate}\nsay first")
        thread = thread_of(stage, first)
        until(lambda: stage.prompts() == 1, PATIENCE, "the agent is at work")
        waiting = [ann.write(thread, f"say {word}") for word in ("two", "three", "four")]
        until(lambda: len(stage.rows("SELECT 1 FROM deliveries WHERE note IS NOT NULL")) == 4, PATIENCE, "they wait")
        running.kill()
    with stage.run(point) as running:
        dies(running)
    with stage.run() as running:
        stage.until_ready()
        for message in waiting:
            over(stage, message)
        stops(running)
    texts = said(stage, thread)
    cut = sum("Interrupted by a restart" in text for text in texts)
    heads = [text for text in texts if "two" in text]
    signs = [reactions(server, message) for message in waiting]
    if point == "after-next-start-commit":
        assert (cut, heads, signs) == (2, [], [{FAILED}] * 3), texts
        assert asked(stage, "session/prompt") == 1
    else:
        assert (cut, signs) == (1, [{DONE}] * 3), texts
        assert len(heads) == 1 and "three" in heads[0] and "four" in heads[0]
        assert asked(stage, "session/prompt") == 2
    assert server.violations == []


@crash
def test_pictures_and_texts_that_waited_are_shown_after_a_restart(warm: Warm, server: Server, tmp_path: Path) -> None:
    """They lie in the inbox and not in the journal; one that is gone by then is told, and none is left afterwards."""
    stage, picture = Stage(warm, server, tmp_path), encoded(gradient(600, 400), "PNG")
    inbox, words = tmp_path / "state" / "inbox", ("notes.txt", b"remember the milk\n" * 150, "text/plain")
    with stage.run() as running:
        stage.until_ready()
        thread = busy(stage)
        shown, lost = (
            server.user("ann").write(thread, text, files=[(name, picture, "image/png"), words])
            for text, name in (("blocks", "shown.png"), ("say well", "lost.png"))
        )
        whole = "SELECT note FROM deliveries WHERE note LIKE '%.png%'"
        until(lambda: len(stage.rows(whole)) == 2, PATIENCE, "they wait")
        running.kill()
    assert all(len(str(note)) < 2000 for (note,) in stage.rows(whole))
    (found,) = inbox.rglob("lost.png")
    found.unlink()
    with stage.run() as running:
        stage.until_ready()
        over(stage, shown)
        over(stage, lost)
        stops(running)
    texts = said(stage, thread)
    assert sum('"image"' in text for text in texts) == 1, texts
    assert "".join(texts).count("remember the milk") >= 140, "but for where a page ends"
    assert [text for text in texts if "well" in text] == [
        "> `lost.png` is not there any more: please send it again.\n\nwell"
    ]
    assert list(inbox.rglob("*.*")) == []
    assert server.violations == []


# Every kind of change has its row, or a reason.

WITH = {  # in one commit with another change: its row
    "INSERT INTO audit": "audit",
    "INSERT OR IGNORE INTO replies": "start",
    "UPDATE deliveries SET state = ?, turn": "start",
    "UPDATE replies SET state = 'failed', ended = ? WHERE state = 'running'": "fail",
    "UPDATE deliveries SET state = '{}', note = NULL": "withdraw",
    "DELETE FROM pages WHERE turn": "finish",
    "REPLACE INTO files": "finish",
    "UPDATE replies SET state = ?, ended": "close",
    "UPDATE deliveries SET state = ?, note = NULL": "close",
    "DELETE FROM files WHERE turn = ?": "close",
    "UPDATE replies SET draft": "finish",
    "REPLACE INTO {}": "conversation, cursor, question",
    "DELETE FROM {} WHERE {} = ?": "forget",
    "DELETE FROM brokers": "broker",
    "REPLACE INTO pages": "page",
}
WITHOUT = {  # where a death costs nothing
    "DELETE FROM {} WHERE {} IN": "what is over and old: what is left goes with the next look, an hour later",
    "DELETE FROM deliveries WHERE state IN": "ditto",
    "DELETE FROM replies WHERE state IN": "ditto",
    "DELETE FROM memories WHERE used": "too old, at every start",
    "DELETE FROM memories WHERE key NOT IN": "too many, at every start",
    "DELETE FROM {} WHERE touched": "too many, at every start",
    "DELETE FROM spending": "too old, at every start",
    "UPDATE audit_horizon": "with the entries before it, which go in the same commit, or with the next look",
    "DELETE FROM audit": "ditto",
}


def changes() -> Iterator[tuple[str, str]]:
    """Each statement that writes to the journal: the room that it stands in, and its text."""
    for file in sorted((ROOT / "openab_sync").rglob("*.py")):
        parts: set[int] = set()
        for node in ast.walk(ast.parse(file.read_text())):  # a whole comes before its parts
            if isinstance(node, ast.JoinedStr):
                parts |= {id(part) for part in node.values}
                text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
                text = node.value
            else:
                continue
            if re.match(r"\s*(INSERT|REPLACE|UPDATE|DELETE) ", text) and file.stem != "migrations":
                yield file.stem, " ".join(text.split())


def test_every_kind_of_change_has_its_row_or_a_reason() -> None:
    found = list(changes())
    assert len(found) > 30, "the search finds them"
    alone = [
        (room, text)
        for room, text in found
        if not any(re.search(pattern, text) for pattern in COMMITS.values())
        and not any(text.startswith(known) for known in (*WITH, *WITHOUT))
    ]
    assert alone == [], "a new kind of change: give it a row in tests/crash/points.py, or say here why it needs none"
    unused = [known for known in (*WITH, *WITHOUT) if not any(text.startswith(known) for _, text in found)]
    assert unused == []


def test_every_table_in_memory_has_its_row() -> None:
    """What `mirror` writes is one statement in the source, and another kind of change for each table."""
    tables = [
        ast.literal_eval(node.args[0])
        for file in sorted((ROOT / "openab_sync" / "store").glob("*.py"))
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Table"
    ]
    assert sorted(tables) == ["buttons", "conversations", "cursors"]
    assert all(any(f"REPLACE INTO {table}" in text for text in COMMITS.values()) for table in tables)


def test_every_commit_has_a_test_before_and_after_it() -> None:
    here = "".join(file.read_text() for file in Path(__file__).parent.glob("test_crash*.py"))
    for name in COMMITS:
        rows = [f'"{when}-{name}-commit"' for when in ("before", "after")]
        pairs = [f'"{name}"' in found for found in re.findall(r"^@both\((.*)\)", here, re.MULTILINE)]
        assert any(pairs) or all(row in here for row in rows), name
