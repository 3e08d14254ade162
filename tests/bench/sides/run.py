"""`openab-sync run` as its users run it, with its status server, and its comparison: a bot of discord.py and the SDK.

Both are logged in to the fake Discord, without the limits that Discord has: they would be what is measured.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.bench.sides.chat import Chat
from tests.bench.sides.program import Process, Start
from tests.bench.sides.toml import section
from tests.bench.task import SideName

__all__ = ["on_discord"]

SERVER = "tests.bench.sides.discord_server"
REFUSED = "(status stays at "
TOLD = "ended before its answer did"


def on_discord(command: Sequence[str], room: int, who: SideName) -> Process:
    """Start ours, or the "bot" that it is compared with, for so many sessions.

    Ours may be "held" by a signal (`sides.held`), or its token "refused".
    """
    chat = Chat(SERVER, "0", "unlimited")
    where = chat.where
    if who == "bot":
        order = json.dumps({**where, "command": list(command)})
        bot = Start([sys.executable, "-m", "tests.bench.sides.bot", order], {})
        return Process(chat, lambda _: bot, (sys.executable, "-c", "import acp, discord"), told=TOLD)
    is_refused = who == "refused"
    sections: dict[str, dict[str, Any]] = {
        "agent": {"command": command[0], "args": list(command[1:])},
        "pool": {"max_sessions": room, "shutdown_grace_secs": 0},
        "limits.person": {"messages_per_minute": 0},
        "discord": {
            "bot_token": "not.the.token" if is_refused else where["token"],
            "api_url": where["origin"],
            "allow_all_users": True,
        },
        "status": {"listen": "127.0.0.1:0"},
    }

    def start(folder: Path) -> Start:
        file = folder / "config.toml"
        file.touch(0o600)
        file.write_text("\n".join(section(name, keys) for name, keys in sections.items()))
        home = {"HOME": str(folder), "OPENAB_SYNC_HOME": str(folder / "state"), "NO_COLOR": "1"}
        program = "tests.bench.sides.held" if who == "held" else "openab_sync"
        return Start([sys.executable, "-m", program, "run", "-c", str(file)], home, REFUSED if is_refused else "")

    return Process(chat, start, (sys.executable, "-m", "openab_sync", "--help"), told=TOLD, code=2 if is_refused else 0)
