"""Bytes to messages: complete lines, whatever the cuts, and nothing that raises but a line beyond the limit."""

from __future__ import annotations

import json
import time
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openab_sync.acp.events import Noise
from openab_sync.acp.schema import AgentChunk, Frame, Invalid, TextContent
from openab_sync.acp.wire import Item, LineBuffer, decode, encode
from openab_sync.errors import AgentProtocolError
from tests.acp.talk import chunk, line


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(ends)]


def noises(items: list[Item]) -> list[str]:
    return [item.what for item in items if isinstance(item, Noise)]


def frames(items: list[Item]) -> list[Frame]:
    return [item for item in items if isinstance(item, Frame)]


# The buffer.


@given(st.binary(), st.lists(st.integers(0)))
def test_all_complete_lines_come_out_whatever_the_cuts(data: bytes, places: list[int]) -> None:
    buffer = LineBuffer()
    blocks = [buffer.feed(piece) for piece in cut(data, places)]
    assert b"".join(blocks) == data[: data.rfind(b"\n") + 1]
    assert all(block.endswith(b"\n") for block in blocks if block)


@given(st.lists(st.integers(0, 30)), st.lists(st.integers(0)))
def test_the_limit_holds_for_lines_and_not_for_reads(lengths: list[int], places: list[int]) -> None:
    data = b"".join(b"x" * length + b"\n" for length in lengths)
    buffer = LineBuffer(limit=20)
    pieces = cut(data, places)
    if max(lengths, default=0) > 20:
        with pytest.raises(AgentProtocolError, match="20 bytes"):
            b"".join(buffer.feed(piece) for piece in pieces)
    else:
        assert b"".join(buffer.feed(piece) for piece in pieces) == data


def test_a_line_that_is_too_long_ends_it_for_good() -> None:
    buffer = LineBuffer(limit=8)
    assert buffer.feed(b"12345678") == b""
    with pytest.raises(AgentProtocolError, match="more than 8 bytes"):
        buffer.feed(b"9")
    with pytest.raises(AgentProtocolError, match="more than 8 bytes"):
        buffer.feed(b"\n{}\n")
    assert repr(buffer) == "<LineBuffer 8 of 8 bytes, too long>"


def test_a_line_of_64_mib_in_small_pieces_takes_linear_time() -> None:
    buffer, piece = LineBuffer(), b"x" * 65536
    began = time.process_time()
    for _ in range(1023):
        assert buffer.feed(piece) == b""
    assert len(buffer.feed(b"x" * 65535 + b"\n")) == 64 * 1024 * 1024
    assert time.process_time() - began < 2  # quadratic would be minutes


# Decoding.


def test_a_block_of_good_lines_is_typed() -> None:
    items = decode(line(chunk("a")) + line({"id": 1, "result": {"x": 1}}) + b'{"method":"m","id":null}\r\n')
    first, second, third = frames(items)
    assert first.params is not None
    assert isinstance(first.params.update, AgentChunk)
    assert isinstance(first.params.update.content, TextContent)
    assert first.params.update.content.text == "a"
    assert bytes(second.result) == b'{"x": 1}'
    assert third.id is None


@pytest.mark.parametrize(
    ("bad", "what"),
    [
        (b"", "blank line"),
        (b"\r", "blank line"),
        (b"\xef\xbb\xbf", "blank line"),
        (b"Welcome to agent 1.0!", "not JSON"),
        (b'{"id":1,', "not JSON"),
        (b'{"id":1}{"id":2}', "not JSON"),
        (b"3", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"[" * 100_000, "nested too deeply, and never closed"),
        (b"[" * (1 << 20) + b"\x00", "nested too deeply"),
        (b"9" * 5000, "not a JSON object"),
        (b'{"id":[1],"result":1}', "an id that is no number or string"),
    ],
    ids=repr,
)
def test_a_bad_line_costs_one_noise_and_the_lines_around_it_nothing(bad: bytes, what: str) -> None:
    items = decode(line({"id": 1}) + bad + b"\n" + line({"id": 2}))
    assert noises(items) == [what]
    assert [frame.id for frame in frames(items)] == [1, 2]


@pytest.mark.parametrize(
    ("bad", "echoed"),
    [
        (b'[{"id":1,"method":"m"}]', None),
        (b'{"id":7,"method":5}', 7),
        (b'{"id":"x","method":["m"]}', "x"),
        (b'{"id":[7],"method":5}', None),
        (b'{"id":true,"method":"m"}', None),
        (b'{"id":{},"method":"m"}', None),
    ],
)
def test_what_wants_an_answer_and_is_no_request_is_invalid(bad: bytes, echoed: object) -> None:
    (item,) = decode(bad + b"\n")
    assert isinstance(item, Invalid)
    assert item.id == echoed


@pytest.mark.parametrize(
    "odd",
    [
        b'\xef\xbb\xbf{"id":1,"method":"m"}',
        b' {"id":1,"method":"m"}\r',
        b'{"id":1,"method":"m","x":NaN,"y":-Infinity,"z":1e999}',
        b'{"id":1,"method":"m","x":' + b"8" * 6000 + b"}",
        b'{"id":1,"method":"m","params":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"id":1,"method":"m","x":"\xff\xfe"}',
        b'{"id":1,"method":"m","x":"\\ud83d"}',
        b'{"id":1,"method":"m","x":"tab\tin it"}',
        b'{"id":1,"method":"m","params":[1,2]}',
        b'{"id":1,"method":"m","params":{"update":"mine"}}',
        b'{"id":1,"method":"m","params":{"sessionId":9}}',
    ],
    ids=lambda odd: repr(odd[:40]),
)
def test_an_odd_request_can_still_be_answered(odd: bytes) -> None:
    (item,) = decode(odd + b"\n")
    assert isinstance(item, Frame)
    assert (item.id, item.method) == (1, "m")


def test_separators_that_only_python_takes_for_line_ends_stay_in_the_text() -> None:
    raw = "a\u2028b\u2029c\u0085d\x0be"
    block = json.dumps(chunk(raw), ensure_ascii=False).encode() + b"\n"
    (item,) = decode(block)
    assert isinstance(item, Frame)
    assert item.params is not None
    assert item.params.update == AgentChunk(TextContent(raw))


def test_lines_around_garbage_are_taken_one_by_one() -> None:
    items = decode(b'{"id":1}\n\n{"id":2}\n' + b"x" * 5000 + b"\n")
    assert [frame.id for frame in frames(items)] == [1, 2]
    assert noises(items) == ["blank line", "not JSON"]


def test_a_blank_line_between_long_ones_is_noticed_too() -> None:
    items = decode(line({"id": 1, "x": "y" * 5000}) + b"\n" + line({"id": 2, "x": "y" * 5000}))
    assert [frame.id for frame in frames(items)] == [1, 2]
    assert noises(items) == ["blank line"]
    assert len(decode(line({"id": 1, "x": "y" * 5000}) * 3)) == 3


@pytest.mark.parametrize("nothing", [b"", b"\r", b" \t"])
def test_a_blank_line_does_not_hide_behind_two_values_in_one(nothing: bytes) -> None:
    """As many values as lines, and still not one in each."""
    items = decode(nothing + b"\n" + line({"id": 1})[:-1] + line({"id": 2}) + line({"id": 3}))
    assert noises(items) == ["blank line", "not JSON"]
    assert [frame.id for frame in frames(items)] == [3]


def test_a_value_over_two_lines_does_not_hide_behind_two_values_in_one() -> None:
    items = decode(b'{"id":\n1}\n{"id":2}{"id":3}\n{"id":4}\n')
    assert noises(items) == ["not JSON"] * 3
    assert [frame.id for frame in frames(items)] == [4]


PIECES = [b'{"id":1}', b"{", b"}", b"\n", b" ", b"\r", b'{"id":\n2}', b"7", b'"a\nb"']


@given(st.lists(st.sampled_from(PIECES), max_size=9))
def test_a_block_is_understood_as_its_lines_are_alone(pieces: list[bytes]) -> None:
    block = b"".join(pieces) + b"\n"
    alone = [item for one in block.split(b"\n")[:-1] for item in decode(one + b"\n")]
    assert list(map(told, decode(block))) == list(map(told, alone))


def told(item: Item) -> object:
    return item.what if isinstance(item, Noise) else item.id if isinstance(item, Frame | Invalid) else item


@given(st.lists(st.binary().map(lambda data: data.replace(b"\n", b"")), max_size=5))
@example([b'"\\ud800', b'{"method":"session/update","params":{"update":{"sessionUpdate":"\xed\xa0\x80"}}}'])
def test_no_garbage_raises_or_hides_a_good_line(garbage: list[bytes]) -> None:
    good = line({"id": 7, "method": "good"})
    items = decode(b"".join(bad + b"\n" + good for bad in garbage))
    kept = [frame for frame in frames(items) if frame.method == "good"]
    assert len(kept) == len(garbage)


# Encoding.

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec=None)), inner, max_size=4),
    max_leaves=10,
)


@given(json_values)
@example("\ud83d")
@example({"\udc00": 2**80, "n": float("nan")})
@example(("\ud83d", 1))
def test_anything_becomes_one_line_of_json(value: object) -> None:
    data = encode(value)
    assert data.endswith(b"\n")
    assert data.count(b"\n") == 1
    json.loads(data, parse_constant=pytest.fail)


def test_a_lone_surrogate_is_replaced_when_written() -> None:
    assert json.loads(encode({"a": "x\ud83dy", "b": "\U0001f600"})) == {"a": "x\ufffdy", "b": "\U0001f600"}
