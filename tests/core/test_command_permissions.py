"""/permissions: what holds, in the order in which it decides; rules for a session, given and taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import psutil
import pytest

from openab_sync.config.permissions import PermissionRule, PermissionsConfig
from openab_sync.core.command_permissions import HOW
from openab_sync.core.commands import CommandAnswer, carry_out
from openab_sync.core.desk import EVERYTHING, View
from openab_sync.core.house import Close, Stand
from openab_sync.core.judging import Standing
from openab_sync.core.message import Person
from openab_sync.core.state import State
from tests.core.bed import ANN, BOB, Bed, place
from tests.core.counter import Counter
from tests.core.makers import ANNA, BEN, HERE
from tests.core.test_pool import stuck
from tests.fakes.clock import FakeClock
from tests.waiting import until

RULES = (PermissionRule(then="deny", kind="delete"), PermissionRule(then="allow", command="npm *", who=("a",)))
THEIRS = Standing(BEN, PermissionRule(then="allow", kind="edit", path="src/*", who=("b",)))
OURS = Standing(ANNA, PermissionRule(then="deny", kind="fetch", title="x of y"))
AGENTS = Standing(BEN, said="Always allow", about="npm test")


class Window(Counter):
    """The desk, with rules configured and others of the session."""

    def __init__(self, *standing: Standing, config: PermissionsConfig | None = None) -> None:
        super().__init__()
        self.desk = replace(self.desk, permissions=lambda: config or PermissionsConfig())
        self.pool.sessions = (replace(self.pool.sessions[0], standing=standing),)

    def say(self, argument: str, by: Person = ANNA, view: View | None = None) -> CommandAnswer:
        future = carry_out(self.desk, HERE, ("permissions", argument), by, view or View())
        for order in self.pool.orders:
            if not order.done.done():
                order.done.set_result("")
        return future.result(0)

    @property
    def order(self) -> Stand:
        [order] = self.pool.orders
        assert isinstance(order, Stand)
        return order


def test_the_list_has_everything_that_decides_in_its_order() -> None:
    config = PermissionsConfig(rules=RULES)
    assert Window(THEIRS, AGENTS, OURS, config=config).say("") == CommandAnswer(
        "Rules of the configuration:\n"
        "1. deny delete\n"
        "2. allow everything command npm * of a\n"
        "Until this session ends:\n"
        "3. allow edit path src/* — in turns of Ben\n"
        "4. Always allow (npm test) — chosen by Ben; the agent remembers it itself\n"
        "5. deny fetch title x of y — by Anna\n"
        "Allowed by itself: reading and searching files inside the working folder.\n"
        "Everything else: people are asked."
    )


@pytest.mark.parametrize(
    ("mode", "words"),
    [("allow", "Everything else: allowed, unless that would change the agent's mode."), ("deny", "denied.")],
)
def test_the_list_ends_with_what_the_mode_does(mode: str, words: str) -> None:
    config = PermissionsConfig(mode=mode)  # type: ignore[arg-type]  # one of the three
    assert Window(config=config).say("").text.endswith(words)
    window = Window(config=config)
    window.pool.sessions = ()
    assert window.say("").ok and window.pool.orders == [], "looking starts no agent"


@pytest.mark.parametrize(
    ("argument", "rule"),
    [
        ("allow execute npm test *", PermissionRule(then="allow", kind="execute", command="npm test *", who=("a",))),
        ("deny edit  src/**", PermissionRule(then="deny", kind="edit", path="src/**", who=("a",))),
        ("ask fetch", PermissionRule(then="ask", kind="fetch", who=("a",))),
        ("deny everything *prod*", PermissionRule(then="deny", title="*prod*", who=("a",))),
    ],
)
def test_a_rule_that_somebody_gives_holds_for_their_own_turns(argument: str, rule: PermissionRule) -> None:
    window = Window()
    answer = window.say(argument)
    assert answer.ok and answer.text.startswith(f"In your own turns, until this session ends: {rule.then} ")
    assert window.order.new == Standing(ANNA, rule)


def test_a_rule_that_an_approver_gives_holds_for_everybodys() -> None:
    window = Window()
    answer = window.say("allow edit src/*", view=EVERYTHING)
    assert answer == CommandAnswer("In everybody's turns, until this session ends: allow edit path src/*.")
    assert window.order.new == Standing(ANNA, PermissionRule(then="allow", kind="edit", path="src/*"))


def test_the_same_rule_is_given_once() -> None:
    window = Window(THEIRS)
    assert window.say("allow edit src/*", by=BEN).text == "That holds already."
    assert window.pool.orders == []


@pytest.mark.parametrize("argument", ["allow", "allow dance", "permit edit", "forget", "deny  ", "? edit"])
def test_what_is_not_understood_is_answered_with_how_to_write_it(argument: str) -> None:
    assert Window().say(argument) == CommandAnswer(HOW, ok=False)


def test_where_everything_is_denied_nothing_can_be_allowed() -> None:
    window = Window(config=PermissionsConfig(mode="deny"))
    assert not window.say("allow edit", view=EVERYTHING).ok and window.pool.orders == []
    assert window.say("ask edit").ok


def test_a_rule_is_taken_back_by_who_gave_it_or_by_an_approver() -> None:
    config = PermissionsConfig(rules=RULES)
    window = Window(THEIRS, AGENTS, OURS, config=config)
    assert window.say("forget 3") == CommandAnswer("That is Ben's to take back.", ok=False)
    assert window.pool.orders == []
    assert window.say("forget 3", by=BEN) == CommandAnswer("That holds no longer.")
    assert window.order.gone == (THEIRS,)
    window.pool.orders.clear()
    assert window.say("forget 3", view=EVERYTHING).ok
    assert window.order.gone == (THEIRS,)


@pytest.mark.parametrize(
    ("number", "words"),
    [("2", "in the configuration"), ("4", "The agent remembers that itself"), *((n, "no number") for n in "069x²")],
)
def test_what_cannot_be_taken_back_is_said_why(number: str, words: str) -> None:
    window = Window(THEIRS, AGENTS, OURS, config=PermissionsConfig(rules=RULES))
    answer = window.say(f"forget {number}", view=EVERYTHING)
    assert not answer.ok and words in answer.text and window.pool.orders == []


def test_all_of_ones_own_are_taken_back_at_once() -> None:
    window = Window(THEIRS, AGENTS, OURS)
    assert window.say("forget all").text == "That holds no longer."
    assert window.order.gone == (OURS,)
    window.pool.orders.clear()
    assert window.say("forget all", view=EVERYTHING).text == "2 rules hold no longer."
    assert not Window(AGENTS).say("forget all", view=EVERYTHING).ok


def test_a_real_session_obeys_the_rule_until_it_is_taken_back_and_for_those_turns_alone() -> None:
    with Bed() as bed:
        future = bed.broker.command(place(), "permissions", "allow everything", ANN, View())
        assert future.result(20).ok
        assert bed.ask("ask", by=ANN).outcome == "done"
        assert bed.text() == "answer: ok-1\n" and bed.port.questions == {}
        bed.say("ask", by=BOB)
        bed.port.answer(bed.port.until_question(), "no-1", BOB)
        until(lambda: "no-1" in bed.text())
        assert bed.command("permissions", "forget 1").text == "That holds no longer."
        bed.say("ask", by=ANN)
        bed.port.answer(bed.port.until_question(), "ok-all", ANN)
        until(lambda: len(bed.ends()) == 3)
        assert "1. Always allow (Run `make`) — chosen by Ann" in bed.command("permissions").text


def test_always_is_the_agents_own_and_no_more_is_listed_when_its_session_has_ended() -> None:
    """It cannot be taken back by us, which is said; our list does not claim it for an agent that was started anew."""
    with Bed() as bed:
        bed.say("ask")
        bed.port.answer(bed.port.until_question(), "ok-all", ANN)
        until(bed.ends)
        told = bed.command("permissions", "forget 1")
        assert not told.ok and "/reset ends it if the agent meant it for this session" in told.text
        assert not bed.command("permissions", "forget all").ok
        assert "1. Always allow" in bed.command("permissions").text
        assert bed.command("reset").ok
        until(lambda: "Always allow" not in bed.command("permissions").text)
        before = len(bed.port.questions)
        bed.say("ask")
        until(lambda: len(bed.port.questions) > before, what="the agent asks again, and so do we")
        bed.port.answer(list(bed.port.questions.values())[-1][0], "no-1", ANN)
        until(lambda: len(bed.ends()) == 2)


def crashes(bed: Bed) -> None:
    assert bed.ask("crash").outcome == "gone"


def is_killed(bed: Bed) -> None:
    pid = bed.snapshot().pid
    assert pid is not None
    psutil.Process(pid).kill()
    bed.until_state(State.CLOSED)


def is_reset(bed: Bed) -> None:
    assert bed.command("reset").ok


def is_suspended(bed: Bed) -> None:
    bed.pass_time(5 * 3600)
    assert bed.pool.suspend_idle() == 1


def stalls(bed: Bed) -> None:
    bed.say("ignore")
    bed.until_state(State.BUSY)
    bed.pass_time(1801)
    bed.until_state(State.CANCELLING)
    bed.pass_time(6)
    until(lambda: [end for end in bed.ends() if end.outcome == "stalled"])


def hangs(bed: Bed) -> None:
    with stuck(bed, "1") as inside:
        bed.say("hang")
        assert inside.wait(10)
        bed.pass_time(1800 + 121)
        assert bed.pool.drop_hung() == 1


def takes_too_much(bed: Bed) -> None:
    bed.pool.order(place(), Close("It took too much.", is_hard=True))
    bed.until_state(State.CLOSED)


@pytest.mark.parametrize(
    "leave", [crashes, is_killed, is_reset, is_suspended, stalls, hangs, takes_too_much], ids=lambda way: way.__name__
)
def test_what_was_allowed_for_a_session_ends_with_it_on_every_way_out(leave: Callable[[Bed], None]) -> None:
    """FIELD I8: whatever still holds the session then."""
    with Bed(clock=FakeClock()) as bed:
        assert bed.command("permissions", "allow everything").ok
        until(lambda: bed.snapshot().standing)
        assert bed.ask("ask").outcome == "done" and bed.port.questions == {}
        bed.until_state(State.IDLE)
        leave(bed)
        until(lambda: not bed.snapshot().standing, what="it is listed no more")
        bed.say("ask")
        bed.tick(lambda: bed.port.questions)
        bed.port.answer(bed.port.until_question(), "no-1", ANN)
        until(lambda: "answer: no-1" in bed.text())
