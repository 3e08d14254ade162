"""Permissions and elicitations at the peer: each gets one answer, and nothing is advertised that is not served."""

from __future__ import annotations

from typing import Any

from openab_sync.acp.elicitation import DECLINE, accept
from openab_sync.acp.events import Asked, AskWithdrawn, ElicitationDone, Elicited, Noise
from openab_sync.acp.inquiries import Inquiries
from openab_sync.acp.noise import Noises
from openab_sync.acp.peer import AcpPeer
from openab_sync.acp.schema import TextBlock
from tests.acp.talk import Talk, opened

HELLO = (TextBlock("hello"),)

FORM = {"mode": "form", "message": "Name?", "requestedSchema": {"properties": {"name": {"type": "string"}}}}
URL = {"mode": "url", "elicitationId": "e1", "url": "https://example.org/", "message": "Log in"}


def elicit(name: Any, params: dict[str, Any]) -> dict[str, Any]:
    return {"id": name, "method": "elicitation/create", "params": {"sessionId": "s", **params}}


def talking(*modes: str) -> Talk:
    talk = opened()
    talk.peer._inquiries = Inquiries(talk.peer._send, Noises(), modes)
    talk.peer._elicits = modes
    return talk


def answers(talk: Talk) -> list[Any]:
    return [message.get("result", message.get("error")) for message in talk.written() if "method" not in message]


def test_only_what_is_served_is_advertised() -> None:
    for modes in ((), ("form",), ("form", "url")):
        talk = Talk(AcpPeer(elicits=modes))
        talk.peer.initialize()
        able = talk.written()[0]["params"]["clientCapabilities"]
        assert able.get("elicitation") == ({mode: {} for mode in modes} if modes else None)


def test_a_form_and_an_address_are_told_and_answered_once() -> None:
    talk = talking("form", "url")
    talk.peer.prompt(HELLO)
    talk.written()
    form, url = talk.hear(elicit(1, FORM), elicit("1", URL))
    assert isinstance(form, Elicited) and isinstance(url, Elicited)
    assert talk.peer.open_questions == (1, "1")
    assert talk.peer.fill(1, accept({"name": "Ann"})) and not talk.peer.fill(1, DECLINE)
    assert talk.peer.fill("1", DECLINE)
    assert answers(talk) == [{"action": "accept", "content": {"name": "Ann"}}, {"action": "decline"}]
    assert talk.hear({"method": "elicitation/complete", "params": {"elicitationId": "e1"}}) == [ElicitationDone("e1")]


def test_what_was_not_offered_or_makes_no_sense_is_refused_at_once() -> None:
    talk = talking("form")
    [noise] = talk.hear(elicit(1, URL))
    assert isinstance(noise, Noise) and answers(talk)[0]["code"] == -32602
    talk = talking()
    talk.hear(elicit(1, FORM))
    assert answers(talk)[0]["code"] == -32601


def test_a_cancel_and_the_end_of_the_turn_answer_it_with_cancel() -> None:
    talk = talking("form")
    name = talk.peer.prompt(HELLO)
    talk.hear(elicit(1, FORM))
    talk.written()
    talk.peer.cancel()
    assert answers(talk) == [{"action": "cancel"}]
    talk.hear(elicit(2, FORM))
    assert answers(talk) == [{"action": "cancel"}]
    talk.answer(name, {"stopReason": "cancelled"})
    name = talk.peer.prompt(HELLO)
    talk.hear(elicit(3, FORM))
    talk.written()
    events = talk.answer(name, {"stopReason": "end_turn"})
    assert events[0] == AskWithdrawn(3, turn_ended=True) and answers(talk) == [{"action": "cancel"}]


def test_a_permission_and_a_form_never_share_an_id() -> None:
    talk = talking("form")
    talk.peer.prompt(HELLO)
    asked, _ = talk.hear({"id": 5, "method": "session/request_permission", "params": {"options": []}}, elicit(5, FORM))
    assert isinstance(asked, Asked)
    assert answers(talk)[-1]["code"] == -32600
