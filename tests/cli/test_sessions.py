"""`openab-sync sessions`: list, show, cancel, reset."""

from __future__ import annotations

import json
from pathlib import Path

from openab_sync.core.state import State
from tests.cli.running import run
from tests.cli.serving import serving
from tests.waiting import until


def test_sessions_are_listed_shown_stopped_and_reset(tmp_path: Path) -> None:
    with serving(tmp_path) as bed:
        none = run(tmp_path, "sessions", "list")
        assert (none.code, none.out, none.err) == (0, "", "No agent is running.\n")
        bed.ask("say a word\ndiff")
        bed.say("hang")
        bed.until_state(State.BUSY)
        bed.say("say later")
        [line] = run(tmp_path, "sessions", "list").out.splitlines()
        assert line.split("\t")[:2] == ["test:1", "busy"]
        assert json.loads(run(tmp_path, "sessions", "list", "--json").out)[0]["key"] == "test:1"
        shown = run(tmp_path, "sessions", "show", "test:1").out
        assert "» Ann: say a word" in shown and "\na word\n" in shown and "— done, " in shown
        assert "waits: Ann: say later" in shown and "state        busy" in shown
        assert len(json.loads(run(tmp_path, "sessions", "show", "test:1", "--json").out)["turns"]) == 2
        assert run(tmp_path, "sessions", "cancel", "test:1").out == "Cancelling.\n"
        until(lambda: len(bed.ends()) == 3)
        assert "starts a new session" in run(tmp_path, "sessions", "reset", "test:1").out
        until(lambda: not bed.broker.snapshot().sessions)


def test_which_service_is_meant_may_be_said_on_either_side_of_the_verb(tmp_path: Path) -> None:
    (file := tmp_path / "elsewhere.toml").write_text(f'[store]\npath = "{tmp_path / "state"}"\n')
    where, elsewhere = ("-c", str(file)), {"OPENAB_SYNC_HOME": str(tmp_path / "nobody")}
    with serving(tmp_path) as bed:
        bed.ask("say a word")
        before, behind = run(tmp_path, "sessions", *where, "list", **elsewhere), ("sessions", "list", *where)
        assert before == run(tmp_path, *behind, **elsewhere)
        assert before.out.startswith("test:1\tidle\t")


def test_a_conversation_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with serving(tmp_path):
        for verb in ("show", "cancel", "reset"):
            ended = run(tmp_path, "sessions", verb, "test:9")
            assert (ended.code, ended.out) == (1, "")
            assert ended.err.startswith("openab-sync: There is no ")
