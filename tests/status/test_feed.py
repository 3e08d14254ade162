"""The stream of what changes."""

from __future__ import annotations

import http.client
import json
import threading
from typing import Any

from openab_sync.core.presence import Presence
from openab_sync.status import feed as room
from openab_sync.status.feed import MOST, STREAMS, Feed, Stream, events
from openab_sync.status.server import THREADS
from openab_sync.status.sources import Sources
from tests.core.bed import Bed
from tests.fakes.clock import FakeClock
from tests.status.scene import KEY, Scene, no_broker
from tests.status.test_looking import sources
from tests.status.test_server import connected, serving
from tests.waiting import until


def taken(stream: Stream) -> list[tuple[str, Any]]:
    """What waits in a stream: each event's name and data."""
    found = []
    while not stream.queue.empty():
        piece = stream.queue.get()
        assert piece is not None
        name, _, data = piece.decode().removeprefix("event: ").partition("\ndata: ")
        found.append((name, json.loads(data)))
    return found


def listening(feed: Feed, conversation: str = "") -> Stream:
    stream = feed.listen(conversation)
    assert stream is not None
    return stream


def test_first_everything_then_only_what_is_new() -> None:
    with Bed() as bed:
        feed = Feed(sources(bed))
        stream = listening(feed)
        feed.look()
        [(name, house)] = taken(stream)
        assert (name, house["sessions"], house["ready"]["ready"]) == ("house", [], True)
        feed.look()
        assert taken(stream) == []
        bed.ask("say hello")
        feed.look()
        assert [(name, data["key"]) for name, data in taken(stream)] == [("session", "test:1")]
        bed.command("reset")
        until(lambda: not bed.broker.snapshot().sessions)
        feed.look()
        assert taken(stream) == [("gone", {"key": "test:1"})]


def test_a_question_and_its_end_are_told() -> None:
    with Bed() as bed:
        feed = Feed(sources(bed))
        stream = listening(feed)
        feed.look()
        bed.say("ask")
        question = bed.port.until_question()
        until(lambda: bed.snapshot().turns and bed.snapshot().turns[-1].questions)
        feed.look()
        told = dict(taken(stream))
        assert [item["id"] for item in told["questions"]] == [question.id]
        bed.command("cancel")
        until(lambda: not bed.snapshot().turns[-1].questions)
        feed.look()
        assert dict(taken(stream))["questions"] == []


def test_the_turns_of_one_conversation_are_told_as_they_grow() -> None:
    with Bed() as bed:
        feed = Feed(sources(bed))
        stream = listening(feed, "test:1")
        bed.ask("say one", "2")
        bed.ask("say two", "1")
        until(lambda: bed.snapshot().turns[-1].outcome == "done")
        feed.look()
        [turns] = [data for name, data in taken(stream) if name == "turns"]
        assert turns["key"] == "test:1"
        assert [part["text"] for turn in turns["turns"] for part in turn["parts"]] == ["two"]
        bed.ask("say three", "1")
        until(lambda: bed.snapshot().turns[-1].outcome == "done" and len(bed.snapshot().turns) == 2)
        feed.look()
        [turns] = [data for name, data in taken(stream) if name == "turns"]
        assert turns["turns"][-1]["number"] == 2


def test_whether_people_can_write_is_told_when_it_changes() -> None:
    presences = [Presence("test")]
    feed = Feed(Sources(no_broker(), FakeClock(), presences=lambda: presences))
    stream = listening(feed)
    feed.look()
    taken(stream)
    presences[0] = Presence("test", "it is away")
    feed.look()
    assert taken(stream) == [("ready", {"ready": False, "reasons": ["test: it is away"]})]


def test_there_are_fewer_streams_than_threads_and_who_comes_later_is_sent_away() -> None:
    assert STREAMS < THREADS
    feed = Feed(Sources(no_broker(), FakeClock()))
    streams = [listening(feed) for _ in range(STREAMS)]
    assert feed.listen() is None
    scene = Scene.make(blueprints=[events(feed)])
    assert scene.get("/api/events", **KEY).status_code == 503
    feed.leave(streams[0])
    feed.leave(streams[0])
    assert feed.listen() is not None


def test_one_that_nobody_reads_ends() -> None:
    feed = Feed(Sources(no_broker(), FakeClock()))
    stream = listening(feed)
    for _ in range(MOST + 1):
        stream.queue.put(b"x")
    feed.look()
    assert len(feed) == 0
    assert b"".join(feed.read(stream)).endswith(b"x")


def test_the_end_of_the_house_ends_all_streams() -> None:
    feed = Feed(Sources(no_broker(), FakeClock()))
    stream = listening(feed)
    feed.close()
    assert list(feed.read(stream)) == [b"retry: 2000\n\n"]
    assert feed.listen() is None


def test_a_line_shows_that_we_are_still_there(monkeypatch: Any) -> None:
    monkeypatch.setattr(room, "GLANCE", 0.001)
    monkeypatch.setattr(room, "STILL", 0.002)
    feed = Feed(Sources(no_broker(), FakeClock()))
    pieces = feed.read(listening(feed))
    assert [next(pieces), next(pieces)] == [b"retry: 2000\n\n", b": still here\n\n"]


def test_over_http_it_arrives_and_a_reader_that_leaves_makes_room(monkeypatch: Any) -> None:
    monkeypatch.setattr(room, "GLANCE", 0.01)
    feed = Feed(Sources(no_broker(), FakeClock()))
    with serving(events(feed)) as address:
        with connected(address) as connection:
            connection.request("GET", "/api/events", headers=KEY)
            answer: http.client.HTTPResponse = connection.getresponse()
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            until(lambda: len(feed) == 1)
            feed.look()
            lines = [answer.readline() for _ in range(3)]
            assert lines[0] == b"retry: 2000\n" and lines[2] == b"event: house\n"
            answer.close()
        until(lambda: len(feed) == 0, what="the stream of a reader who left ends")
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("status-")]
