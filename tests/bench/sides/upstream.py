"""The Rust original, where its program is at hand: driven over its `[gateway]`, the one address that it can be told.

Discord's and Slack's are built into it. `streaming` (it edits a message every 1.5 s) where a task is to be drawn live,
else it posts an answer when that is complete. Reactions are off. What an agent's death looks like there is an edit or a
post like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.bench.sides.chat import Chat
from tests.bench.sides.program import Process, Start
from tests.bench.sides.toml import section
from tests.bench.task import Live

__all__ = ["started"]


def started(program: str, command: Sequence[str], live: Live, room: int) -> Process:
    """Start it, for so many sessions."""
    chat = Chat("tests.bench.sides.gateway_server")

    def start(folder: Path) -> Start:
        file = folder / "config.toml"
        gateway = {
            "url": chat.where["url"],
            "platform": "bench",
            "allow_all_channels": True,
            "allow_all_users": True,
            "streaming": live == "edit",
        }
        agent = {"command": command[0], "args": list(command[1:]), "working_dir": str(folder)}
        sections = {"gateway": gateway, "agent": agent, "pool": {"max_sessions": room}, "reactions": {"enabled": False}}
        file.write_text("\n".join(section(name, keys) for name, keys in sections.items()))
        return Start([program, "run", "-c", str(file)], {"HOME": str(folder)})

    return Process(chat, start, (program, "--help"), told=r"\w", reset="/reset")
