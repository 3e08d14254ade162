"""What an agent is given: its environment, its program, its share of the descriptors.

Pure but for looking at the file system and at this process's limits. It starts nothing: that is `process`.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import resource
import shutil
from collections.abc import Mapping, Sequence

from ..errors import AgentStartError

__all__ = [
    "BROKER_ID",
    "BROKER_MARKER",
    "DESCRIPTORS_PER_SESSION",
    "agent_environment",
    "dying_with_us",
    "raise_descriptor_limit",
    "resolve",
    "sessions_that_fit",
]

BROKER_MARKER = "OPENAB_SYNC_AGENT"
BROKER_ID = os.urandom(8).hex()
"""This run's value of `BROKER_MARKER`: by it the next run finds agents that a crash has left behind."""

PLAIN_NAMES = ("HOME", "PATH", "USER", "LANG")

# stdin, stdout, stderr, pidfd and bell are five; a start needs the agent's ends of the pipes and Popen's own pipe for a
# moment (five more); without pidfd and eventfd two of them are pipes (two more).
DESCRIPTORS_PER_SESSION = 12
DESCRIPTORS_OF_THE_HOUSE = 64  # the journal, the chat's sockets, the status page, logs

ROOMY = (1 << 20, 1 << 16, 10_240)  # tried where the hard limit is "infinite"; macOS takes no more than the last


def agent_environment(environ: Mapping[str, str], extra: Mapping[str, str], inherit: Sequence[str]) -> dict[str, str]:
    """Return the whole environment of an agent: a few plain names of `environ`, those in `inherit`, then `extra`.

    Nothing else gets through: the broker's own tokens must not (FIELD C5). HOME stays the real one, or the agent's
    login is not found (FIELD C6); names asked for but missing are left out (FIELD C7). Any thread; may read the user
    database when HOME or USER is not set.
    """
    names = [name for name in environ if name in PLAIN_NAMES or name.startswith("LC_") or name in inherit]
    env = _who_we_are() if "HOME" not in environ or "USER" not in environ else {}
    env["PATH"] = os.defpath
    env.update((name, environ[name]) for name in names)
    env.update(extra)
    env[BROKER_MARKER] = BROKER_ID
    return env


def _who_we_are() -> dict[str, str]:
    try:
        entry = pwd.getpwuid(os.getuid())
    except KeyError:  # a container's number without a name: the agent has to do without
        return {}
    return {"HOME": entry.pw_dir, "USER": entry.pw_name}


def resolve(command: str, env: Mapping[str, str], cwd: str) -> str:
    """Return the absolute path of `command` as an agent with `env` and `cwd` would find it (FIELD C11).

    A command with a slash is taken from `cwd`, others are searched in the PATH of `env`.
    Raise AgentStartError naming the command and where it was looked for.
    """
    if not command:
        raise AgentStartError("no command is configured for the agent")
    if "/" in command:
        path = os.path.normpath(os.path.join(cwd, command))
        if trouble := _trouble(path):
            raise AgentStartError(f"cannot run the agent: {path} {trouble}", command=command)
        return path
    return _search(command, env.get("PATH", os.defpath), cwd)


def _search(command: str, searched: str, cwd: str) -> str:
    nearly = ""
    for folder in searched.split(os.pathsep):
        path = os.path.normpath(os.path.join(cwd, folder, command))
        trouble = _trouble(path)
        if not trouble:
            return path
        if trouble != MISSING:
            nearly = nearly or f"; {path} {trouble}"
    raise AgentStartError(f"command not found: {command} (searched in PATH={searched}{nearly})", command=command)


MISSING = "does not exist"


def _trouble(path: str) -> str:
    """Say why `path` cannot be run; "" if it can."""
    if os.path.isdir(path):
        return "is a directory"
    if not os.path.exists(path):
        return MISSING
    return "" if os.access(path, os.X_OK) else "is not executable"


def dying_with_us(path: str) -> tuple[str, ...]:
    """Return what is put before an agent's command so that the kernel kills it when the thread that started it ends.

    () where there is no `setpriv` of util-linux on `path` (a PATH). Looks at the file system only.
    """
    setpriv = shutil.which("setpriv", path=path)
    if setpriv is None or os.path.basename(os.path.realpath(setpriv)) == "busybox":  # theirs does not know the option
        return ()
    return setpriv, "--pdeathsig", "KILL", "--"


def raise_descriptor_limit() -> int:
    """Raise the soft limit of open descriptors as far as the hard one allows; return what it is now. Never raises."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wish in ROOMY if hard == resource.RLIM_INFINITY else (hard,):
        if soft in (wish, resource.RLIM_INFINITY) or wish < soft:
            break
        with contextlib.suppress(ValueError, OSError):  # macOS refuses what is above its own maximum: try less
            resource.setrlimit(resource.RLIMIT_NOFILE, (wish, hard))
            soft = wish
    return ROOMY[0] if soft == resource.RLIM_INFINITY else soft


def sessions_that_fit(limit: int) -> int:
    """Return how many sessions `limit` descriptors are enough for, the house's own needs set aside."""
    return max(0, (limit - DESCRIPTORS_OF_THE_HOUSE) // DESCRIPTORS_PER_SESSION)
