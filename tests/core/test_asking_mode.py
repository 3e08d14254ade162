"""Which mode makes an agent ask, and what people are told where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from openab_sync.acp.events import Choice, Option
from openab_sync.config.agents import Preset, presets
from openab_sync.core.asking_mode import NOTHING, Wish, mode_of, unasked, wish
from tests.core.bed import Bed, place, received
from tests.waiting import until

MODE = Option("mode", "Mode", "auto", category="mode", choices=(Choice("auto", "Auto"), Choice("default", "Default")))


def preset(**more: Any) -> Preset:
    return Preset(name="x", title="X", command="x", **{"asks": "mode", "ask_mode": "default", **more})


def wanted(known: Preset | None, *options: Option, chosen: Any = None, is_set: bool = True) -> Wish:
    return wish(known, "Robin", options, chosen or {}, is_set=is_set)


def test_an_agent_is_put_into_the_mode_in_which_it_asks() -> None:
    assert wanted(preset(), MODE) == Wish("mode", "default")
    assert wanted(preset(asks="default"), MODE) == Wish("mode", "default"), "it may have been left in another one"


def test_nothing_is_done_where_it_is_in_it_or_nobody_knows_the_agent() -> None:
    at_it = Option("mode", "Mode", "default", category="mode", choices=MODE.choices)
    assert wanted(preset(), at_it) == wanted(None, MODE) == NOTHING
    assert wanted(preset(asks="default", ask_mode=None), MODE) == NOTHING


def test_what_somebody_has_chosen_stands() -> None:
    assert wanted(preset(), MODE, chosen={"mode": "auto"}) == NOTHING
    assert wanted(preset(), MODE, chosen={"mode": "plan"}, is_set=False) == Wish("mode", "plan")
    assert wanted(preset(), MODE, chosen={"mode": "auto"}, is_set=False) == NOTHING, "it is"
    assert wanted(preset(), MODE, chosen={"model": "x"}) == Wish("mode", "default")


@pytest.mark.parametrize(
    "options", [(), (Option("mode", "Mode", "a", choices=(Choice("a", "A"),)),)], ids=["no", "other"]
)
def test_where_it_has_no_such_mode_people_are_told_unless_it_asks_anyway(options: tuple[Option, ...]) -> None:
    assert wanted(preset(), *options) == Wish(complaint=unasked("Robin", "default", "it has no such mode"))
    assert wanted(preset(asks="default"), *options) == NOTHING


@pytest.mark.parametrize(("asks", "words"), [("never", "Robin never asks"), ("unknown", "Nobody has checked")])
def test_an_agent_that_does_not_ask_is_told_of(asks: str, words: str) -> None:
    assert words in wanted(preset(asks=asks, ask_mode=None), MODE).complaint


def test_the_mode_is_found_by_its_id_then_by_its_category() -> None:
    other = Option("style", "Style", "x", category="mode")
    assert mode_of((other, MODE)) is MODE and mode_of((other,)) is other and mode_of(()) is None


def test_every_agent_that_asks_only_in_a_mode_says_in_which() -> None:
    assert all(one.ask_mode for one in presets().values() if one.asks == "mode")


def test_who_takes_an_agent_out_of_that_mode_is_told_what_it_means() -> None:
    with Bed("--options", agent={"preset": "demo"}) as bed:
        assert bed.command("modes", "auto").text == "mode is auto now. Only in ask is it known to ask before it acts."
        assert bed.command("modes", "ask").text == "mode is ask now."
        assert bed.command("models", "large").text == "model is large now."


@pytest.mark.parametrize("flags", [(), ("--resume-cap",)], ids=["load", "resume"])
def test_it_is_put_into_that_mode_after_new_and_when_its_session_is_taken_up_again(
    tmp_path: Path, flags: tuple[str, ...]
) -> None:
    """It begins in another one each time."""
    log = tmp_path / "log"
    again = "session/resume" if flags else "session/load"
    with Bed("--options", "--begins-auto", *flags, "--log", str(log), agent={"preset": "demo"}) as bed:
        for begun in ("session/new", again):
            bed.ask("say hello")
            methods = [str(one["method"]) for one in received(log) if "session/" in str(one.get("method"))]
            last = methods[methods.index(begun) :]
            assert last[:3] == [begun, "session/set_config_option", "session/prompt"], methods
            assert bed.broker.suspend(place(), "to see it come back")
            until(lambda: not bed.broker.snapshot().sessions)


def test_a_conversation_is_told_once_that_its_agent_may_act_unasked() -> None:
    """Not with the next turn, nor when its session is taken up again; another conversation is told as well."""
    with Bed(agent={"preset": "pi"}) as bed:

        def told(at: str) -> list[str]:
            return [text for text in bed.notices(at) if "never asks before it acts" in text]

        bed.ask("say hello")
        assert len(told("1")) == 1 and told("1")[0].endswith("it may do whatever your user may.")
        bed.ask("say again")
        assert bed.broker.suspend(place(), "to see it come back")
        until(lambda: not bed.broker.snapshot().sessions)
        bed.ask("say once more")
        bed.ask("say hello", to="2")
        assert (len(told("1")), len(told("2"))) == (1, 1)
