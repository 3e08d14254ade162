"""What a turn that is cut short comes to."""

from __future__ import annotations

import pytest

from openab_sync.core.ending import Ending, dropped_text, verdict
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
