"""files.py: files against what a platform takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.core.files import parts, size_text
from openab_sync.core.port import File


def test_a_file_that_fits_goes_as_it_is() -> None:
    file = File("answer.md", b"12345")
    assert list(parts(file, 5)) == list(parts(file, 0)) == [file]


def test_a_longer_text_goes_in_parts_cut_at_lines() -> None:
    file = File("answer.md", b"12\n345\n6789012", "text/markdown")
    cut = [(part.name, part.data) for part in parts(file, 6)]
    assert cut == [
        ("answer-1.md", b"12\n"),
        ("answer-2.md", b"345\n"),
        ("answer-3.md", b"678901"),
        ("answer-4.md", b"2"),
    ]


@given(st.binary(max_size=60), st.integers(1, 20))
def test_nothing_is_lost_between_the_parts(data: bytes, most: int) -> None:
    found = list(parts(File("a.txt", data), most))
    assert b"".join(part.data for part in found) == data
    assert all(len(part.data) <= most for part in found)


@pytest.mark.parametrize(
    ("size", "text"), [(7, "7 bytes"), (2048, "2.0 KiB"), (10 * 1024 * 1024 + 600_000, "10.6 MiB")]
)
def test_sizes_are_told_as_people_read_them(size: int, text: str) -> None:
    assert size_text(size) == text
