"""The line in front of the pool: fair, and nobody stands in it for nothing."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace

import pytest

from openab_sync.config.schema import PoolConfig
from openab_sync.core.house import SetOption
from openab_sync.core.line import Line
from openab_sync.core.message import Inbound, MessageRef
from openab_sync.errors import PoolFull
from tests.core.bed import ANN, place


def note(conversation: str, id: str) -> Inbound:
    return Inbound(MessageRef(place(conversation), id), ANN, f"text of {id}")


def line(*notes: Inbound) -> Line:
    made = Line()
    for item in notes:
        made.join(item.conversation).notes.append(item)
    return made


def texts(of: Line, conversation: str) -> list[str]:
    return [item.ref.id for item in of.notes(place(conversation).key)]


def test_first_come_first_and_a_place_is_kept_for_what_follows() -> None:
    made = line(note("A", "1"), note("B", "2"), note("A", "3"))
    assert list(made) == [place("A").key, place("B").key]
    assert texts(made, "A") == ["1", "3"]
    assert (len(made), place("A").key in made, place("C").key in made) == (2, True, False)


def test_what_was_promised_an_answer_comes_before_all_others() -> None:
    made = line(note("A", "1"), note("B", "2"))
    made.come_first(place("B"), [note("B", "0")])
    assert list(made) == [place("B").key, place("A").key]
    assert texts(made, "B") == ["0", "2"]


def test_a_message_is_changed_and_withdrawn_by_its_id() -> None:
    made = line(note("A", "1"), note("A", "2"))
    assert made.edit(MessageRef(place("A"), "2"), "new")
    assert not made.edit(MessageRef(place("A"), "9"), "new")
    assert made.notes(place("A").key)[1].text == "new"
    assert made.withdraw(MessageRef(place("A"), "1")) == note("A", "1")
    assert made.withdraw(MessageRef(place("A"), "1")) is None
    assert texts(made, "A") == ["2"]


def test_an_empty_place_is_given_up_unless_an_order_waits_in_it() -> None:
    made = line(note("A", "1"), note("B", "2"))
    made.join(place("B")).orders.append(SetOption("model", "large", Future()))
    assert len(made.drop(place("A").key)) == len(made.drop(place("B").key)) == 1
    assert list(made) == [place("B").key]
    assert made.drop(place("C").key) == ()


def test_only_the_first_messages_are_dropped_if_so_many_are_meant() -> None:
    made = line(note("A", "1"), note("A", "2"))
    assert [item.ref.id for item in made.drop(place("A").key, 1)] == ["1"]
    assert texts(made, "A") == ["2"]


def test_a_place_is_left_with_all_that_is_in_it() -> None:
    made = line(note("A", "1"))
    left = made.leave(place("A").key)
    assert (left.conversation, [item.ref.id for item in left.notes], len(made)) == (place("A"), ["1"], 0)
    made = line(note("A", "1"), note("B", "2"))
    assert [item.conversation for item in made.clear()] == [place("A"), place("B")]
    assert not made


def test_while_a_conversation_is_held_its_messages_stand_by_their_numbers_and_nothing_begins() -> None:
    """What was accepted before a restart may be delivered after what is said at once."""
    made, key = Line(), place("A").key
    made.held.add(key)
    for number in (7, 0, 3, 9, 4):
        made.put(replace(note("A", str(number)), delivery=number))
    made.put(note("B", "1"))
    assert texts(made, "A") == ["3", "4", "7", "9", "0"]
    assert made.ready(()) == [place("B").key]
    assert made.placement(key, ()).state == "queued", "nobody is told that all agents are busy"
    made.held.discard(key)
    made.put(replace(note("A", "2"), delivery=2))
    assert texts(made, "A")[-1] == "2"
    assert made.ready(()) == [key, place("B").key]


def test_a_newcomer_for_whom_there_is_no_place_is_taken_out_again() -> None:
    made, pool = line(note("A", "1"), note("B", "2")), PoolConfig(max_waiting=1)
    assert made.placed(place("B").key, (), pool, is_new=False).position == 2
    with pytest.raises(PoolFull):
        made.placed(place("B").key, (), pool, is_new=True)
    assert list(made) == [place("A").key]
