"""The last gate: nothing of ours goes to a chat service but through here, without secrets and without masks.

`VeiledPort` stands in front of a platform's port. Pages are whole when they come here, and what pages and
chunks could cut has been taken out before (`manuscript`, `passage`); for notices, questions, titles and files this is
the place.

Threads: as the port's, any. Never blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import fields, replace
from functools import cache
from typing import Any, TypeVar, cast

from msgspec import Struct, structs

from ..acp import events as acp
from ..media.kinds import TEXT, kind_of, text_of
from ..text.masks import unmasked
from ..text.redact import REDACTED, Redactor
from .message import Conversation, MessageRef
from .port import (
    ChatPort,
    Controls,
    Decision,
    File,
    Form,
    Limits,
    Notice,
    Question,
    Seen,
    Settled,
    TurnEnded,
    TurnEvent,
)

__all__ = ["VeiledPort", "swept", "veiled_file", "words"]

T = TypeVar("T")

SAID = frozenset({acp.Said, acp.Thought, acp.ToolChanged})  # what has gone through a Passage, and comes by the thousand
_DEEPEST = 40  # levels of what an agent sends with a tool call; below that nothing is shown
_UNREAD = frozenset({"data"})  # base64: what is in it is not text


class VeiledPort:
    """A ChatPort (see `core.port.ChatPort`) that lets no secret through."""

    __slots__ = ("_pass", "_port", "_redact")

    def __init__(self, port: ChatPort, redact: Redactor) -> None:
        self._port = port
        self._redact = redact
        # What is clean already goes straight to the platform, however many gates stand in front of it.
        self._pass: Callable[[Conversation, TurnEvent], None]
        self._pass = port._pass if isinstance(port, VeiledPort) else port.event

    def limits(self, conversation: Conversation) -> Limits:
        return self._port.limits(conversation)

    def post(
        self,
        conversation: Conversation,
        text: str,
        *,
        reply_to: MessageRef | None = None,
        nonce: str = "",
        controls: Controls | None = None,
    ) -> Future[MessageRef]:
        return self._port.post(conversation, self._shown(text), reply_to=reply_to, nonce=nonce, controls=controls)

    def edit(self, ref: MessageRef, text: str, *, controls: Controls | None = None) -> Future[None]:
        return self._port.edit(ref, self._shown(text), controls=controls)

    def react(self, ref: MessageRef, emoji: str, on: bool) -> Future[None]:
        return self._port.react(ref, emoji, on)

    def typing(self, conversation: Conversation) -> Future[None]:
        return self._port.typing(conversation)

    def ask(self, question: Question) -> Future[Decision]:
        return self._port.ask(self._question(question))

    def settle(self, question: Question, text: str) -> Future[None]:
        return self._port.settle(self._question(question), self._shown(text))

    def upload(self, conversation: Conversation, file: File, *, nonce: str = "") -> Future[MessageRef]:
        return self._port.upload(conversation, veiled_file(file, self._redact), nonce=nonce)

    def rename(self, conversation: Conversation, title: str) -> Future[None]:
        return self._port.rename(conversation, self._redact(title))

    def ours(self, conversation: Conversation, since: float) -> Future[Sequence[Seen]]:
        return self._port.ours(conversation, since)

    def sign(self, ref: MessageRef, emoji: str) -> Future[None]:
        return self._port.sign(ref, emoji)

    def event(self, conversation: Conversation, event: TurnEvent) -> None:
        if type(event) in SAID:
            self._pass(conversation, event)
            return
        match event:
            case Notice():
                event = Notice(self._redact(event.text))
            case Settled():
                event = Settled(self._question(event.question), self._redact(event.text))
            case TurnEnded():
                event = replace(event, reason=self._redact(event.reason), footer=self._redact(event.footer))
            case _:
                pass
        self._port.event(conversation, event)

    def __repr__(self) -> str:
        return f"<VeiledPort {self._port!r}>"

    def _shown(self, text: str) -> str:
        return unmasked(self._redact(text))

    def _question(self, question: Question) -> Question:
        options = tuple(
            replace(option, name=name) if (name := self._redact(option.name)) != option.name else option
            for option in question.options
        )
        title, detail = self._redact(question.title), self._shown(question.detail)
        form = question.form and self._form(question.form)
        return replace(question, title=title, detail=detail, options=options, form=form)

    def _form(self, form: Form) -> Form:
        """What is to be opened stays as it is: it is shown to one person, and the agent can open it itself."""
        return replace(form, message=self._redact(form.message), fields=tuple(map(self._field, form.fields)))

    def _field(self, field: acp.Field) -> acp.Field:
        """A field as people see it. A default with a secret in it is none; values of choices are only sent back."""
        redact = self._redact
        default = field.default if all(redact(word) == word for word in field.default) else ()
        choices = tuple(
            replace(one, name=redact(one.name), description=redact(one.description)) for one in field.choices
        )
        title, about = redact(field.title), redact(field.description)
        return replace(field, title=title, description=about, default=default, choices=choices)


def veiled_file(file: File, redact: Redactor) -> File:
    """Return a file without secrets in its name, nor in it if it is a text: a picture is what it is."""
    data = file.data
    if kind_of(data) == TEXT and (text := text_of(data)) is not None and (shown := redact(text)) != text:
        data = shown.encode("utf-8", "replace")
    return File(redact(file.name), data, file.mime)


def swept(value: T, redact: Redactor) -> T:
    """Return `value` (plain data, as events are) with `redact` applied to every text in it; the same if clean."""
    return cast(T, _swept(value, redact, _DEEPEST))


def _swept(value: Any, redact: Redactor, levels: int) -> Any:
    """`Any`, because what an agent sends with a tool call may be anything that JSON can hold."""
    if isinstance(value, str):
        return redact(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if levels == 0:
        return REDACTED
    if isinstance(value, list | tuple):
        items = [_swept(item, redact, levels - 1) for item in value]
        return value if all(map(_is, items, value)) else type(value)(items)
    if isinstance(value, dict):
        pairs = {redact(key): _swept(item, redact, levels - 1) for key, item in value.items()}
        return value if all(pairs.get(key) is item for key, item in value.items()) else pairs
    return _replaced(value, redact, levels)


def _replaced(value: Any, redact: Redactor, levels: int) -> Any:
    """A Struct or a dataclass: only the fields that change are new."""
    changed = {}
    for name in _read(type(value)):  # type: ignore[arg-type]  # a class is hashable
        before = getattr(value, name)
        if before is None or before == ():  # most are
            continue
        after = _swept(before, redact, levels - 1)
        if after is not before and after != before:
            changed[name] = after
    if not changed:
        return value
    return structs.replace(value, **changed) if isinstance(value, Struct) else replace(value, **changed)


def words(value: object, found: list[str], levels: int = _DEEPEST) -> bool:
    """Add every text in `value` that `swept` looks at; False if it is nested too deep to be shown."""
    if isinstance(value, str):
        found.append(value)
        return True
    if value is None or isinstance(value, bool | int | float):
        return True
    if levels == 0:
        return False
    if isinstance(value, dict):
        found += value
        return all(words(item, found, levels - 1) for item in value.values())
    items = value if isinstance(value, list | tuple) else [getattr(value, name) for name in _read(type(value))]  # type: ignore[arg-type]  # a class is hashable
    return all(words(item, found, levels - 1) for item in items)


@cache
def _read(kind: type[Any]) -> tuple[str, ...]:
    """The fields of a Struct or a dataclass that people read."""
    names = kind.__struct_fields__ if issubclass(kind, Struct) else [one.name for one in fields(kind)]
    return tuple(name for name in names if name not in _UNREAD)


def _is(one: object, other: object) -> bool:
    return one is other or (isinstance(one, str) and one == other)
