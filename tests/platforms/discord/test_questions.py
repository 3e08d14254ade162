"""Permission questions on the fake Discord: shown whole, answered once, by whom they are for."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import discord
import pytest

from openab_sync.core.events import PermissionOption
from openab_sync.core.message import Conversation, Person
from openab_sync.core.port import Decision, Question
from openab_sync.errors import ChatError, ChatRefused
from openab_sync.platforms.discord import questions
from tests.fakes.discord import Message, Server, ShiftedClock
from tests.platforms.discord.bed import Bed, house
from tests.platforms.discord.fake_client import QUICK
from tests.platforms.discord.pressing import buttons, done, select, told
from tests.waiting import MS, until

OPTIONS = (
    PermissionOption("yes", "Allow", "allow_once"),
    PermissionOption("always", "Always allow", "allow_always"),
    PermissionOption("no", "Reject", "reject_once"),
    PermissionOption("odd", "Something else", "odd"),
)


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture
def server(clock: ShiftedClock) -> Iterator[Server]:
    with Server(clock=clock, limits=QUICK) as server:
        yield server


def question(where: Conversation, **more: Any) -> Question:
    values: dict[str, Any] = {"title": "rm -rf build", "detail": "```\nrm -rf build\n```", "options": OPTIONS, **more}
    return Question(uuid.uuid4().hex, where, **values)


async def at_once(_: float) -> None:
    """A pause between two attempts that takes no time."""


class Asked:
    """A question that people have before them."""

    def __init__(self, bed: Bed, **more: Any) -> None:
        self.bed = bed
        self.thread = bed.thread("say hi")
        bed.until_said("hi", self.thread)
        self.question = question(Conversation("discord", str(self.thread.id)), **more)
        self.future: Future[Decision] = bed.platform.port.ask(self.question)
        found = bed.server.until(self._found, 8000 * MS, what="the question")
        assert found is not None
        self.message = found
        # Discord has it before we know that it has.
        until(lambda: bed.platform.port.questions._open[self.question.id].message)

    def _found(self) -> Message | None:
        return next((one for one in self.thread.history if "🔐" in one.content), None)

    def settle(self, text: str) -> None:
        self.bed.platform.port.settle(self.question, text).result(5)


def timeless(text: str) -> str:
    """How a question ended, without when: that is checked."""
    said, mark, at = text.rpartition(" · <t:")
    assert mark and at.endswith(":f>") and abs(int(at[:-3]) - time.time()) < 60
    return said


def end(message: Message) -> str:
    """The last line of a question that is over."""
    return timeless(message.content.rpartition("\n")[2])


def test_the_agents_own_options_are_the_buttons_and_the_first_press_counts(server: Server) -> None:
    with house(server) as bed:
        asked = Asked(bed, asked_of=(Person(str(bed.ann.id), "ann"),))
        message = asked.message
        assert buttons(message) == ["Allow", "Always allow", "Reject", "Something else"]
        assert [item["style"] for item in message.components[0]["components"]] == [3, 1, 4, 2]
        assert "rm -rf build" in message.content and not message.attachments
        clicked = bed.ann.click(message, "Reject")
        assert asked.future.result(5) == Decision("no", Person(str(bed.ann.id), "ann"))
        assert done(server, clicked).acked == 7
        assert buttons(message) == [] and message.content.endswith("⏳ Reject — ann")
        asked.settle("Reject — ann")
        assert end(message) == "Reject — ann" and "⏳" not in message.content


def test_only_those_who_are_asked_may_answer(server: Server) -> None:
    with house(server) as bed:
        asked = Asked(bed, asked_of=(Person(str(bed.ann.id), "ann"), Person("1", "helper", is_bot=True)))
        assert told(server, server.user("bob").click(asked.message, "Allow")) == "This question is ann's to answer."
        assert not asked.future.done()
        bed.ann.click(asked.message, "Allow")
        assert asked.future.result(5).option_id == "yes"


@pytest.mark.parametrize("people", [(), (Person("1", "helper", is_bot=True),)], ids=["nobody", "a bot"])
def test_where_no_person_is_asked_whoever_is_admitted_may_answer(people: tuple[Person, ...], server: Server) -> None:
    with house(server) as bed:
        asked = Asked(bed, asked_of=people)
        server.user("bob").click(asked.message, "Allow")
        assert asked.future.result(5).by.name == "bob"


def test_a_double_click_and_two_people_at_once_decide_once(server: Server) -> None:
    with house(server) as bed:
        asked = Asked(bed)
        allow, reject = bed.ann.click(asked.message, "Allow"), server.user("bob").click(asked.message, "Reject")
        decision = asked.future.result(5)
        late = reject if decision.option_id == "yes" else allow
        assert told(server, late) == f"{decision.by.name} has decided already."
        asked.settle("Allow — ann")
        assert end(asked.message) == "Allow — ann"


def test_several_questions_are_open_at_once(server: Server) -> None:
    with house(server) as bed:
        first = Asked(bed)
        port = bed.platform.port
        other = question(first.question.conversation, title="other")
        future = port.ask(other)
        message = bed.until_said("other", first.thread)
        bed.ann.click(message, "Reject")
        assert future.result(5).option_id == "no"
        assert not first.future.done()
        bed.ann.click(first.message, "Allow")
        assert first.future.result(5).option_id == "yes"


def test_a_question_that_is_decided_elsewhere_loses_its_buttons_and_says_so_to_who_comes_late(server: Server) -> None:
    with house(server) as bed:
        asked = Asked(bed)
        stale = [item["custom_id"] for item in asked.message.components[0]["components"]]
        kept = list(asked.message.components)
        asked.settle("Nobody answered within 10 minutes: Reject.")
        assert end(asked.message) == "Nobody answered within 10 minutes: Reject."
        assert asked.message.components == [] and stale
        assert isinstance(asked.future.exception(5), ChatError)
        asked.message.components = kept  # as somebody's program still shows it
        text = timeless(told(server, bed.ann.click(asked.message, "Allow")))
        assert text == "Nobody answered within 10 minutes: Reject."
        server.until(lambda: asked.message.components == [])


@pytest.mark.parametrize("fault", [{"reset": True}, {"lost": True}, {"status": 503}], ids=["cut", "lost", "503"])
def test_who_decided_is_shown_even_if_the_first_attempt_to_say_so_fails(fault: dict[str, Any], server: Server) -> None:
    with house(server) as bed:
        asked = Asked(bed)
        failing = server.fail("PATCH", "/channels/*", **fault)
        asked.settle("Allow — ann")
        assert failing.seen == 1
        assert end(asked.message) == "Allow — ann" and asked.message.components == []
        assert not bed.platform.port.questions._open and not bed.platform.port.questions._settled


def test_a_question_whose_end_may_not_be_written_is_forgotten(server: Server) -> None:
    with house(server) as bed:
        asked = Asked(bed)
        server.fail("PATCH", "/channels/*", code=50013, status=403)
        with pytest.raises(ChatRefused):
            asked.settle("Allow — ann")
        assert not bed.platform.port.questions._open and not bed.platform.port.questions._settled
        assert timeless(told(server, bed.ann.click(asked.message, "Allow"))) == "Allow — ann"


def test_what_is_remembered_of_ends_that_could_not_be_written_is_bounded(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "MOST_SETTLED", 1)
    with house(server) as bed:
        asked = [Asked(bed), Asked(bed)]
        monkeypatch.setattr(bed.platform.port.calls, "_sleep", at_once)
        server.fail("PATCH", "/channels/*", status=503, times=99)
        for one in asked:
            with pytest.raises(ChatError):
                one.settle("Allow — ann")
        assert list(bed.platform.port.questions._settled) == [asked[1].question.id]


def test_a_late_press_is_answered_before_the_buttons_go(server: Server) -> None:
    """Taking them away may wait for a rate limit, and Discord waits three seconds for an answer."""
    with house(server) as bed:
        asked = Asked(bed)
        kept = list(asked.message.components)
        asked.settle("Allow — ann")
        asked.message.components = kept
        held = server.fail("PATCH", "/channels/*", hold=True)
        assert timeless(told(server, bed.ann.click(asked.message, "Allow"))) == "Allow — ann"
        assert asked.message.components == kept
        held.release()
        server.until(lambda: asked.message.components == [], what="the buttons are gone")


@pytest.mark.parametrize("error", [discord.RateLimited(61.0), ConnectionResetError()], ids=["limited", "cut"])
def test_a_late_press_is_answered_once_whatever_keeps_the_buttons(
    error: Exception, server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def edit(*_: object, **__: object) -> None:
        raise error

    caplog.set_level(logging.DEBUG, "openab_sync.platforms.discord")
    with house(server) as bed:
        asked = Asked(bed)
        kept = list(asked.message.components)
        asked.settle("Allow — ann")
        asked.message.components = kept
        monkeypatch.setattr(discord.Message, "edit", edit)
        assert timeless(told(server, bed.ann.click(asked.message, "Allow"))) == "Allow — ann"
        until(lambda: "could not be taken away" in caplog.text)
    assert "was not served" not in caplog.text


def test_a_late_press_whose_answer_is_cut_off_is_answered_again(server: Server) -> None:
    with house(server) as bed:
        asked = Asked(bed)
        kept = list(asked.message.components)
        asked.settle("Allow — ann")
        asked.message.components = kept
        failing = server.fail("POST", "/interactions/*", reset=True)
        assert timeless(told(server, bed.ann.click(asked.message, "Allow"))) == "Allow — ann"
        assert failing.seen == 1


def test_after_a_restart_a_press_is_told_what_became_of_the_question(server: Server, tmp_path: Path) -> None:
    with house(server, folder=tmp_path) as bed:
        open_one, closed = Asked(bed), Asked(bed)
        kept = list(closed.message.components)
        closed.settle("Allow — ann")
        closed.message.components = kept
        open_one.future.cancel()  # nobody says what became of it
        stale = list(open_one.message.components)
    server.advance(6)
    with house(server, folder=tmp_path) as bed:
        server.until(lambda: open_one.message.components == [], what="the buttons are gone by themselves")
        assert "I was restarted" in open_one.message.content and "rm -rf build" in open_one.message.content
        open_one.message.components = stale
        assert timeless(told(server, bed.ann.click(closed.message, "Allow"))) == "Allow — ann"
        assert "I was restarted" in told(server, bed.ann.click(open_one.message, "Allow"))
        server.until(lambda: open_one.message.components == [], what="the buttons are gone")


def test_a_press_that_discord_takes_no_answer_to_counts_all_the_same(server: Server) -> None:
    with house(server) as bed:
        asked = Asked(bed)
        server.fail("POST", "/interactions/*", code=10062, status=404)
        bed.ann.click(asked.message, "Allow")
        assert asked.future.result(5).option_id == "yes"
        asked.settle("Allow — ann")
        assert end(asked.message) == "Allow — ann"
        server.advance(4)
        server.until(lambda: server.violations)
        server.forgive("got no answer")


def test_a_decision_does_not_wait_for_a_chat_that_hangs(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "ACKNOWLEDGING", 0.01)
    with house(server) as bed:
        asked = Asked(bed)
        held = server.fail("POST", "/interactions/*", hold=True)
        bed.ann.click(asked.message, "Allow")
        assert asked.future.result(5).option_id == "yes"
        held.release()
        asked.settle("Allow — ann")
        server.until(lambda: "Allow — ann · <t:" in asked.message.content)
        server.advance(4)
        server.violations.clear()


def test_an_answer_that_was_not_offered_is_none(server: Server) -> None:
    """FIELD I6: an index is as forged as any id."""
    with house(server) as bed:
        asked = Asked(bed)
        first = asked.message.components[0]["components"][0]
        first["custom_id"] = first["custom_id"].rpartition(":")[0] + ":99"
        assert told(server, bed.ann.click(asked.message, "Allow")) == "That is none of the answers."
        assert not asked.future.done()
        button = bed.books.buttons.make("resume", asked.question.conversation.key, {}, ())
        first["custom_id"] = f"oab:ask:{button.id}:0"
        assert told(server, bed.ann.click(asked.message, "Allow")) == "That question is not open any more."
        asked.future.cancel()


def test_buttons_that_cannot_be_taken_away_are_still_stale(server: Server, tmp_path: Path) -> None:
    with house(server, folder=tmp_path) as bed:
        asked = Asked(bed)
        asked.future.cancel()
    server.advance(6)
    failing = server.fail("PATCH", "/channels/*", code=50013, status=403, times=2)
    with house(server, folder=tmp_path) as bed:
        until(lambda: failing.seen == 1)  # it tries to when it is there again
        assert "I was restarted" in told(server, bed.ann.click(asked.message, "Allow"))


def test_a_question_whose_post_was_lost_is_there_once(server: Server) -> None:
    with house(server) as bed:
        thread = bed.thread("say hi")
        bed.until_said("hi", thread)
        server.fail("POST", "/channels/*/messages", lost=True, when=lambda form: "🔐" in form["content"])
        item = question(Conversation("discord", str(thread.id)))
        future = bed.platform.port.ask(item)
        message = bed.until_said("🔐", thread)
        until(lambda: len(server.asked("POST", "/messages")) > 2)
        bed.ann.click(message, "Allow")
        assert future.result(5).option_id == "yes"
        assert sum("🔐" in text for text in thread.texts) == 1


def test_a_question_that_is_settled_while_it_is_being_posted_has_no_buttons_in_the_end(server: Server) -> None:
    with house(server) as bed:
        thread = bed.thread("say hi")
        bed.until_said("hi", thread)
        held = server.fail("POST", "/channels/*/messages", hold=True)
        item = question(Conversation("discord", str(thread.id)))
        future = bed.platform.port.ask(item)
        until(lambda: bed.platform.port.questions._open)
        bed.platform.port.settle(item, "The agent took the question back.").result(5)
        held.release()
        message = bed.until_said("took the question back", thread)
        assert message.components == []
        assert isinstance(future.exception(5), ChatError)


@pytest.mark.parametrize("fault", [{"reset": True}, {"lost": True}], ids=["cut", "lost"])
def test_a_question_that_is_settled_between_two_attempts_to_post_it_is_not_asked_again(
    fault: dict[str, Any], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with house(server) as bed:
        thread = bed.thread("say hi")
        bed.until_said("hi", thread)
        port = bed.platform.port
        item = question(Conversation("discord", str(thread.id)), asked_of=(Person(str(bed.ann.id), "ann"),))

        async def settled(_: float) -> None:
            await port.questions.settle(item, "The agent took the question back.")

        monkeypatch.setattr(port.calls, "_sleep", settled)
        server.fail("POST", "/channels/*/messages", when=lambda form: "🔐" in form["content"], **fault)
        assert isinstance(port.ask(item).exception(5), ChatError)
        [message] = [one for one in thread.history if "🔐" in one.content]
        assert end(message).endswith("took the question back.") and message.components == []
        posts = [one.form for one in server.asked("POST", "/messages") if "🔐" in one.form["content"]]
        assert [bool(form.get("components")) for form in posts] == [True, False]
        assert not posts[1]["allowed_mentions"].get("users")
        assert not port.questions._open and not port.questions._settled


def test_a_question_that_cannot_be_shown_is_not_asked(server: Server) -> None:
    with house(server) as bed:
        thread = bed.thread("say hi")
        bed.until_said("hi", thread)
        where = Conversation("discord", str(thread.id))
        many = tuple(PermissionOption(str(number), "x") for number in range(126))
        assert isinstance(bed.platform.port.ask(question(where, options=many)).exception(5), ChatRefused)
        server.fail("POST", "/channels/*/messages", code=50013, status=403)
        assert isinstance(bed.platform.port.ask(question(where)).exception(5), ChatRefused)
        assert not bed.platform.port.questions._open


def test_a_long_question_keeps_its_file_when_it_is_decided(server: Server) -> None:
    with house(server) as bed:
        detail = "```\n" + "\n".join(f"line {number}" for number in range(900)) + "\n```"
        asked = Asked(bed, detail=detail)
        [file] = asked.message.attachments
        assert file.filename == "details.md" and detail in file.content.decode()
        bed.ann.click(asked.message, "Allow")
        asked.future.result(5)
        asked.settle("Allow — ann")
        assert end(asked.message) == "Allow — ann" and asked.message.attachments == [file]


def test_more_options_than_buttons_are_a_choice_of_all(server: Server) -> None:
    with house(server) as bed:
        options = tuple(PermissionOption(f"o{number}", f"Option {number} " + "x" * 100) for number in range(30))
        asked = Asked(bed, options=options)
        assert len(select(asked.message)) == 30
        second = asked.message.components[1]["components"][0]
        bed.ann.choose(asked.message, second["options"][4]["value"], select=second["custom_id"])
        assert asked.future.result(5).option_id == "o29"


def test_a_deleted_question_is_settled_all_the_same(server: Server) -> None:
    with house(server) as bed:
        asked = Asked(bed)
        asked.message.deleted = True
        server.world.touch()
        asked.settle("Rejected.")
        assert not bed.platform.port.questions._open


def test_an_agent_asks_and_gets_its_answer(server: Server) -> None:
    with house(server, permissions={"mode": "ask"}) as bed:
        thread = bed.thread("ask")
        message = bed.until_said("🔐", thread)
        label = buttons(message)[0]
        bed.ann.click(message, label)
        server.until(lambda: buttons(message) == [] and "⏳" not in message.content, 8000 * MS)
        assert end(message).endswith(" — ann")
