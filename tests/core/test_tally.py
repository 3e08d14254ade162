"""What a session has used, added up from what the agent tells."""

from __future__ import annotations

from openab_sync.acp.events import Answered, Failed, UsageChanged
from openab_sync.core.house import Usage
from openab_sync.core.tally import tallied


def test_what_a_report_does_not_say_stays_as_it_was() -> None:
    usage = tallied(Usage(), UsageChanged(used=10, size=100))
    usage = tallied(usage, UsageChanged(cost=0.25, currency="EUR"))
    usage = tallied(usage, UsageChanged(used=20))
    assert usage == Usage(used=20, size=100, cost=0.25, currency="EUR")


def test_turns_and_what_was_written_in_them_are_added_up() -> None:
    usage = tallied(Usage(), Answered(1, "session/prompt", {}, "end_turn", 7))
    usage = tallied(usage, Answered(2, "session/prompt", {}, "end_turn"))
    usage = tallied(usage, Failed(3, "session/prompt", -32603, "no"))
    assert tallied(usage, Answered(4, "session/prompt", {}, "end_turn", 5)) == Usage(output_tokens=12, turns=4)


def test_answers_to_other_requests_are_no_turns() -> None:
    for event in (Answered(1, "session/new", {}), Failed(2, "session/set_mode", -32602, "no")):
        assert tallied(Usage(), event) == Usage()
