"""Text into pages: first byte: the limit of a page, second: the size of the pieces, the rest: the text."""

from __future__ import annotations

from openab_sync.text.split import Paginator, split

__all__ = ["one_input"]

MARKS = str.maketrans("", "", "`~")  # what fences are made of, which are closed, opened again and left out
LOOKS = 5  # at the rest: each costs as much as the whole


def one_input(data: bytes) -> None:
    """No page is too long or blank, the pieces do not matter, and nothing that has ink is lost."""
    limit, size = 1 + sum(data[:1]), 1 + sum(data[1:2])
    text = data[2:].decode("utf-8", "replace")
    pages = split(text, limit)
    assert all(page.strip() and len(page) <= limit for page in pages)
    assert bool(pages) == bool(text.strip())
    _check_pieces(text, limit, size, pages)
    _check_ink(text, pages)


def _check_pieces(text: str, limit: int, size: int, pages: list[str]) -> None:
    paginator = Paginator(limit)
    done: list[str] = []
    for number, at in enumerate(range(0, len(text), size)):
        done += paginator.feed(text[at : at + size])
        if number < LOOKS:
            assert done + paginator.page(text[at + size :]) == pages
    assert done + paginator.page() == pages


def _check_ink(text: str, pages: list[str]) -> None:
    told, shown = _ink(text), _ink("".join(pages))
    if "```" not in text and "~~~" not in text:
        assert "".join("".join(pages).split()) == "".join(text.split())
    rest = iter(shown)
    assert all(character in rest for character in told)  # in this order


def _ink(text: str) -> str:
    return "".join(text.translate(MARKS).split())
