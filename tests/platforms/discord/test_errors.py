"""What Discord says when something does not work, in our words."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import aiohttp
import discord
import pytest

from openab_sync.errors import ChatError, ChatRefused, ChatTimeout
from openab_sync.platforms.discord.errors import (
    CLOSED_FOR_GOOD,
    SENTENCES,
    UNKNOWN_CHANNEL,
    UNKNOWN_MESSAGE,
    explain,
    is_forbidden,
    is_gone,
    is_passing,
    outage,
    unusable,
)

APP = 4711


def answered(status: int, code: int = 0, message: str = "", retry_after: str = "") -> discord.HTTPException:
    kind: Any = {403: discord.Forbidden, 404: discord.NotFound}.get(status, discord.HTTPException)
    headers = {"Retry-After": retry_after} if retry_after else {}
    made = kind(SimpleNamespace(status=status, reason="no", headers=headers), {"code": code, "message": message})
    assert isinstance(made, discord.HTTPException)
    return made


def closed(code: int) -> discord.ConnectionClosed:
    socket: Any = SimpleNamespace(close_code=code)
    return discord.ConnectionClosed(socket, shard_id=None, code=code)


def no_gateway() -> discord.GatewayNotFound:
    made: Any = discord.GatewayNotFound
    error = made()
    assert isinstance(error, discord.GatewayNotFound)
    return error


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (answered(403, 50013), ChatRefused, "I may not add reactions here: an administrator"),
        (answered(403, 50001), ChatRefused, "View Channel"),
        (answered(403, 50007), ChatRefused, "privacy"),
        (answered(404, 10003), ChatRefused, "does not exist any more"),
        (answered(404, 10008), ChatRefused, "does not exist any more"),
        (answered(400, 160005), ChatRefused, "locked"),
        (answered(400, 50083), ChatRefused, "This thread is archived"),
        (answered(400, 200000), ChatRefused, "AutoMod"),
        (answered(400, 99999, "Strange\nthing"), ChatRefused, "refused to add reactions: Strange thing (code 99999)"),
        (answered(400), ChatRefused, "refused to add reactions: 400"),
        (answered(502), ChatTimeout, "out of order: it answered 502"),
        (answered(429), ChatTimeout, "out of order: it answered 429"),
        (discord.RateLimited(601.2), ChatTimeout, "wait 601 s"),
        (ConnectionResetError(104, "Connection reset by peer"), ChatTimeout, "could not be reached"),
        (aiohttp.ServerDisconnectedError(), ChatTimeout, "could not be reached"),
        (TimeoutError(), ChatTimeout, "could not be reached: TimeoutError"),
        (RuntimeError("Session is closed"), ChatError, "Session is closed"),
        (ValueError("odd"), ChatError, "odd"),
    ],
)
def test_an_error_becomes_a_sentence_and_says_whether_it_was_done(
    error: Exception, kind: type[ChatError], said: str
) -> None:
    ours = explain(error, "add reactions")
    assert type(ours) is kind
    assert said in str(ours)


def test_an_error_of_ours_stays_what_it_is() -> None:
    error = ChatRefused("no")
    assert explain(error, "post") is error


@pytest.mark.parametrize("code", sorted(SENTENCES))
def test_every_known_code_has_a_whole_sentence(code: int) -> None:
    sentence = str(explain(answered(400, code), "send messages"))
    assert sentence[0].isupper() and sentence.endswith((".", "again.")) and "{" not in sentence


def test_what_may_be_tried_again_and_what_must_not() -> None:
    assert is_passing(answered(503)) and is_passing(answered(429)) and is_passing(OSError())
    assert not is_passing(answered(404, 10003)) and not is_passing(ValueError())
    assert is_forbidden(answered(403, 50013)) and is_forbidden(answered(401))
    assert not is_forbidden(answered(404)) and not is_forbidden(OSError())
    assert not is_forbidden(answered(403, 90001)) and not is_forbidden(answered(403, 50007))
    assert is_gone(answered(404, UNKNOWN_CHANNEL)) and is_gone(answered(404, UNKNOWN_MESSAGE), UNKNOWN_MESSAGE)
    assert not is_gone(answered(404, UNKNOWN_MESSAGE)) and not is_gone(OSError())


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (discord.LoginFailure("Improper token has been passed."), "Reset Token"),
        (discord.PrivilegedIntentsRequired(None), f"applications/{APP}/bot"),
        (closed(4004), "Reset Token"),
        (closed(4010), "shard_ids"),
        (closed(4011), "shard_count"),
        (closed(4012), "update"),
        (closed(4013), "update"),
        (closed(4014), "Message Content Intent"),
    ],
)
def test_what_only_the_operator_can_mend_says_what_to_click_where(error: Exception, said: str) -> None:
    """FIELD J11."""
    fatal = unusable(error, APP)
    assert fatal is not None
    assert said in str(fatal) and fatal.exit_code == 2
    assert "\n" not in str(fatal)


@pytest.mark.parametrize("error", [closed(4000), closed(1000), closed(4009), answered(500), OSError(), no_gateway()])
def test_what_may_pass_is_no_reason_to_give_up(error: Exception) -> None:
    assert unusable(error) is None


def test_without_an_application_the_portal_is_named() -> None:
    assert f"{CLOSED_FOR_GOOD[4014]}" in str(unusable(closed(4014)))
    assert "developers/applications," in str(unusable(closed(4014)))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (answered(503), "Discord answered 503"),
        (closed(4000), "code 4000"),
        (no_gateway(), "where its gateway is"),
        (TimeoutError(), "no answer in time"),
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (AttributeError(), "AttributeError"),
    ],
)
def test_why_there_is_no_connection_is_said_in_a_few_words(error: Exception, said: str) -> None:
    assert said in outage(error)
