"""What the demo agent remembers, across kills, damage and a full folder."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from acp import schema

from openab_sync.agents.demo_memory import Memory
from tests.agents.client import ROOT, Client
from tests.agents.demo_client import COMMAND, Demo, again

# ---- memory ----


def test_a_session_is_loaded_with_its_history_after_a_kill(demo: Demo, tmp_path: Path) -> None:
    demo.say("echo first")
    demo.set("model", "large")
    demo.start(demo.session, "hang")
    assert demo.prompt(demo.new(), "echo the one above is under way").stop == "end_turn"
    demo.kill()
    with again(tmp_path) as second:
        second.session = demo.session
        told = second.come_back(demo.session, cwd="/else")
        chunks = [(update["sessionUpdate"], update["content"]["text"]) for update in told.updates]
        assert chunks == [
            ("user_message_chunk", "echo first"),
            ("agent_message_chunk", "first\n"),
            ("user_message_chunk", "hang"),
        ]
        assert told.answer["result"]["configOptions"][1]["currentValue"] == "large"
        assert second.say("What did I say?").text == "You said:\n- echo first\n- hang\n"
        assert "/else" in second.say("cwd").text


def test_resume_remembers_without_replaying(demo: Demo, tmp_path: Path) -> None:
    demo.say("echo first")
    demo.kill()
    with again(tmp_path) as second:
        told = second.come_back(demo.session, "session/resume")
        schema.ResumeSessionResponse.model_validate(told.answer["result"])
        assert told.updates == []
        assert "- echo first\n" in second.prompt(demo.session, "recall").text


@pytest.mark.parametrize("id", ["nobody", "../../etc/passwd", "", "a" * 5000])
@pytest.mark.parametrize("method", ["session/load", "session/resume"])
def test_an_unknown_session_cannot_be_loaded(demo: Demo, method: str, id: str) -> None:
    error = demo.come_back(id, method).answer["error"]
    assert error["code"] == -32002
    assert error["data"] == {"sessionId": id}


def test_the_list_has_the_newest_sessions_with_their_titles(demo: Demo) -> None:
    demo.say("echo hello")
    demo.new("/elsewhere")
    everywhere = demo.call("session/list", {}).answer["result"]
    schema.ListSessionsResponse.model_validate(everywhere)
    assert {one["cwd"] for one in everywhere["sessions"]} == {"/srv/work", "/elsewhere"}
    here = demo.call("session/list", {"cwd": "/srv/work"}).answer["result"]["sessions"]
    assert [(one["sessionId"], one["title"]) for one in here] == [(demo.session, "echo hello")]
    assert demo.call("session/list", {"cwd": 5}).code == -32602


def test_a_closed_session_is_cancelled_and_must_be_loaded_again(demo: Demo) -> None:
    prompt = demo.start(demo.session, "hang")
    closing = demo.request("session/close", {"sessionId": demo.session})
    assert demo.until_answer(prompt).stop == "cancelled"
    assert demo.until_answer(closing).answer["result"] == {}
    assert demo.say("code").code == -32002
    demo.come_back(demo.session)
    assert demo.say("code").stop == "end_turn"


def test_a_damaged_file_costs_only_its_damaged_lines(demo: Demo, tmp_path: Path) -> None:
    demo.say("echo first")
    demo.kill()
    file = tmp_path / "state" / f"{demo.session}.jsonl"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with file.open("ab") as out:
        out.write(b'\xff\xfe\n[1]\n{"mode": "older than this version"}\n{"new": 1}\n{"user": "cut o')
    (tmp_path / "state" / "nothing.jsonl").write_text("")
    (tmp_path / "state" / "other.txt").write_text("not ours")
    with again(tmp_path) as second:
        told = second.come_back(demo.session)
        assert told.kinds == ["user_message_chunk", "agent_message_chunk"]
        assert len(second.call("session/list", {}).answer["result"]["sessions"]) == 1


def test_a_folder_that_cannot_be_written_costs_one_line_on_stderr(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with Demo(tmp_path / "file" / "state").open() as demo:
        demo.say("echo first")
        assert "- echo first\n" in demo.say("recall").text
        assert demo.call("session/list", {}).answer["result"]["sessions"] == []
        assert demo.stderr().count("not kept on disk") == 1


def test_old_sessions_are_forgotten_when_there_are_too_many(demo: Demo, tmp_path: Path) -> None:
    for number in range(250):
        old = tmp_path / "state" / f"old{number}.jsonl"
        old.write_text('{"cwd": "/"}\n')
        os.utime(old, (number, number))
    new = demo.new()
    kept = {file.stem for file in (tmp_path / "state").iterdir()}
    assert len(kept) == 200
    assert {new, demo.session, "old249"} <= kept
    assert "old51" not in kept


@pytest.mark.parametrize(
    ("env", "place"),
    [
        ({"OPENAB_DEMO_STATE": "", "XDG_STATE_HOME": "{}"}, "openab-sync/demo"),
        ({"OPENAB_DEMO_STATE": "", "XDG_STATE_HOME": "", "HOME": "{}"}, ".local/state/openab-sync/demo"),
    ],
)
def test_the_state_folder_follows_the_environment(tmp_path: Path, env: dict[str, str], place: str) -> None:
    with Client(COMMAND, {key: value.format(tmp_path) for key, value in env.items()}, ROOT) as client:
        client.initialize()
        session = client.new()
        assert (tmp_path / place / f"{session}.jsonl").is_file()


def test_its_folders_are_for_their_user_only(tmp_path: Path) -> None:
    """The one around its own may be the bridge's, which is looked at when a service starts."""
    folder = tmp_path / "openab-sync" / "demo"
    Memory(str(folder)).create(str(tmp_path))
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent)] == [0o700, 0o700]
