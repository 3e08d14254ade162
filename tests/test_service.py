"""The service, as far as it goes without a chat service; tests/platforms/discord/e2e runs all of it."""

from __future__ import annotations

import signal
import threading
from queue import SimpleQueue
from typing import Any

import msgspec
import pytest

from openab_sync.config.schema import Config
from openab_sync.errors import ConfigError
from openab_sync.service import _serving, _signals, _stop

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


def test_a_signal_that_is_ignored_stays_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `nohup` wants it: the terminal that started the service may go."""
    monkeypatch.setattr(signal, "getsignal", lambda number: signal.SIG_IGN if number == signal.SIGHUP else None)
    assert _signals() == [signal.SIGINT, signal.SIGTERM]


class _Slow:
    """An app whose end takes until its agents are gone."""

    def __init__(self) -> None:
        self.gone = threading.Event()

    def stop(self) -> bool:
        return self.gone.wait(10)


def test_a_second_signal_kills_what_the_end_would_wait_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    slow: Any = _Slow()
    news: SimpleQueue[object] = SimpleQueue()
    monkeypatch.setattr("openab_sync.service.kill_all_now", slow.gone.set)
    news.put("a platform that gave up is not a second signal")
    news.put(signal.SIGTERM)
    assert _stop(slow, news)
    assert "SIGTERM again: agents are killed" in caplog.text


def test_an_end_that_did_not_go_well_is_told() -> None:
    failing: Any = _Slow()
    failing.stop = lambda: False
    assert not _stop(failing, SimpleQueue())
