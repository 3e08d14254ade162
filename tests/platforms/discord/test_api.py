"""Where Discord is: roots, redirection, and pauses between attempts."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.platforms.discord.api import Backoff, Redirect, rest_root, survey
from tests.fakes.discord import Server
from tests.platforms.discord.fake_client import QUICK, logged_in


@pytest.fixture
def redirect() -> Iterator[Redirect]:
    redirect = Redirect("http://127.0.0.1:8080/")
    redirect.on()
    yield redirect
    redirect.off()


@pytest.mark.parametrize(
    ("api_url", "root"),
    [
        ("", "https://discord.com/api/v10"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/api/v10"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/api/v10"),
        ("https://proxy.example/discord/api/v10", "https://proxy.example/discord/api/v10"),
        ("https://proxy.example/discord/", "https://proxy.example/discord"),
    ],
)
def test_a_bare_origin_gets_the_path_of_the_api_and_a_path_is_kept(api_url: str, root: str) -> None:
    assert rest_root(api_url) == root


def as_it_is() -> tuple[object, ...]:
    """What a redirection changes of the library."""
    backoffs = [getattr(module, "ExponentialBackoff") for module in (discord.client, discord.shard)]  # noqa: B009  # not exported
    return (discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY, *backoffs)


def test_requests_go_to_the_configured_root_until_it_is_over() -> None:
    before = as_it_is()
    redirect = Redirect("http://127.0.0.1:8080")
    redirect.on()
    assert discord.http.Route("GET", "/users/@me").url == "http://127.0.0.1:8080/api/v10/users/@me"
    assert as_it_is()[-2:] == (Backoff, Backoff)
    redirect.off()
    assert as_it_is() == before


def test_attempts_to_reconnect_are_logged_for_those_who_debug_only(
    redirect: Redirect, caplog: pytest.LogCaptureFixture
) -> None:
    log = logging.getLogger("discord.client")
    with caplog.at_level(logging.INFO):
        log.error("Attempting a reconnect in %.2fs", 1.0)
        log.error("something else")
    assert caplog.messages == ["something else"]
    with caplog.at_level(logging.DEBUG):
        log.error("Attempting a reconnect in %.2fs", 1.0)
    assert "Attempting a reconnect in 1.00s" in caplog.messages


def test_the_gateway_is_where_the_root_says_that_it_is() -> None:
    with Server(limits=QUICK) as server, logged_in(server) as bot:
        redirect = Redirect(server.origin)
        redirect.on()
        try:
            starts = bot.call(survey(bot))
            assert str(discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY) == server.gateway_url
            assert (starts.shards, starts.remaining) == (1, 999)
            assert starts.reset_after > 0
        finally:
            redirect.off()


@given(st.integers(1, 40))
def test_pauses_grow_up_to_the_cap_and_no_two_brokers_make_the_same(attempts: int) -> None:
    backoff = Backoff()
    spans = [min(Backoff.first * 2**number, Backoff.cap) for number in range(attempts)]
    pauses = [backoff.delay() for _ in range(attempts)]
    assert all(span / 2 <= pause <= span for pause, span in zip(pauses, spans, strict=True))
    backoff.reset()
    assert backoff.delay() <= Backoff.first
