"""The service: `openab-sync run`, from the store that is taken to the exit code. Who belongs together is `app`'s.

    start:  store → audit → the status server → what a dead predecessor has left → app → chat service
    stop:   app (its own order) → chat service → status server → store

**Threads**: the main thread's, all of it. While it stops, a thread `stopping` does what blocks, so that the main thread
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
from .acp.environment import BROKER_ID
from .acp.process import kill_all_now
from .app import App
from .clock import SystemClock
from .config import schema
from .config.hidden import secrets_of
from .core.audit import Audit
from .core.ledger import Journaled
from .errors import ConfigError
from .notify import Notifier
from .text.redact import Redactor
from .threads import join_all, spawn

if TYPE_CHECKING:
    from .status import Status
    from .store import Store

__all__ = ["run"]

log = logging.getLogger(__name__)

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


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
    notifier = Notifier(environ, SystemClock())
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
            notifier.ready(f"serving {', '.join(ports)}")
            news_of_end = _next(news)
            if status is not None and news_of_end is discord.failure:
                tell(f"{discord.failure.result()} (status stays at {status.address.url} until this process is stopped)")
                news_of_end = _next(news)
            reason = news_of_end.name if isinstance(news_of_end, signal.Signals) else "there is nothing to serve"
            log.info("stopping: %s", reason)
            audit.service("stopping", why=reason)
        finally:
            notifier.stopping()
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
