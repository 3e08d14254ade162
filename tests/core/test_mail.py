"""Files of a turn: announced once, sent when it is over, without secrets, and every refusal is told."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from openab_sync.acp import events as acp
from openab_sync.core.mail import Mail
from openab_sync.core.port import Limits, Notice
from openab_sync.media.outbox import Outbox, Outboxes
from openab_sync.text.redact import Redactor
from tests.fakes.clock import FakeClock


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    outbox = Outboxes(tmp_path).of("test:1")
    outbox.open()
    return outbox


def test_the_agent_is_told_of_its_outbox_once(outbox: Outbox) -> None:
    (block,) = Mail(outbox).announcement()
    assert str(outbox.folder) in block.text and "$OPENAB_OUTBOX" in block.text
    assert Mail(outbox, is_first=False).announcement() == []


def test_a_file_becomes_part_of_the_answer_without_its_secrets_and_a_refusal_a_sentence(outbox: Outbox) -> None:
    (outbox.folder / "a b.txt").write_text("key: canary-of-this-test\n")
    (outbox.folder / "link").symlink_to("/etc/passwd")
    file, notice = Mail(outbox).collected(FakeClock(), Limits(), Redactor(["canary-of-this-test"]))
    assert isinstance(file, acp.Media) and file.kind == "resource" and file.uri == "a%20b.txt"
    assert base64.b64decode(file.data or "") == b"key: [redacted]\n"
    assert notice == Notice("`link` was not sent: it is a link, not a file.")


def test_where_people_sit_at_this_machine_a_file_is_named_by_its_path(outbox: Outbox) -> None:
    (outbox.folder / "a b.txt").write_text("more")
    (outbox.folder / "a b.txt").rename(outbox.folder / "c.txt")
    (link,) = Mail(outbox).collected(FakeClock(), Limits(local=True), Redactor())
    assert link == acp.Link(str(outbox.folder / "sent" / "c.txt"), "c.txt", "text/plain", 4)
    assert Path(link.uri).read_text() == "more"


def test_the_chats_own_limit_holds(outbox: Outbox) -> None:
    (outbox.folder / "a").write_text("x" * 100)
    (notice,) = Mail(outbox).collected(FakeClock(), Limits(file_size=50), Redactor())
    assert isinstance(notice, Notice) and "files may have 50 bytes" in notice.text
