"""Sessions outlive processes: what a conversation goes on with after a restart of the broker (FIELD D).

A restart here is a house that ends and another one on the same store: what was on the disk is all that is left. That a
SIGKILL leaves the same is `tests/store/test_killed.py`'s; here nothing is written when a session ends that was not
written before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from openab_sync.clock import SystemClock
from openab_sync.core.house import SetOption
from openab_sync.core.state import State
from openab_sync.store import Memory, MemoryShelf, Store
from tests.core.bed import Bed, place, received
from tests.fakes import fake_agent
from tests.fakes.clock import FakeClock
from tests.waiting import until


@contextmanager
def life(folder: Path, *flags: str, **more: Any) -> Iterator[Bed]:
    """One life of a broker on the store in `folder`; its agents remember, too, and log what they get."""
    store = Store.open(folder / "store")
    agent = ("--memory", str(folder / "memory"), "--log", str(folder / "log"), *flags)
    try:
        with Bed(*agent, shelf=MemoryShelf(store, SystemClock()), **more) as bed:
            yield bed
    finally:
        assert store.close()


def kept(folder: Path) -> dict[str, Memory]:
    """What is on the disk."""
    store = Store.open(folder / "store")
    try:
        return {key.partition(":")[2]: memory for key, memory in MemoryShelf(store, SystemClock()).read()}
    finally:
        assert store.close()


def methods(folder: Path) -> list[str]:
    return [entry["method"] for entry in received(folder / "log") if str(entry.get("method")).startswith("session/")]


def test_a_conversation_goes_on_after_a_restart_and_replays_are_not_shown(tmp_path: Path) -> None:
    """FIELD D1."""
    with life(tmp_path) as bed:
        bed.ask("say the first thing")
        known = bed.snapshot().acp_session_id
    with life(tmp_path) as bed:
        assert bed.ask("recall").outcome == "done"
        assert bed.snapshot().acp_session_id == known
        assert "the first thing" in bed.text()
        assert bed.notices() == []
        assert [type(event).__name__ for event in bed.events()].count("TurnStarted") == 1
    with life(tmp_path, "--replay-after") as bed:
        bed.ask("say once more")
        assert bed.text() == "once more"
    assert methods(tmp_path)[-2:] == ["session/load", "session/prompt"]


def test_a_running_session_is_on_the_disk_before_its_first_turn_has_ended(tmp_path: Path) -> None:
    """FIELD D2: nobody knows when the process will be killed."""
    store = Store.open(tmp_path)
    shelf = MemoryShelf(store, SystemClock())
    with Bed("--options", shelf=shelf) as bed:
        bed.say("say x\nhang")
        bed.until_text("x")
        [(key, memory)] = shelf.read()
        assert (key, memory.acp_session_id) == (place().key, bed.snapshot().acp_session_id)
        assert memory.acp_session_id is not None
        # What is chosen in the middle of a turn, too.
        bed.broker.order(place(), SetOption("model", "large")).result(5)
        until(lambda: shelf.read()[0][1].options == (("model", "large"),), what="the choice is kept")
        bed.command("cancel")
    assert store.close()


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("--load-hang", "the agent did not answer session/load within 0.3 s. What was said before is kept: "),
        ("--load-dies", "the agent has ended (exit status 4). What was said before is kept: "),
        ("--load-error=-32000", "The agent wants somebody to log in first"),
    ],
    ids=["time-out", "death", "log in first"],
)
def test_what_is_no_refusal_keeps_the_session_and_is_reported(tmp_path: Path, fault: str, said: str) -> None:
    """FIELD D3."""
    with life(tmp_path) as bed:
        bed.ask("say the first thing")
        known = bed.snapshot().acp_session_id
    with life(tmp_path, fault, pool={"new_session_secs": 0.3}) as bed:
        end = bed.ask("say lost")
        assert end.outcome == "failed"
        assert said in end.reason
    assert kept(tmp_path)["1"].acp_session_id == known
    with life(tmp_path) as bed:
        bed.ask("recall")
        assert "the first thing" in bed.text()


def test_what_nobody_uses_any_more_is_forgotten(tmp_path: Path) -> None:
    """FIELD D4: by time and by number, see tests/store/test_memories.py; by order here."""
    with life(tmp_path) as bed:
        bed.ask("say x", to="A")
        bed.ask("say x", to="B")
        bed.command("reset", at="A")
    assert list(kept(tmp_path)) == ["B"]
    with life(tmp_path) as bed:
        bed.command("reset", at="B")  # it has no session in this life
    assert kept(tmp_path) == {}
    with life(tmp_path) as bed:
        bed.ask("recall", to="B")
        assert bed.text("B").strip() in ("", "[]")


def test_a_session_stays_in_its_folder_whatever_is_configured_later(tmp_path: Path) -> None:
    """FIELD D5."""
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    with life(tmp_path, agent={"working_dir": str(tmp_path / "old")}) as bed:
        bed.ask("cwd")
        assert bed.text() == str(tmp_path / "old")
    with life(tmp_path, agent={"working_dir": str(tmp_path / "new")}) as bed:
        bed.ask("cwd")
        assert bed.text() == str(tmp_path / "old")
        bed.ask("cwd", to="2")
        assert bed.text("2") == str(tmp_path / "new")
    asked = [entry["params"]["cwd"] for entry in received(tmp_path / "log") if entry.get("method") == "session/load"]
    assert asked == [str(tmp_path / "old")]


def test_what_a_new_conversation_gets_an_old_one_does_not_get_again(tmp_path: Path) -> None:
    """FIELD D6: live, busy, suspended and kept ones all count as begun: defaults are for new sessions."""
    with life(tmp_path, "--options", pool={"default_config_options": {"model": "large"}}) as bed:
        bed.ask("say x")
    with life(tmp_path, "--options", pool={"default_config_options": {"model": "small"}}) as bed:
        bed.ask("say y")
    chosen = [
        entry["params"]["value"] for entry in received(tmp_path / "log") if str(entry.get("method")).endswith("option")
    ]
    assert chosen == ["large"]


def test_a_session_that_hung_is_forgotten_on_the_disk_too(tmp_path: Path) -> None:
    """FIELD D7: it may still be at the old turn."""
    store = Store.open(tmp_path)
    shelf = MemoryShelf(store, FakeClock())
    with Bed("--ignore-eof", clock=FakeClock(), shelf=shelf) as bed:
        bed.say("hang")
        bed.until_state(State.BUSY)
        until(lambda: len(shelf.read()) == 1)
        bed.tick(bed.pool.drop_hung, step=500.0)
        until(lambda: shelf.read() == [], what="it is forgotten")
    assert shelf.read() == []
    assert store.close()


def test_an_agent_that_cannot_resume_starts_fresh_and_says_so(tmp_path: Path) -> None:
    """FIELD D8."""
    with life(tmp_path) as bed:
        bed.ask("say x")
        known = bed.snapshot().acp_session_id
    with life(tmp_path, "--no-load") as bed:
        assert bed.ask("say y").outcome == "done"
        [notice] = bed.notices()
        assert "cannot resume sessions: it starts fresh" in notice
    memory = kept(tmp_path)["1"]
    assert memory.acp_session_id not in (None, known)
    assert memory.archive == (known,)


def test_a_refusal_starts_fresh_says_so_and_archives_the_old_session(tmp_path: Path) -> None:
    with life(tmp_path) as bed:
        bed.ask("say x")
        known = bed.snapshot().acp_session_id
    with life(tmp_path, "--load-error") as bed:
        assert bed.ask("say y").outcome == "done"
        [notice] = bed.notices()
        assert "could not take up the earlier session" in notice
        assert str(known) not in notice
    assert kept(tmp_path)["1"].archive == (known,)


def test_two_messages_after_a_restart_resume_one_session_once(tmp_path: Path) -> None:
    """FIELD D9."""
    with life(tmp_path) as bed:
        bed.ask("say x")
    with life(tmp_path) as bed:
        for number in range(4):
            bed.say(f"say {number}")
        until(lambda: bed.text() == "0123")
    assert methods(tmp_path).count("session/load") == 1


def test_what_people_chose_is_set_again_in_order(tmp_path: Path) -> None:
    """FIELD D10: the newest choice last, for one may undo another."""
    with life(tmp_path, "--options", "--boolean-option") as bed:
        bed.ask("say x")
        options = [option.id for option in bed.snapshot().options]
        one, two = [name for name in options if name in ("model", "mode")]
        values = {option.id: option.choices[-1].value for option in bed.snapshot().options if option.choices}
        for name in (one, two, one):
            bed.broker.order(place(), SetOption(name, values[name])).result(5)
    assert kept(tmp_path)["1"].options == ((two, values[two]), (one, values[one]))
    before = len(methods(tmp_path))
    with life(tmp_path, "--options", "--boolean-option") as bed:
        bed.ask("say y")
        assert bed.notices() == []
        now = {option.id: option.value for option in bed.snapshot().options}
        assert (now[one], now[two]) == (values[one], values[two])
    assert [method.rpartition("/")[2] for method in methods(tmp_path)[before:]] == [
        "load", "set_config_option", "set_config_option", "prompt",
    ]  # fmt: skip


@pytest.mark.parametrize("code", [0, -32002], ids=["refusal", "no such thing"])
def test_a_session_that_was_taken_up_by_mistake_is_recognised_and_the_message_asked_again(
    tmp_path: Path, code: int
) -> None:
    with life(tmp_path) as bed:
        bed.ask("say the first thing")
        known = bed.snapshot().acp_session_id
    (tmp_path / "memory").unlink()
    with life(tmp_path, f"--load-lies={code}") as bed:
        end = bed.ask("say an answer")
        assert (end.outcome, bed.text()) == ("done", "an answer")
        [notice] = bed.notices()
        assert "did not know the earlier session after all: it starts fresh" in notice
        assert len(bed.ends()) == 1
        # From now on a refusal is the model's own.
        assert bed.ask("stop refusal").outcome == "refused"
        assert len(bed.notices()) == 1
    memory = kept(tmp_path)["1"]
    assert memory.acp_session_id not in (None, known)
    assert memory.archive == (known,)


def test_another_agent_is_not_asked_for_it(tmp_path: Path) -> None:
    with life(tmp_path) as bed:
        bed.ask("say x")
        known = bed.snapshot().acp_session_id
    program, *args = fake_agent("--log", str(tmp_path / "log"))
    other = tmp_path / "other-agent"
    other.write_text(f'#!/bin/sh\nexec "{program}" {" ".join(args)}\n')
    other.chmod(0o755)
    with life(tmp_path, command=[str(other)]) as bed:
        assert bed.ask("say y").outcome == "done"
        [notice] = bed.notices()
        assert "was begun with another agent" in notice
    assert methods(tmp_path)[-2:] == ["session/new", "session/prompt"]
    memory = kept(tmp_path)["1"]
    assert (memory.agent, memory.archive) == ("other-agent", (known,))


def test_no_session_id_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """FIELD I7."""
    caplog.set_level("DEBUG")
    with life(tmp_path) as bed:
        bed.ask("say x")
        known = bed.snapshot().acp_session_id
        assert known is not None
    with life(tmp_path, "--load-error") as bed:
        bed.ask("say y")
        assert known not in repr(bed.pool) + repr(bed.session()) + repr(kept_in(bed))
    assert known not in caplog.text


def kept_in(bed: Bed) -> Memory:
    return bed.pool.memories.of(place().key)
