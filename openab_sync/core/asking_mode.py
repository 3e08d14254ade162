"""In which mode an agent asks before it acts, and what people must know where it does not. Pure.

Several agents begin in a mode that approves by itself: permission requests never come then, whatever we would do with
them. What is known of an agent (its preset) says which mode asks; the session is put into it when it begins and when
it is taken up again, unless people or the configuration have chosen its mode themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..acp.events import Option
from ..config.agents import Preset

__all__ = ["Wish", "mode_of", "unasked", "wish"]


@dataclass(frozen=True, slots=True)
class Wish:
    """What to set before the agent does anything, or what to tell people because it cannot be set; "" for nothing."""

    option_id: str = ""
    value: str | bool = ""
    complaint: str = ""


NOTHING = Wish()


def wish(
    preset: Preset | None, name: str, options: Sequence[Option], chosen: Mapping[str, str | bool], *, is_set: bool
) -> Wish:
    """Return what has to be done so that an agent called `name`, of which `preset` is known, asks before it acts.

    `chosen` is what people and the configuration want set; `is_set`: that is set by somebody else in any case.
    """
    if preset is None:
        return NOTHING
    if preset.asks == "never":
        return Wish(complaint=f"⚠ {name} never asks before it acts: it may do whatever your user may.")
    if preset.asks == "unknown":
        text = "⚠ Nobody has checked whether {} asks before it acts: it may do whatever your user may."
        return Wish(complaint=text.format(name))
    mode = mode_of(options)
    if mode is not None and mode.id in chosen:  # somebody has decided
        value = chosen[mode.id]
        return NOTHING if is_set or mode.value == value else Wish(mode.id, value)
    if preset.ask_mode is None:
        return NOTHING
    if mode is None or not any(choice.value == preset.ask_mode for choice in mode.choices):
        why = "it has no such mode"
        return NOTHING if preset.asks == "default" else Wish(complaint=unasked(name, preset.ask_mode, why))
    return NOTHING if mode.value == preset.ask_mode else Wish(mode.id, preset.ask_mode)


def unasked(name: str, mode: str | bool, why: str) -> str:
    """Return what people are told where an agent could not be put into the mode in which it asks."""
    return (
        f"⚠ {name} could not be put into its mode “{mode}”, in which it asks before it acts: {why}. It may act unasked."
    )


def mode_of(options: Sequence[Option]) -> Option | None:
    """Return the option that is the agent's mode, None if it has none."""
    related = [option for option in options if "mode" in (option.category, option.id)]
    return next((option for option in related if option.id == "mode"), next(iter(related), None))
