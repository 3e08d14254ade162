"""The footer: one line about what a turn was made with and what it took. Pure; says only what is known."""

from __future__ import annotations

from ..text.clean import one_line
from ..text.marks import literal
from .turn import Turn

__all__ = ["cost_text", "footer"]

_WIDTH = 60  # characters of a name
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}


def footer(turn: Turn, agent: str, model: str) -> str:
    """Return `model · context % · cost · duration` of a turn; `agent` stands in for a model that nobody named.

    The cost is the session's so far, as the agent reports it. "" if nothing is known but the time.
    """
    parts = [literal(one_line(model, _WIDTH) or one_line(agent, _WIDTH)), _context(turn), _cost(turn)]
    known = [part for part in parts if part]
    return " · ".join([*known, _duration(turn.seconds)]) if known else ""


def _context(turn: Turn) -> str:
    if turn.used is None:
        return ""
    if not turn.size:
        return f"{turn.used:,} tokens"
    return f"context {100 * turn.used / turn.size:.0f} %"


def _cost(turn: Turn) -> str:
    if turn.cost is None:
        return ""
    return cost_text(turn.cost, turn.currency)


def cost_text(cost: float, currency: str) -> str:
    """Return an amount of money as people read it; small ones with more digits."""
    amount = f"{cost:.2f}" if cost >= 0.01 or cost == 0 else f"{cost:.4f}"
    name = one_line(currency, 8)
    sign = _SIGNS.get(name.upper())
    return f"{sign}{amount}" if sign else f"{amount} {name}".strip()


def _duration(seconds: float) -> str:
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"
