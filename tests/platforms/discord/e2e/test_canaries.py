"""An agent that tells a whole service all its secrets: what was sent, logged, exported, counted or stored is searched.

What resumes its session may stand in the journal, where that is taken up again from, and nowhere else.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import run
from tests.fakes.discord import Server
from tests.fakes.discord.things import Channel, Message
from tests.hostile.telltale import SESSION
from tests.hostile.test_telltale import CANARIES, PROGRAM
from tests.platforms.discord.e2e.service import mention, service
from tests.platforms.discord.pressing import buttons
from tests.waiting import until

NAMES = [name for name in CANARIES if name != "CANARY_A"]
PATHS = ("/metrics", "/healthz", "/readyz", "/api/sessions", "/api/conversations", "/api/questions")


def asked(home: Path, path: str) -> str:
    """What the status server tells somebody who has its key."""
    url = (home / "state" / "status.address").read_text().strip()
    token = (home / "state" / "status.token").read_text().strip()
    request = urllib.request.Request(url + path, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(answer.read().decode())


def sent(server: Server, thread: Channel) -> str:
    """All that Discord was told, and all files that it has."""
    told = [json.dumps(request.form, default=str, ensure_ascii=False) for request in server.requests]
    files = [file for message in thread.history for file in message.attachments]
    return "\n".join([*told, *(f"{file.filename}\n{file.content.decode('utf-8', 'replace')}" for file in files)])


def stored(home: Path) -> str:
    """Every value of the journal, but for the columns from which sessions are taken up again."""
    kept = []
    with closing(sqlite3.connect(home / "state" / "journal.db")) as db:
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            rows = db.execute(f'SELECT * FROM "{table}"')
            names = [column[0] for column in rows.description]
            for row in rows:
                kept += [
                    value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
                    for name, value in zip(names, row, strict=True)
                    if (table, name) not in {("memories", "session"), ("memories", "archive")}
                ]
    return "\n".join(kept)


def answered(server: Server, thread: Channel, *, is_asked: bool) -> None:
    """Ann opens the form and declines it, and says no to the tool if it `is_asked` for; what she sees is sent, too."""

    def asked(button: str) -> list[tuple[Message, str]]:
        return [(one, label) for one in thread.history for label in buttons(one) if label.startswith(button)]

    ann = server.user("ann")
    form, fill = until(lambda: asked("Fill in"), 10, "the form is put to people")[0]
    pressed = ann.click(form, fill)
    server.until(lambda: pressed.modal is not None, 10, "the form is shown")
    ann.click(form, "Decline")
    if is_asked:
        ann.click(*until(lambda: asked("No, "), 10, "the tool is asked for")[0])


@pytest.mark.parametrize(("mode", "order"), [pytest.param("deny", "once", marks=pytest.mark.slow), ("ask", "cut 3")])
def test_nothing_of_a_secret_is_anywhere(mode: str, order: str, server: Server, tmp_path: Path) -> None:
    lines = tmp_path / "audit.jsonl"
    agent = {"command": sys.executable, "args": [PROGRAM], "inherit_env": NAMES}
    more: dict[str, Any] = {"agent.env": {"MINE_TOKEN": CANARIES["CANARY_A"]}}
    with service(
        tmp_path,
        server,
        environ={name: CANARIES[name] for name in NAMES},
        agent=agent,
        **more,
        permissions={"mode": mode},
        reply={"thoughts": True, "footer": True},
        log={"level": "debug"},
        audit={"file": str(lines), "prompts": True},
    ) as running:
        server.until_ready()
        thread = mention(server, order)
        answered(server, thread, is_asked=mode == "ask")
        key = f"discord:{thread.id}"
        until(lambda: '"idle"' in asked(tmp_path, "/api/sessions"), 10, "the turn is over")
        told = "\n".join(asked(tmp_path, path) for path in (*PATHS, f"/api/sessions/{key}"))
        slash = server.user("ann").slash("export", where=thread)
        server.until(lambda: slash.is_done, 10, "it is exported")
        running.signal()
        assert running.end() == 0, running.log
    seen = {
        "sent": sent(server, thread),
        "logged": running.log,
        "told": told,
        "in the file of the audit": lines.read_text(),
        "in the audit": run(tmp_path, "audit", "-c", str(tmp_path / "config.toml"), "--json").out,
        "exported": run(tmp_path, "store", "export", "-c", str(tmp_path / "config.toml")).out,
        "stored": stored(tmp_path),
    }
    hiding = {where for where, text in seen.items() if "[redacted]" in text}
    assert hiding == set(seen), "each was told something"
    secrets = {*CANARIES.values(), *(json.dumps(secret)[1:-1] for secret in CANARIES.values()), SESSION}
    assert {(where, secret) for where, text in seen.items() for secret in secrets if secret in text} == set()
