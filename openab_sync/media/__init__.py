"""Media: files on their way between people and agents.

`kinds` tells what bytes are, `images` makes pictures fit, `inline` admits texts to a prompt, `inbox` keeps files in a
conversation's folder, `arrivals` decides which of these a file is for, `outbox` is from where files leave, `outgoing`
names what is uploaded. Pure, or blocking as long as a disk or a decoder may: never to be called on an event loop.
"""

from __future__ import annotations

__all__: list[str] = []
