"""The demo agent behind the test client."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Self

from tests.agents.client import ROOT, Client, Told

__all__ = ["COMMAND", "Demo", "again"]

COMMAND = (sys.executable, "-m", "openab_sync.agents.demo")


class Demo(Client):
    """A client with the demo agent behind it, which has shaken hands."""

    def __init__(self, state: Path, **env: str) -> None:
        super().__init__(COMMAND, {"OPENAB_DEMO_STATE": str(state), **env}, ROOT)
        self.hello = self.initialize()["result"]
        self.session = ""

    def open(self) -> Self:
        """Begin a session and read what follows its answer."""
        self.session = self.new("/srv/work")
        self.until_update("available_commands_update")
        return self

    def say(self, prompt: str) -> Told:
        """One turn of the session."""
        return self.prompt(self.session, prompt)

    def set(self, option: str, value: object) -> Told:
        """Set one of the session's options."""
        return self.call("session/set_config_option", {"sessionId": self.session, "configId": option, "value": value})

    def come_back(self, session: str, method: str = "session/load", cwd: str = "/") -> Told:
        """Load or resume a session."""
        return self.call(method, {"sessionId": session, "cwd": cwd, "mcpServers": []})


def again(tmp_path: Path) -> Demo:
    """A second process on the memory of the fixture `demo`."""
    return Demo(tmp_path / "state")
