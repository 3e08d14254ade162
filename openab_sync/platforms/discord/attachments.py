"""Files that come with messages: downloaded, judged by `media`, told about.

Downloads begin after a message was accepted, a few at a time and each within 30 seconds (FIELD H11). They are streamed
to the inbox with caps on what really comes, for a size that was announced proves nothing (FIELD H3), and come from the
service's own hosts only. Nothing in here raises because of a file: what cannot be had becomes a note, which is told to
people and to the agent (FIELD H7).

**Threads**: the loop's; disk and decoders are asked in threads of the loop's executor. **Locks**: none.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import aiohttp
import discord
import yarl

from ...core.message import Attachment, Conversation
from ...errors import FileRefused
from ...media.arrivals import Arrival, settle
from ...media.inbox import Caps, Draft, discard, folder_of, safe_name, size_text
from ...media.inline import Budget

__all__ = ["Downloads", "Fetched", "Wish", "extras", "fetch"]

log = logging.getLogger(__name__)

HOSTS = ("cdn.discordapp.com", "media.discordapp.net")
FILES = 10  # a message has no more; a forward brings those of another
SECONDS = 30.0  # for one request
AT_ONCE = 4  # downloads, over all conversations
BLOCK = 256 * 1024
TRIES = 2
PASTE = 2000  # characters that a message holds; what is longer comes as message.txt


class Remote(Protocol):
    """What we read of a `discord.Attachment`."""

    @property
    def filename(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def content_type(self) -> str | None: ...
    @property
    def duration(self) -> float | None: ...
    def is_voice_message(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Wish:
    """Where the files of one message go, and by which ways they come; made by `Downloads.wish`."""

    folder: Path
    text: str  # what was written beside them
    session: aiohttp.ClientSession
    hosts: frozenset[str]  # of https
    origin: yarl.URL | None  # one more place, scheme and port included
    proxy: str | None
    caps: Caps
    downloads: asyncio.Semaphore
    work: asyncio.Semaphore  # one picture at a time: one may need 200 MB


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of the files of one message, in their order.

    `prompt` is the text of a paste that was too long for a message ("" if there was none); `notes` are sentences.
    """

    attachments: tuple[Attachment, ...] = ()
    prompt: str = field(default="", repr=False)
    notes: tuple[str, ...] = ()


class Downloads:
    """What all downloads share: the connections, the limits, the places to fetch from and to put into."""

    def __init__(
        self, inbox: Path, *, api_url: str = "", proxy: str = "", caps: Caps | None = None, seconds: float = SECONDS
    ) -> None:
        self._inbox = inbox
        self._origin = yarl.URL(api_url).origin() if api_url else None
        self._proxy = proxy or None
        self._caps = caps or Caps()
        self._timeout = aiohttp.ClientTimeout(total=seconds)
        self._downloads, self._work = asyncio.Semaphore(AT_ONCE), asyncio.Semaphore(1)
        self._session: aiohttp.ClientSession | None = None

    def wish(self, conversation: Conversation, text: str = "") -> Wish:
        """Return the way for the files of a message with this `text` (mentions of us removed). On the loop only."""
        if self._session is None:
            # No cookies, nothing unpacked on the way: a small answer must not become a large one.
            self._session = aiohttp.ClientSession(
                timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
            )
        return Wish(
            folder=folder_of(self._inbox, conversation.key),
            text=text,
            session=self._session,
            hosts=frozenset(HOSTS),
            origin=self._origin,
            proxy=self._proxy,
            caps=self._caps,
            downloads=self._downloads,
            work=self._work,
        )

    async def close(self) -> None:
        """Close the connections. Downloads under way end with a note."""
        if self._session is not None:
            await self._session.close()
            self._session = None


async def fetch(attachments: Sequence[Remote], wish: Wish) -> Fetched:
    """Download the files of one message and make them ready. Raises nothing because of them; may be cancelled."""
    files, notes = _willing(attachments)
    with ExitStack() as desk:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_received(file, wish, desk)) for file in files]
        arrived: list[Attachment] = []
        budget, paste = Budget(), ""
        for file, task in zip(files, tasks, strict=True):
            try:
                arrival = await _settled(_taken(task.result()), file, wish, budget)
            except FileRefused as refused:
                log.info("a file was not taken: it %s", refused)
                notes.append(f"`{safe_name(file.filename)}` was not taken: it {refused}.")
                continue
            if not paste and _is_paste(file, arrival, wish.text):
                paste = arrival.text
                await asyncio.to_thread(discard, Path(arrival.path))
                continue
            arrived.append(_attachment(arrival))
            notes += [arrival.note] if arrival.note else []
    return Fetched(tuple(arrived), paste, tuple(notes))


def extras(message: discord.Message) -> tuple[str, ...]:
    """Return a note for everything in a message that is neither text nor a file: stickers and polls."""
    notes = [f"The sticker “{_plain(sticker.name)}” was not passed on." for sticker in message.stickers]
    if message.poll is not None:
        answers = " / ".join(_plain(answer.text) for answer in message.poll.answers)
        notes.append(f"There is a poll, “{_plain(message.poll.question)}”: {answers}.")
    return tuple(notes)


def _plain(text: str) -> str:
    return " ".join(text.replace("`", "'").split())


def _willing(attachments: Sequence[Remote]) -> tuple[list[Remote], list[str]]:
    """Return the files to fetch, and notes about the others."""
    files, notes = [], []
    for file in attachments[:FILES]:
        if file.is_voice_message():
            length = f" ({file.duration:.0f} s)" if file.duration else ""
            notes.append(f"A voice message{length} was not passed on: no transcription is configured.")
        else:
            files.append(file)
    if len(attachments) > FILES:
        notes.append(f"{len(attachments) - FILES} more files were not taken: a message may bring {FILES}.")
    return files, notes


# Receiving. Refusals are results here: one file's must not end the others' downloads.


async def _received(file: Remote, wish: Wish, desk: ExitStack) -> Draft | FileRefused:
    try:
        url = _address(file.url, wish)
        if file.size > wish.caps.file:
            raise FileRefused(f"is larger than {size_text(wish.caps.file)}")
        async with wish.downloads:
            draft = desk.enter_context(await _begun(wish, file.filename))
            await _download(url, draft, wish)
    except FileRefused as refused:
        return refused
    return draft


async def _begun(wish: Wish, name: str) -> Draft:
    """Begin a draft; if we are cancelled meanwhile, it ends when it is there."""
    # Not a task, which the end of a loop would cancel: nobody would end the draft.
    begun = asyncio.get_running_loop().run_in_executor(None, Draft, wish.folder, name, wish.caps)
    try:
        return await asyncio.shield(begun)
    except asyncio.CancelledError:
        begun.add_done_callback(_ended)
        raise


def _ended(begun: asyncio.Future[Draft]) -> None:
    if not begun.cancelled() and begun.exception() is None:
        begun.result().close()


def _taken(result: Draft | FileRefused) -> Draft:
    if isinstance(result, FileRefused):
        raise result
    return result


def _address(text: str, wish: Wish) -> yarl.URL:
    """Return where to fetch from, as it was written: the link is signed. Raise FileRefused for a foreign place."""
    try:
        url = yarl.URL(text, encoded=True)
        is_ours = url.scheme == "https" and url.explicit_port is None and url.host in wish.hosts
        if url.user is None and url.password is None and (is_ours or (url.host and url.origin() == wish.origin)):
            return url
    except ValueError:  # no address at all
        pass
    raise FileRefused("is not on the chat service's own servers")


async def _download(url: yarl.URL, draft: Draft, wish: Wish) -> None:
    """Stream the body into the draft. A lost connection or a server in trouble is asked once more.

    Raise FileRefused.
    """
    for _ in range(TRIES):
        if wish.session.closed:
            break
        if draft.size:
            await asyncio.to_thread(draft.restart)
        try:
            if await _stream(url, draft, wish):
                return
        except TimeoutError as error:
            raise FileRefused("did not arrive in time") from error
        except (aiohttp.ClientError, OSError) as error:  # the network's: the disk's are refusals already
            log.warning("a download broke off: %s", error)
    raise FileRefused("could not be downloaded")


async def _stream(url: yarl.URL, draft: Draft, wish: Wish) -> bool:
    """One request. Return False if asking again may help."""
    plain = {"Accept-Encoding": "identity"}
    request = wish.session.get(url, proxy=wish.proxy, allow_redirects=False, headers=plain)
    async with request as response:
        if response.status >= 500 or response.status == 429:
            log.warning("a download was answered with %d", response.status)
            return False
        if response.status != 200:
            raise FileRefused(f"is not there any more (HTTP {response.status})")
        async for block in response.content.iter_chunked(BLOCK):
            await asyncio.to_thread(draft.write, block)
    return True


# Making ready.


async def _settled(draft: Draft, file: Remote, wish: Wish, budget: Budget) -> Arrival:
    async with wish.work:
        return await asyncio.to_thread(settle, draft, file.filename, budget)


def _is_paste(file: Remote, arrival: Arrival, text: str) -> bool:
    """Whether the service made this file of a message that was too long (FIELD H2): then it is the message."""
    return (
        arrival.kind == "text"
        and file.filename == "message.txt"
        and (file.content_type or "").startswith("text/plain")
        and len(arrival.text) > PASTE
        and arrival.text.startswith(text.strip())
    )


def _attachment(arrival: Arrival) -> Attachment:
    return Attachment(
        kind=arrival.kind,
        name=arrival.name,
        mime=arrival.mime,
        path=arrival.path,
        size=arrival.size,
    )
