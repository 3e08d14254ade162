"""Models, modes and everything else that the agent lets people set."""

from __future__ import annotations

import pytest

from openab_sync.acp.events import Choice, Option
from openab_sync.core.command_options import option_of, shown
from openab_sync.core.commands import CommandAnswer, carry_out
from openab_sync.errors import AgentRefused
from tests.core.counter import EFFORT, FREE, MODE, MODEL, WEB, Counter
from tests.core.makers import ANNA, HERE


def test_models_are_listed_with_the_one_that_is_chosen() -> None:
    assert Counter(MODE, MODEL).ask("models").text.splitlines() == [
        "Model:",
        "● big (The Big One) — slow and wise",
        "○ small (big)",
        "○ tiny (Tiny)",
    ]


@pytest.mark.parametrize("name", ["modes", "agents"])
def test_modes_are_listed_under_both_names(name: str) -> None:
    assert Counter(MODEL, MODE).ask(name).text.splitlines() == ["Mode:", "● code", "○ ask (Ask First)"]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("small", "small"),
        ("big", "big"),  # a value wins over a name
        ("The Big One", "big"),
        ("the big one", "big"),
        ("  TINY ", "tiny"),
        ("Tiny", "tiny"),
    ],
)
def test_a_choice_is_named_by_value_or_by_name(word: str, value: str) -> None:
    order = Counter(MODEL).set("models", word)
    assert (order.option_id, order.value) == ("model", value)


def test_the_alias_sets_the_mode() -> None:
    order = Counter(MODEL, MODE).set("agents", "ask first")
    assert (order.option_id, order.value) == ("mode", "ask")


def test_a_choice_that_is_not_offered_is_answered_with_those_that_are() -> None:
    counter = Counter(MODE)
    answer = counter.ask("modes", "yolo")
    assert answer == CommandAnswer("Mode has no choice yolo.\nMode:\n● code\n○ ask (Ask First)", ok=False)
    assert counter.pool.orders == []


@pytest.mark.parametrize(("name", "category"), [("models", "model"), ("modes", "mode")])
def test_an_agent_without_a_choice_says_so(name: str, category: str) -> None:
    assert Counter(WEB).ask(name) == CommandAnswer(f"This agent offers no choice of {category}s.", ok=False)


def test_the_model_is_the_option_of_that_name_where_several_have_the_category() -> None:
    provider = Option("provider", "Provider", "x", category="model", choices=(Choice("x", "X"),))
    assert Counter(provider, MODEL).ask("models").text.startswith("Model:")
    assert Counter(provider).ask("models").text.startswith("Provider:")
    bare = Option("model", "Model", "m", choices=(Choice("m", "M"),))  # no category at all
    assert Counter(bare).ask("models").text.startswith("Model:")


def test_config_lists_everything_that_can_be_set() -> None:
    assert Counter(MODEL, WEB, FREE).ask("config").text.splitlines() == [
        "model: big — Model",
        "web: off — Web Search",
        "branch: main",
    ]


def test_config_shows_one_option_with_its_choices() -> None:
    assert Counter(WEB).ask("config", "web").text == "Web Search: off (on or off)"
    assert Counter(EFFORT).ask("config", "EFFORT").text == "Reasoning Effort:\n● low (Low)\n○ high (High)"


@pytest.mark.parametrize("argument", ["effort high", "Effort  HIGH", "reasoning effort high", "effort\nhigh"])
def test_config_sets_by_id_or_name_of_several_words(argument: str) -> None:
    order = Counter(MODEL, EFFORT).set("config", argument)
    assert (order.option_id, order.value) == ("effort", "high")


def test_an_id_wins_over_an_equal_name_and_the_longest_name_over_its_beginning() -> None:
    twin = Option("other", "Effort", "x")
    longer = Option("longer", "Effort Limit", "x")
    for options in ((twin, longer, EFFORT), (EFFORT, longer, twin)):
        assert Counter(*options).set("config", "effort high").option_id == "effort"
        assert Counter(*options).set("config", "effort limit 3").option_id == "longer"


@pytest.mark.parametrize(
    ("word", "value"), [("on", True), ("YES", True), ("true", True), ("off", False), ("No", False)]
)
def test_a_switch_understands_the_usual_words(word: str, value: bool) -> None:
    assert Counter(WEB).set("config", f"web {word}").value is value


def test_a_switch_does_not_guess() -> None:
    answer = Counter(WEB).ask("config", "web maybe")
    assert answer == CommandAnswer("Web Search has no choice maybe.\nWeb Search: off (on or off)", ok=False)


def test_an_option_without_choices_takes_any_word() -> None:
    assert Counter(FREE).set("config", "branch feature/x y").value == "feature/x y"


def test_an_unknown_option_is_answered_with_those_there_are() -> None:
    answer = Counter(MODEL, WEB).ask("config", "webs on")
    assert answer == CommandAnswer("There is no option webs; there are: model, web.", ok=False)


def test_an_agent_with_nothing_to_set_says_so() -> None:
    assert Counter().ask("config") == CommandAnswer("This agent has nothing to set.", ok=False)


def test_a_session_that_is_gone_by_then_has_nothing_to_set() -> None:
    counter = Counter(MODEL)
    counter.pool.sessions = ()
    assert not counter.ask("config").ok


def test_the_agents_own_refusal_is_shown_and_nothing_is_tried_behind_its_back() -> None:
    """FIELD B18."""
    counter = Counter(MODEL)
    future = carry_out(counter.desk, HERE, ("models", "tiny"), ANNA)
    counter.pool.orders[0].done.set_result("")
    counter.pool.orders[1].done.set_exception(AgentRefused("this model is not in your plan"))
    assert future.result(0) == CommandAnswer("this model is not in your plan", ok=False)
    assert len(counter.pool.orders) == 2


def test_what_is_the_model_is_found_among_all_options() -> None:
    assert option_of((WEB, MODE, MODEL), "model") is MODEL
    assert option_of((WEB, MODE), "model") is None
    assert (shown(True), shown(False), shown("big")) == ("on", "off", "big")
