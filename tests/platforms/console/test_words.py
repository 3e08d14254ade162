from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.acp.events import PermissionOption
from openab_sync.platforms.console.words import Interrupts, Order, chosen, mistyped, nearly, order

from .stub import OPTIONS

KNOWN = {"models", "cancel"}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("/models", Order("models")),
        ("  /models  large \n", Order("models", "large")),
        ("/MODELS Large", Order("models", "Large")),
        ("/modelsfoo", None),
        ("models", None),
        ("/", None),
        ("/usr/bin is a folder", None),
        ("/models\nand more", None),
    ],
)
def test_only_exact_names_are_orders(text: str, meant: Order | None) -> None:
    """FIELD F16: `/modelsfoo` is the agent's and must not vanish."""
    assert order(text, KNOWN) == meant


@given(st.text())
def test_any_text_is_an_order_or_it_is_not(text: str) -> None:
    meant = order(text, KNOWN)
    assert meant is None or meant.name in KNOWN


@pytest.mark.parametrize(
    ("text", "option_id"),
    [
        ("1", "yes"),
        (" 2 ", "no"),
        ("allow ONCE", "yes"),
        ("no", "no"),
        ("0", None),
        ("3", None),
        ("²", None),
        ("", None),
    ],
)
def test_an_option_is_chosen_by_number_name_or_id(text: str, option_id: str | None) -> None:
    option = chosen(text, OPTIONS)
    assert (option and option.option_id) == option_id


def test_a_name_that_two_options_have_chooses_neither() -> None:
    assert chosen("yes", (PermissionOption("a", "Yes"), PermissionOption("b", "yes"))) is None


def test_ctrl_c_cancels_and_twice_leaves() -> None:
    presses = Interrupts()
    assert [presses.press(10.0, busy=True), presses.press(11.9, busy=True)] == ["cancel", "leave"]


def test_a_slow_second_ctrl_c_cancels_again_while_something_runs() -> None:
    presses = Interrupts()
    assert [presses.press(10.0, busy=True), presses.press(13.0, busy=True)] == ["cancel", "cancel"]


def test_when_nothing_runs_the_second_ctrl_c_leaves_however_slow() -> None:
    presses = Interrupts()
    assert [presses.press(10.0, busy=False), presses.press(99.0, busy=False)] == ["hint", "leave"]


def test_typing_makes_the_next_ctrl_c_a_first_one() -> None:
    presses = Interrupts()
    presses.press(10.0, busy=False)
    presses.forget()
    assert presses.press(10.5, busy=True) == "cancel"


@pytest.mark.parametrize(
    ("text", "near"),
    [("3", True), ("0", True), ("al", True), (" REJ ", True), ("y", True), ("", False), ("²", False), ("later", False)],
)
def test_a_wrong_number_and_half_a_name_are_meant_as_answers(text: str, near: bool) -> None:
    assert nearly(text, OPTIONS) is near


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("/stauts", "status"),
        (" /STAUTS now", "status"),
        ("/status", None),
        ("/statue", None),
        ("/statusfoo", None),
        ("/foo", None),
        ("stauts", None),
        ("/stauts\nmore", None),
        ("/", None),
    ],
)
def test_an_order_that_is_mistyped_is_recognised(text: str, meant: str | None) -> None:
    assert mistyped(text, {"status", "switch"}, {"statue"}) == meant


@given(st.text())
def test_only_one_of_ours_can_be_meant(text: str) -> None:
    assert mistyped(text, KNOWN, ()) in {*KNOWN, None}
