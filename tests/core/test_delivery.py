"""delivery.py: pages and files on their way, whatever the chat does to them."""

from __future__ import annotations

from concurrent.futures import Future

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.core.delivery import LEFT_OVER, Address, Delivery, nonce, outcome_of
from openab_sync.core.floor import Floor
from openab_sync.core.message import MessageRef
from openab_sync.core.page import Page
from openab_sync.core.port import Controls, File
from openab_sync.errors import ChatError, ChatRefused, ChatTimeout
from tests.core.posting import ADDRESS, Post
from tests.core.scene import CONVERSATION, note


@pytest.fixture
def post() -> Post:
    return Post()


def test_pages_are_posted_in_order_and_the_first_is_an_answer(post: Post) -> None:
    post.want(["one", "two"], ["three"])
    assert post.texts == ["one", "two", "three"]
    assert [message.reply_to for message in post.platform.messages(CONVERSATION)] == [note().ref, None, None]
    assert post.delivery.is_settled
    assert post.delivery.failure is None
    assert post.bells == 3


def test_to_find_who_loses_its_buttons_not_every_page_is_looked_at(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page that goes out looked at all that had not: of a thousand pages that was a third of all the work."""
    looked: list[int] = []

    def looks(page: Page) -> bool:
        looked.append(page.index)
        return False

    monkeypatch.setattr(Page, "loses_controls", property(looks))
    post.want([f"page {number}" for number in range(50)], [], final=True, controls=Controls(stop=True))
    assert len(post.texts) == 50 and set(looked) == {49}


def test_buttons_leave_a_page_that_is_not_the_last_any_more_before_anything_else(post: Post) -> None:
    stop = Controls(stop=True)
    post.want([], ["one"], controls=stop)
    post.want(["one"], ["two"], controls=stop)
    post.want(["one", "two"], ["three"], controls=stop)
    looks = [(op.what, op.text) for op in post.platform.done("post", "edit")]
    assert looks == [("post", "one"), ("edit", "one"), ("post", "two"), ("edit", "two"), ("post", "three")]
    assert len(post.delivery._holders) <= 2


def test_a_page_is_written_down_as_it_will_stand_there(post: Post) -> None:
    """After a restart what stands in the chat is compared with what was written down: no mask is in either."""
    post.want(["see [https://good.example](https://evil.example)"], [])
    assert [row.text for row in post.delivery.rows()] == ["see https://good.example (https://evil.example)"]
    assert post.texts == ["see https://good.example (https://evil.example)"]


def test_a_page_that_says_it_already_is_left_alone(post: Post) -> None:
    post.want([], ["one"])
    post.want(["one"], ["two"])
    post.want(["one", "two"], [], final=True)
    assert post.ops() == [("post", "one"), ("post", "two")]


def test_the_newest_text_wins_while_something_is_in_flight(post: Post) -> None:
    post.platform.hold()
    for text in ("a", "ab", "abc"):
        post.want([], [text])
    seen = [(post.delivery.is_busy, post.delivery.has_news)]
    post.platform.release()
    seen.append((post.delivery.is_busy, post.delivery.has_news))
    assert seen == [(True, False), (True, True)]
    post.run()
    post.platform.release_all()
    post.run()
    assert post.ops() == [("post", "a"), ("edit", "abc")]


def test_a_live_edit_that_fails_is_forgotten_and_newer_text_tries_again(post: Post) -> None:
    post.want([], ["a"])
    post.platform.fail_next(ChatTimeout("slow"))
    post.want([], ["ab"])
    assert post.delivery.forgot
    assert not post.delivery.is_settled
    assert not post.delivery.has_work
    post.want([], ["abc"])
    assert post.texts == ["abc"]


def test_a_message_that_refuses_edits_is_left_alone_until_it_is_whole(post: Post) -> None:
    """FIELD E11: an edit cap ends the live edits, and the whole text is posted anew."""
    post.want([], ["a"])
    post.platform.refuse_edits = True
    for text in ("ab", "abc", "abcd", "abcde", "abcdef"):
        post.want([], [text])
    assert len(post.platform.done("edit")) == 3
    post.want(["abcdefg"], [])
    assert post.texts == ["a", "abcdefg"]
    assert len({message.nonce for message in post.platform.messages(CONVERSATION)}) == 2
    assert post.delivery.failure is None


def test_a_final_edit_that_times_out_is_repeated_and_then_posted_anew(post: Post) -> None:
    post.want([], ["a"])
    post.platform.fail_next(ChatTimeout("slow"))
    post.want([], ["ab"], final=True)
    assert post.texts == ["ab"]
    for _ in range(2):
        post.platform.fail_next(ChatTimeout("slow"))
    post.want([], ["abc"], final=True)
    assert post.texts == [LEFT_OVER, "abc"]
    assert post.delivery.is_settled


def test_a_final_edit_that_was_done_unnoticed_does_not_double_the_page(post: Post) -> None:
    post.want([], ["a"])
    for _ in range(2):
        post.platform.fail_next(ChatTimeout("slow"), half_done=True)
    post.want([], ["ab"], final=True)
    assert post.texts == [LEFT_OVER, "ab"]
    assert post.delivery.failure is None


def test_a_live_edit_that_fails_after_the_page_became_final_is_made_good(post: Post) -> None:
    """FIELD E22: the final text waits for the edit in flight, and comes after it."""
    post.want([], ["a"])
    post.platform.hold()
    post.platform.fail_next(ChatRefused("no"))
    post.want([], ["ab"])
    post.want(["abc"], [])
    assert len(post.platform.held) == 1
    post.platform.release_all()
    post.run()
    assert post.texts == ["abc"]


def test_a_post_that_times_out_is_repeated_under_the_same_nonce(post: Post) -> None:
    post.platform.fail_next(ChatTimeout("slow"), half_done=True)
    post.want([], ["a"])
    assert post.texts == ["a"]
    first, second = post.platform.done("post")
    assert (first.nonce, first.text) == (second.nonce, second.text)


def test_a_post_of_unknown_fate_is_repeated_as_it_was_and_edited_then(post: Post) -> None:
    """The chat may answer a known nonce with the message it has: its text must not be taken for the new one's."""
    post.platform.hold()
    post.platform.fail_next(ChatTimeout("slow"), half_done=True)
    post.want([], ["a"])
    post.want([], ["ab"], final=True)
    post.platform.release_all()
    post.run()
    assert post.texts == ["ab"]
    assert post.ops() == [("post", "a"), ("post", "a"), ("edit", "ab")]


@pytest.mark.parametrize("error", [ChatRefused("no"), ChatError("odd")])
def test_a_post_that_is_refused_is_a_failure_and_the_rest_is_delivered(post: Post, error: ChatError) -> None:
    """FIELD E12, E15."""
    post.platform.fail_next(error)
    post.want(["one", "two"], [], final=True)
    assert post.texts == ["two", f"⚠ Part of my answer could not be delivered ({error}): please ask for it again."]
    assert post.delivery.failure is error
    assert post.delivery.is_settled


def test_a_post_that_times_out_twice_is_a_failure(post: Post) -> None:
    for _ in range(2):
        post.platform.fail_next(ChatTimeout("slow"))
    post.want(["one"], [], final=True)
    assert isinstance(post.delivery.failure, ChatTimeout)
    assert [text.partition(" (")[0] for text in post.texts] == ["⚠ My answer could not be delivered"]


def test_a_page_that_failed_while_it_grew_gets_its_chance_when_it_is_whole(post: Post) -> None:
    post.platform.fail_next(ChatRefused("no"))
    post.want([], ["a"])
    post.want([], ["ab"])
    assert post.texts == []
    assert len(post.platform.done("post")) == 1
    post.want([], ["abc"], final=True)
    assert post.texts == ["abc"]
    assert post.delivery.failure is None


def test_a_live_post_that_is_refused_after_the_page_became_final_gets_its_chance(post: Post) -> None:
    post.platform.hold()
    post.platform.fail_next(ChatRefused("no"))
    post.want([], ["a"])
    post.want([], ["ab"], final=True)
    post.platform.release_all()
    post.run()
    assert post.texts == ["ab"]
    assert post.delivery.failure is None


def test_a_page_for_which_nothing_is_left_says_so(post: Post) -> None:
    post.want([], ["one", "two"], final=True)
    post.want([], ["one"], final=True)
    assert post.texts == ["one", LEFT_OVER]
    post.want([], ["one", "two again"], final=True)
    assert post.texts == ["one", "two again"]


def test_a_page_that_nobody_saw_just_goes(post: Post) -> None:
    post.platform.hold()
    post.want([], ["one", "two"])
    post.want([], ["one"], final=True)
    post.platform.release_all()
    post.run()
    assert post.texts == ["one"]


def test_a_page_that_is_posted_anew_does_not_come_below_those_behind_it(post: Post) -> None:
    """What is read from top to bottom is the answer, and nothing of it is read twice."""
    post.want([], ["one", "two", "three"])
    post.platform.fail_next(ChatRefused("gone"))
    post.want(["one!"], ["two!", "three!"], final=True)
    assert post.texts == ["one", LEFT_OVER, LEFT_OVER, "one!", "two!", "three!"]
    assert post.delivery.is_settled
    assert post.delivery.failure is None


def test_a_page_that_got_its_chance_late_is_followed_by_the_others(post: Post) -> None:
    post.platform.fail_next(ChatRefused("no"))
    post.want([], ["one", "two"])
    assert post.texts == ["two"]
    post.want(["one!"], ["two!"], final=True)
    assert post.texts == [LEFT_OVER, "one!", "two!"]


def test_a_page_that_goes_on_growing_follows_as_well(post: Post) -> None:
    post.want([], ["one", "tw"])
    post.platform.fail_next(ChatRefused("gone"))
    post.want(["one!"], ["two"])
    post.want(["one!"], ["two, three"])
    assert post.texts == ["one", LEFT_OVER, "one!", "two, three"]


def test_what_cannot_be_emptied_stays_and_is_no_failure(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    post.want([], ["one", "two"])
    post.platform.refuse_edits = True
    post.want(["one!"], ["two"], final=True)
    assert post.texts == ["one", "two", "one!", "two"]
    assert post.delivery.failure is None
    assert "a message is left as it was" in caplog.text


def test_files_follow_their_page(post: Post) -> None:
    post.delivery.upload(0, File("a.png", b"1"))
    post.delivery.upload(1, File("b.png", b"2"))
    post.want(["one"], ["two", "three"], final=True)
    assert post.ops() == [
        ("post", "one"), ("upload", "a.png"), ("post", "two"), ("upload", "b.png"), ("post", "three")
    ]  # fmt: skip
    assert [file.data for file in post.platform.files(CONVERSATION)] == [b"1", b"2"]
    assert post.delivery.is_visible


def test_a_file_whose_fate_is_not_known_is_sent_again_under_the_same_nonce(post: Post) -> None:
    post.platform.fail_next(ChatTimeout("slow"), what="upload", half_done=True)
    post.delivery.upload(0, File("a", b"1"))
    post.want(["one"], [], final=True)
    first, second = post.platform.done("upload")
    assert first.nonce == second.nonce != ""
    assert len(post.platform.files(CONVERSATION)) == 1
    assert post.delivery.failure is None


def test_a_file_that_fails_is_a_failure(post: Post) -> None:
    post.platform.fail_next(ChatRefused("slow"))
    post.platform.fail_next(ChatRefused("slow, too"))
    post.delivery.upload(0, File("a", b"1"))
    post.delivery.upload(0, File("b", b"2"))
    post.want([], [], final=True)
    assert str(post.delivery.failure) == "slow"
    assert len(post.platform.done("upload")) == 2
    assert not post.delivery.is_visible
    assert post.texts == ["⚠ A file of my answer could not be delivered (slow): please ask for it again."]


def test_a_delivery_shows_what_it_does(post: Post) -> None:
    post.platform.hold()
    post.want([], ["a"])
    assert repr(post.delivery) == "<Delivery pages=1 first=0 in flight: post>"
    post.platform.release_all()
    post.run()
    assert repr(post.delivery) == "<Delivery pages=1 first=0 in flight: nothing>"


@given(st.text(max_size=50), st.integers(0, 10**9), st.integers(0, 9))
def test_a_nonce_fits_and_tells_pages_apart(turn: str, page: int, copy: int) -> None:
    address = Address(CONVERSATION, None, turn)
    one = nonce(address, page, copy)
    assert len(one) <= 25
    assert one == nonce(address, page, copy)
    assert len({one, nonce(address, page + 1, copy), nonce(address, page, copy + 1)}) == 3


def test_whatever_becomes_of_a_future_is_a_result_or_a_chat_error(caplog: pytest.LogCaptureFixture) -> None:
    fine: Future[int] = Future()
    fine.set_result(1)
    assert outcome_of(fine) == (1, None)
    dropped: Future[int] = Future()
    dropped.cancel()
    assert isinstance(outcome_of(dropped)[1], ChatTimeout)
    broken: Future[MessageRef] = Future()
    broken.set_exception(KeyError("x"))
    result, error = outcome_of(broken)
    assert result is None
    assert type(error) is ChatError
    assert "KeyError" in caplog.text


def test_two_replies_of_one_conversation_never_speak_at_the_same_time(post: Post) -> None:
    """Late text of the turn before may be edited in while the running turn posts: one after the other."""
    floor = Floor()
    first = Delivery(ADDRESS, post.platform, post.clock, post.ring, floor)
    second = Delivery(Address(CONVERSATION, note("m2").ref, "turn-2"), post.platform, post.clock, post.ring, floor)
    post.platform.hold()
    first.want([], ["late"], is_final=True)
    second.want([], ["new"], is_final=True)
    first.start()
    second.start()
    assert [op.text for op in post.platform.held] == ["late"]
    would_spin = second.has_work
    post.platform.release()
    first.land()
    assert (would_spin, second.has_work) == (False, True)
    second.start()
    post.platform.release_all()
    second.land()
    assert post.texts == ["late", "new"]
    assert post.platform.violations == []
