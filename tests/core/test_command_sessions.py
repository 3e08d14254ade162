"""The sessions an agent remembers, and its own commands."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.acp.events import Command, StoredSession
from openab_sync.core.command_sessions import tag_of
from openab_sync.core.commands import CommandAnswer, carry_out
from openab_sync.core.desk import View
from openab_sync.core.house import (
    ListSessions,
    Open,
    Reset,
    SessionPage,
    SessionSnapshot,
)
from openab_sync.core.state import State
from openab_sync.errors import AgentRefused, PoolClosed
from tests.core.bed import Bed
from tests.core.counter import Counter
from tests.core.makers import ANNA, HERE, THERE

ONE = StoredSession("secret-1", "/work", "Fix the\nbuild", "2026-11-01T10:00:00Z")
TWO = StoredSession("secret-2", "/work")


def listing(counter: Counter, *pages: SessionPage) -> None:
    """Answer the requests for a list, one page after the other."""
    for page in pages:
        order = counter.pool.orders[-1]
        assert isinstance(order, ListSessions)
        order.page.set_result(page)
        order.done.set_result("")


def ask(counter: Counter, argument: str, *pages: SessionPage) -> CommandAnswer:
    future = carry_out(counter.desk, HERE, ("sessions", argument), ANNA)
    listing(counter, *pages)
    assert future.done()
    return future.result(0)


def test_sessions_are_listed_by_a_tag_and_never_by_their_id() -> None:
    """FIELD I7: whoever knows the id can resume the session."""
    counter = Counter()
    counter.pool.sessions = (SessionSnapshot(HERE, State.IDLE, acp_session_id="secret-2"),)
    text = ask(counter, "", SessionPage((ONE, TWO))).text
    assert text.splitlines() == [
        f"○ {tag_of('secret-1')}: Fix the build, 2026-11-01T10:00:00Z",
        f"● {tag_of('secret-2')}: without a title",
    ]
    assert "secret" not in text + repr(ONE) + repr(counter.pool.sessions)


def test_a_title_that_begins_with_the_platforms_own_words_is_none() -> None:
    counter = Counter()
    future = carry_out(counter.desk, HERE, ("sessions", ""), ANNA, View(head="<sender>"))
    cut = StoredSession("secret-3", title=' <sender> {"id": 1', updated_at="2026-11-01")
    listing(counter, SessionPage((cut, ONE)))
    first, second = future.result(0).text.splitlines()
    assert first == f"○ {tag_of('secret-3')}: without a title, 2026-11-01"
    assert "Fix the build" in second


def test_an_agent_that_remembers_nothing_says_so() -> None:
    assert ask(Counter(), "", SessionPage()) == CommandAnswer("The agent remembers no sessions here.")


def test_all_pages_are_asked_for_within_reason() -> None:
    counter = Counter()
    pages = SessionPage((ONE,), "more"), SessionPage((TWO,))
    assert len(ask(counter, "", *pages).text.splitlines()) == 2
    assert [order.cursor for order in counter.pool.orders if isinstance(order, ListSessions)] == ["", "more"]


def test_a_list_that_never_ends_is_left() -> None:
    endless = Counter()
    text = ask(endless, "", *(SessionPage((StoredSession(f"s{n}"),), f"c{n}") for n in range(20))).text
    assert text.splitlines()[-1] == "… and more."
    stuck = Counter()  # an agent that gives the same cursor again
    assert "… and more." in ask(stuck, "", SessionPage((ONE,), "c"), SessionPage((TWO,), "c")).text


def test_going_on_replaces_what_the_conversation_remembers() -> None:
    counter = Counter()
    future = carry_out(counter.desk, HERE, ("sessions", f"resume {tag_of('secret-1').upper()}"), ANNA)
    listing(counter, SessionPage((ONE, TWO)))
    order = counter.pool.orders[-1]
    assert isinstance(order, Reset) and order.memory is not None
    assert (order.memory.acp_session_id, order.memory.cwd, order.by) == ("secret-1", "/work", ANNA)
    order.done.set_result("Goes on.")
    assert future.result(0) == CommandAnswer("Goes on.")


@pytest.mark.parametrize("argument", ["resume", "resume ", "open x", "resume\t", "x"])
def test_what_is_not_understood_is_answered_with_how_to_write_it(argument: str) -> None:
    answer = Counter().ask("sessions", argument)
    assert answer == CommandAnswer("Write /sessions or /sessions resume TAG.", ok=False)


def test_a_tag_that_is_not_there_and_an_agent_that_cannot_are_told() -> None:
    assert not ask(Counter(), "resume nothing", SessionPage((ONE,))).ok
    page = SessionPage((ONE,), can_resume=False)
    answer = ask(Counter(), f"resume {tag_of('secret-1')}", page)
    assert answer == CommandAnswer("This agent cannot go on with an earlier session.", ok=False)


@pytest.mark.parametrize(("where", "name"), [(HERE, "this conversation"), (THERE, "test:2")])
def test_a_session_that_is_in_use_is_not_taken(where: object, name: str) -> None:
    counter = Counter()
    counter.pool.sessions = (SessionSnapshot(where, State.IDLE, acp_session_id="secret-1"),)  # type: ignore[arg-type]
    answer = ask(counter, f"resume {tag_of('secret-1')}", SessionPage((ONE,)))
    assert answer == CommandAnswer(f"That session is in use already, by {name}.", ok=False)


def test_work_that_is_under_way_is_not_thrown_away() -> None:
    counter = Counter()
    counter.pool.sessions = (SessionSnapshot(HERE, State.BUSY, turn_started=1.0),)
    answer = ask(counter, f"resume {tag_of('secret-1')}", SessionPage((ONE,)))
    assert answer == CommandAnswer("The agent is at work here: /cancel it first.", ok=False)


def test_what_keeps_an_agent_from_telling_is_told() -> None:
    counter = Counter()
    future = carry_out(counter.desk, HERE, ("sessions", ""), ANNA)
    counter.pool.orders[0].done.set_exception(AgentRefused("it tells nobody"))
    assert future.result(0) == CommandAnswer("it tells nobody", ok=False)


def test_a_house_that_closes_meanwhile_says_so() -> None:
    counter = Counter()
    future = carry_out(counter.desk, HERE, ("sessions", f"resume {tag_of('secret-1')}"), ANNA)
    counter.pool.refusal = PoolClosed()
    listing(counter, SessionPage((ONE,)))
    assert future.result(0) == CommandAnswer(PoolClosed().user_text(), ok=False)
    assert carry_out(counter.desk, HERE, ("sessions", ""), ANNA).result(0).text == PoolClosed().user_text()


@given(st.text(), st.text())
def test_a_tag_is_the_same_for_the_same_id_and_gives_nothing_away(one: str, other: str) -> None:
    assert tag_of(one) == tag_of(one)
    assert (tag_of(one) == tag_of(other)) == (one == other)
    assert len(tag_of(one)) == 10


# The agent's own commands.


def test_the_agents_commands_are_listed_once_it_is_there() -> None:
    counter = Counter()
    own = (Command("compact", "shorten\nthe context"), Command("review", "look at it", "the files"))
    counter.pool.sessions = (SessionSnapshot(HERE, State.IDLE, commands=own),)
    assert counter.ask("do").text.splitlines() == [
        "/compact — shorten the context",
        "/review [the files] — look at it",
    ]
    assert Counter().ask("do").text == "This agent has no commands of its own."


def test_an_agents_command_is_a_message_of_its_own() -> None:
    answer = Counter().ask("do", "/compact now")
    assert answer == CommandAnswer(
        "Write /compact now as a message of its own: it goes to the agent as it is.", ok=False
    )


# With a real agent.


def test_a_conversation_goes_on_with_another_session(tmp_path: Path) -> None:
    with Bed("--memory", str(tmp_path / "memory"), "--log", str(tmp_path / "log")) as bed:
        bed.ask("say first", to="A")
        known = bed.snapshot("A").acp_session_id
        assert known is not None
        bed.command("reset", at="A")
        bed.ask("say second", to="B")
        answer = bed.command("sessions", at="B")
        assert answer.ok and tag_of(known) in answer.text
        answer = bed.command("sessions", f"resume {tag_of(known)}", at="B")
        assert answer == CommandAnswer("The next message goes on with that session.")
        bed.ask("say third", to="B")
        assert bed.snapshot("B").acp_session_id == known
        assert not bed.command("sessions", f"resume {tag_of(known)}", at="C").ok  # it is B's now


def test_an_agent_that_does_not_list_its_sessions_is_named() -> None:
    with Bed("--no-list") as bed:
        answer = bed.command("sessions")
        assert answer == CommandAnswer("Fake does not tell which sessions it remembers.", ok=False)


def test_what_an_order_was_given_before_the_agent_is_there_waits_for_it() -> None:
    counter = Counter()
    carry_out(counter.desk, HERE, ("do", ""), ANNA)
    assert isinstance(counter.pool.orders[0], Open)
