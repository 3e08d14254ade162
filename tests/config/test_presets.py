"""The agents known by name, and what an `[agent]` section comes to."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.config import AgentConfig
from openab_sync.config.agents import DEMO, Preset, identity, installed, presets, resolve
from openab_sync.errors import ConfigError

FIELD = [
    *("demo", "claude", "codex", "gemini", "opencode", "kiro", "copilot", "cursor", "qwen", "kimi", "goose", "vibe"),
    *("openhands", "cline", "hermes", "fast-agent", "pi", "auggie"),
]


def test_the_agents_of_the_field_are_known_and_the_demo_comes_first() -> None:
    assert list(presets()) == FIELD


def test_nobody_can_change_the_presets() -> None:
    with pytest.raises(TypeError):
        presets()["x"] = presets()[DEMO]  # type: ignore[index]  # that it is read-only is what is tested


@pytest.mark.parametrize("preset", presets().values(), ids=lambda preset: preset.name)
def test_each_preset_says_what_one_must_know(preset: Preset) -> None:
    assert preset.title
    assert preset.command
    assert preset.quirks
    assert preset.homepage.startswith("https://") or preset.name == DEMO
    assert preset.install or preset.name == DEMO
    assert (preset.asks == "mode") <= (preset.ask_mode is not None), "a mode to ask in must be named"
    assert (preset.ask_mode is not None) <= (preset.asks in ("mode", "default"))
    assert all(quirk.endswith((".", ".)")) for quirk in preset.quirks), "quirks are sentences"
    assert shlex.split(preset.login) or not preset.login
    assert all(name.isupper() for name in (*preset.key_env, *preset.env))


def test_without_preset_and_command_it_is_the_demo_agent() -> None:
    agent = resolve(AgentConfig())
    assert (agent.preset, agent.command, agent.args) == (DEMO, sys.executable, ("-m", "openab_sync.agents.demo"))


def test_a_preset_brings_command_and_arguments() -> None:
    agent = resolve(AgentConfig(preset="gemini"))
    assert (agent.command, agent.args) == ("gemini", ("--acp",))


def test_own_arguments_replace_those_of_the_preset() -> None:
    agent = resolve(AgentConfig(preset="gemini", args=("--acp", "-m", "x")))
    assert (agent.command, agent.args) == ("gemini", ("--acp", "-m", "x"))


def test_a_command_without_arguments_has_none() -> None:
    """FIELD C8: an own command must not inherit another one's arguments."""
    assert resolve(AgentConfig(command="/opt/agent")).args == ()
    agent = resolve(AgentConfig(preset="gemini", command="/opt/gemini"))
    assert (agent.command, agent.args) == ("/opt/gemini", ())


def test_a_command_alone_has_no_preset() -> None:
    assert resolve(AgentConfig(command="/opt/agent", args=("x",))).preset is None


def test_own_variables_win_over_those_of_the_preset() -> None:
    assert resolve(AgentConfig(preset="goose")).env == {"GOOSE_MODE": "approve"}
    agent = resolve(AgentConfig(preset="goose", env={"GOOSE_MODE": "auto", "A": "1"}))
    assert agent.env == {"GOOSE_MODE": "auto", "A": "1"}


def test_the_working_folder_becomes_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert resolve(AgentConfig(command="x", working_dir="~/code")).working_dir == str(tmp_path / "code")
    assert resolve(AgentConfig(working_dir="sub/..")).working_dir == os.getcwd()


@pytest.mark.parametrize(
    ("name", "hint"),
    [("cluade", "did you mean claude?"), ("Gemini", "did you mean gemini?"), ("zzz", "there are: demo, ")],
)
def test_an_unknown_preset_is_a_sentence(name: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(AgentConfig(preset=name))
    assert f'agent.preset: there is no preset "{name}"' in str(caught.value)
    assert hint in str(caught.value)


@given(
    st.builds(
        AgentConfig,
        preset=st.sampled_from(FIELD),
        command=st.sampled_from(["", "x"]),
        args=st.sampled_from([(), ("a",)]),
        working_dir=st.sampled_from([".", "a", "/b"]),
        env=st.dictionaries(st.sampled_from(["A", "GOOSE_MODE"]), st.text()),
    )
)
def test_resolving_twice_changes_nothing(agent: AgentConfig) -> None:
    once = resolve(agent)
    again = resolve(once)
    assert msgspec.structs.asdict(again) == msgspec.structs.asdict(once)


def test_an_agent_is_looked_for_in_the_folders_given(tmp_path: Path) -> None:
    gemini = presets()["gemini"]
    assert installed(gemini, str(tmp_path)) is None
    program = tmp_path / "gemini"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    assert installed(gemini, str(tmp_path)) is None, "a file that cannot be run is no program"
    program.chmod(0o755)
    assert installed(gemini, f"/nowhere:{tmp_path}") == str(program)


def test_the_demo_agent_is_always_there() -> None:
    assert installed(presets()[DEMO], "") == sys.executable


def test_reading_the_configuration_imports_little() -> None:
    code = "import sys, openab_sync.config; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {
        "asyncio",
        "urllib.request",
        "http.client",
        "importlib.resources",
        "platformdirs",
        "click",
        "ssl",
    }
    assert heavy & set(modules) == set()


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (AgentConfig(preset="gemini"), "gemini"),
        (AgentConfig(), "demo"),
        (AgentConfig(command="/opt/bin/my-agent", args=("--model", "x")), "my-agent"),
        (AgentConfig(command="npx", args=("-y", "@some/agent", "--acp")), "npx @some/agent"),
        (AgentConfig(command="/usr/bin/python3.11", args=("-m", "agent")), "python3.11 agent"),
        (AgentConfig(command="node"), "node"),
    ],
)
def test_an_agent_is_told_from_another_by_what_it_is_and_not_by_its_options(agent: AgentConfig, name: str) -> None:
    assert identity(resolve(agent)) == name
