"""A conversation as a file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.platforms.discord import export
from openab_sync.platforms.discord.export import Line, exported, markdown
from tests.fakes.discord import Server
from tests.platforms.discord.fake_client import QUICK, Bot, logged_in

# Answers that only begin like what tells how things stand.
OURS = (
    "⏳ means waiting.",
    "🔐 Secrets are kept apart.",
    "🔒 Rejected, by somebody: rm\n\nso I did this",
    "the answer",
)
AT = datetime(2026, 11, 24, 12, 30, 5, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server


@pytest.fixture
def bot(server: Server) -> Iterator[Bot]:
    with logged_in(server) as bot:
        yield bot


def same(text: str) -> str:
    return text


def test_messages_stand_in_order_with_who_and_when() -> None:
    lines = [Line("Ann", AT, "hello\n```\ncode\n```"), Line("Bridge", AT, "", ("a.png", "b\n.txt"))]
    assert markdown(lines, "Fix the\nbuild", same) == (
        "# Fix the build\n\n"
        "\n**Ann** · 2026-11-24 12:30:05 UTC\n\nhello\n```\ncode\n```\n"
        "\n\n**Bridge** · 2026-11-24 12:30:05 UTC\n\n📎 a.png\n📎 b .txt\n"
    )


def test_what_does_not_fit_is_left_out_at_the_beginning_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "ROOM", 3000)
    lines = [Line("Ann", AT, f"message {number} " + "x" * 100) for number in range(100)]
    text = markdown(lines, "t", same)
    assert len(text.encode()) <= 3000
    assert "message 99 " in text and "message 0 " not in text
    assert "Only the newest messages" in text
    assert "Only the newest" not in markdown(lines[:3], "t", same)


def test_secrets_are_blacked_out() -> None:
    assert "tok" not in markdown([Line("Ann", AT, "my tok")], "t", lambda text: text.replace("tok", "…"))


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=60)), max_size=8), st.text(max_size=30))
def test_whatever_was_written_makes_a_file(texts: list[tuple[str, str]], title: str) -> None:
    made = markdown([Line(author, AT, text) for author, text in texts], title, same)
    assert made.startswith("# ")
    assert made.encode().decode() == made
    assert made.count("2026-11-24 12:30:05 UTC") >= len(texts)


def test_a_conversation_is_read_from_its_beginning_without_what_only_told_how_things_stood(
    server: Server, bot: Bot
) -> None:
    ann = server.user("ann")
    thread = ann.open_thread(ann.write("general", "start"), "talk")
    for number in range(120):  # more than one request's worth
        ann.write(thread, f"message {number}")
    ann.write(thread, "see", files=[("a.txt", b"x")])

    async def say() -> bytes:
        place = bot.place(thread.id)
        for text in (
            "⏳ Fake is still at work; no sign from it for 60 s.",
            "🔐 **rm**\nDone.",
            "🔒 Rejected, by the rules: rm",
            *OURS,
        ):
            await place.send(text)
        assert bot.user is not None
        file = await exported(place, bot.user.id, same, "Fix: the Build!")
        assert (file.name, file.mime) == ("fix-the-build.md", "text/markdown")
        return file.data

    text = bot.call(say()).decode()
    assert text.index("message 0\n") < text.index("message 119\n") < text.index("📎 a.txt") < text.index("the answer")
    assert "still at work" not in text and "**rm**" not in text and "by the rules" not in text
    assert all(one in text for one in OURS)
    assert text.count("**ann**") == 121


def test_a_very_long_conversation_is_cut(server: Server, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "MOST", 5)
    ann = server.user("ann")
    for number in range(9):
        ann.write("general", f"message {number}")

    async def get() -> bytes:
        assert bot.user is not None
        return (await exported(bot.place(server.general.id), bot.user.id, same, "")).data

    text = bot.call(get()).decode()
    assert "message 3" not in text and "message 4" in text
    assert "Only the newest" in text and text.startswith("# Conversation")
