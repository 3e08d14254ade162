"""attachments: files are fetched from the service alone, as much of them as may be, and nothing goes in silence."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import discord
import pytest
from PIL import Image

from openab_sync.core.message import Attachment, Conversation
from openab_sync.media.inbox import Caps, Draft
from openab_sync.platforms.discord import attachments
from openab_sync.platforms.discord.attachments import Downloads, Fetched, Wish, extras, fetch
from tests.fakes.discord import Server
from tests.fakes.discord.payloads import attachment_json
from tests.media.paint import encoded, gradient
from tests.platforms.discord.fake_client import QUICK, logged_in
from tests.waiting import MS, until

T = TypeVar("T")
Remote = discord.Attachment

HERE = Conversation("discord", "77")
PNG = encoded(Image.new("RGB", (20, 20), "red"), "PNG")
PAGE = b"<!doctype html><title>Log in</title>"
FILES = "/attachments/*"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server


# What comes.


def test_files_come_in_their_order_each_as_what_it_is(server: Server, tmp_path: Path) -> None:
    files = sent(server, ("a.png", PNG), ("b.py", b"x = 1\n"), ("c.pdf", b"%PDF-1.7"))
    held = server.fail("GET", "/attachments/*a.png*", hold=True)

    def release(_form: object) -> bool:
        held.release()
        return True

    server.fail("GET", "*/c.pdf", when=release)  # the first comes last
    assert got(server, files, tmp_path) == Fetched(
        (
            Attachment("image", "a.png", "image/png", path=str(tmp_path / "discord_77" / "a.png"), size=len(PNG)),
            Attachment("text", "b.py", "text/plain", path=str(tmp_path / "discord_77" / "b.py"), size=6),
            Attachment("file", "c.pdf", "application/pdf", path=str(tmp_path / "discord_77" / "c.pdf"), size=8),
        ),
        notes=("`c.pdf` (8 bytes) was saved for the agent as a file.",),
    )
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == ["a.png", "b.py", "c.pdf"]


def test_a_page_that_calls_itself_a_picture_is_none(server: Server, tmp_path: Path) -> None:
    """FIELD H1: whatever name and header say."""
    found = got(server, sent(server, ("a.png", PAGE, "image/png")), tmp_path)
    assert [(file.kind, Path(file.path).read_bytes()) for file in found.attachments] == [("text", PAGE)]
    assert found.notes == ("`a.png` is no picture but a text, and was given to the agent as one.",)


def test_a_photograph_comes_small(server: Server, tmp_path: Path) -> None:
    """FIELD H5."""
    found = got(server, sent(server, ("a.jpg", encoded(gradient(2400, 1200), "JPEG"))), tmp_path)
    assert [(file.kind, file.mime) for file in found.attachments] == [("image", "image/jpeg")]
    assert Path(found.attachments[0].path).stat().st_size < 75_000


def test_a_message_without_files_needs_nothing(server: Server, tmp_path: Path) -> None:
    assert got(server, [], tmp_path) == Fetched()
    assert server.asked("GET", "/attachments") == []


# Pastes.

LONG = "please read this\n" * 200


@pytest.mark.parametrize("text", ["", "  ", "please read"])
def test_a_long_paste_is_the_prompt(server: Server, tmp_path: Path, text: str) -> None:
    """FIELD H2: the service makes a file of it."""
    files = sent(server, ("message.txt", LONG.encode(), "text/plain; charset=utf-8"), ("b.txt", b"b"))
    found = got(server, files, tmp_path, text)
    assert (found.prompt, [file.name for file in found.attachments], found.notes) == (LONG, ["b.txt"], ())
    assert [path.name for path in tmp_path.rglob("*.txt")] == ["b.txt"], "what is the message is no file any more"


@pytest.mark.parametrize(("name", "data", "text"), [
    ("message.txt", b"short", ""), ("other.txt", LONG.encode(), ""), ("message.txt", LONG.encode(), "see the file"),
])  # fmt: skip
def test_what_is_no_paste_is_a_file(server: Server, tmp_path: Path, name: str, data: bytes, text: str) -> None:
    found = got(server, sent(server, (name, data, "text/plain")), tmp_path, text)
    assert (found.prompt, [file.name for file in found.attachments]) == ("", [name])


def test_a_paste_is_one_only_once(server: Server, tmp_path: Path) -> None:
    paste = ("message.txt", LONG.encode(), "text/plain")
    found = got(server, sent(server, paste, paste), tmp_path)
    assert (found.prompt, [Path(file.path).read_text() for file in found.attachments]) == (LONG, [LONG])


# What does not come is told.


def test_a_voice_message_is_told_and_not_fetched(server: Server, tmp_path: Path) -> None:
    """FIELD H4."""
    message = server.user("ann").voice("general")
    found = got(server, [remote(server, message.channel, message.attachments[0])], tmp_path)
    assert found.attachments == ()
    assert len(found.notes) == 1
    assert found.notes[0].startswith("A voice message")
    assert found.notes[0].endswith("was not passed on: no transcription is configured.")
    assert server.asked("GET", "/attachments") == []


def test_a_file_that_is_announced_as_too_large_is_not_fetched(server: Server, tmp_path: Path) -> None:
    """FIELD H7."""
    found = got(server, sent(server, ("a.bin", bytes(3000))), tmp_path, caps=Caps(file=2048))
    assert found == Fetched(notes=("`a.bin` was not taken: it is larger than 2 KB.",))
    assert server.asked("GET", "/attachments") == []


@pytest.mark.parametrize("said", [0, 10])
def test_a_file_is_cut_off_at_the_cap_whatever_was_announced(server: Server, tmp_path: Path, said: int) -> None:
    """FIELD H3."""
    files = sent(server, ("a.bin", bytes(300_000)), ("b.txt", b"b"))
    files[0].size = said
    found = got(server, files, tmp_path, caps=Caps(file=2048))
    assert found.notes == ("`a.bin` was not taken: it is larger than 2 KB.",)
    assert [file.name for file in found.attachments] == ["b.txt"]
    assert [path.name for path in tmp_path.rglob("*.*")] == ["b.txt"]


def test_texts_are_counted_as_they_come_and_not_as_announced(server: Server, tmp_path: Path) -> None:
    """FIELD H2, H3: five files, 512 KB each, 1 MB in all."""
    files = sent(server, *((f"{number}.txt", b"x" * 400_000) for number in range(3)), ("z.txt", b"x" * 600_000))
    for file in files:
        file.size = 0
    found = got(server, files, tmp_path)
    assert [file.kind for file in found.attachments] == ["text", "text", "file", "file"]
    assert [note.partition(": it ")[2] for note in found.notes] == [
        "would bring the texts of this message above 1024 KB.", "is a text of more than 512 KB.",
    ]  # fmt: skip


def test_more_than_ten_files_are_told(server: Server, tmp_path: Path) -> None:
    files = sent(server, *((f"{number}.txt", b"") for number in range(10)))
    found = got(server, [*files, *files[:2]], tmp_path)
    assert found.notes[0] == "2 more files were not taken: a message may bring 10."
    assert found.notes[1:] == tuple(f"`{number}.txt` was not taken: it is empty." for number in range(10))


def test_a_file_that_is_gone_is_told(server: Server, tmp_path: Path) -> None:
    files = sent(server, ("a.txt", b"a"))
    files[0].url = files[0].url.replace("hm=", "hm=0")
    assert got(server, files, tmp_path).notes == ("`a.txt` was not taken: it is not there any more (HTTP 404).",)


def test_a_name_cannot_be_used_to_say_something(server: Server, tmp_path: Path) -> None:
    files = sent(server, ("a.txt", b""))
    files[0].filename = "`@everyone`\n# Hi\u202e.txt"
    assert got(server, files, tmp_path).notes == ("`_@everyone_ # Hi.txt` was not taken: it is empty.",)


def test_a_disk_that_takes_nothing_is_told(server: Server, tmp_path: Path) -> None:
    (tmp_path / "discord_77").write_text("no folder")
    found = got(server, sent(server, ("a.txt", b"a")), tmp_path)
    assert found.notes == ("`a.txt` was not taken: it could not be saved (Not a directory).",)


# Where from.


@pytest.mark.parametrize("url", [
    "http://cdn.discordapp.com/a", "https://cdn.discordapp.com.evil.example/a", "https://cdn.discordapp.com:8443/a",
    "https://evil@cdn.discordapp.com/a", "https://169.254.169.254/latest", "file:///etc/passwd", "ftp://x/a", "", "::",
    "http://[broken/a", "https://127.0.0.1:{port}/a", "http://127.0.0.1:1/a", "http://localhost:{port}/a",
])  # fmt: skip
def test_nothing_is_fetched_from_elsewhere(server: Server, tmp_path: Path, url: str) -> None:
    files = sent(server, ("a.txt", b"a"))
    files[0].url = url.replace("{port}", server.origin.rpartition(":")[2])
    found = got(server, files, tmp_path)
    assert found.notes == ("`a.txt` was not taken: it is not on the chat service's own servers.",)


@pytest.mark.parametrize("host", ["cdn.discordapp.com", "media.discordapp.net"])
def test_the_services_own_hosts_are_trusted_over_https(tmp_path: Path, host: str) -> None:
    async def addressed() -> str:
        downloads = Downloads(tmp_path)
        try:
            return str(attachments._address(f"https://{host}/a%2Fb?hm=%41", downloads.wish(HERE)))
        finally:
            await downloads.close()

    assert asyncio.run(addressed()) == f"https://{host}/a%2Fb?hm=%41"


def test_a_redirect_is_not_followed(server: Server, tmp_path: Path) -> None:
    server.fail("GET", FILES, status=302, headers={"Location": f"{server.origin}/secret"})
    found = got(server, sent(server, ("a.txt", b"a")), tmp_path)
    assert found.notes == ("`a.txt` was not taken: it is not there any more (HTTP 302).",)
    assert server.asked("GET", "/secret") == []


def test_a_proxy_is_used(tmp_path: Path) -> None:
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def through_a_proxy() -> Fetched:
        proxy = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = proxy.sockets[0].getsockname()[1]
        downloads = Downloads(tmp_path, api_url="http://chat.example/api", proxy=f"http://127.0.0.1:{port}")
        try:
            data: Any = {"id": 1, "filename": "a.txt", "size": 2, "url": "http://chat.example/f/a.txt", "proxy_url": ""}
            return await fetch([Remote(data=data, state=STATE)], downloads.wish(HERE))
        finally:
            await downloads.close()
            proxy.close()
            await proxy.wait_closed()

    found = asyncio.run(through_a_proxy())
    assert [Path(file.path).read_text() for file in found.attachments] == ["hi"]
    assert asked == [b"GET http://chat.example/f/a.txt HTTP/1.1\r\n"]


# A bad network.


@pytest.mark.parametrize("fault", [
    {"reset": True}, {"status": 503}, {"status": 429}, {"partial": 1000}, {"lost": True},
])  # fmt: skip
def test_a_download_that_breaks_off_is_tried_once_more(server: Server, tmp_path: Path, fault: dict[str, Any]) -> None:
    text = "".join(f"line {number}\n" for number in range(3000))
    server.fail("GET", FILES, **fault)
    found = got(server, sent(server, ("a.txt", text.encode())), tmp_path)
    assert [Path(file.path).read_text() for file in found.attachments] == [text]
    assert found.notes == ()


@pytest.mark.parametrize("fault", [{"reset": True}, {"status": 503}, {"partial": 1000}])
def test_a_download_that_breaks_off_again_is_told(server: Server, tmp_path: Path, fault: dict[str, Any]) -> None:
    server.fail("GET", FILES, times=9, **fault)
    found = got(server, sent(server, ("a.bin", bytes(300_000))), tmp_path)
    assert found.notes == ("`a.bin` was not taken: it could not be downloaded.",)
    assert list(tmp_path.rglob("*.*")) == []


def test_a_download_has_its_time_and_the_others_go_on(server: Server, tmp_path: Path) -> None:
    """FIELD H11."""
    server.fail("GET", "/attachments/*a.txt*", hold=True)
    found = got(server, sent(server, ("a.txt", b"a"), ("b.txt", b"b")), tmp_path, seconds=100 * MS)
    assert found.notes == ("`a.txt` was not taken: it did not arrive in time.",)
    assert [Path(file.path).read_text() for file in found.attachments] == ["b"]


def test_a_request_may_take_30_seconds(tmp_path: Path) -> None:
    """FIELD H11."""

    async def patience() -> float | None:
        downloads = Downloads(tmp_path)
        try:
            return downloads.wish(HERE).session.timeout.total
        finally:
            await downloads.close()

    assert asyncio.run(patience()) == 30


def test_all_downloads_share_one_session(tmp_path: Path) -> None:
    async def sessions() -> bool:
        downloads = Downloads(tmp_path)
        try:
            return downloads.wish(HERE).session is downloads.wish(Conversation("discord", "78")).session
        finally:
            await downloads.close()

    assert asyncio.run(sessions())


def test_only_so_many_downloads_run_at_once(server: Server, tmp_path: Path) -> None:
    files = sent(server, *((f"{number}.txt", b"x") for number in range(9)))
    held = server.fail("GET", FILES, times=99, hold=True)

    async def look(wish: Wish) -> tuple[int, Fetched]:
        task = asyncio.create_task(fetch(files, wish))
        await asyncio.to_thread(until, lambda: held.seen == attachments.AT_ONCE)
        running = held.seen
        held.release()
        return running, await task

    running, found = with_wish(server, tmp_path, look)
    assert (running, len(found.attachments)) == (attachments.AT_ONCE, 9)
    assert held.seen == 9


def test_a_fetch_that_is_cancelled_leaves_nothing(server: Server, tmp_path: Path) -> None:
    files = sent(server, ("a.txt", b"a"), ("b.txt", b"b"))
    held = server.fail("GET", FILES, times=9, hold=True)

    async def cancel(wish: Wish) -> None:
        task = asyncio.create_task(fetch(files, wish))
        await asyncio.to_thread(until, lambda: held.seen == 2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with_wish(server, tmp_path, cancel)
    held.release()
    assert list(tmp_path.rglob("*.*")) == []


@pytest.mark.parametrize("works", [True, False])
def test_a_draft_that_begins_after_the_fetch_was_cancelled_ends_by_itself(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, works: bool
) -> None:
    files = sent(server, ("a.txt", b"a"))
    begun, go = asyncio.Event(), threading.Event()
    (tmp_path / ("inbox" if works else "discord_77")).write_text("no folder")

    async def cancel(wish: Wish) -> None:
        loop = asyncio.get_running_loop()

        def slow(*args: Any) -> Draft:
            loop.call_soon_threadsafe(begun.set)
            assert go.wait(5000 * MS)
            return Draft(*args)

        monkeypatch.setattr(attachments, "Draft", slow)
        task = asyncio.create_task(fetch(files, wish))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go.set()

    with_wish(server, tmp_path, cancel)
    assert list(tmp_path.rglob("a*.txt")) == []


def test_downloads_that_are_closed_fetch_nothing(server: Server, tmp_path: Path) -> None:
    files = sent(server, ("a.txt", b"a"))

    async def late() -> Fetched:
        downloads = Downloads(tmp_path, api_url=server.origin)
        wish = downloads.wish(HERE)
        await downloads.close()
        await downloads.close()
        return await fetch(files, wish)

    assert asyncio.run(late()).notes == ("`a.txt` was not taken: it could not be downloaded.",)


def test_what_people_write_is_not_logged(server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "openab_sync")
    server.fail("GET", FILES, times=9, status=503)
    got(server, sent(server, ("secret name.txt", b"a")), tmp_path)
    assert "a file was not taken: it could not be downloaded" in caplog.text
    assert "secret" not in caplog.text


# Beside files.


def test_stickers_and_polls_are_told() -> None:
    answers = [SimpleNamespace(text="yes"), SimpleNamespace(text="no")]
    poll = SimpleNamespace(question="Ship\n`it`?", answers=answers)
    message: Any = SimpleNamespace(stickers=[SimpleNamespace(name="wave")], poll=poll)
    assert extras(message) == (
        "The sticker “wave” was not passed on.",
        "There is a poll, “Ship 'it'?”: yes / no.",
    )


def test_the_messages_of_discord_py_are_understood(server: Server, tmp_path: Path) -> None:
    with logged_in(server) as bot:
        server.user("ann").write("general", "look", mentions=[server.app], files=[("a.png", PNG)])
        server.until(lambda: bot.heard("message"))
        message: discord.Message = bot.heard("message")[0]
        found = got(server, message.attachments, tmp_path)
    assert [(file.kind, file.name) for file in found.attachments] == [("image", "a.png")]
    assert extras(message) == ()


STATE: Any = SimpleNamespace(http=None)


def sent(server: Server, *files: tuple[str, bytes] | tuple[str, bytes, str]) -> list[discord.Attachment]:
    """What discord.py makes of the files of a message."""
    message = server.user("ann").write("general", "look", files=files)
    return [remote(server, message.channel, one) for one in message.attachments]


def remote(server: Server, channel: Any, one: Any) -> discord.Attachment:
    data: Any = attachment_json(server.world, channel, one)
    return Remote(data=data, state=STATE)


def got(
    server: Server,
    files: list[discord.Attachment],
    folder: Path,
    text: str = "",
    *,
    caps: Caps | None = None,
    seconds: float = 5000 * MS,
) -> Fetched:
    return with_wish(server, folder, lambda wish: fetch(files, wish), text, caps=caps, seconds=seconds)


def with_wish(
    server: Server,
    folder: Path,
    act: Callable[[Wish], Coroutine[Any, Any, T]],
    text: str = "",
    *,
    caps: Caps | None = None,
    seconds: float = 5000 * MS,
) -> T:
    async def run() -> T:
        downloads = Downloads(folder, api_url=server.origin, caps=caps, seconds=seconds)
        try:
            return await act(downloads.wish(HERE, text))
        finally:
            await downloads.close()

    return asyncio.run(run())
