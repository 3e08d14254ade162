from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.acp.events import Choice, Option
from openab_sync.platforms.console.completion import Known, propose

MODEL = Option(
    "model", "Model", "small", category="model", choices=(Choice("small", "Small"), Choice("large", "Large"))
)
MODE = Option("mode", "Mode", "ask", category="mode", choices=(Choice("ask", "Ask", "asks first"),))
VERBOSE = Option("verbose", "Verbose", value=True, kind="boolean")
KNOWN = Known(
    orders=[("models", "show models"), ("modes", "show modes"), ("echo", "the agent's")],
    options=(MODEL, MODE, VERBOSE),
    conversations=("1", "build"),
    answers=("Allow once", "Reject"),
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/mod", ["/models", "/modes"]),
        ("/E", ["/echo"]),
        ("/models ", ["small", "large"]),
        ("/models l", ["large"]),
        ("/modes ", ["ask"]),
        ("/config ", ["model", "mode", "verbose"]),
        ("/config verbose ", ["on", "off"]),
        ("/config model s", ["small"]),
        ("/config nothing ", []),
        ("/config model small ", []),
        ("/switch b", ["build"]),
        ("/answer ", ["1", "2"]),
        ("/echo ", []),
        ("mod", []),
        ("", []),
        ("/mod\n", []),
    ],
)
def test_tab_proposes_what_could_stand_there(text: str, words: list[str]) -> None:
    assert [proposal.word for proposal in propose(text, KNOWN)] == words


def test_a_proposal_says_what_it_means() -> None:
    meanings = [proposal.meaning for text in ("/config ", "/modes ", "/answer ") for proposal in propose(text, KNOWN)]
    assert meanings == ["Model: small", "Mode: ask", "Verbose: on", "asks first", "Allow once", "Reject"]


@given(st.text())
def test_whatever_is_typed_each_proposal_goes_on_from_it(text: str) -> None:
    begun = text.rsplit(" ", maxsplit=1)[-1].casefold()
    assert all(proposal.word.casefold().startswith(begun) for proposal in propose(text, KNOWN))
