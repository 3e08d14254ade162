"""page.py: what a message looks like and should, its buttons above all."""

from __future__ import annotations

import pytest

from openab_sync.core.delivery import LEFT_OVER
from openab_sync.core.page import Look, Page
from openab_sync.core.port import Controls, Limits
from openab_sync.errors import ChatRefused, ChatTimeout
from tests.core.posting import Post
from tests.core.scene import CONVERSATION, note

ABOUT = (note().ref,)
STOP, RETRY = Controls(stop=True, turn="t", about=ABOUT), Controls(retry=True, turn="t", about=ABOUT)
NONE = Controls()


@pytest.fixture
def post() -> Post:
    return Post(Limits(controls=True))


def controls(post: Post) -> list[Controls]:
    return [message.controls for message in post.platform.messages(CONVERSATION)]


def test_a_page_is_behind_until_it_looks_as_it_should() -> None:
    bare, stop = Look("a", NONE), Look("a", STOP)
    pages = [Page(0), Page(0, wanted=bare), Page(0, wanted=bare, shown=stop), Page(0, wanted=bare, shown=bare)]
    assert [page.is_behind for page in pages] == [False, True, True, False]
    assert [page.loses_controls for page in pages] == [False, False, True, False]
    assert not Look("a", None).has_controls


def test_the_last_page_carries_the_buttons_and_each_other_loses_its_own_first(post: Post) -> None:
    post.want([], ["one"], controls=STOP)
    post.want(["one"], ["two"], controls=STOP)
    assert controls(post) == [NONE, STOP]
    assert post.ops() == [("post", "one"), ("edit", "one"), ("post", "two")]
    post.want(["one", "two"], ["three"], controls=STOP)
    assert controls(post) == [NONE, NONE, STOP]
    assert post.platform.violations == []


def test_buttons_go_with_the_final_edit_though_the_text_is_the_same(post: Post) -> None:
    post.want([], ["one"], controls=STOP)
    post.want([], ["one"], final=True, controls=NONE)
    assert controls(post) == [NONE]
    assert len(post.platform.done("edit")) == 1
    post.want([], ["one"], final=True, controls=NONE)
    assert len(post.platform.done("edit")) == 1


def test_an_edit_of_the_text_leaves_the_buttons_alone(post: Post) -> None:
    post.want([], ["one"], controls=STOP)
    post.want([], ["one, two"], controls=STOP)
    assert [op.controls for op in post.platform.done("post", "edit")] == [STOP, None]
    assert controls(post) == [STOP]


def test_a_page_that_was_finished_long_ago_loses_its_button_too(post: Post) -> None:
    post.want(["one"], [], final=True, controls=RETRY)
    post.want(["one", "two"], [], final=True, controls=RETRY)
    assert controls(post) == [NONE, RETRY]
    post.want(["one", "two"], [], final=True, controls=NONE)
    assert controls(post) == [NONE, NONE]
    assert post.delivery.is_settled


def test_where_pages_become_fewer_the_one_that_goes_loses_its_buttons_first(post: Post) -> None:
    post.want([], ["one", "two"], controls=STOP)
    post.want([], ["one"], controls=STOP)
    assert controls(post) == [STOP, NONE]
    assert post.platform.violations == []


def test_where_there_are_no_buttons_nothing_is_said_of_them() -> None:
    post = Post()
    post.want([], ["one"])
    post.want(["one!"], ["two"], final=True)
    assert [op.controls for op in post.platform.done("post", "edit")] == [None, None, None]


def test_buttons_that_stay_because_the_chat_refuses_are_no_reason_to_say_it_twice(post: Post) -> None:
    post.want([], ["one"], controls=STOP)
    post.platform.fail_next(ChatRefused("no"))
    post.want(["one"], [], final=True, controls=NONE)
    assert post.texts == ["one"]
    assert post.delivery.is_settled
    assert post.delivery.failure is None


def test_buttons_are_taken_away_again_if_nobody_knows_whether_they_are(post: Post) -> None:
    post.want([], ["one"], controls=STOP)
    post.platform.fail_next(ChatTimeout("slow"))
    post.want(["one"], [], final=True, controls=NONE)
    assert controls(post) == [NONE]
    for _ in range(2):
        post.platform.fail_next(ChatTimeout("slow"))
    post.want(["one"], [], final=True, controls=RETRY)
    assert post.delivery.is_settled
    assert controls(post) == [NONE]


def test_a_message_that_was_left_behind_has_no_buttons(post: Post) -> None:
    post.want([], ["one", "two"], controls=STOP)
    post.platform.fail_next(ChatRefused("gone"))
    post.want(["one!"], ["two"], controls=STOP)
    assert post.texts == ["one", LEFT_OVER, "one!", "two"]
    assert controls(post) == [NONE, NONE, NONE, STOP]
    assert post.platform.violations == []
    assert post.delivery.failure is None


def test_a_reply_without_a_page_has_no_buttons(post: Post) -> None:
    post.want([], [], final=True, controls=RETRY)
    assert post.ops() == []
    assert post.delivery.is_settled
