"""The status server: health, figures, the API and the page over HTTP. Looks at the house, never waits for it.

Doors: `Status` (open, start, stop), `Sources` (what it looks at), `needs` and `Access` (for routes of others). Imports
the core for its snapshots and its front desk, and tools; the app puts it into the house.

**What a page needs**: `GET /api/events` (server-sent events; `?conversation=KEY` for its turns as they grow) says
everything at once and then what is new, see `feed`; `GET /api/sessions/KEY` has a conversation's last turns with tools,
diffs, plan and questions; `POST /api/sessions/KEY/cancel`, `/reset`, `/message`, and `POST /api/questions/ID` change.
`shapes` has every body, `GET /api/openapi.json` describes it all.

**For whoever adds pages**: `Status.start(sources, blueprints)` takes flask Blueprints. Every route is behind the guard:
looking needs a key (the bearer token, or the cookie that a one-time link has set), and everything that is no GET needs
a key, and from a page the header `X-Openab-Token` besides, whose value `GET /api/me` tells. `needs(Access.OPEN)` on a
view says otherwise; a room that may not import this one sets `view.access = "open" | "state" | "content"` instead.
Nothing but our own scripts, styles and images may be loaded (`Content-Security-Policy`): no inline script, no inline
style. Errors are `{"error": "a sentence"}`.

**Threads**: `status-server` and `status-<n>`, see `server`. **Locks**: none of ours; those of the libraries are never
taken by the house's threads. **Never**: an answer that waits for a session, a loop or the disk.
"""

from __future__ import annotations

from .guard import Access
from .routes import needs
from .sources import Sources
from .status import Status

__all__ = ["Access", "Sources", "Status", "needs"]
