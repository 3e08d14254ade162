"""Forms, addresses and limits in a real browser: answered with the keyboard alone, on a phone, seen by axe."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests.platforms.web.bed import Bed, page

from .test_accessibility import faults
from .window import Window

pytestmark = pytest.mark.browser


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    with page(tmp_path) as running:
        yield running


def labelled(window: Window, name: str) -> str:
    """The id of the field with that label."""
    script = """const labels = [...document.querySelectorAll("#talk label[for]")];
        return labels.find((label) => label.innerText === arguments[0]).htmlFor"""
    return str(window.script(script, name))


def test_a_form_is_filled_in_with_the_keyboard_on_a_phone(bed: Bed, window: Window) -> None:
    window.resize(360, 740)
    window.enter(bed)
    window.driver.get(window.driver.current_url.partition("#")[0] + "#/new")
    window.say("elicit_form")
    window.until("#talk .asked-form")
    assert "Tell me." in window.text("#talk .asked-form") and "2 to 20 characters" in window.text("#talk .asked-form")
    assert window.script("return document.documentElement.scrollWidth") <= 360
    assert faults(window) == []
    name = labelled(window, "Your name")
    window.script("document.getElementById(arguments[0]).focus()", name)
    window.keys("A", Keys.ENTER)  # too short, and more is missing
    window.until_text("Your name must have 2 to 20 characters.")
    window.until_text("Are you sure is needed.")
    assert window.focus() == name and faults(window) == []
    assert all("422" in text for text in window.complaints())
    window.keys("nn")
    for keys in (("red",), ("yes",), (Keys.CONTROL + "a" + Keys.NULL, "7"), (Keys.SPACE,), (), (), (Keys.ENTER,)):
        window.keys(Keys.TAB, *keys)  # colour, sure, count, Alpha, Beta, note, Send
    window.until_text("form: {")
    answer = ast.literal_eval(window.text("#talk .said").partition("form: ")[2])
    wanted = {"name": "Ann", "colour": "red", "sure": True, "count": 7, "tags": ["a"]}
    assert answer == {"action": "accept", "content": wanted}
    assert "Filled in" in window.text("#talk .ask.settled")


def test_limits_are_lifted_with_a_button(tmp_path: Path, window: Window) -> None:
    with page(tmp_path, limits={"tool_calls_per_turn": 5}) as bed:
        window.enter(bed)
        bed.write("repeat_tools 8\nhang", "web:tools")
        window.driver.get(window.driver.current_url.partition("#")[0] + "#/c/web:tools")
        window.until("#talk .end")
        window.press("🔓 Lift the limits", "#talk")
        window.until_text("No limits here until midnight.")
        assert not window.one("#talk .notice button").is_enabled() and faults(window) == []
        window.leave()


def test_a_form_is_declined(bed: Bed, window: Window) -> None:
    window.enter(bed)
    window.say("elicit_form")
    window.until("#talk .asked-form")
    assert window.named("Answer there", "#questions") and not window.all("#questions .asked-form")
    window.press("Decline", "#talk")
    window.until_text("'decline'", "#talk .said")
    window.until_gone("#talk .asked-form")


def test_an_address_is_shown_when_it_is_asked_for_and_opened_by_its_link(bed: Bed, window: Window) -> None:
    window.enter(bed)
    window.say("elicit_url")
    window.until("#talk .asked-form")
    assert "login?x" not in window.text("body") and "Please log in." in window.text("#talk")
    window.press("Show the address", "#talk")
    window.until_text("https://example.org/login?x=1", "#talk .url")
    link = window.one("#talk .address a")
    shown = [link.get_attribute(name) for name in ("href", "target", "rel")]
    assert shown == ["https://example.org/login?x=1", "_blank", "noopener noreferrer"]
    assert window.focus() == "Open example.org" and faults(window) == []
    window.script("arguments[0].target = ''; arguments[0].href = '#'", link)  # nobody is called from here
    window.script("arguments[0].addEventListener('click', (event) => event.preventDefault())", link)
    window.keys(Keys.ENTER)
    window.until_text("'accept'", "#talk .said")
    assert "login?x" not in window.text("body")
