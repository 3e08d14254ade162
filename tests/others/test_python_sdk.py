"""Agents on the official Python SDK: one of ours that uses all of it, and the examples that come with its source."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from openab_sync.config.schema import AgentConfig, PermissionsConfig
from openab_sync.core.message import Conversation
from openab_sync.core.port import Limits
from tests.others.room import ANN, Room, agent, option
from tests.others.shelf import sdist

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]  # the first run fetches the SDK's source

OURS = str(Path(__file__).with_name("sdk_agent.py"))
CANNOT_RESUME = "cannot resume sessions"


def ours(folder: Path, memory: str = "load") -> AgentConfig:
    return agent(sys.executable, OURS, str(folder), memory, folder=folder)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with Room(ours(tmp_path)) as it:
        yield it


# Ours.


def test_a_greeting_arrives_whole_and_thoughts_are_not_mixed_into_it(room: Room) -> None:
    run = room.say("greet think greet")
    assert run.until_end().outcome == "done"
    assert run.text == "Good day to you." * 2
    assert room.session().agent == "SDK agent"


def test_a_tool_is_seen_to_begin_and_to_end(room: Room) -> None:
    run = room.say("tool")
    (tool,) = run.tools().values()
    assert (tool.title, tool.kind, tool.status) == ("List the folder", "read", "completed")


@pytest.mark.parametrize(
    ("kind", "chosen", "status"),
    [("allow_once", "go", "completed"), ("allow_always", "go-always", "completed"), ("reject_once", "stay", "failed")],
)
def test_the_agent_hears_the_option_that_a_person_chose(room: Room, kind: str, chosen: str, status: str) -> None:
    run = room.begin("ask")
    question = room.question()
    assert [one.option_id for one in question.options] == ["go-always", "go", "stay"]
    assert question.title == "Write a file"
    room.choose(question, kind)
    assert run.until_end().outcome == "done"
    assert run.text == f"[selected {chosen}]"
    assert [tool.status for tool in run.tools().values()] == [status]


@pytest.mark.parametrize(("mode", "chosen"), [("allow", "go"), ("deny", "stay")])
def test_a_policy_decides_without_a_question_and_never_for_ever(tmp_path: Path, mode: str, chosen: str) -> None:
    permissions = PermissionsConfig(mode="allow" if mode == "allow" else "deny")
    with Room(ours(tmp_path), permissions=permissions) as room:
        assert room.say("ask").text == f"[selected {chosen}]"
        assert not room.platform.questions


def test_a_cancel_ends_a_stream_at_once_and_the_next_turn_is_clean(room: Room) -> None:
    run = room.begin("count")
    run.until_text("3 ")
    assert room.cancel() == "Cancelling."
    ended = run.until_end()
    assert (ended.outcome, ended.stop_reason) == ("cancelled", "cancelled")
    assert room.say("greet").text == "Good day to you."


def test_a_cancel_answers_the_open_question_with_cancelled(room: Room) -> None:
    run = room.begin("ask")
    question = room.question()
    room.cancel()
    ended = run.until_end()
    assert (ended.outcome, ended.stop_reason) == ("cancelled", "cancelled")
    assert "[cancelled ]" in run.text
    assert [one for one, _ in room.platform.settled] == [question]
    again = room.begin("ask")
    room.choose(room.question(), "allow_once")
    assert again.until_end().outcome == "done"


def test_files_and_terminals_are_not_offered_and_refused_when_asked_for_all_the_same(room: Room) -> None:
    run = room.say("files greet")
    assert "[read=False write=False terminal=False]" in run.text
    assert "[read -32601][write -32601][terminal -32601]Good day to you." in run.text
    assert run.until_end().outcome == "done"


def test_an_unknown_request_is_refused_and_an_unknown_notification_ignored(room: Room) -> None:
    run = room.say("extension greet")
    assert run.text == "[extension -32601]Good day to you."


def test_an_error_shows_its_useful_part_and_costs_one_turn_only(room: Room) -> None:
    ended = room.say("fail").until_end()
    assert ended.outcome == "failed"
    assert "the wheel came off" in ended.reason
    pid = room.pid()
    assert room.say("greet").until_end().outcome == "done"
    assert room.pid() == pid


def test_a_refusal_is_no_success(room: Room) -> None:
    assert room.say("refuse").until_end().outcome == "refused"


@pytest.mark.parametrize("memory", ["load", "resume"])
def test_a_killed_agent_leaves_what_it_said_and_its_session_goes_on_in_the_next_process(
    tmp_path: Path, memory: str
) -> None:
    with Room(ours(tmp_path, memory)) as room:
        room.say("greet")
        run = room.begin("count")
        run.until_text("3 ")
        killed = room.kill()
        assert run.until_end().outcome == "gone"
        assert run.text.startswith("1 2 3 ")
        after = room.say("remember")
        assert after.text == "[1 before]"  # and not what a load plays once more
        assert after.notices == ""
        assert room.pid() != killed


def test_an_agent_that_cannot_resume_starts_fresh_and_says_so(tmp_path: Path) -> None:
    with Room(ours(tmp_path, "none")) as room:
        run = room.begin("count")
        run.until_text("3 ")
        room.kill()
        run.until_end()
        after = room.say("remember")
        assert after.text == "[0 before]"
        assert CANNOT_RESUME in after.notices


def test_an_agent_that_has_forgotten_starts_fresh_and_says_so(tmp_path: Path) -> None:
    with Room(ours(tmp_path)) as room:
        run = room.begin("count")
        run.until_text("3 ")
        for file in tmp_path.glob("*.json"):
            file.unlink()
        room.kill()
        run.until_end()
        after = room.say("remember")
        assert after.text == "[0 before]"
        assert "it starts fresh" in after.notices


def test_people_read_the_exact_answer_where_messages_are_edited(tmp_path: Path) -> None:
    here = Conversation("test", "one")
    with Room(ours(tmp_path), limits=Limits(edit_interval=0.05)) as room:
        run = room.begin("greet ask greet")
        question = room.question()
        room.platform.answer(question, option(question, "allow_once"), ANN)
        room.wait(lambda: room.platform.reactions.get(run.ref) == ["🆗"])
        (text,) = room.platform.texts(here)
        assert text == "Good day to you.\n\n✅ `Write a file`\n\n[selected go]Good day to you."


# Theirs.


@pytest.fixture(scope="session")
def examples() -> Path:
    version = importlib.metadata.version("agent-client-protocol")
    return sdist("agent-client-protocol", version) / "examples"


def test_the_example_agent_says_back_what_it_is_sent(examples: Path, tmp_path: Path) -> None:
    with Room(agent(sys.executable, str(examples / "agent.py"), folder=tmp_path)) as room:
        run = room.say("good morning")
        assert run.until_end().outcome == "done"
        assert run.text == "Client sent:good morning"
        assert room.session().agent == "Example Agent"
        assert room.say("and again").text == "Client sent:and again"


def test_the_example_echo_agent_says_back_what_it_is_sent(examples: Path, tmp_path: Path) -> None:
    with Room(agent(sys.executable, str(examples / "echo_agent.py"), folder=tmp_path)) as room:
        run = room.say("good morning")
        assert (run.text, run.until_end().outcome) == ("good morning", "done")
