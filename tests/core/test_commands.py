"""What people can order. The pool is on paper: it writes down what it is told, and the test says what comes of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.acp.events import Command
from openab_sync.core.commands import COMMANDS, CommandAnswer, carry_out, find_command
from openab_sync.core.house import Cancel, ListSessions, Reset, SessionPage, SessionSnapshot
from openab_sync.core.state import State
from openab_sync.errors import AgentRefused, OpenabError, PoolClosed, PoolFull, SessionClosed
from tests.core.counter import EFFORT, FREE, MODE, MODEL, WEB, Counter
from tests.core.makers import ANNA, BEN, HERE, note

# Finding the command.


def test_every_command_and_alias_is_found_by_its_whole_name_only() -> None:
    """FIELD F16: what only begins like a command of ours is the agent's."""
    for spec in COMMANDS:
        for word in (spec.name, *spec.aliases):
            assert find_command(word) is spec
            assert find_command(word + "foo") is None
    assert find_command("") is None


def test_no_word_means_two_commands() -> None:
    words = [word for spec in COMMANDS for word in (spec.name, *spec.aliases)]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("word", "hint"), [("cancle", "Did you mean /cancel?"), ("agnets", "Did you mean /agents?"), ("xyz", "/help lists")]
)
def test_an_unknown_command_is_told_with_the_nearest(word: str, hint: str) -> None:
    answer = Counter().ask(word)
    assert not answer.ok
    assert answer.text.startswith(f"There is no command /{word}.")
    assert hint in answer.text


def test_an_unknown_command_is_shown_without_what_a_terminal_would_obey() -> None:
    answer = Counter().ask("\x1b[2J" + "x" * 100)
    assert "\x1b" not in answer.text
    assert "x" * 40 not in answer.text


# Orders.


def test_cancel_stops_the_turn_and_cancel_all_drops_the_rest() -> None:
    for name, everything in (("cancel", False), ("cancel-all", True)):
        counter = Counter()
        future = carry_out(counter.desk, HERE, (name, ""), BEN)
        [order] = counter.pool.orders
        assert isinstance(order, Cancel)
        assert (order.by, order.all) == (BEN, everything)
        assert not future.done()
        order.done.set_result("Cancelling.")
        assert future.result(0) == CommandAnswer("Cancelling.")


def test_reset_says_who_wanted_it() -> None:
    counter = Counter()
    future = carry_out(counter.desk, HERE, ("reset", ""), BEN)
    [order] = counter.pool.orders
    assert isinstance(order, Reset)
    assert order.by == BEN
    order.done.set_result("Reset.")
    assert future.result(0) == CommandAnswer("Reset.")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (SessionClosed("test:1 ended before it could obey"), "test:1 ended before it could obey"),
        (AgentRefused("no such mode", stderr="secrets"), "no such mode"),
        (ValueError("odd"), "That did not work: odd"),
    ],
    ids=["ours", "the agent's", "foreign"],
)
@pytest.mark.parametrize("name", ["cancel", "reset", "models", "config"])
def test_an_order_that_fails_is_an_answer(name: str, error: Exception, sentence: str) -> None:
    counter = Counter(MODEL)
    future = carry_out(counter.desk, HERE, (name, ""), ANNA)
    counter.pool.orders[-1].done.set_exception(error)
    assert future.result(0) == CommandAnswer(sentence, ok=False)


@pytest.mark.parametrize("refusal", [PoolFull(10, 20), PoolClosed()], ids=["full", "closed"])
@pytest.mark.parametrize("name", ["cancel", "cancel-all", "reset", "models", "modes", "config"])
def test_a_house_that_takes_no_orders_says_so(name: str, refusal: OpenabError) -> None:
    counter = Counter(MODEL)
    counter.pool.refusal = refusal
    assert counter.ask(name) == CommandAnswer(refusal.user_text(), ok=False)


def test_a_house_that_closes_while_the_agent_starts_says_so_too() -> None:
    """The refusal comes on the session's thread, where nobody could catch it."""
    counter = Counter(MODEL)
    future = carry_out(counter.desk, HERE, ("models", "tiny"), ANNA)
    counter.pool.refusal = PoolClosed()
    counter.pool.orders[0].done.set_result("")
    assert future.result(0) == CommandAnswer(PoolClosed().user_text(), ok=False)


@pytest.mark.parametrize("name", ["cancel", "models"])
def test_whoever_is_tired_of_waiting_disturbs_nobody(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """A platform may wrap the Future in its own and time out: that must not reach the session that completes it."""
    counter = Counter(MODEL)
    future = carry_out(counter.desk, HERE, (name, ""), ANNA)
    [order] = counter.pool.orders
    assert not future.cancel()
    assert not order.done.cancel()
    order.done.set_result("")
    assert future.result(0).ok
    assert caplog.records == []


def test_help_lists_ours_and_then_the_agents_own() -> None:
    counter = Counter()
    ours = counter.ask("help").text.splitlines()
    assert ours[0] == "/cancel — stop what the agent is doing"
    assert "/models [MODEL] — show the models, or choose one" in ours
    assert len(ours) == len(COMMANDS)
    command = Command("compact", "shorten\nthe context")
    counter.pool.sessions = (SessionSnapshot(HERE, State.IDLE, commands=(command,)),)
    assert counter.ask("help").text.splitlines()[len(ours) :] == [
        "The agent's own, sent to it as they are:",
        "/compact — shorten the context",
    ]


WORDS = st.one_of(st.sampled_from([word for spec in COMMANDS for word in (spec.name, *spec.aliases)]), st.text())
ARGUMENTS = st.one_of(
    st.text(),
    st.lists(st.sampled_from(["drop", "edit", "1", "٣", "web", "model", "Reasoning", "Effort", " ", "on"])).map(
        " ".join
    ),
)


@given(WORDS, ARGUMENTS)
def test_whatever_people_write_is_answered_in_words(name: str, argument: str) -> None:
    counter = Counter(MODEL, MODE, WEB, EFFORT, FREE)
    counter.pool.notes = [note("a"), note("b"), note("c")]
    future = carry_out(counter.desk, HERE, (name, argument), ANNA)
    for order in counter.pool.orders:  # grows meanwhile
        if isinstance(order, ListSessions):
            order.page.set_result(SessionPage())
        order.done.set_result("Done.")
    answer = future.result(0)
    assert answer.text.strip()
