"""What can be saved of values that do not fit, and what is too deep, too long or no text at all."""

from __future__ import annotations

import pytest
from msgspec import Raw

from openab_sync.acp.salvage import Loss, clean, fit, parse, parse_raw
from openab_sync.acp.wire import decode


def test_integral_floats_are_integers_where_those_are_wanted() -> None:
    losses: list[Loss] = []
    assert fit(1.0, int, losses) == 1
    assert fit([1.0, 2.5, "3"], list[int], losses) == [1]
    assert len(losses) == 2


def test_what_lies_too_deep_becomes_null_and_the_rest_stays() -> None:
    deep = b"[" * 3000 + b'"}]{["' + b"]" * 3000
    value = parse(b'{"a":"x]","deep":' + deep + b',"b":{"c":[1,{}]}}')
    assert isinstance(value, dict)
    assert (value["a"], value["b"]) == ("x]", {"c": [1, {}]})
    level: object = value["deep"]
    while isinstance(level, list):
        (level,) = level
    assert level is None


@pytest.mark.parametrize("bad", [b'"' + b'\\"' * 400_000, b"[" * 500_000 + b'"', b'["' + b"\\" * 99_999])
def test_endless_strings_and_brackets_are_refused_in_linear_time(bad: bytes) -> None:
    assert decode(bad + b"\n") != []
    assert parse_raw(Raw(bad)) is None


def test_raw_members_that_are_absent_are_nothing() -> None:
    assert parse_raw(Raw()) is None
    assert parse_raw(Raw(b"null")) is None
    assert parse_raw(Raw(b'{"a": NaN}')) == {"a": None}


def test_cleaning_reaches_keys_and_items_and_ends_somewhere() -> None:
    assert clean({"\ud83d": ("\udc00", 1.5, float("inf"))}) == {"\ufffd": ["\ufffd", 1.5, None]}
    value: object = 1
    for _ in range(500):
        value = {"x": [value]}
    assert str(clean(value)).count("{") <= 51
