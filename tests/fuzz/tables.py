"""Tables in a text: first byte: the mode, second: the size of the pieces, the rest: the text."""

from __future__ import annotations

from openab_sync.text.split import split
from openab_sync.text.tables import Mode, TableStream, convert

__all__ = ["one_input"]

MODES: tuple[Mode, ...] = ("code", "bullets", "off")
PAGE = 200


def one_input(data: bytes) -> None:
    """The pieces do not matter, looking changes nothing, lines without a bar stay, and pages can be made of it."""
    mode, size = MODES[sum(data[:1]) % len(MODES)], 1 + sum(data[1:2])
    text = data[2:].decode("utf-8", "replace")
    drawn = convert(text, mode)
    _check_pieces(text, mode, size, drawn)
    if mode == "off" or "|" not in text:
        assert drawn == text
    rest = iter(drawn.split("\n"))
    assert all(line in rest for line in text.split("\n") if line and "|" not in line)  # in this order
    assert all(len(page) <= PAGE for page in split(drawn, PAGE))


def _check_pieces(text: str, mode: Mode, size: int, drawn: str) -> None:
    stream, done = TableStream(mode), ""
    for at in range(0, len(text), size):
        done += stream.feed(text[at : at + size])
        assert drawn.startswith(done)
        assert stream.tail() == stream.tail()
    assert done + stream.tail() == done + stream.flush() == drawn
    assert stream.flush() == ""
