"""What an agent is given: environment, program, descriptors."""

from __future__ import annotations

import os
import pwd
import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.acp import environment
from openab_sync.acp.environment import (
    BROKER_ID,
    BROKER_MARKER,
    DESCRIPTORS_PER_SESSION,
    agent_environment,
    dying_with_us,
    raise_descriptor_limit,
    resolve,
    sessions_that_fit,
)
from openab_sync.errors import AgentStartError

OURS = {"HOME": "/home/me", "PATH": "/bin", "USER": "me", "LANG": "C.UTF-8", "LC_ALL": "C", "LC_TIME": "de_DE"}
MARK = {BROKER_MARKER: BROKER_ID}


def test_an_agent_gets_a_few_plain_names_and_nothing_else() -> None:
    """FIELD C5: the broker's tokens are not the agent's business; nor is the broker's terminal."""
    environ = {
        **OURS,
        "DISCORD_TOKEN": "x",
        "TERM": "xterm",
        "LANGUAGE": "de",
        "PYTHONPATH": "/x",
        "SSH_AUTH_SOCK": "/s",
    }
    assert agent_environment(environ, {}, []) == {**OURS, **MARK}


def test_names_to_inherit_come_along_if_they_are_there() -> None:
    """FIELD C7."""
    environ = {**OURS, "API_KEY": "k", "OTHER": "o"}
    assert agent_environment(environ, {}, ["API_KEY", "MISSING"]) == {**OURS, "API_KEY": "k", **MARK}


def test_what_is_set_for_the_agent_wins_over_everything_but_the_marker() -> None:
    extra = {"PATH": "/opt/bin", "API_KEY": "set", "HOME": "/elsewhere", BROKER_MARKER: "forged"}
    env = agent_environment({**OURS, "API_KEY": "inherited"}, extra, ["API_KEY"])
    assert env == {**OURS, **extra, **MARK}


def test_home_is_the_real_one_even_if_nobody_says_so() -> None:
    """FIELD C6: an agent's login lives in HOME."""
    entry = pwd.getpwuid(os.getuid())
    env = agent_environment({}, {}, [])
    assert env == {"HOME": entry.pw_dir, "USER": entry.pw_name, "PATH": os.defpath, **MARK}
    assert agent_environment({"HOME": "/set"}, {}, [])["HOME"] == "/set"


def test_a_user_without_a_name_has_no_home_to_give(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    assert agent_environment({}, {}, []) == {"PATH": os.defpath, **MARK}


@given(
    st.dictionaries(st.text(max_size=8), st.text(max_size=4)),
    st.dictionaries(st.text(max_size=8), st.text(max_size=4)),
    st.lists(st.text(max_size=8)),
)
def test_nothing_gets_through_that_was_not_asked_for(
    environ: dict[str, str], extra: dict[str, str], inherit: list[str]
) -> None:
    env = agent_environment({**OURS, **environ}, extra, inherit)
    allowed = {*OURS, *extra, *inherit, BROKER_MARKER} | {name for name in environ if name.startswith("LC_")}
    assert set(env) <= allowed
    assert {name: env[name] for name in extra if name != BROKER_MARKER} == {
        name: value for name, value in extra.items() if name != BROKER_MARKER
    }


def program(path: Path, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


def test_a_command_is_searched_in_the_path_that_the_agent_will_get(tmp_path: Path) -> None:
    """FIELD C11."""
    agent = program(tmp_path / "b" / "agent")
    (tmp_path / "a").mkdir()
    env = {"PATH": f"{tmp_path}/nowhere:{tmp_path}/a:{tmp_path}/b"}
    assert resolve("agent", env, "/") == str(agent)


def test_a_missing_command_is_named_with_the_path_searched(tmp_path: Path) -> None:
    with pytest.raises(AgentStartError) as caught:
        resolve("no-such-agent", {"PATH": f"{tmp_path}:/nowhere"}, "/")
    assert caught.value.message == f"command not found: no-such-agent (searched in PATH={tmp_path}:/nowhere)"
    assert caught.value.command == "no-such-agent"


def test_a_file_on_the_path_that_cannot_be_run_is_passed_over_but_mentioned(tmp_path: Path) -> None:
    useless, useful = tmp_path / "a" / "agent", tmp_path / "b" / "agent"
    program(useless, 0o644)
    env = {"PATH": f"{tmp_path}/a:{tmp_path}/b"}
    with pytest.raises(AgentStartError, match=f"; {useless} is not executable"):
        resolve("agent", env, "/")
    program(useful)
    assert resolve("agent", env, "/") == str(useful)


def test_a_command_with_a_slash_is_taken_from_the_working_directory(tmp_path: Path) -> None:
    agent = program(tmp_path / "bin" / "agent")
    assert resolve("bin/agent", {"PATH": "/nowhere"}, str(tmp_path)) == str(agent)
    assert resolve("./bin/agent", {}, str(tmp_path)) == str(agent)
    assert resolve(str(agent), {}, "/") == str(agent)


def test_an_empty_entry_of_the_path_is_the_working_directory(tmp_path: Path) -> None:
    agent = program(tmp_path / "agent")
    assert resolve("agent", {"PATH": "/nowhere:"}, str(tmp_path)) == str(agent)


@pytest.mark.parametrize(
    ("command", "why"),
    [("missing", "does not exist"), ("folder", "is a directory"), ("plain", "is not executable")],
)
def test_what_cannot_be_run_is_told_with_the_reason(tmp_path: Path, command: str, why: str) -> None:
    (tmp_path / "folder").mkdir()
    program(tmp_path / "plain", 0o644)
    with pytest.raises(AgentStartError) as caught:
        resolve(f"./{command}", {}, str(tmp_path))
    assert caught.value.message == f"cannot run the agent: {tmp_path}/{command} {why}"


def test_what_has_an_agent_die_with_us_must_be_the_right_program(tmp_path: Path) -> None:
    assert dying_with_us(str(tmp_path)) == ()
    (tmp_path / "busybox").write_text("#!/bin/sh\n")
    (tmp_path / "busybox").chmod(0o755)
    (tmp_path / "setpriv").symlink_to("busybox")
    assert dying_with_us(str(tmp_path)) == (), "busybox has one that does not know the option"
    (tmp_path / "setpriv").unlink()
    (tmp_path / "busybox").rename(tmp_path / "setpriv")
    assert dying_with_us(str(tmp_path)) == (str(tmp_path / "setpriv"), "--pdeathsig", "KILL", "--")


def test_no_command_at_all_is_told_so() -> None:
    with pytest.raises(AgentStartError, match="no command is configured"):
        resolve("", {}, "/")


class Limits:
    """The kernel's two numbers, with a ceiling of its own as on macOS."""

    def __init__(self, soft: int, hard: int, ceiling: int = 1 << 30) -> None:
        self.now, self.ceiling = (soft, hard), ceiling

    def get(self, _: int) -> tuple[int, int]:
        return self.now

    def set(self, _: int, wish: tuple[int, int]) -> None:
        if wish[0] > self.ceiling:
            raise ValueError("current limit exceeds maximum limit")
        self.now = wish


INFINITE = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(1024, 4096), 4096),
        (Limits(4096, 4096), 4096),
        (Limits(256, INFINITE), 1 << 20),
        (Limits(256, INFINITE, ceiling=10_240), 10_240),
        (Limits(20_000, INFINITE, ceiling=20_000), 20_000),
        (Limits(256, 4096, ceiling=256), 256),
        (Limits(INFINITE, INFINITE), 1 << 20),
    ],
)
def test_the_soft_limit_goes_as_far_up_as_the_system_lets_it(
    monkeypatch: pytest.MonkeyPatch, limits: Limits, expected: int
) -> None:
    hard = limits.now[1]
    monkeypatch.setattr(resource, "getrlimit", limits.get)
    monkeypatch.setattr(resource, "setrlimit", limits.set)
    assert raise_descriptor_limit() == expected
    assert limits.now[1] == hard, "the hard limit is the operator's"


def test_the_real_limit_is_raised_to_the_hard_one() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, before[0]), before[1]))
        now = raise_descriptor_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (now, before[1])
        assert now >= before[0]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_sessions_are_counted_by_the_descriptors_they_need() -> None:
    house = environment.DESCRIPTORS_OF_THE_HOUSE
    assert sessions_that_fit(house + 10 * DESCRIPTORS_PER_SESSION) == 10
    assert sessions_that_fit(house + 10 * DESCRIPTORS_PER_SESSION - 1) == 9
    assert sessions_that_fit(16) == 0
    assert sessions_that_fit(1024) >= 50
