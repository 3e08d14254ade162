"""The REST door: one aiohttp handler that takes a request through faults, identity, limits and form to its handler.

Threads: the server's loop only. Locks: the world's, while a request is decided; never across an await.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.discord import routes, uploads
from tests.fakes.discord.buckets import Verdict
from tests.fakes.discord.calls import Answer, Backend, Call, Request, Route
from tests.fakes.discord.errors import OURS, ApiError, Limited, invalid_form
from tests.fakes.discord.faults import Fault
from tests.fakes.discord.things import App, Json

__all__ = ["ROOT", "Rest", "cut"]

ROOT = "/api/v10"
VIA = "1.1 google"  # what Discord's own answers have, and a proxy's do not
BANNED = "<html><body><h1>Error 1015</h1>You are being rate limited</body></html>"


@dataclass
class Reply:
    """What goes back."""

    status: int
    body: Answer | str = None
    headers: dict[str, str] = field(default_factory=dict)
    code: int = 0
    via: bool = True


class Rest:
    """The handler of everything under /api."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        body = await uploads.read(request)
        path = request.rel_url.raw_path.removeprefix(ROOT)
        with self._backend.world.changed:
            fault = self._backend.faults.take(request.method, path, body.form)
        reply = await self._through(fault, request, path, body)
        self._record(request, path, body, reply)
        if reply.status == 0:
            return cut(request)
        headers = {**reply.headers, **({"Via": VIA} if reply.via else {})}
        if isinstance(reply.body, str):
            return web.Response(status=reply.status, text=reply.body, content_type="text/html", headers=headers)
        if reply.body is None and reply.status == 204:
            return web.Response(status=204, headers=headers)
        headers["Content-Type"] = "application/json"  # and nothing behind it: clients compare
        return web.Response(status=reply.status, body=json.dumps(reply.body).encode(), headers=headers)

    async def _through(self, fault: Fault | None, request: web.Request, path: str, body: uploads.Body) -> Reply:
        """What is answered, given what goes wrong."""
        if fault is None:
            return self._decided(request, path, body)
        await fault.delay()
        if not fault.lost and (fault.reset or fault.status or fault.code):
            return self._failed(fault)
        reply = self._decided(request, path, body)
        return self._failed(fault) if fault.lost else reply

    def _failed(self, fault: Fault) -> Reply:
        if fault.reset or not (fault.status or fault.code):
            return Reply(0)
        error = ApiError(fault.code, status=fault.status or None, message=fault.message)
        if error.status in {401, 403, 429}:
            self._backend.buckets.invalid()
        if error.status == 429:
            return _limited(fault.retry_after, is_global=fault.is_global, via=fault.via, headers=fault.headers)
        return Reply(error.status, error.body() if fault.via else BANNED, fault.headers, error.code, fault.via)

    def _decided(self, request: web.Request, path: str, body: uploads.Body) -> Reply:
        """The answer of a server that is well."""
        world = self._backend.world
        with world.changed:
            if self._backend.buckets.is_banned:
                return Reply(429, BANNED, {"Retry-After": "600"}, via=False)
            reply = self._answer(request, path, body)
            if reply.status in {401, 403, 429}:
                self._backend.buckets.invalid()
            if reply.code in OURS:
                world.violation(f"{request.method} {path} was answered {reply.status}: {reply.body}")
            return reply

    def _answer(self, request: web.Request, path: str, body: uploads.Body) -> Reply:
        found = routes.find(request.method, path)
        if found is None or not request.path.startswith(ROOT):
            self._backend.world.violation(f"there is no route {request.method} {path}")
            return Reply(404, ApiError(0).body())
        route, params = found
        app = self._identify(request, route)
        if app is None:
            return Reply(401, {"message": "401: Unauthorized", "code": 0})
        verdict = self._counted(route, params, app)
        if verdict.is_over:
            return _limited(verdict.reset_after, is_global=verdict.is_global, headers=verdict.headers())
        call = Call(self._backend, app, params, request.query, body.form, body.uploads)
        try:
            self._check_body(route, path, body)
            answer = route.handler(call)
        except Limited as limited:
            return _limited(limited.retry_after, headers=verdict.headers() | {"X-RateLimit-Scope": "user"})
        except ApiError as error:
            return Reply(error.status, error.body(), verdict.headers(), error.code)
        except (
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
        ) as error:  # of what was sent
            wrong = invalid_form("_", f"{type(error).__name__}: {error}", "TYPE_COERCE")
            return Reply(wrong.status, wrong.body(), verdict.headers(), wrong.code)
        return Reply(204 if answer is None else 200, answer, verdict.headers())

    def _identify(self, request: web.Request, route: Route) -> App | None:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        app = self._backend.world.apps.get(token) if kind == "Bot" else None
        if app is None and not route.auth:  # the token is in the path; who it is, the handler finds out
            return next(iter(self._backend.world.apps.values()))
        return app

    def _counted(self, route: Route, params: dict[str, str], app: App) -> Verdict:
        """Answers to interactions do not count in the global limit."""
        buckets = self._backend.buckets
        if route.auth:
            overall = buckets.take("global", app.token)
            if overall.is_over:
                return overall
        return buckets.take(route.bucket, f"{route.method} {route.path} {route.major(params)}")

    def _check_body(self, route: Route, path: str, body: uploads.Body) -> None:
        if body.error is not None:
            raise body.error
        if isinstance(body.form, list) != route.is_list:
            raise ApiError(50035)
        for form in body.form if route.is_list else [body.form]:
            if unknown := sorted(set(form) - route.fields):
                self._backend.world.violation(f"{route.method} {path} has unknown fields: {', '.join(unknown)}")

    def _record(self, request: web.Request, path: str, body: uploads.Body, reply: Reply) -> None:
        found = routes.find(request.method, path)
        with self._backend.world.changed:
            at = self._backend.world.clock.monotonic()
            self._backend.requests.append(
                Request(
                    request.method, path, found[0].path if found else "", body.form, dict(request.query), at,
                    reply.status, reply.code,
                )
            )  # fmt: skip
            self._backend.world.touch()


def _limited(
    retry_after: float, *, is_global: bool = False, via: bool = True, headers: dict[str, str] | None = None
) -> Reply:
    body: Json = {"message": "You are being rate limited.", "retry_after": round(retry_after, 3), "global": is_global}
    extra = {"Retry-After": str(max(1, round(retry_after)))}
    if is_global:
        extra |= {"X-RateLimit-Global": "true", "X-RateLimit-Scope": "global"}
    return Reply(429, body if via else BANNED, {**(headers or {}), **extra}, via=via)


def cut(request: web.Request) -> web.StreamResponse:
    """Reset the connection of a request: the client sees ECONNRESET, not an end."""
    transport = request.transport
    if transport is not None:
        connection: Any = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    raise asyncio.CancelledError
