"""A tiny page on which a person writes to the bot and watches: the fake as something to play with.

It is served by the fake itself, loads nothing from anywhere, and asks again and again for what has changed.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.fakes.discord import page_state
from tests.fakes.discord.server import Server

__all__ = ["Playground"]

PAGE = Path(__file__).with_name("page.html")
NEWS = 20.0  # seconds that a question for news is kept waiting
STEP = 0.05
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; img-src 'self'"


class Playground(Server):
    """A server with the page at /, and a person in front of it whose name is `you`."""

    def extend(self, application: web.Application) -> None:
        application.router.add_get("/", self._page)
        application.router.add_get("/play/state", self._state)
        application.router.add_post("/play/act", self._act)

    async def _page(self, request: web.Request) -> web.StreamResponse:
        text = PAGE.read_text(encoding="utf-8")
        return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": POLICY})

    async def _state(self, request: web.Request) -> web.StreamResponse:
        """Everything there is to see, as soon as it differs from the version that the page has."""
        seen, waited = request.query.get("since", ""), 0.0
        while str(self.world.version) == seen and waited < NEWS:
            await asyncio.sleep(STEP)
            waited += STEP
        with self.world.changed:
            return web.json_response(page_state.state(self))

    async def _act(self, request: web.Request) -> web.StreamResponse:
        """One deed of the person. Only JSON from the page itself is taken: no other site may write here."""
        if request.content_type != "application/json" or request.headers.get("Origin", self.origin) != self.origin:
            return web.json_response({"error": "this is not for other pages"}, status=403)
        try:
            deed: Any = json.loads(await request.read())
            page_state.act(self, deed)
        except (LookupError, ValueError, TypeError) as error:
            return web.json_response({"error": f"{error}"}, status=400)
        return web.json_response({})
