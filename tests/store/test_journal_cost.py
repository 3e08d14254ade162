"""The benchmark of acceptance measures what it says (its figures are the machine's)."""

from __future__ import annotations

from contextlib import closing

import pytest

from tests.bench.accepting import accept
from tests.bench.sides.books import BOOKS
from tests.bench.task import Task


@pytest.mark.parametrize("name", BOOKS)
def test_many_at_once_share_a_commit_in_the_journal_alone(name: str) -> None:
    with closing(BOOKS[name]()) as book:
        figures = accept(book, Task("accept", sessions=20, count=5))
    assert figures["accepted"] > 0 and 0 < figures["p50"] <= figures["p99"]
    assert (figures["group"] > 1) is (name == "store")
