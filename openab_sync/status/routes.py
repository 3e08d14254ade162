"""What a route needs: noted on its function, looked at by the site before it is called. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from .guard import Access

__all__ = ["SAFE", "access_of", "needs"]

SAFE = frozenset({"GET", "HEAD"})

F = TypeVar("F", bound=Callable[..., Any])


def needs(access: Access) -> Callable[[F], F]:
    """Note on a view what it shows or does. Without a note, looking is CONTENT and everything else a CHANGE."""

    def note(view: F) -> F:
        view.__dict__["access"] = access
        return view

    return note


def access_of(view: Callable[..., Any] | None, method: str) -> Access:
    """Return what a request needs; `view` is None where there is no such route."""
    if view is None:
        return Access.STATE
    noted = getattr(view, "access", None)
    if noted is not None:
        return Access(noted)
    return Access.CONTENT if method in SAFE else Access.CHANGE
