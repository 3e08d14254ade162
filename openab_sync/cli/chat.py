"""`openab-sync chat`: a terminal and an agent. Reads what is asked for and hands it to the console.

The heavy parts are imported when they run: `--help` and usage errors are there at once, and one turn on a pipe does not
pay for a line editor.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import click

from .choosing import Mode, chosen

__all__ = ["command"]

FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the command line asks for."""

    config: str | None = None
    agent: str | None = None
    prompt: str | None = None
    as_json: bool = False
    files: tuple[Path, ...] = ()
    cwd: Path | None = None
    mode: Mode | None = None
    verbose: bool = False


def _debug(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    """Do what the option of the same name in front of the command does."""
    if wanted:
        from .logs import show_all

        context.find_root().params["debug"] = True
        show_all()


@click.command("chat")
@click.option("-c", "--config", metavar="PATH|URL", help="Configuration; without it the usual places are looked at.")
@click.option("--agent", metavar="NAME", help="An agent listed by `openab-sync agents`.")
@click.option("-p", "--prompt", metavar="TEXT", help="Ask once, print the answer, leave. What is piped in is appended.")
@click.option("--json", "as_json", is_flag=True, help="With -p or a pipe: print every event as a line of JSON.")
@click.option("--file", "files", type=FILE, multiple=True, help="Attach a file; may be given several times.")
@click.option("--cwd", type=FOLDER, help="Where the agent works; without it, as configured or here.")
@click.option("--mode", type=click.Choice(["ask", "allow", "deny"]), help="Who decides when the agent asks to act.")
@click.option("-v", "--verbose", is_flag=True, help="With -p or a pipe: tools, plans and questions on stderr, too.")
@click.option("--debug", is_flag=True, expose_value=False, callback=_debug, help="As in front of the command.")
def command(**given: Any) -> None:
    """Talk to an agent in this terminal.

    With -p, or with text piped in, one turn is run and only the answer is printed: exit 0 if it ended well, 1 if not.
    Where nobody can be asked, what an agent asks for is rejected: see --mode.
    """
    if sys.stdout is None:  # closed; it must not take a turn to notice
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    if sys.stderr is None:  # closed, too: nobody wants to know the reasons
        sys.stderr = _nowhere(2)
    wish = _Wish(**given)  # click has checked them: names and types are those of its options
    prompt = _prompt(wish)
    config, secrets = chosen(wish.config, agent=wish.agent, cwd=wish.cwd, mode=wish.mode)
    from ..app import chat

    sys.exit(
        chat(
            config,
            os.environ,
            secrets=secrets,
            prompt=prompt,
            files=wish.files,
            as_json=wish.as_json,
            verbose=wish.verbose,
        )
    )


def _nowhere(number: int) -> TextIO:
    """Something to write to that nobody reads; the descriptor `number` is taken, so that it becomes no pipe of ours."""
    sink = os.open(os.devnull, os.O_WRONLY)
    if sink != number:
        os.dup2(sink, number)
        os.close(sink)
    return open(number, "w", encoding="utf-8", errors="backslashreplace", closefd=False)


def _prompt(wish: _Wish) -> str | None:
    """The text of the one turn that is asked for, or None: a person is at the keyboard."""
    piped = _piped(has_prompt=wish.prompt is not None)
    if wish.prompt is None and piped is None:
        if wish.as_json:
            raise click.UsageError("--json needs -p TEXT or text piped in.")
        return None
    parts = [part.strip("\n") for part in (wish.prompt, piped) if part and part.strip()]
    if not parts or (wish.prompt is not None and not wish.prompt.strip()):
        raise click.UsageError("The prompt is empty.")
    return "\n\n".join(parts)


def _piped(*, has_prompt: bool) -> str | None:
    """What was piped in; None for a terminal. Blocks until the writer is done."""
    if sys.stdin is None:  # closed: there is nobody, and nothing
        return None if has_prompt else ""
    if sys.stdin.isatty():
        return None
    kind = os.fstat(sys.stdin.fileno()).st_mode
    if has_prompt and not (stat.S_ISFIFO(kind) or stat.S_ISREG(kind)):
        return None  # a socket or device that a service manager left there may never end
    return sys.stdin.buffer.read().decode("utf-8", "replace").replace("\r\n", "\n")
