"""What of a configuration that was read again applies at once, and what is named only."""

from __future__ import annotations

import msgspec
import pytest

from openab_sync.config.check import given
from openab_sync.config.live import _ALL, LIVE, Live, renewed
from openab_sync.config.schema import Config, DiscordConfig

BOT = {"bot_token": "a.b.c", "allowed_users": ["1"]}


def config(**sections: object) -> Config:
    return msgspec.convert({"discord": BOT, **sections}, Config)


@pytest.mark.parametrize("section", LIVE)
def test_what_applies_at_once_is_there(section: str) -> None:
    known = {field.name: field.type for field in msgspec.structs.fields(Config)}
    assert [key for key in LIVE[section] if key not in given(known[section]).__struct_fields__] == []


def test_whoever_may_no_longer_may_not_from_now_on() -> None:
    """Every list of people, roles and places applies at once: nobody is let in until the next restart."""
    lists = ("allow", "admin", "approv", "trust")
    keys = [key for key in DiscordConfig.__struct_fields__ if key.startswith(lists)]
    assert len(keys) >= 10
    assert set(keys) <= set(LIVE["discord"])


def test_nothing_has_changed() -> None:
    assert renewed(config(), config()).now == renewed(config(), config()).later == ()


def test_who_may_and_limits_and_reactions_apply_at_once() -> None:
    new = config(
        discord={**BOT, "allowed_users": ["1", "2"], "allow_dm": True},
        pool={"max_sessions": 3},
        reactions={"enabled": False, "emojis": {"done": "✅"}},
        permissions={"timeout_secs": 5},
        log={"level": "debug"},
    )
    renewal = renewed(config(), new)
    assert renewal.config == new
    assert renewal.later == ()
    assert renewal.now == (
        "pool.max_sessions", "reactions.enabled", "reactions.emojis", "permissions.timeout_secs",
        "discord.allowed_users", "discord.allow_dm", "log.level",
    )  # fmt: skip


def test_what_processes_and_connections_are_made_of_is_named_and_stays() -> None:
    new = config(
        agent={"command": "other", "env": {"KEY": "hunter2"}},
        discord={**BOT, "bot_token": "x.y.z", "allowed_users": ["2"]},
        store={"path": "/elsewhere"},
    )
    renewal = renewed(config(), new)
    assert renewal.config == config(discord={**BOT, "allowed_users": ["2"]})
    assert renewal.now == ("discord.allowed_users",)
    assert set(", ".join(renewal.later).split(", ")) == {
        "agent.command", "agent.env", "discord.bot_token", "store.path",
    }  # fmt: skip
    assert "hunter2" not in repr(renewal.later)


def test_a_section_that_comes_or_goes_waits_for_a_restart() -> None:
    renewal = renewed(config(), Config())
    assert (renewal.config, renewal.now, renewal.later) == (config(), (), ("discord",))


def test_everybody_reads_the_same_and_is_told() -> None:
    live, told = Live(config()), list[int]()
    assert Live.of(live) is live
    assert Live.of(config()).config == config()
    live.watch(lambda: told.append(live.config.pool.max_sessions))
    live.renew(config(pool={"max_sessions": 7}))
    assert told == [7]
    assert "a.b.c" not in repr(live)


def test_a_whole_section_is_not_the_empty_one() -> None:
    """The mark for "all of it" is told by what it is, not by what is in it."""
    assert LIVE["pool"] is _ALL
    assert LIVE["discord"] is not _ALL
