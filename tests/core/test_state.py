"""The states of a session: the whole table, move by move."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.core.inbox import Inbox
from openab_sync.core.mailbox import Mailbox
from openab_sync.core.state import TRANSITIONS, Event, State, after
from openab_sync.errors import IllegalTransition

LEGAL = {
    (State.NEW, Event.START): State.STARTING,
    (State.NEW, Event.CLOSE): State.CLOSING,
    (State.STARTING, Event.READY): State.IDLE,
    (State.STARTING, Event.CLOSE): State.CLOSING,
    (State.IDLE, Event.TAKE): State.BUSY,
    (State.IDLE, Event.CLOSE): State.CLOSING,
    (State.BUSY, Event.DONE): State.IDLE,
    (State.BUSY, Event.CANCEL): State.CANCELLING,
    (State.BUSY, Event.CLOSE): State.CLOSING,
    (State.CANCELLING, Event.DONE): State.IDLE,
    (State.CANCELLING, Event.CLOSE): State.CLOSING,
    (State.CLOSING, Event.END): State.CLOSED,
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_a_move_leads_where_the_table_says_or_is_refused(state: State, event: Event) -> None:
    if (state, event) in LEGAL:
        assert after(state, event) is LEGAL[state, event]
    else:
        with pytest.raises(IllegalTransition, match=f"{event} while {state}"):
            after(state, event)


def test_a_refusal_names_what_would_have_been_possible() -> None:
    with pytest.raises(IllegalTransition, match="only take, close is possible"):
        after(State.IDLE, Event.DONE)
    with pytest.raises(IllegalTransition, match="only nothing is possible"):
        after(State.CLOSED, Event.CLOSE)


@given(st.lists(st.sampled_from(Event), max_size=30))
def test_an_illegal_move_changes_nothing(events: list[Event]) -> None:
    mailbox = Mailbox("test:1", Inbox())
    state = State.NEW
    for event in events:
        if event in TRANSITIONS[state]:
            mailbox.move(event)
            state = LEGAL[state, event]
        else:
            with pytest.raises(IllegalTransition):
                mailbox.move(event)
        assert mailbox.state is state


@pytest.mark.parametrize("state", State)
def test_every_state_reaches_the_end_by_closing(state: State) -> None:
    if state not in (State.CLOSING, State.CLOSED):
        state = after(state, Event.CLOSE)
    if state is State.CLOSING:
        state = after(state, Event.END)
    assert state is State.CLOSED


def test_every_state_but_the_first_can_be_reached() -> None:
    reached = {State.NEW}
    for _ in State:
        reached |= {target for state in reached for target in TRANSITIONS[state].values()}
    assert reached == set(State)
    assert set(TRANSITIONS) == set(State)
