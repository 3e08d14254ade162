"""Discord: everything that knows its library. It runs on one event loop, in the thread `chat-discord`.

`platform` puts the parts together; whoever starts it imports it from there. Importing this package loads nothing.
"""

from __future__ import annotations

__all__: list[str] = []
