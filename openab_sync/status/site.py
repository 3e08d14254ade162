"""The site: every route behind the guard, every error a sentence, every answer with its headers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, request
from werkzeug.exceptions import HTTPException

from .answers import HEADERS, refuse, reply
from .changing import changing
from .entrance import entrance
from .guard import CHANGES_HEADER, Access, Caller, Guard, Knock, Refusal
from .health import health
from .looking import looking
from .openapi import describe, routes_of
from .routes import Route, access_of, serve
from .sources import Sources

__all__ = ["caller", "make_site"]

BODY = 1 << 20  # bytes of a request


def make_site(sources: Sources, guard: Guard, blueprints: Iterable[Blueprint] = (), *, has_page: bool = True) -> Flask:
    """Return the WSGI application: our routes and those of `blueprints`, all of them behind `guard`.

    Without a page no links are made that would lead to one.
    """
    site = Flask(__name__, static_folder=None, template_folder=None)
    site.config.update(MAX_CONTENT_LENGTH=BODY, MAX_FORM_MEMORY_SIZE=BODY, PROVIDE_AUTOMATIC_OPTIONS=False)
    site.url_map.strict_slashes = False
    site.url_map.merge_slashes = False

    @site.before_request
    def _look_who_asks() -> Response | None:
        view = site.view_functions.get(request.endpoint or "")
        judged = guard.judge(_knock(guard), access_of(view, request.method))
        if isinstance(judged, Refusal):
            return refuse(judged.code, judged.sentence)
        g.caller = judged
        return None

    @site.after_request
    def _be_careful(answer: Response) -> Response:
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        return answer

    @site.errorhandler(HTTPException)
    def _explain(error: HTTPException) -> Response:
        answer = refuse(error.code or 500, error.description or error.name)
        for name, value in error.get_headers():
            if name.lower() == "allow":
                answer.headers[name] = value
        return answer

    @site.errorhandler(Exception)
    def _confess(error: Exception) -> Response:
        current_app.logger.error("%s %s failed", request.method, request.path, exc_info=error)
        return refuse(500, "An internal error: the log has the details.")

    ours = (
        health(sources),
        entrance(guard, has_page=has_page),
        looking(sources),
        changing(sources),
        _description(guard),
    )
    for blueprint in (*ours, *blueprints):
        site.register_blueprint(blueprint)
    return site


def _description(guard: Guard) -> Blueprint:
    """Return the route that describes all of ours, itself included."""
    pages = Blueprint("description", __name__)

    @serve(pages, Route("GET", "/api/openapi.json", Access.STATE, "This document", dict[str, Any]))
    def openapi() -> Response:
        return reply(describe(routes_of(current_app), is_loopback=guard.address.is_loopback))

    return pages


def caller() -> Caller:
    """Return who asks, in a request that was let in."""
    found = g.get("caller")
    return found if isinstance(found, Caller) else Caller()


def _knock(guard: Guard) -> Knock:
    headers = request.headers
    return Knock(
        headers.get("Host", ""),
        headers.get("Authorization", ""),
        request.cookies.get(guard.cookie_name, ""),
        headers.get(CHANGES_HEADER, ""),
    )
