"""What a policy picks among the options real agents offer."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.acp.events import PermissionOption
from openab_sync.acp.permissions import is_offered, pick, rejecting


def options(*entries: str) -> list[PermissionOption]:
    """Return options from "id|name|kind"."""
    return [PermissionOption(*entry.split("|")) for entry in entries]


QWEN = options(
    "proceed_always_project|Always Allow in project: echo *|allow_always",
    "proceed_always_user|Always Allow for user: echo *|allow_always",
    "proceed_once|Allow|allow_once",
    "cancel|Reject|reject_once",
)
CODEX = options(
    "approved-execpolicy-amendment|Yes, and don't ask again for `ls`|allow_always",
    "approved|Run `pip install --mode always`|allow_once",
    "abort|No|reject_once",
)
CLAUDE_PLAN = options(
    "bypassPermissions|Yes, and bypass permissions|allow_always",
    "acceptEdits|Yes, and auto-accept edits|allow_always",
    "default|Yes, and manually approve edits|allow_once",
    "plan|No, keep planning|reject_once",
)
ALWAYS_ONLY = options("session|Allow for this session|allow_always", "no|No|reject_always")
TRAPS = options(
    "bypassPermissions|Yes|allow_once", "always|Always|allow_always", "autopilot|Autopilot mode|allow_always"
)
ODD = options("a|Allow|", "b|Allow|allow_everything", "c|Fine|ALLOW_ONCE")


@pytest.mark.parametrize(
    ("offered", "allowed", "denied"),
    [
        (QWEN, "proceed_once", "cancel"),
        (CODEX, "approved", "abort"),
        (CLAUDE_PLAN, "default", "plan"),
        (ALWAYS_ONLY, "session", "no"),
        (TRAPS, None, None),
        (ODD, None, None),
        (options("r|No|reject_once", "r2|Never|reject_always"), None, "r"),
        (options("r2|Never|reject_always", "r|No|reject_once"), None, "r"),
        (options("allow_once|Allow once|allow_once"), "allow_once", None),
        (options("x|Switch to code mode, once|allow_once"), "x", None),
        (options("allow_always|Allow for this session|allow_always"), "allow_always", None),
        ([], None, None),
    ],
)
def test_allowing_means_once_and_denying_means_a_rejection(
    offered: list[PermissionOption], allowed: str | None, denied: str | None
) -> None:
    assert pick(offered, "allow") == allowed
    assert pick(offered, "deny") == denied


@given(
    st.lists(
        st.builds(
            PermissionOption,
            st.text(max_size=4),
            st.sampled_from(["Allow", "Always", "bypass"]),
            st.sampled_from(["allow_once", "allow_always", "reject_once", "reject_always", "", "odd"]),
        )
    ),
    st.sampled_from(["allow", "deny"]),
)
def test_what_is_picked_was_offered_with_a_kind_that_fits(
    offered: list[PermissionOption], policy: Literal["allow", "deny"]
) -> None:
    picked = pick(offered, policy)
    if picked is None:
        assert policy == "allow" or rejecting(offered) is None
    else:
        assert is_offered(offered, picked)
        start = "allow" if policy == "allow" else "reject"
        assert any(option.option_id == picked and option.kind.startswith(start) for option in offered)


def test_an_id_that_only_resembles_one_was_not_offered() -> None:
    assert is_offered(QWEN, "cancel")
    assert not is_offered(QWEN, "Cancel")
    assert not is_offered(QWEN, "allow_once")
