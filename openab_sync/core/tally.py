"""What a session has used so far: the agent's reports, added up. Pure."""

from __future__ import annotations

from dataclasses import replace

from ..acp import events as acp
from .house import Usage

__all__ = ["tallied"]


def tallied(usage: Usage, event: acp.UsageChanged | acp.Answered | acp.Failed) -> Usage:
    """Return `usage` after a report of the agent's, or after the end of a turn (an answer with a stop reason).

    What a report does not say stays as it was: some agents tell the context in one and the cost in another.
    """
    if isinstance(event, acp.UsageChanged):
        return replace(
            usage,
            used=usage.used if event.used is None else event.used,
            size=usage.size if event.size is None else event.size,
            cost=usage.cost if event.cost is None else event.cost,
            currency=usage.currency if event.cost is None else event.currency,
        )
    if event.method != "session/prompt":
        return usage
    made = event.output_tokens if isinstance(event, acp.Answered) else None
    tokens = usage.output_tokens if made is None else (usage.output_tokens or 0) + made
    return replace(usage, turns=usage.turns + 1, output_tokens=tokens)
