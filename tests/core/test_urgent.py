"""What is due is done: each case once. The life around it is `test_session`'s."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from openab_sync.config.schema import PoolConfig
from openab_sync.core.patience import Due
from openab_sync.core.urgent import Doer, do
from openab_sync.errors import AgentStalled


def done(due: Due, *, goes_on: bool = False) -> list[str]:
    """What was done, by its name."""
    told: list[str] = []
    answering = SimpleNamespace(
        reassure=lambda: told.append("reassured"),
        warn=lambda: told.append("warned"),
        goes_on=lambda: goes_on,
        over=SimpleNamespace(text="Too much."),
    )
    agent = SimpleNamespace(check=lambda: told.append("looked"), blame=lambda kind, text: kind(text))
    doer = Doer(lambda outcome, reason: told.append(f"{outcome}: {reason}"), lambda: told.append("shown"))
    typed: Any = answering, agent
    do(due, typed[0], typed[1], PoolConfig(), doer)
    return told


@pytest.mark.parametrize(
    ("due", "goes_on", "told"),
    [
        (Due.CHECK, False, ["looked"]),
        (Due.REASSURE, False, ["reassured"]),
        (Due.WARN, False, ["warned"]),
        (Due.LIMIT, False, ["limit: Too much."]),
        (Due.CANCEL, False, ["stalled: The turn passed the limit of 30 minutes."]),
        (Due.CANCEL, True, ["shown"]),
    ],
)
def test_each_is_done(due: Due, goes_on: bool, told: list[str]) -> None:
    assert done(due, goes_on=goes_on) == told


def test_who_does_not_obey_is_ended() -> None:
    with pytest.raises(AgentStalled, match="did not stop within 10 s"):
        done(Due.KILL)
