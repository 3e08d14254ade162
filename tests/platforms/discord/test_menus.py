"""The menu of a message, on the fake Discord."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.core.message import Conversation, MessageRef
from openab_sync.core.port import Controls
from openab_sync.platforms.discord.menus import EMPTY, written
from tests.fakes.discord import Server
from tests.fakes.discord.interactions import MODAL
from tests.fakes.discord.things import Channel
from tests.platforms.discord.bed import house
from tests.platforms.discord.fake_client import QUICK
from tests.platforms.discord.pressing import done, idle, told
from tests.waiting import MS, until


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server


def test_the_agent_is_asked_about_a_message(server: Server) -> None:
    with house(server) as bed:
        message = server.user("bob").write("general", "the build is red")
        shown = bed.ann.menu("Ask the agent about this", message)
        server.until(lambda: shown.modal, what="a form")
        assert shown.modal is not None and shown.modal["title"] == "Ask the agent about this"
        sent = bed.ann.submit(shown, text="say looked at it")
        assert told(server, sent).startswith("I answer in <#")
        bed.until_said("looked at it")


def test_an_empty_question_is_asked_for_again(server: Server) -> None:
    with house(server) as bed:
        shown = bed.ann.menu("Ask the agent about this", bed.ann.write("general", "x"))
        server.until(lambda: shown.modal)
        assert told(server, bed.ann.submit(shown, text="  ")) == EMPTY
        assert bed.app.broker.snapshot().sessions == ()


def test_a_message_that_is_gone_is_told(server: Server) -> None:
    with house(server) as bed:
        message = bed.ann.write("general", "x")
        shown = bed.ann.menu("Ask the agent about this", message)
        server.until(lambda: shown.modal)
        bed.ann.delete(message)
        assert told(server, bed.ann.submit(shown, text="why?")) == "This message does not exist any more."


def test_a_form_with_a_forged_id_asks_nothing(server: Server) -> None:
    """FIELD I6."""
    with house(server) as bed:
        interactions = server.backend.interactions
        elsewhere = server.add_channel("elsewhere", 0)
        for custom_id in (f"oab:about:{elsewhere.id}:1", "oab:stop:1", "oab:about:x:y", "other"):
            data = {"custom_id": custom_id, "components": []}
            sent = interactions.send(interactions.begin(MODAL, server.app, bed.ann.user, server.general, data))
            assert "means nothing" in told(server, sent)


def test_a_prompt_is_answered_once_more(server: Server) -> None:
    with house(server) as bed:
        prompt = bed.mention("say once")
        thread = server.until(lambda: prompt.thread)
        assert thread is not None
        bed.until_said("once", thread)
        idle(bed, thread)
        assert told(server, bed.ann.menu("Retry", prompt)) == "Trying again."
        server.until(lambda: sum(text == "once" for text in thread.texts) == 2, 8000 * MS, what="it is said again")


def test_an_answer_of_ours_leads_to_its_prompt(server: Server) -> None:
    with house(server) as bed:
        prompt = bed.mention("say once")
        thread = server.until(lambda: prompt.thread)
        assert thread is not None
        bed.until_said("once", thread)
        idle(bed, thread)
        conversation = Conversation("discord", str(thread.id))
        about = Controls(retry=True, turn="abc", about=(MessageRef(conversation, str(prompt.id)),))
        ref = bed.platform.port.post(conversation, "failed", controls=about).result(5)
        assert told(server, bed.ann.menu("Retry", thread.messages[int(ref.id)])) == "Trying again."
        plain = thread.messages[int(bed.platform.port.post(conversation, "nothing").result(5).id)]
        assert "Open this on the message" in told(server, bed.ann.menu("Retry", plain))
        second = bed.mention("say twice", thread)
        reply = bed.platform.port.post(
            conversation, "a reply", reply_to=MessageRef(conversation, str(second.id))
        ).result(5)
        server.until(lambda: "twice" in thread.texts, 8000 * MS)
        idle(bed, thread)
        assert told(server, bed.ann.menu("Retry", thread.messages[int(reply.id)])) == "Trying again."
        server.until(lambda: thread.texts.count("twice") == 2, 8000 * MS)


def said_times(thread: Channel, text: str, count: int) -> bool:
    return thread.texts.count(text) == count


def test_a_first_answer_and_the_post_that_puts_a_question_lead_to_the_question(server: Server) -> None:
    with house(server) as bed:
        told_where = done(server, bed.ann.slash("ask", where="general", text="say once"))
        assert told_where.answer.startswith("I answer in <#")
        post = next(one for one in server.general.history if one.thread is not None)
        thread = post.thread
        assert thread is not None
        answer = bed.until_said("once", thread)
        for count, message in enumerate((answer, post), 2):
            idle(bed, thread)
            assert told(server, bed.ann.menu("Retry", message)) == "Trying again."
            server.until(partial(said_times, thread, "once", count), 8000 * MS, what="it is said again")
        channel = server.general
        plain = bed.platform.port.post(Conversation("discord", str(channel.id)), "nothing").result(5)
        assert "Open this on the message" in told(server, bed.ann.menu("Retry", channel.messages[int(plain.id)]))


def test_a_message_is_dropped_from_the_queue(server: Server) -> None:
    with house(server) as bed:
        thread = bed.thread("say working\nhang")
        bed.until_said("working", thread)
        later = bed.mention("say later", thread)
        until(lambda: bed.app.broker.snapshot().sessions[0].inbox)
        assert told(server, bed.ann.menu("Drop from queue", later)) == "Dropped."
        assert "does not wait" in told(server, bed.ann.menu("Drop from queue", later))
        told(server, bed.ann.slash("cancel", where=thread))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["components", "component", "custom_id", "value", "text"]), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON)
def test_whatever_a_form_holds_is_a_text(data: object) -> None:
    assert isinstance(written(data), str)


def test_both_shapes_of_a_form_are_read() -> None:
    old = {"components": [{"type": 1, "components": [{"custom_id": "text", "value": "words"}]}]}
    new = {"components": [{"type": 18, "component": {"custom_id": "text", "value": "words"}}]}
    assert written(old) == written(new) == "words"
    assert written({"components": [{"custom_id": "other", "value": "words"}]}) == ""
    assert len(written({"custom_id": "text", "value": "x" * 9999})) == 4000
