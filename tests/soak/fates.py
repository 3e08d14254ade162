"""The fates: every message that a person sent on the fake Discord was answered or told about, once, whoever was killed.

Messages are named in their text (`[ann.7]`), and an answer says the name back. Looked at from outside, as a person
would: what stands in the chat when all is quiet.

    answered   a message of the bot has its name
    told       the bot has replied to it, with other words: refused, failed, interrupted, too much at once
    taken back its author has deleted it: whatever had become of it by then is right

Exactly one of them: two answers, two replies, an answer and a reply are faults. A place in the line is no fate: it says
that one is still to come. What is said in a thread about the message that opened it replies to nothing, for that is
elsewhere: there a warning counts, if there is no answer.

**Threads**: any. **Locks**: the fake world's, briefly.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from dataclasses import dataclass, field

from tests.fakes.discord import Server
from tests.fakes.discord.things import Message

__all__ = ["Fates"]

QUEUED = "👀"
IN_LINE, WARNING = "in line, it starts by itself", "⚠️"
NAME = re.compile(r"\[(\w+\.\d+)\]")
# Of all messages. Who is refused is told, and then it is over; the mark may take a moment more to go where requests are
# refused at random, and a broker that is killed in that moment leaves it. It is more than was ever seen.
LOST_SIGNS = 0.002
WRITTEN = {0, 19}  # kinds of messages that somebody has written: all else is Discord's own


@dataclass(frozen=True, slots=True)
class _Sent:
    name: str
    message: Message


@dataclass(slots=True)
class _Heard:
    """What the bot has said about one message."""

    answers: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


class Fates:
    """All that people have sent, and what became of it."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._lock = threading.Lock()
        self._sent: list[_Sent] = []

    def enter(self, name: str, message: Message) -> None:
        """A person has sent this; its text has its name in brackets."""
        with self._lock:
            self._sent.append(_Sent(name, message))

    def __repr__(self) -> str:
        counts = Counter(self._fate(one, heard) for one, heard in self._all())
        return " ".join(f"{fate} {counts[fate]}" for fate in ("answered", "told", "taken back", "open"))

    def open(self) -> list[str]:
        """Return the names of those of which nothing has become so far."""
        return [one.name for one, heard in self._all() if self._fate(one, heard) == "open"]

    def waiting(self) -> list[str]:
        """Return the names of those that look as if they still waited."""
        with self._lock:
            sent = list(self._sent)
        return [one.name for one in sent if not one.message.deleted and QUEUED in one.message.reactions]

    def faults(self) -> list[str]:
        """Return a sentence for each message for which the promise was not kept. When all is quiet."""
        faults = [fault for one, heard in self._all() if (fault := self._fault(one, heard))]
        waiting, most = self.waiting(), max(1, round(len(self._all()) * LOST_SIGNS))
        return faults + ([f"{len(waiting)} look as if they still waited: {waiting}"] if len(waiting) > most else [])

    def _all(self) -> list[tuple[_Sent, _Heard]]:
        """Each message, and what the bot has said about it, everywhere."""
        with self._lock:
            sent = list(self._sent)
        heard = {one.name: _Heard() for one in sent}
        names = {id(one.message): one.name for one in sent}
        world, bot = self._server.world, self._server.app.user
        with world.changed:
            everywhere = [message for channel in world.channels.values() for message in channel.history]
        loose: dict[int, list[str]] = {}  # by channel: warnings that reply to nothing
        for message in everywhere:
            if message.author is not bot or message.kind not in WRITTEN:
                continue
            answered = set(NAME.findall(message.content)) & heard.keys()
            for name in answered:
                heard[name].answers.append(message.content)
            if message.reply_to is None and not answered and WARNING in message.content:
                loose.setdefault(message.channel.id, []).append(message.content)
            about = names.get(id(message.reply_to), "")
            if about and about not in answered and IN_LINE not in message.content:
                heard[about].told.append(message.content)
        for one in sent:
            thread = one.message.thread
            if thread is not None and thread.id in loose and not heard[one.name].answers and not heard[one.name].told:
                heard[one.name].told.append(loose[thread.id][0])
        return [(one, heard[one.name]) for one in sent]

    def _fate(self, one: _Sent, heard: _Heard) -> str:
        if one.message.deleted:
            return "taken back"
        if heard.answers:
            return "answered"
        return "told" if heard.told else "open"

    def _fault(self, one: _Sent, heard: _Heard) -> str:
        answers, told = len(heard.answers), len(heard.told)
        if one.message.deleted or (answers, told) in {(1, 0), (0, 1)}:
            return ""
        if not answers and not told:
            return f"{one.name} was neither answered nor told about: {one.message.content!r}"
        said = [text if len(text) <= 200 else f"{text[:100]} … {text[-100:]}" for text in (*heard.answers, *heard.told)]
        return f"{one.name} was answered {answers} times and told about {told} times: {said}"
