"""The desk: Futures that never fail, and an agent that is there before something is asked of it."""

from __future__ import annotations

from concurrent.futures import Future

from openab_sync.core.desk import Call, CommandAnswer, now, opened, pass_on, sentence, then
from openab_sync.core.house import SessionSnapshot, promise
from openab_sync.errors import AgentRefused, PoolClosed
from tests.core.counter import Counter
from tests.core.makers import ANNA, HERE


def test_an_error_is_an_answer() -> None:
    order: Future[str] = promise()
    answer = then(order, CommandAnswer)
    order.set_exception(AgentRefused("not in your plan"))
    assert answer.result(0) == CommandAnswer("not in your plan", ok=False)
    assert sentence(ValueError("odd")) == "That did not work: odd"


def test_an_answer_is_passed_on() -> None:
    result: Future[CommandAnswer] = promise()
    pass_on(now(CommandAnswer("here")), result)
    assert result.result(0) == CommandAnswer("here")


def test_the_agent_is_there_before_it_is_asked() -> None:
    counter = Counter()
    asked: list[SessionSnapshot | None] = []

    def answer(session: SessionSnapshot | None) -> Future[CommandAnswer]:
        asked.append(session)
        return now(CommandAnswer("done"))

    future = opened(Call(counter.desk, HERE, "models", "", ANNA), answer)
    assert asked == []
    counter.pool.orders[0].done.set_result("")
    assert future.result(0) == CommandAnswer("done")
    assert asked == [counter.pool.sessions[0]]


def test_what_cannot_be_asked_any_more_is_told() -> None:
    counter = Counter()

    def answer(session: SessionSnapshot | None) -> Future[CommandAnswer]:
        raise PoolClosed

    future = opened(Call(counter.desk, HERE, "models", "", ANNA), answer)
    counter.pool.orders[0].done.set_result("")
    assert future.result(0) == CommandAnswer(PoolClosed().user_text(), ok=False)
