"""The desk, the pool behind it on paper, and what was answered: for tests of what people can order."""

from __future__ import annotations

from openab_sync.acp.events import Choice, Option
from openab_sync.core.broker import HouseSnapshot
from openab_sync.core.commands import CommandAnswer, Desk, carry_out
from openab_sync.core.house import Open, SessionSnapshot, SetOption
from openab_sync.core.state import State
from tests.core.makers import ANNA, HERE, PaperPool
from tests.fakes.clock import FakeClock

__all__ = ["EFFORT", "FREE", "MODE", "MODEL", "WEB", "Counter"]

MODEL = Option(
    "model",
    "Model",
    "big",
    category="model",
    choices=(Choice("big", "The Big One", "slow and wise"), Choice("small", "big"), Choice("tiny", "Tiny")),
)
MODE = Option("mode", "Mode", "code", category="mode", choices=(Choice("code", "code"), Choice("ask", "Ask First")))
WEB = Option("web", "Web Search", value=False, kind="boolean")
EFFORT = Option("effort", "Reasoning Effort", "low", choices=(Choice("low", "Low"), Choice("high", "High")))
FREE = Option("branch", "branch", "main")


class Counter:
    """The desk, the pool behind it and what was answered."""

    def __init__(self, *options: Option) -> None:
        self.pool = PaperPool()
        self.clock = FakeClock()
        self.pool.sessions = (SessionSnapshot(HERE, State.IDLE, "Demo", options=options),)
        self.desk = Desk(self.pool.as_pool, lambda: HouseSnapshot(*self.pool.snapshot()), self.clock)

    def ask(self, name: str, argument: str = "") -> CommandAnswer:
        """Give a command that is answered at once, or as soon as the agent is there."""
        future = carry_out(self.desk, HERE, (name, argument), ANNA)
        if self.pool.orders and isinstance(self.pool.orders[-1], Open):
            assert not future.done()
            self.pool.orders.pop().done.set_result("")
        assert future.done()
        return future.result(0)

    def set(self, name: str, argument: str) -> SetOption:
        """Give a command that sets an option; return the order that it became."""
        future = carry_out(self.desk, HERE, (name, argument), ANNA)
        opening, *rest = self.pool.orders
        assert isinstance(opening, Open)
        assert rest == []  # not before the agent is there
        opening.done.set_result("")
        [_, order] = self.pool.orders
        assert isinstance(order, SetOption)
        assert not future.done()
        order.done.set_result("It is set.")
        assert future.result(0) == CommandAnswer("It is set.")
        return order
