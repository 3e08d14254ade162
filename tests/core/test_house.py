"""Plain data that must not tell what is secret, and orders that are answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future

import pytest

from openab_sync.core.house import Cancel, Close, Farewell, Memory, Open, Order, Reset, SetOption
from tests.core.makers import ANNA

ORDERS: dict[str, Callable[[], Order]] = {
    "cancel": lambda: Cancel(ANNA),
    "reset": lambda: Reset(ANNA),
    "set": lambda: SetOption("model", "big"),
    "open": Open,
    "close": lambda: Close("bye"),
}


def test_a_memory_never_shows_what_resumes_the_session() -> None:
    memory = Memory("secret-id", (("model", "big"),), "/work")
    for shown in (repr(memory), str(memory), repr(Farewell((), memory))):
        assert "secret-id" not in shown
        assert "big" in shown


@pytest.mark.parametrize("name", ORDERS)
def test_each_order_is_answered_by_itself(name: str) -> None:
    first, second = ORDERS[name](), ORDERS[name]()
    first.done.set_result("done")
    assert first.done.result(0) == "done"
    assert not second.done.done()


@pytest.mark.parametrize("name", ORDERS)
def test_an_order_cannot_be_taken_back_through_its_future(name: str) -> None:
    """Else the session that answers it would meet an InvalidStateError and end."""
    order = ORDERS[name]()
    assert not order.done.cancel()
    order.done.set_result("done")
    assert order.done.result(0) == "done"


def test_an_event_loop_that_gives_up_waiting_does_not_disturb_the_order() -> None:
    order = Open()

    async def wait_in_vain(future: Future[str]) -> None:
        await asyncio.wait_for(asyncio.wrap_future(future), 0)

    with pytest.raises(TimeoutError):
        asyncio.run(wait_in_vain(order.done))
    order.done.set_result("done")
    assert order.done.result(0) == "done"
