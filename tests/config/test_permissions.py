"""The section `[permissions]`: what a rule may hold."""

from __future__ import annotations

import pytest

from openab_sync.config.check import check
from openab_sync.config.document import parse
from openab_sync.config.permissions import PermissionRule, PermissionsConfig
from openab_sync.errors import ConfigError


def read(text: str) -> PermissionsConfig:
    return check(parse("c.toml", text.encode()), {})[0].permissions


def test_rules_are_read_in_their_order() -> None:
    text = """
        [[permissions.rules]]
        kind = "execute"
        command = "npm test*"
        who = ["1", "2"]
        then = "allow"
        [[permissions.rules]]
        then = "deny"
    """
    first, second = read(text).rules
    assert first == PermissionRule(then="allow", kind="execute", command="npm test*", who=("1", "2"))
    assert second == PermissionRule(then="deny")


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ('kind = "read"', "then is missing"),
        ('then = "perhaps"', 'expected one of "allow", "deny", "ask"'),
        ('then = "ask"\nkind = "dance"', 'expected one of "read"'),
        ('then = "ask"\ncomand = "x"', "did you mean command?"),
        ('then = "deny"\noption = "x"', 'option belongs to a rule with then = "allow"'),
    ],
)
def test_a_mistake_in_a_rule_is_named_with_its_place(rule: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(f"[[permissions.rules]]\n{rule}\n")
    assert words in str(caught.value) + caught.value.user_text()
