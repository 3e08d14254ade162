"""Sentences that belong to no turn, and the mark that says "got it"."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from openab_sync.config.schema import Config
from openab_sync.core.notices import break_off, forget_mark, mark, name, tell
from openab_sync.core.port import Limits, Notice, TurnEnded
from openab_sync.errors import ChatRefused, ChatTimeout
from tests.core.makers import HERE, house, note
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FakePlatform


@pytest.fixture
def port() -> FakePlatform:
    return FakePlatform(FakeClock())


def test_a_sentence_is_posted_as_an_answer_to_its_message(port: FakePlatform) -> None:
    tell(port, HERE, "All agents are busy.", note("m").ref)
    assert [(item.text, item.reply_to) for item in port.messages(HERE)] == [("All agents are busy.", note("m").ref)]


def test_a_platform_that_draws_by_itself_is_told() -> None:
    port = FakePlatform(FakeClock(), Limits(live="events"))
    tell(port, HERE, "All agents are busy.")
    assert port.events == [(HERE, Notice("All agents are busy."))]
    assert port.violations == []


def test_a_mark_is_put_and_taken_back(port: FakePlatform) -> None:
    inn = house(FakeClock())
    assert mark(inn, port, note("m").ref).done()
    assert port.reactions[note("m").ref] == ["👀"]
    forget_mark(inn, port, note("m"))
    assert port.reactions[note("m").ref] == []


@pytest.mark.parametrize(
    ("limits", "config"),
    [(Limits(reactions=False), {}), (Limits(), {"reactions": {"enabled": False}})],
    ids=["the platform has none", "they are switched off"],
)
def test_without_reactions_nothing_is_marked(limits: Limits, config: dict[str, object]) -> None:
    port = FakePlatform(FakeClock(), limits)
    inn = house(FakeClock(), msgspec.convert(config, Config))
    assert mark(inn, port, note("m").ref).done()
    forget_mark(inn, port, note("m"))
    assert port.ops == []


@pytest.mark.parametrize("error", [ChatRefused("no"), ChatTimeout("silence")], ids=repr)
def test_what_the_chat_does_not_take_costs_a_line(
    error: ChatRefused, port: FakePlatform, caplog: pytest.LogCaptureFixture
) -> None:
    port.fail_next(error)
    tell(port, HERE, "hello")
    port.fail_next(error)
    mark(house(FakeClock()), port, note("m").ref)
    expected = f"test:1: a notice was not delivered: {error}"
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [(logging.WARNING, expected)] * 2


def test_a_notice_that_a_closing_platform_gives_up_is_no_complaint(
    port: FakePlatform, caplog: pytest.LogCaptureFixture
) -> None:
    port.hold()
    tell(port, HERE, "hello")
    assert port.held[0].future.cancel()
    assert caplog.records == []


def test_telling_waits_for_nobody(port: FakePlatform) -> None:
    port.hold()
    tell(port, HERE, "hello")
    assert port.texts(HERE) == []
    port.release_all()
    assert port.texts(HERE) == ["hello"]


def hanging(turn_started: float | None) -> Any:
    """What is looked at of a session that cannot speak for itself."""
    mailbox, snapshot = SimpleNamespace(begun=(note("m"),)), SimpleNamespace(turn_started=turn_started)
    return SimpleNamespace(conversation=HERE, mailbox=mailbox, snapshot=snapshot)


def test_whoever_waits_for_the_end_of_a_turn_gets_it_from_a_session_that_hangs() -> None:
    port = FakePlatform(FakeClock(), Limits(live="events"))
    break_off(port, hanging(turn_started=1.0), "It hangs.")
    break_off(port, hanging(turn_started=None), "It hung.")
    assert port.events == [(HERE, TurnEnded((note("m").ref,), "stalled", "It hangs.")), (HERE, Notice("It hung."))]


def test_where_pages_are_posted_a_session_that_hangs_is_a_sentence(port: FakePlatform) -> None:
    break_off(port, hanging(turn_started=1.0), "It hangs.")
    assert port.texts(HERE) == ["It hangs."]


def test_a_title_is_given_and_a_platform_that_refuses_it_costs_a_line(
    port: FakePlatform, caplog: pytest.LogCaptureFixture
) -> None:
    name(port, HERE, "A title")
    port.fail_next(ChatRefused("too often"), what="rename")
    name(port, HERE, "Another")
    assert port.titles == {HERE: "A title"}
    assert "a title was not given: too often" in caplog.text
