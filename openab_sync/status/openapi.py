"""The description of the API at `/api/openapi.json`: made from the routes that there are, and the types they speak."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from flask import Flask

from ..version import VERSION
from .guard import CHANGES_HEADER, Access
from .routes import Route
from .shapes import Problem

__all__ = ["describe", "routes_of"]

REFUSALS = {
    400: "The request cannot be understood.",
    401: "A token is needed, or the one shown is not ours.",
    403: "A change from a page carries its own token.",
    404: "There is none.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    421: "This server does not go by that name.",
    500: "A bug: the log has the details.",
}
OTHERS = "Not so: what is known says why."
KEYED: list[dict[str, list[str]]] = [{"token": []}, {"cookie": []}]


def routes_of(site: Flask) -> list[Route]:
    """Return our own routes, in the order of their addresses."""
    found = [getattr(view, "route", None) for view in site.view_functions.values()]
    return sorted((route for route in found if isinstance(route, Route)), key=lambda route: (route.rule, route.method))


def describe(routes: Iterable[Route], *, is_loopback: bool) -> dict[str, Any]:
    """Return the document (OpenAPI 3.1)."""
    routes = list(routes)
    types = [Problem, *_types(routes)]
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    known = dict(zip(map(repr, types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        address = re.sub(r"<(\w+)>", r"{\1}", route.rule)
        paths.setdefault(address, {})[route.method.lower()] = _operation(route, known, is_loopback=is_loopback)
    return {
        "openapi": "3.1.0",
        "info": {"title": "openab-sync", "version": VERSION, "description": "Sees the house, and gives it orders."},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "openab_sync", "description": _COOKIE},
            },
        },
    }


_COOKIE = f"Set by a one-time link; its name ends with the port. A change carries the header {CHANGES_HEADER} as well."


def _types(routes: Iterable[Route]) -> Iterator[Any]:
    told = [kind for route in routes for kind in (route.gives, route.takes, *route.others.values())]
    yield from {repr(kind): kind for kind in told if kind is not None and not isinstance(kind, str)}.values()


def _operation(route: Route, known: dict[str, Any], *, is_loopback: bool) -> dict[str, Any]:
    is_free = route.access is Access.OPEN or (route.access is Access.STATE and is_loopback)
    problem = {"application/json": {"schema": known[repr(Problem)]}}
    told = {code: {"description": text, "content": problem} for code, text in _refusals(route).items()}
    told |= {code: {"description": OTHERS, "content": _content(kind, known)} for code, kind in route.others.items()}
    told[route.code] = {"description": "As asked.", "content": _content(route.gives, known)}
    found: dict[str, Any] = {
        "summary": route.says,
        "parameters": [*_path(route), *_query(route)],
        "responses": {str(code): told[code] for code in sorted(told)},
        "security": [] if is_free else KEYED,
    }
    if route.takes is not None:
        found["requestBody"] = {"required": True, "content": _content(route.takes, known)}
    return found


def _content(kind: Any, known: dict[str, Any]) -> dict[str, Any]:
    if isinstance(kind, str):
        return {kind: {"schema": {"type": "string"}}}
    return {"application/json": {"schema": known[repr(kind)]}}


def _refusals(route: Route) -> dict[int, str]:
    codes = {421, 500, 401}  # a wrong token is refused even where none is needed
    codes -= {401} if route.access is Access.OPEN else set()
    codes |= {403} if route.access is Access.CHANGE else set()
    codes |= {404} if "<" in route.rule else set()
    codes |= {400, 413, 415} if route.takes is not None else set()
    return {code: REFUSALS[code] for code in sorted(codes)} | route.also


def _path(route: Route) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"<(\w+)>", route.rule):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _query(route: Route) -> Iterator[dict[str, Any]]:
    for name, text in route.query.items():
        yield {"name": name, "in": "query", "required": False, "description": text, "schema": {"type": "string"}}
