"""The fake Discord, rule by rule, without a client library: what else can be asked, and what is refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from tests.fakes.discord import ANNOUNCEMENT, CATEGORY, FORUM, PRIVATE_THREAD, TEXT, Can, Server
from tests.fakes.discord.permissions import granted
from tests.platforms.discord.fake_client import QUICK


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server
        assert server.violations == []


def ask(server: Server, method: str, path: str, form: Any = None, **files: bytes) -> tuple[int, Any]:
    """A request of the bot: status and JSON."""

    async def asked() -> tuple[int, Any]:
        headers = {"Authorization": f"Bot {server.token}"}
        body: Any = {"json": form} if form is not None else {}
        if files:
            data = aiohttp.FormData(quote_fields=False)
            data.add_field("payload_json", json.dumps(form or {}))
            for number, (name, content) in enumerate(files.items()):
                data.add_field(f"files[{number}]", content, filename=name)
            body = {"data": data}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, f"{server.rest_root}{path}", **body) as answer,
        ):
            return answer.status, await answer.json() if answer.status != 204 else None

    return asyncio.run(asked())


def code(answer: tuple[int, Any]) -> int:
    return int(answer[1]["code"])


def test_the_guild_and_its_people_can_be_asked_for(server: Server) -> None:
    ann, guild = server.user("ann"), f"/guilds/{server.guild.id}"
    assert ask(server, "GET", guild)[1]["name"] == "house"
    assert [one["name"] for one in ask(server, "GET", f"{guild}/channels")[1]] == ["general"]
    assert [one["name"] for one in ask(server, "GET", f"{guild}/roles")[1]] == ["@everyone", "bridge"]
    assert ask(server, "GET", f"{guild}/members/{ann.id}")[1]["user"]["username"] == "ann"
    assert ask(server, "GET", f"/users/{ann.id}")[1]["username"] == "ann"
    assert [one["name"] for one in ask(server, "GET", "/users/@me/guilds")[1]] == ["house"]
    assert ask(server, "GET", "/gateway")[1] == {"url": server.gateway_url}
    assert ask(server, "GET", "/applications/@me")[1]["bot"]["username"] == "bridge"
    for path, wanted in [("/guilds/1", 10004), ("/users/1", 10013), (f"{guild}/members", 50001)]:
        assert code(ask(server, "GET", path)) == wanted
    server.app.privileged |= 1 << 1
    assert len(ask(server, "GET", f"{guild}/members")[1]) == 3


def test_threads_are_listed_joined_and_left(server: Server) -> None:
    ann = server.user("ann")
    thread = ann.open_thread("general", "one")
    members = f"/channels/{thread.id}/thread-members"
    assert ask(server, "GET", f"/guilds/{server.guild.id}/threads/active")[1]["members"] == []
    assert ask(server, "PUT", f"{members}/@me")[0] == 204
    assert len(ask(server, "GET", members)[1]) == 2
    assert ask(server, "PUT", f"{members}/{server.user('bob').id}")[0] == 204
    assert ask(server, "DELETE", f"{members}/{ann.id}")[0] == 204 and ann.id not in thread.members
    assert ask(server, "DELETE", f"{members}/@me")[0] == 204
    ann.archive(thread)
    assert code(ask(server, "PUT", f"{members}/@me")) == 50083
    found = ask(server, "GET", f"/channels/{server.general.id}/threads/archived/public")[1]
    assert [one["name"] for one in found["threads"]] == ["one"]
    assert code(ask(server, "GET", f"/channels/{server.general.id}/thread-members")) == 50024


def test_threads_are_closed_and_opened_by_who_may(server: Server) -> None:
    ann = server.user("ann")
    theirs = ann.open_thread("general", "ann's")
    status, made = ask(server, "POST", f"/channels/{server.general.id}/threads", {"name": "mine", "type": 11})
    assert status == 200 and made["owner_id"] == str(server.app.id)
    server.guild.roles[server.guild.members[server.app.id].roles[0]].permissions &= ~Can.MANAGE_THREADS
    assert code(ask(server, "PATCH", f"/channels/{theirs.id}", {"archived": True})) == 50013
    assert ask(server, "PATCH", f"/channels/{made['id']}", {"archived": True})[0] == 200
    assert code(ask(server, "PATCH", f"/channels/{made['id']}", {"name": "closed"})) == 50083
    assert ask(server, "PATCH", f"/channels/{made['id']}", {"archived": False})[0] == 200
    assert code(ask(server, "PATCH", f"/channels/{made['id']}", {"locked": True})) == 50013
    assert code(ask(server, "DELETE", f"/channels/{theirs.id}")) == 50013
    private = {"name": "p", "type": PRIVATE_THREAD}
    assert code(ask(server, "POST", f"/channels/{server.general.id}/threads", private)) == 50013
    ann.archive(theirs)
    ann.lock(theirs)
    assert code(ask(server, "PATCH", f"/channels/{theirs.id}", {"archived": False})) == 50013


def test_threads_begin_only_where_they_can(server: Server) -> None:
    ann, voice = server.user("ann"), server.add_channel("voice", 2)
    news = server.add_channel("news", ANNOUNCEMENT)
    spoken, told = ann.write(voice, "hi"), ann.write(news, "extra")
    assert code(ask(server, "POST", f"/channels/{voice.id}/messages/{spoken.id}/threads", {"name": "t"})) == 50024
    assert ask(server, "POST", f"/channels/{news.id}/messages/{told.id}/threads", {"name": "t"})[1]["type"] == 10
    ann.open_thread("general", "t2")
    system = server.general.history[-1]
    path = f"/channels/{server.general.id}/messages/{system.id}/threads"
    assert system.kind == 18 and code(ask(server, "POST", path, {"name": "t"})) == 50021
    assert server.forgive("50021")


def test_deleting_a_message_keeps_its_thread_and_deleting_a_channel_does_not(server: Server) -> None:
    ann = server.user("ann")
    room = server.add_channel("room", TEXT)
    message = ann.write(room, "begin")
    thread = ann.open_thread(message, "talk")
    ann.delete(message)
    assert ask(server, "GET", f"/channels/{thread.id}")[0] == 200
    ann.delete_channel(room)
    assert code(ask(server, "GET", f"/channels/{thread.id}")) == 10003


def test_channels_are_edited_with_the_permission_only(server: Server) -> None:
    path = f"/channels/{server.general.id}"
    assert code(ask(server, "PATCH", path, {"topic": "x"})) == 50013
    server.allow(server.general, server.app, allow=Can.MANAGE_CHANNELS)
    assert ask(server, "PATCH", path, {"topic": "x"})[1]["topic"] == "x"
    assert ask(server, "DELETE", path)[0] == 200 and server.general.deleted


def test_overwrites_go_from_everyone_over_roles_to_the_member(server: Server) -> None:
    role = server.world.add_role(server.guild, "quiet")
    ann, room = server.user("ann", role), server.add_channel("room", parent=server.add_channel("group", CATEGORY))
    server.allow(room, server.everyone, deny=Can.SEND_MESSAGES)
    server.allow(room, role, allow=Can.SEND_MESSAGES | Can.MANAGE_THREADS)
    server.allow(room, ann.user, deny=Can.MANAGE_THREADS)
    may = granted(server.guild, ann.id, room)
    assert may & Can.SEND_MESSAGES and not may & Can.MANAGE_THREADS
    assert not granted(server.guild, server.app.id, room) & Can.ATTACH_FILES  # gone with SEND_MESSAGES
    assert granted(server.guild, server.owner.id, room) & Can.ADMINISTRATOR
    assert granted(server.guild, 1, room) == 0


def test_direct_messages_are_opened_once(server: Server) -> None:
    ann = server.user("ann")
    first = ask(server, "POST", "/users/@me/channels", {"recipient_id": str(ann.id)})[1]
    assert ask(server, "POST", "/users/@me/channels", {"recipient_id": str(ann.id)})[1] == first
    assert first["recipients"][0]["username"] == "ann"
    assert code(ask(server, "POST", "/users/@me/channels", {"recipient_id": "1"})) == 10013
    others = server.world.dm(ann.user, server.user("bob").user)
    assert code(ask(server, "GET", f"/channels/{others.id}")) == 50001


def test_messages_of_others_are_not_the_bots_to_change(server: Server) -> None:
    ann = server.user("ann")
    messages = [ann.write("general", str(number)) for number in range(3)]
    path = f"/channels/{server.general.id}/messages"
    assert code(ask(server, "PATCH", f"{path}/{messages[0].id}", {"content": "mine"})) == 50005
    assert code(ask(server, "PATCH", f"{path}/{messages[0].id}", {"flags": 4})) == 50013
    assert code(ask(server, "DELETE", f"{path}/{messages[0].id}")) == 50013
    assert code(ask(server, "DELETE", f"{path}/{messages[0].id}/reactions")) == 50013
    ann.react(messages[0], "👍")
    ann.react(messages[0], "👎")
    server.allow(server.general, server.app, allow=Can.MANAGE_MESSAGES)
    assert ask(server, "GET", f"{path}/{messages[0].id}/reactions/👍")[1][0]["username"] == "ann"
    assert ask(server, "DELETE", f"{path}/{messages[0].id}/reactions/👍/{ann.id}")[0] == 204
    assert ask(server, "DELETE", f"{path}/{messages[0].id}/reactions/👎")[0] == 204
    assert ask(server, "DELETE", f"{path}/{messages[0].id}/reactions")[0] == 204 and not messages[0].reactions
    assert ask(server, "POST", f"{path}/bulk-delete", {"messages": [str(one.id) for one in messages]})[0] == 204
    assert server.general.texts == []


def test_replies_refer_to_what_is_there(server: Server) -> None:
    ann, path = server.user("ann"), f"/channels/{server.general.id}/messages"
    message = ann.write("general", "question")
    reply = {"content": "answer", "message_reference": {"message_id": str(message.id)}}
    sent = ask(server, "POST", path, reply | {"allowed_mentions": {"parse": [], "replied_user": True}})[1]
    assert sent["referenced_message"]["content"] == "question" and sent["mentions"][0]["username"] == "ann"
    assert "mentions" not in sent["referenced_message"]["mentions"]
    forward = {"message_reference": {"type": 1, "channel_id": str(server.general.id), "message_id": str(message.id)}}
    assert ask(server, "POST", path, forward)[1]["message_snapshots"][0]["message"]["content"] == "question"
    ann.delete(message)
    soft = {"content": "x", "message_reference": {"message_id": str(message.id), "fail_if_not_exists": False}}
    assert "message_reference" not in ask(server, "POST", path, soft)[1]
    server.allow(server.general, server.app, deny=Can.READ_MESSAGE_HISTORY)
    assert code(ask(server, "POST", path, reply)) == 160002
    assert ask(server, "GET", path)[1] == []
    server.allow(server.general, server.app)
    assert code(ask(server, "POST", path, reply)) == 50035
    assert server.forgive("REPLIES_UNKNOWN_MESSAGE")


def test_files_come_with_what_is_said_about_them(server: Server) -> None:
    path = f"/channels/{server.general.id}/messages"
    form = {"attachments": [{"id": 0, "description": "a picture"}]}
    sent = ask(server, "POST", path, form, **{"p.png": b"png"})[1]["attachments"][0]
    assert (sent["description"], sent["content_type"], sent["size"]) == ("a picture", "image/png", 3)
    server.allow(server.general, server.app, deny=Can.ATTACH_FILES)
    assert code(ask(server, "POST", path, form, **{"p.png": b"png"})) == 50013
    server.allow(server.general, server.app)
    assert code(ask(server, "POST", path, {"content": "x", "attachments": [{"id": 7}]})) == 50035
    assert server.forgive("No file came")


def test_fetching_the_links_of_a_message_can_fail(server: Server) -> None:
    message = server.user("ann").write("general", "see", files=[("a.txt", b"hello")])
    url = ask(server, "GET", f"/channels/{server.general.id}/messages/{message.id}")[1]["attachments"][0]["url"]

    async def fetch() -> int:
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return answer.status

    server.fail("GET", "/attachments/*", status=503)
    server.fail("GET", "/attachments/*", reset=True, times=2)  # for a GET is tried twice
    assert asyncio.run(fetch()) == 503
    with pytest.raises(OSError):
        asyncio.run(fetch())
    assert asyncio.run(fetch()) == 200
    server.user("ann").delete(message)
    assert asyncio.run(fetch()) == 404


@pytest.mark.parametrize(
    "embeds",
    [
        [{"title": "x"}] * 11,
        [{"title": "x" * 257}],
        [{"footer": {"text": "x" * 2049}}],
        [{"author": {"name": "x" * 257}}],
        [{"fields": [{"name": "n", "value": "v"}] * 26}],
        [{"fields": [{"name": "n", "value": "v" * 1025}]}],
        [{"description": "x" * 4000}, {"description": "x" * 2001}],
    ],
)
def test_embeds_over_a_limit_are_refused(server: Server, embeds: list[Any]) -> None:
    assert code(ask(server, "POST", f"/channels/{server.general.id}/messages", {"embeds": embeds})) == 50035
    assert server.forgive("50035")


def test_commands_are_kept_one_by_one_too(server: Server) -> None:
    path = f"/applications/{server.app.id}/commands"
    made = ask(server, "POST", path, {"name": "one", "description": "x"})[1]
    assert ask(server, "POST", path, {"name": "one", "description": "y"})[1]["id"] == made["id"]
    one = f"{path}/{made['id']}"
    assert ask(server, "GET", one)[1]["description"] == "y"
    assert ask(server, "PATCH", one, {"description": "z"})[1]["description"] == "z"
    assert [command["name"] for command in ask(server, "GET", path)[1]] == ["one"]
    assert ask(server, "DELETE", one)[0] == 204
    assert code(ask(server, "GET", one)) == 10063
    assert code(ask(server, "GET", "/applications/1/commands")) == 40001
    twice = [{"name": "two", "description": "x"}] * 2
    assert code(ask(server, "PUT", path, twice)) == 50035
    assert code(ask(server, "PUT", path, [{"name": f"n{n}", "type": 3} for n in range(16)])) == 50035
    assert len(server.forgive("50035")) == 2


def test_a_subcommand_is_sent_as_a_path(server: Server) -> None:
    options = [{"name": "value", "description": "x", "type": 4, "choices": [{"name": "one", "value": 1}]}]
    inner = {"name": "set", "description": "x", "type": 1, "options": options}
    ask(server, "PUT", f"/applications/{server.app.id}/commands", [
        {"name": "config", "description": "x", "options": [inner]}, {"name": "Look at", "type": 2},
    ])  # fmt: skip
    ann = server.user("ann")
    asked = ann.slash("config set", value=1)
    given = [{"name": "value", "type": 4, "value": 1}]
    assert asked.data["options"] == [{"name": "set", "type": 1, "options": given}]
    for wrong in (2, True, "1"):
        with pytest.raises(LookupError):
            ann.slash("config set", value=wrong)
    looked = ann.menu("Look at", ann.user)
    assert looked.data["resolved"]["users"][str(ann.id)]["username"] == "ann"
    server.advance(4)
    assert len(server.forgive("got no answer to")) == 2


def test_roles_and_everyone_ring_only_for_those_who_may(server: Server) -> None:
    ann = server.user("ann")
    team = server.world.add_role(server.guild, "team", mentionable=True)
    assert ann.write("general", "hey", mentions=[team]).mentions.roles == [team.id]
    assert not ann.write("general", "@everyone").mentions.everyone
    path = f"/channels/{server.general.id}/messages"
    assert ask(server, "POST", path, {"content": team.mention})[1]["mention_roles"] == [str(team.id)]
    assert server.forgive("rings the roles")
    server.allow(server.general, server.app, allow=Can.MENTION_EVERYONE)
    assert ask(server, "POST", path, {"content": "@here"})[1]["mention_everyone"]
    assert server.forgive("rings everyone")


def test_a_forum_tells_its_posts_apart(server: Server) -> None:
    forum = server.add_channel("ideas", FORUM)
    with pytest.raises(LookupError):
        server.user("ann").post("general", "title", "text")
    with pytest.raises(LookupError):
        server.channel("nowhere")
    form = {"name": "from the bot", "message": {"content": "hi"}, "applied_tags": ["5"]}
    made = ask(server, "POST", f"/channels/{forum.id}/threads?use_nested_fields=1", form)[1]
    assert made["message"]["content"] == "hi" and made["applied_tags"] == ["5"]
    assert server.channel("from the bot").owner_id == server.app.id


def test_a_webhook_writes_as_nobodys_member(server: Server) -> None:
    server.webhook("ci").write("general", "build failed")
    shown = ask(server, "GET", f"/channels/{server.general.id}/messages")[1][0]
    assert shown["author"]["bot"] and shown["webhook_id"] == shown["author"]["id"]
    assert server.webhook("ci").id not in server.guild.members


def test_whom_a_person_names_in_a_thread_becomes_a_member_of_it_and_whom_a_bot_names_does_not() -> None:
    with Server() as server:
        ann, helper = server.user("ann"), server.bot("helper")
        thread, other = ann.open_thread("general", "one"), ann.open_thread("general", "two")
        ann.write(thread, "come", mentions=[server.app])
        helper.write(other, "come", mentions=[server.app])
        assert server.app.id in thread.members
        assert server.app.id not in other.members
