"""`[discord]`: the defaults that others rely on, what does not go together, and the secrets that are never shown."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from openab_sync.config import Config, DiscordConfig, PoolConfig
from openab_sync.config.discord import sharded
from openab_sync.errors import ConfigError


def discord(**keys: Any) -> DiscordConfig:
    return DiscordConfig(bot_token="x", **keys)


def test_nobody_is_let_in_and_nothing_is_heard_that_was_not_asked_for() -> None:
    plain = discord()
    assert (plain.allow_all_users, plain.admits_somebody, plain.allow_dm) == (False, False, False)
    assert (plain.allow_bot_messages, plain.allow_user_messages) == ("off", "multibot-mentions")


def test_the_defaults_that_a_file_of_openab_relies_on_hold() -> None:
    plain = discord()
    assert (plain.max_bot_turns, plain.allowed_role_ids, plain.trusted_bot_ids) == (100, (), ())
    assert plain.admits_all_channels


@pytest.mark.parametrize("keys", [{"allow_all_users": True}, {"allowed_users": ("1",)}, {"allowed_roles": ("1",)}])
def test_each_way_to_let_somebody_in_counts(keys: dict[str, Any]) -> None:
    assert discord(**keys).admits_somebody


def test_a_role_that_wakes_the_bot_lets_nobody_in() -> None:
    assert not discord(allowed_role_ids=("1",)).admits_somebody


@pytest.mark.parametrize(
    ("flag", "channels", "everywhere"),
    [(None, (), True), (None, ("1",), False), (True, ("1",), True), (False, (), False), (False, ("1",), False)],
)
def test_an_explicit_flag_wins_over_what_the_list_of_channels_means(
    flag: bool | None, channels: tuple[str, ...], everywhere: bool
) -> None:
    assert discord(allow_all_channels=flag, allowed_channels=channels).admits_all_channels is everywhere


def test_what_it_says_about_messages_wins_over_the_pool() -> None:
    pool = PoolConfig(max_buffered_messages=7, max_batch_tokens=9)
    assert discord().pooled(pool) == pool
    ours = discord(message_processing_mode="per-lane", max_batch_tokens=5).pooled(pool)
    assert (ours.message_processing_mode, ours.max_buffered_messages, ours.max_batch_tokens) == ("per-lane", 7, 5)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"shard_ids": (0,)}, "shard_ids need shard_count"),
        ({"shard_ids": (0, 2), "shard_count": 2}, "shard_ids go from 0 to 1 where shard_count is 2"),
        ({"shard_ids": (1, 1), "shard_count": 2}, "names a shard twice"),
        ({"api_url": "discord.example"}, "api_url must begin with"),
        ({"proxy": "socks5://h"}, "proxy must begin with"),
    ],
)
def test_what_does_not_go_together_is_refused(keys: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        discord(**keys)


def test_shards_may_be_counted_without_being_named() -> None:
    assert discord(shard_count=2).shard_ids == ()
    assert discord(shard_ids=(0, 1), shard_count=2).shard_count == 2


@pytest.mark.parametrize(("token", "words"), [("", "is empty"), (" \n", "is empty"), ("Bot abc", "the token alone")])
def test_what_cannot_be_a_token_is_refused_without_showing_it(token: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        DiscordConfig(bot_token=token)
    assert "abc" not in str(caught.value)


def test_a_token_may_end_in_a_line_break() -> None:
    assert DiscordConfig(bot_token="abc\n").bot_token == "abc\n"


def test_no_repr_shows_a_secret() -> None:
    text = repr(DiscordConfig(bot_token="hunter2", proxy="http://me:hunter2@h", allowed_users=("1",)))
    assert text == "<DiscordConfig channels=[] users=['1']>"


def test_one_file_serves_every_shard_of_a_bot() -> None:
    config = Config(discord=discord(shard_count=8))
    one = sharded(config, "1/2").discord
    assert one is not None
    assert (one.shard_ids, one.shard_count, one.bot_token) == ((1,), 2, "x")


@pytest.mark.parametrize("shard", ["", "1", "2/2", "-1/2", "1/0", "a/b", "1/2/3", "²/3"])
def test_what_is_no_shard_is_refused_with_an_example(shard: str) -> None:
    with pytest.raises(ConfigError, match=r"--shard: expected N/COUNT.*0/2"):
        sharded(Config(discord=discord()), shard)


def test_without_discord_there_are_no_shards() -> None:
    with pytest.raises(ConfigError, match="no section"):
        sharded(Config(), "0/1")


@pytest.mark.parametrize(
    ("lists", "admins"),
    [
        ({"allowed_users": ["1"]}, ("1",)),
        ({"allowed_users": ["1", "2"]}, ()),
        ({"allowed_users": ["1"], "allowed_roles": ["3"]}, ()),
        ({"allowed_users": ["1"], "allow_all_users": True}, ()),
        ({"allowed_users": ["1"], "admin_users": ["2"]}, ("2",)),
        ({"allowed_users": ["1"], "admin_roles": ["3"]}, ()),
    ],
)
def test_a_bot_that_serves_one_person_alone_is_that_persons(lists: dict[str, object], admins: tuple[str, ...]) -> None:
    assert msgspec.convert({"bot_token": "x", **lists}, DiscordConfig).admins == admins


def test_an_admin_is_somebody_whom_it_serves() -> None:
    assert DiscordConfig(bot_token="x", admin_users=("1",)).admits_somebody
    assert not DiscordConfig(bot_token="x", allowed_guilds=("1",)).admits_somebody
