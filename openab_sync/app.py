"""The house, put together: builds it from a configuration, starts it, stops it in written order.

    build:  descriptor limit, house, pool
    start:  pacer → janitor                     (sessions are started by the pool as messages come)
    stop:   no more is admitted → sessions are told, busy ones get a grace, then a cancel; last replies go out
            → threads joined, stragglers' groups killed → arrears → pacer → janitor

`service` serves chat services with it, `chat` a terminal.

**Threads**: the main thread builds, starts and stops; `broker` is for any thread. Platforms are stopped after the app:
they carry the sessions' last words.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from . import heap
from .acp.bounds import Bounds
from .acp.cgroups import Cages
from .acp.environment import (
    agent_environment,
    dying_with_us,
    raise_descriptor_limit,
    sessions_that_fit,
)
from .acp.launch import Launch
from .acp.schema import McpServer
from .clock import Clock, SystemClock
from .config import schema
from .config.agents import Preset, identity, preset_of_program, presets, resolve
from .config.bounds import AgentLimits
from .config.hidden import own_secrets, secrets_of
from .config.live import Live, renewed
from .config.ours import Ours, refusal
from .core.arrears import Arrears
from .core.audit import NO_AUDIT, Audit
from .core.broker import Broker
from .core.budget import Budget, Sums
from .core.figures import Observe, unobserved
from .core.hourglass import Hourglass
from .core.house import House, Register
from .core.janitor import Janitor
from .core.ledger import UNWRITTEN, Ledger
from .core.memories import Memories, Shelf
from .core.message import Conversation
from .core.pacer import Pacer
from .core.pool import SessionPool
from .core.port import ChatPort
from .core.portrait import line_of
from .core.retention import Retention
from .core.state import State
from .core.veiled import VeiledPort
from .core.watcher import Watcher
from .errors import AgentError, AgentStartError, AuthRequired, ConfigError
from .media.outbox import OutboxCaps, Outboxes
from .store import Memory
from .text.redact import Redactor
from .threads import Beat

__all__ = ["App", "chat", "check_room"]

log = logging.getLogger(__name__)


class App:
    """One running broker."""

    def __init__(
        self,
        settings: schema.Config | Live,
        ports: Mapping[str, ChatPort],
        *,
        environ: Mapping[str, str],
        secrets: Collection[str] = (),
        shelf: Shelf | None = None,
        clock: Clock | None = None,
        register: Register | None = None,
        audit: Audit = NO_AUDIT,
        ledger: Ledger = UNWRITTEN,
        retention: Retention | None = None,
        observe: Observe = unobserved,
        faulted: Callable[[Conversation, str], object] = lambda _conversation, _text: None,
        sums: Sums | None = None,
        outbox: Path | None = None,
        cages: Cages | None = None,
    ) -> None:
        """Build everything, start nothing; `secrets` are values that nobody may see, beyond those that `settings` tell.

        What may change while it runs is read from `settings` where it is used. Agents are entered in the `register`, if
        there is one; on the `shelf` is kept how conversations are taken up again, without one nothing of it outlives
        the process; what becomes of messages is written into the `ledger`, what they use into the `sums`; what is kept
        too long, and what somebody wants forgotten, goes by the `retention`; what can be counted is told to `observe`,
        and whose session ended by what fault to `faulted`; neither may block. Files of agents leave from folders in
        `outbox`; where there are `cages`, agents are put into them. Raise ConfigError for an agent that is not known or
        too many sessions, StoreError for a shelf or sums that cannot be read (blocks).
        """
        clock = clock or SystemClock()
        self._live = Live.of(settings)
        config = self._audited = self._live.config
        agent = resolve(config.agent)
        check_room(config.pool.max_sessions)
        env = agent_environment(environ, agent.env, agent.inherit_env)
        if (error := refusal(env, Ours(values=frozenset(own_secrets(config))))) is not None:
            raise error
        through, bounds = _through(agent, env), _bounds(agent.limits, cages)
        preset = presets()[agent.preset] if agent.preset else None
        name = preset.title if preset else agent.command

        def launch(cwd: str) -> Launch:
            folder = cwd or agent.working_dir
            return Launch(agent.command, agent.args, folder, env, name, through, agent.command_prefix, bounds)

        self._pacer = Pacer.make(clock)
        self._arrears = Arrears(clock) if ledger.keeps else None
        self.house = House(
            live=self._live,
            clock=clock,
            launch=launch,
            agent_name=name,
            mcp_servers=tuple(_mcp_server(server) for server in agent.mcp_servers),
            redact=Redactor(secrets_of(config, environ, secrets)),
            advice=lambda error: _advice(error, preset, agent, environ),
            preset=preset or preset_of_program(agent.command),
            pacer=self._pacer,
            register=register,
            audit=audit,
            ledger=ledger,
            hourglass=Hourglass(clock),
            observe=observe,
            faulted=faulted,
            budget=Budget(lambda: self._live.config.limits, clock, sums),
            agent_id=identity(agent),
            retention=retention,
            arrears=self._arrears,
            outboxes=Outboxes(outbox, _caps(config.outbox)) if outbox is not None and config.outbox.enabled else None,
        )
        self._ports = ports = {platform: VeiledPort(port, self.house.redact) for platform, port in ports.items()}
        self._is_stopping = False
        self._memories = Memories(shelf)
        self._pool = SessionPool(self.house, ports, self._memories)
        if retention is not None:
            retention.also(self._pool.forget_unused)
        self._janitor = Janitor(self._pool, clock, observe=observe, retention=retention, hourglass=self.house.hourglass)
        self._watcher = Watcher(self._pool, ports, lambda: self._live.config.agent.limits, clock)
        self.broker = Broker(self.house, self._pool, ports)

    def start(self, unserved: Collection[str] = ()) -> None:
        """Begin; `unserved` platforms are not there this time. Main thread; blocks (disk). Raise StoreError."""
        heap.share()
        if self._pacer is not None:
            self._pacer.start()
        self._janitor.start()
        self._watcher.start()
        if self._arrears is not None:
            self._arrears.start(self.house, self._ports, self._pool)
        self.broker.recovery.read()
        for platform in unserved:
            self.broker.recovery.leave(platform)

    def troubles(self) -> list[str]:
        """Return a sentence for each thing that keeps us from taking a message. Any thread; never blocks."""
        if self._is_stopping:
            return ["it is stopping"]
        pool, (sessions, waiting) = self._live.config.pool, self._pool.snapshot()
        busy = sum(session.state is not State.IDLE for session in sessions)
        if busy < pool.max_sessions or len(waiting) < pool.max_waiting:
            return []
        return [f"all {busy} agents are busy, and no more conversations may wait"]

    def books(self) -> str:
        """Return what every session is doing, and who waits, for the log. Any thread; never blocks."""
        sessions, waiting = self._pool.snapshot()
        now = self.house.clock.monotonic()
        lines = [f"{self._pool!r}", *(f"  {line_of(session, now)}" for session in sessions)]
        return "\n".join([*lines, *(f"  {key} waits for a room" for key in waiting)])

    def beats(self) -> list[Beat]:
        """Return what shows that the threads besides the sessions' live. Any thread."""
        others = [one.beat for one in (self._pacer, self._arrears) if one is not None]
        return [self._janitor.beat, self._watcher.beat, *others, *self.broker.recovery.beats]

    def remembered(self) -> list[tuple[str, Memory]]:
        """Return what conversations remember, by their keys. Any thread; never blocks."""
        return self._memories.items()

    def renewed(self) -> None:
        """The settings were renewed: that is on record, and there may be rooms for those who wait. Never blocks."""
        change, self._audited = renewed(self._audited, self._live.config), self._live.config
        if change.now:
            self.house.audit.configuration(change.now)
        self._pool.admit()

    def stop(self, reason: str = "openab-sync is shutting down.") -> bool:
        """End everything, bounded; return whether all of it ended by itself. Main thread; blocks.

        Running turns get the configured grace, then a cancel; people are told `reason`.
        """
        self._is_stopping = True
        steps = {
            "recovery": self.broker.recovery.stop(),
            "sessions": self._pool.close(reason, self._live.config.pool.shutdown_grace_secs),
            "arrears": self._arrears is None or self._arrears.stop(),
            "pacer": self._pacer is None or self._pacer.stop(),
            "janitor": self._janitor.stop(),
            "watcher": self._watcher.stop(),
        }
        for step, went_well in steps.items():
            if not went_well:
                log.error("stopping: %s did not end in time", step)
        return all(steps.values())


def chat(
    config: schema.Config,
    environ: Mapping[str, str],
    *,
    secrets: Collection[str] = (),
    prompt: str | None = None,
    files: tuple[Path, ...] = (),
    as_json: bool = False,
    verbose: bool = False,
) -> int:
    """Talk in the terminal, or run one turn if there is a `prompt`; return the exit code. Main thread; blocks.

    Raise OpenabError if the house cannot be built or a file cannot be read, BrokenPipeError if nobody reads stdout.
    """
    from .platforms.console.talk import Wish, outbox, talk

    wish = Wish(prompt, files, as_json, verbose)
    with outbox(environ) as folder:

        def build(ports: Mapping[str, ChatPort]) -> App:
            return App(config, ports, environ=environ, secrets=secrets, outbox=folder)

        return talk(config, wish, environ, build)


def check_room(max_sessions: int) -> None:
    """Raise ConfigError if the system has no room for so many sessions. Raises the limit of descriptors if it can."""
    fitting = sessions_that_fit(raise_descriptor_limit())
    if max_sessions > fitting:
        raise ConfigError(
            f"{max_sessions} sessions need more open files than this system allows",
            key="pool.max_sessions",
            hint=f"at most {fitting} fit; raise the limit (ulimit -Hn, LimitNOFILE) or lower the number",
        )


def _bounds(limits: AgentLimits, cages: Cages | None) -> Bounds:
    """What every agent's processes are held to."""
    return Bounds(
        nice=limits.nice,
        core_dumps=limits.core_dumps,
        umask=int(limits.umask, 8) if limits.umask else -1,
        memory=limits.memory_mb * 1024 * 1024,
        tasks=limits.tasks,
        cages=cages,
    )


def _caps(config: schema.OutboxConfig) -> OutboxCaps:
    return OutboxCaps(file=config.file_mb * 1024 * 1024, turn=config.files_per_turn, hour=config.files_per_hour)


def _through(agent: schema.AgentConfig, env: Mapping[str, str]) -> tuple[str, ...]:
    """What becomes the agent as it is started: the program that has it die with us, if that is wanted and there."""
    through = dying_with_us(env["PATH"]) if agent.die_with_broker else ()
    if agent.die_with_broker and not through:
        log.warning("die_with_broker: there is no setpriv (util-linux) here; the next start ends what a crash leaves")
    return through


def _advice(error: AgentError, preset: Preset | None, agent: schema.AgentConfig, environ: Mapping[str, str]) -> str:
    """Return what is known of the agent that helps with `error`, as further sentences; "" for nothing."""
    if isinstance(error, AgentStartError) and preset is not None and preset.install:
        return f" Install it with `{preset.install}`; see `openab-sync agents {preset.name}`."
    if not isinstance(error, AuthRequired):
        return ""
    command = f"`{preset.login}`" if preset is not None and preset.login else "`openab-sync login`"
    login = f" Log in with {command} where I run, or with /login on Discord."
    if preset is None:
        return login
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
