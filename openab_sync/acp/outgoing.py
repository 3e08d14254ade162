"""What an agent gets of a prompt and of the MCP servers: all that it can take, and a replacement for the rest.

Text and links are always allowed; images, sounds, embedded files and remote servers only if the agent said so in its
capabilities. What it does not take is told in words or by name, never dropped in silence. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from ..media.inline import fenced
from .schema import AudioBlock, Block, EmbeddedBlock, ImageBlock, LinkBlock, McpServer, Pairs, TextBlock

__all__ = ["Capabilities", "choose", "to_wire"]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an agent can do beyond the least, as `initialize` told; what it did not name it cannot."""

    load: bool = False
    resume: bool = False
    list: bool = False
    close: bool = False
    delete: bool = False
    image: bool = False
    audio: bool = False
    embedded: bool = False
    http: bool = False
    sse: bool = False


# Prompts.


def to_wire(blocks: Sequence[Block], capabilities: Capabilities) -> list[dict[str, object]]:
    """Return the blocks as the protocol writes them, with a replacement in words for each that this agent refuses."""
    return [_to_wire(block, capabilities) for block in blocks]


def _to_wire(block: Block, capabilities: Capabilities) -> dict[str, object]:
    match block:
        case TextBlock(text):
            return _text(text)
        case ImageBlock(data, mime):
            if not capabilities.image:
                return _text("[image not sent: this agent takes no images]")
            return {"type": "image", "data": data, "mimeType": _bare(mime)}
        case AudioBlock(data, mime):
            if not capabilities.audio:
                return _text("[sound not sent: this agent takes no audio]")
            return {"type": "audio", "data": data, "mimeType": _bare(mime)}
        case LinkBlock():
            return _link(block)
        case EmbeddedBlock(uri, text, mime):
            if not capabilities.embedded:
                return _text(fenced(unquote(_name(uri)), text))
            return {"type": "resource", "resource": {"uri": uri, "text": text, "mimeType": _bare(mime)}}


def _text(text: str) -> dict[str, object]:
    return {"type": "text", "text": text}


def _link(block: LinkBlock) -> dict[str, object]:
    name = block.name or _name(block.uri)
    link: dict[str, object] = {"type": "resource_link", "uri": block.uri, "name": name}
    if block.mime:
        link["mimeType"] = _bare(block.mime)
    if block.size is not None:
        link["size"] = block.size
    return link


def _bare(mime: str) -> str:
    return mime.partition(";")[0].strip()


def _name(uri: str) -> str:
    return uri.rstrip("/").rpartition("/")[2] or uri


# MCP servers.


def choose(servers: Sequence[McpServer], capabilities: Capabilities) -> tuple[list[dict[str, object]], tuple[str, ...]]:
    """Return the servers that this agent can use, as the protocol writes them, and the names of the others.

    Every agent can start a stdio server; http and sse it must have announced.
    """
    usable = {"stdio": True, "http": capabilities.http, "sse": capabilities.sse}
    taken = [_server_to_wire(server) for server in servers if usable[server.type]]
    return taken, tuple(server.name for server in servers if not usable[server.type])


def _server_to_wire(server: McpServer) -> dict[str, object]:
    if server.type == "stdio":  # the one without a type on the wire
        return {"name": server.name, "command": server.command, "args": [*server.args], "env": _named(server.env)}
    return {"type": server.type, "name": server.name, "url": server.url, "headers": _named(server.headers)}


def _named(pairs: Pairs) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]
