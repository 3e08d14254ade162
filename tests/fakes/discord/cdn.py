"""Where attachments are served, by links that are signed and expire."""

from __future__ import annotations

from urllib.parse import quote

from aiohttp import web

from tests.fakes.discord.calls import Backend
from tests.fakes.discord.payloads import signature
from tests.fakes.discord.rest import cut
from tests.fakes.discord.things import Attachment

__all__ = ["Cdn"]


class Cdn:
    """The handler of everything under /attachments."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer with the file; 404 for a link that is wrong, too old, or whose message is gone."""
        with self._backend.world.changed:
            fault = self._backend.faults.take(request.method, request.path, {})
        if fault is not None:
            await fault.delay()
            if fault.reset or fault.lost:
                return cut(request)
            if fault.status:
                return web.Response(status=fault.status, text=fault.message, headers=fault.headers)
        with self._backend.world.changed:
            found = self._find(request)
        if found is None:
            return web.Response(status=404, text="This content is no longer available.")
        if fault is not None and fault.partial:
            return await self._begin(request, found, fault.partial)
        return web.Response(body=found.content, headers={"Content-Type": found.content_type})

    async def _begin(self, request: web.Request, found: Attachment, size: int) -> web.StreamResponse:
        """Send the beginning only, and cut the connection."""
        response = web.StreamResponse(headers={"Content-Type": found.content_type})
        response.content_length = len(found.content)
        await response.prepare(request)
        await response.write(found.content[:size])
        return cut(request)

    def _find(self, request: web.Request) -> Attachment | None:
        channel_id, attachment_id, filename = (request.match_info[name] for name in ("channel", "id", "name"))
        expires = request.query.get("ex", "")
        path = f"/attachments/{channel_id}/{attachment_id}/{quote(filename, safe='')}"
        if request.query.get("hm") != signature(path, expires) or int(expires, 16) < self._backend.world.clock.time():
            return None
        channel = self._backend.world.channels.get(int(channel_id))
        for message in channel.messages.values() if channel else ():
            for one in message.attachments:
                if str(one.id) == attachment_id and not message.deleted:
                    return one
        return None
