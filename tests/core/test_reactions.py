"""reactions.py: the one reaction that a message carries."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.config.schema import ReactionEmojis, ReactionsConfig, ReactionTiming
from openab_sync.core.reactions import STALL_HARD, STALL_SOFT, StatusReactions, emoji_for
from tests.fakes.clock import FakeClock

E = ReactionEmojis()


class Message:
    """A message that carries out every step at once."""

    def __init__(self, config: ReactionsConfig | None = None, shown: str = "") -> None:
        self.clock = FakeClock()
        self.status = StatusReactions(config or ReactionsConfig(), self.clock, shown=shown)
        self.shows = [shown] if shown else []
        self.steps: list[tuple[str, bool]] = []

    def look(self) -> list[str]:
        while (step := self.status.step()) is not None:
            emoji, on = step
            self.steps.append(step)
            self.shows.append(emoji) if on else self.shows.remove(emoji)
            assert len(self.shows) < 2, "never more than one of ours"
        return self.shows

    def wait(self, seconds: float) -> list[str]:
        """Let time pass, looking whenever it is due."""
        until = self.clock.monotonic() + seconds
        while (due := self.status.due()) <= until:
            self.clock.advance(max(0.0, due - self.clock.monotonic()))
            self.look()
            assert self.status.due() > self.clock.monotonic(), "due for ever"
        self.clock.advance(until - self.clock.monotonic())
        return self.look()


def test_a_turn_goes_through_its_stages() -> None:
    message = Message()
    assert message.look() == [E.queued]
    message.status.think()
    assert message.look() == [E.queued]
    assert message.wait(0.7) == [E.thinking]
    message.status.work("execute")
    assert message.wait(0.7) == [E.coding]
    message.status.work("fetch")
    assert message.wait(0.7) == [E.web]
    message.status.work("other", "remember")
    assert message.wait(0.7) == [E.tool]
    message.status.end(well=True)
    assert message.look() == [E.done]
    assert message.status.due() == math.inf
    assert message.status.has_ended


def test_the_old_one_goes_before_the_new_one_comes() -> None:
    message = Message(shown=E.queued)
    message.status.end(well=False)
    message.look()
    assert message.steps == [(E.queued, False), (E.error, True)]


def test_a_stage_that_does_not_last_is_not_shown() -> None:
    message = Message()
    message.look()
    message.status.think()
    message.wait(0.7)
    message.status.work("read")
    message.clock.advance(0.3)
    message.status.think()
    message.wait(5)
    assert (E.coding, True) not in message.steps


def test_an_agent_that_changes_its_mind_all_the_time_is_shown_all_the_same() -> None:
    message = Message()
    message.look()
    for number in range(20):
        message.status.work("read" if number % 2 else "fetch")
        message.wait(0.1)
    assert message.shows[0] in {E.coding, E.web}


def test_nothing_changes_after_the_end() -> None:
    """FIELD K11."""
    message = Message()
    message.status.think()
    message.clock.advance(0.5)
    message.status.end(well=True)
    message.look()
    message.status.think()
    message.status.work("read")
    message.status.end(well=False)
    message.status.heard(message.clock.monotonic())
    assert message.wait(100) == [E.done]
    assert message.steps[-1] == (E.done, True)


@pytest.mark.parametrize(("well", "emoji", "hold"), [(True, E.done, 1.5), (False, E.error, 2.5)])
def test_the_last_one_goes_away_where_that_is_wanted(well: bool, emoji: str, hold: float) -> None:
    message = Message(ReactionsConfig(remove_after_reply=True))
    message.status.end(well=well)
    assert message.wait(hold - 0.1) == [emoji]
    assert message.wait(0.2) == []
    assert message.status.due() == math.inf


def test_silence_shows_first_softly_then_hard_and_a_sign_ends_it() -> None:
    message = Message()
    message.status.think()
    assert message.wait(9.9) == [E.thinking]
    assert message.wait(0.2) == [STALL_SOFT]
    assert message.wait(20) == [STALL_HARD]
    message.status.heard(message.clock.monotonic())
    assert message.look() == [E.thinking]


def test_a_message_that_waits_in_the_queue_is_not_silent() -> None:
    assert Message().wait(100) == [E.queued]


def test_waiting_for_people_is_not_silence() -> None:
    message = Message()
    message.status.think()
    message.status.wait(True)
    assert message.wait(100) == [E.thinking]
    message.status.wait(False)
    assert message.wait(9) == [E.thinking]
    assert message.wait(2) == [STALL_SOFT]


def test_no_milliseconds_is_never() -> None:
    message = Message(ReactionsConfig(timing=ReactionTiming(stall_soft_ms=0, stall_hard_ms=0)))
    message.status.think()
    assert message.wait(10_000) == [E.thinking]


def test_where_there_are_none_nothing_is_done() -> None:
    message = Message(ReactionsConfig(enabled=False))
    message.status.think()
    message.status.end(well=True)
    assert message.wait(100) == []
    assert repr(message.status) == "<StatusReactions  shown=>"


@pytest.mark.parametrize(
    ("kind", "title", "emoji"),
    [
        ("edit", "", E.coding),
        ("fetch", "", E.web),
        ("search", "grep for x", E.tool),
        ("search", "Web search", E.web),
        ("", "https://x.org", E.web),
        ("think", "", E.tool),
    ],
)
def test_a_tool_is_shown_by_its_kind(kind: str, title: str, emoji: str) -> None:
    assert emoji_for(E, kind, title) == emoji


@given(
    st.lists(
        st.sampled_from(["think", "read", "fetch", "end", "heard", "ask", "answered", "look"])
        | st.floats(0, 40, allow_nan=False),
        max_size=40,
    )
)
def test_whatever_happens_there_is_one_at_most_and_an_end_is_the_end(acts: list[str | float]) -> None:
    message = Message()
    ended = False
    for act in acts:
        match act:
            case float():
                message.wait(act)
            case "think":
                message.status.think()
            case "heard":
                message.status.heard(message.clock.monotonic())
            case "ask" | "answered":
                message.status.wait(act == "ask")
            case "end":
                message.status.end(well=True)
                ended = True
            case "look":
                message.look()
            case kind:
                message.status.work(kind)
    shown = message.look()
    assert (shown == [E.done]) == ended
