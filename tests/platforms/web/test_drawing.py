from __future__ import annotations

import json
from dataclasses import replace

import pytest

from openab_sync.acp.events import Field, PlanEntry
from openab_sync.core.forms import DECLINE, FILL
from openab_sync.core.message import Conversation
from openab_sync.core.port import Form
from openab_sync.platforms.web.drawing import drawn_entry, drawn_question, drawn_room
from openab_sync.platforms.web.entries import (
    Asked,
    Call,
    Content,
    Entry,
    LinkTo,
    Message,
    Plan,
    Room,
    Sent,
    Sentence,
    Stopped,
    Words,
)

from .makers import ONE, question

FIELDS = (Field("n", "integer", "Count", "How many?", is_required=True, default=("3",), least=1, most=9),)


def test_a_form_that_stands_elsewhere_can_be_declined_here_and_not_filled_in() -> None:
    there = replace(question(place=Conversation("discord", "1")), options=(FILL, DECLINE), form=Form("Robin", FIELDS))
    drawn = drawn_question(Asked(there))
    assert (drawn["form"], [option["id"] for option in drawn["options"]]) == (None, ["decline"])


def test_a_form_of_the_page_says_what_each_field_takes_until_it_is_decided() -> None:
    here = replace(question(), options=(FILL, DECLINE), form=Form("Robin", FIELDS, message="Tell me."))
    drawn = drawn_question(Asked(here))
    assert [option["id"] for option in drawn["options"]] == ["fill", "decline"]
    assert drawn["form"] == {
        "message": "Tell me.",
        "is_address": False,
        "fields": [
            {
                "name": "n",
                "kind": "integer",
                "title": "Count",
                "about": "How many?",
                "bounds": "1 to 9",
                "is_needed": True,
                "default": ["3"],
                "is_long": False,
                "choices": [],
            }
        ],
    }
    assert drawn_question(Asked(here, "Filled in — Ann"))["form"] is None


EVERYTHING: list[tuple[Content, dict[str, object]]] = [
    (
        Message("m1", "Ann", "hi", ("a",), "running"),
        {"kind": "message", "who": "Ann", "files": ["a"], "fate": "running"},
    ),
    (Words("said", "*hi*"), {"kind": "said", "html": "<p><em>hi</em></p>\n"}),
    (Words("thought", "hm"), {"kind": "thought", "html": "<p>hm</p>\n"}),
    (
        Call("ls", "execute", "done", ("/w",), (), "out"),
        {"kind": "tool", "state": "done", "places": ["/w"], "output": "out"},
    ),
    (Plan((PlanEntry("a", "completed"),)), {"kind": "plan", "steps": [{"text": "a", "status": "completed"}]}),
    (Sent("p.png", "image/png", 3, b"abc"), {"kind": "file", "size": 3, "url": "web/files/web:1/7"}),
    (Sent("p.png", "image/png", 3, None), {"kind": "file", "url": ""}),
    (LinkTo("X", "javascript:x"), {"kind": "link", "is_safe": False}),
    (Sentence("no", ok=False), {"kind": "notice", "text": "no", "ok": False}),
    (
        Asked(question(detail="`ls`"), ""),
        {"kind": "question", "question": "q1", "settled": "", "html": "<p><code>ls</code></p>\n"},
    ),
    (Stopped("gone", "why", "foot", 1.26), {"kind": "end", "outcome": "gone", "reason": "why", "seconds": 1.3}),
    (Stopped("failed", about=("m1",)), {"kind": "end", "outcome": "failed", "about": ["m1"]}),
]


@pytest.mark.parametrize(("content", "wanted"), EVERYTHING, ids=lambda item: type(item).__name__)
def test_every_kind_of_entry_is_json(content: Content, wanted: dict[str, object]) -> None:
    drawn = drawn_entry("web:1", Entry(7, 1, content))
    assert wanted.items() <= json.loads(json.dumps(drawn)).items()
    assert drawn["id"] == 7


def test_a_room_is_what_has_changed_since() -> None:
    entries = tuple(Entry(number, version, Sentence(f"{number}")) for number, version in ((3, 1), (4, 5), (5, 4)))
    room = Room(ONE, 5, entries, "Title", "Ann")
    news = drawn_room(room, 3)
    assert [entry["id"] for entry in news["entries"]] == [4, 5]
    assert (news["key"], news["version"], news["after"], news["first"], news["title"]) == ("web:1", 5, 3, 3, "Title")
    assert len(drawn_room(room)["entries"]) == 3
    assert drawn_room(Room(ONE))["first"] == 0


def test_a_long_change_is_shown_by_its_head() -> None:
    diff = "\n".join(f"+{number}" for number in range(1000))
    [change] = drawn_entry("web:1", Entry(1, 1, Call("e", "edit", "done", (), (("a", diff),))))["changes"]
    assert (len(change["lines"]), change["more"], change["path"]) == (400, 600, "a")
