"""Files of an agent, on Discord: what it puts into its outbox is there for people when the turn is over."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.discord import Server
from tests.platforms.discord.bed import house

# Puts a file, a link and a folder into its outbox, and says where that is and what it was told.
AGENT = """
import json, os, sys

def send(**message):
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)

for line in sys.stdin:
    message = json.loads(line)
    method = message.get("method")
    if method == "initialize":
        send(id=message["id"], result={"protocolVersion": 1, "agentCapabilities": {}})
    elif method == "session/new":
        send(id=message["id"], result={"sessionId": "s"})
    elif method == "session/prompt":
        box = os.environ["OPENAB_OUTBOX"]
        told = sum(box in block.get("text", "") for block in message["params"]["prompt"])
        if told:
            with open(os.path.join(box, "page.html"), "w") as file:
                file.write("<script>alert(1)</script>")
            os.symlink("/etc/passwd", os.path.join(box, "passwords"))
        text = {"type": "text", "text": f"told {told} times"}
        update = {"sessionUpdate": "agent_message_chunk", "content": text}
        send(method="session/update", params={"sessionId": "s", "update": update})
        send(id=message["id"], result={"stopReason": "end_turn"})
    elif "id" in message:
        send(id=message["id"], result={})
"""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


def test_what_is_in_the_outbox_comes_with_the_answer(server: Server, tmp_path: Path) -> None:
    (program := tmp_path / "agent.py").write_text(AGENT)
    with house(server, command=(sys.executable, str(program))) as bed:
        thread = bed.thread("make a page")
        bed.until_said("told 1 times", thread)
        server.until(lambda: any(message.attachments for message in thread.messages.values()), what="a file comes")
        (file,) = [one for message in thread.messages.values() for one in message.attachments]
        assert file.filename == "page.html.txt", "a browser would run it under its own name"
        bed.until_said("`passwords` was not sent: it is a link, not a file.", thread)
        (folder,) = (bed.folder / "outbox").iterdir()
        assert sorted(path.name for path in folder.iterdir()) == ["refused", "sent"]
        bed.ann.write(thread, "and again")
        bed.until_said("told 0 times", thread)
