"""Lanes: order within a conversation, none between them, and an end."""

from __future__ import annotations

import asyncio
import logging

import pytest

from openab_sync.platforms.discord.lanes import Lanes


def test_work_of_one_lane_keeps_its_order_and_lanes_do_not_wait_for_each_other() -> None:
    async def main() -> list[str]:
        lanes, done, gate = Lanes(10), list[str](), asyncio.Event()

        async def first() -> None:
            await gate.wait()
            done.append("first")

        async def second() -> None:
            done.append("second")

        async def other() -> None:
            done.append("other")
            gate.set()

        assert [lanes.put("a", first), lanes.put("a", second), lanes.put("b", other)] == [True, True, True]
        await lanes.close(5)
        assert len(lanes) == 0
        return done

    assert asyncio.run(main()) == ["other", "first", "second"]


def test_more_than_the_limit_is_not_taken() -> None:
    async def main() -> None:
        lanes, gate = Lanes(2), asyncio.Event()

        async def wait() -> None:
            await gate.wait()

        assert [lanes.put("a", wait), lanes.put("b", wait), lanes.put("c", wait)] == [True, True, False]
        gate.set()
        await lanes.close(5)

    asyncio.run(main())


def test_who_brings_much_waits_for_room() -> None:
    async def main() -> list[str]:
        lanes, done = Lanes(10), list[str]()
        gates = [asyncio.Event(), asyncio.Event()]

        async def wait(number: int) -> None:
            await gates[number].wait()
            done.append(f"work {number}")

        lanes.put("a", lambda: wait(0))
        lanes.put("b", lambda: wait(1))
        await lanes.room(3)
        asyncio.get_running_loop().call_soon(gates[1].set)
        await lanes.room(2)
        done.append("room")
        gates[0].set()
        await lanes.room(1)
        await lanes.close(5)
        return done

    assert asyncio.run(main()) == ["work 1", "room", "work 0"]


def test_what_fails_is_logged_and_does_not_stop_the_lane(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> list[str]:
        lanes, done = Lanes(10), list[str]()

        async def fail() -> None:
            raise ValueError("a bug")

        async def after() -> None:
            done.append("after")

        lanes.put("a", fail)
        lanes.put("a", after)
        await lanes.close(5)
        return done

    assert asyncio.run(main()) == ["after"]
    assert "a bug" in caplog.text


def test_the_end_is_bounded_and_nothing_is_taken_after_it(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        lanes, ended = Lanes(10), list[str]()

        async def hang() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("hang")

        async def never() -> None:
            ended.append("never")

        lanes.beside(hang())
        await asyncio.sleep(0)
        await lanes.close(0)
        assert lanes.put("a", never) is False
        lanes.beside(never())
        await asyncio.sleep(0)
        assert ended == ["hang"]

    with caplog.at_level(logging.WARNING):
        asyncio.run(main())
    assert "1 pieces of work" in caplog.text
