"""signs.py: typing and reactions beside a reply."""

from __future__ import annotations

import logging
import math

import pytest

from openab_sync.config.schema import ReactionEmojis, ReactionsConfig
from openab_sync.core.message import Inbound
from openab_sync.core.port import Limits
from openab_sync.core.signs import Signs
from openab_sync.core.turn import Turn
from openab_sync.errors import ChatRefused, ChatTimeout
from tests.core.scene import note, tool
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FakePlatform

E = ReactionEmojis()


class Sky:
    """Signs at a fake platform on which the messages carry the mark of being accepted."""

    def __init__(
        self, config: ReactionsConfig | None = None, limits: Limits | None = None, notes: tuple[Inbound, ...] = ()
    ) -> None:
        self.clock = FakeClock()
        self.platform = FakePlatform(self.clock, limits)
        self.notes = notes or (note(),)
        for item in self.notes:
            self.platform.reactions[item.ref] = [E.queued]
        self.turn = Turn(self.notes, self.clock)
        self.signs = Signs(self.notes, self.platform, config or ReactionsConfig(), self.clock, lambda: None)
        self.signs.begin()

    def go(self, seconds: float) -> None:
        until = self.clock.monotonic() + seconds
        while (due := self.signs.due()) <= until:
            self.clock.advance(max(0.0, due - self.clock.monotonic()))
            self.look()
        self.clock.advance(until - self.clock.monotonic())

    def look(self) -> None:
        self.signs.look(self.turn, asking=False)
        self.signs.refresh()

    def shown(self, index: int = 0) -> list[str]:
        return self.platform.reactions[self.notes[index].ref]

    def typed(self) -> int:
        return len(self.platform.done("typing"))


def test_typing_is_repeated_until_there_is_something_to_see() -> None:
    sky = Sky()
    sky.go(17)
    assert sky.typed() == 3
    sky.signs.be_seen()
    sky.go(100)
    assert sky.typed() == 3


def test_a_typing_sign_that_hangs_or_fails_costs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    sky = Sky()
    sky.platform.drop_next("typing")
    sky.signs.refresh()
    sky.clock.advance(20)
    sky.signs.refresh()
    assert sky.typed() == 1
    other = Sky()
    other.platform.fail_next(ChatTimeout("slow"), what="typing")
    with caplog.at_level(logging.DEBUG):
        other.go(1)
    assert "a typing sign failed: slow" in caplog.text


def test_where_there_is_no_typing_there_is_none() -> None:
    sky = Sky(limits=Limits(typing_interval=None))
    sky.go(100)
    assert sky.typed() == 0


def test_stages_follow_the_turn_and_the_mark_of_acceptance_goes() -> None:
    sky = Sky()
    sky.go(1)
    assert sky.shown() == [E.thinking]
    sky.turn.take(tool("a", "make", "in_progress", "execute"))
    sky.look()
    sky.go(1)
    assert sky.shown() == [E.coding]
    sky.turn.take(tool("a", status="completed"))
    sky.look()
    sky.go(1)
    assert sky.shown() == [E.thinking]
    sky.signs.end(well=True)
    sky.signs.end(well=False)
    sky.go(1)
    assert sky.shown() == [E.done]
    assert sky.signs.is_quiet
    assert sky.signs.due() == math.inf
    assert sky.platform.violations == []


def test_all_messages_of_a_batch_show_the_end() -> None:
    sky = Sky(notes=(note("m1"), note("m2"), note("m3")))
    sky.go(1)
    assert [sky.shown(index) for index in range(3)] == [[E.thinking], [E.queued], [E.queued]]
    sky.signs.end(well=False)
    sky.go(1)
    assert [sky.shown(index) for index in range(3)] == [[E.error]] * 3


def test_reactions_are_removed_from_all_of_them_where_that_is_wanted() -> None:
    sky = Sky(ReactionsConfig(remove_after_reply=True), notes=(note("m1"), note("m2")))
    sky.signs.end(well=True)
    sky.go(1)
    assert not sky.signs.is_quiet
    sky.go(5)
    assert [sky.shown(index) for index in range(2)] == [[], []]
    assert sky.signs.is_quiet


def test_one_reaction_is_in_flight_and_the_newest_stage_is_next() -> None:
    sky = Sky()
    sky.platform.hold()
    sky.go(1)
    sky.turn.take(tool("a", "make", "in_progress", "execute"))
    sky.go(1)
    assert sky.signs.due() == sky.clock.monotonic() + 6  # the next typing sign: a reaction waits for the bell
    assert not sky.signs.is_quiet
    sky.signs.end(well=True)
    sky.platform.release_all()
    assert sky.signs.due() == sky.clock.monotonic()
    sky.go(1)
    assert sky.shown() == [E.done]
    assert sky.platform.violations == []
    assert [op.emoji for op in sky.platform.done("react")] == [E.queued, E.done]


def test_where_reactions_are_refused_no_more_are_tried() -> None:
    sky = Sky()
    sky.platform.fail_next(ChatRefused("unknown reaction"), what="react")  # taking back: no matter
    sky.platform.fail_next(ChatRefused("missing permission"), what="react")
    sky.go(1)
    sky.signs.end(well=True)
    sky.go(1)
    assert [op.emoji for op in sky.platform.done("react")] == [E.queued, E.thinking]
    assert sky.signs.is_quiet


def test_a_reaction_that_timed_out_is_not_missed() -> None:
    sky = Sky()
    sky.go(1)
    sky.platform.fail_next(ChatTimeout("slow"), what="react")
    sky.signs.end(well=True)
    sky.go(1)
    assert [(op.emoji, op.on) for op in sky.platform.done("react")][-1] == (E.done, True)


@pytest.mark.parametrize(
    ("config", "limits"),
    [(ReactionsConfig(enabled=False), Limits()), (ReactionsConfig(), Limits(reactions=False))],
)
def test_where_there_are_no_reactions_there_are_none(config: ReactionsConfig, limits: Limits) -> None:
    sky = Sky(config, limits)
    sky.go(1)
    sky.signs.end(well=True)
    sky.go(1)
    assert sky.platform.done("react") == []
    assert sky.signs.is_quiet
