"""Waiting for descriptors."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterator

import pytest

from openab_sync.acp.poll import READ, WRITE, Poll


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for descriptor in ends:
        os.close(descriptor)


def test_what_is_ready_is_called_and_nothing_else(pipe: tuple[int, int]) -> None:
    poll, called = Poll(), []
    poll.watch(pipe[0], READ, lambda: called.append("read"))
    poll.watch(pipe[1], WRITE, lambda: called.append("write"))
    poll.wait(math.inf)
    assert called == ["write"]
    os.write(pipe[1], b"x")
    poll.wait(0)
    assert sorted(called) == ["read", "write", "write"]


def test_what_is_forgotten_is_called_no_more_and_can_be_forgotten_twice(pipe: tuple[int, int]) -> None:
    poll, called = Poll(), []
    poll.watch(pipe[1], WRITE, lambda: called.append("write"))
    assert len(poll) == 1
    poll.forget(pipe[1])
    poll.forget(pipe[1])
    poll.wait(0.001)
    assert (len(poll), called) == (0, [])


def test_a_call_may_forget_another_that_is_ready_as_well(pipe: tuple[int, int]) -> None:
    poll, called = Poll(), []
    os.write(pipe[1], b"x")

    def read() -> None:
        called.append("read")
        poll.forget(pipe[1])

    poll.watch(pipe[0], READ, read)
    poll.watch(pipe[1], WRITE, lambda: called.append("write"))
    poll.wait(1)
    assert "read" in called
    assert len(poll) == 1


def test_the_end_of_a_pipe_wakes_who_waits_for_ever() -> None:
    read, write = os.pipe()
    poll, called = Poll(), []
    poll.watch(read, READ, lambda: called.append("end"))
    closer = threading.Thread(target=os.close, args=(write,))
    closer.start()
    poll.wait(math.inf)
    closer.join(10)
    os.close(read)
    assert called == ["end"]
