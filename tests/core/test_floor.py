"""floor.py: what was lost is owned up to, in order and with an end."""

from __future__ import annotations

from itertools import pairwise

import pytest

from openab_sync.core.delivery import Address, Delivery
from openab_sync.core.floor import Floor
from openab_sync.errors import ChatRefused
from tests.core.posting import Post
from tests.core.scene import CONVERSATION, note


@pytest.fixture
def post() -> Post:
    return Post()


def another(post: Post, floor: Floor, number: int) -> None:
    """The next reply of the same conversation, from its first word to its end."""
    address = Address(CONVERSATION, note(f"m{number}").ref, f"turn-{number}")
    post.delivery = Delivery(address, post.platform, post.clock, post.ring, floor)
    post.want([], [f"answer {number}"], final=True)


def lost(post: Post, tries: int) -> Floor:
    """A reply is lost, and so often the sentence that says so."""
    floor = Floor()
    for _ in range(1 + tries):
        post.platform.fail_next(ChatRefused("no"))
    another(post, floor, 1)
    return floor


SORRY = "⚠ My answer could not be delivered (no): please ask for it again."


def test_people_are_told_of_a_lost_reply_at_once_where_the_chat_takes_it(post: Post) -> None:
    floor = lost(post, tries=0)
    [message] = post.platform.messages(CONVERSATION)
    assert (message.text, message.reply_to) == (SORRY, note("m1").ref)
    another(post, floor, 2)
    assert post.texts == [SORRY, "answer 2"]


def test_people_are_told_in_front_of_the_next_reply_when_posting_works_again(post: Post) -> None:
    floor = lost(post, tries=1)
    assert post.texts == []
    another(post, floor, 2)
    another(post, floor, 3)
    assert post.texts == [SORRY, "answer 2", "answer 3"]
    assert len({op.nonce for op in post.platform.done("post") if op.text == SORRY}) == 1


def test_telling_of_a_lost_reply_is_given_up_after_a_few_replies(post: Post) -> None:
    floor = lost(post, tries=1)
    for number in (2, 3):
        post.platform.fail_next(ChatRefused("no"))
        another(post, floor, number)
    another(post, floor, 4)
    told = [op.text for op in post.platform.done("post") if op.text == SORRY]
    assert len(told) == 3
    assert post.texts == ["answer 2", "answer 3", "answer 4"]


def test_a_reply_owns_up_once_whatever_comes_late(post: Post) -> None:
    lost(post, tries=0)
    post.platform.fail_next(ChatRefused("no, too"))
    post.want([], ["answer 1", "late"], final=True)
    assert post.texts == [SORRY]


def test_a_chat_that_refuses_everything_is_not_asked_ever_more(post: Post) -> None:
    for _ in range(200):
        post.platform.fail_next(ChatRefused("no"))
    floor, asked = Floor(), []
    for number in range(9):
        another(post, floor, number)
        asked.append(len(post.ops()))
    assert len(floor.debts) <= 3
    assert max(after - before for before, after in pairwise(asked)) <= 5
