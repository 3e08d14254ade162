from __future__ import annotations

import base64
import resource
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from openab_sync.core.events import Media
from openab_sync.core.port import File
from openab_sync.platforms.console import files
from openab_sync.platforms.console.files import Album, attachment

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


# What an agent draws.

DRAWN = Media("image", "image/png", data=base64.b64encode(PNG).decode())


def test_a_picture_is_kept_where_the_agent_works_and_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "image-1.png").write_bytes(b"mine")
    album = Album(tmp_path)
    kept = [album.keep(DRAWN), album.keep(DRAWN), album.keep(Media("audio", "audio/mpeg", data="AAAA"))]
    assert [Path(media.uri).name for media in kept] == ["image-2.png", "image-3.png", "audio-1.mp3"]
    assert {Path(media.uri).parent for media in kept} == {tmp_path}
    assert (tmp_path / "image-2.png").read_bytes() == PNG
    assert (tmp_path / "image-1.png").read_bytes() == b"mine"
    assert kept[0].data == DRAWN.data


def test_a_name_that_the_agent_chose_is_not_used(tmp_path: Path) -> None:
    kept = Album(tmp_path).keep(replace(DRAWN, uri="file:///x/conftest.py"))
    assert kept.uri == str(tmp_path / "image-1.png")


@pytest.mark.parametrize(
    "media",
    [
        Media("image", "image/png", data="not base64!"),
        Media("image", "image/png", uri="https://example.org/a.png"),
        Media("resource", "text/x-python", data="AAAA", uri="file:///conftest.py"),
        Media("resource", text="text"),
    ],
)
def test_what_is_no_picture_or_sound_is_not_kept(tmp_path: Path, media: Media) -> None:
    assert Album(tmp_path).keep(media) == media
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_written_it_is_kept_among_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    assert Album(tmp_path / "gone").keep(DRAWN).uri == str(tmp_path / "image-1.png")
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path / "gone, too"))
    assert Album(tmp_path / "gone").keep(DRAWN) == DRAWN


def test_a_full_disk_leaves_no_half_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(PNG) - 1, before[1]))
    try:
        kept = Album(tmp_path).keep(DRAWN)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert kept == DRAWN
    assert list(tmp_path.iterdir()) == []


def test_a_picture_does_not_go_where_a_link_leads(tmp_path: Path) -> None:
    (tmp_path / "image-1.png").symlink_to(tmp_path / "elsewhere")
    assert Album(tmp_path).keep(DRAWN).uri == str(tmp_path / "image-2.png")


def test_an_agent_does_not_fill_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "SAVED_AT_MOST", 2)
    monkeypatch.setattr(files, "NAMES", 3)
    album = Album(tmp_path)
    assert [bool(album.keep(DRAWN).uri) for _ in range(3)] == [True, True, False]
    assert files._saved(tmp_path, File("image.png", b"x")) == tmp_path / "image-3.png"
    assert files._saved(tmp_path, File("image.png", b"x")) is None
