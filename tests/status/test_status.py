"""The status server, put together."""

from __future__ import annotations

import json
import math
import os
import stat
import urllib.request
from pathlib import Path

import pytest

from openab_sync.config.schema import StatusConfig
from openab_sync.errors import ConfigError, StoreError
from openab_sync.status.sources import Sources
from openab_sync.status.status import ADDRESS_FILE, Status
from openab_sync.store.keys import STATUS_KEY
from tests.core.bed import Bed
from tests.fakes.clock import FakeClock
from tests.status.scene import no_broker
from tests.status.test_looking import sources
from tests.status.test_server import fetch
from tests.waiting import until

ANY = StatusConfig(listen="127.0.0.1:0")


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


def test_it_says_where_it_listens_while_it_does(tmp_path: Path) -> None:
    status = Status(ANY, tmp_path)
    status.start(Sources(no_broker(), FakeClock()))
    try:
        assert (tmp_path / ADDRESS_FILE).read_text().strip() == status.address.url
        assert fetch(status.address, "/healthz") == 200
    finally:
        assert status.stop()
    assert not (tmp_path / ADDRESS_FILE).exists()


def test_its_pulse_is_heard_of_while_it_runs(tmp_path: Path) -> None:
    status = Status(ANY, tmp_path)
    assert status.beat.due == math.inf
    status.start(Sources(no_broker(), FakeClock()))
    until(lambda: status.beat.due < math.inf)
    assert status.stop()
    assert (status.beat.name, status.beat.due, status.beat.has_died) == ("status-pulse", math.inf, False)


def test_the_memory_that_agents_hold_is_weighed_and_shown(tmp_path: Path) -> None:
    with Bed() as bed:
        bed.ask("say hello")
        status = Status(ANY, tmp_path)
        status.start(sources(bed))
        try:
            until(lambda: json.loads(read(f"{status.address.url}/api/sessions"))[0]["rss"], what="it has been weighed")
            figures = read(f"{status.address.url}/metrics").splitlines()
            [held] = [line for line in figures if line.startswith("openab_agent_resident_bytes{")]
            assert held.startswith('openab_agent_resident_bytes{conversation="test:1"} ')
            assert float(held.split()[1]) > 1_000_000
        finally:
            assert status.stop()


def test_its_key_is_made_once_and_for_this_user_only(tmp_path: Path) -> None:
    statuses = [Status(ANY, tmp_path) for _ in range(2)]
    visit = statuses[0].guard.enter(statuses[0].guard.make_link().rpartition("/")[2])
    assert visit is not None
    assert stat.S_IMODE(os.stat(tmp_path / STATUS_KEY).st_mode) == 0o600
    assert statuses[0].guard._token == statuses[1].guard._token
    assert all(status.stop() for status in statuses)


def test_a_configured_key_is_kept_nowhere(tmp_path: Path) -> None:
    assert Status(StatusConfig(listen="127.0.0.1:0", token="a-token-of-the-tests"), tmp_path).stop()
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_ends_the_start(tmp_path: Path) -> None:
    first = Status(ANY, tmp_path)
    with pytest.raises(ConfigError, match="cannot listen"):
        Status(StatusConfig(listen=f"127.0.0.1:{first.address.port}"), tmp_path)
    assert first.stop()


def test_a_key_that_cannot_be_kept_ends_the_start(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        Status(ANY, tmp_path / "nowhere")
