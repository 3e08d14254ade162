"""Company: who else speaks in a conversation, whether we take part, and how many messages of bots came in a row.

All of it stands in the books of the store, under one key a conversation, so that it survives a restart (FIELD D11, G5).
Every message of a bot counts, our own included, before anything is decided about it (G1, G2); only a person's words
begin the count anew (G3). Past a limit bots are not answered any more, and it is said once (G6).

**Threads**: the loop's only. Never blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from ...core.message import Conversation

if TYPE_CHECKING:
    from ...store import Known
    from ...store.conversations import Conversations

__all__ = ["HARD_LIMIT", "Company", "belongs", "conversation_at", "limit_reached", "takes_part", "warning_of"]

Limit = Literal["", "soft", "hard"]

HARD_LIMIT = 1000
"""Messages of bots in a row after which none is answered, whatever was configured (upstream's number, FIELD G10)."""

MOST_BOTS = 20  # that are remembered in a conversation
MOST_PEOPLE = 100
MOST_WARNED = 1000  # conversations of which we know that a warning was said

SOFT_WARNING = "⚠️ Bot turn limit reached"
HARD_WARNING = "🛑 Hard bot turn limit reached"


def conversation_at(channel_id: int | str) -> Conversation:
    """Return the conversation of a channel, thread or direct message: the one key for all that is known of it."""
    return Conversation("discord", str(channel_id))


def takes_part(known: Known) -> bool:
    """Whether we were asked there or have spoken there."""
    return known.took_part


def belongs(known: Known, person: str) -> bool:
    """Whether somebody is one of a conversation's people: has been let in there with a message, or nobody has yet."""
    return not known.people or person in known.people


def limit_reached(known: Known, max_turns: int) -> Limit:
    """Return the limit that the messages of bots there have reached, "" for none."""
    if known.bot_turns_total >= HARD_LIMIT:
        return "hard"
    return "soft" if known.bot_turns >= max_turns else ""


def warning_of(limit: Limit, max_turns: int) -> str:
    """Return the sentence that is said when a limit is reached. Other bots of our kind know it by its beginning."""
    if limit == "hard":
        return f"{HARD_WARNING} ({HARD_LIMIT}): a person has to write here before bots are answered again."
    return f"{SOFT_WARNING} ({max_turns}): a person has to write here before bots are answered again."


class Company:
    """What we know of those who speak in our conversations."""

    def __init__(self, books: Conversations, max_turns: Callable[[], int]) -> None:
        """`max_turns` is asked each time: the number may be another one by then."""
        self._books = books
        self._max_turns = max_turns
        self._warned: dict[tuple[str, Limit], None] = {}  # oldest first

    def hear_bot(self, key: str, bot: str, text: str = "", *, is_us: bool = False) -> None:
        """A bot wrote. If it is one of our kind that gives the warning, we need not."""
        known = self._books.get(key)
        bots = known.bots if is_us else _with(known.bots, bot, MOST_BOTS)
        turns, total = known.bot_turns + 1, known.bot_turns_total + 1
        self._books.put(replace(known, bots=bots, bot_turns=turns, bot_turns_total=total))
        if text.startswith(SOFT_WARNING):
            self._note(key, "soft")
        elif text.startswith(HARD_WARNING):
            self._note(key, "hard")

    def hear_person(self, key: str) -> None:
        """A person wrote words of their own: bots may be answered again."""
        known = self._books.get(key)
        if known.bot_turns or known.bot_turns_total:
            self._books.put(replace(known, bot_turns=0, bot_turns_total=0))
        for limit in ("soft", "hard"):
            self._warned.pop((key, limit), None)

    def limit(self, key: str) -> Limit:
        """Return the limit that is reached there, "" for none."""
        return limit_reached(self._books.get(key), self._max_turns())

    def warning(self, key: str) -> str:
        """Return what has to be said there now; "" if nothing is, or it was said."""
        limit = self.limit(key)
        if not limit or (key, limit) in self._warned:
            return ""
        self._note(key, limit)
        return warning_of(limit, self._max_turns())

    def take_part(self, key: str, person: str = "", *, parent: str = "", seen: str = "") -> None:
        """We were asked there, or have spoken there; `person` wrote, `seen` is the newest message's id."""
        known = self._books.get(key)
        people = _with(known.people, person, MOST_PEOPLE) if person else known.people
        newest = max(known.last_seen, seen, key=_age)
        parent = parent or known.parent
        self._books.put(replace(known, took_part=True, people=people, parent=parent, last_seen=newest))

    def _note(self, key: str, limit: Limit) -> None:
        self._warned[key, limit] = None
        while len(self._warned) > MOST_WARNED:
            del self._warned[next(iter(self._warned))]


def _with(names: tuple[str, ...], name: str, most: int) -> tuple[str, ...]:
    """Add `name` as the newest, and let go of the oldest. Known ones keep their place: that costs no write."""
    return names if name in names else (*names, name)[-most:]


def _age(message_id: str) -> int:
    return int(message_id or 0)
