"""`openab-sync login`: runs the agent's own login on a terminal of its own, and looks afterwards whether it has worked.

    which way: --method, else the preset's command, else what the agent names (a terminal's first)
    a terminal way: a pseudo-terminal; what you type goes there as it is, addresses and codes are picked out
    the agent's own way: it is asked to log in, and opens what it needs by itself

Nothing that is shown or typed is logged or kept. With --json addresses, codes and questions are objects, a line each,
and lines on stdin are answers: so that another program can relay them.
"""

from __future__ import annotations

import json
import os
import select
import shlex
import shutil
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from ..errors import AgentError, AgentStalled, AgentStartError, ConfigError

if TYPE_CHECKING:
    import pexpect

    from ..checks.agent import AuthMethod, House
    from ..text.device import Watch

__all__ = ["command"]

INTERRUPT = b"\x03"
TURN = 0.2  # seconds between two looks at a terminal that shows nothing
SHELL = ("/bin/sh", "-c")
COLUMNS = 1000  # wide, so that no address is broken


@dataclass(frozen=True, slots=True)
class Way:
    """How to log in: a command on a terminal, or (without one) a method that the agent handles itself."""

    name: str
    command: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    method: str = ""


@click.command("login")
@click.argument("agent", required=False)
@click.option("-c", "--config", metavar="PATH|URL", help="Configuration; without it the usual places are looked at.")
@click.option("--method", default="", metavar="ID", help="One of the ways that the agent names.")
@click.option("--timeout", type=click.FloatRange(min=1), default=600.0, help="Seconds you have for it (600).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, an object a line, and take answers from stdin.")
def command(*, agent: str | None, config: str | None, method: str, timeout: float, as_json: bool) -> None:
    """Log the agent in (the configured one, or AGENT): it shows an address or a code, you follow it, it is tried.

    Exit 0 if the agent begins a session then, 1 if not. Ctrl-C cancels.
    """
    from ..app import App
    from ..config import load
    from ..config.schema import AgentConfig

    loaded = load(config, os.environ, without=("discord",))
    settings = loaded.config
    if agent is not None:
        import msgspec

        folder = settings.agent.working_dir
        settings = msgspec.structs.replace(settings, agent=AgentConfig(preset=agent, working_dir=folder))
    house = App(settings, {}, environ=os.environ, secrets=loaded.secrets).house
    tell = _Tell(as_json)
    way = _way(house, method)
    if way is not None and (missing := _missing(way, house)):
        tell("failed", missing)
        sys.exit(1)
    tell("status", f"{house.agent_name} " + (f"logs in by {way.name}" if way else "names no way to log in"))
    if way is not None and not way.method:
        _run(way, house, timeout, tell)
    _finish(tell, house, way.method if way else "")


class _Tell:
    """What is told to whoever has called: a person, or a program."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    def __call__(self, event: str, text: str) -> None:
        if self.as_json:
            click.echo(json.dumps({"event": event, "text": text}, ensure_ascii=False))
        elif event != "question":  # a person sees it on the terminal itself
            click.echo({"url": "→ open ", "code": "→ the code is "}.get(event, "") + text, err=event == "status")


def _way(house: House, wanted: str) -> Way | None:
    """Return the way to go; None if there is none. Raise ConfigError for one that is not named, AgentError."""
    from ..checks.agent import ways_in

    preset = house.preset
    if not wanted and preset is not None and preset.login:
        return Way(preset.login, (*SHELL, preset.login))
    launch = house.launch("")
    methods = ways_in(house)
    if wanted:
        methods = tuple(one for one in methods if one.id == wanted)
        if not methods:
            names = ", ".join(one.id for one in ways_in(house)) or "none"
            raise ConfigError(f"the agent names no way {wanted!r}", key="--method", hint=f"it names: {names}")
    ordered = sorted(methods, key=lambda one: not one.needs_terminal)
    return _by(ordered[0], launch.command) if ordered else None


def _missing(way: Way, house: House) -> str:
    """Say which program of the preset's login is not there, and how it is installed; "" if it is."""
    if way.command[:2] != SHELL:
        return ""
    program, path = shlex.split(way.name)[0], house.launch("").env["PATH"]
    error = AgentStartError(f"command not found: {program}")
    return "" if shutil.which(program, path=path) else f"{error.message}.{house.advice(error)}"


def _by(method: AuthMethod, program: str) -> Way:
    if method.needs_terminal:
        return Way(method.name or method.id, (method.command or program, *method.args), method.env)
    return Way(method.name or method.id, method=method.id)


def _finish(tell: _Tell, house: House, method: str = "") -> None:
    """Look whether it works now, and end with what came of it."""
    from ..checks.agent import shake_hands

    try:
        hands = shake_hands(house, method)
    except AgentError as error:
        tell("failed", error.user_text())
        sys.exit(1)
    tell("done", f"{hands.name} is logged in: it began a session in {hands.seconds:.1f} s")


# A terminal of its own.


def _run(way: Way, house: House, timeout: float, tell: _Tell) -> None:
    """Run the command until it ends. Raise ConfigError if it cannot be started, AgentStalled if it takes too long."""
    import pexpect

    from ..text.device import Watch

    launch = house.launch("")
    env = {**launch.env, "TERM": os.environ.get("TERM", "xterm"), **dict(way.env)}
    try:
        child: pexpect.spawn[bytes] = pexpect.spawn(
            way.command[0], list(way.command[1:]), cwd=launch.cwd, env=_env(env), timeout=None, dimensions=(50, COLUMNS)
        )
    except pexpect.ExceptionPexpect as error:
        raise ConfigError(f"{way.command[0]} cannot be started", hint=str(error).splitlines()[0]) from error
    child.delaybeforesend = None
    watch = Watch()
    try:
        if sys.stdin.isatty() and not tell.as_json:
            _interact(child, watch, tell, timeout)
        else:
            _relay(child, watch, tell, time.monotonic() + timeout)
    finally:
        child.close(force=True)


def _env(env: Mapping[str, str]) -> os._Environ[str]:
    return dict(env)  # type: ignore[return-value]  # pexpect's stubs ask for os.environ itself


def _interact(child: pexpect.spawn[bytes], watch: Watch, tell: _Tell, timeout: float) -> None:
    """Let a person talk to it as if there was nobody in between; addresses and codes are told once more at its end."""
    seen: list[tuple[str, str]] = []
    typed: list[bytes] = []  # Ctrl-C, which is the login's: it is asked whether it ended by that

    def note(data: bytes) -> bytes:
        typed.extend([INTERRUPT] if INTERRUPT in data else [])
        return data

    def look(data: bytes) -> bytes:
        seen.extend((hint.kind, hint.value) for hint in watch.feed(data.decode("utf-8", "replace")))
        return data

    late = threading.Timer(timeout, child.kill, [signal.SIGKILL])
    late.start()
    try:
        child.interact(escape_character=None, input_filter=note, output_filter=look)
        child.wait()
    finally:
        late.cancel()
        late.join()
    if child.signalstatus == signal.SIGKILL:
        raise AgentStalled("nobody has finished the login in time")
    if typed and (child.signalstatus or child.exitstatus):
        click.echo("The login was cancelled.", err=True)
        raise KeyboardInterrupt
    for kind, value in seen:
        tell(kind, value)


def _relay(child: pexpect.spawn[bytes], watch: Watch, tell: _Tell, until: float) -> None:
    """Show what it shows, pick out what matters, and hand on what comes on stdin, a line at a time."""
    import pexpect

    asked, answers = "", _answers()
    while True:
        if time.monotonic() > until:
            raise AgentStalled("nobody has finished the login in time")
        try:
            text = child.read_nonblocking(4096, TURN).decode("utf-8", "replace")
            hints = watch.feed(text)
            if not tell.as_json:
                click.echo(text, nl=False)
        except pexpect.TIMEOUT:
            hints = watch.rest()
            if watch.question and watch.question != asked:
                asked = watch.question
                tell("question", asked)
        except pexpect.EOF:
            for hint in watch.rest():
                tell(hint.kind, hint.value)
            return
        for hint in hints:
            tell(hint.kind, hint.value)
        for line in _waiting(answers):
            child.sendline(line)


def _answers() -> list[int]:
    """Where answers come from: our stdin, as long as it is open."""
    try:
        return [sys.stdin.fileno()]
    except (OSError, ValueError, AttributeError):
        return []


def _waiting(answers: list[int]) -> Sequence[bytes]:
    """The lines that are there on stdin; once it has ended it is looked at no more."""
    if not answers or not select.select(answers, [], [], 0)[0]:
        return ()
    data = os.read(answers[0], 65536)
    if not data:
        answers.clear()
    return data.splitlines()
