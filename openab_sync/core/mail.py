"""Files of one turn: the agent is told where to put them, and what lies there when the turn is over is sent.

Session thread only; blocks as a disk does, when the turn is over.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from ..acp import events as acp
from ..acp.schema import TextBlock
from ..clock import Clock
from ..media.outbox import Outbox
from ..text.redact import Redactor
from .port import File, Limits, Notice
from .veiled import veiled_file

__all__ = ["Mail"]

_WORDS = """<outbox>
Files that you put into {folder} are sent to the people in this conversation when your turn ends. The folder is also
in $OPENAB_OUTBOX. Nothing else leaves as a file: no links, no folders, no other places.
</outbox>"""


@dataclass(frozen=True, slots=True)
class Mail:
    """The outbox, as one turn uses it. `is_first`: the agent has not been told of it."""

    outbox: Outbox
    is_first: bool = True

    def announcement(self) -> list[TextBlock]:
        """Return what the prompt says about it."""
        return [TextBlock(_WORDS.format(folder=self.outbox.folder))] if self.is_first else []

    def collected(self, clock: Clock, limits: Limits, redact: Redactor) -> Iterator[acp.Media | acp.Link | Notice]:
        """Yield the files that leave, as parts of the answer, and a sentence for each that does not."""
        found = self.outbox.collect(clock.monotonic(), limits.file_size)
        for out in found.files:
            if limits.local:
                yield acp.Link(out.path, redact(out.name), out.mime, len(out.data))
                continue
            file = veiled_file(File(out.name, out.data, out.mime), redact)
            data = base64.b64encode(file.data).decode()
            yield acp.Media("resource", file.mime, data, uri=quote(file.name))
        for text in found.refused:
            yield Notice(text)
