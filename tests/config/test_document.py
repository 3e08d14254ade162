"""A document: what is not TOML, where errors point, and what is never shown."""

from __future__ import annotations

import datetime as dt

import pytest

from openab_sync.config.document import dotted, parse, shown
from openab_sync.errors import ConfigError


def problem(raw: bytes) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse("c.toml", raw)
    return caught.value


def test_a_byte_order_mark_is_no_fault() -> None:
    assert parse("c.toml", b"\xef\xbb\xbfa = 1").data == {"a": 1}


def test_what_is_not_utf_8_is_named_with_its_line() -> None:
    assert str(problem(b"a = 1\nb = '\xff'")) == "c.toml:2: is not UTF-8 text"


def test_a_syntax_error_is_named_with_its_line() -> None:
    error = problem(b"a = 1\nb = \n")
    assert (error.file, error.line) == ("c.toml", 2)
    assert str(error).startswith("c.toml:2: is not TOML: ")


def test_a_syntax_error_at_the_end_has_no_line_but_its_words() -> None:
    assert "at end of document" in str(problem(b'a = "'))


def test_a_variable_without_quotes_is_explained() -> None:
    assert problem(b"[pool]\nmax_sessions = ${N}\n").hint == 'variables stand in strings: key = "${NAME}"'


def test_nesting_without_end_is_one_sentence() -> None:
    assert str(problem(b"a = " + b"[" * 100_000)) == "c.toml: is nested too deeply"


def test_a_number_of_too_many_digits_is_one_sentence() -> None:
    assert "is not TOML" in str(problem(b"a = " + b"9" * 5000))


def test_an_error_points_to_the_nearest_line_that_is_known() -> None:
    document = parse("c.toml", b"[a]\nb = [1]\n")
    assert document.error(("a", "b", 0), "x").line == 2
    assert document.error(("a", "missing"), "x").line == 1
    assert str(document.error(("z",), "x", "y")) == "c.toml: z: x (y)"


def test_paths_are_written_as_people_write_them() -> None:
    assert dotted(("agent", "mcp_servers", 0, "name")) == "agent.mcp_servers[0].name"
    assert dotted(("agent", "env", "two words")) == 'agent.env."two words"'
    assert dotted(()) == ""


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "true"),
        ("ten", '"ten"'),
        ("x" * 100, '"' + "x" * 59 + '…"'),
        (10, "10"),
        (1.5, "1.5"),
        pytest.param(16**5000, "a very large number", id="very-large"),
        ({}, "a table"),
        ([], "an array"),
        (dt.date(2026, 1, 1), "a date or time"),
    ],
)
def test_values_are_shown_in_a_few_words(value: object, words: str) -> None:
    assert shown(value, ("pool", "max_sessions")) == words


@pytest.mark.parametrize(
    "path",
    [("agent", "env", "X"), ("agent", "mcp_servers", 0, "headers", "A"), ("discord", "bot_token"), ("stt", "api_key")],
)
def test_a_secret_is_shown_only_as_the_kind_of_value_it_is(path: tuple[str | int, ...]) -> None:
    assert shown("hunter2", path) == "a string"
    assert shown(4711, path) == "a number"


def test_a_number_of_tokens_is_no_secret() -> None:
    assert shown(0, ("pool", "max_batch_tokens")) == "0"
