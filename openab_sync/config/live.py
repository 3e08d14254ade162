"""The configuration as it is now, in one place from which all read it; and what of a new one can apply at once.

    house.config.pool.max_sessions          read where it is used, each time: nothing of it is kept
            ▲
          Live.config  ◄── replaced as a whole, by the main thread, when the file was read again

**Threads**: any reads, one attribute; the main thread replaces it. **Locks**: none. Two reads may see two
configurations: whoever needs two keys that belong together takes the section once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import msgspec

from .schema import Config

__all__ = ["LIVE", "Live", "Renewal", "renewed"]

_ALL: Collection[str] = ()

# What applies without a restart, by section: all of it, or the keys named. A key is here if everybody reads it where it
# is used; the others are looked at once: processes, connections, files and ports are made of them.
LIVE: Mapping[str, Collection[str]] = {
    "pool": _ALL,
    "reactions": _ALL,
    "markdown": _ALL,
    "permissions": _ALL,
    "reply": _ALL,
    "limits": _ALL,
    "log": ("level", "loggers"),
    "store": ("keep_days",),
    "discord": (
        "allow_all_channels",
        "allowed_channels",
        "allow_all_users",
        "allowed_users",
        "allowed_roles",
        "allowed_guilds",
        "admin_users",
        "admin_roles",
        "approver_users",
        "approver_roles",
        "allowed_role_ids",
        "allow_dm",
        "allow_user_messages",
        "allow_bot_messages",
        "trusted_bot_ids",
        "max_bot_turns",
        "message_processing_mode",
        "max_buffered_messages",
        "max_batch_tokens",
        "max_pages",
        "catch_up_hours",
    ),
    "audit": ("prompts", "keep_days"),
}


class Live:
    """Holds the configuration of now."""

    __slots__ = ("_watchers", "config")

    def __init__(self, config: Config) -> None:
        self.config = config
        self._watchers: list[Callable[[], object]] = []  # main thread

    def keep_days(self) -> float:
        """What `[store] keep_days` says now. Any thread."""
        return self.config.store.keep_days

    def watch(self, renewed: Callable[[], object]) -> None:
        """Have `renewed` called after each renewal, by the main thread; it must not block. Main thread."""
        self._watchers.append(renewed)

    def renew(self, config: Config) -> None:
        """From now on it is this one. Main thread."""
        self.config = config
        for renewed in self._watchers:
            renewed()

    @staticmethod
    def of(settings: Config | Live) -> Live:
        """Return `settings`, held: by itself if it is a configuration that never changes."""
        return settings if isinstance(settings, Live) else Live(settings)

    def __repr__(self) -> str:
        return f"<Live {self.config!r}>"


@dataclass(frozen=True, slots=True)
class Renewal:
    """What a configuration becomes that was read again: dotted keys, never their values."""

    config: Config
    """The new one, as far as it can apply at once."""
    now: tuple[str, ...] = ()
    """Keys that apply from now on."""
    later: tuple[str, ...] = ()
    """Keys, and sections, that a restart will apply."""


def renewed(old: Config, new: Config) -> Renewal:
    """Return what `old` becomes when `new` was read. Pure."""
    now, later, sections = list[str](), list[str](), dict[str, object]()
    for field in msgspec.structs.fields(Config):
        was, will = getattr(old, field.name), getattr(new, field.name)
        if was == will:
            continue
        if was is None or will is None or field.name not in LIVE:
            later.append(field.name if was is None or will is None else _named(field.name, _changed(was, will)))
            continue
        changed = _changed(was, will)
        live = [key for key in changed if LIVE[field.name] is _ALL or key in LIVE[field.name]]
        sections[field.name] = msgspec.structs.replace(was, **{key: getattr(will, key) for key in live})
        now += [f"{field.name}.{key}" for key in live]
        later += [f"{field.name}.{key}" for key in changed if key not in live]
    return Renewal(msgspec.structs.replace(old, **sections), tuple(now), tuple(later))


def _changed(was: msgspec.Struct, will: msgspec.Struct) -> list[str]:
    return [key for key in was.__struct_fields__ if getattr(was, key) != getattr(will, key)]


def _named(section: str, keys: list[str]) -> str:
    return ", ".join(f"{section}.{key}" for key in keys)
