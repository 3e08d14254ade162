"""What was used, day by day, on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from openab_sync.store import Spending, Store
from openab_sync.store import spending as module


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path)
    yield store
    assert store.close()


def test_the_last_sums_of_a_day_are_read_again(store: Store) -> None:
    book = Spending(store)
    book.keep([("2026-01-31", "person", "1", 1, 10, 0.5), ("2026-01-31", "everybody", "", 1, 10, 0.5)])
    book.keep([("2026-01-31", "person", "1", 2, 25, 0.75), ("2026-01-30", "person", "1", 9, 9, 9.0)])
    assert Spending(store).read("2026-01-31") == [
        ("2026-01-31", "everybody", "", 1, 10, 0.5),
        ("2026-01-31", "person", "1", 2, 25, 0.75),
    ]


def test_old_days_go_and_no_day_is_read_without_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 2)
    book = Spending(store)
    for n in range(5):
        book.keep([("2026-03-31", "person", str(n), 1, 1, 0.0)])
    book.keep([("2026-01-01", "person", "1", 1, 1, 0.0)])
    assert [row[2] for row in book.read("2026-03-31")] == ["3", "4"]
    assert store.read(lambda db: db.execute("SELECT count(*) FROM spending").fetchone()) == (5,)
