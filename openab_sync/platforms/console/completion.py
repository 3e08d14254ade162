"""What Tab proposes: orders, the agent's own commands, options and their values, conversations. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...core.events import Option

__all__ = ["Known", "Proposal", "propose"]

CATEGORIES = {"models": "model", "model": "model", "modes": "mode", "mode": "mode"}


@dataclass(frozen=True, slots=True)
class Proposal:
    """A word that could stand where the last one is being typed, and what it means."""

    word: str
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What can be proposed just now. `orders` are names with their help, without the slash."""

    orders: Sequence[tuple[str, str]] = ()
    options: Sequence[Option] = ()
    conversations: Sequence[str] = ()
    answers: Sequence[str] = ()


def propose(text: str, known: Known) -> tuple[Proposal, ...]:
    """Return the proposals for the last word of `text` (what stands before the cursor)."""
    words = text.split(" ")
    begun = words[-1].casefold()
    if not text.startswith("/") or "\n" in text:
        return ()
    if len(words) == 1:
        proposals: Iterable[Proposal] = (Proposal(f"/{name}", meaning) for name, meaning in known.orders)
    else:
        proposals = _arguments(words[0][1:].lower(), words[1:-1], known)
    return tuple(proposal for proposal in proposals if proposal.word.casefold().startswith(begun))


def _arguments(name: str, before: Sequence[str], known: Known) -> Iterable[Proposal]:
    match name, len(before):
        case "switch", 0:
            return [Proposal(conversation) for conversation in known.conversations]
        case "answer", 0:
            return [Proposal(str(number), answer) for number, answer in enumerate(known.answers, 1)]
        case "config", 0:
            return [Proposal(option.id, f"{option.name}: {_value(option)}") for option in known.options]
        case "config", 1:
            return [value for option in known.options if option.id == before[0] for value in _values(option)]
        case (("models" | "model" | "modes" | "mode"), 0):
            return [v for option in known.options if option.category == CATEGORIES[name] for v in _values(option)]
    return ()


def _value(option: Option) -> str:
    return str(option.value) if isinstance(option.value, str) else "on" if option.value else "off"


def _values(option: Option) -> list[Proposal]:
    if option.kind == "boolean":
        return [Proposal("on"), Proposal("off")]
    return [Proposal(choice.value, choice.description or choice.name) for choice in option.choices]
