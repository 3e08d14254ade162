"""The only place that knows everybody: builds the house from a configuration, starts it, stops it in written order.

    build:  descriptor limit, house, pool
    start:  janitor                             (sessions are started by the pool as messages come)
    stop:   no more is admitted → sessions are told, busy ones get a grace, then a cancel; last replies go out
            → threads joined, stragglers' groups killed → janitor

**Threads**: the main thread builds, starts and stops; `broker` is for any thread. Platforms are built by their callers
and stopped after the app: they carry the sessions' last words.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from .acp.environment import agent_environment, raise_descriptor_limit, sessions_that_fit
from .acp.process import Launch
from .acp.schema import McpServer
from .clock import Clock, SystemClock
from .config import schema
from .config.agents import Preset, presets, resolve
from .core.broker import Broker
from .core.house import House
from .core.janitor import Janitor
from .core.pool import SessionPool
from .core.port import ChatPort
from .errors import AgentError, AgentStartError, AuthRequired, ConfigError
from .text.redact import Redactor

__all__ = ["App", "chat"]

log = logging.getLogger(__name__)


class App:
    """One running broker."""

    def __init__(
        self,
        config: schema.Config,
        ports: Mapping[str, ChatPort],
        *,
        environ: Mapping[str, str],
        clock: Clock | None = None,
    ) -> None:
        """Build everything, start nothing. Raise ConfigError for an agent that is not known or too many sessions."""
        clock = clock or SystemClock()
        agent = resolve(config.agent)
        _check_room(config.pool.max_sessions)
        env = agent_environment(environ, agent.env, agent.inherit_env)
        preset = presets()[agent.preset] if agent.preset else None
        name = preset.title if preset else agent.command
        never_asks = preset is not None and preset.asks == "never" and config.permissions.mode == "ask"

        def launch(cwd: str) -> Launch:
            return Launch(agent.command, agent.args, cwd or agent.working_dir, env, name)

        house = House(
            config=config,
            clock=clock,
            launch=launch,
            agent_name=name,
            mcp_servers=tuple(_mcp_server(server) for server in agent.mcp_servers),
            redact=Redactor(_secrets(agent, environ)),
            advice=lambda error: _advice(error, preset, agent, environ),
            warning=f"⚠ {name} never asks before it acts: it may do whatever your user may." if never_asks else "",
        )
        self._grace = config.pool.shutdown_grace_secs
        self._pool = SessionPool(house, ports)
        self._janitor = Janitor(self._pool, clock)
        self.broker = Broker(house, self._pool, ports)

    def start(self) -> None:
        """Begin. Main thread."""
        self._janitor.start()

    def stop(self, reason: str = "openab-sync is shutting down.") -> bool:
        """End everything, bounded; return whether all of it ended by itself. Main thread; blocks.

        Running turns get the configured grace, then a cancel; people are told `reason`.
        """
        steps = {"sessions": self._pool.close(reason, self._grace), "janitor": self._janitor.stop()}
        for step, went_well in steps.items():
            if not went_well:
                log.error("stopping: %s did not end in time", step)
        return all(steps.values())


def chat(
    config: schema.Config,
    environ: Mapping[str, str],
    *,
    prompt: str | None = None,
    files: tuple[Path, ...] = (),
    as_json: bool = False,
    verbose: bool = False,
) -> int:
    """Talk in the terminal, or run one turn if there is a `prompt`; return the exit code. Main thread; blocks.

    Raise OpenabError if the house cannot be built or a file cannot be read, BrokenPipeError if nobody reads stdout.
    """
    from .platforms.console.talk import Wish, talk

    wish = Wish(prompt, files, as_json, verbose)
    return talk(config, wish, environ, lambda ports: App(config, ports, environ=environ))


def _check_room(max_sessions: int) -> None:
    fitting = sessions_that_fit(raise_descriptor_limit())
    if max_sessions > fitting:
        raise ConfigError(
            f"{max_sessions} sessions need more open files than this system allows",
            key="pool.max_sessions",
            hint=f"at most {fitting} fit; raise the limit (ulimit -Hn, LimitNOFILE) or lower the number",
        )


def _advice(error: AgentError, preset: Preset | None, agent: schema.AgentConfig, environ: Mapping[str, str]) -> str:
    """Return what is known of the agent that helps with `error`, as further sentences; "" for nothing."""
    if preset is None:
        return ""
    if isinstance(error, AgentStartError) and preset.install:
        return f" Install it with `{preset.install}`; see `openab-sync agents {preset.name}`."
    if not isinstance(error, AuthRequired):
        return ""
    login = f" Log in with `{preset.login}`." if preset.login else ""
    kept = [key for key in preset.key_env if key in environ and key not in agent.env and key not in agent.inherit_env]
    hint = f' {kept[0]} is set here but not passed on: [agent] inherit_env = ["{kept[0]}"].' if kept else ""
    return login + hint


def _mcp_server(server: schema.McpServer) -> McpServer:
    return McpServer(
        name=server.name,
        type=server.type,
        command=server.command,
        args=server.args,
        env=tuple(server.env.items()),
        url=server.url,
        headers=tuple(server.headers.items()),
    )


def _secrets(agent: schema.AgentConfig, environ: Mapping[str, str]) -> list[str]:
    """Values that must not reach a log: what the agent and its tool servers are given to log in with.

    Headers and queries are secret in their parts, too: the token after `Bearer`, the value after `key=`.
    """
    values = [*agent.env.values(), *(environ[name] for name in agent.inherit_env if name in environ)]
    for server in agent.mcp_servers:
        query = server.url.partition("?")[2]
        values += [*server.env.values(), query, *(pair.partition("=")[2] for pair in query.split("&"))]
        values += [part for value in server.headers.values() for part in (value, *value.split())]
    return values
