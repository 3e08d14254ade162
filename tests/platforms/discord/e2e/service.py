"""`openab-sync run` as a subprocess, in a home of its own, on a fake Discord."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.cli.running import PATIENCE, ROOT, environment
from tests.fakes.discord import Server
from tests.fakes.discord.things import Channel
from tests.waiting import until

__all__ = ["METHODS", "QUICK", "Service", "configure", "mention", "service"]

METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")

QUICK: dict[str, tuple[int, float]] = dict.fromkeys(
    ("global", "message", "edit", "delete", "reaction", "typing", "thread", "webhook"), (1000, 1.0)
)
"""Limits that nobody meets."""


class Service:
    """One run of the program. What it writes to stderr is in `log`."""

    def __init__(self, config: Path, home: Path, program: Sequence[str] = ("openab_sync",), **more: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", *program, "run", "-c", str(config)],
            cwd=ROOT,
            env=environment(home, **more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.out = self.log = ""
        self._readers = [
            threading.Thread(target=self._read, args=(name,), name=f"read-{name}") for name in ("stdout", "stderr")
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, name: str) -> None:
        with getattr(self._process, name) as stream:
            for line in stream:
                if name == "stderr":
                    self.log += line
                else:
                    self.out += line

    @property
    def process(self) -> psutil.Process:
        """The program itself. Raise psutil.Error if it has ended."""
        return psutil.Process(self._process.pid)

    @property
    def agents(self) -> list[psutil.Process]:
        """The processes that it has started, and theirs."""
        return self.process.children(recursive=True)

    def until_logged(self, text: str) -> None:
        until(lambda: text in self.log or self._process.poll() is not None, PATIENCE, f"{text!r} is logged")
        assert text in self.log, self.log

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        self._process.send_signal(number)

    def end(self, patience: float = PATIENCE) -> int:
        """Wait for the end; return the exit code."""
        code = self._process.wait(patience)
        for reader in self._readers:
            reader.join(PATIENCE)
        return code

    def stop(self) -> None:
        """Make sure that it has ended, and nothing that it has started is left."""
        if self._process.poll() is None:
            left = self.agents
            self._process.kill()
            for process in left:
                process.kill()
        self.end()


def configure(home: Path, server: Server, **sections: dict[str, Any]) -> Path:
    """Write a configuration for the demo agent and a bot that everybody may talk to; return its file."""
    ours: dict[str, dict[str, Any]] = {
        "agent": {"preset": "demo"},
        "limits.person": {"messages_per_minute": 0},  # tests write faster than people
        "discord": {"bot_token": server.token, "api_url": server.origin, "allow_all_users": True},
        "status": {"listen": "127.0.0.1:0"},
    }
    both = {name: {**ours.get(name, {}), **sections.get(name, {})} for name in {**ours, **sections}}
    lines: list[str] = []
    for name, values in both.items():
        lines += [
            f"[{name}]",
            *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()),
        ]  # TOML writes the same
    file = home / "config.toml"
    file.write_text("\n".join(lines))
    os.chmod(file, 0o600)
    return file


@contextmanager
def service(
    home: Path,
    server: Server,
    *,
    program: Sequence[str] = ("openab_sync",),
    environ: dict[str, str] | None = None,
    **sections: Any,
) -> Iterator[Service]:
    """The program, from its start until the `with` block ends; what is left then is killed.

    `program` is the module to run, and what comes before `run`.
    """
    running = Service(configure(home, server, **sections), home, program, **(environ or {}))
    try:
        yield running
    finally:
        running.stop()


def mention(server: Server, text: str) -> Channel:
    """Ann asks the bot; return the thread that opens."""
    message = server.user("ann").write("general", f"<@{server.app.id}> {text}", mentions=[server.app])
    server.until(lambda: message.thread, 10, f"a thread opens for {text!r}")
    assert message.thread is not None
    return message.thread
