"""What people are told about how a turn ended: the sentences for endings that are not simply an answer.

Pure. A good answer needs none. Everything else is named: what the agent's process or protocol did, why a model stopped,
and why there is nothing to read (FIELD B2, B3, B4, B11, B12). The words are made here and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..text.clean import one_line

if TYPE_CHECKING:
    from .turn import Turn

__all__ = ["explain", "sentence"]

# Why a model stopped, by ACP's stop reason; "end_turn" needs no words, an unknown one is shown as it is.
STOPS = {
    "": "",
    "end_turn": "",
    "max_tokens": "The model stopped at its limit of tokens (max_tokens).",
    "max_turn_requests": "The model stopped at its limit of requests in one turn (max_turn_requests).",
    "refusal": "The model refused to go on (refusal).",
    "cancelled": "The turn was cancelled.",
}
# How many calls an explanation names, and how much of each.
_NAMED, _NAME_WIDTH = 5, 60


def explain(turn: Turn) -> str:
    """Return what to tell people about the end of `turn`, "" if it runs or ended well with something to read."""
    if turn.outcome is None:
        return ""
    parts = [_ending(turn), _stop(turn)]
    if not turn.has_text and not any(parts):
        parts.append(_silence(turn))
    return " ".join(part for part in parts if part)


def _ending(turn: Turn) -> str:
    """Return what went wrong around the model: a cancel, an error, a death."""
    reason = turn.reason.strip()
    cut = " What it had said until then is above." if turn.has_text else ""
    match turn.outcome:
        case "failed" if reason:
            return f"{turn.agent} could not finish: {sentence(reason)}{cut}"
        case "gone":
            why = f": {sentence(reason)}" if reason else "."
            return f"{turn.agent} ended before its answer did{why}{cut}"
        case "stalled":
            return sentence(reason or f"{turn.agent} did not come to an end and was stopped") + cut
        case "cancelled":
            return sentence(reason or "The turn was cancelled")
        case _:
            return sentence(reason)


def _stop(turn: Turn) -> str:
    """Return why the model stopped, where that is not said already."""
    stop = turn.stop_reason
    if stop == "cancelled" and turn.outcome in {"cancelled", "stalled"}:
        return ""
    if stop in STOPS:
        return STOPS[stop]
    return f"The model stopped for a reason of its own: {one_line(stop, _NAME_WIDTH)}."


def _silence(turn: Turn) -> str:
    """Return why there is nothing to read though the turn ended as if all were well."""
    if turn.tools:
        names = [f"`{one_line(tool.label, _NAME_WIDTH).replace('`', 'ˋ')}`" for tool in turn.tools[:_NAMED]]
        more = f" and {len(turn.tools) - _NAMED} more" if len(turn.tools) > _NAMED else ""
        return f"{turn.agent} used tools but wrote no answer: {', '.join(names)}{more}."
    if turn.has_media:
        return ""
    if turn.has_thoughts:
        return f"{turn.agent} thought aloud but wrote no answer."
    if turn.output_tokens == 0:
        return (
            f"{turn.agent} ended its turn without producing a single token: "
            "a silent failure, for example a used-up quota or a login that has run out."
        )
    if turn.used is not None or turn.cost is not None:
        return f"{turn.agent} reported what it used but wrote no answer. Asking again may help."
    return f"{turn.agent} ended its turn without any answer. Asking again may help."


def sentence(text: str) -> str:
    """Return `text` with something at its end."""
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?", ":")) else f"{text}."
