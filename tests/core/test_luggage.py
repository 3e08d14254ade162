"""Pictures and texts that wait in the inbox come into the prompt when the turn begins."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import pytest

from openab_sync.core.luggage import unpacked
from openab_sync.core.message import Attachment
from openab_sync.media.inline import FILE_BYTES
from tests.core.makers import note
from tests.media.paint import encoded, quarters

PNG = encoded(quarters(24, 16), "PNG")


def packed(path: Path) -> Attachment:
    return Attachment("image", "a.png", "image/png", path=str(path), size=len(PNG))


def test_a_picture_is_read_when_it_is_needed(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "t.txt").write_bytes("\ufeffwörter".encode())
    waits = Attachment("text", "t.txt", "text/plain", path=str(tmp_path / "t.txt"), size=10)
    text, file = Attachment("text", "b.py", text="x"), Attachment("file", "c.pdf", path="/c.pdf")
    one = replace(note("m"), attachments=(packed(tmp_path / "a.png"), waits, text, file))
    (whole, plain), lost = unpacked([one, note("n")])
    assert lost == []
    assert whole.attachments == (
        Attachment("image", "a.png", "image/png", data=base64.b64encode(PNG).decode(), size=len(PNG)),
        replace(waits, text="wörter", path=""),
        text,
        file,
    )
    assert plain == note("n")


@pytest.mark.parametrize("now", [None, b"#!/bin/sh"], ids=["gone", "another"])
def test_a_picture_that_is_not_there_any_more_is_told(tmp_path: Path, now: bytes | None) -> None:
    if now is not None:
        (tmp_path / "a.png").write_bytes(now)
    (whole,), lost = unpacked([replace(note("m"), attachments=(packed(tmp_path / "a.png"),))])
    assert whole.attachments == ()
    assert lost == ["`a.png` is not there any more: please send it again."]


@pytest.mark.parametrize("now", [None, b"\0\xff", b"x" * (FILE_BYTES + 1)], ids=["gone", "no text", "too long"])
def test_a_text_that_is_not_there_any_more_is_told(tmp_path: Path, now: bytes | None) -> None:
    if now is not None:
        (tmp_path / "t.txt").write_bytes(now)
    waits = Attachment("text", "t.txt", "text/plain", path=str(tmp_path / "t.txt"), size=10)
    (whole,), lost = unpacked([replace(note("m"), attachments=(waits,))])
    assert (whole.attachments, lost) == ((), ["`t.txt` is not there any more: please send it again."])
