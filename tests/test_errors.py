"""The tree of errors: whose fault, which exit code, what people read."""

from __future__ import annotations

import ast
import pickle
import re
from pathlib import Path

import pytest

from openab_sync import errors
from openab_sync.errors import (
    AgentError,
    AgentGone,
    AgentRefused,
    AuthRequired,
    ConfigError,
    InboxFull,
    OpenabError,
    PoolClosed,
    PoolError,
    PoolFull,
    StoreError,
)

EVERY_ERROR = [getattr(errors, name) for name in errors.__all__]


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = re.findall(r"^[ │├└─]*([A-Z]\w+)", errors.__doc__ or "", re.MULTILINE)
    named = [name for name in drawn if name in errors.__all__]
    assert sorted(named) == sorted(errors.__all__)
    depth = {m[2]: len(m[1]) for m in re.finditer(r"^([ │├└─]*)([A-Z]\w+)", errors.__doc__ or "", re.MULTILINE)}
    for kind in EVERY_ERROR:
        parents = [name for name in named[: named.index(kind.__name__)] if depth[name] < depth[kind.__name__]]
        assert kind.__base__.__name__ == (parents[-1] if parents else "Exception"), kind


@pytest.mark.parametrize("kind", EVERY_ERROR)
def test_everything_is_an_openab_error_with_an_exit_code(kind: type[OpenabError]) -> None:
    assert issubclass(kind, OpenabError)
    assert kind.exit_code == (2 if kind is ConfigError else 1)


def test_the_module_imports_nothing_of_ours() -> None:
    tree = ast.parse(Path(errors.__file__).read_text())
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert modules == {"__future__", "collections.abc"}


def test_what_a_config_error_quotes_is_no_business_of_the_terminal() -> None:
    error = ConfigError('there is no preset "\x1b[2J\f\u202e"', key="agent.preset", file="übel.toml")
    assert str(error) == r'übel.toml: agent.preset: there is no preset "\x1b[2J\x0c\u202e"' == error.user_text()


def test_a_config_error_names_the_place_and_what_to_do() -> None:
    error = ConfigError(
        "unknown key", file="config.toml", key="pool.max_sesions", line=7, hint="did you mean max_sessions?"
    )
    assert str(error) == "config.toml:7: pool.max_sesions: unknown key (did you mean max_sessions?)"
    assert error.user_text() == str(error)
    assert str(ConfigError("no such file")) == "no such file"


def test_a_full_pool_says_how_many() -> None:
    error = PoolFull(10, 20)
    assert "10 sessions" in str(error)
    assert "20 conversations" in str(error)
    assert "All 10 agents are busy" in error.user_text()
    assert isinstance(error, PoolError)


def test_people_are_told_what_became_of_their_message() -> None:
    assert "send it again" in PoolClosed().user_text()
    assert "not taken" in InboxFull(5).user_text()
    assert str(InboxFull(5)) == "5 messages are waiting in this conversation already"


def test_an_agent_error_carries_command_pid_and_last_words() -> None:
    error = AgentGone("the agent has ended (exit status 3)", command="claude", pid=77, stderr="boom")
    assert str(error) == "the agent has ended (exit status 3) [claude, pid 77]\nits last words on stderr:\nboom"
    assert error.user_text() == "the agent has ended (exit status 3)", "stderr is for the log only"
    assert str(AgentError("gone", command="claude")) == "gone [claude]"
    assert str(AgentError("gone")) == "gone"


def test_a_refusal_keeps_the_agents_code_and_data() -> None:
    error = AgentRefused("no", code=-32602, data={"why": "because"})
    assert (error.code, error.data) == (-32602, {"why": "because"})


def test_a_missing_login_names_the_ways_to_log_in() -> None:
    error = AuthRequired("log in first", methods=["Browser", "API key"])
    assert (error.code, error.methods) == (-32000, ("Browser", "API key"))


def test_a_disk_that_fails_is_named_in_the_log_and_not_in_a_chat() -> None:
    error = StoreError("the disk is full", file="/srv/state/journal.db")
    assert str(error) == "/srv/state/journal.db: the disk is full"
    assert str(StoreError("the journal is closed")) == "the journal is closed"
    assert "the disk is full" in error.user_text()
    assert "/srv" not in error.user_text()


def test_an_agent_error_survives_being_copied() -> None:
    error = AgentGone("gone", command="claude", pid=77, stderr="boom")
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.pid) == (str(error), 77)
