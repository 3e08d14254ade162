"""The only place that knows everybody: builds the house from a configuration, starts it, stops it in written order.

    build:  descriptor limit, house, pool
    start:  pacer → janitor                     (sessions are started by the pool as messages come)
    stop:   no more is admitted → sessions are told, busy ones get a grace, then a cancel; last replies go out
            → threads joined, stragglers' groups killed → pacer → janitor

`run` serves chat services with it, `chat` a terminal.

**Threads**: the main thread builds, starts and stops; `broker` is for any thread. Platforms are stopped after the app:
they carry the sessions' last words. While `run` stops, a thread `stopping` does what blocks, so that the main thread
can hear a second signal.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

import msgspec

from . import __version__
from .acp.environment import (
    BROKER_ID,
    agent_environment,
    dying_with_us,
    raise_descriptor_limit,
    sessions_that_fit,
)
from .acp.process import Launch, kill_all_now
from .acp.schema import McpServer
from .clock import Clock, SystemClock
from .config import schema
from .config.agents import Preset, identity, presets, resolve
from .config.hidden import own_secrets, secrets_of
from .config.ours import Ours, refusal
from .core.audit import NO_AUDIT, Audit
from .core.broker import Broker
from .core.house import House, Register
from .core.janitor import Janitor
from .core.ledger import UNWRITTEN, Journaled, Ledger
from .core.memories import Memories, Shelf
from .core.pacer import Pacer
from .core.pool import SessionPool
from .core.port import ChatPort
from .errors import AgentError, AgentStartError, AuthRequired, ConfigError
from .text.redact import Redactor
from .threads import join_all, spawn

if TYPE_CHECKING:
    from .status import Status
    from .store import Store

__all__ = ["App", "chat", "run"]

log = logging.getLogger(__name__)

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class App:
    """One running broker."""

    def __init__(
        self,
        config: schema.Config,
        ports: Mapping[str, ChatPort],
        *,
        environ: Mapping[str, str],
        secrets: Collection[str] = (),
        shelf: Shelf | None = None,
        clock: Clock | None = None,
        register: Register | None = None,
        audit: Audit = NO_AUDIT,
        ledger: Ledger = UNWRITTEN,
    ) -> None:
        """Build everything, start nothing; `secrets` are values that nobody may see, beyond those that `config` tells.

        Agents are entered in the `register`, if there is one; on the `shelf` is kept how conversations are taken up
        again, without one nothing of it outlives the process; what becomes of messages is written into the `ledger`.
        Raise ConfigError for an agent that is not known or too many sessions, StoreError for a shelf that cannot be
        read (blocks).
        """
        clock = clock or SystemClock()
        agent = resolve(config.agent)
        _check_room(config.pool.max_sessions)
        env = agent_environment(environ, agent.env, agent.inherit_env)
        if (error := refusal(env, Ours(values=frozenset(own_secrets(config))))) is not None:
            raise error
        through = _through(agent, env)
        preset = presets()[agent.preset] if agent.preset else None
        name = preset.title if preset else agent.command
        never_asks = preset is not None and preset.asks == "never" and config.permissions.mode == "ask"

        def launch(cwd: str) -> Launch:
            return Launch(agent.command, agent.args, cwd or agent.working_dir, env, name, through)

        self._pacer = Pacer.make(clock)
        house = House(
            config=config,
            clock=clock,
            launch=launch,
            agent_name=name,
            mcp_servers=tuple(_mcp_server(server) for server in agent.mcp_servers),
            redact=Redactor(secrets_of(config, environ, secrets)),
            advice=lambda error: _advice(error, preset, agent, environ),
            preset=preset,
            pacer=self._pacer,
            register=register,
            audit=audit,
            ledger=ledger,
            warning=f"⚠ {name} never asks before it acts: it may do whatever your user may." if never_asks else "",
            agent_id=identity(agent),
        )
        self._grace = config.pool.shutdown_grace_secs
        self._pool = SessionPool(house, ports, Memories(shelf))
        self._janitor = Janitor(self._pool, clock)
        self.broker = Broker(house, self._pool, ports)

    def start(self) -> None:
        """Begin. Main thread."""
        if self._pacer is not None:
            self._pacer.start()
        self._janitor.start()

    def stop(self, reason: str = "openab-sync is shutting down.") -> bool:
        """End everything, bounded; return whether all of it ended by itself. Main thread; blocks.

        Running turns get the configured grace, then a cancel; people are told `reason`.
        """
        steps = {
            "sessions": self._pool.close(reason, self._grace),
            "pacer": self._pacer is None or self._pacer.stop(),
            "janitor": self._janitor.stop(),
        }
        for step, went_well in steps.items():
            if not went_well:
                log.error("stopping: %s did not end in time", step)
        return all(steps.values())


def run(
    config: schema.Config,
    environ: Mapping[str, str],
    *,
    secrets: Collection[str] = (),
    tell: Callable[[str], object] = lambda _: None,
) -> int:
    """Serve the chat services that are configured until a signal comes; return the exit code. Main thread; blocks.

    SIGINT and SIGTERM end it in order, a second one without patience: 0, or 1 if something did not end. `tell` takes
    sentences for whoever has started it. Raise OpenabError if the house cannot be built, ConfigError also for what a
    chat service says that only the configuration can mend: at once where there is no status server, else when a signal
    comes, for until then it shows what is wrong.
    """
    config = _serving(config)
    from .store import AuditTrail, Store, store_folder

    redact = Redactor(secrets_of(config, environ, secrets))
    store = Store.open(store_folder(config.store, environ))
    trail, well = None, False
    try:
        trail = AuditTrail.open(config.audit, store, SystemClock(), redact)
        well = _serve(config, environ, secrets, store, Audit(trail.keep, config.audit.prompts), tell)
    finally:
        well = store.close() and well
        well = (trail is None or trail.close()) and well  # after it: the file gets what the store has
    return 0 if well else 1


def _serving(config: schema.Config) -> schema.Config:
    """Return the configuration as `run` uses it. Raise ConfigError if it serves nobody."""
    if config.discord is None:
        hint = 'add [discord] with bot_token = "${DISCORD_BOT_TOKEN}"'
        raise ConfigError("there is no chat service to serve", key="discord", hint=hint)
    if not config.discord.admits_somebody:
        raise ConfigError(
            "nobody may talk to the bot",
            key="discord",
            hint='add allowed_users = ["a user id"], or allowed_roles, or allow_all_users = true for everybody',
        )
    return msgspec.structs.replace(config, pool=config.discord.pooled(config.pool))


def _serve(
    config: schema.Config,
    environ: Mapping[str, str],
    secrets: Collection[str],
    store: Store,
    audit: Audit,
    tell: Callable[[str], object],
) -> bool:
    """Serve until a signal or a platform that gives up; return whether all of it ended by itself."""
    from .core.orphans import take_over
    from .platforms.console.signals import handled
    from .platforms.discord.platform import Discord
    from .store import Processes, open_books

    news: SimpleQueue[object] = SimpleQueue()  # signals, that a platform has given up, that the app has stopped
    books = open_books(store)
    discord = Discord(config, books, store.folder / "inbox")
    discord.failure.add_done_callback(news.put)
    processes = Processes(store, BROKER_ID)
    ports = {discord.name: discord.port}
    app = App(
        config,
        ports,
        environ=environ,
        secrets=secrets,
        shelf=books.memories,
        register=processes,
        audit=audit,
        ledger=Journaled(books.deliveries, books.replies),
    )
    status = _status(config.status, store.folder)
    with handled(dict.fromkeys(_signals(), news.put)):
        try:
            if status is not None:
                from .status import Sources

                status.start(Sources(app.broker, SystemClock(), ports, presences=lambda: [discord.presence]))
                tell(f"the status page: {status.guard.make_link()} (works once, within ten minutes)")
            take_over(processes)
            app.start()
            discord.start(app.broker)
            log.info("started, pid %d; state is kept in %s", os.getpid(), store.folder)
            audit.service("started", version=__version__, pid=os.getpid())
            news_of_end = _next(news)
            if status is not None and news_of_end is discord.failure:
                tell(f"{discord.failure.result()} (status stays at {status.address.url} until this process is stopped)")
                news_of_end = _next(news)
            reason = news_of_end.name if isinstance(news_of_end, signal.Signals) else "there is nothing to serve"
            log.info("stopping: %s", reason)
            audit.service("stopping", why=reason)
        finally:
            stopped = [_stop(app, news), discord.stop(), status is None or status.stop()]
    if discord.failure.done():
        raise discord.failure.result()
    log.info("stopped")
    return all(stopped)


def _status(config: schema.StatusConfig, folder: Path) -> Status | None:
    """Take the port and the key of the status server; None if there is to be none."""
    if not config.listen:
        return None
    from .status import Status

    return Status(config, folder)


def _signals() -> list[signal.Signals]:
    """The signals that stop a service, but for those that whoever started it has it ignore (`nohup`, a shell's `&`)."""
    return [number for number in STOPPING if signal.getsignal(number) is not signal.SIG_IGN]


def _stop(app: App, news: SimpleQueue[object]) -> bool:
    """Stop the app, at once if another signal comes meanwhile; return whether all of it ended by itself."""
    stopped: list[bool] = []

    def stop() -> None:
        try:
            stopped.append(app.stop())
        finally:
            news.put(stopped)

    thread = spawn("stopping", stop)
    while (item := _next(news)) is not stopped:
        if isinstance(item, signal.Signals):
            log.warning("%s again: agents are killed", item.name)
            kill_all_now()
    join_all([thread], SystemClock(), 1.0)
    return stopped == [True]


def _next(news: SimpleQueue[object]) -> object:
    """Wait for the next item. A signal that comes in the moment in which the wait begins does not end it: look up."""
    while True:
        with suppress(Empty):
            return news.get(timeout=1.0)


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
    from .platforms.console.talk import Wish, talk

    wish = Wish(prompt, files, as_json, verbose)
    return talk(config, wish, environ, lambda ports: App(config, ports, environ=environ, secrets=secrets))


def _check_room(max_sessions: int) -> None:
    fitting = sessions_that_fit(raise_descriptor_limit())
    if max_sessions > fitting:
        raise ConfigError(
            f"{max_sessions} sessions need more open files than this system allows",
            key="pool.max_sessions",
            hint=f"at most {fitting} fit; raise the limit (ulimit -Hn, LimitNOFILE) or lower the number",
        )


def _through(agent: schema.AgentConfig, env: Mapping[str, str]) -> tuple[str, ...]:
    """What becomes the agent as it is started: the program that has it die with us, if that is wanted and there."""
    through = dying_with_us(env["PATH"]) if agent.die_with_broker else ()
    if agent.die_with_broker and not through:
        log.warning("die_with_broker: there is no setpriv (util-linux) here; the next start ends what a crash leaves")
    return through


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
