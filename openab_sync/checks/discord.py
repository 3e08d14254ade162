"""Does Discord know the bot, and may it do where it listens what it has to?"""

from __future__ import annotations

from collections.abc import Iterator

from ..config.schema import DiscordConfig
from ..core.message import Person
from ..errors import ChatError, ConfigError
from ..platforms.discord.meeting import meet
from ..platforms.discord.visit import PATIENCE, Channel, Visit, look_around, visit
from .finding import Finding, fail, ok, warn

__all__ = ["Visit", "await_somebody", "check_discord", "judge", "look"]

FEW = 50  # starts left of a day's thousand
OFF = 5.0  # seconds that clocks may differ
MOST_NAMED = 5  # channels in a line


def look(config: DiscordConfig, patience: float = PATIENCE) -> Visit:
    """Log in, look around, leave. Blocks; raise ConfigError (token, intent) or ChatError (Discord is away)."""
    return visit(config, look_around, patience)


def await_somebody(config: DiscordConfig, patience: float) -> Person:
    """Return the first person who writes to the bot, or reacts where it sees it. Blocks; raises as `look`.

    ChatTimeout if nobody does within `patience` seconds.
    """
    return visit(config, meet, patience)


def check_discord(config: DiscordConfig, patience: float = PATIENCE) -> Iterator[Finding]:
    """Log in, look around, leave. Blocks for `patience` seconds at most."""
    try:
        seen = look(config, patience)
    except ConfigError as error:
        yield fail("discord", error.message, error.hint or "look at [discord]")
        return
    except ChatError as error:
        yield fail("discord", str(error), "try again later; is there a proxy to be named in [discord] proxy?")
        return
    yield from judge(config, seen)


def judge(config: DiscordConfig, seen: Visit) -> Iterator[Finding]:
    """Say what was seen. Pure."""
    yield ok("discord", f"the token is that of {seen.bot}, and it may read messages")
    if seen.starts_left < FEW:
        text = f"it may begin {seen.starts_left} more connections today"
        yield warn("discord", text, "what restarts it all the time?")
    if seen.clock_off is not None and abs(seen.clock_off) > OFF:
        way = "ahead of" if seen.clock_off > 0 else "behind"
        text = f"this machine's clock is {abs(seen.clock_off):.0f} s {way} Discord's"
        yield warn("clock", text, "synchronise it (systemd-timesyncd, chrony)")
    elif seen.clock_off is not None:
        yield ok("clock", "as Discord's")
    if not seen.guilds:
        yield fail("discord", "the bot is on no server", f"open {seen.invitation}")
    for guild in seen.guilds:
        if guild.missing:
            text = f"on {guild.name} it lacks: {', '.join(guild.missing)}"
            yield warn("discord", text, f"give its role these permissions, or open {seen.invitation} once more")
        else:
            count = len(guild.channels)
            channels = f"{count} channel{'' if count == 1 else 's'}"
            yield ok("discord", f"on {guild.name} it has all permissions, and sees {channels}")
    yield from _channels(config, seen)
    yield from _people(config)


def _channels(config: DiscordConfig, seen: Visit) -> Iterator[Finding]:
    known = {channel.id: channel for guild in seen.guilds for channel in guild.channels}
    if config.admits_all_channels:
        yield from _lacking(list(known.values()))
        return
    unseen = [number for number in config.allowed_channels if number not in known]
    if unseen:
        text = f"of [discord] allowed_channels it does not see {', '.join(unseen)}"
        yield warn("discord", text, "a category; or Edit Channel, Permissions: add its role, with View Channel")
    yield from _lacking([known[number] for number in config.allowed_channels if number in known])


def _lacking(channels: list[Channel]) -> Iterator[Finding]:
    """A line for each set of permissions that is missing somewhere."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for channel in channels:
        if channel.missing:
            groups.setdefault(channel.missing, []).append(f"#{channel.name}")
    for missing, names in groups.items():
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        text = f"in {', '.join(names[:MOST_NAMED])}{more} it lacks: {', '.join(missing)}"
        yield warn("discord", text, "Edit Channel, Permissions: add its role")


def _people(config: DiscordConfig) -> Iterator[Finding]:
    if not config.admits_somebody:
        yield fail("discord", "nobody may talk to the bot", 'add allowed_users = ["your id"] to [discord]')
    elif config.allow_all_users:
        yield warn("discord", "everybody may talk to it who can write where it listens", "allowed_users, allowed_roles")
