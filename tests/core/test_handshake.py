"""Shaking hands with a real process outside of any conversation."""

from __future__ import annotations

import msgspec
import pytest

from openab_sync.app import App
from openab_sync.config.schema import Config
from openab_sync.core.handshake import Handshake, shake_hands, ways_in
from openab_sync.errors import AgentGone, AgentStalled, AgentStartError, AuthRequired
from tests.fakes import fake_agent
from tests.waiting import MS


def hands(*flags: str, command: tuple[str, ...] = (), **pool: object) -> Handshake:
    program, *args = command or fake_agent(*flags)
    sections = {"agent": {"command": program, "args": args}, "pool": pool}
    return shake_hands(App(msgspec.convert(sections, Config), {}, environ={}).house)


def test_an_agent_that_works_says_what_it_is_and_can() -> None:
    found = hands("--options")
    assert found.name and found.pid is not None
    assert {"load", "image"} <= set(found.can)
    assert any(option.category == "model" and option.choices for option in found.options)
    assert 0 < found.seconds < 60
    assert found.notices == ()


def test_what_cannot_be_set_is_noticed() -> None:
    [notice] = hands("--options", default_config_options={"nothing": "x"}).notices
    assert "nothing could not be set" in notice


def test_an_agent_that_is_not_there_dies_or_says_nothing_is_an_error_and_nothing_is_left() -> None:
    with pytest.raises(AgentStartError, match="no-such-agent"):
        hands(command=("no-such-agent",))
    with pytest.raises(AgentGone):
        hands(command=("true",))
    with pytest.raises(AgentStalled, match="did not answer initialize"):
        hands(command=("sleep", "600"), initialize_secs=50 * MS)


def test_who_must_log_in_is_told_how() -> None:
    with pytest.raises(AuthRequired) as caught:
        hands("--auth")
    assert "log in" in caught.value.user_text()


def test_a_way_that_the_agent_handles_itself_logs_it_in_and_its_ways_are_told() -> None:
    program, *args = fake_agent("--auth")
    house = App(msgspec.convert({"agent": {"command": program, "args": args}}, Config), {}, environ={}).house
    assert {"key", "vendor"} <= {method.id for method in ways_in(house)}
    assert shake_hands(house, "key").name
