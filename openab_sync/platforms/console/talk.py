"""Puts the parts of the terminal together around a house that somebody else builds: a conversation, or one turn.

**Threads**: `talk` is the main thread's. With a person, the main thread reads the keyboard and `chat-console` shows
what happens; for one turn, the main thread does both. The order at the end: the house first (its last words are shown),
then `chat-console`.
"""

from __future__ import annotations

import getpass
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ...clock import SystemClock
from ...config.agents import presets
from ...config.schema import Config
from ...core.events import Media
from ...core.message import Attachment, Conversation, Inbound, MessageRef, Person
from ...core.port import ChatPort
from ...errors import ConfigError
from ...media.outbox import clear_outboxes, held_outboxes, sweep_outboxes
from ...signals import handled
from ...threads import join_all, spawn
from .chat import Chat, Desk, Setting
from .files import Album, attachment
from .lines import Lines
from .once import Once, Streams
from .port import PLATFORM, ConsolePort, Signalled
from .screen import Shown
from .style import Style, wants_colour

if TYPE_CHECKING:
    from .terminal import Terminal

__all__ = ["House", "Wish", "outbox", "talk"]

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LAST_WORDS = 5.0  # seconds for what is still to be printed
KEPT = 30 * 86400.0  # seconds
DUMB = {"", "dumb"}


class House(Protocol):
    """What the terminal needs of the whole: it builds nothing itself."""

    @property
    def broker(self) -> Desk:
        """The front desk."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> bool:
        """End everything, bounded; return whether all of it ended."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of the terminal. With a `prompt` one turn, without one a conversation with a person."""

    prompt: str | None = None
    files: tuple[Path, ...] = ()
    as_json: bool = False
    verbose: bool = False


def talk(
    config: Config, wish: Wish, environ: Mapping[str, str], build: Callable[[Mapping[str, ChatPort]], House]
) -> int:
    """Talk until it is over; return the exit code. `build` makes the house of its ports.

    Main thread; blocks. 0: fine, 1: the turn or the house did not end well, 128 + N: one turn was stopped by signal N.
    Raise OpenabError if the house cannot be built or a file cannot be read, BrokenPipeError if nobody reads stdout.
    """
    attachments = _attachments(wish.files)
    if wish.prompt is None:
        return _live(config, attachments, environ, build)
    inbound = Inbound(MessageRef(Conversation(PLATFORM, f"once-{os.getpid()}"), "1"), _me(), wish.prompt, attachments)
    return _one_turn(config, wish, inbound, environ, build)


# One turn.


def _one_turn(
    config: Config,
    wish: Wish,
    inbound: Inbound,
    environ: Mapping[str, str],
    build: Callable[[Mapping[str, ChatPort]], House],
) -> int:
    port = ConsolePort(can_ask=False)
    house = build({PLATFORM: port})
    style = Style(coloured=wants_colour(environ, is_tty=sys.stderr.isatty()))
    streams = Streams(sys.stdout, sys.stderr, style, _shown(config), wish.as_json, wish.verbose, _album(config))
    once = Once(house.broker, port.arrivals, streams, SystemClock())
    with handled({number: lambda number: port.arrivals.put(Signalled(number)) for number in STOPPING}):
        try:
            house.start()
            code = once.run(inbound, cancel_grace=config.pool.cancel_grace_secs)
        finally:
            stopped = house.stop()
    return code if stopped else code or 1


# A person.


def _live(
    config: Config,
    attachments: tuple[Attachment, ...],
    environ: Mapping[str, str],
    build: Callable[[Mapping[str, ChatPort]], House],
) -> int:
    port = ConsolePort(can_ask=True)
    house = build({PLATFORM: port})
    is_tty = sys.stdout.isatty()
    style = Style(coloured=wants_colour(environ, is_tty=is_tty))
    front = _front(style, environ, is_tty=is_tty)
    setting = Setting(_me(), style, _shown(config), attachments, keep=_album(config))
    chat = Chat(house.broker, port.arrivals, front, setting)
    handlers = {number: lambda _: front.leave() for number in STOPPING} | {signal.SIGINT: lambda _: front.interrupt()}
    with handled(handlers):
        thread = spawn("chat-console", chat.run)
        try:
            house.start()
            chat.hint(f"You talk to {_agent(config)}. /help lists the orders, /quit leaves.")
            front.run(chat)
        finally:
            stopped = house.stop()
            port.arrivals.put(None)
            late = join_all([thread], SystemClock(), LAST_WORDS)
            front.close()
    return 0 if stopped and not late else 1


def _front(style: Style, environ: Mapping[str, str], *, is_tty: bool) -> Terminal | Lines:
    """The line editor where the terminal can carry it, else plain lines."""
    if not is_tty or environ.get("TERM", "") in DUMB:
        return Lines()
    from .terminal import Terminal, history_at  # a tenth of a second that one turn does not need

    return Terminal(style, history_at(_state_folder(environ) / "chat-history"))


@contextmanager
def outbox(environ: Mapping[str, str]) -> Iterator[Path]:
    """The folder for what agents of one run hand over; what lies there stays for 30 days. Blocks as a disk does."""
    runs = _state_folder(environ) / "chat-outbox"
    for old in sorted(runs.iterdir()) if runs.is_dir() else ():
        sweep_outboxes(old, KEPT, time.time())
        clear_outboxes(old)
    run = runs / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    try:
        with held_outboxes(run):  # while we talk, another chat that begins takes our folders for left ones
            yield run
    finally:
        clear_outboxes(run)


def _state_folder(environ: Mapping[str, str]) -> Path:
    home = environ.get("OPENAB_SYNC_HOME")
    if home:
        return Path(home).expanduser()
    import platformdirs

    return platformdirs.user_state_path("openab-sync")


# Both.


def _agent(config: Config) -> str:
    """The agent's name for people."""
    preset = presets().get(config.agent.preset or "")
    return preset.title if preset else config.agent.command


def _shown(config: Config) -> Shown:
    return Shown(tools=config.reactions.tool_display, plan=config.reply.plan, thoughts=config.reply.thoughts)


def _album(config: Config) -> Callable[[Media], Media]:
    return Album(Path(config.agent.working_dir)).keep


def _me() -> Person:
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container whose user id has no name
        name = str(os.getuid())
    return Person(id=str(os.getuid()), name=name)


def _attachments(files: tuple[Path, ...]) -> tuple[Attachment, ...]:
    try:
        return tuple(attachment(path) for path in files)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(error.filename)) from error
