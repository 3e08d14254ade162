"""Who sees which conversation: by what Discord shows them, and nothing that is not known."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import discord
import pytest

from openab_sync.config import DiscordConfig
from openab_sync.core.message import Conversation
from openab_sync.platforms.discord.seeing import MOST, Sight
from openab_sync.store import Known

SEEN, HIDDEN = discord.Permissions(view_channel=True), discord.Permissions()
MODERATOR = discord.Permissions(view_channel=True, manage_threads=True)


class Guild:
    """A server that knows some of its members."""

    def __init__(self) -> None:
        self.members: dict[int, Any] = {}

    def get_member(self, number: int) -> Any:
        return self.members.get(number)


class Member(discord.Member):
    """Somebody on a server."""

    def __init__(self, number: int, guild: Guild) -> None:
        self.guild = guild  # type: ignore[assignment]  # as far as seeing goes
        self._user = SimpleNamespace(id=number, bot=False)  # type: ignore[assignment]  # ditto


class Text(discord.TextChannel):
    """A channel in which everybody may do the same."""

    def __init__(self, guild: Guild, may: discord.Permissions) -> None:
        self.guild, self.may = guild, may  # type: ignore[assignment]  # ditto

    def permissions_for(self, obj: object, /) -> discord.Permissions:
        return self.may


class Thread(discord.Thread):
    """A thread in which everybody may do the same."""

    id = 7

    parent: Any = None
    members: Any = ()

    def __init__(self, guild: Guild, may: discord.Permissions, *, private: bool = False) -> None:
        self.guild, self.may, self.private, self.parent = guild, may, private, object()  # type: ignore[assignment]

    def permissions_for(self, obj: object, /) -> discord.Permissions:
        return self.may

    def is_private(self) -> bool:
        return self.private


class Desk:
    """A sight over channel 7, and Ann, whose id is 1."""

    def __init__(self) -> None:
        self.channel: Any = None
        self.people: tuple[str, ...] = ()
        self.guild = Guild()
        self.ann = Member(1, self.guild)
        books = SimpleNamespace(conversations=SimpleNamespace(get=lambda key: Known(key, people=self.people)))
        client = SimpleNamespace(get_channel=lambda number: self.channel if number == 7 else None)
        config = DiscordConfig(bot_token="x", approver_users=("1",))
        self.sight = Sight(SimpleNamespace(client=client, books=books, discord=config))  # type: ignore[arg-type]  # as far as seeing goes

    def sees(self, user: Any = None, where: str = "7", platform: str = "discord") -> bool:
        return self.sight.of(user or self.ann).sees(Conversation(platform, where))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_what_is_not_known_is_not_seen(desk: Desk) -> None:
    assert not desk.sees()
    assert not desk.sees(where="x")
    desk.channel = Text(desk.guild, SEEN)
    assert desk.sees() and not desk.sees(platform="test") and not desk.sees(where="8")


def test_a_channel_is_seen_by_whoever_may_view_it(desk: Desk) -> None:
    desk.channel = Text(desk.guild, HIDDEN)
    assert not desk.sees()


def test_somebody_on_another_server_sees_what_that_member_would(desk: Desk) -> None:
    stranger = Member(2, Guild())
    desk.channel = Text(desk.guild, SEEN)
    assert not desk.sees(stranger)
    desk.guild.members[2] = Member(2, desk.guild)
    assert desk.sees(stranger)


def test_a_thread_is_seen_where_its_channel_is(desk: Desk) -> None:
    desk.channel = Thread(desk.guild, SEEN)
    assert desk.sees()
    desk.channel = Thread(desk.guild, HIDDEN)
    assert not desk.sees()
    desk.channel = Thread(desk.guild, SEEN)
    desk.channel.parent = None  # not in the cache
    assert not desk.sees()


def test_a_private_thread_is_for_those_in_it_and_for_moderators(desk: Desk) -> None:
    desk.channel = Thread(desk.guild, SEEN, private=True)
    assert not desk.sees()
    desk.people = ("1",)
    assert desk.sees()
    desk.people = ()
    desk.channel.members = [SimpleNamespace(id=1)]
    assert desk.sees()
    desk.channel = Thread(desk.guild, MODERATOR, private=True)
    assert desk.sees()
    desk.channel = Thread(desk.guild, HIDDEN, private=True)
    desk.people = ("1",)
    assert not desk.sees()


def test_direct_messages_are_seen_by_one_person_and_remembered_within_reason(desk: Desk) -> None:
    desk.sight.met(7, 1)
    assert desk.sees() and not desk.sees(Member(2, desk.guild))
    for number in range(MOST):
        desk.sight.met(100 + number, 2)
    assert not desk.sees()
