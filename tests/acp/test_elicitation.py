"""What agents ask to be told: read, refused where it cannot be served, and the answers checked."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.acp.elicitation import accept, checked, completed, read
from openab_sync.acp.events import Choice, Elicited, Field

BOTH = ("form", "url")


def form(**properties: Any) -> dict[str, object]:
    return {"mode": "form", "message": "Tell me", "requestedSchema": {"type": "object", "properties": properties}}


def field(schema: dict[str, object]) -> Field:
    [found] = read(1, form(x=schema), BOTH).fields
    return found


def test_a_form_is_read_field_by_field() -> None:
    schema: dict[str, object] = {
        "properties": {
            "name": {"type": "string", "title": "Your name", "description": "As in your passport", "minLength": 2},
            "size": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
            "sure": {"type": "boolean", "default": True},
        },
        "required": ["name", 7],
    }
    asked = read("id", {"mode": "form", "message": "Hi", "requestedSchema": schema}, BOTH)
    assert (asked.request_id, asked.mode, asked.message, asked.url) == ("id", "form", "Hi", "")
    assert asked.fields == (
        Field("name", "text", "Your name", "As in your passport", is_required=True, least=2.0),
        Field("size", "integer", "size", default=("3",), least=1.0, most=9.0),
        Field("sure", "boolean", "sure", default=("yes",)),
    )


@pytest.mark.parametrize(
    ("schema", "kind", "choices"),
    [
        ({"type": "string", "enum": ["a", 1, "b"]}, "choice", (Choice("a", "a"), Choice("b", "b"))),
        (
            {"type": "string", "oneOf": [{"const": "a", "title": "A", "description": "x"}, {"title": "no"}]},
            "choice",
            (Choice("a", "A", "x"),),
        ),
        ({"type": "array", "items": {"type": "string", "enum": ["a"]}}, "choices", (Choice("a", "a"),)),
        ({"type": "array", "items": {"anyOf": [{"const": "a", "title": "A"}]}}, "choices", (Choice("a", "A"),)),
    ],
)
def test_choices_come_in_four_shapes(schema: dict[str, object], kind: str, choices: tuple[Choice, ...]) -> None:
    assert (field(schema).kind, field(schema).choices) == (kind, choices)


@pytest.mark.parametrize(
    "params",
    [
        {"mode": "dance"},
        {},
        {"mode": 7},
        {"mode": "form"},
        {"mode": "form", "requestedSchema": {"properties": []}},
        form(x={"type": "object"}),
        form(x="string"),
        form(x={"type": "array", "items": {"type": "string"}}),
        form(**{f"f{n}": {"type": "string"} for n in range(51)}),
        {"mode": "url", "url": "https://x.org"},
        {"mode": "url", "elicitationId": "e"},
        *(
            {"mode": "url", "elicitationId": "e", "url": url}
            for url in (
                "javascript:alert(1)", "https://", "file:///etc/passwd", "https://a b", "https://user:pw@x.org",
                "https://x.org/`", "https://ex\u0430mple.org", "https://[x", "https://x.org/" + "a" * 3000,
            )
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_served_is_refused_with_a_reason(params: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read(1, params, BOTH)


def test_a_mode_that_was_not_offered_is_refused() -> None:
    with pytest.raises(ValueError, match="not offered"):
        read(1, form(), ("url",))


def test_an_address_is_read_as_it_is() -> None:
    params = {"mode": "url", "elicitationId": "e1", "url": "https://x.org/login?a=1", "message": 7}
    assert read(1, params, BOTH) == Elicited(1, "url", "", (), "https://x.org/login?a=1", "e1")
    assert completed(params) == "e1" and completed({}) == completed({"elicitationId": 7}) == ""


@pytest.mark.parametrize(
    ("schema", "given", "value"),
    [
        ({"type": "string"}, (" as it is ",), " as it is "),
        ({"type": "integer"}, (" 7 ",), 7),
        ({"type": "number"}, ("1.5",), 1.5),
        ({"type": "boolean"}, ("No",), False),
        ({"type": "string", "oneOf": [{"const": "a", "title": "Alpha"}]}, ("alpha",), "a"),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, ("b", "a", "b"), ["b", "a"]),
        ({"type": "integer"}, (), None),
        ({"type": "string"}, ("  ",), None),
    ],
)
def test_what_was_typed_becomes_what_the_agent_gets(
    schema: dict[str, object], given: tuple[str, ...], value: object
) -> None:
    assert checked(field(schema), given) == value


@pytest.mark.parametrize(
    ("schema", "given", "words"),
    [
        ({"type": "string", "minLength": 3, "maxLength": 5}, ("ab",), "3 to 5 characters"),
        ({"type": "integer"}, ("1.5",), "a whole number"),
        ({"type": "number"}, ("nan",), "a number"),
        ({"type": "number", "minimum": 2}, ("1",), "at least 2"),
        ({"type": "number", "maximum": 2}, ("3",), "at most 2"),
        ({"type": "boolean"}, ("maybe",), "yes or no"),
        ({"type": "string", "enum": ["a"]}, ("b",), "no choice b"),
        ({"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 1}, ("a", "b"), "at most 1 choices"),
    ],
)
def test_what_does_not_fit_is_said_in_a_sentence(schema: dict[str, object], given: tuple[str, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        checked(field(schema), given)


def test_what_is_needed_is_asked_for() -> None:
    with pytest.raises(ValueError, match="x is needed"):
        checked(Field("x", "text", "x", is_required=True), ())


def test_an_answer_has_content_where_there_was_something_to_fill_in() -> None:
    assert accept({}) == {"action": "accept", "content": {}} and accept(None) == {"action": "accept"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["type", "enum", "oneOf", "items", "anyOf", "const", "title", "default", "minimum", "x"]), inner, max_size=4),
    max_leaves=15,
)  # fmt: skip


@given(json_values, st.lists(st.text(max_size=9), max_size=3))
def test_no_schema_breaks_the_reading_and_no_answer_the_checking(part: Any, given: list[str]) -> None:
    try:
        fields = read(1, form(x=part), BOTH).fields
    except ValueError:
        return
    for one in fields:
        with contextlib.suppress(ValueError):
            assert checked(one, tuple(given)) is None or given
