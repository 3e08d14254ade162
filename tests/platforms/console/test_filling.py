"""Answers line by line: an option, a form field by field, an address that is seen before it is opened."""

from __future__ import annotations

from openab_sync.core.events import Choice, Field, PermissionOption
from openab_sync.core.forms import DECLINE, DISMISS, FILL, OPEN
from openab_sync.core.message import Conversation
from openab_sync.core.port import Form, Question
from openab_sync.platforms.console.filling import NOTHING, Filling, Step

HERE = Conversation("console", "1")
FIELDS = (
    Field("name", "text", "Name", is_required=True, least=2),
    Field("colour", "choice", "Colour", "of the shed", default=("red",), choices=(Choice("red", "Red", "warm"),)),
    Field("tags", "choices", "Tags", choices=(Choice("a", "Alpha"), Choice("b", "Beta"))),
)


def form(*fields: Field, url: str = "") -> Question:
    first = OPEN if url else FILL
    return Question("q", HERE, "Robin asks", "", (first, DECLINE, DISMISS), form=Form("Robin", fields, url))


def test_an_option_is_an_answer_at_once_and_anything_else_is_none() -> None:
    question = Question("q", HERE, "rm", "", (PermissionOption("ok", "Allow"), PermissionOption("no", "No")))
    assert Filling().take(question, "allow") == Step(option_id="ok")
    assert Filling().take(question, "hello") is NOTHING
    assert Filling().take(form(*FIELDS), "2") == Step(option_id="decline")


def test_a_form_is_asked_for_field_by_field_reviewed_and_sent() -> None:
    filling, question = Filling(), form(*FIELDS)
    assert filling.take(question, "fill in").said == "Name"
    assert "2" in filling.take(question, "x").said, "too short"
    said = filling.take(question, "Ann").said
    assert "Colour (one of: Red; may be left out) — of the shed" in said
    assert "1. Red — warm" in said and "a number or a name; = for Red; - to leave it out" in said
    assert "a comma between several" in filling.take(question, "=").said
    review = filling.take(question, "alpha, beta").said
    assert review.startswith("1. Name: Ann\n2. Colour: Red\n3. Tags: Alpha, Beta\nType send, the number of what")
    assert filling.take(question, "what?").said.startswith("Type send")
    assert filling.take(question, "1").said == "Name"
    assert filling.take(question, "Bob").said.startswith("1. Name: Bob")
    end = filling.take(question, "send")
    assert (end.option_id, end.values) == ("fill", {"name": ("Bob",), "colour": ("red",), "tags": ("a", "b")})
    assert filling.take(question, "hello") is NOTHING, "it is over"


def test_what_may_be_left_out_is_left_out_and_a_form_can_be_declined_on_the_way() -> None:
    filling, question = Filling(), form(*FIELDS)
    steps = [filling.take(question, line) for line in ("1", "Ann", "-", "-")]
    assert "2. Colour: –" in steps[-1].said
    assert filling.take(question, "decline") == Step(option_id="decline")
    filling.take(question, "1")
    assert filling.take(question, "/decline") == Step(option_id="decline")


def test_a_choice_is_picked_by_its_number_or_by_the_name_that_is_shown() -> None:
    """A name that holds a secret is shown without it, and two such names may look alike."""
    choices = (Choice("hunter2-a", "[redacted]"), Choice("hunter2-b", "[redacted]"), Choice("2", "Two, three"))
    secret = Field("which", "choice", "Which", is_required=True, choices=choices)
    several = Field("some", "choices", "Some", choices=(Choice("x-hunter2", "x-[redacted]"), *choices[2:]))
    filling, question = Filling(), form(secret, several)
    assert "1. [redacted]" in filling.take(question, "1").said
    assert "has no choice" in filling.take(question, "[redacted]").said, "which of the two?"
    assert "has no choice" in filling.take(question, "9").said
    filling.take(question, "1")
    review = filling.take(question, "X-[redacted], 2").said
    assert review.startswith("1. Which: [redacted]\n2. Some: x-[redacted], Two, three\n"), "and no secret in it"
    end = filling.take(question, "send")
    assert end.values == {"which": ("hunter2-a",), "some": ("x-hunter2", "2")}


def test_a_form_without_fields_is_only_sent() -> None:
    filling, question = Filling(), form()
    assert "Type send" in filling.take(question, "1").said
    assert filling.take(question, "send") == Step(option_id="fill", values={})


def test_an_address_is_seen_whole_before_somebody_agrees() -> None:
    url = "http://example.org/login?x=1"
    filling, question = Filling(), form(url=url)
    said = filling.take(question, "1").said
    assert said.startswith(f"{url}\nIt is on example.org.\n⚠️ Careful:")
    assert filling.take(question, "perhaps") == Step("Type yes or no.")
    assert filling.take(question, "YES") == Step(option_id="open")
    filling.take(question, "1")
    assert filling.take(question, "no") == Step(option_id="decline")
