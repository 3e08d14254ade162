"""The fake Discord, seen by the unmodified client: messages, threads, reactions, files."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import aiohttp
import discord
import pytest

from tests.fakes.discord import CATEGORY, DM, FORUM, VOICE, Can, Server
from tests.platforms.discord.fake_client import INTENTS, QUICK, Bot, logged_in


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server


@pytest.fixture
def bot(server: Server) -> Iterator[Bot]:
    with logged_in(server) as bot:
        yield bot


def refused(bot: Bot, coroutine: Any) -> discord.HTTPException:
    with pytest.raises(discord.HTTPException) as caught:
        bot.call(coroutine)
    return caught.value


def test_the_client_logs_in_and_knows_the_guild(server: Server, bot: Bot) -> None:
    assert bot.user is not None and bot.user.id == server.app.user.id
    guild = bot.guilds[0]
    assert (guild.name, [channel.name for channel in guild.text_channels]) == ("house", ["general"])
    assert guild.me.guild_permissions.manage_threads
    assert not guild.me.guild_permissions.administrator


def test_what_a_person_writes_arrives_whole(server: Server, bot: Bot) -> None:
    ann = server.user("ann")
    first = ann.write("general", "hello", mentions=[server.app])
    ann.write("general", "and more", reply_to=first)
    server.until(lambda: len(bot.texts) == 2)
    hello, more = bot.heard("message")
    assert hello.content == f"{server.app.user.mention} hello"
    assert bot.user in hello.mentions and hello.author.name == "ann" and hello.guild.name == "house"
    assert more.type is discord.MessageType.reply and more.reference.resolved.content == hello.content


def test_the_bot_writes_edits_and_deletes(server: Server, bot: Bot) -> None:
    message = bot.call(bot.place(server.general.id).send("one", nonce="n1"))
    bot.call(message.edit(content="two"))
    there = server.until_said("two")
    assert (there.was, there.nonce, there.id) == (["one"], "n1", message.id)
    bot.call(message.delete())
    assert server.general.texts == [] and there.deleted
    assert refused(bot, message.edit(content="three")).code == 10008
    assert server.forgive("deleted itself")


def test_two_messages_with_one_nonce_are_one(server: Server, bot: Bot) -> None:
    place = bot.place(server.general.id)
    first, second = bot.call(place.send("once", nonce="same")), bot.call(place.send("once", nonce="same"))
    assert first.id == second.id and server.general.texts == ["once"]


@pytest.mark.parametrize(("text", "code"), [("x" * 2001, 50035), ("  \n ", 50006)])
def test_what_no_message_can_be_is_refused(server: Server, bot: Bot, text: str, code: int) -> None:
    assert refused(bot, bot.place(server.general.id).send(text)).code == code
    assert server.forgive(f"{code}")


def test_length_is_counted_in_code_points_after_trimming(server: Server, bot: Bot) -> None:
    bot.call(bot.place(server.general.id).send("  " + "\N{WAVING HAND SIGN}" * 2000 + "\n"))
    assert len(server.general.texts[0]) == 2000


def test_edits_and_deletions_by_people_arrive(server: Server, bot: Bot) -> None:
    ann = server.user("ann")
    message = ann.write("general", "hallo")
    ann.edit(message, "hello")
    ann.embed(message, {"title": "a page"})
    ann.delete(message)
    server.until(lambda: bot.heard("raw_message_delete"))
    edit, embed = bot.heard("raw_message_edit")
    assert edit.data["content"] == "hello" and edit.data["edited_timestamp"]
    assert (
        embed.data["embeds"] == [{"title": "a page"}]
        and embed.data["edited_timestamp"] == edit.data["edited_timestamp"]
    )
    assert bot.heard("raw_message_delete")[0].message_id == message.id


def test_reactions_go_both_ways(server: Server, bot: Bot) -> None:
    ann = server.user("ann")
    message = ann.write("general", "look")
    there = bot.place(server.general.id).get_partial_message(message.id)
    bot.call(there.add_reaction("👀"))
    assert message.reactions == {"👀": [server.app.id]}
    ann.react(message, "🆗")
    ann.unreact(message, "🆗")
    server.until(lambda: bot.heard("raw_reaction_remove"))
    assert [str(one.emoji) for one in bot.heard("raw_reaction_add")] == ["👀", "🆗"]
    assert bot.user is not None
    bot.call(there.remove_reaction("👀", bot.user))
    assert message.reactions == {}
    assert refused(bot, there.add_reaction("no emoji")).code == 10014


def test_the_twenty_first_kind_of_reaction_is_too_many(server: Server, bot: Bot) -> None:
    ann = server.user("ann")
    message = ann.write("general", "look")
    for number in range(20):
        ann.react(message, chr(0x1F600 + number))
    assert refused(bot, bot.place(server.general.id).get_partial_message(message.id).add_reaction("👀")).code == 30010


def test_a_thread_opened_from_a_message_has_its_id(server: Server, bot: Bot) -> None:
    ann = server.user("ann")
    message = ann.write("general", "please build")
    server.until(lambda: bot.texts)
    heard = bot.heard("message")[0]
    thread = bot.call(heard.create_thread(name="build"))
    assert thread.id == message.id and message.thread is not None
    bot.call(thread.send("on it"))
    ann.write(message.thread, "thanks")
    server.until(lambda: "thanks" in bot.texts)
    assert message.thread.texts == ["on it", "thanks"]
    assert {server.app.id, ann.id} <= set(message.thread.members)
    assert refused(bot, heard.create_thread(name="again")).code == 160004


def test_what_is_said_in_a_thread_comes_to_its_members_only(server: Server, bot: Bot) -> None:
    ann = server.user("ann")
    thread = ann.open_thread("general", "private talk")
    ann.write(thread, "unheard")
    server.until(lambda: bot.heard("thread_create"))
    bot.call(bot.heard("thread_create")[0].join())
    ann.write(thread, "heard")
    server.until(lambda: "heard" in bot.texts)
    assert "unheard" not in bot.texts


def test_a_message_wakes_an_archived_thread_unless_it_is_locked(server: Server, bot: Bot) -> None:
    ann = server.user("ann")
    server.guild.roles[server.guild.members[server.app.id].roles[0]].permissions &= ~Can.MANAGE_THREADS
    thread = ann.open_thread(ann.write("general", "hi"), "t")
    ann.archive(thread)
    bot.call(bot.place(thread.id).send("awake"))
    assert not thread.archived and thread.texts == ["awake"]
    ann.lock(thread)
    assert refused(bot, bot.place(thread.id).send("no")).code == 160005
    ann.archive(thread)
    assert refused(bot, bot.place(thread.id).send("no")).code == 50083
    last = thread.messages[max(thread.messages)]
    assert refused(bot, bot.place(thread.id).get_partial_message(last.id).add_reaction("👀")).code == 50083
    ann.delete_channel(thread)
    assert refused(bot, bot.place(thread.id).send("no")).code == 10003
    server.until(lambda: bot.heard("raw_thread_delete"))


def test_a_rename_is_seen_and_limited_to_two_in_ten_minutes(server: Server) -> None:
    with logged_in(server, Bot(max_ratelimit_timeout=30.0)) as bot:
        ann = server.user("ann")
        thread = ann.open_thread(ann.write("general", "hi"), "t")
        server.until(lambda: bot.heard("thread_create"))
        there = bot.heard("thread_create")[0]
        bot.call(there.edit(name="one"))
        bot.call(there.edit(name="two"))
        with pytest.raises(discord.RateLimited):
            bot.call(there.edit(name="three"))
        assert thread.name == "two"
        server.advance(601)
        bot.call(there.edit(name="four"))
        ann.rename(thread, "mine")
        server.until(lambda: there.name == "mine")


def test_a_forum_post_is_a_thread_with_its_first_message(server: Server) -> None:
    forum = server.add_channel("ideas", FORUM)
    with logged_in(server) as bot:
        thread = server.user("ann").post(forum, "an idea", "what about this?", mentions=[server.app])
        server.until(lambda: bot.heard("thread_create"))
        assert bot.heard("thread_create")[0].parent.name == "ideas"
        assert thread.messages[thread.id].content.endswith("what about this?")
        channel = bot.get_channel(forum.id)
        assert isinstance(channel, discord.ForumChannel)
        made = bot.call(channel.create_thread(name="from the bot", content="hello"))
        assert made.thread.id == made.message.id
        assert refused(bot, bot.place(forum.id).send("no")).code == 50008


def test_categories_voice_and_direct_messages(server: Server) -> None:
    child = server.add_channel("child", VOICE, server.add_channel("group", CATEGORY))
    with logged_in(server) as bot:
        ann = server.user("ann")
        ann.write(child, "in voice")
        asked = ann.dm("in private")
        server.until(lambda: len(bot.texts) == 2)
        voice, direct = bot.heard("message")
        assert isinstance(voice.channel, discord.VoiceChannel) and str(voice.channel.category) == "group"
        assert isinstance(direct.channel, discord.DMChannel) and direct.author.id == ann.id
        bot.call(direct.channel.send("yes?"))
        assert asked.channel.texts == ["in private", "yes?"] and asked.channel.kind == DM
        ann.user.accepts_dms = False
        assert refused(bot, direct.channel.send("hello?")).code == 50007


def test_missing_permissions_are_told_apart(server: Server, bot: Bot) -> None:
    hidden = server.add_channel("hidden")
    place = bot.place(hidden.id)
    server.allow(hidden, server.app, deny=Can.SEND_MESSAGES)
    assert refused(bot, place.send("no")).code == 50013
    server.allow(hidden, server.everyone, deny=Can.VIEW_CHANNEL)
    assert refused(bot, place.send("no")).code == 50001
    assert refused(bot, bot.place(1).send("no")).code == 10003
    assert server.backend.buckets.invalid_requests == 2
    server.user("ann").write(hidden, "unseen")
    server.user("ann").write("general", "seen")
    server.until(lambda: bot.texts)
    assert bot.texts == ["seen"]


def test_without_the_privileged_intent_messages_are_empty_unless_they_mention_the_bot(server: Server) -> None:
    intents = discord.Intents(INTENTS.value)
    intents.message_content = False
    with logged_in(server, Bot(intents=intents)) as bot:
        ann = server.user("ann")
        ann.write("general", "secret")
        ann.write("general", "for you", mentions=[server.app])
        ann.dm("private")
        server.until(lambda: len(bot.texts) == 3)
        assert bot.texts == ["", f"{server.app.user.mention} for you", "private"]


def test_files_travel_both_ways_by_signed_links(server: Server, bot: Bot) -> None:
    server.user("ann").write("general", "see", files=[("a.txt", b"hello", "text/plain")])
    server.until(lambda: bot.texts)
    attachment = bot.heard("message")[0].attachments[0]
    assert bot.call(attachment.read()) == b"hello"
    assert (attachment.filename, attachment.content_type, attachment.size) == ("a.txt", "text/plain", 5)
    file = discord.File(io.BytesIO(b"# answer"), "answer.md")
    message = bot.call(bot.place(server.general.id).send("there", file=file))
    there = server.until_said("there")
    assert [(one.filename, one.content) for one in there.attachments] == [("answer.md", b"# answer")]
    bot.call(message.edit(attachments=[]))
    assert there.attachments == []


def test_a_link_expires_and_cannot_be_forged(server: Server, bot: Bot) -> None:
    server.user("ann").write("general", "see", files=[("a.txt", b"hello")])
    server.until(lambda: bot.texts)
    url = bot.heard("message")[0].attachments[0].url

    async def status(link: str) -> int:
        async with aiohttp.ClientSession() as session, session.get(link) as answer:
            return answer.status

    assert bot.call(status(url)) == 200
    assert bot.call(status(url.replace("hm=", "hm=0"))) == 404
    server.advance(25 * 3600)
    assert bot.call(status(url)) == 404


def test_a_file_over_the_guilds_limit_is_too_large(server: Server, bot: Bot) -> None:
    file = discord.File(io.BytesIO(bytes(10 * 1024 * 1024 + 1)), "big.bin")
    assert refused(bot, bot.place(server.general.id).send(file=file)).status == 413
    assert server.forgive("40005")


def test_history_comes_in_pages(server: Server, bot: Bot) -> None:
    ann = server.user("ann")
    written = [ann.write("general", str(number)) for number in range(205)]
    place = bot.place(server.general.id)

    async def texts(**limits: Any) -> list[str]:
        return [message.content async for message in place.history(**limits)]

    everything = [str(number) for number in range(205)]
    assert bot.call(texts(limit=None, oldest_first=True)) == everything
    assert len(server.asked("GET", "/messages")) >= 3
    assert bot.call(texts(limit=3)) == ["204", "203", "202"]
    at = discord.Object(written[100].id)
    assert bot.call(texts(limit=2, after=at)) == ["101", "102"]
    assert bot.call(texts(limit=2, before=at)) == ["99", "98"]
    assert sorted(bot.call(texts(limit=4, around=at))) == ["100", "101", "98", "99"]


def test_forwards_and_voice_messages_look_like_real_ones(server: Server, bot: Bot) -> None:
    ann = server.user("ann")
    source = ann.write("general", "read this")
    ann.forward(source, "general")
    ann.voice("general")
    server.until(lambda: len(bot.heard("message")) == 3)
    _, forward, voice = bot.heard("message")
    assert forward.message_snapshots[0].content == "read this" and forward.content == ""
    assert voice.flags.voice and voice.attachments[0].is_voice_message()


def test_typing_is_seen_on_both_sides(server: Server, bot: Bot) -> None:
    server.user("ann").type("general")
    server.until(lambda: bot.heard("raw_typing"))

    async def work() -> None:
        async with bot.place(server.general.id).typing():
            await bot.place(server.general.id).send("done")

    bot.call(work())
    assert [user.name for _, user in server.world.typing] == ["ann", "bridge"]


def test_a_bot_rings_nobody_it_should_not(server: Server, bot: Bot) -> None:
    ann, bob = server.user("ann"), server.user("bob")
    ann.write("general", "hi")
    place = bot.place(server.general.id)
    text = f"{ann.mention} {bob.mention} @everyone `{bob.mention}`"
    quiet = bot.call(place.send(text))
    assert quiet.mentions == [] and not quiet.mention_everyone
    allowed = discord.AllowedMentions(users=[discord.Object(ann.id)], everyone=False, roles=False)
    bot.call(place.send(text, allowed_mentions=allowed))
    assert server.general.history[-1].mentions.users == [ann.id]
    assert server.violations == []
    bot.call(place.send(text, allowed_mentions=discord.AllowedMentions(users=True, everyone=False, roles=False)))
    assert server.forgive("take no part") and server.general.history[-1].mentions.users == [ann.id, bob.id]
