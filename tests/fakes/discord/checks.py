"""The forms that clients send, against Discord's documented limits. Pure: raises ApiError, changes nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from tests.fakes.discord.errors import ApiError, invalid_form
from tests.fakes.discord.mentions import check_allowed
from tests.fakes.discord.things import Json, Message

__all__ = ["EDITABLE", "MESSAGE", "check_command", "check_message", "check_modal", "check_name"]

EDITABLE = frozenset({"content", "embeds", "flags", "allowed_mentions", "components", "attachments", "tts"})
"""Fields of an edit. `tts` means nothing there, but clients send it and the service takes it."""

MESSAGE = EDITABLE | {"nonce", "enforce_nonce", "message_reference", "sticker_ids", "poll"}
"""Fields of a new message."""

# Component type → field → most characters.
LENGTHS: dict[int, dict[str, int]] = {
    2: {"label": 80, "custom_id": 100, "url": 512},
    4: {"label": 45, "custom_id": 100, "placeholder": 100, "value": 4000},
    **{kind: {"custom_id": 100, "placeholder": 150} for kind in (3, 5, 6, 7, 8)},
    10: {"content": 4000},
    18: {"label": 45, "description": 100},
}
SELECTS = frozenset({3, 5, 6, 7, 8})
KNOWN = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 17, 18, 19, 21, 22, 23})
OPTION = {"label": 100, "value": 100, "description": 100}
EMBED = {"title": 256, "description": 4096}
COMMAND_NAME = re.compile(r"^[-_'\w]{1,32}$")
V2 = 1 << 15


def check_message(form: Json, files: int, *, old: Message | None = None) -> None:
    """Raise ApiError 50035 for a broken limit, 50006 for a message (edited: what is left of one) with nothing in it."""
    content = form.get("content")
    if content is not None and not isinstance(content, str):
        raise invalid_form("content", "Could not interpret value as string.", "STRING_TYPE_CONVERT")
    if content is not None and len(content.strip()) > 2000:
        raise invalid_form("content", "Must be 2000 or fewer in length.")
    if len(str(form.get("nonce") or "")) > 25:
        raise invalid_form("nonce", "Must be 25 or fewer in length.")
    if len(form.get("attachments") or []) > 10 or files > 10:
        raise invalid_form("attachments", "Must be 10 or fewer in length.")
    check_allowed(form.get("allowed_mentions"))
    _check_embeds(form.get("embeds") or [])
    flags = int(form.get("flags") or (old.flags if old else 0))
    _check_components(form.get("components") or [], is_v2=bool(flags & V2))
    if flags & V2 and (content or form.get("embeds")):
        raise invalid_form("content", "The 'content' field cannot be used with MessageFlags.IS_COMPONENTS_V2.")
    _check_emptiness(form, files, old)


def _check_emptiness(form: Json, files: int, old: Message | None) -> None:
    def left(field: str, before: Any) -> Any:
        return form.get(field, before)

    text = (left("content", old.content if old else "") or "").strip()
    rest = [
        left("embeds", old.embeds if old else None),
        left("components", old.components if old else None),
        left("attachments", old.attachments if old else None),
        form.get("sticker_ids"),
        form.get("poll"),
        files,
    ]
    is_forward = (form.get("message_reference") or {}).get("type") == 1
    if not text and not any(rest) and not is_forward:
        raise ApiError(50006)


def _check_embeds(embeds: list[Json]) -> None:
    if len(embeds) > 10:
        raise invalid_form("embeds", "Must be 10 or fewer in length.")
    for index, embed in enumerate(embeds):
        where, fields = f"embeds.{index}", embed.get("fields") or []
        if len(fields) > 25:
            raise invalid_form(f"{where}.fields", "Must be 25 or fewer in length.")
        _check_lengths(embed, EMBED, where)
        _check_lengths(embed.get("footer") or {}, {"text": 2048}, f"{where}.footer")
        _check_lengths(embed.get("author") or {}, {"name": 256}, f"{where}.author")
        for number, field in enumerate(fields):
            _check_lengths(field, {"name": 256, "value": 1024}, f"{where}.fields.{number}")
    texts = [text for embed in embeds for text in _embed_texts(embed)]
    if sum(map(len, texts)) > 6000:
        raise invalid_form("embeds", "Embed size exceeds maximum size of 6000", "MAX_EMBED_SIZE_EXCEEDED")


def _embed_texts(embed: Json) -> Iterable[str]:
    yield embed.get("title") or ""
    yield embed.get("description") or ""
    yield (embed.get("footer") or {}).get("text") or ""
    yield (embed.get("author") or {}).get("name") or ""
    for field in embed.get("fields") or []:
        yield field.get("name") or ""
        yield field.get("value") or ""


def _check_lengths(thing: Json, limits: dict[str, int], where: str) -> None:
    for field, most in limits.items():
        if len(str(thing.get(field) or "")) > most:
            raise invalid_form(f"{where}.{field}", f"Must be {most} or fewer in length.")


def _check_components(components: list[Json], *, is_v2: bool) -> None:
    if not is_v2 and len(components) > 5:
        raise invalid_form("components", "Must be between 1 and 5 in length.")
    ids: Counter[str] = Counter()
    total = 0
    for index, component in enumerate(components):
        if not is_v2 and component.get("type") != 1:
            raise invalid_form(f"components.{index}.type", "Value of field must be 1.", "UNION_TYPE_CHOICES")
        for part, where in _walk(component, f"components.{index}"):
            total += 1
            _check_part(part, where)
            ids.update([part["custom_id"]] if part.get("custom_id") else [])
    if total > 40 + (0 if is_v2 else 5):
        raise invalid_form("components", "The maximum number of components is 40.")
    if twice := [name for name, count in ids.items() if count > 1]:
        raise invalid_form("components", f"Component custom id {twice[0]!r} cannot be duplicated", "DUPLICATED")


def _walk(component: Json, where: str) -> Iterable[tuple[Json, str]]:
    yield component, where
    for index, inner in enumerate(component.get("components") or []):
        yield from _walk(inner, f"{where}.components.{index}")
    for key in ("accessory", "component"):
        if key in component:
            yield from _walk(component[key], f"{where}.{key}")


def _check_part(part: Json, where: str) -> None:
    kind = part.get("type")
    if kind not in KNOWN:
        raise invalid_form(f"{where}.type", f"Unknown component type {kind!r}.", "UNION_TYPE_CHOICES")
    _check_lengths(part, LENGTHS.get(kind, {}), where)
    if kind == 1:
        _check_row(part.get("components") or [], where)
    elif kind == 2:
        _check_button(part, where)
    elif kind in SELECTS:
        _check_select(part, where)


def _check_row(inner: list[Json], where: str) -> None:
    if not 1 <= len(inner) <= 5:
        raise invalid_form(f"{where}.components", "Must be between 1 and 5 in length.")
    if any(part.get("type") != 2 for part in inner) and len(inner) > 1:
        raise invalid_form(f"{where}.components", "The specified component exceeds the maximum width")


def _check_button(button: Json, where: str) -> None:
    target = {5: "url", 6: "sku_id"}.get(int(button.get("style") or 0), "custom_id")
    if not button.get(target):
        raise invalid_form(f"{where}.{target}", "This field is required", "BASE_TYPE_REQUIRED")
    if target != "sku_id" and not button.get("label") and not button.get("emoji"):
        raise invalid_form(f"{where}.label", "A button must have a label or emoji")


def _check_select(select: Json, where: str) -> None:
    if not select.get("custom_id"):
        raise invalid_form(f"{where}.custom_id", "This field is required", "BASE_TYPE_REQUIRED")
    least, most = select.get("min_values", 1), select.get("max_values", 1)
    if not 0 <= least <= 25 or not 1 <= most <= 25 or least > most:
        raise invalid_form(f"{where}.max_values", "int value should be between 1 and 25.", "NUMBER_TYPE_MAX")
    if select["type"] != 3:
        return
    options = select.get("options") or []
    if not 1 <= len(options) <= 25:
        raise invalid_form(f"{where}.options", "Must be between 1 and 25 in length.")
    if len({option.get("value") for option in options}) < len(options):
        raise invalid_form(f"{where}.options", "The specified option value is already used", "DUPLICATED")
    for index, option in enumerate(options):
        _check_lengths(option, OPTION, f"{where}.options.{index}")
        if not option.get("label") or not option.get("value"):
            raise invalid_form(f"{where}.options.{index}.label", "This field is required", "BASE_TYPE_REQUIRED")


def check_modal(data: Json) -> None:
    """Raise ApiError 50035 for a modal that Discord would not show."""
    _check_lengths(data, {"title": 45, "custom_id": 100}, "data")
    parts = data.get("components") or []
    if not data.get("title") or not data.get("custom_id"):
        raise invalid_form("data.title", "This field is required", "BASE_TYPE_REQUIRED")
    if not 1 <= len(parts) <= 5:
        raise invalid_form("data.components", "Must be between 1 and 5 in length.")
    for index, part in enumerate(parts):
        for inner, where in _walk(part, f"data.components.{index}"):
            if inner.get("type") == 2:
                raise invalid_form(f"{where}.type", "A modal takes no buttons.", "UNION_TYPE_CHOICES")
            _check_part(inner, where)


def check_name(form: Json, *, required: bool) -> None:
    """Raise ApiError 50035 unless the `name` of a channel or thread has 1 to 100 characters."""
    name = form.get("name")
    if name is None and not required:
        return
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= 100:
        raise invalid_form("name", "Must be between 1 and 100 in length.")


def check_command(command: Json, where: str) -> None:
    """Raise ApiError 50035 for a command that Discord would not register."""
    kind, name, text = command.get("type", 1), str(command.get("name") or ""), str(command.get("description") or "")
    if kind == 1:
        _check_chat_name(name, where)
        if not 1 <= len(text) <= 100:
            raise invalid_form(f"{where}.description", "Must be between 1 and 100 in length.")
        _check_options(command.get("options") or [], where)
    elif not 1 <= len(name) <= 32 or text:
        raise invalid_form(f"{where}.name", "A menu entry has a name of 1 to 32 characters and no description.")


def _check_chat_name(name: str, where: str) -> None:
    if not COMMAND_NAME.match(name) or name != name.lower():
        raise invalid_form(f"{where}.name", "Command name is invalid", "APPLICATION_COMMAND_INVALID_NAME")


def _check_options(options: list[Json], where: str) -> None:
    if len(options) > 25:
        raise invalid_form(f"{where}.options", "Must be 25 or fewer in length.")
    seen_optional = False
    for index, option in enumerate(options):
        here = f"{where}.options.{index}"
        _check_chat_name(str(option.get("name") or ""), here)
        if not 1 <= len(str(option.get("description") or "")) <= 100:
            raise invalid_form(f"{here}.description", "Must be between 1 and 100 in length.")
        if option.get("required") and seen_optional:
            raise invalid_form(here, "Required options must be placed before non-required options", "REQUIRED_FIRST")
        seen_optional = seen_optional or not option.get("required")
        if len(option.get("choices") or []) > 25:
            raise invalid_form(f"{here}.choices", "Must be 25 or fewer in length.")
        if option.get("type") in {1, 2}:
            _check_options(option.get("options") or [], here)
