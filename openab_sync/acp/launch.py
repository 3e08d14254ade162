"""What to run for an agent, and what stands before its command: data, and the whole command line. Starts nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .bounds import NO_BOUNDS, Bounds
from .environment import resolve

__all__ = ["OUTBOX", "Launch"]

OUTBOX = "OPENAB_OUTBOX"
"""The variable that names the folder whose files are sent to the people in the conversation."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What to run: `env` is the whole environment but for `outbox`, `cwd` is absolute, `name` is for people.

    Arguments and environment may hold secrets: they are kept out of every `repr`.
    """

    command: str
    args: tuple[str, ...] = field(repr=False)
    cwd: str
    env: Mapping[str, str] = field(repr=False)
    name: str = ""
    through: tuple[str, ...] = ()
    """A program that becomes the agent, with its arguments; the agent's command comes behind them."""
    prefix: tuple[str, ...] = field(default=(), repr=False)
    """A program that runs the agent (a sandbox, a container, ssh), with its arguments; likewise."""
    bounds: Bounds = NO_BOUNDS
    outbox: str = field(default="", repr=False)
    """The folder of its files that leave. It is told as $OPENAB_OUTBOX; an `env` for each session would be 2 KiB."""

    def environment(self) -> dict[str, str]:
        """Return all of it."""
        return {**self.env, OUTBOX: self.outbox} if self.outbox else {**self.env}

    def argv(self) -> list[str]:
        """Return the whole command line. Looks at the file system only.

        With a prefix it is the prefix's program that must be there: where the agent's is, only the prefix knows. In
        its words `{working_dir}` and `{outbox}` are the folders. Raise AgentStartError for a program that is not there.
        """
        if not self.prefix:
            return [*self.through, resolve(self.command, self.env, self.cwd), *self.args]
        first, *rest = map(self._filled, self.prefix)
        return [*self.through, resolve(first, self.env, self.cwd), *rest, self.command, *self.args]

    def _filled(self, word: str) -> str:
        return word.replace("{working_dir}", self.cwd).replace("{outbox}", self.outbox)
