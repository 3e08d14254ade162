"""What a route needs."""

from __future__ import annotations

import pytest

from openab_sync.status.guard import Access
from openab_sync.status.routes import access_of, needs


def view() -> None:
    """Nothing is noted on it."""


@pytest.mark.parametrize(
    ("method", "access"),
    [("GET", Access.CONTENT), ("HEAD", Access.CONTENT), ("POST", Access.CHANGE), ("OPTIONS", Access.CHANGE)],
)
def test_without_a_word_looking_needs_a_key_and_the_rest_is_a_change(method: str, access: Access) -> None:
    assert access_of(view, method) is access


def test_a_view_says_otherwise_by_a_note_or_by_a_word() -> None:
    @needs(Access.OPEN)
    def noted() -> None: ...

    def told() -> None: ...

    told.__dict__["access"] = "state"
    assert access_of(noted, "POST") is Access.OPEN
    assert access_of(told, "GET") is Access.STATE
    assert access_of(None, "POST") is Access.STATE
