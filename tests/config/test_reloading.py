"""The configuration, read again: what changes, what is said, and that a fault changes nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import msgspec
import pytest

from openab_sync.config.live import Live
from openab_sync.config.reloading import Reloading
from openab_sync.config.schema import Config
from openab_sync.errors import ConfigError


class Desk:
    """A live configuration, and a file that the test writes."""

    def __init__(self) -> None:
        self.live, self.file = Live(Config()), Config()
        self.fault: ConfigError | None = None
        self.reloading = Reloading(self.live, self.file, self.read, self.adapt)

    def read(self) -> Config:
        if self.fault is not None:
            raise self.fault
        return self.file

    def adapt(self, config: Config) -> Config:
        if config.pool.max_sessions > 100:
            raise ConfigError("that many do not fit", key="pool.max_sessions")
        if config.agent.preset == "nobody":
            raise ConfigError("there is no such agent", key="agent.preset")
        return msgspec.structs.replace(config, pool=msgspec.structs.replace(config.pool, max_waiting=1))

    def write(self, **sections: object) -> None:
        self.file = msgspec.convert(sections, Config)


@pytest.fixture
def desk() -> Iterator[Desk]:
    before = logging.getLogger("openab_sync").level
    yield Desk()
    logging.getLogger("openab_sync").setLevel(before)


def test_what_is_the_same_changes_nothing(desk: Desk) -> None:
    assert desk.reloading.reload() == (True, "Nothing has changed.")


def test_what_applies_is_told_and_applies_as_it_is_used(desk: Desk) -> None:
    desk.write(pool={"max_sessions": 3}, log={"level": "warning"})
    assert desk.reloading.reload() == (True, "Applies from now on: pool.max_sessions, log.level.")
    assert (desk.live.config.pool.max_sessions, desk.live.config.pool.max_waiting) == (3, 1)
    assert logging.getLogger("openab_sync").level == logging.WARNING


def test_what_waits_for_a_restart_is_named_each_time(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.write(agent={"command": "other"})
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            is_well, text = desk.reloading.reload()
            assert is_well
            assert text == "Changed as well, but only a restart applies it: agent.command."
    assert desk.live.config.agent.command == ""
    assert "only a restart applies it: agent.command" in caplog.text


def test_a_file_that_cannot_be_used_changes_nothing_and_says_why(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.write(pool={"max_sessions": 3})
    desk.fault = ConfigError("expected a number", file="config.toml", line=3, key="pool.max_sessions")
    is_well, text = desk.reloading.reload()
    assert not is_well
    assert text.startswith("Nothing changed: ") and "config.toml" in text and "expected a number" in text
    assert desk.live.config.pool.max_sessions == 10
    assert "nothing changed" in caplog.text
    desk.fault = None
    assert desk.reloading.reload()[0]
    assert desk.live.config.pool.max_sessions == 3


def test_what_the_house_cannot_do_changes_nothing_either(desk: Desk) -> None:
    desk.write(pool={"max_sessions": 101}, reactions={"enabled": False})
    assert desk.reloading.reload() == (False, "Nothing changed: pool.max_sessions: that many do not fit")
    assert desk.live.config.reactions.enabled


def test_what_could_not_be_started_like_this_changes_nothing_though_a_restart_only_would_apply_the_fault(
    desk: Desk,
) -> None:
    """Somebody's editor may be in the middle of writing it."""
    desk.write(agent={"preset": "nobody"}, reactions={"enabled": False})
    assert desk.reloading.reload() == (False, "Nothing changed: agent.preset: there is no such agent")
    assert desk.live.config.reactions.enabled
