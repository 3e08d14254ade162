"""Fixtures of the agents' tests: a demo agent with one session open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agents.demo_client import Demo


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    with Demo(tmp_path / "state") as client:
        yield client.open()
