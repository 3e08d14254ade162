"""What was said on the page before a restart, as far as it is kept: a reply of the journal as what happened. Pure.

Of a reply that was cut off only the messages: how it went is told when it has been brought to its end (`core.mending`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast, get_args

from ...core.events import Said
from ...core.message import Conversation, Inbound, MessageRef, Person
from ...core.port import Outcome, TurnEnded, TurnStarted
from ...store import ReplyRow
from .port import Recalled

__all__ = ["recalled"]


def recalled(row: ReplyRow, me: Person, redact: Callable[[str], str] = str) -> Iterator[Recalled]:
    """Yield a turn: its messages, and if it is over its text and its end. Tools, plans and files are not kept."""
    platform, _, place = row.conversation.partition(":")
    conversation = Conversation(platform, place)
    refs = tuple(MessageRef(conversation, one.fact.message) for one in row.deliveries)
    for ref, one in zip(refs, row.deliveries, strict=True):
        author = one.fact.author
        person = me if author == me.id else Person(author, author)
        yield Recalled(conversation, Inbound(ref, person, one.fact.text), one.accepted)
    if row.state in {"running", "finished"}:
        return
    yield Recalled(conversation, TurnStarted(refs), row.began)
    if row.draft:
        yield Recalled(conversation, Said(redact(row.draft)), row.ended)
    outcome = cast(Outcome, row.outcome if row.outcome in get_args(Outcome) else "failed")
    seconds = max(0.0, row.ended - row.began)
    yield Recalled(conversation, TurnEnded(refs, outcome, redact(row.reason), seconds=seconds), row.ended)
