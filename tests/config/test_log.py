"""What is logged: as the section says, also when it has changed, and everything with --debug."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from openab_sync.config.log import LogConfig, set_levels

NAMES = ("", "openab_sync", "openab_sync.store", "discord")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = {name: logging.getLogger(name).level for name in NAMES}
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def level_of(name: str) -> int:
    return logging.getLogger(name).getEffectiveLevel()


def test_the_levels_are_those_of_the_section() -> None:
    logging.getLogger().setLevel(logging.WARNING)
    set_levels(LogConfig(level="error", loggers={"openab_sync.store": "debug", "discord": "info"}))
    assert [level_of(name) for name in NAMES] == [logging.WARNING, logging.ERROR, logging.DEBUG, logging.INFO]


def test_what_is_no_longer_named_is_as_everything_else() -> None:
    logging.getLogger().setLevel(logging.WARNING)
    before = LogConfig(loggers={"openab_sync.store": "debug", "discord": "info"})
    set_levels(before)
    set_levels(LogConfig(loggers={"discord": "error"}), before)
    assert [level_of(name) for name in NAMES] == [logging.WARNING, logging.INFO, logging.INFO, logging.ERROR]


def test_with_debug_everything_is_logged() -> None:
    logging.getLogger().setLevel(logging.DEBUG)
    logging.getLogger("openab_sync").setLevel(logging.NOTSET)
    set_levels(LogConfig(level="error"))
    assert level_of("openab_sync") == logging.DEBUG


def test_a_logger_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match="a logger has a name"):
        LogConfig(loggers={"": "debug"})
