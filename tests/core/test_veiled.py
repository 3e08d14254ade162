"""The last gate: whatever goes to a platform is redacted and unmasked; what is clean is not touched."""

from __future__ import annotations

from openab_sync.acp import events as acp
from openab_sync.clock import SystemClock
from openab_sync.core.message import Conversation, MessageRef
from openab_sync.core.port import ChatPort, File, Form, Limits, Notice, Question, Settled, TurnEnded
from openab_sync.core.veiled import VeiledPort, swept, words
from openab_sync.text.redact import Redactor
from tests.fakes.platform import FakePlatform

HERE = Conversation("fake", "1")
SECRET = "canary-of-this-test"
REDACT = Redactor([SECRET])


def gate() -> tuple[VeiledPort, FakePlatform]:
    port = FakePlatform(SystemClock(), Limits(reactions=False, edit_interval=0.0))
    return VeiledPort(port, REDACT), port


def test_pages_titles_and_sentences_are_redacted_and_links_unmasked() -> None:
    veiled, port = gate()
    ref = veiled.post(HERE, f"a {SECRET} [https://good.example](https://evil.example)").result(1)
    assert port.texts(HERE) == ["a [redacted] https://good.example (https://evil.example)"]
    veiled.edit(ref, f"b {SECRET}").result(1)
    assert port.texts(HERE) == ["b [redacted]"]
    veiled.rename(HERE, f"t {SECRET}").result(1)
    assert port.titles == {HERE: "t [redacted]"}
    assert veiled.limits(HERE) == port.limits(HERE)


def test_a_question_is_redacted_alike_when_it_is_asked_and_when_it_is_settled() -> None:
    veiled, port = gate()
    options = (acp.PermissionOption("yes", f"Yes, {SECRET}", "allow_once"), acp.PermissionOption("no", "No"))
    question = Question("q", HERE, f"Run {SECRET}?", f"```\n{SECRET}\n```", options)
    veiled.ask(question)
    veiled.settle(question, f"Yes, {SECRET} — Ann").result(1)
    (asked, _), (settled, text) = port.questions["q"], port.settled[0]
    assert asked == settled
    assert SECRET not in str(asked) + text
    assert [option.option_id for option in asked.options] == ["yes", "no"] and asked.options[1] is options[1]


def test_a_form_is_redacted_and_a_default_with_a_secret_is_none() -> None:
    veiled, port = gate()
    choices = (acp.Choice("x", f"Name {SECRET}", f"about {SECRET}"),)
    field = acp.Field("a", "choice", f"Title {SECRET}", f"about {SECRET}", choices=choices, default=(SECRET,))
    plain = acp.Field("b", "text", "Name", default=("Ann",))
    form = Form("Robin", (field, plain), message=f"Tell me {SECRET}")
    veiled.ask(Question("q", HERE, "?", "", (), form=form))
    shown = port.questions["q"][0].form
    assert shown is not None and SECRET not in str(shown) + shown.message
    assert [one.default for one in shown.fields] == [(), ("Ann",)] and shown.fields[1] == plain


def test_a_file_is_redacted_if_it_is_a_text_whatever_it_is_called() -> None:
    veiled, port = gate()
    picture = b"\x89PNG\r\n\x1a\n" + SECRET.encode()  # only said to be one; what is in it is not read
    for name, data in ((f"{SECRET}.png", f"x {SECRET}".encode()), ("a.png", picture), ("b.txt", "ü".encode("utf-16"))):
        veiled.upload(HERE, File(name, data)).result(1)
    files = [message.file for message in port.messages(HERE) if message.file]
    assert [(file.name, file.data) for file in files] == [
        ("[redacted].png", b"x [redacted]"), ("a.png", picture), ("b.txt", "ü".encode("utf-16")),
    ]  # fmt: skip


def test_a_platform_that_draws_by_itself_is_told_our_sentences_redacted() -> None:
    veiled, port = gate()
    question = Question("q", HERE, SECRET, "", ())
    ref = MessageRef(HERE, "1")
    for event in (Notice(SECRET), Settled(question, SECRET), TurnEnded((ref,), "failed", SECRET, SECRET)):
        veiled.event(HERE, event)
    assert SECRET not in str(port.events) and str(port.events).count("[redacted]") == 5


def test_everything_that_comes_with_a_tool_call_is_swept() -> None:
    content = (
        acp.Output(SECRET),
        acp.Diff(SECRET, None, SECRET),
        acp.Link(SECRET, SECRET),
        acp.Media("image", data=SECRET),
    )
    call = acp.ToolChanged(
        "t", SECRET, content=content, locations=(SECRET,), raw_input={SECRET: [{"x": SECRET}]}, raw_output=SECRET
    )
    swept_call = swept(call, REDACT)
    assert str(swept_call).count("[redacted]") == 10
    assert str(swept_call).count(SECRET) == 1, "the data of a picture is not text"
    assert swept_call.content is not None and swept_call.content[0] == acp.Output("[redacted]")


def test_what_is_too_deep_is_not_shown() -> None:
    nest: object = SECRET
    for _ in range(60):
        nest = [nest]
    assert SECRET not in str(swept(nest, REDACT)) and "[redacted]" in str(swept(nest, REDACT))
    assert not words(nest, []) and words([[SECRET]], [])


def test_whatever_is_swept_is_among_the_words() -> None:
    content = (acp.Output("a1"), acp.Diff("a2", None, "a3"), acp.Link("a4", "a5"), acp.Media("image", data="x"))
    call = acp.ToolChanged("a6", "a7", content=content, locations=("a8",), raw_input={"b1": [{"b2": 1}, True, "b3"]})
    found: list[str] = []
    assert words(call, found)
    assert {"a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "b1", "b2", "b3"} <= set(found) and "x" not in found


def test_what_a_passage_has_let_through_goes_to_the_platform_as_it_is() -> None:
    veiled, port = gate()
    said = acp.Said("hello")
    VeiledPort(veiled, REDACT).event(HERE, said)
    assert port.events == [(HERE, said)] and port.events[0][1] is said


def test_every_method_of_a_port_goes_through() -> None:
    """A method that a port gets and the gate does not would be missed only where it is needed."""
    methods = {name for name, value in vars(ChatPort).items() if callable(value) and not name.startswith("_")}
    assert methods <= set(vars(VeiledPort))
