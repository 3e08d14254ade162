"""What is not well always comes with what to do about it."""

from __future__ import annotations

import pytest

from openab_sync.checks.finding import Finding, fail, ok, warn


def test_what_is_not_well_says_what_to_do() -> None:
    assert [ok("a", "fine"), warn("a", "odd", "look"), fail("a", "broken", "mend it")] == [
        Finding("ok", "a", "fine"),
        Finding("warn", "a", "odd", "look"),
        Finding("fail", "a", "broken", "mend it"),
    ]
    for level in (warn, fail):
        with pytest.raises(AssertionError):
            level("a", "broken", "")
