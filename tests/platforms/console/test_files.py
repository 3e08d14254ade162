from __future__ import annotations

import base64
from pathlib import Path

import pytest

from openab_sync.platforms.console import files
from openab_sync.platforms.console.files import attachment

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0" + bytes(20), "image/jpeg"),
        (b"GIF89a" + bytes(20), "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
    ],
)
def test_a_picture_is_known_by_its_bytes(tmp_path: Path, data: bytes, mime: str) -> None:
    file = tmp_path / "named.txt"
    file.write_bytes(data)
    got = attachment(file)
    assert (got.kind, got.mime, got.name, got.size) == ("image", mime, "named.txt", len(data))
    assert base64.b64decode(got.data) == data


def test_text_goes_inline_without_its_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"\xef\xbb\xbf" + "größer 表\n".encode())
    got = attachment(file)
    assert (got.kind, got.text, got.mime) == ("text", "größer 表\n", "text/plain")


def test_an_empty_file_is_an_empty_text(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert (attachment(tmp_path / "empty").kind, attachment(tmp_path / "empty").text) == ("text", "")


@pytest.mark.parametrize("data", [b"\x00\x01", b"\xff\xfe\xfd not utf-8", b"x" * (files.TEXT_AT_MOST + 1)])
def test_everything_else_is_named_by_its_path(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "blob"
    file.write_bytes(data)
    got = attachment(file)
    assert (got.kind, got.path, got.size, got.data, got.text) == ("file", str(file), len(data), "", "")


def test_a_picture_that_is_too_large_is_named_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "IMAGE_AT_MOST", 20)
    (tmp_path / "big.png").write_bytes(PNG)
    got = attachment(tmp_path / "big.png")
    assert (got.kind, got.mime) == ("file", "image/png")


def test_the_path_is_absolute_whatever_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("blob").write_bytes(b"\0")
    assert attachment(Path("blob")).path == str(tmp_path / "blob")


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        attachment(tmp_path / "nothing")
