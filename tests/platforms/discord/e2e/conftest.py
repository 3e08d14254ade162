"""What the tests of the crash table share: the process that forks brokers, and a Discord for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.crash.stage import Warm
from tests.fakes.discord import Server
from tests.platforms.discord.e2e.service import QUICK


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    warm = Warm()
    yield warm
    warm.close()


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server
