"""The wire as it is met: what agents write beside the protocol, and what they ask for (tests/README.rst)."""

from __future__ import annotations

from pathlib import Path

import pytest

from openab_sync.core.state import State
from tests.core.bed import ANN, Bed, received
from tests.faults.scenes import answers, refusals
from tests.waiting import until

# What is written, and what people read of it.
LINES = [
    ("garbage 3", "after the garbage"),
    ("blank_lines", "after blank lines"),
    ("invalid_utf8", "after invalid UTF-8"),
    ("lone_cr", "after a progress bar"),
    ("batch", "batch: -32600\n"),
    ("surrogate", "lone \ufffd surrogate"),
    ("u2028", "one\u2028two\u2029three\u0085four"),
    ("hostile", "still there?"),
    ("float_numbers\nsay counted", "counted"),
    ("unknown_update", "fine weather"),
    ("unknown_block", "seen it?"),
    ("wrong_session", "for you"),
    ("answer_unknown_id", "nobody asked"),
    ("empty_chunks", "between"),
    ("echo_user", "your own words came back"),
    ("tokens", "counted"),
    ("image_out\nsay shown", "shown"),
    ("audio_out\nresource_out\nsay sent", "sent"),
]


@pytest.mark.parametrize("flags", [(), ("--null-members", "--crlf", "--string-ids")], ids=["plain", "odd"])
def test_odd_lines_cost_no_text_and_no_turn(flags: tuple[str, ...]) -> None:
    """B17."""
    with Bed(*flags) as bed:
        for word, text in LINES:
            before = bed.text()
            assert (bed.ask(word).outcome, word) == ("done", word)
            assert bed.text()[len(before) :] == text
        bed.until_state(State.IDLE)


@pytest.mark.parametrize("flag", ["--banner", "--bom", "--crlf", "--null-members", "--early-updates"])
def test_an_odd_beginning_is_a_beginning(flag: str) -> None:
    with Bed(flag) as bed:
        assert bed.ask("say hello").outcome == "done"
        assert bed.text() == "hello"


def test_what_comes_in_the_same_read_as_the_session_is_not_lost() -> None:
    with Bed("--early-updates") as bed:
        bed.ask("say hello")
        assert [command.name for command in bed.snapshot().commands] == ["early"]


def test_a_line_of_megabytes_is_a_line() -> None:
    """Where readers take 64 KiB at most, the agent is deaf and dumb from then on."""
    with Bed() as bed:
        assert bed.ask("huge 3000000").outcome == "done"
        assert len(bed.text()) == 3_000_000


def test_a_line_beyond_all_measure_ends_the_agent_and_not_the_conversation() -> None:
    with Bed() as bed:
        end = bed.ask("say begun\ntoolong")
        assert end.outcome == "failed"
        assert "bytes" in end.reason
        assert bed.ask("say next").outcome == "done"
        assert bed.text().endswith("next")


# What agents ask for.


@pytest.mark.parametrize(
    ("word", "method"),
    [
        ("fs_write", "fs/write_text_file"),
        ("fs_read", "fs/read_text_file"),
        ("terminal", "terminal/create"),
        ("elicit", "elicitation/create"),
        ("ext", "craft/drainMidTurnQueue"),
    ],
)
def test_what_nobody_announced_is_refused_and_the_turn_goes_on(word: str, method: str) -> None:
    """Two agents of the field ask for files and for methods of their own in mid-turn, and wait for the answer."""
    with Bed() as bed:
        assert bed.ask(f"{word}\n{word}\nsay done").outcome == "done"
        assert bed.text() == f"{method}: -32601\n" * 2 + "done"


def test_notifications_nobody_knows_are_passed_over() -> None:
    with Bed() as bed:
        assert bed.ask("notify_ext").outcome == "done"
        assert bed.text() == "notified"


def test_a_request_with_the_number_of_our_prompt_is_a_request() -> None:
    """Each direction has numbers of its own: it neither ends the turn nor stays without an answer."""
    with Bed(permissions={"mode": "allow"}) as bed:
        assert bed.ask("same_id\nfs_write\nsay done").outcome == "done"
        assert bed.text() == "answer: ok-1\nfs/write_text_file: -32601\ndone"


def test_an_id_used_twice_is_answered_twice(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Bed("--log", str(log)) as bed:
        bed.say("dup_request_id")
        question = bed.port.until_question()
        until(lambda: refusals(log) == [-32600])  # the second, while the first is open
        bed.port.answer(question, "ok-1", ANN)
        until(bed.ends)
        assert bed.text() == "answer 1: -32600\nanswer 2: ok-1\n"


def test_questions_that_are_open_when_the_house_closes_are_answered(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Bed("--log", str(log)) as bed:
        bed.say("ask_two")
        until(lambda: len(bed.port.questions) == 2)
        assert bed.app.stop()
    assert answers(log) == [{"outcome": "cancelled"}] * 2
    assert received(log)[-1] == {"event": "eof"}
