"""The judge of the fault table judges: each promise that is broken is noticed."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.faults.invariants import Account, check

GOOD: dict[str, Any] = {
    "asked": {"first": ["⚠️ The agent died."], "second": [], "other": []},
    "said": ["[second] and more", "[other]"],
    "unhurt": ["other"],
}


def test_what_is_answered_or_told_once_is_well() -> None:
    check(Account(**GOOD))
    check(Account(**GOOD | {"said": [*GOOD["said"], "[first] half"], "cut": ["first"]}))
    check(Account(**GOOD | {"marks": {"second": "and more"}, "pids": [2**22 + 1]}))


@pytest.mark.parametrize(
    ("broken", "verdict"),
    [
        ({"said": ["[other]"]}, "lost"),
        ({"said": ["[second]", "[second]", "[other]"]}, "answered twice"),
        ({"said": ["[second][second]", "[other]"]}, "answered twice"),
        ({"said": ["[first]", "[second]", "[other]"]}, "answered, and told that it was not"),
        ({"asked": GOOD["asked"] | {"first": [" "]}}, "not one sentence"),
        ({"asked": GOOD["asked"] | {"first": ["one\ntwo"]}}, "not one sentence"),
        ({"asked": GOOD["asked"] | {"first": ["one", "two"]}}, "told twice"),
        ({"asked": GOOD["asked"] | {"other": ["no"]}, "said": ["[second]"]}, "nothing to do with it"),
        ({"unfinished": [("m1", "started")]}, "not over"),
        ({"pids": [os.getpid()]}, "an agent is left"),
    ],
)
def test_what_is_not_is_named(broken: dict[str, Any], verdict: str) -> None:
    with pytest.raises(AssertionError, match=verdict):
        check(Account(**GOOD | broken))
