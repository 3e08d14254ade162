"""What must hold whatever fails, at whatever seam and moment: an account of what happened, a function that judges it.

Threads, child processes and descriptors of the tests' own process are looked at after every test (`conftest.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import psutil

from openab_sync.core.pool import SessionPool

__all__ = ["Account", "books", "check"]


@dataclass(frozen=True, kw_only=True)
class Account:
    """What people have asked and seen, and what the house has left. Of each message one word is what it is known by."""

    asked: Mapping[str, Sequence[str]]
    """Each message's word, and the sentences that its writer was told of it beside an answer or instead of one."""
    said: Sequence[str]
    """All that the agents have said, as it stands in the chat; an answer has its message's mark."""
    marks: Mapping[str, str] = field(default_factory=dict)
    """Where an answer is not known by `[word]`."""
    unhurt: Collection[str] = ()
    """Messages that must have been answered whatever became of the others: in other conversations, and later."""
    cut: Collection[str] = ()
    """Messages of which a part may stand there though their writers were told that it is not all."""
    unsure: Collection[str] = ()
    """Messages whose writers are told again after a restart: the disk did not take that they had been."""
    unfinished: Collection[object] = ()
    """Rows of the journal and entries of the books that are not over."""
    pids: Iterable[int] = ()
    """The agents that there have been."""


def books(pool: SessionPool) -> list[str]:
    """What the pool's books still hold after the end."""
    return [repr(pool)] if "sessions=0 ending=0 line=0" not in repr(pool) else []


def check(account: Account) -> None:
    """Nothing that was asked is lost, nothing doubled, nobody else hurt, and nothing is left."""
    for word, told in account.asked.items():
        count = sum(text.count(account.marks.get(word, f"[{word}]")) for text in account.said)
        about = (word, account.said, told)
        assert count <= 1, ("answered twice", *about)
        assert count or told, ("lost", *about)
        assert not (count and told) or word in account.cut, ("answered, and told that it was not", *about)
        for sentence in told:
            assert sentence.strip() and "\n" not in sentence.strip(), ("not one sentence", *about)
        assert len(told) <= (2 if word in account.unsure else 1), ("told twice", *about)
    hurt = [word for word in account.unhurt if account.asked[word] or not _stands(account, word)]
    assert not hurt, ("not answered, though it had nothing to do with it", hurt, account.said, account.asked)
    assert not list(account.unfinished), ("not over", account.unfinished)
    assert not [pid for pid in account.pids if _lives(pid)], "an agent is left"


def _stands(account: Account, word: str) -> bool:
    return any(account.marks.get(word, f"[{word}]") in text for text in account.said)


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
