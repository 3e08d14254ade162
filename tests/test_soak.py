"""The soak works: a short one is clean, and its account and its gauge notice what a long one is for."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import psutil
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
from tests.soak import house, program
from tests.soak.__main__ import main
from tests.soak.account import Account, plain
from tests.soak.fates import Fates
from tests.soak.gauge import Belongings, Reading, drift, slopes

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.timeout(100)  # a busy machine needs its time to end a dozen agents
def test_a_short_soak_is_clean() -> None:
    command = [sys.executable, "-m", "tests.soak", "house", "--minutes", "0.05"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count("sessions ") == 3
    assert "accepted 0 " not in run.stdout.splitlines()[-2]
    assert run.stdout.endswith("All is accounted for.\n")


def test_the_broker_is_killed_every_20_to_40_seconds_for_20_minutes_and_more_often_in_a_short_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[float, bool]] = []

    def run(seconds: float, seed: int, log: Path | None, *, is_killed: bool) -> tuple[list[str], list[Reading]]:
        asked.append((seconds, is_killed))
        return [], []

    monkeypatch.setattr(program, "run", run)
    assert main(["killed"]) == 0
    assert asked == [(1200.0, True)]
    assert (program.kills(1200.0), program.kills(60.0)) == ((20.0, 40.0), (10.0, 20.0))


def test_a_wrong_kind_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["lively"])
    assert ended.value.code == 2
    assert "there is no kind lively; there are: killed, steady, house" in capsys.readouterr().err


def test_a_soak_ends_with_what_it_found_and_what_it_cost(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    readings = [reading(at, at / 36) for at in range(0, 1200, 10)]
    monkeypatch.setattr(house, "run", lambda seconds, seed: (["a.1 was lost"], readings))
    assert main(["house"]) == 1
    assert "memory: +100.0 an hour in the second half" in capsys.readouterr().out
    monkeypatch.setattr(house, "run", lambda seconds, seed: ([], readings))
    assert main(["house"]) == 0
    assert capsys.readouterr().out.endswith("All is accounted for.\n")


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


def reading(at: float, memory: float, threads: int = 8) -> Reading:
    return Reading(at, threads, 40, 8, memory)


def test_what_goes_on_growing_is_named() -> None:
    assert drift([reading(at, 50 + at / 36) for at in range(0, 3600, 10)]) == [
        "memory grew by 100.0 an hour in the second half, more than 12"
    ]
    assert drift([reading(at, 50, 8 + at // 10) for at in range(0, 3600, 10)]) == [
        "threads grew by 360.0 an hour in the second half, more than 6"
    ]


def test_what_is_used_once_in_the_first_half_and_what_comes_and_goes_is_flat() -> None:
    dice = random.Random(1)
    flat = [reading(at, min(at / 20, 90) + dice.uniform(-9, 9), dice.randint(8, 20)) for at in range(0, 3600, 10)]
    assert slopes(flat).keys() == {"memory", "threads", "descriptors"}
    assert drift(flat) == []


def test_a_short_soak_says_nothing_of_growth() -> None:
    assert slopes([]) == slopes([reading(at, at) for at in range(0, 400, 10)]) == {}


def test_another_process_is_weighed() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as child:
        seen = Reading.take(7.0, psutil.Process(child.pid))
        assert child.stdin is not None
        child.stdin.close()
    assert (seen.at, seen.threads, seen.children) == (7.0, 1, 0)
    assert seen.descriptors >= 3
    assert Reading.take().memory > 10 > seen.memory > 0


def test_what_is_left_behind_is_named() -> None:
    before, over = Belongings(), threading.Event()
    late = threading.Thread(target=over.wait, name="late")
    late.start()
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as child:
        left = before.left_behind()
        assert child.stdin is not None
        child.stdin.close()
    over.set()
    late.join()
    assert left == ["the thread late is still there", "1 descriptors are still open", "1 children are still there"]
    assert before.left_behind() == []


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
    assert fates.faults() == ["a.1 was answered 2 times and told about 0 times: ['[a.1]', '[a.1]']"]


def test_who_is_told_twice_or_answered_as_well_is_noticed(server: Server) -> None:
    fates = Fates(server)
    twice, both = wrote(server, fates, "a.1"), wrote(server, fates, "a.2")
    for _ in range(2):
        says(server, "not now", twice)
    says(server, "[a.2]", both)
    says(server, "not now", both)
    assert fates.faults() == [
        "a.1 was answered 0 times and told about 2 times: ['not now', 'not now']",
        "a.2 was answered 1 times and told about 1 times: ['[a.2]', 'not now']",
    ]


def test_a_place_in_the_line_is_no_fate(server: Server) -> None:
    fates = Fates(server)
    message = wrote(server, fates, "a.1")
    says(server, "All 8 agents are busy: number 2 in line, it starts by itself.", message)
    assert fates.open() == ["a.1"]
    says(server, "[a.1]", message)
    assert (fates.open(), fates.faults()) == ([], [])


def test_what_opened_a_thread_is_told_about_in_there(server: Server) -> None:
    fates = Fates(server)
    message = wrote(server, fates, "a.1")
    bot = Actor(server, server.app.user)
    thread = bot.open_thread(message, "a thread")
    bot.write(thread, "well")
    assert fates.open() == ["a.1"]
    bot.write(thread, "> ⚠️ Interrupted by a restart before anything had been said.")
    assert (fates.open(), fates.faults()) == ([], [])


def test_messages_that_still_look_as_if_they_waited_are_noticed(server: Server) -> None:
    """One may: a broker that is killed while it takes the mark back."""
    fates = Fates(server)
    for name in ("a.1", "a.2"):
        assert fates.faults() == []
        message = wrote(server, fates, name)
        says(server, f"[{name}]")
        Actor(server, server.app.user).react(message, "👀")
    assert (fates.open(), fates.waiting()) == ([], ["a.1", "a.2"])
    assert fates.faults() == ["2 look as if they still waited: ['a.1', 'a.2']"]
