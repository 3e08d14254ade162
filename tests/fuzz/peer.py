"""One session of an agent that says anything at any time.

First byte: how far the session is (`0` nothing, `1` open, `2` in a turn); second: the size of the reads; the rest are
lines. A line `!x` is something that we do (see ACTIONS), every other one is the agent's.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any, get_args

from openab_sync.acp.events import Event
from openab_sync.acp.peer import AcpPeer
from openab_sync.acp.schema import ImageBlock, TextBlock
from openab_sync.errors import AgentProtocolError, AgentRefused, IllegalTransition
from tests.acp.talk import Talk, opened, text_of

__all__ = ["one_input"]

HELLO = (TextBlock("hello"), ImageBlock("AAAA", "image/png"))
LAST = b'\n{"jsonrpc":"2.0","id":"the last","method":"good"}\n'

# Two objects on one line. A block of lines is taken for good if it has as many values as lines, so a blank line in the
# same read makes up for the surplus, and what comes of it depends on the reads.
TWO_IN_ONE = re.compile(rb"\}[ \t\r]*\{")


def _answer(peer: AcpPeer, *, kindly: bool) -> None:
    for name in peer.open_questions[:1]:
        options = getattr(peer._inquiries._open._open[type(name).__name__, name], "options", ())
        assert peer.answer(name, options[0].option_id if options and kindly else None)
        assert not peer.answer(name, None)


def _set_options(peer: AcpPeer) -> None:
    for option in peer.options:
        peer.set_option(option.id, option.choices[-1].value if option.choices else option.value)


ACTIONS: dict[bytes, Callable[[AcpPeer], object]] = {
    b"!p": lambda peer: peer.prompt(HELLO),
    b"!c": lambda peer: peer.cancel(),
    b"!y": lambda peer: _answer(peer, kindly=True),
    b"!n": lambda peer: _answer(peer, kindly=False),
    b"!o": _set_options,
    b"!a": lambda peer: peer.abandon(peer.prompt_id or 0),
    b"!i": lambda peer: peer.initialize(),
    b"!w": lambda peer: peer.new_session("/w"),
    b"!l": lambda peer: peer.load_session("s-1", "/w"),
    b"!r": lambda peer: peer.resume_session("s-1", "/w"),
    b"!x": lambda peer: peer.close(),
}


def one_input(data: bytes) -> None:
    """Only a protocol error ends it, every request gets exactly one answer, and reads may be of any size."""
    stage, size, script = data[:1], 1 + sum(data[1:2]), data[2:]
    whole = _Run(stage, len(data) + 1)
    whole.play(script)
    whole.check()
    if not TWO_IN_ONE.search(script):
        cut = _Run(stage, size)
        cut.play(script)
        assert cut.peer.outgoing == whole.peer.outgoing
        assert text_of(cut.events) == text_of(whole.events)
        assert cut.is_over is whole.is_over


class _Run:
    """A peer, what it was told and what it made of it."""

    def __init__(self, stage: bytes, size: int) -> None:
        self.peer = Talk().peer if stage == b"0" else opened().peer
        self.events: list[Event] = []
        self.is_over = False  # by a protocol error
        self._size = size
        self._asked: Counter[str] = Counter()
        self._heard = 1  # lines, LAST with them
        if stage == b"0":
            self.peer.initialize()
        elif stage == b"2":
            self.peer.prompt(HELLO)

    def play(self, script: bytes) -> None:
        """Let it all happen, in order, and end it."""
        said: list[bytes] = []
        for line in script.split(b"\n"):
            if line in ACTIONS:
                self._hear(said)
                said = []
                with suppress(AgentRefused, IllegalTransition):
                    ACTIONS[line](self.peer)
            else:
                said.append(line)
        self._hear(said)
        self._receive(LAST)
        self.peer.close()

    def _hear(self, lines: list[bytes]) -> None:
        if not lines:
            return
        data = b"\n".join([*lines, b""])
        for at in range(0, len(data), self._size):
            self._receive(data[at : at + self._size])
        if not self.is_over:
            self._heard += len(lines)
            self._asked.update(name for name in map(_request_id, lines) if name)

    def _receive(self, data: bytes) -> None:
        if self.is_over:
            return
        try:
            self.events += self.peer.receive(data)
        except AgentProtocolError:
            self.is_over = True

    def check(self) -> None:
        """Raise AssertionError for what we wrote or told that we should not have."""
        assert all(isinstance(event, get_args(Event)) and repr(event) for event in self.events)
        assert not self.peer.open_questions
        lines = bytes(self.peer.outgoing).split(b"\n")
        assert lines.pop() == b""
        messages: list[dict[str, Any]] = [json.loads(line) for line in lines]
        answers = Counter(json.dumps(one["id"]) for one in messages if "method" not in one)
        assert not self._asked - answers, self._asked - answers
        if not self.is_over:
            assert answers.pop('"the last"') >= 1
            assert answers.total() <= self._heard


def _request_id(line: bytes) -> str | None:
    """Return the id, as JSON, that a well-formed request of the agent wants to see again."""
    try:
        message = json.loads(line.decode(), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or not isinstance(message.get("method"), str):
        return None
    match message.get("id"):
        case bool():
            return None
        case int(name) if abs(name) < 1 << 53:
            return json.dumps(name)
        case str(name) if name.isascii():
            return json.dumps(name)
        case _:
            return None


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member that is there twice")
    return members
