"""What a turn that is cut short comes to."""

from __future__ import annotations

import pytest

from openab_sync.core.ending import Ending, dropped_text, memory_after, reset_text, verdict
from openab_sync.core.house import Memory, Reset
from openab_sync.core.message import Inbound, MessageRef
from openab_sync.errors import AgentError, AgentGone, AgentProtocolError, AgentStalled
from tests.core.bed import ANN, place

NOTE = Inbound(MessageRef(place(), "m1"), ANN, "hello")


@pytest.mark.parametrize(
    ("end", "outcome"),
    [
        (Ending("reset by Ann"), "cancelled"),
        (AgentGone("it died"), "gone"),
        (AgentStalled("it hangs"), "stalled"),
        (AgentProtocolError("a line too long"), "failed"),
    ],
)
def test_each_end_has_an_outcome_and_a_sentence(end: AgentError | Ending, outcome: str) -> None:
    assert verdict(end) == (outcome, str(end))


def test_dropped_messages_are_counted() -> None:
    assert dropped_text([]) == ""
    assert dropped_text([NOTE]) == " 1 waiting message was dropped."
    assert dropped_text([NOTE] * 2) == " 2 waiting messages were dropped."


def test_a_reset_forgets_and_one_with_a_memory_goes_on_from_there() -> None:
    old, new = Memory("old"), Memory("new")
    assert memory_after(None, old) is old
    assert memory_after(Reset(ANN), old) is None
    assert memory_after(Reset(ANN, new), old) is new
    assert reset_text(Reset(ANN)) == "Reset: the next message starts a new session."
    assert reset_text(Reset(ANN, new)) == "The next message goes on with that session."
