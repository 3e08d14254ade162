"""Request bodies: JSON or multipart with files. Reads the request on the loop, touches nothing of the world."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.discord.errors import ApiError, invalid_form
from tests.fakes.discord.things import Attachment, Json
from tests.fakes.discord.world import World

__all__ = ["Body", "attach", "read"]

FILE = re.compile(r"^files\[(\d+)\]$")


@dataclass(frozen=True)
class Upload:
    filename: str
    content_type: str
    content: bytes


@dataclass
class Body:
    """What came with a request: its JSON, and the files by their number."""

    form: Any = field(default_factory=dict)
    uploads: dict[int, Upload] = field(default_factory=dict)
    error: ApiError | None = None  # it could not be read


async def read(request: web.Request) -> Body:
    """Read the whole body. What is no JSON is told by `error`, for the limits come first."""
    body = Body()
    try:
        if request.content_type.startswith("multipart/"):
            await _read_parts(request, body)
        else:
            raw = await request.read()
            body.form = json.loads(raw) if raw else {}
    except ValueError:  # of json, and of a multipart that is none
        body.error = ApiError(50109)
    return body


async def _read_parts(request: web.Request, body: Body) -> None:
    for name, part in (await request.post()).items():
        if name == "payload_json":
            body.form = json.loads(part.file.read() if isinstance(part, web.FileField) else part)
        elif (found := FILE.match(name)) and isinstance(part, web.FileField):
            with part.file as file:
                body.uploads[int(found[1])] = Upload(part.filename, part.content_type, file.read())
        else:
            body.error = invalid_form(name, "Unknown part of a multipart body.")


def attach(world: World, form: Json, uploads: dict[int, Upload], most: int) -> list[Attachment]:
    """The uploaded files as attachments, with what `attachments` of the form says about each.

    Raise ApiError 40005 for a file of more than `most` bytes, 50035 if the form names a file that did not come.
    """
    said: dict[int, Json] = {}
    for one in form.get("attachments") or []:
        number = int(one.get("id", -1))
        if number in uploads:
            said[number] = one
        elif number < 1 << 22:  # too small for the id of an attachment that is there
            raise invalid_form("attachments", f"No file came for the attachment {number}.")
    found = []
    for number, upload in sorted(uploads.items()):
        if len(upload.content) > most:
            raise ApiError(40005)
        about = said.get(number, {})
        extra = {key: about[key] for key in ("description", "duration_secs", "waveform") if about.get(key)}
        name = about.get("filename") or upload.filename
        found.append(Attachment(world.next_id(), name, upload.content, _kind(name, upload.content_type), extra))
    return found


KINDS = {
    "md": "text/markdown; charset=utf-8", "txt": "text/plain; charset=utf-8", "py": "text/x-python; charset=utf-8",
    "json": "application/json; charset=utf-8", "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg",
    "gif": "image/gif", "webp": "image/webp", "ogg": "audio/ogg", "mp3": "audio/mpeg", "diff": "text/x-diff",
}  # fmt: skip


def _kind(filename: str, said: str) -> str:
    """The service goes by the name, then by what the sender said."""
    return KINDS.get(filename.rpartition(".")[2].lower(), said)
