"""One model of what can be set in a session: config options, modes and models, in whichever of the shapes they came.

An agent may offer the same thing twice, as a config option and as `modes` (or the older `models`): the config option
wins and moves with both. One odd option never costs the others. Not thread-safe: belongs to the peer of one session.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ..errors import AgentRefused
from .answers import ConfigEntry, ModelState, ModeState, NamedEntry
from .events import Choice, Noise, Option
from .salvage import Loss, fit

__all__ = ["OptionBook", "Order", "order"]

Via = Literal["mode", "model"]

_WORDS = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}


class OptionBook:
    """All options of one session as they are now. Each method that takes something in returns what it had to drop."""

    __slots__ = ("_config", "_mode", "_model", "options")

    def __init__(self) -> None:
        self._config: tuple[Option, ...] = ()
        self._mode: Option | None = None  # as `modes` told it; hidden while a config option is the same thing
        self._model: Option | None = None  # as `models` told it; likewise
        self.options: tuple[Option, ...] = ()

    def __repr__(self) -> str:
        return f"<OptionBook {' '.join(f'{option.id}={option.value}' for option in self.options)}>"

    def take(self, result: dict[str, object]) -> list[Loss]:
        """Take in what an answer tells (`configOptions`, `modes`, `models`); what it does not name stays as it was."""
        losses: list[Loss] = []
        if isinstance(entries := result.get("configOptions"), list):
            losses += self.take_config(entries)
        if result.get("modes") is not None and (modes := fit(result["modes"], ModeState, losses)) is not None:
            self._mode = _named("mode", modes.current_mode_id, modes.available_modes)
        if result.get("models") is not None and (models := fit(result["models"], ModelState, losses)) is not None:
            self._model = _named("model", models.current_model_id, models.available_models)
        self._arrange()
        return losses

    def take_config(self, entries: Sequence[object]) -> list[Loss]:
        """Take in the whole new list of config options."""
        losses: list[Loss] = []
        found: dict[str, Option] = {}
        for value in entries:
            entry = fit(value, ConfigEntry, losses)
            option = None if entry is None else _config_option(entry, losses)
            if option is not None:
                found.setdefault(option.id, option)
        self._config = tuple(found.values())
        self._arrange()
        return losses

    def move(self, via: Via, value: str) -> None:
        """Set the mode or the model to a value: the agent has said so, or has accepted ours."""
        own = self._mode if via == "mode" else self._model
        twin = _twin(own or Option(via, via, value, category=via, via=via), self._config)
        if twin is not None and (own is not None or _offers(twin, value)):
            self._config = tuple(replace(one, value=value) if one is twin else one for one in self._config)
        if via == "mode" and self._mode is not None:
            self._mode = replace(self._mode, value=value)
        elif via == "model" and self._model is not None:
            self._model = replace(self._model, value=value)
        self._arrange()

    def _arrange(self) -> None:
        others = [one for one in (self._mode, self._model) if one is not None and _twin(one, self._config) is None]
        self.options = (*self._config, *others)


# The shapes.


def _config_option(entry: ConfigEntry, losses: list[Loss]) -> Option | None:
    name, category, about = entry.name or entry.id, entry.category or "", entry.description or ""
    if entry.type == "boolean" or (entry.type is None and isinstance(entry.current_value, bool)):
        return Option(entry.id, name, entry.current_value is True, "boolean", category, about)
    if entry.type not in ("select", None):
        losses.append(Noise(f"dropped: a config option of the unknown type {entry.type[:80]!r}", entry.id))
        return None
    choices: dict[str, Choice] = {}
    for value in entry.options or ():
        for choice in _choices(value, losses):
            choices.setdefault(choice.value, choice)
    value = entry.current_value if isinstance(entry.current_value, str) else ""
    return Option(entry.id, name, value, "select", category, about, tuple(choices.values()))


def _choices(value: object, losses: list[Loss]) -> list[Choice]:
    """Return the choices in one item of a select: itself, or all of its group."""
    if not isinstance(value, dict) or not isinstance(value.get("options"), list):
        entry = fit(value, NamedEntry, losses)
        return [] if entry is None or (choice := _choice(entry)) is None else [choice]
    title = value.get("name") or value.get("group")
    group = title if isinstance(title, str) else ""
    inner = fit(value["options"], list[NamedEntry], losses) or []
    return [choice for entry in inner if (choice := _choice(entry, group)) is not None]


def _choice(entry: NamedEntry, group: str = "") -> Choice | None:
    given = (entry.value, entry.model_id, entry.id)
    value = next((one for one in given if one is not None), None)
    return None if value is None else Choice(value, entry.name or value, entry.description or "", group)


def _named(via: Via, current: str | None, entries: Sequence[NamedEntry]) -> Option:
    choices = {choice.value: choice for entry in reversed(entries) if (choice := _choice(entry)) is not None}
    ordered = tuple(reversed(choices.values()))
    return Option(via, via.capitalize(), current or "", "select", via, "", ordered, via)


def _twin(own: Option, config: Sequence[Option]) -> Option | None:
    """Return the config option that is the same thing as these modes or models.

    A mode's is the one of that category. Several can have the category "model" (a provider, say), so a model's is the
    one with that id or a choice in common. Some agents tell their thought level as `modes`: the same choices betray it.
    """
    selects = [one for one in config if one.kind == "select"]
    values = {choice.value for choice in own.choices}
    same = [one for one in selects if values and {choice.value for choice in one.choices} == values]
    related = [one for one in selects if own.via in (one.category, one.id)]
    if own.via == "model" and values:
        related = [one for one in related if one.id == "model" or any(_offers(one, value) for value in values)]
    by_choices = [one for one in same if one in related]
    by_id = [one for one in related if one.id == own.via]
    return next(iter(by_choices or by_id or related or same), None)


def _offers(option: Option, value: str) -> bool:
    return any(choice.value == value for choice in option.choices)


# Setting one.


@dataclass(frozen=True, slots=True)
class Order:
    """The request that sets an option: its method, its parameters but the session's id, and what then holds."""

    method: str
    params: dict[str, object]
    via: Literal["config", "mode", "model"]
    value: str | bool


def order(options: Sequence[Option], option_id: str, value: str | bool) -> Order:
    """Return the request that sets an option.

    Raise AgentRefused, naming the nearest that there is, if the agent offers no such option or no such choice.
    """
    option = next((one for one in options if one.id == option_id), None)
    if option is None:
        raise AgentRefused(_refusal("option", option_id, [one.id for one in options]))
    value = _checked(option, value)
    if option.via == "mode":
        return Order("session/set_mode", {"modeId": value}, "mode", value)
    if option.via == "model":
        return Order("session/set_model", {"modelId": value}, "model", value)
    params: dict[str, object] = {"configId": option.id, "value": value}
    if option.kind == "boolean":
        params["type"] = "boolean"
    return Order("session/set_config_option", params, "config", value)


def _checked(option: Option, value: str | bool) -> str | bool:
    if option.kind == "boolean":
        if isinstance(value, bool):
            return value
        if value.lower() not in _WORDS:
            raise AgentRefused(f"{option.id} can be on or off, not {value!r}")
        return _WORDS[value.lower()]
    if not isinstance(value, str) or (option.choices and not _offers(option, value)):
        raise AgentRefused(_refusal(f"choice of {option.id}", str(value), [choice.value for choice in option.choices]))
    return value


def _refusal(what: str, given: str, known: list[str]) -> str:
    near = difflib.get_close_matches(given, known, 1, 0.5)
    hint = f" (did you mean {near[0]!r}?)" if near else f" (there is: {', '.join(known[:20])})" if known else ""
    return f"no such {what}: {given!r}{hint}"
