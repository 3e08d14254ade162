"""outgoing: what is uploaded is called what it is."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from openab_sync.media.outgoing import outgoing
from tests.media.paint import bomb, encoded

DOT = Image.new("RGB", (2, 2), "red")
PNG, JPEG, GIF = (encoded(DOT, form) for form in ("PNG", "JPEG", "GIF"))
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


@pytest.mark.parametrize(("name", "data", "mime", "expected"), [
    # Pictures.
    ("a.png", PNG, "image/png", "a.png"),
    ("a.jpeg", JPEG, "image/jpeg", "a.jpeg"),
    ("chart", PNG, "image/png", "chart.png"),
    ("a.jpg", PNG, "image/jpeg", "a.png"),
    ("page.html", GIF, "text/html", "page.gif"),
    ("v1.2", PNG, "", "v1.2.png"),
    # What only says that it is one.
    ("a.png", PNG[:40], "image/png", "a.png.bin"),
    ("a.png", bomb(30_000, 30_000), "image/png", "a.png.bin"),
    ("a.png", b"\0\1\2", "image/png", "a.png.bin"),
    ("image", b"\0\1\2", "image/png", "image.bin"),
    ("a.png", b"plain words", "image/png", "a.png.txt"),
    # What a browser would run.
    ("logo.svg", SVG, "image/svg+xml", "logo.svg.txt"),
    ("logo", SVG, "image/svg+xml", "logo.txt"),
    ("logo.png", SVG, "image/png", "logo.png.txt"),
    ("page.HTML", b"<html>", "text/html", "page.HTML.txt"),
    ("page", b"<html>", "text/html", "page.txt"),
    ("page.html", b"\0<html>", "text/html", "page.html.bin"),
    # Texts and others.
    ("answer.md", b"# Hi", "text/markdown", "answer.md"),
    ("main.py", b"x = 1", "", "main.py"),
    ("notes", b"a,b", "text/csv; charset=utf-8", "notes.csv"),
    ("notes", b"words", "", "notes.txt"),
    ("", b"words", "text/plain", "file.txt"),
    ("../../.ssh/id", b"words", "", "id.txt"),
    ("a.zip", b"PK\3\4", "application/zip", "a.zip"),
    ("a.docx", b"PK\3\4", "", "a.docx"),
    ("a", b"PK\3\4", "", "a"),
    ("report", b"%PDF-1.7", "", "report.pdf"),
    ("sound", b"OggS\0", "audio/ogg", "sound.ogg"),
    ("sound.opus", b"OggS\0", "audio/ogg", "sound.opus"),
    ("sound.wav", b"OggS\0", "audio/wav", "sound.wav.ogg"),
    ("data", b"\0\1", "application/wasm", "data.wasm"),
    ("data", b"\0\1", "", "data.bin"),
    ("data.npy", b"\0\1", "", "data.npy"),
])  # fmt: skip
def test_a_file_gets_the_name_of_what_it_is(name: str, data: bytes, mime: str, expected: str) -> None:
    assert outgoing(name, data, mime) == (expected, data)


@given(
    st.text(max_size=40) | st.sampled_from(["a.png", "b.svg", "c.html", "x" * 200 + ".jpg"]),
    st.binary(max_size=40) | st.sampled_from([PNG, JPEG, SVG]),
    st.text(max_size=20) | st.sampled_from(["image/png", "image/svg+xml", "text/html"]),
)
@example("0.PNG", b"PK\x03\x04", "")
def test_only_pictures_are_called_pictures_and_nothing_is_run(name: str, data: bytes, mime: str) -> None:
    called, sent = outgoing(name, data, mime)
    assert sent == data
    assert 0 < len(called.encode()) <= 120
    suffix = called.rpartition(".")[2].lower() if "." in called else ""
    assert suffix not in {"svg", "html", "htm", "xhtml", "xml"}
    assert suffix not in {"png", "jpg", "jpeg", "gif", "webp"} or data in {PNG, JPEG}
