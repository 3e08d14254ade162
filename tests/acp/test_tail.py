"""The last words of an agent."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from openab_sync.acp.tail import KEPT_BYTES, SHOWN_CHARACTERS, SHOWN_LINES, StderrTail
from openab_sync.text.redact import Redactor

SECRET = "hunter2-hunter2-hunter2"


def tail_of(*pieces: bytes) -> str:
    tail = StderrTail(Redactor([SECRET]))
    for piece in pieces:
        tail.feed(piece)
    return tail.text()


def test_the_last_lines_are_kept_and_a_partial_one_too() -> None:
    lines = [f"line {number}" for number in range(200)]
    assert tail_of("\n".join(lines).encode()) == "\n".join(lines[-SHOWN_LINES:])
    assert tail_of(b"one\ntwo\nthr") == "one\ntwo\nthr"
    assert tail_of() == ""


def test_colours_progress_bars_and_bad_bytes_are_cleaned() -> None:
    assert (
        tail_of(b"\x1b[31mred\x1b[0m\x07\r\n", b"10%\r20%\r", b"caf\xc3", b"\xa9 \xff\n")
        == "red\n10%\n20%\ncafé \ufffd"
    )


def test_a_secret_is_redacted_before_anything_is_cut() -> None:
    """FIELD B5: cutting first would leave half a secret, which no pattern knows any more."""
    shown = tail_of(b"x" * 10, SECRET.encode(), b"y" * (SHOWN_CHARACTERS - 8))
    assert len(shown) == SHOWN_CHARACTERS
    assert "hunter2" not in shown


def test_a_secret_in_two_reads_is_still_one_secret() -> None:
    shown = tail_of(b"token: ", SECRET[:9].encode(), SECRET[9:].encode(), b" end")
    assert "hunter2" not in shown
    assert shown.startswith("token: ")
    assert shown.endswith(" end")


def test_a_flood_costs_bounded_memory_and_leaks_no_half_of_a_secret() -> None:
    """Where the flood was cut the rest of a secret may stand first: it is not shown."""
    tail = StderrTail(Redactor([SECRET]))
    rest = 2 * KEPT_BYTES - KEPT_BYTES + 1  # bytes to follow so that the cut falls into the secret
    tail.feed(b"a" * (2 * KEPT_BYTES - rest - 10) + SECRET.encode() + b"\n" + b"z\n" * (rest // 2))
    shown = tail.text()
    assert "hunter2" not in shown
    assert set(shown) == {"z", "\n"}
    for _ in range(50):
        tail.feed(b"w\n" * 10_000)
        assert len(tail._raw) <= 2 * KEPT_BYTES
    assert tail.text() == "\n".join("w" * SHOWN_LINES)
    assert repr(tail).startswith("<StderrTail ")


@given(st.lists(st.binary(max_size=40)))
def test_any_bytes_in_any_pieces_give_the_same_clean_text(pieces: list[bytes]) -> None:
    shown = tail_of(*pieces)
    assert shown == tail_of(b"".join(pieces))
    assert len(shown) <= SHOWN_CHARACTERS
    assert shown.count("\n") < SHOWN_LINES
    assert not any(character < " " and character not in "\n\t" for character in shown)
