"""What a route is and needs: noted on its function, looked at by the site before it is called, described from there.

`serve` is how our own routes are made: what the description of the API says of one is what it was made with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flask import Blueprint

from .guard import Access

__all__ = ["SAFE", "Route", "access_of", "needs", "serve"]

SAFE = frozenset({"GET", "HEAD"})

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Route:
    """One route. `gives` is the type of its answer, or a media type; `also` are further answers by their code."""

    method: str
    rule: str
    access: Access
    says: str
    gives: Any = None
    code: int = 200
    takes: Any = None
    also: dict[int, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    others: dict[int, Any] = field(default_factory=dict)  # answers of another type, by their code


def serve(pages: Blueprint, route: Route) -> Callable[[F], F]:
    """Serve a route by the function below."""

    def note(view: F) -> F:
        view.__dict__.update(access=route.access, route=route)
        pages.add_url_rule(route.rule, view_func=view, methods=[route.method])
        return view

    return note


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
