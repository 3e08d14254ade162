"""What waits in front of an agent: order, bounds, and what makes one prompt."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from openab_sync.config.kinds import Processing
from openab_sync.config.schema import PoolConfig
from openab_sync.core.inbox import Inbox, tokens
from openab_sync.core.message import Attachment, Inbound, MessageRef, Person
from openab_sync.errors import InboxFull
from tests.core.makers import ANNA, BEN, HERE, THERE, note


def names(notes: tuple[Inbound, ...]) -> str:
    return " ".join(item.ref.id for item in notes)


def inbox_of(mode: Processing = "per-message", limit: int = 10, max_tokens: int = 24_000) -> Inbox:
    pool = PoolConfig(message_processing_mode=mode, max_buffered_messages=limit, max_batch_tokens=max_tokens)
    return Inbox(lambda: pool)


def filled(mode: Processing, *notes: Inbound, max_tokens: int = 24_000) -> Inbox:
    inbox = inbox_of(mode, 10, max_tokens)
    for position, item in enumerate(notes, 1):
        assert inbox.put(item) == position
    return inbox


def test_one_message_is_one_turn_in_the_order_they_came() -> None:
    inbox = filled("per-message", note("a"), note("b"), note("c"))
    assert [names(inbox.take()) for _ in range(4)] == ["a", "b", "c", ""]


def test_all_that_waits_in_a_thread_makes_one_turn() -> None:
    inbox = filled("per-thread", note("a"), note("b", by=BEN), note("c"))
    assert names(inbox.take()) == "a b c"
    assert len(inbox) == 0


def test_a_lane_is_one_sender_and_the_others_keep_their_places() -> None:
    inbox = filled("per-lane", note("a1"), note("b1", by=BEN), note("a2"), note("b2", by=BEN))
    assert [names(inbox.take()) for _ in range(3)] == ["a1 a2", "b1 b2", ""]


def test_two_people_of_one_name_are_two_lanes() -> None:
    inbox = filled("per-lane", note("a", by=Person("1", "Anna")), note("b", by=Person("10", "Anna")))
    assert names(inbox.take()) == "a"


def test_a_batch_ends_at_the_token_bound() -> None:
    word = "x" * 36  # ten tokens
    inbox = filled("per-thread", *(note(name, word) for name in "abc"), max_tokens=20)
    assert [names(inbox.take()) for _ in range(2)] == ["a b", "c"]


def test_a_first_message_beyond_the_bound_goes_alone() -> None:
    inbox = filled("per-thread", note("a", "x" * 4000), note("b"), max_tokens=20)
    assert [names(inbox.take()) for _ in range(2)] == ["a", "b"]


def test_nothing_overtakes_what_did_not_fit() -> None:
    inbox = filled("per-lane", note("a"), note("b", "x" * 400), note("c"), note("d", by=BEN), max_tokens=20)
    assert [names(inbox.take()) for _ in range(3)] == ["a", "b", "c"]


def test_context_and_inlined_files_are_counted() -> None:
    files = (Attachment("text", "a.txt", text="x" * 40), Attachment("image", "b.png", data="x" * 9999))
    assert tokens(Inbound(MessageRef(HERE, "1"), ANNA, "x" * 40, files, context="x" * 20)) == 26
    waits = (Attachment("text", "a.txt", path="/a.txt", size=40), Attachment("file", "b.pdf", path="/b.pdf", size=999))
    assert tokens(Inbound(MessageRef(HERE, "1"), ANNA, "x" * 40, waits, context="x" * 20)) == 26


def test_a_full_inbox_says_so_and_keeps_what_it_had() -> None:
    inbox = inbox_of("per-thread", 2)
    inbox.put(note("a"))
    inbox.put(note("b"))
    with pytest.raises(InboxFull, match="2 messages"):
        inbox.put(note("c"))
    assert names(inbox.list()) == "a b"


def test_what_was_promised_an_answer_goes_in_front_whatever_the_limit() -> None:
    inbox = inbox_of(limit=1)
    inbox.put(note("c"))
    inbox.restore([note("a"), note("b")])
    assert names(inbox.list()) == "a b c"


def test_what_was_accepted_before_a_restart_comes_behind_what_waits_whatever_the_limit() -> None:
    inbox = inbox_of(limit=1)
    inbox.put(note("a"))
    assert inbox.put(note("b"), is_promised=True) == 2
    assert names(inbox.list()) == "a b"


def test_clearing_takes_the_messages_of_everybody() -> None:
    """FIELD F11: a reset by one person leaves nothing of the others behind."""
    inbox = filled("per-lane", note("a"), note("b", by=BEN), note("c"))
    assert names(inbox.clear()) == "a b c"
    assert inbox.take() == ()


def test_only_the_very_message_is_withdrawn_or_edited() -> None:
    """FIELD F9: 1 is not 10, and an id is its conversation's."""
    inbox = filled("per-message", note("1"), note("10"))
    assert inbox.withdraw(MessageRef(THERE, "1")) is None
    assert not inbox.edit(MessageRef(HERE, "100"), "new")
    assert inbox.edit(MessageRef(HERE, "10"), "new")
    assert inbox.withdraw(MessageRef(HERE, "1")) == note("1")
    assert inbox.withdraw(MessageRef(HERE, "1")) is None
    assert inbox.list() == (note("10", "new"),)


def naive_take(notes: list[Inbound], mode: Processing, bound: int) -> list[Inbound]:
    """What `take` does, said slowly."""
    if not notes:
        return []
    same = {"per-message": notes[:1], "per-thread": notes}
    lane = same.get(mode, [item for item in notes if item.sender == notes[0].sender])
    batch = lane[:1]
    for item in lane[1:]:
        if sum(map(tokens, [*batch, item])) > bound:
            break
        batch.append(item)
    return batch


class InboxAgainstAList(RuleBasedStateMachine):
    """An inbox does what a list would do."""

    @initialize(
        mode=st.sampled_from(["per-message", "per-thread", "per-lane"]),
        limit=st.integers(1, 6),
        bound=st.integers(1, 30),
    )
    def begin(self, mode: Processing, limit: int, bound: int) -> None:
        self.mode, self.limit, self.bound = mode, limit, bound
        self.inbox = inbox_of(mode, limit, bound)
        self.model: list[Inbound] = []
        self.count = 0

    def fresh(self, size: int, by: Person) -> Inbound:
        self.count += 1
        return note(str(self.count), "x" * size, by)

    @rule(size=st.integers(1, 60), by=st.sampled_from([ANNA, BEN]))
    def put(self, size: int, by: Person) -> None:
        item = self.fresh(size, by)
        if len(self.model) < self.limit:
            self.model.append(item)
            assert self.inbox.put(item) == len(self.model)
        else:
            with pytest.raises(InboxFull):
                self.inbox.put(item)

    @rule(sizes=st.lists(st.integers(1, 60), max_size=3), by=st.sampled_from([ANNA, BEN]))
    def restore(self, sizes: list[int], by: Person) -> None:
        items = [self.fresh(size, by) for size in sizes]
        self.inbox.restore(items)
        self.model = items + self.model

    @rule()
    def take(self) -> None:
        batch = naive_take(self.model, self.mode, self.bound)
        assert list(self.inbox.take()) == batch
        self.model = [item for item in self.model if item not in batch]

    @rule(number=st.integers(1, 40))
    def withdraw(self, number: int) -> None:
        wanted = next((item for item in self.model if item.ref.id == str(number)), None)
        assert self.inbox.withdraw(MessageRef(HERE, str(number))) == wanted
        self.model = [item for item in self.model if item is not wanted]

    @rule(number=st.integers(1, 40))
    def edit(self, number: int) -> None:
        here = [item for item in self.model if item.ref.id == str(number)]
        assert self.inbox.edit(MessageRef(HERE, str(number)), "edited") == bool(here)
        self.model = [note(item.ref.id, "edited", item.sender) if item in here else item for item in self.model]

    @invariant()
    def same_in_the_same_order(self) -> None:
        assert list(self.inbox.list()) == self.model
        assert len(self.inbox) == len(self.model)


TestInboxAgainstAList = InboxAgainstAList.TestCase
