"""Runaway: the same call again and again is noticed, work that repeats itself in part is not."""

from __future__ import annotations

from openab_sync.acp.events import Output
from openab_sync.core.runaway import Runaway
from openab_sync.core.tool import Tool


def call(what: str, state: str = "done", output: str = "") -> Tool:
    return Tool(f"{what}", what, "execute", state, (Output(output),), raw_input={"command": what})  # type: ignore[arg-type]


def repeated(*what: str) -> int:
    watch = Runaway()
    watch.look([call(one) for one in what])
    return watch.repeated


def test_the_same_call_again_and_again_is_counted() -> None:
    assert repeated(*["test"] * 11) == 10
    assert repeated(*["read a", "read b", "read c"] * 5) == 12


def test_something_new_begins_the_count_anew() -> None:
    calls = [word for n in range(20) for word in ("test", f"edit {n}", "test")]
    assert repeated(*calls) <= 2
    assert repeated("a", "a", "a", "b") == 0


def test_the_same_call_with_another_result_is_another() -> None:
    watch = Runaway()
    watch.look([call("status", output=f"{n} %") for n in range(20)])
    assert watch.repeated == 0


def test_a_call_is_judged_when_it_is_known_what_it_does() -> None:
    watch = Runaway()
    tools = [call("test"), call("test", "running")]
    watch.look(tools)
    assert (watch.calls, watch.repeated) == (2, 0)
    tools[1].state = "done"
    watch.look(tools)
    watch.look(tools)
    assert (watch.calls, watch.repeated, watch.name) == (2, 1, "test")
