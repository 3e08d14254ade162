"""The gate: what Discord says of people and places, as the rules see it; and bots, end to end."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from openab_sync.config.discord import DiscordConfig
from openab_sync.core.admission import Rules
from openab_sync.platforms.discord.bots import conversation_at, warning_of
from openab_sync.platforms.discord.gate import rules_of
from tests.fakes.discord import FORUM, Server
from tests.fakes.discord.payloads import message_json
from tests.fakes.discord.world import Event
from tests.platforms.discord.bed import admin, house
from tests.platforms.discord.fake_client import QUICK
from tests.platforms.discord.pressing import buttons, told
from tests.platforms.discord.prompts import asked, senders, thread_of
from tests.waiting import MS, until


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "agent.log"


def test_without_anybody_listed_nobody_is_let_in() -> None:
    """FIELD I1: an empty list of people is no people; an empty list of channels is all, unless it is said otherwise."""
    assert rules_of(DiscordConfig(bot_token="x")) == Rules(all_places=True)
    assert not rules_of(DiscordConfig(bot_token="x", allow_all_channels=False)).all_places
    assert not rules_of(DiscordConfig(bot_token="x", allowed_channels=("1",))).all_places


def test_the_rules_are_what_was_configured() -> None:
    config = DiscordConfig(
        bot_token="x",
        allowed_channels=("1",),
        allowed_users=("2",),
        allowed_roles=("3",),
        allowed_role_ids=("4",),
        allow_dm=True,
        allow_user_messages="involved",
        allow_bot_messages="all",
        trusted_bot_ids=("5",),
        allowed_guilds=("6",),
        admin_users=("7",),
        admin_roles=("8",),
    )
    one = frozenset
    assert rules_of(config) == Rules(
        places=one({"1"}),
        servers=one({"6"}),
        private=True,
        people=one({"2"}),
        roles=one({"3"}),
        admins=one({"7"}),
        admin_roles=one({"8"}),
        uncalled="involved",
        bots="all",
        trusted_bots=one({"5"}),
    )  # waking roles let nobody in


def test_a_person_may_be_let_in_by_a_role(server: Server, log: Path) -> None:
    crew = server.world.add_role(server.guild, "crew")
    bob, eve = server.user("bob", crew), server.user("eve")
    rules = {"allow_all_users": False, "allowed_roles": [str(crew.id)]}
    with house(server, "--log", str(log), discord=rules) as bed:
        refused = bed.mention("say no", by=eve)
        server.until(lambda: refused.reactions.get("🚫"))
        bed.until_said("yes", bed.thread("say yes", by=bob))
        assert asked(log) == ["say yes"]


def test_who_may_is_as_it_is_now(server: Server, log: Path) -> None:
    """Also roles that wake it, and how long an answer may be: all are read where they are used."""
    bob, crew = server.user("bob"), server.world.add_role(server.guild, "crew")
    with house(server, "--log", str(log), discord={"allow_all_users": False, "allowed_users": ["1"]}) as bed:
        refused = bed.mention("say hello", by=bob)
        server.until(lambda: "🚫" in refused.reactions, what="Bob may not")
        bed.renew(allowed_users=(str(bob.id),), allowed_role_ids=(str(crew.id),), max_pages=1)
        bed.until_said("hello", bed.thread("say hello", by=bob))
        crew.mentionable = True
        called = bob.write("general", "say awake", mentions=[crew])
        bed.until_said("awake", thread_of(server, called))
        assert bed.platform.port.limits(conversation_at(1)).max_pages == 1
        bed.renew(allowed_users=("1",))
        bed.mention("say no", by=bob)
        after = bed.mention("say no", by=server.user("eve"))
        server.until(lambda: "🚫" in after.reactions, what="both are decided")
        assert "say no" not in log.read_text()


def test_the_role_that_everybody_has_lets_nobody_in(server: Server, log: Path) -> None:
    """Its id is the guild's, and easily copied by mistake."""
    rules = {"allow_all_users": False, "allowed_roles": [str(server.everyone.id)]}
    with house(server, "--log", str(log), discord=rules) as bed:
        refused = bed.mention("say no")
        server.until(lambda: refused.reactions.get("🚫"))
        assert asked(log) == []


def test_a_role_that_wakes_it_is_a_call_and_another_is_none(server: Server, log: Path) -> None:
    """FIELD G12."""
    waking, other = (server.world.add_role(server.guild, name) for name in ("agents", "others"))
    waking.mentionable = other.mentionable = True
    with house(server, "--log", str(log), discord={"allowed_role_ids": [str(waking.id)]}) as bed:
        bed.ann.write("general", "say no", mentions=[other])
        message = bed.ann.write("general", "say yes", mentions=[waking])
        thread = thread_of(server, message)
        bed.until_said("yes", thread)
        assert asked(log) == ["say yes"]


def test_both_forms_of_its_name_are_a_call(server: Server, log: Path) -> None:
    """FIELD G8."""
    with house(server, "--log", str(log)) as bed:
        message = bed.ann.write("general", f"<@!{server.app.id}> say yes")
        bed.until_said("yes", thread_of(server, message))
        assert asked(log) == ["say yes"]


def test_other_bots_are_not_heard_unless_they_are_let_in(server: Server, log: Path) -> None:
    """FIELD G7: bots have a list of their own."""
    helper, stranger = server.bot("helper"), server.bot("stranger")
    rules = {"allow_all_users": False, "allowed_users": [str(stranger.id)], "trusted_bot_ids": [str(helper.id)]}
    with house(server, "--log", str(log), discord=rules) as bed:
        bed.mention("say no", by=stranger)
        thread = bed.thread("say yes", by=helper)
        bed.until_said("yes", thread)
        assert (asked(log), senders(log)[0]["is_bot"]) == (["say yes"], True)


def test_a_trusted_bot_brings_it_into_a_thread_that_it_is_not_in(server: Server, log: Path) -> None:
    """FIELD G14, F19: it joins threads, or it would not hear the call."""
    helper = server.bot("helper")
    with house(server, "--log", str(log), discord={"trusted_bot_ids": [str(helper.id)]}) as bed:
        thread = server.user("ann").open_thread("general", "ours")
        server.until(lambda: server.app.id in thread.members)
        bed.mention("say hello", thread, by=helper)
        bed.until_said("hello", thread)
        assert asked(log) == ["say hello"]


def test_webhooks_are_bots_whatever_they_call_themselves(server: Server, log: Path) -> None:
    """FIELD I3."""
    rules = {"allow_all_users": False, "allowed_users": [str(server.webhook("ann-too").id)]}
    with house(server, "--log", str(log), discord=rules) as bed:
        message = bed.mention("say no", by=server.webhook("ann-too"))
        bed.mention("say no")
        server.until(lambda: len(server.asked("PUT", "/@me")) == 1)
        assert not message.reactions
        assert asked(log) == []


def test_where_another_bot_speaks_it_waits_to_be_called(server: Server, log: Path) -> None:
    """FIELD G4, G13."""
    helper = server.bot("helper")
    with house(server, "--log", str(log)) as bed:
        thread = bed.thread("say one")
        bed.until_said("one", thread)
        helper.write(thread, "me too")
        bed.ann.write(thread, "say to whom?")
        bed.mention("say two", thread)
        bed.until_said("two", thread)
        assert asked(log) == ["say one", "say two"]


def test_two_bots_are_stopped_after_so_many_turns_and_it_is_said_once(server: Server, log: Path) -> None:
    """FIELD G1, G2, G3, G6."""
    helper = server.bot("helper")
    rules = {"allow_bot_messages": "mentions", "max_bot_turns": 4}
    with house(server, "--log", str(log), discord=rules) as bed:
        thread = bed.thread("say one")
        bed.until_said("one", thread)
        for number in range(4):
            bed.mention(f"say bot {number}", thread, by=helper)
        bed.until_said(warning_of("soft", 4), thread)
        bed.mention("say person", thread)
        bed.until_said("person", thread)
        bed.mention("say bot again", thread, by=helper)
        bed.until_said("bot again", thread)
        warnings = [one for one in thread.history if one.content == warning_of("soft", 4)]
        assert len(warnings) == 1
        assert asked(log)[-2:] == ["say person", "say bot again"]
        assert "say bot 3" not in asked(log)


def test_a_pin_is_no_word_of_a_person(server: Server, log: Path) -> None:
    """FIELD G3: what Discord writes in people's names does not begin the count anew."""
    helper = server.bot("helper")
    rules = {"allow_bot_messages": "mentions", "max_bot_turns": 2}
    with house(server, "--log", str(log), discord=rules) as bed:
        thread = bed.thread("say one")
        bed.until_said("one", thread)
        for number in range(2):
            bed.mention(f"say bot {number}", thread, by=helper)
        bed.until_said(warning_of("soft", 2), thread)
        bed.ann.write(thread, "", kind=6)
        bed.mention("say bot after the pin", thread, by=helper)
        bed.mention("say person", thread)
        bed.until_said("person", thread)
        assert "say bot after the pin" not in asked(log)


def test_nobody_is_warned_where_it_does_not_listen(server: Server) -> None:
    """FIELD G6."""
    helper = server.bot("helper")
    foreign = server.add_channel("foreign")
    rules = {
        "allow_bot_messages": "mentions",
        "max_bot_turns": 1,
        "allowed_channels": [str(server.channel("general").id)],
    }
    with house(server, discord=rules) as bed:
        for number in range(3):
            bed.mention(f"say bot {number}", foreign, by=helper)
        bed.until_said("heard", bed.thread("say heard"))
        assert [one.content for one in foreign.history if one.author is server.app.user] == []


def test_what_it_knows_of_a_thread_survives_a_restart(server: Server, log: Path, tmp_path: Path) -> None:
    """FIELD D11: taking part in a thread of others, and who else speaks there."""
    helper, ann = server.bot("helper"), server.user("ann")
    alone, shared = ann.open_thread("general", "alone"), ann.open_thread("general", "shared")
    folder = tmp_path / "store"
    folder.mkdir(mode=0o700)
    with house(server, folder=folder) as bed:
        for thread in (alone, shared):
            bed.mention("say one", thread)
            bed.until_said("one", thread)
        helper.write(shared, "me too")
        books = bed.books.conversations
        until(lambda: books.get(f"discord:{shared.id}").bots == (str(helper.id),))
    with house(server, "--log", str(log), folder=folder) as bed:
        ann.write(shared, "say to whom?")
        ann.write(alone, "say two")
        bed.until_said("two", alone)
        bed.mention("say three", shared)
        bed.until_said("three", shared)
        assert asked(log) == ["say two", "say three"]


def test_a_command_is_let_in_by_the_same_rules(server: Server) -> None:
    """FIELD I2."""
    other = server.add_channel("other")
    rules = {
        "allow_all_users": False,
        "allowed_users": [str(server.user("ann").id)],
        "allowed_channels": [str(server.general.id)],
    }
    with house(server, discord=rules) as bed:
        asked_by = [
            bed.ann.slash("status", where="general"),
            server.user("eve").slash("status", where="general"),
            bed.ann.slash("status", where=other),
        ]
        server.until(lambda: all(one.is_done for one in asked_by))
        said = [one.answer for one in asked_by]
        assert said[0] == "No agent is running."
        assert "No agent" not in said[1] + said[2]


def test_whoever_is_not_listed_reaches_nothing_wherever_and_however(server: Server, log: Path) -> None:
    """Channels, threads of others and of one's own, forum posts, direct messages; people, bots, webhooks; words, slash
    commands, menus, completions, buttons: the agent hears of none of them."""
    eve, forum = server.user("eve"), server.add_channel("ideas", FORUM)
    rules = {
        "allow_all_users": False,
        "allowed_users": [str(server.user("ann").id)],
        "allow_dm": True,
        "allow_user_messages": "involved",
    }
    with house(server, "--log", str(log), discord=rules) as bed:
        thread = bed.thread("say working\nhang")
        working = bed.until_said("working", thread)
        own = eve.open_thread("general", "mine")
        server.until(lambda: "Stop" in buttons(working), what="it can be stopped")
        written = [bed.mention("say no", where, by=eve) for where in ("general", thread, own)]
        written += [eve.write(thread, "say no"), eve.dm("say no")]
        written += eve.post(forum, "help", f"<@{server.app.id}> say no").history
        silent = [
            bed.mention("say no", where, by=who)
            for who in (server.bot("robot"), server.webhook("hook"))
            for where in ("general", thread)
        ]
        pressed = [
            *(
                eve.slash(name, where=where)
                for name in ("status", "reset", "cancel", "export")
                for where in (thread, own)
            ),
            eve.slash("ask", where="general", text="say no"),
            eve.slash("config", where=thread, option="model", value="large"),
            eve.menu("Drop from queue", written[0]),
            eve.click(working, "Stop"),
        ]
        typed = eve.autocomplete("config", "option", "m", where=thread)
        server.until(lambda: all(one.is_done for one in pressed) and typed.is_done, 10000 * MS, "all are answered")
        server.until(lambda: written[0].reactions.get("🚫"), 10000 * MS, "it is refused, and not told each time")
        bed.until_said("after", bed.thread("say after"))
        assert {mark for one in written for mark in one.reactions} == {"🚫"}
        assert all(one.is_ephemeral for one in pressed) and not typed.choices
        assert not any(one.reactions for one in silent)
        assert asked(log) == ["say working\nhang", "say after"]
        sessions = {one.conversation.id: one for one in bed.app.broker.snapshot().sessions}
        hers = sessions[str(thread.id)]
        assert (len(sessions), hers.state.name, hers.inbox) == (2, "BUSY", 0)
        assert "session/cancel" not in log.read_text()


def test_who_only_looks_in_takes_nothing_from_those_who_talk_there(server: Server) -> None:
    """By slash command, by a text, by the menu of a message: the same answer, until he has talked to it there."""
    bob = server.user("bob")
    with house(server, discord={"allow_user_messages": "involved"}) as bed:
        thread = bed.thread("say working\nhang")
        bed.until_said("working", thread)
        waits = bed.mention("say mine", thread)
        until(lambda: len(bed.app.broker.snapshot().sessions) == 1 and bed.app.broker.snapshot().sessions[0].inbox == 1)
        for name in ("reset", "cancel-all", "sessions"):
            assert "people of this conversation" in told(server, bob.slash(name, where=thread))
        assert "people of this conversation" in told(server, bob.slash("modes", where=thread, mode="x"))
        assert "people of this conversation" in told(server, bob.menu("Drop from queue", waits))
        bed.mention("/reset", thread, by=bob)
        bed.until_said("people of this conversation", thread)
        assert bed.app.broker.snapshot().sessions[0].inbox == 1
        assert "Cancel" in told(server, bob.slash("cancel", where=thread))
        bed.mention("say his", thread, by=bob)
        until(lambda: str(bob.id) in bed.books.conversations.get(f"discord:{thread.id}").people)
        assert "people" not in told(server, bob.slash("reset", where=thread))


def test_who_is_refused_in_a_thread_is_none_of_its_people(server: Server) -> None:
    bob, ann = server.user("bob"), server.user("ann")
    people = {"allow_all_users": False, "allowed_users": [str(ann.id)], "allow_user_messages": "involved"}
    with house(server, discord=people) as bed:
        thread = bed.thread("say hello")
        bed.until_said("hello", thread)
        refused = bob.write(thread, "let me in")
        server.until(lambda: refused.reactions.get("🚫"))
        assert bed.books.conversations.get(f"discord:{thread.id}").people == (str(ann.id),)


def test_an_admin_does_what_others_may_not(server: Server) -> None:
    bob = server.user("bob")
    with house(server, "--options", discord=admin(server)) as bed:
        thread = bed.thread("say hello", by=bob)
        bed.until_said("hello", thread)
        assert (
            told(server, bob.slash("config", where=thread, option="model", value="large"))
            == "That is for admins of mine."
        )
        assert "is large now" in told(server, bed.ann.slash("config", where=thread, option="model", value="large"))
        assert "people" not in told(server, bed.ann.slash("reset", where=thread))


def test_a_message_of_a_server_that_is_not_there_is_no_direct_message(server: Server, log: Path) -> None:
    """Discord may tell of a server before it has told that we are on it."""
    with house(server, "--log", str(log), discord={"allow_dm": True, **admin(server)}) as bed:
        first = bed.mention("say first")
        bed.until_said("first", thread_of(server, first))
        told = message_json(server.world, first, server.app)
        for more in ({}, {"member": None}):
            names = {"id": str(server.world.next_id()), "guild_id": "4711", "channel_id": str(server.world.next_id())}
            strange = {key: value for key, value in {**told, **names, **more}.items() if value is not None}
            server.world.emit(Event("MESSAGE_CREATE", partial(lambda data, _: data, strange), app=server.app))
        bed.until_said("last", bed.thread("say last"))
        assert asked(log) == ["say first", "say last"]


def test_another_server_is_silent_and_its_commands_are_refused(server: Server, log: Path) -> None:
    with house(server, "--log", str(log), discord={"allowed_guilds": ["1"]}) as bed:
        bed.mention("say no")
        assert "not among those" in told(server, bed.ann.slash("status", where="general"))
        assert asked(log) == []
    with house(server, "--log", str(log), discord={"allowed_guilds": [str(server.guild.id)]}) as bed:
        bed.until_said("yes", bed.thread("say yes"))
