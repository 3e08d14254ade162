from __future__ import annotations

import ast
import base64
import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from openab_sync.acp.events import Media
from openab_sync.core.message import Conversation
from openab_sync.platforms.web.entries import Asked, Message, Sentence, Stopped
from openab_sync.platforms.web.routes import routes
from tests.media.paint import encoded, gradient
from tests.status.scene import ANYWHERE, Scene
from tests.waiting import until

from .bed import DEMO, Answer, Bed, page

PICTURE = encoded(gradient(8, 8), "PNG")


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    with page(tmp_path) as running:
        yield running


def test_a_message_is_answered_in_its_conversation(bed: Bed) -> None:
    key = bed.ask("/web/conversations", {}).data["conversation"]
    written = bed.write("say hello there", key)
    assert (written.code, written.data["state"]) == (200, "accepted")
    bed.until_text("hello there", key)
    until(lambda: isinstance(bed.contents(key)[-1], Stopped))
    looked = bed.look(key)
    assert [entry["kind"] for entry in looked["room"]["entries"]] == ["message", "said", "end"]
    assert looked["house"]["cards"][0]["title"] == "say hello there"


def test_the_page_and_its_parts_are_for_everybody_here_and_say_nothing(bed: Bed) -> None:
    front = bed.ask("/", key=False)
    assert front.code == 200
    assert b'<script type="module" src="page/page.js">' in front.body
    assert "script-src 'self'" in front.headers["Content-Security-Policy"]
    for name, kind in (("page.js", "text/javascript"), ("talk.css", "text/css"), ("icon.svg", "image/svg+xml")):
        part = bed.ask(f"/page/{name}", key=False)
        assert (part.code, part.headers["Content-Type"].partition(";")[0]) == (200, kind)
    assert bed.ask("/favicon.ico", key=False).code == 200
    assert bed.ask("/page/../routes.py", key=False).code == 404
    assert bed.ask("/page/nothing.js", key=False).code == 404


def test_where_others_can_come_in_nothing_but_health_is_there_without_a_key(bed: Bed) -> None:
    scene = Scene.make(address=ANYWHERE, blueprints=[routes(bed.web)])
    paths = ("/healthz", "/readyz", "/", "/page/page.js", "/favicon.ico", "/web/look", "/api/sessions", "/api/me")
    assert [scene.get(path).status_code for path in paths] == [200, 200, 401, 401, 401, 401, 401, 401]
    scene.enter()
    assert [scene.get(path).status_code for path in paths] == [200] * 8


@pytest.mark.parametrize("path", ["/web/look", "/web/stream", "/web/files/web:1/1"])
def test_what_was_said_is_for_whoever_has_a_key(bed: Bed, path: str) -> None:
    assert bed.ask(path, key=False).code == 401


@pytest.mark.parametrize(
    "path", ["/web/conversations", "/web/messages", "/web/answers", "/web/orders", "/web/take-back", "/web/uploads"]
)
def test_whoever_has_no_key_changes_nothing(bed: Bed, path: str) -> None:
    assert bed.ask(path, {}, key=False).code == 401


@pytest.mark.parametrize(
    ("path", "data", "code"),
    [
        ("/web/messages", b"not json", 400),
        ("/web/answers", {"question": "q", "option": "fill", "values": {"a": "b"}}, 400),
        ("/web/answers", {"question": "q", "option": "fill", "values": [1]}, 400),
        ("/web/messages", [], 400),
        ("/web/messages", {"conversation": "web:1", "text": "  "}, 400),
        ("/web/messages", {"conversation": "web:1", "text": 5}, 400),
        ("/web/messages", {"conversation": "web:1", "text": "x" * 400_001}, 400),
        ("/web/messages", {"conversation": "web:1", "text": "x", "files": "a"}, 400),
        ("/web/messages", {"conversation": "nothing", "text": "x"}, 400),
        ("/web/messages", {"conversation": "discord:1", "text": "x"}, 409),
        ("/web/take-back", {"conversation": "web:1", "message": "m1"}, 409),
        ("/web/answers", {"question": "q", "option": "o"}, 409),
        ("/web/orders", {"conversation": "web:1", "name": "rm"}, 404),
        ("/web/uploads", {"conversation": "", "name": "a"}, 400),
        ("/web/uploads/nothing", b"data", 409),
        ("/web/uploads/nothing", b"x" * (512 * 1024 + 1), 413),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_sentence(bed: Bed, path: str, data: object, code: int) -> None:
    answer = bed.ask(path, data)
    assert (answer.code, answer.data["error"].endswith(".")) == (code, True)
    assert bed.contents() == []


def test_a_question_is_answered_on_the_page(bed: Bed) -> None:
    bed.write("ask")
    [question] = until(lambda: bed.look()["house"]["questions"])
    assert bed.ask("/web/answers", {"question": question["question"], "option": "no such"}).code == 409
    chosen = question["options"][0]
    assert bed.ask("/web/answers", {"question": question["question"], "option": chosen["id"]}).code == 200
    until(lambda: isinstance(bed.contents()[-1], Stopped))
    [asked] = [item for item in bed.contents() if isinstance(item, Asked)]
    assert asked.settled.startswith(chosen["name"])
    assert bed.look()["house"]["questions"] == []
    assert bed.ask("/web/answers", {"question": question["question"], "option": chosen["id"]}).code == 409


def asked(bed: Bed) -> Any:
    """The question that is open, as the page is told it."""
    return until(lambda: [one for one in bed.look()["house"]["questions"] if not one["settled"]])[0]


def test_a_form_of_the_agent_is_filled_in_on_the_page_and_judged_here(bed: Bed) -> None:
    bed.write("elicit_form")
    question = asked(bed)
    fields = {field["name"]: field for field in question["form"]["fields"]}
    assert question["form"]["message"] == "Tell me." and not question["form"]["is_address"]
    assert {name: (field["kind"], field["is_needed"], field["default"]) for name, field in fields.items()} == {
        "name": ("text", True, []),
        "colour": ("choice", False, ["1"]),
        "sure": ("boolean", True, []),
        "count": ("integer", False, ["3"]),
        "tags": ("choices", False, []),
        "note": ("text", False, []),
    }
    assert fields["name"]["bounds"] == "2 to 20 characters" and fields["count"]["bounds"] == "1 to 9"
    choices = [(choice["value"], choice["name"]) for choice in fields["tags"]["choices"]]
    assert choices == [("0", "Alpha"), ("1", "Beta")], "the agent's own values stay between it and us"

    def sent(**values: list[str]) -> Answer:
        return bed.ask("/web/answers", {"question": question["question"], "option": "fill", "values": values})

    refused = sent(name=["A"], count=["ten"], colour=["green"])
    assert refused.code == 422 and refused.data["fields"] == {
        "name": "Your name must have 2 to 20 characters.",
        "colour": "colour has no choice green.",
        "sure": "Are you sure is needed.",
        "count": "count must be a whole number.",
    }
    assert sent(name=["Ann"], sure=["yes"], count=["7"], tags=["0", "1"]).code == 200
    until(lambda: "form: " in bed.text())
    assert ast.literal_eval(bed.text().partition("form: ")[2].strip()) == {
        "action": "accept",
        "content": {"name": "Ann", "sure": True, "count": 7, "tags": ["a", "b"]},
    }
    assert sent(name=["Ann"], sure=["yes"]).code == 409


@pytest.mark.parametrize(("option", "action"), [("decline", "decline"), ("cancel", "cancel")])
def test_a_form_is_declined_or_dismissed(bed: Bed, option: str, action: str) -> None:
    bed.write("elicit_form")
    assert bed.ask("/web/answers", {"question": asked(bed)["question"], "option": option}).code == 200
    bed.until_text(f"form: {{'action': '{action}'}}")


def test_an_address_is_told_to_whoever_asks_for_it_and_to_nobody_else(bed: Bed) -> None:
    bed.write("elicit_url")
    question = asked(bed)
    assert question["form"]["is_address"] and "login?x" not in json.dumps(bed.look())
    assert bed.ask("/web/addresses", {"question": question["question"]}, key=False).code == 401
    assert bed.ask("/web/addresses", {"question": "another"}).code == 404
    address = bed.ask("/web/addresses", {"question": question["question"]}).data
    assert address == {"url": "https://example.org/login?x=1", "host": "example.org", "caution": ""}
    assert "url: " not in bed.text(), "it was looked at, and not opened"
    assert bed.ask("/web/answers", {"question": question["question"], "option": "open"}).code == 200
    bed.until_text("url: {'action': 'accept'}")
    assert "login?x" not in json.dumps(bed.look())


def test_an_agent_that_wants_it_is_logged_in_on_the_page(tmp_path: Path) -> None:
    with page(tmp_path, "--auth") as bed:
        bed.write("say hello")
        question = asked(bed)
        assert question["title"].endswith("wants somebody to log in") and question["form"] is None
        assert bed.ask("/web/answers", {"question": question["question"], "option": "key"}).code == 200
        bed.until_text("hello")


def test_a_limit_that_was_met_is_lifted_on_the_page(tmp_path: Path) -> None:
    with page(tmp_path, limits={"tool_calls_per_turn": 5}) as bed:
        bed.write("repeat_tools 8\nhang")
        said = "lift the limits until midnight"  # a word may have come before
        offer = until(lambda: [one for one in bed.contents() if isinstance(one, Sentence) and said in one.text])[0]
        assert offer.lifts == "web:1"
        until(lambda: [one for one in bed.contents() if isinstance(one, Stopped)])
        order = {"conversation": "web:1", "name": "limits", "argument": f"lift {offer.lifts}"}
        assert bed.ask("/web/orders", order).code == 202
        until(lambda: Sentence("No limits here until midnight.") in bed.contents())
        bed.write("repeat_tools 8\nsay all of them")
        bed.until_text("all of them")


def test_a_turn_is_stopped_and_a_waiting_message_taken_back(bed: Bed) -> None:
    bed.write("say begun\nhang")
    bed.until_text("begun")
    bed.write("say later")
    later = until(lambda: [item for item in bed.contents() if isinstance(item, Message) and "later" in item.text])[0]
    assert bed.ask("/web/take-back", {"conversation": "web:1", "message": later.id}).code == 200
    assert bed.ask("/web/orders", {"conversation": "web:1", "name": "cancel"}).code == 202
    [end] = until(lambda: [item for item in bed.contents() if isinstance(item, Stopped)])
    assert end.outcome == "cancelled"
    fates = [item.fate for item in bed.contents() if isinstance(item, Message)]
    assert fates == ["answered", "dropped"]


def test_a_command_in_a_message_is_carried_out_and_others_are_the_agents(bed: Bed) -> None:
    assert bed.write("/help").data["state"] == "ordered"
    told = until(bed.contents)
    assert isinstance(told[0], Sentence) and "/cancel" in told[0].text
    assert bed.write("/nothing of ours").data["state"] == "accepted"


def test_a_message_that_is_refused_says_why(tmp_path: Path) -> None:
    with page(tmp_path, pool={"max_buffered_messages": 1}) as bed:
        bed.write("say begun\nhang")
        bed.until_text("begun")
        bed.write("one")
        refused = bed.write("two")
        assert (refused.code, bool(refused.data["error"])) == (409, True)


def test_files_go_with_a_message_and_are_judged_by_their_bytes(tmp_path: Path) -> None:
    with page(tmp_path, command=DEMO) as bed:
        uploads = [
            bed.upload("notes.txt", b"remember the milk"),
            bed.upload("../../evil.png", b"no picture at all"),
            bed.upload("real.png", PICTURE),
            bed.upload("data.bin", b"\x00\xff" * 600_000),
            bed.upload("empty.txt", b""),
        ]
        assert bed.write("what is this?", files=uploads).code == 200
        bed.until_text("With it came")
        message = next(item for item in bed.contents() if isinstance(item, Message))
        assert message.files == ("notes.txt", "evil.png", "real.png", "data.bin")
        notes = [item.text for item in bed.contents() if isinstance(item, Sentence)]
        assert any("evil.png" in note and "no picture" in note for note in notes)
        assert any("empty.txt" in note and "is empty" in note for note in notes)
        kept = [path.name for path in (tmp_path / "inbox").rglob("*") if path.is_file()]
        assert sorted(kept) == ["data.bin", "evil.png", "notes.txt", "real.png"], "what is no file was not kept"


def test_a_file_that_is_not_wanted_any_more_is_gone(bed: Bed) -> None:
    upload = bed.upload("a.txt", b"x")
    assert bed.ask(f"/web/uploads/{upload}", method="DELETE").code == 200
    answer = bed.write("", files=[upload])
    assert (answer.code, answer.data["error"]) == (409, "A file was not taken: it lay about for too long.")
    assert [path for path in (bed.folder / "inbox").rglob("*") if path.is_file()] == []


def test_files_of_the_agent_are_shown_only_if_they_are_pictures(bed: Bed) -> None:
    place = Conversation("web", "1")
    for name, data in (("a.png", PICTURE), ("b.html", b"<script>alert(1)</script>"), ("c.png", b"no picture")):
        bed.web.port.event(place, Media("image", "image/png", base64.b64encode(data).decode(), uri=f"/{name}"))
    until(lambda: len(bed.contents()) == 3)
    entries = bed.look()["room"]["entries"]
    answers = [bed.ask("/" + entry["url"]) for entry in entries]
    assert [answer.headers["Content-Type"] for answer in answers] == [
        "image/png",
        "application/octet-stream",
        "application/octet-stream",
    ]
    dispositions = [answer.headers["Content-Disposition"] for answer in answers]
    assert [text.partition(";")[0] for text in dispositions] == ["inline", "attachment", "attachment"]
    assert all("sandbox" in answer.headers["Content-Security-Policy"] for answer in answers)
    assert bed.ask("/web/files/web:1/999").code == 404
    assert bed.ask("/web/files/web:9/1").code == 404


def test_a_stream_tells_and_gives_its_seat_back(tmp_path: Path) -> None:
    with page(tmp_path, seats=1) as bed:
        where = urlsplit(bed.status.address.url)
        headers = {"Authorization": f"Bearer {bed.token}"}
        line = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
        line.request("GET", "/web/stream?room=web:1&after=0", headers=headers)
        with closing(line), line.getresponse() as response:
            assert (response.status, response.headers["Content-Type"]) == (200, "text/event-stream; charset=utf-8")
            assert response.readline().startswith(b"retry")
            assert bed.ask("/web/stream?room=web:1").code == 503
            bed.write("say hello")
            until(lambda: b"hello" in response.readline())
        until(lambda: len(bed.web.seats._free) == 1)
        assert bed.ask("/web/stream?room=web:1", method="HEAD").code == 200
        until(lambda: len(bed.web.seats._free) == 1)
