"""arrivals: a picture, a text or a file; nothing is lost, and what surprises is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from openab_sync.errors import FileRefused
from openab_sync.media import arrivals, images
from openab_sync.media.arrivals import Arrival, settle
from openab_sync.media.inbox import Caps, Draft
from openab_sync.media.inline import FILE_BYTES, Budget
from tests.media.paint import animated, bomb, encoded, gradient, opened, quarters

PNG = encoded(quarters(24, 16), "PNG")
PAGE = b"<!doctype html><title>Log in</title>"


def test_a_picture_is_kept_until_its_message_has_been_answered(tmp_path: Path) -> None:
    expected = Arrival("image", "a.png", "image/png", len(PNG), path=str(tmp_path / "a.png"))
    assert arrived(tmp_path, "a.png", PNG) == expected
    assert (tmp_path / "a.png").read_bytes() == PNG
    assert left(tmp_path) == ["a.png"]


def test_a_picture_is_one_whatever_it_is_called(tmp_path: Path) -> None:
    found = arrived(tmp_path, "notes.txt", PNG)
    assert (found.kind, found.mime, found.note) == ("image", "image/png", "")


def test_a_text_goes_into_the_prompt_and_is_kept_until_then(tmp_path: Path) -> None:
    path = str(tmp_path / "a.py")
    assert arrived(tmp_path, "a.py", b"x = 1\n") == Arrival("text", "a.py", "text/plain", 6, text="x = 1\n", path=path)
    assert left(tmp_path) == ["a.py"]


@pytest.mark.parametrize("name", ["a.png", "logo.SVG"])
def test_a_page_that_calls_itself_a_picture_is_never_sent_as_one(tmp_path: Path, name: str) -> None:
    """FIELD H1: a login page in the place of a picture."""
    found = arrived(tmp_path, name, PAGE)
    assert (found.kind, found.text) == ("text", PAGE.decode())
    assert found.note == f"`{name}` is no picture but a text, and was given to the agent as one."


@pytest.mark.parametrize("data", [PNG[:60], bomb(20_000, 20_000), b"\x89PNG\r\n\x1a\n" + PAGE])
def test_a_picture_that_is_none_is_saved_and_never_sent(tmp_path: Path, data: bytes) -> None:
    """FIELD H1."""
    found = arrived(tmp_path, "a.png", data)
    assert found.kind == "file"
    assert found.note.startswith(f"`a.png` ({len(data)} bytes) was saved for the agent as a file: it is a ")
    assert Path(found.path).read_bytes() == data


def test_another_file_is_saved(tmp_path: Path) -> None:
    """FIELD H7."""
    found = arrived(tmp_path, "../a.pdf", b"%PDF-1.7 ok.")
    assert found == Arrival(
        "file", "a.pdf", "application/pdf", 12, path=str(tmp_path / "a.pdf"),
        note="`a.pdf` (12 bytes) was saved for the agent as a file.",
    )  # fmt: skip


def test_a_picture_that_cannot_be_shown_is_saved_and_says_so(tmp_path: Path) -> None:
    found = arrived(tmp_path, "a.heic", b"\0\0\0\x18ftypheic\0")
    assert found.note == "`a.heic` (13 bytes) was saved for the agent as a file: it is no picture that I can show."


def test_a_text_that_is_too_long_for_the_prompt_is_saved(tmp_path: Path) -> None:
    """FIELD H2, H7."""
    found = arrived(tmp_path, "a.log", b"x" * (FILE_BYTES + 1))
    assert (found.kind, found.mime) == ("file", "text/plain")
    assert found.note == "`a.log` (512 KB) was saved for the agent as a file: it is a text of more than 512 KB."


def test_the_sixth_text_is_saved(tmp_path: Path) -> None:
    """FIELD H2, H7."""
    budget = Budget()
    kinds = [arrived(tmp_path, "a.txt", b"x", budget).kind for _ in range(6)]
    assert kinds == ["text"] * 5 + ["file"]


def test_what_is_too_large_to_look_at_is_judged_by_how_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "BYTES", len(PNG) - 1)
    picture, text = arrived(tmp_path, "a.png", PNG), arrived(tmp_path, "a.txt", b"x" * 200)
    assert (picture.kind, picture.mime) == ("file", "image/png")
    assert "it is a picture of more than" in picture.note
    assert (text.kind, text.mime) == ("file", "application/octet-stream")


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="is empty"):
        arrived(tmp_path, "a.png", b"")
    assert left(tmp_path) == []


def test_of_a_large_picture_that_moves_the_agent_sees_the_first_and_people_know(tmp_path: Path) -> None:
    found = arrived(tmp_path, "a.webp", animated("WEBP", 1400, 10))
    assert (found.kind, found.note) == ("image", "`a.webp` moves: the agent sees its first picture only.")


def test_a_gif_that_no_model_would_take_is_saved(tmp_path: Path) -> None:
    found = arrived(tmp_path, "a.gif", animated("GIF") + bytes(images.GIF_BYTES))
    assert (found.kind, found.mime) == ("file", "image/gif")
    assert found.note.endswith("it is a picture of more than 3.5 MB.")


def test_a_large_photograph_is_made_smaller(tmp_path: Path) -> None:
    found = arrived(tmp_path, "a.jpg", encoded(gradient(2400, 1800), "JPEG"))
    assert opened(Path(found.path).read_bytes()).size == (1200, 900)


def arrived(folder: Path, name: str, data: bytes, budget: Budget | None = None) -> Arrival:
    with Draft(folder, name, Caps()) as draft:
        draft.write(data)
        return settle(draft, name, budget or Budget())


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]
