"""What is told piece by piece: no secret, however it is torn; and what is looked at once is told as one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.acp import events as acp
from openab_sync.core.passage import Passage
from openab_sync.core.port import Notice
from openab_sync.core.turn import Taken
from openab_sync.text.redact import REDACTED, Redactor
from tests.text.test_redact import BODY, SHAPES

SECRET = "canary-of-this-test"
REDACT = Redactor([SECRET])
TOOL = acp.ToolChanged("t", title="ls")


def told(*events: Taken) -> Sequence[object]:
    passage = Passage(REDACT)
    return [out for event in events for out in passage.through(event)] + list(passage.rest())


def test_a_secret_in_pieces_is_never_told() -> None:
    said = told(*(acp.Said(piece, "m") for piece in ("It is can", "ary-of", "-this-t", "est.")))
    assert "".join(event.text for event in said if isinstance(event, acp.Said)) == "It is [redacted]."
    assert all(event.message_id == "m" for event in said if isinstance(event, acp.Said))


def test_what_was_held_back_comes_before_whatever_is_next() -> None:
    tool = acp.ToolChanged("t", title="ls")
    assert told(acp.Said("at can"), tool) == [acp.Said("at "), acp.Said("can"), tool]
    assert told(acp.Said("can", "1"), acp.Said("ary", "2")) == [acp.Said("can", "1"), acp.Said("ary", "2")]
    assert told(acp.Said("canary-of"), tool, acp.Said("-this-test!")) == [
        acp.Said("[redacted]"), tool, acp.Said("[redacted]!"),
    ]  # fmt: skip
    assert told(acp.Thought("can"), acp.Thought("ary-of-this-test!")) == [acp.Thought("[redacted]!")]


def test_what_is_clean_goes_through_as_it_is() -> None:
    events = (acp.Said("hello"), acp.Thought("hm"), acp.ToolChanged("t", title="ls", raw_input={"a": [1, None, "b"]}))
    assert all(out is event for out, event in zip(told(*events), events, strict=True))


# ---- a read at once ----

KNOWN = [SECRET, "correct horse battery", "postgres://me:hunter2-and-more@db.example/prod"]
ALL = Redactor(KNOWN)
SECRETS = [*KNOWN, *SHAPES.values(), f"Bearer {BODY}"]
BITS = ["the ", "word", "skip ", " ", "Mo", "http://a", "@b", "…", "ask-", "sk-", "bearer ", "tests/core/test_x.py"]


@st.composite
def bits(draw: st.DrawFn) -> str:
    """Some of a secret, or a word."""
    if draw(st.booleans()):
        return draw(st.sampled_from(BITS))
    secret = draw(st.sampled_from(SECRETS))
    begin = draw(st.integers(0, len(secret) - 1))
    return secret[begin : draw(st.integers(begin, len(secret)))]


texts = st.lists(bits(), max_size=3).map("".join)
ids = st.sampled_from([None, "1", "2"])
happening = st.one_of(
    st.builds(acp.Said, texts, ids),
    st.builds(acp.Said, texts),
    st.builds(acp.Thought, texts, ids),
    st.builds(acp.ToolChanged, st.just("t"), texts, raw_input=st.none() | texts.map(lambda text: {text: [text]})),
    st.just(TOOL),
    st.builds(Notice, texts),
)


def sections(events: Iterable[Taken]) -> list[object]:
    """What is told, but for where text is cut: between two other things, what is said and what is thought.

    Of thoughts the id is left out: one by one, what was held back of a thought is told as the next one's.
    """
    found: list[object] = []
    grown: dict[tuple[type, str | None], str] = {}
    for event in events:
        if isinstance(event, acp.Said | acp.Thought):
            key = type(event), event.message_id if isinstance(event, acp.Said) else None
            grown[key] = grown.get(key, "") + event.text
        else:
            found += [{key: text for key, text in grown.items() if text}, event]
            grown = {}
    return [*found, {key: text for key, text in grown.items() if text}]


@given(st.lists(st.lists(happening, max_size=8), max_size=4))
def test_a_read_at_once_tells_what_its_events_tell_one_by_one(reads: list[list[Taken]]) -> None:
    at_once, singly = Passage(ALL), Passage(ALL)
    one = [out for read in reads for out in at_once.through(*read)] + list(at_once.rest())
    other = [out for read in reads for event in read for out in singly.through(event)] + list(singly.rest())
    assert sections(one) == sections(other)
    assert not any(secret in str(sections(one)) for secret in KNOWN)


def test_a_read_without_anything_to_hide_is_told_as_it_is_and_not_cut() -> None:
    read = (acp.Said("at can"), acp.Thought("hm"), TOOL, acp.Said("so"), acp.Thought("oh"), TOOL)
    told = list(Passage(REDACT).through(*read))
    assert told == list(read) and all(out is event for out, event in zip(told, read, strict=True))


def test_what_was_held_back_before_a_read_comes_first_and_the_end_of_it_is_held_back() -> None:
    passage = Passage(REDACT)
    assert list(passage.through(acp.Said("a can"))) == [acp.Said("a ")]
    told = list(passage.through(acp.Said("teen"), TOOL, acp.Said("and"), TOOL, acp.Said("so can")))
    assert sections(told) == sections([acp.Said("canteen"), TOOL, acp.Said("and"), TOOL, acp.Said("so ")])
    assert list(passage.rest()) == [acp.Said("can")]


@pytest.mark.parametrize("at", range(1, len(SECRET)))
def test_a_secret_that_reads_and_tools_tear_is_told_by_none_of_its_parts(at: int) -> None:
    passage = Passage(REDACT)
    head = list(passage.through(acp.Said("it"), TOOL, acp.Said(" is " + SECRET[:at]), TOOL))
    tail = list(passage.through(TOOL, acp.Said(SECRET[at:] + "!"), TOOL, acp.Said("ok"), TOOL))
    assert sections(head)[2] == {(acp.Said, None): " is " + (SECRET[:at] if at < 8 else REDACTED)}
    assert sections(tail)[2] in ({(acp.Said, None): f"{REDACTED}!"}, {(acp.Said, None): f"{REDACTED}{REDACTED}!"})


@pytest.mark.parametrize("secret", SECRETS, ids=lambda text: text[:10])
def test_wherever_a_secret_stands_in_a_read_it_is_hidden(secret: str) -> None:
    call = acp.ToolChanged("t", content=(acp.Output(f"x {secret} y"),), raw_output=[{"a": f"x {secret} y"}])
    for event in (acp.Said(f"x {secret} y"), acp.Thought(f"x {secret} y"), call, Notice(f"x {secret} y")):
        told = list(Passage(ALL).through(acp.Said("a"), TOOL, event, TOOL, acp.Said("b"), TOOL))
        assert secret not in str(told) and REDACTED in str(told)
