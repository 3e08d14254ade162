"""What the fault agent was asked, read from its log: the texts of its prompts, and what they say of their senders; and
where they are answered."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.core.bed import received
from tests.fakes.discord import Server
from tests.fakes.discord.things import Channel, Message

__all__ = ["asked", "prompts", "senders", "thread_of"]

BLOCK = re.compile(r"<sender_context>\n(.*?)\n</sender_context>", re.DOTALL)

OUTBOX = re.compile(r"<outbox>\n.*?\n</outbox>", re.DOTALL)


def prompts(log: Path) -> list[str]:
    """All text of every prompt so far, in order."""
    found = [one["params"]["prompt"] for one in received(log) if one.get("method") == "session/prompt"]
    return ["\n\n".join(block["text"] for block in blocks if block["type"] == "text") for blocks in found]


def asked(log: Path) -> list[str]:
    """The prompts without the blocks about their senders and about the outbox."""
    return [OUTBOX.sub("", BLOCK.sub("", text)).strip() for text in prompts(log)]


def senders(log: Path) -> list[dict[str, Any]]:
    """The block about the sender of every prompt."""
    return [json.loads(found[1]) for text in prompts(log) if (found := BLOCK.search(text))]


def thread_of(server: Server, message: Message) -> Channel:
    """The thread that a message gets."""
    server.until(lambda: message.thread is not None, what=f"a thread opens for {message.content!r}")
    assert message.thread is not None
    return message.thread
