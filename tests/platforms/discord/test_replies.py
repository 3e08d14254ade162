"""What replies look like on Discord: buttons, very long answers, code, titles. A whole house, and the real library."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.discord import Server
from tests.fakes.discord.things import Channel, Message
from tests.platforms.discord.bed import Bed, house
from tests.platforms.discord.fake_client import QUICK


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server


def ours(bed: Bed, thread: Channel) -> list[Message]:
    return [message for message in thread.history if message.author is bed.server.app.user]


def labels(bed: Bed, thread: Channel) -> list[str]:
    return [label for message in ours(bed, thread) for label in message.buttons]


def test_a_running_reply_has_a_button_to_stop_it_and_a_finished_one_has_none(server: Server) -> None:
    with house(server) as bed:
        thread = bed.thread("say well\nhang")
        server.until(lambda: labels(bed, thread) == ["Stop"], what="a button")
        bed.ann.click(ours(bed, thread)[-1], "Stop")
        server.until(lambda: not labels(bed, thread), what="no button")
        bed.until_said("Cancelled by", thread)


def test_a_reply_that_failed_can_be_tried_again(server: Server) -> None:
    with house(server) as bed:
        thread = bed.thread("error")
        server.until(lambda: labels(bed, thread) == ["Retry"], what="a button")


def test_a_very_long_answer_is_its_head_its_tail_and_a_file(server: Server) -> None:
    with house(server, discord={"max_pages": 2}) as bed:
        thread = bed.thread("huge 20000\nsay The end.")
        server.until(lambda: any(message.attachments for message in ours(bed, thread)), what="a file")
        pages = [message for message in ours(bed, thread) if message.content]
        (file,) = [item for message in ours(bed, thread) for item in message.attachments]
        assert len(pages) == 2
        assert "is in `answer.md`" in pages[1].content
        assert "The end." in pages[1].content
        assert file.filename == "answer.md"
        assert len(file.content) >= 20000


def test_long_code_is_attached_under_a_name_that_tells_its_language(server: Server) -> None:
    with house(server) as bed:
        thread = bed.thread("say Look:\\n```python\\nx = 1\\n\nhuge 3000\nsay \\n```\\nDone.")
        server.until(lambda: any(message.attachments for message in ours(bed, thread)), what="a file")
        (file,) = [item for message in ours(bed, thread) for item in message.attachments]
        assert (file.filename, file.content) == ("code-1.py", b"x = 1\n" + b"x" * 3000 + b"\n")
        bed.until_said("```python\nx = 1\n```\n📎 code-1.py (2 lines)\nDone.", thread)


def test_an_agent_that_finds_a_title_names_its_thread(server: Server) -> None:
    with house(server) as bed:
        thread = bed.thread("session_info The answer to everything\nsay done")
        server.until(lambda: thread.name == "The answer to everything", what="a title")


def test_a_picture_that_the_agent_makes_is_uploaded(server: Server) -> None:
    """FIELD H10."""
    with house(server) as bed:
        thread = bed.thread("image_out")
        server.until(lambda: any(message.attachments for message in ours(bed, thread)), what="a picture")
        (file,) = [item for message in ours(bed, thread) for item in message.attachments]
        assert file.filename.endswith(".png")
        assert file.content.startswith(b"\x89PNG\r\n\x1a\n")
