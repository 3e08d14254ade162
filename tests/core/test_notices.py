"""Sentences that belong to no turn, and the mark that says "got it"."""

from __future__ import annotations

import logging

import msgspec
import pytest

from openab_sync.config.schema import Config
from openab_sync.core.notices import forget_mark, mark, tell
from openab_sync.core.port import Limits, Notice
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
    assert mark(inn, port, note("m")).done()
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
    assert mark(inn, port, note("m")).done()
    forget_mark(inn, port, note("m"))
    assert port.ops == []


@pytest.mark.parametrize("error", [ChatRefused("no"), ChatTimeout("silence")], ids=repr)
def test_what_the_chat_does_not_take_costs_a_line(
    error: ChatRefused, port: FakePlatform, caplog: pytest.LogCaptureFixture
) -> None:
    port.fail_next(error)
    tell(port, HERE, "hello")
    port.fail_next(error)
    mark(house(FakeClock()), port, note("m"))
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
