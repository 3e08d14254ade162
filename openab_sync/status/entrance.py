"""The way in for a browser: a link that works once sets a cookie; `/api/me` says what each change has to carry."""

from __future__ import annotations

from flask import Blueprint, Response, g

from .answers import refuse, reply
from .guard import COOKIE_SECONDS, Access, Guard
from .routes import Route, serve
from .shapes import Link, Me

__all__ = ["entrance"]

# A page of our own goes on to the next: a redirect from a foreign one would come without the cookie (SameSite=Strict).
_ONWARD = '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=/"><title>openab-sync</title>'
_USED = "This link was used before, or is older than ten minutes. `openab-sync status --link` makes a new one."
_NONE = "There is no page here: [status] page is false."

ENTER = Route(
    "GET", "/enter/<secret>", Access.OPEN, "Let a browser in", "text/html", also={403: "The link was used, or is old."}
)
LINK = Route(
    "POST",
    "/api/link",
    Access.CHANGE,
    "Make a link that lets a browser in, once",
    Link,
    201,
    also={404: "There is no page."},
)
ME = Route("GET", "/api/me", Access.CONTENT, "What a change from this page has to carry", Me)


def entrance(guard: Guard, *, has_page: bool = True) -> Blueprint:
    """Return the routes."""
    pages = Blueprint("entrance", __name__)

    @serve(pages, ENTER)
    def enter(secret: str) -> Response:
        cookie = guard.enter(secret)
        if cookie is None:
            return refuse(403, _USED)
        answer = Response(_ONWARD, mimetype="text/html")
        answer.set_cookie(guard.cookie_name, cookie, max_age=COOKIE_SECONDS, httponly=True, samesite="Strict", path="/")
        return answer

    @serve(pages, LINK)
    def link() -> Response:
        if not has_page:
            return refuse(404, _NONE)
        return reply(Link(guard.make_link()), 201)

    @serve(pages, ME)
    def me() -> Response:
        visit = g.caller.visit
        return reply(Me(guard.token_for_changes(visit) if visit else ""))

    return pages
