"""Commands and modals from the person's side: what the chat program would find, allow and send. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tests.fakes.discord import payloads
from tests.fakes.discord.things import App, Channel, Json, Message, User
from tests.fakes.discord.world import World

__all__ = ["chat_data", "filled", "lookup", "menu_data"]

# Type of an option → what Python has for it.
KINDS: dict[int, type | tuple[type, ...]] = {3: str, 4: int, 5: bool, 10: (int, float)}


def lookup(apps: Iterable[App], channel: Channel, name: str, kind: int) -> tuple[App, Json]:
    """The app that has this command, and the command. Raise LookupError naming those that there are."""
    guild = channel.guild.id if channel.guild else None
    there: list[str] = []
    for app in apps:
        if (command := app.find_command(guild, name, kind)) is not None:
            return app, command
        there += [one["name"] for scope in app.commands.values() for one in scope.values() if one["type"] == kind]
    raise LookupError(f"there is no command {name!r} of kind {kind}; there are {sorted(set(there))}")


def chat_data(command: Json, path: list[str], options: Mapping[str, Any], focused: str = "") -> Json:
    """The data of a slash command; `path` leads to a subcommand. Raise LookupError for options it does not take."""
    data: Json = {"id": command["id"], "name": command["name"], "type": 1}
    if "guild_id" in command:
        data["guild_id"] = command["guild_id"]
    level, here = data, command
    for name in path:
        here = _option(here, name)
        inner: Json = {"name": name, "type": here["type"]}
        level["options"] = [inner]
        level = inner
    given = [_given(_option(here, name), value, is_focused=name == focused) for name, value in options.items()]
    missing = [one["name"] for one in here.get("options") or [] if one.get("required") and one["name"] not in options]
    if missing and not focused:
        raise LookupError(f"{command['name']} wants {missing}")
    level["options"] = given
    return data


def _option(command: Json, name: str) -> Json:
    for option in command.get("options") or []:
        if option["name"] == name:
            found: Json = option
            return found
    raise LookupError(
        f"{command['name']} has no {name!r}, only {[one['name'] for one in command.get('options') or []]}"
    )


def _given(option: Json, value: Any, *, is_focused: bool) -> Json:
    if is_focused:
        if not option.get("autocomplete"):
            raise LookupError(f"{option['name']} does not complete itself")
        return {"name": option["name"], "type": option["type"], "value": value, "focused": True}
    wanted = KINDS.get(option["type"])
    if wanted is None:
        value = str(value.id)
    elif not isinstance(value, wanted) or (option["type"] == 4 and isinstance(value, bool)):
        raise LookupError(f"{option['name']} takes no {value!r}")
    choices = [choice["value"] for choice in option.get("choices") or []]
    if choices and value not in choices:
        raise LookupError(f"{value!r} is not among {choices}")
    if isinstance(value, str) and not option.get("min_length", 0) <= len(value) <= option.get("max_length", 6000):
        raise LookupError(f"{option['name']} takes no text of {len(value)} characters")
    return {"name": option["name"], "type": option["type"], "value": value}


def menu_data(world: World, command: Json, target: Message | User, app: App) -> Json:
    """The data of an entry of a context menu."""
    resolved: Json = {}
    if isinstance(target, Message):
        resolved["messages"] = {str(target.id): payloads.message_json(world, target, app)}
    else:
        resolved["users"] = {str(target.id): payloads.user_json(target)}
    return {
        "id": command["id"], "name": command["name"], "type": command["type"], "target_id": str(target.id),
        "resolved": resolved,
    }  # fmt: skip


def filled(modal: Json, values: Mapping[str, str | list[str]]) -> list[Json]:
    """The parts of a modal with what was typed. Raise LookupError for inputs that it has not, or does not take."""
    inputs = [part.get("component") or part["components"][0] for part in modal["components"] if part["type"] in {1, 18}]
    if unknown := set(values) - {one["custom_id"] for one in inputs}:
        raise LookupError(f"the modal has no {sorted(unknown)}")
    return [_filled_part(part, values) for part in modal["components"] if part["type"] in {1, 18}]


def _filled_part(part: Json, values: Mapping[str, str | list[str]]) -> Json:
    one = part.get("component") or part["components"][0]
    value = values.get(one["custom_id"], one.get("value") or "")
    least = one.get("min_length", 1 if one.get("required", True) else 0)
    if one["type"] == 4 and not (least <= len(value) <= one.get("max_length", 4000) or (not value and not least)):
        raise LookupError(f"{one['custom_id']} takes no text of {len(value)} characters")
    said: Json = {"type": one["type"], "custom_id": one["custom_id"], "id": 1}
    chosen = value if isinstance(value, list) else [value] if value else []
    said |= {"value": value} if one["type"] == 4 else {"values": chosen}
    if part["type"] == 18:
        return {"type": 18, "id": 1, "component": said}
    return {"type": 1, "id": 1, "components": [said]}
