"""Figures: what happens is told once, where it happens."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openab_sync.core.figures import Figure, Figures, cause_of, unobserved
from openab_sync.errors import AgentGone, AgentProtocolError, AgentStartError, OpenabError
from tests.core.bed import ANN, Bed
from tests.waiting import until

Told = list[tuple[Figure, float, str]]


def told(bed: Bed) -> Told:
    """What the house of this bed tells from now on."""
    found: Told = []
    house = bed.pool._house
    bed.pool._house = replace(house, observe=lambda *figure: found.append(figure))
    return found


def of(found: Told, figure: Figure) -> list[tuple[float, str]]:
    return [(value, label) for name, value, label in found if name is figure]


def test_a_turn_tells_how_long_it_took_and_what_it_used() -> None:
    with Bed() as bed:
        found = told(bed)
        bed.ask("say hello\nusage\ntokens")
        bed.ask("say again\nusage\nerror details")
        assert [label for _, label in of(found, Figure.TURN)] == ["done", "failed"]
        assert all(0 <= value < 60 for value, _ in of(found, Figure.TURN) + of(found, Figure.FIRST_TEXT))
        assert len(of(found, Figure.FIRST_TEXT)) == 2
        assert len(of(found, Figure.QUEUE_WAIT)) == 2
        assert of(found, Figure.COST) == [(0.25, "USD")]  # the second report says the same sum
        assert [value for value, _ in of(found, Figure.TOKENS)] == [5]


def test_a_message_that_waits_tells_for_how_long() -> None:
    with Bed() as bed:
        found = told(bed)
        bed.say("hang")
        until(lambda: of(found, Figure.QUEUE_WAIT))
        bed.say("hello")
        bed.command("cancel")
        until(lambda: len(bed.ends()) == 2)
        assert len(of(found, Figure.QUEUE_WAIT)) == 2
        assert of(found, Figure.QUEUE_WAIT)[1][0] > 0


def test_a_question_tells_how_long_it_was_open() -> None:
    with Bed() as bed:
        found = told(bed)
        bed.say("ask")
        question = bed.port.until_question()
        bed.port.answer(question, question.options[0].option_id, ANN)
        until(bed.ends)
        [(waited, label)] = of(found, Figure.PERMISSION_WAIT)
        assert 0 < waited < 60 and label == ""


@pytest.mark.parametrize(("word", "cause"), [("crash", "gone"), ("exit0", "gone")])
def test_a_session_that_dies_tells_of_what(word: str, cause: str) -> None:
    with Bed() as bed:
        found = told(bed)
        bed.ask(word)
        until(lambda: of(found, Figure.CRASH) == [(1, cause)])


def test_one_that_ends_as_it_was_told_is_no_crash() -> None:
    with Bed() as bed:
        found = told(bed)
        bed.ask("say hello")
        bed.command("reset")
    assert of(found, Figure.CRASH) == []


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (AgentGone("x"), "gone"),
        (AgentStartError("x"), "start"),
        (AgentProtocolError("x"), "protocol"),
        (OpenabError("x"), "internal"),
    ],
)
def test_causes_have_short_names(error: OpenabError, cause: str) -> None:
    assert cause_of(error) == cause


def test_without_anybody_who_listens_nothing_happens() -> None:
    unobserved(Figure.TURN, 1.0, "")


def test_what_is_told_is_taken_once_and_the_oldest_goes_when_nobody_takes_it() -> None:
    figures = Figures(most=2)
    for value in (1.0, 2.0, 3.0):
        figures(Figure.TURN, value, "done")
    assert [value for _, value, _ in figures.take()] == [2.0, 3.0]
    assert list(figures.take()) == []
