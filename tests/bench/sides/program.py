"""A whole program as its users run it, in a process of its own, behind a chat service in another.

It is spoken to in the chat alone. What it does is seen from outside: what stands in the chat and since when, what the
agents say about themselves (`stamped` answers), and what the kernel says about the process.
"""

from __future__ import annotations

import math
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.bench.sides.chat import Chat
from tests.bench.sides.side import PATIENCE, Page
from tests.bench.task import WARM
from tests.waiting import until

__all__ = ["Process", "Start"]

ENDED = r"END\s*$"
STAMP = re.compile(r"STAMP (\d+) (\d+) (\d+) END\s*$")
ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Start:
    """How a program is started: its command line, and what is added to its environment.

    It is there when it has logged `ready`; without one when its chat service has it logged in.
    """

    argv: Sequence[str]
    environ: Mapping[str, str]
    ready: str = ""


class Process:
    """One run of it.

    `told` is what people read when an agent has died, `reset` a word that ends a conversation's agent.
    """

    def __init__(
        self,
        chat: Chat,
        start: Callable[[Path], Start],
        cold: tuple[str, ...],
        *,
        told: str,
        reset: str = "",
        code: int = 0,
    ) -> None:
        self._chat, self._told, self._reset = chat, told, reset
        self._seen: dict[int, int] = {}  # when the first text of the running turn stood there
        self.cold = cold
        self._folder = tempfile.TemporaryDirectory(prefix="openab-bench-")
        self.folder = Path(self._folder.name)
        self._code = code  # with which it ends
        self._agents: dict[int, int] = {}
        self._log = self.folder / "log"
        how = start(self.folder)
        begin = time.monotonic()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                how.argv, cwd=ROOT, env={**os.environ, **how.environ}, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.process = self._process.pid
        try:
            self.starting = (self._logged(how.ready) if how.ready else chat.ask("ready")["at"] / 1e9) - begin
        except AssertionError:
            self._complain()
            self._process.kill()
            raise

    def _logged(self, text: str) -> float:
        until(lambda: text in self._log.read_text(errors="replace"), PATIENCE, f"{text!r} is logged")
        return time.monotonic()

    def _complain(self) -> None:
        print(self._log.read_text(errors="replace")[-4000:], file=sys.stderr)

    def open(self, names: Sequence[int]) -> None:
        for name in names:
            self.say(name, WARM)
        for name in names:
            self._agents[name] = self.page(name).pid

    def say(self, name: int, order: str) -> float:
        """Write it; return the moment at which the chat service has told the program."""
        return float(self._chat.ask("write", room=name, text=order)["at"]) / 1e9

    def _find(self, name: int, pattern: str) -> tuple[int, str]:
        found = self._chat.ask("find", room=name, pattern=pattern, patience=PATIENCE)
        if not found["at"]:
            self._complain()
            raise AssertionError(f"nothing that fits {pattern!r} was said")
        return found["at"], found["text"]

    def page(self, name: int) -> Page:
        """Wait for the last page of a stamped answer."""
        at, text = self._find(name, STAMP.pattern)
        found = STAMP.search(text)
        assert found is not None
        return Page(at / 1e9, int(found[1]) / 1e9, int(found[2]) / 1e9, int(found[3]))

    def first(self, name: int) -> float:
        self._seen[name] = self._find(name, r"\w")[0]
        return self._seen[name] / 1e9

    def work(self, seconds: float) -> None:
        time.sleep(seconds)

    def finish(self, names: Sequence[int]) -> int:
        total = 0
        for name in names:
            self._find(name, ENDED)
            total += self._chat.ask("shown", room=name)["shown"]
        return total

    def gone(self, name: int, patience: float) -> float:
        after = self._seen.get(name, 0)
        found = self._chat.ask("find", room=name, pattern=self._told, patience=patience, after=after)
        return found["at"] / 1e9 or math.inf

    def pid(self, name: int) -> int:
        return self._agents[name]

    def retire(self, name: int) -> None:
        """From outside nothing can be ended without a word for it."""
        if self._reset:
            self.say(name, self._reset)
            self._find(name, r"\w")

    def end(self) -> float:
        """Have it end in order; return the moment at which nothing of it is left. Raise AssertionError if it fails."""
        left = psutil.Process(self._process.pid).children(recursive=True)
        self._process.send_signal(signal.SIGTERM)
        if self._process.wait(PATIENCE) != self._code:
            self._complain()
            raise AssertionError(f"it ended with {self._process.returncode}")
        psutil.wait_procs(left, PATIENCE)
        return time.monotonic()

    def close(self) -> None:
        if self._process.poll() is None:
            self.end()
        self._chat.close()
        self._folder.cleanup()
