"""The fake Discord, seen by the unmodified client: limits, storms, lost replies, resets, and what is left behind."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Iterator
from typing import Any

import aiohttp
import discord
import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.discord import Server, ShiftedClock
from tests.fakes.discord.buckets import Buckets
from tests.platforms.discord.fake_client import QUICK, Bot, logged_in

MESSAGES = "/channels/*/messages"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server


@pytest.fixture
def bot(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bot]:
    with logged_in(server) as bot:
        yield bot


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """discord.py waits one, three, five … seconds between tries; here it does not."""
    sleep = asyncio.sleep
    monkeypatch.setattr("discord.http.asyncio.sleep", lambda seconds: sleep(min(seconds, 0.01)))


def test_a_storm_of_server_errors_is_weathered(server: Server, bot: Bot, no_pauses: None) -> None:
    storm = server.fail("POST", MESSAGES, status=502, times=3)
    bot.call(bot.place(server.general.id).send("at last"))
    assert storm.seen == 3 and server.general.texts == ["at last"]
    assert [one.status for one in server.asked("POST", "/messages")] == [502, 502, 502, 200]


def test_a_429_is_waited_out_and_without_via_it_is_an_error(server: Server, bot: Bot) -> None:
    server.fail("POST", MESSAGES, status=429, retry_after=0.02)
    bot.call(bot.place(server.general.id).send("patient"))
    server.fail("POST", MESSAGES, status=429, via=False)
    with pytest.raises(discord.HTTPException) as caught:
        bot.call(bot.place(server.general.id).send("banned"))
    assert caught.value.status == 429
    assert server.general.texts == ["patient"]


def test_a_global_429_stops_every_route(server: Server, bot: Bot) -> None:
    limited = server.fail("POST", "*/typing", status=429, is_global=True, retry_after=0.1)

    async def both() -> None:
        await asyncio.gather(bot.http.send_typing(server.general.id), after())

    async def after() -> None:
        await asyncio.to_thread(server.until, lambda: limited.seen and server.requests[-1].status == 429)
        await bot.place(server.general.id).send("after the wait")

    bot.call(both())
    assert [one.status for one in server.requests[-3:]].count(429) == 1
    assert server.general.texts == ["after the wait"]


def test_a_lost_reply_and_its_nonce_make_one_message(server: Server, bot: Bot) -> None:
    server.fail("POST", MESSAGES, lost=True)
    place = bot.place(server.general.id)
    with pytest.raises(OSError) as caught:
        bot.call(place.send("once", nonce="page-1"))
    assert caught.value.errno in {errno.ECONNRESET, None}
    bot.call(place.send("once", nonce="page-1"))
    assert server.general.texts == ["once"]


def test_a_reset_before_anything_is_done_does_nothing(server: Server, bot: Bot) -> None:
    server.fail("POST", MESSAGES, reset=True)
    with pytest.raises(OSError):
        bot.call(bot.place(server.general.id).send("never"))
    assert server.general.texts == [] and server.requests[-1].status == 0


def test_a_request_is_held_until_it_is_let_go(server: Server, bot: Bot) -> None:
    held = server.fail("PATCH", "*", hold=True)
    message = bot.call(bot.place(server.general.id).send("one"))

    async def edit() -> None:
        editing = asyncio.create_task(message.edit(content="two"))
        await asyncio.to_thread(server.until, lambda: held.seen)
        assert server.general.texts == ["one"]
        held.release()
        await editing

    bot.call(edit())
    assert server.general.texts == ["two"]


def test_a_code_is_answered_where_it_is_ordered(server: Server, bot: Bot) -> None:
    server.fail("POST", MESSAGES, code=200000, when=lambda form: "rude" in form["content"])
    bot.call(bot.place(server.general.id).send("kind"))
    with pytest.raises(discord.HTTPException) as caught:
        bot.call(bot.place(server.general.id).send("rude"))
    assert caught.value.code == 200000


def test_the_client_keeps_inside_a_bucket_by_its_headers() -> None:
    with Server(limits={**QUICK, "message": (2, 0.1)}) as server, logged_in(server) as bot:
        for number in range(5):
            bot.call(bot.place(server.general.id).send(str(number)))
        times = [one.at for one in server.asked("POST", "/messages")]
        assert times[-1] - times[0] >= 0.2
        assert server.general.texts == list("01234")


def ask(server: Server, method: str, path: str, token: str = "", **body: Any) -> tuple[int, Any, Any]:
    """A request without a library: status, JSON (or text) and headers."""

    async def asked() -> tuple[int, Any, Any]:
        headers = {"Authorization": f"Bot {token or server.token}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, f"{server.rest_root}{path}", **body) as answer,
        ):
            is_json = answer.content_type == "application/json"
            return answer.status, await (answer.json() if is_json else answer.text()), answer.headers

    return asyncio.run(asked())


def test_a_bucket_that_is_over_says_how_long() -> None:
    clock = ShiftedClock()
    with Server(clock=clock) as server:
        path = f"/channels/{server.general.id}/messages"
        for left in (4, 3, 2, 1, 0):
            status, _, headers = ask(server, "POST", path, json={"content": "x"})
            assert (status, headers["X-RateLimit-Remaining"]) == (200, str(left))
        status, body, headers = ask(server, "POST", path, json={"content": "x"})
        assert status == 429 and 0 < body["retry_after"] <= 5 and not body["global"] and headers["Via"]
        assert headers["X-RateLimit-Scope"] == "user" and len(server.general.texts) == 5
        clock.advance(5)
        assert ask(server, "POST", path, json={"content": "x"})[0] == 200
        assert server.violations == [] and server.backend.buckets.hits == 1


def test_fifty_requests_a_second_are_all_there_are() -> None:
    buckets = Buckets(FakeClock())
    assert not any(buckets.take("global", "t").is_over for _ in range(50))
    over = buckets.take("global", "t")
    assert over.is_over and over.headers() == {"X-RateLimit-Global": "true", "X-RateLimit-Scope": "global"}


def test_too_many_invalid_requests_ban_the_address() -> None:
    clock = ShiftedClock()
    with Server(clock=clock) as server:
        server.backend.buckets.most_invalid = 3
        for _ in range(3):
            assert ask(server, "GET", "/users/@me", token="wrong")[0] == 401
        status, body, headers = ask(server, "GET", "/users/@me")
        assert status == 429 and "html" in body and "Via" not in headers
        clock.advance(600)
        assert ask(server, "GET", "/users/@me")[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "violation"),
    [
        ("GET", "/nothing", {}, 404, "no route"),
        ("POST", MESSAGES, {"data": "{", "headers": {"Content-Type": "application/json"}}, 400, "50109"),
        ("POST", MESSAGES, {"json": []}, 400, "50035"),
        ("GET", "/channels/here", {}, 400, "invalid literal"),
        ("POST", MESSAGES, {"json": {"content": 5}}, 400, "as string"),
        ("POST", MESSAGES, {"json": {"components": "none"}}, 400, "50035"),
        ("POST", MESSAGES, {"json": {"content": "x", "colour": "red"}}, 200, "unknown fields: colour"),
        ("POST", MESSAGES, {"json": {"content": "x", "nonce": "n" * 26}}, 400, "nonce"),
        ("POST", MESSAGES, {"json": {"content": "x", "flags": 64}}, 400, "ephemeral"),
        ("POST", MESSAGES, {"json": {"content": "x", "allowed_mentions": {"parse": ["all"]}}}, 400, "all"),
        ("POST", MESSAGES, {"json": {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}}}, 400,
         "exclusive"),
        ("POST", MESSAGES, {"json": {"embeds": [{"description": "x" * 4097}]}}, 400, "4096"),
        ("GET", f"{MESSAGES}?limit=101", {}, 400, "100"),
        ("POST", "/channels/*/threads", {"json": {"name": "n" * 101, "type": 11}}, 400, "100"),
        ("POST", "/channels/*/threads", {"json": {"name": "n", "type": 11, "auto_archive_duration": 7}}, 400, "1440"),
        ("POST", f"{MESSAGES}/bulk-delete", {"json": {"messages": ["1"]}}, 403, ""),
    ],
)  # fmt: skip
def test_what_can_never_be_right_is_a_violation(
    server: Server, method: str, path: str, body: dict[str, Any], status: int, violation: str
) -> None:
    answer = ask(server, method, path.replace("*", str(server.general.id)), **body)
    assert answer[0] == status, answer
    assert not violation or server.forgive(violation)
    assert server.violations == []


def button(**more: Any) -> dict[str, Any]:
    return {"type": 2, "style": 1, "label": "x", "custom_id": "x", **more}


def select(**more: Any) -> dict[str, Any]:
    return {"type": 3, "custom_id": "s", "options": [{"label": "a", "value": "a"}], **more}


@pytest.mark.parametrize(
    "rows",
    [
        [[button(custom_id=str(number)) for number in range(6)]],
        [[button(custom_id=str(number))] for number in range(6)],
        [[button(label="x" * 81)]],
        [[button(custom_id="x" * 101)]],
        [[button(custom_id="")]],
        [[button(label="")]],
        [[button()], [button()]],
        [[select(), button()]],
        [[select(placeholder="x" * 151)]],
        [[select(options=[])]],
        [[select(options=[{"label": str(n), "value": str(n)} for n in range(26)])]],
        [[select(options=[{"label": "x" * 101, "value": "a"}])]],
        [[select(options=[{"label": "a", "value": "a"}, {"label": "b", "value": "a"}])]],
        [[select(max_values=26)]],
        [[{"type": 99}]],
        [[]],
    ],
)
def test_components_over_a_limit_are_refused(server: Server, rows: list[list[dict[str, Any]]]) -> None:
    components = [{"type": 1, "components": row} for row in rows]
    path = f"/channels/{server.general.id}/messages"
    status, body, _ = ask(server, "POST", path, json={"content": "x", "components": components})
    assert (status, body["code"]) == (400, 50035)
    assert server.forgive("50035") and server.general.texts == []


@pytest.mark.parametrize(
    "command",
    [
        {"name": "Upper", "description": "x"},
        {"name": "x" * 33, "description": "x"},
        {"name": "two words", "description": "x"},
        {"name": "none", "description": ""},
        {"name": "long", "description": "x" * 101},
        {"name": "menu", "type": 3, "description": "none is taken"},
        {"name": "order", "description": "x", "options": [
            {"type": 3, "name": "a", "description": "x"},
            {"type": 3, "name": "b", "description": "x", "required": True},
        ]},
    ],
)  # fmt: skip
def test_commands_that_cannot_be_registered_are_refused(server: Server, command: dict[str, Any]) -> None:
    path = f"/applications/{server.app.id}/commands"
    assert ask(server, "PUT", path, json=[command])[0] == 400
    assert server.forgive("50035") and not server.app.commands[None]


def test_until_says_what_did_not_come_true(server: Server) -> None:
    with pytest.raises(AssertionError, match="a wonder"):
        server.until(lambda: None, timeout=0.01, what="a wonder")
    with pytest.raises(AssertionError, match="no violation"):
        server.forgive("anything")


def test_a_port_that_is_taken_is_an_error(server: Server) -> None:
    port = int(server.origin.rpartition(":")[2])
    with pytest.raises(OSError), Server(port=port):
        pass
