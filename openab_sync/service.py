"""The service: `openab-sync run`, from the store that is taken to the exit code. Who belongs together is `app`'s.

    start:  store → audit → what a dead predecessor has left → app → the status server, the page → chat service
    stop:   app (its own order) → chat service → page → status server → store

**Threads**: the main thread's, all of it. While it stops, a thread `stopping` does what blocks, so that the main thread
can hear a second signal.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgspec

from . import __version__, heap
from .acp.cgroups import Cages
from .acp.environment import BROKER_ID
from .acp.process import kill_all_now
from .app import App, check_room
from .clock import SystemClock
from .config import schema
from .config.agents import presets, resolve
from .config.hidden import secrets_of
from .config.live import Live
from .config.reloading import Reloading
from .core.audit import Audit
from .core.figures import Figure, Figures
from .core.ledger import Journaled
from .core.retention import Retention
from .errors import ConfigError
from .media.outbox import beside
from .notify import Notifier
from .signals import News, handled
from .text.redact import Redactor
from .threads import Beat, late, stacks

if TYPE_CHECKING:
    from .core.port import ChatPort
    from .platforms.web.platform import Chips
    from .status import Status
    from .store import Store

__all__ = ["demo", "run"]

log = logging.getLogger(__name__)


def run(
    config: schema.Config,
    environ: Mapping[str, str],
    *,
    secrets: Collection[str] = (),
    tell: Callable[[str], object] = lambda _: None,
    read: Callable[[], schema.Config] | None = None,
    login: Sequence[str] = (),
) -> int:
    """Serve the chat services that are configured until a signal comes; return the exit code. Main thread; blocks.

    SIGINT and SIGTERM end it in order, a second one without patience: 0, or 1 if something did not end. SIGHUP has the
    configuration read again, by `read`; it ends it if the terminal in which it was started has been closed. `tell`
    takes sentences for whoever has started it; `login` is the program with which admins log the agent in. Raise
    OpenabError if the house cannot be built, ConfigError also for what a chat service says that only the configuration
    can mend: at once where there is no status server, else when a signal comes, for until then it shows what is wrong.
    """
    live = Live(_serving(config))
    reloading = Reloading(live, config, read or (lambda: config), _fitting)
    from .store import AuditTrail, Store, answer, store_folder

    folder = store_folder(config.store, environ)

    def reload() -> None:
        is_well, text = reloading.reload()
        answer(folder, text, is_well=is_well)

    books: list[Callable[[], str]] = []  # the house's, once there is one

    def look() -> None:
        log.warning("asked by a signal, pid %d\n%s\n%s", os.getpid(), "\n".join(show() for show in books), stacks())

    news = News(reload, look=look)
    with handled(dict.fromkeys(news.heard(), news.put)):  # first: who holds the folder may be signalled
        store = Store.open(folder)
        trail, well = None, False
        try:
            secrets = [*secrets, *_made(config, folder)]
            trail = AuditTrail.open(live, store, SystemClock(), Redactor(secrets_of(config, environ, secrets)))
            audit = Audit(trail.keep, lambda: live.config.audit.prompts)
            ears = _Ears(news, audit, Notifier(environ, SystemClock()), tell, books, login)
            well = _serve(live, environ, secrets, store, ears)
        finally:
            answer(folder, "It has ended.", is_well=False)
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


def _fitting(config: schema.Config) -> schema.Config:
    """Return a configuration that was read again as `run` uses it. Raise ConfigError if it cannot be used."""
    config = _serving(config)
    check_room(config.pool.max_sessions)
    return config


@dataclass(frozen=True, slots=True)
class _Ears:
    """A service is told by `news`; it tells the `audit`, the service manager and, in sentences, who has started it."""

    news: News
    audit: Audit
    manager: Notifier
    tell: Callable[[str], object]
    books: list[Callable[[], str]]  # what a signal has shown
    login: Sequence[str] = ()  # the program that logs the agent in


def _serve(live: Live, environ: Mapping[str, str], secrets: Collection[str], store: Store, ears: _Ears) -> bool:
    """Serve until a signal or a platform that gives up; return whether all of it ended by itself."""
    from .core.orphans import take_over
    from .platforms.discord.platform import Discord
    from .platforms.web.platform import Web
    from .store import Keeping, Processes, Spending, open_books

    books, news = open_books(store), ears.news
    redact = Redactor(secrets_of(live.config, environ, secrets))
    figures = _figures(live.config.status)
    store.timed = lambda seconds: figures(Figure.JOURNAL_COMMIT, seconds, "")
    discord = Discord(live, books, store.folder / "inbox", redact=redact, observe=figures, login=ears.login)
    discord.failure.add_done_callback(news.put)
    processes = Processes(store, BROKER_ID)
    web = Web(store.folder / "inbox", agent=_title(live.config))
    ports: dict[str, ChatPort] = {discord.name: discord.port, web.name: web.port}
    app = App(
        live,
        ports,
        environ=environ,
        secrets=secrets,
        shelf=books.memories,
        register=processes,
        audit=ears.audit,
        ledger=Journaled(books.deliveries, books.replies),
        outbox=beside(store.folder / "inbox"),
        cages=Cages.found() if live.config.agent.limits.cgroup == "auto" else None,
        retention=Retention(Keeping(store), {discord.name: discord, web.name: web}, SystemClock(), live.keep_days),
        observe=figures,
        faulted=web.faulted,
        sums=Spending(store),
    )
    live.watch(app.renewed)
    ears.books.append(app.books)

    status = _status(live.config.status, store.folder)

    def beats() -> list[Beat]:
        return [store.beat, discord.beat, web.hall.beat, *([status.beat] if status else []), *app.beats()]

    news.tick = _Life(beats, ears.manager).look
    try:
        take_over(processes)
        app.start(() if status is not None else (web.name,))  # reads what is unfinished: before that nobody may write
        if status is not None:
            from .status import Sources

            sources = Sources(
                app.broker,
                SystemClock(),
                ports,
                presences=lambda: [discord.presence],
                remembered=app.remembered,
                redact=app.house.redact,
                figures=figures,
                troubles=lambda: [*app.troubles(), *([store.trouble] if store.trouble else [])],
                beats=beats,
            )
            status.start(sources, [web.start(app.broker, books.replies.past(web.name), app.house.redact)])
            if _has_page(live.config.status):
                ears.tell(f"the page: {status.guard.make_link()} (works once, within ten minutes)")
            web.take_up()
        discord.start(app.broker)
        heap.settle()
        log.info("started, pid %d; state is kept in %s", os.getpid(), store.folder)
        ears.audit.service("started", version=__version__, pid=os.getpid())
        ears.manager.ready(f"serving {discord.name}{f' and {web.name}' if _has_page(live.config.status) else ''}")
        over = news.until_over()
        if status is not None and over is discord.failure:
            until = f"status stays at {status.address.url} until this process is stopped"
            ears.tell(f"{discord.failure.result()} ({until})")
            over = news.until_over()
        reason = over.name if isinstance(over, signal.Signals) else "there is nothing to serve"
        log.info("stopping: %s", reason)
        ears.audit.service("stopping", why=reason)
    finally:
        ears.manager.stopping()
        stopped = [news.during(app.stop, kill_all_now), discord.stop(), web.stop(), status is None or status.stop()]
    if discord.failure.done():
        raise discord.failure.result()
    log.info("stopped")
    return all(stopped)


def demo(
    config: schema.Config,
    environ: Mapping[str, str],
    *,
    secrets: Collection[str] = (),
    chips: Chips = (),
    greet: Callable[[str, Callable[[], str]], object],
) -> int:
    """Serve the page alone until a signal comes; return the exit code. Main thread; blocks.

    All state is in a folder of its own, which goes with it. `greet` is told the agent's name, and what makes links into
    the page, when it can be looked at; `chips` are messages to try. Raise OpenabError if the house cannot be built.
    """
    from .platforms.web.platform import Web
    from .status import Sources

    news = News(lambda: None)
    with TemporaryDirectory(prefix="openab-sync-demo-") as name, handled(dict.fromkeys(news.heard(), news.put)):
        folder = Path(name)
        web, figures = Web(folder / "inbox", agent=_title(config), chips=chips), Figures()
        box, secrets = beside(folder / "inbox"), [*secrets, *_made(config, folder)]
        app = App(config, {web.name: web.port}, environ=environ, secrets=secrets, observe=figures, outbox=box)
        status = _status(config.status, folder)
        if status is None:
            raise ConfigError("there is no page without an address", key="status.listen")
        try:
            app.start()
            sources = Sources(
                app.broker,
                SystemClock(),
                {web.name: web.port},
                remembered=app.remembered,
                redact=app.house.redact,
                figures=figures,
                troubles=app.troubles,
                beats=lambda: [web.hall.beat, status.beat, *app.beats()],
            )
            status.start(sources, [web.start(app.broker)])
            greet(_title(config), status.guard.make_link)
            news.until_over()
        finally:
            stopped = [news.during(app.stop, kill_all_now), web.stop(), status.stop()]
    return 0 if all(stopped) else 1


def _title(config: schema.Config) -> str:
    """What the configured agent is called, for people."""
    agent = resolve(config.agent)
    return presets()[agent.preset].title if agent.preset else agent.command


class _Life:
    """Lets the service manager know that all is well, if it is; the log knows what is not. The main thread."""

    def __init__(self, beats: Callable[[], list[Beat]], manager: Notifier) -> None:
        self._beats, self._manager = beats, manager
        self._was_well = True

    def look(self) -> None:
        reasons = late(self._beats(), time.monotonic())
        if not reasons:
            self._manager.alive()
        if self._was_well != (not reasons):
            self._was_well = not reasons
            log.warning("%s", "; ".join(reasons) or "every thread is heard of again")


def _figures(config: schema.StatusConfig) -> Figures:
    """Figures wait for the status server to take them in; where there is none, nothing is kept."""
    return Figures() if config.listen else Figures(most=0)


def _has_page(config: schema.StatusConfig) -> bool:
    return bool(config.listen) and config.page


def _made(config: schema.Config, folder: Path) -> list[str]:
    """Return the key that the status server makes for itself: agents could read it, and nobody may see it.

    Blocks (disk). Raise StoreError.
    """
    from .store.keys import STATUS_KEY, make_key

    return [make_key(folder, STATUS_KEY)] if config.status.listen and not config.status.token else []


def _status(config: schema.StatusConfig, folder: Path) -> Status | None:
    """Take the port and the key of the status server; None if there is to be none."""
    if not config.listen:
        return None
    from .status import Status

    return Status(config, folder)
