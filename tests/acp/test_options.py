"""Config options, modes and models end in one list, and each is set by the request that its agent wants."""

from __future__ import annotations

from typing import Any

import pytest

from openab_sync.acp.events import Answered, Choice, Noise, Option, OptionsChanged
from openab_sync.errors import AgentRefused
from tests.acp.talk import Talk, opened, update

MODES = {
    "currentModeId": "ask",
    "availableModes": [{"id": "ask", "name": "Ask"}, {"id": "code", "name": "Code", "description": "Writes"}],
}
MODELS = {
    "currentModelId": "auto",
    "availableModels": [{"modelId": "auto", "name": "Auto"}, {"modelId": "big", "description": None}],
}


def select(name: str, value: str, *values: str, **members: object) -> dict[str, Any]:
    choices = [{"value": one, "name": one.title()} for one in values]
    return {"id": name, "name": name.title(), "type": "select", "currentValue": value, "options": choices, **members}


def values(talk: Talk) -> dict[str, str | bool]:
    return {option.id: option.value for option in talk.peer.options}


def test_a_flat_select_a_grouped_one_and_a_boolean() -> None:
    groups = [
        {"group": "fast", "name": "Fast ones", "options": [{"value": "a", "name": "A"}]},
        {"group": "slow", "options": [{"value": "b", "name": "B", "description": "big"}]},
    ]
    talk = opened(
        configOptions=[
            select("thinking", "low", "low", "high", category="thought_level", description="How hard"),
            {"id": "model", "type": "select", "currentValue": "b", "options": groups, "category": "model"},
            {"id": "auto", "name": "Auto-approve", "type": "boolean", "currentValue": True},
        ]
    )
    thinking, model, auto = talk.peer.options
    assert thinking.choices == (Choice("low", "Low"), Choice("high", "High"))
    assert (thinking.category, thinking.description, thinking.via) == ("thought_level", "How hard", "config")
    assert model.choices == (Choice("a", "A", "", "Fast ones"), Choice("b", "B", "big", "slow"))
    assert model.name == "model"
    assert auto == Option("auto", "Auto-approve", True, "boolean")


def test_modes_and_models_alone_are_options_too() -> None:
    talk = opened(modes=MODES, models=MODELS)
    mode, model = talk.peer.options
    assert mode == Option(
        "mode",
        "Mode",
        "ask",
        category="mode",
        via="mode",
        choices=(Choice("ask", "Ask"), Choice("code", "Code", "Writes")),
    )
    assert (model.via, model.value, model.choices) == ("model", "auto", (Choice("auto", "Auto"), Choice("big", "big")))


@pytest.mark.parametrize(
    "odd",
    [
        None,
        7,
        {"name": "no id"},
        {"id": 5, "type": "select"},
        {"id": "slider", "type": "slider", "currentValue": "3"},
    ],
)
def test_one_odd_option_costs_a_noise_and_never_the_others(odd: object) -> None:
    talk = Talk().shake_hands()
    good = select("x", "a", "a")
    events = talk.answer(talk.peer.new_session("/w"), {"sessionId": "s-1", "configOptions": [odd, good]})
    assert values(talk) == {"x": "a"}
    assert len([event for event in events if isinstance(event, Noise)]) == 1


def test_odd_choices_and_odd_values_cost_themselves_only() -> None:
    odd = [
        3,
        {"name": "no value"},
        {"value": "a"},
        {"value": "a", "name": "again"},
        {"group": "g", "options": [None, {"value": "b"}]},
    ]
    talk = opened(configOptions=[{"id": "x", "currentValue": 5, "options": odd}, {"id": "y", "currentValue": False}])
    first, second = talk.peer.options
    assert first.choices == (Choice("a", "a"), Choice("b", "b", "", "g"))
    assert (first.value, first.kind, second.kind) == ("", "select", "boolean")


def test_modes_that_are_no_object_change_nothing() -> None:
    talk = opened(modes=[1], models="x", configOptions={"a": 1})
    assert talk.peer.options == ()


def test_a_mode_that_is_a_config_option_too_is_one_thing_and_moves_with_both() -> None:
    talk = opened(configOptions=[select("session_mode", "ask", "ask", "code", category="mode")], modes=MODES)
    assert values(talk) == {"session_mode": "ask"}
    (event,) = talk.hear(update("current_mode_update", currentModeId="code"))
    assert isinstance(event, OptionsChanged)
    assert values(talk) == {"session_mode": "code"}
    assert talk.hear(update("current_mode_update", currentModeId="code")) == []
    talk.hear(
        update("config_option_update", configOptions=[select("session_mode", "ask", "ask", "code", category="mode")])
    )
    assert values(talk) == {"session_mode": "ask"}


def test_a_mode_update_moves_a_config_option_without_any_modes() -> None:
    talk = opened(configOptions=[select("mode", "ask", "ask", "code", category="mode")])
    talk.hear(update("current_mode_update", modeId="code"))
    assert values(talk) == {"mode": "code"}
    assert talk.hear(update("current_mode_update", currentModeId="unheard-of")) == []
    assert talk.hear(update("current_mode_update")) == []


def test_thought_levels_told_as_modes_are_not_shown_twice() -> None:
    modes = {"currentModeId": "low", "availableModes": [{"id": "low", "name": "L"}, {"id": "off", "name": "O"}]}
    talk = opened(configOptions=[select("thought_level", "low", "off", "low", category="thought_level")], modes=modes)
    assert values(talk) == {"thought_level": "low"}


def test_a_provider_is_not_the_model_though_its_category_says_so() -> None:
    provider = select("provider", "x", "x", "y", category="model")
    talk = opened(configOptions=[provider, select("llm", "auto", "auto", "big", category="model")], models=MODELS)
    assert values(talk) == {"provider": "x", "llm": "auto"}
    talk = opened(configOptions=[provider], models=MODELS)
    assert values(talk) == {"provider": "x", "model": "auto"}


def test_setting_a_config_option_believes_the_answer_and_nothing_else() -> None:
    talk = opened(configOptions=[select("x", "a", "a", "b"), {"id": "y", "type": "boolean", "currentValue": False}])
    first = talk.peer.set_option("x", "b")
    second = talk.peer.set_option("y", "on")
    one, two = talk.written()
    assert one["method"] == "session/set_config_option"
    assert one["params"] == {"sessionId": "s-1", "configId": "x", "value": "b"}
    assert two["params"] == {"sessionId": "s-1", "configId": "y", "value": True, "type": "boolean"}
    assert talk.answer(first, {}) == [Answered(first, "session/set_config_option", {})]
    assert values(talk)["x"] == "a"
    events = talk.answer(second, {"configOptions": [select("x", "b", "a", "b")]})
    assert [type(event) for event in events] == [Answered, OptionsChanged]
    assert values(talk) == {"x": "b"}


@pytest.mark.parametrize("answer", [{}, None])
def test_an_empty_answer_to_a_mode_or_a_model_means_that_it_is_set(answer: object) -> None:
    talk = opened(modes=MODES, models=MODELS)
    mode, model = talk.peer.set_option("mode", "code"), talk.peer.set_option("model", "big")
    one, two = talk.written()
    assert (one["method"], one["params"]) == ("session/set_mode", {"sessionId": "s-1", "modeId": "code"})
    assert (two["method"], two["params"]) == ("session/set_model", {"sessionId": "s-1", "modelId": "big"})
    events = talk.hear({"id": mode, "result": answer}, {"id": model, "result": answer})
    assert [type(event) for event in events] == [Answered, OptionsChanged] * 2
    assert values(talk) == {"mode": "code", "model": "big"}


def test_a_refused_setting_changes_nothing() -> None:
    talk = opened(modes=MODES)
    talk.refuse(talk.peer.set_option("mode", "code"), {"code": -32602, "message": "no"})
    assert values(talk) == {"mode": "ask"}


@pytest.mark.parametrize(
    ("option", "value", "text"),
    [
        ("moed", "ask", "no such option: 'moed' (did you mean 'mode'?)"),
        ("zzz", "ask", "no such option: 'zzz' (there is: auto, free, mode)"),
        ("mode", "cod", "no such choice of mode: 'cod' (did you mean 'code'?)"),
        ("mode", True, "no such choice of mode: 'True' (there is: ask, code)"),
        ("auto", "maybe", "auto can be on or off, not 'maybe'"),
    ],
)
def test_what_is_not_offered_is_refused_with_the_nearest_that_is(option: str, value: str | bool, text: str) -> None:
    auto = {"id": "auto", "type": "boolean", "currentValue": False}
    talk = opened(configOptions=[auto, {"id": "free", "currentValue": "x"}], modes=MODES)
    with pytest.raises(AgentRefused) as caught:
        talk.peer.set_option(option, value)
    assert str(caught.value) == text
    assert talk.written() == []


def test_a_select_without_choices_takes_any_text_and_a_boolean_a_boolean() -> None:
    talk = opened(configOptions=[{"id": "free", "currentValue": "x"}, {"id": "auto", "currentValue": True}])
    talk.peer.set_option("free", "anything")
    talk.peer.set_option("auto", False)
    assert [one["params"]["value"] for one in talk.written()] == ["anything", False]


def test_nothing_can_be_set_where_nothing_is_offered() -> None:
    with pytest.raises(AgentRefused, match=r"no such option: 'mode'$"):
        opened().peer.set_option("mode", "x")


def test_options_told_before_the_answer_count_where_the_answer_is_silent() -> None:
    talk = Talk().shake_hands()
    early = update("config_option_update", configOptions=[select("x", "early", "early", "late")])
    events = talk.hear(early, {"id": talk.peer.new_session("/w"), "result": {"sessionId": "s-1"}})
    assert [type(event) for event in events] == [Answered, OptionsChanged]
    assert values(talk) == {"x": "early"}
    late = {"sessionId": "s-1", "configOptions": [select("x", "late", "early", "late")]}
    talk.hear(early, {"id": talk.peer.new_session("/w"), "result": late})
    assert values(talk) == {"x": "late"}
    assert repr(talk.peer._news.book) == "<OptionBook x=late>"
