"""Answers: JSON, always in the same shape, with what a browser has to know to be careful."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Response

__all__ = ["HEADERS", "refuse", "reply"]

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""On every answer that does not say otherwise."""


def reply(data: Any, code: int = 200) -> Response:
    """Return `data` (dicts, lists, dataclasses) as JSON."""
    return Response(msgspec.json.encode(data), code, mimetype="application/json")


def refuse(code: int, sentence: str) -> Response:
    """Return an error: `{"error": "a sentence"}`."""
    answer = reply({"error": sentence}, code)
    if code == 401:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="openab-sync"'
    return answer
