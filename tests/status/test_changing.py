"""The API, changing: what is ordered reaches the session, what is said reaches people and the agent."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import pytest

from openab_sync.core.message import MessageRef
from openab_sync.core.port import Limits, Notice
from openab_sync.core.state import State
from openab_sync.errors import ChatRefused, ChatTimeout, StoreError
from openab_sync.status import changing
from tests.core.bed import EVENTS, Bed, place
from tests.core.paper_ledger import PaperLedger
from tests.status.scene import KEY, Scene
from tests.status.test_looking import sources
from tests.waiting import until

MESSAGE = "/api/sessions/test:1/message"
CHAT = Limits(page=200, reactions=False, typing_interval=None, edit_interval=0.01)


def told(bed: Bed, method: str, path: str, body: object = None) -> tuple[int, Any]:
    answer = Scene.make(sources(bed)).ask(method, path, body, **KEY)
    return answer.status_code, answer.json


def test_a_turn_is_stopped_and_a_conversation_reset() -> None:
    with Bed() as bed:
        bed.say("hang")
        bed.until_state(State.BUSY)
        code, answer = told(bed, "POST", "/api/sessions/test:1/cancel")
        assert (code, answer) == (200, {"ok": True, "text": "Cancelling.", "done": True})
        until(bed.ends)
        assert "the status API" in bed.ends()[0].reason
        code, answer = told(bed, "POST", "/api/sessions/test:1/reset")
        assert code == 200 and "new session" in answer["text"]
        until(lambda: not bed.broker.snapshot().sessions)


def test_an_order_that_takes_longer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changing, "ORDERED", 0.0)
    with Bed() as bed:
        bed.ask("say hello")
        monkeypatch.setattr(bed.broker, "command", lambda *args: Future())
        code, answer = told(bed, "POST", "/api/sessions/test:1/cancel")
        assert (code, answer["done"]) == (202, False)


@pytest.mark.parametrize("verb", ["cancel", "reset"])
def test_what_is_not_there_cannot_be_ordered(verb: str) -> None:
    with Bed() as bed:
        code, answer = told(bed, "POST", f"/api/sessions/test:9/{verb}")
        assert (code, answer) == (404, {"error": "There is no such conversation here."})
        assert told(bed, "POST", "/api/sessions/test:9/message", {"text": "hello"})[0] == 404
        assert bed.port.ops == []


def test_a_message_is_seen_by_people_and_answered_by_the_agent() -> None:
    with Bed(limits=CHAT) as bed:
        bed.say("say hello")
        bed.port.until_text(place(), "hello")
        bed.until_state(State.IDLE)
        code, sent = told(bed, "POST", MESSAGE, {"text": "say the build is green", "by": "CI"})
        assert (code, sent["state"]) == (202, "accepted")
        bed.port.until(lambda: bed.port.texts(place())[-1] == "the build is green")
        assert "📨 CI:\nsay the build is green" in bed.port.texts(place())
        posted = next(item for item in bed.port.messages(place()) if item.text.startswith("📨"))
        assert posted.ref.id == sent["message"]


def test_a_long_message_is_shown_as_far_as_it_goes_and_sent_whole() -> None:
    with Bed(limits=CHAT) as bed:
        bed.say("say hello")
        bed.port.until_text(place(), "hello")
        told(bed, "POST", MESSAGE, {"text": "blocks\n" + "x" * 500})
        bed.port.until_text(place(), "x" * 150 + "…")
        bed.port.until(lambda: any("x" * 190 in text for text in bed.port.texts(place())))


def test_more_messages_than_the_limits_allow_are_refused_and_shown_to_nobody() -> None:
    with Bed(quota={"person": {"messages_per_minute": 1}}) as bed:
        bed.ask("say hello")
        assert told(bed, "POST", MESSAGE, {"text": "say one"})[0] == 202
        bed.until_text("one")
        code, answer = told(bed, "POST", MESSAGE, {"text": "say two", "by": "somebody else"})
        assert code == 429 and "1 messages within a minute" in answer["error"]
        assert not any("say two" in text for text in bed.notices())


def test_where_a_platform_draws_by_itself_it_is_told_what_was_said() -> None:
    with Bed() as bed:
        bed.ask("say hello")
        code, _ = told(bed, "POST", MESSAGE, {"text": "say more"})
        assert code == 202
        bed.until_text("more")
        assert Notice("📨 the status API:\nsay more") in bed.events()


def test_a_chat_that_refuses_or_is_silent_is_told_and_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changing, "POSTED", 0.05)
    with Bed(limits=CHAT) as bed:
        bed.say("say hello")
        bed.port.until_text(place(), "hello")
        before = len(bed.port.texts(place()))
        body = {"text": "say never"}
        bed.port.fail_next(ChatRefused("I may not send messages here."), what="post")
        code, answer = told(bed, "POST", MESSAGE, body)
        assert (code, answer) == (409, {"error": "I may not send messages here."})
        bed.port.fail_next(ChatTimeout("It is away."), what="post")
        assert told(bed, "POST", MESSAGE, body)[0] == 504
        bed.port.drop_next("post")
        assert told(bed, "POST", MESSAGE, body)[0] == 504
        assert len(bed.port.texts(place())) == before


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"text": ""}, 400),
        ({"text": " \n"}, 400),
        ({"text": "x" * 20_001}, 400),
        ({"text": 1}, 400),
        ({"text": "x", "more": 1}, 400),
        ({}, 400),
        ([], 400),
    ],
)
def test_a_body_that_is_none_is_refused(body: object, code: int) -> None:
    with Bed() as bed:
        assert told(bed, "POST", MESSAGE, body)[0] == code


def test_a_body_that_is_no_json_is_refused() -> None:
    with Bed() as bed:
        scene = Scene.make(sources(bed))
        headers = {"Host": "localhost", **KEY}
        for kind, data, code in (("text/plain", b"{}", 415), ("application/json", b"\xff{", 400)):
            answer = scene.client.post(MESSAGE, data=data, content_type=kind, headers=headers)
            assert answer.status_code == code


def test_a_question_is_answered() -> None:
    with Bed() as bed:
        bed.say("ask")
        question = bed.port.until_question()
        scene = Scene.make(sources(bed))
        until(lambda: scene.get("/api/questions", **KEY).json)
        path = f"/api/questions/{question.id}"
        assert told(bed, "POST", path, {"option": "no such"})[0] == 409
        code, _ = told(bed, "POST", path, {"option": question.options[0].option_id})
        assert code == 200
        until(bed.ends)
        assert until(lambda: bed.port.settled)[0][1] == f"{question.options[0].name} — the status API"
        until(lambda: told(bed, "POST", path, {"option": "x"}) == (404, {"error": "That question is not open."}))


def test_a_form_is_filled_in_where_it_stands_and_can_be_declined_from_elsewhere() -> None:
    with Bed(limits=replace(EVENTS, forms=True)) as bed:
        bed.say("elicit_form")
        question = bed.port.until_question()
        until(lambda: told(bed, "GET", "/api/questions")[1])
        path = f"/api/questions/{question.id}"
        code, answer = told(bed, "POST", path, {"option": "fill"})
        assert code == 409 and "where the question stands" in answer["error"]
        assert told(bed, "POST", path, {"option": "decline"})[0] == 200
        bed.until_text("'decline'")


def test_what_cannot_be_kept_is_not_taken_and_people_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with Bed(limits=CHAT) as bed:
        bed.say("say hello")
        bed.port.until_text(place(), "hello")
        failed: Future[None] = Future()
        failed.set_exception(StoreError("the disk is full"))
        monkeypatch.setattr(bed.broker, "accept", lambda *args: (7, failed))
        code, answer = told(bed, "POST", MESSAGE, {"text": "say never"})
        assert code == 503 and "the disk is full" in answer["error"]
        bed.port.until_text(place(), "I cannot keep anything")
        assert not any(text == "never" for text in bed.port.texts(place()))


def test_what_a_disk_that_hangs_takes_after_all_is_not_answered_once_people_were_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ledger = PaperLedger()
    with Bed(limits=CHAT, ledger=ledger) as bed:
        bed.say("say hello")
        bed.port.until_text(place(), "hello")
        monkeypatch.setattr(changing, "POSTED", 0.05)
        monkeypatch.setattr(changing, "_post", lambda *_: MessageRef(place(), "p1"))
        ledger.slow = True
        assert told(bed, "POST", MESSAGE, {"text": "say never"})[0] == 503
        ledger.slow = False
        bed.port.until_text(place(), "I cannot keep anything")
        written = [line[0] for line in ledger.lines]
        assert written[written.index("accept") :][:2] == ["accept", "fail"], "in the journal it comes behind it"


def test_so_many_wait_at_once_and_looking_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with Bed() as bed:
        bed.ask("say hello")
        scene = Scene.make(sources(bed))
        go, waiting, codes = threading.Event(), list[int](), list[int]()

        def post(*_: object) -> MessageRef:
            waiting.append(1)
            assert go.wait(20)
            return MessageRef(place(), f"p{len(waiting)}")

        monkeypatch.setattr(changing, "_post", post)

        def send() -> None:
            headers = {"Host": "localhost", **KEY}
            answer = scene.site.test_client().post(MESSAGE, json={"text": "say hi"}, headers=headers)
            codes.append(answer.status_code)

        senders = [threading.Thread(target=send) for _ in range(changing.AT_ONCE)]
        for sender in senders:
            sender.start()
        until(lambda: len(waiting) == changing.AT_ONCE)
        assert scene.ask("POST", MESSAGE, {"text": "say hi"}, **KEY).status_code == 503
        assert scene.get("/api/sessions").status_code == 200
        go.set()
        for sender in senders:
            sender.join()
        assert codes == [202] * changing.AT_ONCE
        until(lambda: len(bed.ends()) == changing.AT_ONCE + 1)
