"""The example agents of the official TypeScript SDK, where Node.js is there. They think for a second at every step."""

from __future__ import annotations

from pathlib import Path

import pytest

from openab_sync.config.schema import AgentConfig
from tests.others.room import Room, agent
from tests.others.shelf import npm

pytestmark = pytest.mark.timeout(180)  # the first run fetches the SDK

# The last version whose package holds the examples.
PACKAGES = ("@agentclientprotocol/sdk@1.9.0", "zod@4.1.12")

FIRST = "I'll help you with that."
ALLOWED = "Perfect! I've successfully updated the configuration."
REJECTED = "I understand you prefer not to make that change."


@pytest.fixture(scope="session")
def examples() -> Path:
    return npm(*PACKAGES) / "@agentclientprotocol" / "sdk" / "dist" / "examples"


@pytest.fixture
def example(examples: Path, tmp_path: Path) -> AgentConfig:
    return agent("node", str(examples / "agent.js"), folder=tmp_path)


def test_two_conversations_ask_at_once_and_each_agent_hears_its_own_answer(example: AgentConfig) -> None:
    with Room(example) as room:
        yes, no = room.begin("go on", "yes"), room.begin("go on", "no")
        room.choose(room.question("no"), "reject_once")
        room.choose(room.question("yes"), "allow_once")
        assert (yes.until_end().outcome, no.until_end().outcome) == ("done", "done")
        assert ALLOWED in yes.text and REJECTED not in yes.text
        assert REJECTED in no.text and ALLOWED not in no.text
        assert yes.text.startswith(FIRST) and no.text.startswith(FIRST)
        read, change = yes.tools().values()
        assert (read.title, read.kind, read.status) == ("Reading project files", "read", "completed")
        assert (change.kind, change.status) == ("edit", "completed")
        assert room.pid("yes") != room.pid("no")


def test_a_cancel_ends_its_stream_and_its_open_question(example: AgentConfig) -> None:
    with Room(example) as room:
        stream, asking = room.begin("go on", "stream"), room.begin("go on", "asking")
        stream.until_text(FIRST)
        room.cancel("stream")
        ended = stream.until_end()
        assert (ended.outcome, ended.stop_reason) == ("cancelled", "cancelled")
        question = room.question("asking")
        room.cancel("asking")
        assert asking.until_end().outcome == "cancelled"
        assert ALLOWED not in asking.text and REJECTED not in asking.text
        assert [one for one, _ in room.platform.settled] == [question]


def test_a_killed_example_keeps_its_words_and_the_next_one_starts_fresh(example: AgentConfig) -> None:
    with Room(example) as room:
        run = room.begin("go on")
        run.until_text(FIRST)
        killed = room.kill()
        assert run.until_end().outcome == "gone"
        assert run.text.startswith(FIRST)
        after = room.begin("go on")
        after.until_text(FIRST)
        assert "cannot resume sessions" in after.notices
        assert room.pid() != killed
        room.cancel()
        assert after.until_end().outcome == "cancelled"


def test_an_agent_of_two_protocol_versions_speaks_ours(examples: Path, tmp_path: Path) -> None:
    with Room(agent("node", str(examples / "dual-version-agent.js"), folder=tmp_path)) as room:
        run = room.say("hello")
        assert (run.text, run.until_end().outcome) == ("Hello from the v1 implementation.", "done")
