"""A configuration, written for people: what was chosen, a comment for each line, and where the rest is told. Pure.

And the unit that runs it as a service of the user's; `conf/systemd/openab-sync-user.service` is the same with its
reasons.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Choice", "unit", "written"]


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody chose. `token` is what stands in the file: the bot's token or a `${NAME}`; kept out of `repr`."""

    token: str
    users: tuple[str, ...]
    channels: tuple[tuple[str, str], ...] = ()  # id and name; none: everywhere
    agent: str = "demo"
    folder: str = "."
    api_url: str = ""
    store: str = ""

    def __repr__(self) -> str:
        return f"<Choice agent={self.agent} users={self.users}>"


def written(choice: Choice) -> str:
    """Return the text of the file."""
    return "\n".join(_lines(choice)) + "\n"


def _lines(choice: Choice) -> Iterator[str]:
    yield "# openab-sync. `openab-sync check` says whether all of it works. What else can be set, and why, is told in"
    token = "" if choice.token.startswith("${") else " This file holds the bot's token: it is for you alone (mode 600)."
    yield f"# conf/openab-sync.toml of its source.{token}"
    yield ""
    yield "[discord]"
    yield f"bot_token = {_text(choice.token)}"
    people = ", ".join(map(_text, choice.users))
    yield f"allowed_users = [{people}] # who may talk to the bot; nobody else can"
    if choice.channels:
        yield "allowed_channels = [ # where it listens, threads included"
        for number, name in choice.channels:
            yield f"    {_text(number)}, # {_comment(name)}"
        yield "]"
    else:
        yield "allow_all_channels = true # it listens in every channel that it sees"
    if choice.api_url:
        yield f"api_url = {_text(choice.api_url)} # not Discord itself"
    yield ""
    yield "[agent]"
    yield f"preset = {_text(choice.agent)} # `openab-sync agents` lists them"
    yield f"working_dir = {_text(choice.folder)} # where it works: what you may change there, it may, too"
    yield "# inherit_env = [] # names of variables that it gets, such as that of its key"
    if choice.store:
        yield ""
        yield "[store]"
        yield f"path = {_text(choice.store)} # what it remembers"


def _text(value: str) -> str:
    """A string of TOML: JSON's escapes are among its own. `${` names a variable only where it is the whole of it."""
    is_reference = value.startswith("${") and value.endswith("}")
    text = value if is_reference else value.replace("${", "$${")
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(value: str) -> str:
    return "#" + " ".join("".join(char if char.isprintable() else " " for char in value).split())


def unit(command: Sequence[str]) -> str:
    """Return a systemd unit of the user's that runs `command`, a program with its arguments."""
    line = " ".join(_quoted(part) for part in command)
    return f"""[Unit]
Description=openab-sync, a bridge between chat services and coding agents
After=network-online.target

[Service]
Type=notify
NotifyAccess=main
WatchdogSec=60
ExecStart={line}
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2
KillMode=mixed
TimeoutStopSec=90
Environment=MALLOC_ARENA_MAX=2
EnvironmentFile=-%h/.config/openab-sync/secrets.env
LimitNOFILE=8192
LimitCORE=0
UMask=0077
NoNewPrivileges=yes

[Install]
WantedBy=default.target
"""


def _quoted(part: str) -> str:
    """An argument as systemd reads it: in quotes where it needs them, with nothing that it would fill in."""
    text = part.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{text}"' if text != part or " " in part else part
