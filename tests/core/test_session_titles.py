"""The title that an agent gives a conversation, on its way to the platform."""

from __future__ import annotations

from openab_sync.errors import ChatRefused
from tests.core.bed import Bed
from tests.waiting import until


def renames(bed: Bed) -> list[str]:
    return [op.text for op in bed.port.done("rename")]


def test_a_title_is_given_once_and_a_new_one_again() -> None:
    with Bed() as bed:
        for text in ("session_info One", "session_info One", "say hello", "session_info Two"):
            bed.ask(text)
        until(lambda: len(renames(bed)) == 2)
        assert renames(bed) == ["One", "Two"]


def test_a_platform_that_does_not_answer_holds_no_reply_up() -> None:
    with Bed() as bed:
        bed.port.drop_next("rename")
        assert bed.ask("session_info One").outcome != "stalled"
        bed.port.fail_next(ChatRefused("no"), what="rename")
        bed.ask("session_info Two")
        assert bed.ask("say hello").outcome == "done"
        assert renames(bed) == ["One", "Two"]
