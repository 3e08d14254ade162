"""The check-up: what `openab-sync check` looks at, and `setup` and `login` too. Each finding says what to do about it.

    config ─► machine (files, store, port, descriptors) ─► agent (a handshake) ─► discord (a visit) ─► findings

**Threads**: the main thread, which blocks; a visit to Discord has an event loop in a thread of its own, and ends it.
**Never**: a change of anything; a secret in a finding.
"""

from __future__ import annotations

from .finding import Finding, Level

__all__ = ["Finding", "Level"]
