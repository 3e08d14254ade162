"""Files that wait with a message go when it is over, and not before."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openab_sync.store import Books, End, Fact, Store, open_books

PATIENCE = 10.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "state")
    yield store
    assert store.close()


@pytest.fixture
def books(store: Store) -> Books:
    return open_books(store)


def waits(books: Books, folder: Path, kind: str = "image") -> tuple[int, Path, Path]:
    """A message with a picture or a text, and with a file that the agent may read later."""
    folder.mkdir(exist_ok=True)
    number, _ = books.deliveries.accept(Fact("discord:1", "11", "ann", "look"))
    picture, file = folder / f"{number}.png", folder / f"{number}.pdf"
    picture.touch()
    file.touch()
    note = {"attachments": [{"kind": kind, "path": str(picture)}, {"kind": "file", "path": str(file)}]}
    books.deliveries.complete(number, "discord:1", "11", json.dumps(note)).result(PATIENCE)
    return number, picture, file


def answered(books: Books, number: int) -> None:
    books.replies.start("t", "discord:1", [number])
    books.replies.finish("t", [number], End("done", "", ()))
    books.replies.close("t", well=True)


@pytest.mark.parametrize("kind", ["image", "text"])
@pytest.mark.parametrize(
    "end",
    [
        lambda books, number: books.deliveries.withdraw([number]),
        lambda books, number: books.deliveries.fail([number]),
        answered,
    ],
    ids=["withdrawn", "failed", "answered"],
)
def test_what_waits_with_a_message_goes_when_that_is_over(
    store: Store, books: Books, tmp_path: Path, end: Callable[[Books, int], object], kind: str
) -> None:
    number, picture, file = waits(books, tmp_path / "inbox", kind)
    other, stays, _ = waits(books, tmp_path / "inbox")
    end(books, number)
    store.read(lambda _: None)
    assert (picture.exists(), file.exists(), stays.exists()) == (False, True, True)
    assert other == number + 1


def test_a_picture_of_a_turn_that_runs_stays(store: Store, books: Books, tmp_path: Path) -> None:
    """It cannot be withdrawn any more; what was interrupted may be read again."""
    number, picture, _ = waits(books, tmp_path / "inbox")
    books.replies.start("t", "discord:1", [number])
    books.deliveries.withdraw([number])
    store.read(lambda _: None)
    assert picture.exists()
