"""The service, as far as it goes without a chat service; tests/platforms/discord/e2e runs all of it."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from openab_sync.clock import SystemClock
from openab_sync.config.schema import Config, StatusConfig
from openab_sync.core.figures import Figure
from openab_sync.errors import ConfigError
from openab_sync.notify import Notifier
from openab_sync.service import _figures, _fitting, _Life, _serving, _status
from openab_sync.threads import Beat

BOT = {"bot_token": "a.bot.token"}


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({}, r"add \[discord\] with bot_token"),
        ({"discord": BOT}, r"allowed_users .* or allowed_roles, or allow_all_users = true"),
        ({"discord": {**BOT, "allowed_channels": ["1"]}}, "nobody may talk to the bot"),
    ],
)
def test_a_service_that_serves_nobody_says_which_line_to_add(sections: dict[str, Any], said: str) -> None:
    """FIELD I: deny is the default, and silence is no way to find out."""
    with pytest.raises(ConfigError, match=said):
        _serving(msgspec.convert(sections, Config))


@pytest.mark.parametrize("who", [{"allowed_users": ["1"]}, {"allowed_roles": ["1"]}, {"allow_all_users": True}])
def test_a_service_for_somebody_has_the_pool_that_its_chat_service_wants(who: dict[str, Any]) -> None:
    config = msgspec.convert({"discord": {**BOT, **who, "max_buffered_messages": 3}}, Config)
    assert _serving(config).pool.max_buffered_messages == 3


def test_a_configuration_that_was_read_again_must_fit() -> None:
    config = msgspec.convert({"discord": {**BOT, "allow_all_users": True}, "pool": {"max_sessions": 1_000_000}}, Config)
    with pytest.raises(ConfigError, match="open files"):
        _fitting(config)


def test_a_thread_that_is_late_is_logged_once_and_so_is_its_return(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    beat = Beat("janitor")
    life = _Life(lambda: [beat], Notifier({}, SystemClock()))
    for due in (0.0, -1000.0, -1000.0, 0.0):
        beat.owes(time.monotonic(), due)
        life.look()
    first, last = caplog.messages
    assert first.startswith("janitor has not been heard of for 1000 s")
    assert last == "every thread is heard of again"


def test_without_an_address_there_is_no_status_server(tmp_path: Path) -> None:
    assert _status(StatusConfig(listen=""), tmp_path) is None
    assert list(tmp_path.iterdir()) == [], "nor a key for it"


@pytest.mark.parametrize(("listen", "kept"), [("127.0.0.1:0", 1), ("", 0)])
def test_figures_wait_only_where_somebody_takes_them_in(listen: str, kept: int) -> None:
    """Without a status server a broker that lives for months would keep all that it ever counted."""
    figures = _figures(StatusConfig(listen=listen))
    figures(Figure.EDIT, 1.0, "discord")
    assert len(list(figures.take())) == kept
