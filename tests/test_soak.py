"""The soak works: a short one is clean, and its account and its gauge notice what a long one is for."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from openab_sync.acp.events import Said
from openab_sync.core.broker import Receipt
from openab_sync.core.house import House
from openab_sync.core.message import Inbound, MessageRef, Person
from openab_sync.core.port import ChatPort, TurnEnded, TurnStarted
from tests.core.bed import place
from tests.fakes.discord import Server
from tests.fakes.discord.actors import Actor
from tests.fakes.discord.things import Message
from tests.soak.account import Account, plain
from tests.soak.fates import Fates
from tests.soak.gauge import Reading, growth, left_behind

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.timeout(100)  # a busy machine needs its time to end a dozen agents
def test_a_short_soak_is_clean() -> None:
    command = [sys.executable, "-m", "tests.soak", "--minutes", "0.05"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count("sessions ") == 3
    assert "accepted 0 " not in run.stdout.splitlines()[-2]
    assert run.stdout.endswith("All is accounted for.\n")


# The account.


def ref(number: int) -> MessageRef:
    return MessageRef(place("1"), f"ann.{number}")


def accepted(*numbers: int) -> Account:
    account = Account()
    for number in numbers:
        account.enter(ref(number), Receipt("accepted"))
    return account


def answer(account: Account, number: int, text: str = "") -> None:
    account.event(place("1"), TurnStarted((ref(number),)))
    account.event(place("1"), Said(text))
    account.event(place("1"), TurnEnded((ref(number),), "done"))


def drop(account: Account, number: int) -> None:
    account.drop(cast(House, None), cast(ChatPort, None), Inbound(ref(number), Person("ann"), ""))


def test_each_message_has_one_fate() -> None:
    account = accepted(1, 2)
    answer(account, 1)
    drop(account, 2)
    assert account.faults() == []
    assert repr(account) == "accepted 2 refused 0 answered 1 dropped 1"


def test_a_lost_message_is_noticed() -> None:
    assert accepted(1).faults() == ["ann.1 was accepted, then answered 0 times and dropped 0 times"]


def test_two_fates_are_noticed() -> None:
    account = accepted(1, 2)
    answer(account, 1)
    drop(account, 1)
    answer(account, 2)
    answer(account, 2)
    assert account.faults() == [
        "ann.1 was accepted, then answered 1 times and dropped 1 times",
        "ann.2 was accepted, then answered 2 times and dropped 0 times",
        "ann.2 was begun 2 times",
    ]


def test_a_refused_message_stays_refused() -> None:
    account = Account()
    account.enter(ref(1), Receipt("refused"))
    assert account.faults() == []
    answer(account, 1)
    assert account.faults() == ["ann.1 was refused and came back all the same"]


def test_an_answer_is_the_message_s_own() -> None:
    account = accepted(1, 2)
    account.expect(ref(1))
    account.expect(ref(2))
    answer(account, 1, plain("ann.1").removeprefix("say "))
    answer(account, 2, "[ann.1]")
    assert account.faults() == ["ann.2 got somebody else's answer: '[ann.1]'"]


def test_who_was_overtaken_is_noticed() -> None:
    account = accepted(1, 2)
    answer(account, 2)
    answer(account, 1)
    assert account.faults() == ["ann.1 was answered after 2, which was written later"]


# The gauge.


def reading(at: float, memory: float) -> Reading:
    return Reading(at, frozenset(), 0, 0, memory)


def test_memory_counts_after_the_first_minute_and_a_spike_does_not() -> None:
    assert growth([reading(at, at) for at in range(0, 60, 10)]) is None
    flat = [reading(at, 50) for at in range(60, 180, 10)]
    assert growth([reading(0, 1), *flat, reading(180, 500)]) == 0
    assert growth([reading(at, at / 10) for at in range(0, 190, 10)]) == 9


def test_what_is_left_behind_is_named() -> None:
    before, over = Reading.take(), threading.Event()
    late = threading.Thread(target=over.wait, name="late")
    late.start()
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as child:
        left = left_behind(before)
        assert child.stdin is not None
        child.stdin.close()
    over.set()
    late.join()
    assert left == ["the thread late is still there", "1 descriptors are still open", "1 children are still there"]
    assert left_behind(before) == []


# The fates: the account of the soak in which the broker is killed, taken from what stands in the chat.


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


def wrote(server: Server, fates: Fates, name: str) -> Message:
    message = server.user("ann").write("general", f"say [{name}]")
    fates.enter(name, message)
    return message


def says(server: Server, text: str, about: Message | None = None) -> Message:
    bot = Actor(server, server.app.user)
    return bot.write("general", text, reply_to=about)


def test_answered_told_and_taken_back_are_fates(server: Server) -> None:
    fates = Fates(server)
    wrote(server, fates, "a.1")
    told, gone = wrote(server, fates, "a.2"), wrote(server, fates, "a.3")
    says(server, "so be it: [a.1]")
    says(server, "interrupted by a restart", told)
    server.user("ann").delete(gone)
    assert fates.faults() == fates.open() == []
    assert repr(fates) == "answered 1 told 1 taken back 1 open 0"


def test_a_message_nobody_speaks_of_is_lost(server: Server) -> None:
    fates = Fates(server)
    wrote(server, fates, "a.1")
    assert fates.open() == ["a.1"]
    assert fates.faults() == ["a.1 was neither answered nor told about: 'say [a.1]'"]


def test_an_answer_that_stands_twice_is_noticed(server: Server) -> None:
    fates = Fates(server)
    wrote(server, fates, "a.1")
    for _ in range(2):
        says(server, "[a.1]")
    assert fates.faults() == ["a.1 was answered 2 times"]


def test_a_message_that_still_looks_as_if_it_waited_is_noticed(server: Server) -> None:
    fates = Fates(server)
    message = wrote(server, fates, "a.1")
    says(server, "[a.1]")
    Actor(server, server.app.user).react(message, "👀")
    assert (fates.open(), fates.waiting()) == ([], ["a.1"])
    assert fates.faults() == ["1 look as if they still waited: a.1"]
