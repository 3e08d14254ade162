"""Forms on Discord: built within its limits, read without trust, and the whole way from an agent and back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.core.events import Choice, Field
from openab_sync.core.port import Form
from openab_sync.platforms.discord.modals import PAGE_FIELDS, address_view, page_modal, pages, read_page
from tests.fakes.discord import Interaction, Message, Server, ShiftedClock
from tests.fakes.discord.checks import check_modal
from tests.platforms.discord.bed import house
from tests.platforms.discord.fake_client import QUICK
from tests.platforms.discord.pressing import buttons, done, shown, told

MANY = tuple(Choice(f"v{n}", f"Choice {n}") for n in range(30))
WORDS = st.text(max_size=300)
FIELDS = st.builds(
    Field,
    st.text(max_size=9),
    st.sampled_from(["text", "number", "integer", "boolean", "choice", "choices"]),
    WORDS,
    WORDS,
    st.booleans(),
    st.lists(WORDS, max_size=2).map(tuple),
    st.sampled_from([(Choice("a", "A", "x" * 200),), MANY, MANY[:25]]),
    st.none() | st.floats(-5, 9000),
    st.none() | st.floats(-5, 9000),
)


@given(st.lists(FIELDS, min_size=1, max_size=7), WORDS)
def test_every_page_of_every_form_is_one_that_discord_shows(fields: list[Field], agent: str) -> None:
    form = Form(agent or "Robin", tuple(fields))
    assert pages(form) == (2 if len(fields) > PAGE_FIELDS else 1)
    for number in range(pages(form)):
        check_modal(page_modal(form, "token", number, {}).to_dict())


def test_what_was_given_before_is_there_again() -> None:
    fields = (Field("n", "text", "Name"), Field("s", "boolean", "Sure"))
    made = page_modal(Form("Robin", fields), "t", 0, {"n": ("Ann",), "s": ("no",)}).to_dict()
    name, sure = (part["component"] for part in made["components"])
    assert name["value"] == "Ann" and [one["label"] for one in sure["options"] if one["default"]] == ["no"]


json_values = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["components", "component", "custom_id", "value", "values"]), inner, max_size=4
        )
    ),
    max_leaves=15,
)


@given(json_values)
def test_what_comes_back_is_never_trusted(data: Any) -> None:
    fields = (Field("n", "text", "Name"), Field("c", "choice", "C", choices=MANY[:3]))
    given_back = read_page(Form("Robin", fields), 0, data)
    assert set(given_back) == {"n", "c"} and set(given_back["c"]) <= {"v0", "v1", "v2"}


def test_a_button_opens_an_address_that_is_short_enough() -> None:
    assert (
        address_view("", "https://example.org/") is not None and address_view("", "https://x.org/" + "a" * 600) is None
    )


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(clock=ShiftedClock(), limits=QUICK) as server:
        yield server


def modal_of(server: Server, pressed: Interaction) -> Interaction:
    server.until(lambda: pressed.modal is not None, what="the form is shown")
    return pressed


def test_a_form_is_filled_in_page_by_page_by_those_whose_turn_it_is(server: Server) -> None:
    with house(server) as bed:
        message = bed.until_said("wants to know something", bed.thread("elicit_form"))
        assert buttons(message) == ["Fill in", "Decline", "Dismiss"]
        assert "Your name" in message.content and "Are you sure (yes or no)" in message.content
        assert told(server, server.user("eve").click(message, "Fill in")) == "This question is ann's to answer."
        first = modal_of(server, bed.ann.click(message, "Fill in"))
        sent = bed.ann.submit(first, f0="A", f2="0", f4=["0", "1"])
        assert "Your name must have 2 to 20 characters" in shown(server, sent).content
        again = modal_of(server, bed.ann.click(shown(server, sent), "Correct it"))
        assert again.modal is not None
        assert again.modal["components"][4]["component"]["options"][1]["default"], "what was chosen is there again"
        sent = bed.ann.submit(again, f0="Ann", f1="1", f2="0", f3="4", f4=["0", "1"])
        assert shown(server, sent).content == "Page 1 of 2 is kept."
        last = modal_of(server, bed.ann.click(shown(server, sent), "Go on with page 2"))
        done(server, bed.ann.submit(last, f0="a remark"))
        answer = bed.until_said("'action': 'accept'", message.channel).content
        for part in (
            "'name': 'Ann'",
            "'colour': 'blue'",
            "'sure': True",
            "'count': 4",
            "['a', 'b']",
            "'note': 'a remark'",
        ):
            assert part in answer
        server.until(lambda: "Filled in — ann · <t:" in message.content and not buttons(message))
        assert "a remark" not in message.content, "what was filled in is between the two"


def test_an_address_is_for_one_person_alone_and_opened_only_with_their_word(server: Server) -> None:
    with house(server) as bed:
        message = bed.until_said("open a page on example.org", bed.thread("elicit_url"))
        assert "login" not in message.content
        alone: Message = shown(server, bed.ann.click(message, "Show the address"))
        assert alone.is_ephemeral and "https://example.org/login?x=1" in alone.content
        assert buttons(message), "seeing is not opening"
        done(server, bed.ann.click(alone, "I want to open it"))
        bed.until_said("'action': 'accept'", message.channel)
        bed.until_said("Done: what was to be done on example.org.", message.channel)
        assert (
            buttons(alone) == ["Open"]
            and alone.components[0]["components"][0]["url"] == "https://example.org/login?x=1"
        )
        server.until(lambda: "Opened — ann" in message.content)


@pytest.mark.parametrize(("button", "action"), [("Decline", "decline"), ("Dismiss", "cancel")])
def test_a_form_can_be_declined_or_dismissed(button: str, action: str, server: Server) -> None:
    with house(server) as bed:
        message = bed.until_said("wants to know something", bed.thread("elicit_form"))
        bed.ann.click(message, button)
        bed.until_said(f"'action': '{action}'", message.channel)


def test_forged_pages_and_addresses_are_refused(server: Server) -> None:
    with house(server) as bed:
        message = bed.until_said("wants to know something", bed.thread("elicit_form"))
        token = message.components[0]["components"][0]["custom_id"].split(":")[2]
        part = message.components[0]["components"][0]
        for forged, words in (
            (f"oab:fill:{token}:7", "no page"),
            (f"oab:agree:{token}", "no address"),
            ("oab:fill:nonsense:0", "not open any more"),
            (f"oab:ask:{token}:9", "none of the answers"),
        ):
            part["custom_id"] = forged
            assert words in told(server, bed.ann.click(message, forged))
