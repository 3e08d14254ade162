"""The API, looking: answers in no time, whatever the house is doing, and tells no more than it may."""

from __future__ import annotations

import time

from openab_sync.core.state import State
from openab_sync.status.looking import conversation_of
from openab_sync.status.sources import Sources
from openab_sync.store import Memory
from tests.core.bed import PLATFORM, Bed, place
from tests.status.scene import ANYWHERE, KEY, Scene
from tests.waiting import MS, until


def sources(bed: Bed) -> Sources:
    """What a status server sees of this bed."""
    memories = [("test:old", Memory("s1", cwd="/old", used=7.0)), ("gone:1", Memory("s2"))]
    return Sources(bed.broker, bed.clock, {PLATFORM: bed.port}, remembered=lambda: memories)


def test_sessions_are_seen_while_every_one_is_busy() -> None:
    with Bed(pool={"max_sessions": 2}) as bed:
        scene = Scene.make(sources(bed))
        assert scene.get("/api/sessions").json == []
        for name in ("1", "2", "3"):
            bed.say("say working\nhang", name)
        until(lambda: all("working" in bed.text(name) for name in ("1", "2")))
        started = time.monotonic()
        rows = scene.get("/api/sessions", **KEY).json
        assert time.monotonic() - started < 200 * MS
        assert rows is not None
        assert [(row["key"], row["state"]) for row in rows] == [("test:1", "busy"), ("test:2", "busy")]
        assert all(row["pid"] and row["cwd"] and row["turn_seconds"] >= 0 for row in rows)
        states = {row["key"]: row["state"] for row in scene.get("/api/conversations").json or ()}
        assert states == {"test:1": "busy", "test:2": "busy", "test:3": "waiting", "test:old": "remembered"}
        for name in ("1", "2", "3"):
            bed.command("cancel-all", at=name)


def test_what_was_said_is_told_to_who_has_a_key() -> None:
    with Bed() as bed:
        scene = Scene.make(sources(bed))
        bed.ask("say a word of it")
        bed.until_state(State.IDLE)
        until(lambda: (scene.get("/api/sessions/test:1", **KEY).json or {})["turns"][-1]["outcome"] == "done")
        page = scene.get("/api/sessions/test:1", **KEY).json
        assert page is not None and page["turns"][0]["parts"][0]["text"] == "a word of it"
        assert page["session"]["words"] == "a word of it"
        plain = scene.get("/api/sessions/test:1")
        assert plain.json is not None and plain.json["turns"] == [] and "a word" not in plain.text
        assert scene.get("/api/questions").status_code == 401
        assert Scene.make(sources(bed), ANYWHERE).get("/api/sessions").status_code == 401


def test_what_waits_is_told_in_order() -> None:
    with Bed() as bed:
        scene = Scene.make(sources(bed))
        bed.say("hang")
        bed.until_state(State.BUSY)
        bed.say("second")
        bed.say("third")
        page = scene.get("/api/sessions/test:1", **KEY).json
        assert page is not None and [one["text"] for one in page["waiting"]] == ["second", "third"]
        bed.command("cancel-all")


def test_a_session_that_is_not_there_is_said() -> None:
    with Bed() as bed:
        answer = Scene.make(sources(bed)).get("/api/sessions/test:9", **KEY)
        assert answer.status_code == 404 and answer.json == {"error": "There is no session of that name."}


def test_an_open_question_is_shown_with_the_agents_own_answers() -> None:
    with Bed() as bed:
        scene = Scene.make(sources(bed))
        bed.say("ask")
        question = bed.port.until_question()
        until(lambda: scene.get("/api/questions", **KEY).json)
        shown = (scene.get("/api/questions", **KEY).json or [{}])[0]
        assert (shown["id"], shown["key"]) == (question.id, "test:1")
        assert [option["id"] for option in shown["options"]] == [option.option_id for option in question.options]
        bed.command("cancel")


def test_only_what_is_known_here_is_a_conversation() -> None:
    with Bed() as bed:
        known = sources(bed)
        assert conversation_of(known, "test:old") == place("old")
        assert [conversation_of(known, key) for key in ("test:9", "gone:1", "", ":", "discord:1")] == [None] * 5
