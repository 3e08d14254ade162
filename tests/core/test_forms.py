"""Forms as questions, and what becomes of the words that people typed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openab_sync.acp.events import Choice, Elicited, Field
from openab_sync.core.forms import DECLINE, DISMISS, FILL, OPEN, asked_as, caution, hint, problems, result_of
from openab_sync.core.message import Person
from openab_sync.core.port import Decision, Form, Limits
from tests.acp.test_inquiries import FORM, URL, elicit
from tests.core.bed import ANN, EVENTS, Bed
from tests.core.test_answering import Scene
from tests.waiting import until

NAME = Field("name", "text", "Your name", "as in your passport", is_required=True)
COLOUR = Field("colour", "choice", "Colour", choices=(Choice("r", "Red"), Choice("b", "Blue")))
ASKED = Elicited(1, "form", "Tell me. https://evil.example", (NAME, COLOUR))
PAGE = Elicited(2, "url", "Log in", (), "https://example.org/x", "e1")
FORMS = replace(EVENTS, forms=True, links=True)


def decided(option: str, **values: tuple[str, ...]) -> Decision:
    return Decision(option, ANN, values)


def test_a_form_says_who_asks_for_what_and_nothing_in_it_is_a_link() -> None:
    title, detail, options, form = asked_as(ASKED, "Robin")
    assert title == "Robin wants to know something"
    assert detail == (
        "```\nTell me. https://evil.example\n"
        "• Your name — as in your passport\n"
        "• Colour (one of: Red, Blue; may be left out)\n```"
    )
    assert (options, form) == (
        (FILL, DECLINE, DISMISS),
        Form("Robin", (NAME, COLOUR), message="Tell me. https://evil.example"),
    )


def test_an_address_is_named_by_its_host_and_shown_to_nobody_yet() -> None:
    title, detail, options, form = asked_as(PAGE, "Robin")
    assert title == "Robin asks you to open a page on example.org"
    assert "example.org/x" not in title + detail and form.url == PAGE.url and "example.org" not in repr(form)
    assert options == (OPEN, DECLINE, DISMISS)
    assert caution(PAGE.url) == ""
    assert "not encrypted" in caution("http://x.org/") and "other letters" in caution("https://xn--pple-43d.com/")


@pytest.mark.parametrize(
    ("field", "text"),
    [
        (Field("n", "integer", "Count"), "Count (a whole number; may be left out)"),
        (Field("s", "boolean", "Sure", is_required=True), "Sure (yes or no)"),
        (Field("c", "choices", "Tags", choices=(Choice("a", "A"),), is_required=True), "Tags (any of: A)"),
    ],
)
def test_a_hint_says_what_a_field_takes(field: Field, text: str) -> None:
    assert hint(field) == text


def test_what_people_decided_is_what_the_agent_gets() -> None:
    given = {"name": ("Ann",), "colour": ("Blue",)}
    assert result_of(ASKED, decided("fill", **given)) == {"action": "accept", "content": {"name": "Ann", "colour": "b"}}
    assert result_of(ASKED, decided("fill", name=("Ann",))) == {"action": "accept", "content": {"name": "Ann"}}
    assert result_of(ASKED, decided("decline")) == {"action": "decline"}
    assert result_of(PAGE, decided("open")) == {"action": "accept"}


@pytest.mark.parametrize(
    ("asked", "decision"),
    [
        (ASKED, decided("cancel")),
        (ASKED, decided("fill")),
        (ASKED, decided("open")),
        (ASKED, Decision("fill", ANN)),
        (ASKED, decided("fill", name=("Ann",), colour=("Green",))),
        (PAGE, decided("fill")),
        (PAGE, decided("odd")),
    ],
)
def test_what_is_not_in_order_is_cancelled(asked: Elicited, decision: Decision) -> None:
    assert result_of(asked, decision) == {"action": "cancel"}


def test_problems_are_told_a_sentence_each() -> None:
    assert problems((NAME, COLOUR), {"colour": ("Green",)}) == ["Your name is needed.", "Colour has no choice Green."]
    assert problems((NAME,), {"name": ("x",)}) == []


# In a turn.


def scene() -> Scene:
    made = Scene(FORMS)
    made.talk.peer._inquiries._modes = made.talk.peer._elicits = ("form", "url")
    return made


def results(of: Scene) -> list[object]:
    return [message["result"] for message in of.talk.written() if "result" in message]


def test_a_form_is_put_to_people_whatever_the_rules_are_and_the_ceiling_stands_still() -> None:
    one = scene()
    one.hear(elicit(1, FORM))
    question = one.platform.until_question()
    assert question.form is not None and question.asked_of == (ANN,) and one.answering.questions == 1
    one.platform.questions[question.id][1].set_result(Decision("fill", ANN, {"name": ("Ann",)}))
    one.answering.tend()
    assert results(one) == [{"action": "accept", "content": {"name": "Ann"}}]
    assert one.settled() == ["Filled in — Ann"] and one.answering.questions == 0


def test_a_form_is_filled_in_only_where_it_is_shown() -> None:
    one = scene()
    one.hear(elicit(1, FORM))
    question = one.platform.until_question()
    assert not one.answering.reply.decide(question.id, Decision("fill", ANN))
    assert one.answering.reply.decide(question.id, Decision("decline", ANN))
    one.answering.tend()
    assert results(one) == [{"action": "decline"}]


def test_nobody_answers_a_form_in_time_and_it_is_dismissed() -> None:
    one = scene()
    one.hear(elicit(1, FORM), elicit(2, URL))
    one.go(600)
    assert results(one) == [{"action": "cancel"}] * 2
    assert one.settled()[0] == "Nobody answered within 10 minutes: cancelled."


def test_an_address_that_was_opened_is_done_when_the_agent_says_so_once() -> None:
    one = scene()
    done = {"method": "elicitation/complete", "params": {"elicitationId": "e1"}}
    one.hear(elicit(1, URL), done)
    question = one.platform.until_question()
    one.platform.questions[question.id][1].set_result(Decision("open", Person("bob", "Bob")))
    one.answering.tend()
    assert results(one) == [{"action": "accept"}] and one.settled() == ["Opened — Bob"]
    one.hear(done, done)
    said = [event.text for _, event in one.platform.events if hasattr(event, "text")]
    assert said.count("🔗 Done: what was to be done on example.org.") == 1


def test_after_the_end_and_in_a_cancel_nobody_is_asked() -> None:
    one = scene()
    one.end(stopReason="end_turn")
    one.hear(elicit(1, FORM))
    assert results(one) == [{"action": "cancel"}] and one.platform.questions == {}


@pytest.mark.parametrize(("limits", "answer"), [(FORMS, "accept"), (EVENTS, "-32601")])
def test_a_real_agent_gets_what_a_platform_can_show(limits: Limits, answer: str) -> None:
    with Bed(limits=limits) as bed:
        bed.say("elicit_form\nelicit_url")
        if limits is FORMS:
            first = bed.port.until_question()
            bed.port.questions[first.id][1].set_result(Decision("fill", ANN, {"name": ("Ann",), "sure": ("yes",)}))
            until(lambda: len(bed.port.questions) == 2)
            bed.port.answer(bed.port.until_question(), "open", ANN)
        until(bed.ends)
        assert bed.text().count(answer) == 2
        assert ("'name': 'Ann', 'sure': True" in bed.text()) is (limits is FORMS)
