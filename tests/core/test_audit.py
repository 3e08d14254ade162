"""The audit: each thing that is told is one entry of plain values; what people write is not among them."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from openab_sync.acp.events import PermissionOption
from openab_sync.config.schema import ReplyConfig
from openab_sync.core.audit import KINDS, Audit
from openab_sync.core.message import Attachment, Inbound, MessageRef
from tests.core.bed import ANN, BOB, Bed, place

NOTE = Inbound(MessageRef(place(), "m1"), ANN, "rm -rf my secrets", (Attachment("text", "a.txt", text="inside"),))

Entry = tuple[str, str, tuple[str, str], dict[str, Any]]


class Book(list[Entry]):
    """Keeps entries in memory."""

    def __call__(self, *entry: Any) -> None:
        json.dumps(entry)  # plain values only
        self.append(entry)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [details for found, _, _, details in self if found == kind]


def test_every_kind_is_an_entry_with_who_and_where() -> None:
    book = Book()
    audit = Audit(book)
    audit.message(NOTE, "refused", "The house is full.")
    audit.refused(place(), BOB, "command")
    audit.command(place("2"), BOB, "reset")
    audit.limit(place(), ANN, "turns_per_hour", "refused")
    audit.configuration(["pool.max_sessions"])
    audit.service("started", version="1")
    options = (PermissionOption("a", "Allow", "allow_once"), PermissionOption("r", "No"))
    audit.permission(place(), asked="make it", options=options, chosen="a", by=BOB)
    audit.permission(place(), asked="make it", options=(), chosen=None, why="Nobody answered.")
    assert book[:3] == [
        (
            "message",
            "test:1",
            ("ann", "Ann"),
            {
                "message": "m1",
                "became": "refused",
                "characters": 17,
                "files": ["a.txt"],
                "why": "The house is full.",
            },
        ),
        ("refused", "test:1", ("bob", "Bob"), {"what": "command", "why": "not let in"}),
        ("command", "test:2", ("bob", "Bob"), {"command": "reset"}),
    ]
    assert [kind for kind, *_ in book[3:]] == ["limit", "configuration", "service", "permission", "permission"]
    assert {kind for kind, *_ in book} == set(KINDS)
    first, second = book.of("permission")
    assert first["options"][0] == {"id": "a", "name": "Allow", "kind": "allow_once"}
    assert (first["chosen"], book[-2][2]) == ("a", ("bob", "Bob"))
    assert (second["chosen"], second["why"], book[-1][2]) == (None, "Nobody answered.", ("", ""))


def test_what_people_write_is_kept_only_where_that_is_configured() -> None:
    configured: list[bool] = []
    for prompts in (False, True):
        book = Book()
        configured[:] = [prompts]
        audit = Audit(book, lambda: configured[0])
        audit.message(NOTE, "accepted")
        audit.command(place(), ANN, "queue", "edit 1 my secrets")
        assert ("my secrets" in json.dumps(book)) == prompts
        assert "inside" not in json.dumps(book)


def test_a_house_without_an_audit_tells_nobody() -> None:
    Audit().message(NOTE, "accepted")


def test_the_house_tells_what_is_asked_and_ordered() -> None:
    book = Book()
    with Bed(audit=Audit(book)) as bed:
        bed.ask("say hello")
        bed.command("status", by=BOB)
    assert [(kind, person[0]) for kind, _, person, _ in book] == [("message", "ann"), ("command", "bob")]
    assert book.of("message") == [{"message": "m1", "became": "accepted", "characters": 9}]


def test_every_question_is_on_record_with_its_options_and_who_decided() -> None:
    book = Book()
    with Bed(audit=Audit(book), permissions={"mode": "deny"}) as bed:
        bed.ask("ask")
    [entry] = book.of("permission")
    assert entry["asked"]
    assert len(entry["options"]) > 1
    assert entry["chosen"] in {option["id"] for option in entry["options"]}
    assert entry["why"]


def test_other_values_in_the_configuration_are_on_record_by_their_keys() -> None:
    book = Book()
    with Bed(audit=Audit(book)) as bed:
        bed.live.watch(bed.app.renewed)
        bed.live.renew(msgspec.structs.replace(bed.config, reply=ReplyConfig(footer=True)))
        bed.live.renew(bed.live.config)
    assert book.of("configuration") == [{"changed": ["reply.footer"]}]
