"""What Discord tells: each line is an event as the gateway sends it, `{"t": …, "d": …}`; the first may name other dice.

`$ann`, `$bot`, `$guild`, `$general` and `$thread` stand for ids that there are, `$new` for one that nobody has had yet.
Each event is brought into the shape of the nearest one of the corpus, since Discord sends no other, and comes then a
few times more as the dice make it: other values, and members left out that may be.
discord.py reads them, the real client hands them on, and all of the platform but the agents is there to take them.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import itertools
import json
import logging
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from zlib import crc32

from openab_sync.core.broker import Receipt
from openab_sync.core.message import Inbound
from openab_sync.platforms.discord.client import Client
from tests.fakes.discord import Server
from tests.fuzz import seeds
from tests.platforms.discord.bed import Bed, house
from tests.platforms.discord.fake_client import QUICK

__all__ = ["one_input", "scene"]

SPOILED = 3  # versions of each event that the dice make
PATIENCE = 10.0  # seconds for all that an input sets going
DEEPEST = 8
LATELY = 500  # messages handed in of which each is another one
SECRET = "NDcxMQ"  # how tokens of bots begin
ODD: dict[type, tuple[Any, ...]] = {
    bool: (True, False),
    int: (0, -1, 1, 7, 99, 2**31, 2**53),
    float: (0.0, -1.5, 1e300),
    str: ("", "0", "x", "²", "\u202e\x00@everyone", "<@$bot>", "x" * 5000, "/", "oab:ask:", "\n", "[1](2)"),
    list: ([],),
}
IDS = ("$new", "$ann", "$bot", "$thread", "$general", "$guild", "0", "18446744073709551615")
NULL = {  # what Discord may leave empty; the second may be missing as well
    "avatar", "global_name", "nick", "edited_timestamp", "referenced_message", "last_message_id", "parent_id", "topic",
}  # fmt: skip
OPTIONAL = {
    "member", "guild_id", "bot", "webhook_id", "message_reference", "referenced_message", "message_snapshots", "poll",
    "sticker_items", "flags", "content_type", "duration_secs", "waveform", "topic", "newly_created", "message", "title",
    "values", "options", "components", "locale", "guild_locale", "thread_metadata", "last_message_id", "guild",
    "fields", "description", "proxy_url", "added_members", "removed_member_ids", "global_name", "resolved", "custom_id",
    "channel",
}  # fmt: skip
"""Members that Discord documents as optional, and some that it leaves out all the same."""


class _Faults(logging.Handler):
    """What was logged as an error: nothing that Discord tells may end in one."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        said = logging.Formatter("%(name)s: %(message)s").format(record)
        if record.name != "asyncio" or "/openab_sync/" in said:  # discord.py's own tree does not know every command
            self.seen.append(said)


class _Scene:
    """A bot on a server with a channel and a thread in which it takes part; what is handed to the broker is noted."""

    def __init__(self, server: Server, bed: Bed, faults: _Faults) -> None:
        self.bed, self.faults = bed, faults
        self._handed: list[Inbound] = []
        self._names = itertools.count(1 << 62)
        bed.app.broker.receive = self._receive  # type: ignore[method-assign]  # what is searched for is not in the agents
        thread = bed.thread("say hello")
        server.until(lambda: self._handed, what="the bot is there")
        people = {"ann": bed.ann.id, "bot": server.app.user.id}
        places = {"guild": server.guild.id, "general": server.general.id, "thread": thread.id}
        self._ids = {name: str(number) for name, number in {**people, **places}.items()}

    def feed(self, name: str, data: object) -> None:
        """Let the client be told, and wait until all that comes of it has been done. Blocks."""
        if name == "INTERACTION_CREATE":
            self._begin(data)
        client = self.bed.platform.client
        told = asyncio.run_coroutine_threadsafe(_tell(client, name, data), client.loop)
        told.result(PATIENCE)

    def _begin(self, data: object) -> None:
        """Have the fake know an interaction, so that it takes its answer."""
        match data:
            case {"id": str() as number, "token": str() as token, "type": 2 | 3 | 5 as kind, "data": dict() as given}:
                server = self.bed.server
                made = server.backend.interactions.begin(kind, server.app, self.bed.ann.user, server.general, given)
                made.token = token
                server.backend.interactions.by_id[int(number)] = made

    def check(self) -> None:
        """Nothing went wrong, nothing was handed in twice, and what was handed in is what the core expects."""
        seen, self.faults.seen = self.faults.seen, []
        assert not seen, seen[0]
        del self._handed[:-LATELY]  # the product remembers for a while, too
        refs = [note.ref for note in self._handed]
        assert len(refs) == len(set(refs)), "handed in twice"
        for note in self._handed:
            assert note.text and note.sender.id.isdecimal() and note.ref.id.isdecimal(), note

    def filled(self, value: Any) -> Any:
        """The same with ids for names."""
        if isinstance(value, str) and value.startswith("$"):
            return str(next(self._names)) if value == "$new" else self._ids.get(value[1:], value)
        if isinstance(value, dict):
            return {key: self.filled(inner) for key, inner in value.items()}
        return [self.filled(inner) for inner in value] if isinstance(value, list) else value

    def _receive(self, note: Inbound) -> Receipt:
        self._handed.append(note)
        return Receipt("accepted")


_open: list[_Scene] = []


@contextmanager
def scene() -> Iterator[None]:
    """Have one bot for many inputs."""
    faults = _Faults()
    loggers = [logging.getLogger(name) for name in ("openab_sync", "discord", "asyncio")]
    for logger in loggers:
        logger.addHandler(faults)
    try:
        with Server(limits=QUICK) as server, house(server) as bed:  # how fast it may be is not what is searched for
            # The events speak of what is not there, and the bot asks for it.
            server.world.violation = lambda sentence: None  # type: ignore[method-assign]
            _open.append(_Scene(server, bed, faults))
            yield
            _open.pop().check()
    finally:
        _open.clear()
        for logger in loggers:
            logger.removeHandler(faults)


def one_input(data: bytes) -> None:
    """No event ends in an error or in a message that is handed in twice, whatever is in it."""
    if not _open:
        with scene():
            one_input(data)
            return
    here, dice = _open[-1], random.Random(crc32(data))
    for line in data.decode("utf-8", "replace").splitlines():
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(event, dict) or not isinstance(name := event.get("t"), str):
            continue
        data = _shaped(name, event.get("d"))
        here.feed(name, here.filled(data))
        for _ in range(SPOILED):
            here.feed(name, here.filled(_spoiled(data, dice)))
    here.check()


@functools.cache
def _models() -> dict[str, list[Any]]:
    """The events of the corpus by name: what Discord really sends."""
    found: dict[str, list[Any]] = {}
    for path in seeds("events"):
        _, *lines = path.read_text(encoding="utf-8").splitlines()  # the first names dice
        for event in map(json.loads, lines):
            found.setdefault(event["t"], []).append(event["d"])
    return found


def _shaped(name: str, data: Any) -> Any:
    """The same as Discord could have sent it: with all members that it always sends, of the kinds that they have."""
    models = _models().get(name, [])
    return _as_in(max(models, key=lambda model: _alike(model, data)), data) if models else None


def _alike(model: Any, data: Any) -> int:
    """How much two values have in common."""
    if not isinstance(model, dict) or not isinstance(data, dict):
        return int(model == data)
    return sum(1 + _alike(model[key], data[key]) for key in model.keys() & data.keys())


def _as_in(model: Any, data: Any) -> Any:
    if isinstance(model, dict) and isinstance(data, dict):
        there = {key: inner for key, inner in model.items() if key in data or key not in OPTIONAL}
        return {key: _member(key, inner, data) for key, inner in there.items()}
    if isinstance(model, list) and isinstance(data, list):
        return [_as_in(model[min(at, len(model) - 1)], inner) for at, inner in enumerate(data)] if model else []
    return data if type(data) is type(model) else model


def _member(key: str, model: Any, data: dict[str, Any]) -> Any:
    given = data.get(key, model)
    if given is None and key in NULL:
        return None
    is_fit: object = True
    if _is_id(key, model):
        is_fit = isinstance(given, str) and (given in IDS or (given.isascii() and given.isdecimal()))
    elif _is_moment(key, model):
        is_fit = isinstance(given, str) and re.fullmatch(r"[12]\d{3}-(0\d|1[0-2])-[012]\dT12:00:00\+00:00", given)
    if not is_fit:
        return model
    return given if model is None and isinstance(given, str) else _as_in(model, given)


def _is_id(key: Any, value: Any) -> bool:
    return (
        isinstance(key, str) and isinstance(value, str) and key != "custom_id" and (key == "id" or key.endswith("_id"))
    )


def _is_moment(key: Any, value: Any) -> bool:
    return isinstance(key, str) and isinstance(value, str) and ("timestamp" in key or key == "joined_at")


def _spoiled(value: Any, dice: random.Random) -> Any:
    """A copy that Discord could have sent: of the same shape, with other values and without some members."""
    value = copy.deepcopy(value)
    for _ in range(dice.randint(1, 3)):
        part = value
        for _ in range(DEEPEST):
            if not isinstance(part, dict | list) or not part:
                break
            key: Any = dice.choice([*part]) if isinstance(part, dict) else dice.randrange(len(part))
            if not isinstance(part[key], dict | list) or dice.random() < 0.3:
                _spoil(part, key, dice)
                break
            part = part[key]
    return value


def _spoil(part: Any, key: Any, dice: random.Random) -> None:
    if key in OPTIONAL and dice.random() < 0.5:
        del part[key]
    elif key in NULL and dice.random() < 0.5:
        part[key] = None
    elif _is_id(key, part[key]):
        part[key] = dice.choice(IDS)
    elif _is_moment(key, part[key]):
        part[key] = dice.choice(("1970-01-01T00:00:00+00:00", "2150-01-01T00:00:00.123456+00:00"))
    elif odd := ODD.get(type(part[key])):
        part[key] = copy.deepcopy(dice.choice(odd))


async def _tell(client: Client, name: str, data: object) -> None:
    """As discord.py does with what comes from the gateway; what it cannot read itself ends the connection there."""
    parser = client._connection.parsers.get(name)
    try:
        if parser is not None:
            parser(data)
    except Exception:  # noqa: BLE001  # discord.py's own: that costs a connection, see test_supervise
        return
    for _ in range(20):
        tasks = [task for task in asyncio.all_tasks() if task.get_name().startswith("discord.py: ")]
        if not tasks:
            return
        await asyncio.wait(tasks, timeout=PATIENCE / 20)
