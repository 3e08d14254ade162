"""kinds: what bytes are, whatever they are called."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from openab_sync.media.kinds import OTHER, TEXT, kind_of, text_of
from tests.media.paint import encoded

DOT = Image.new("RGB", (2, 2), "red")


@pytest.mark.parametrize(("form", "mime"), [
    ("PNG", "image/png"), ("JPEG", "image/jpeg"), ("GIF", "image/gif"), ("WEBP", "image/webp"), ("BMP", "image/bmp"),
])  # fmt: skip
def test_pictures_are_known_by_how_they_begin(form: str, mime: str) -> None:
    kind = kind_of(encoded(DOT, form))
    assert (kind.what, kind.mime) == ("image", mime)


@pytest.mark.parametrize("data", [
    b"<!doctype html><title>Log in</title>", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"BMW is a car", b"",
    "größer".encode(), codecs.BOM_UTF8 + b"a", "naïve 🦊".encode("utf-16"), b"\x1b[31mred\x1b[0m\n",
])  # fmt: skip
def test_texts_are_texts(data: bytes) -> None:
    assert kind_of(data) == TEXT


@pytest.mark.parametrize(("data", "mime"), [
    (b"%PDF-1.7\nall of it ASCII", "application/pdf"),
    (b"PK\x03\x04 a docx", "application/zip"),
    (b"RIFF\x10\0\0\0WAVEfmt ", "audio/wav"),
    (b"RIFF\x10\0\0\0AVI LIST", OTHER.mime),
    (b"\0\0\0\x18ftypmp42", "video/mp4"),
    (b"\0\0\0\x18ftypavif", OTHER.mime),
    (b"OggS\0\x02", "audio/ogg"),
    (b"a\0b", OTHER.mime),
    ("latin é".encode("latin-1"), OTHER.mime),
    (codecs.BOM_UTF32_LE + "a".encode("utf-32-le"), OTHER.mime),
    (codecs.BOM_UTF16_LE + b"a", OTHER.mime),
])  # fmt: skip
def test_everything_else_is_something_else(data: bytes, mime: str) -> None:
    kind = kind_of(data)
    assert (kind.what, kind.mime) == ("other", mime)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff")))
def test_a_text_comes_out_as_it_was_written(encoding: str, text: str) -> None:
    assert text_of(text.encode(encoding)) == text


@given(st.binary())
def test_any_bytes_are_something(data: bytes) -> None:
    assert (kind_of(data) == TEXT) <= (text_of(data) is not None)
