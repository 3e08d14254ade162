"""Discord as the core sees it, over the real library and the fake server."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

import pytest
from PIL import Image

from openab_sync.acp.events import PermissionOption
from openab_sync.clock import SystemClock
from openab_sync.core import mending
from openab_sync.core.message import Conversation, MessageRef
from openab_sync.core.port import Controls, File, Notice, Question
from openab_sync.errors import ChatError, ChatRefused, ChatTimeout
from openab_sync.platforms.discord import port
from openab_sync.platforms.discord import port as module
from openab_sync.platforms.discord.calls import PAUSES, Calls
from openab_sync.platforms.discord.port import PAGE, DiscordPort, _fit, _nonce
from openab_sync.platforms.discord.questions import Questions
from openab_sync.store import Books, Known, Store, open_books
from tests.fakes.discord import Server, threads
from tests.fakes.discord.things import Channel, Message
from tests.platforms.discord.connection import Connection, connection
from tests.platforms.discord.fake_client import QUICK
from tests.waiting import MS, until

T = TypeVar("T")
SOON = 10000 * MS


def png() -> bytes:
    picture = io.BytesIO()
    Image.new("RGB", (2, 2)).save(picture, "PNG")
    return picture.getvalue()


class Desk:
    """A port that is connected."""

    def __init__(self, server: Server, bot: Connection, books: Books) -> None:
        self.server, self.bot, self.books = server, bot, books
        questions = Questions(bot.client, books)
        self.port = DiscordPort(bot.loop, bot.client, books, lambda: bot.config, SystemClock(), questions)
        self.ann = server.user("ann")
        self.here = Conversation("discord", str(server.general.id))

    def know(self, conversation: Conversation, **what: object) -> None:
        """Put something into the books, where they belong: on the loop."""

        async def put() -> None:
            self.books.conversations.put(Known(conversation.key, **what))  # type: ignore[arg-type]  # the test's word

        self.bot.loop.submit(put(), 5).result(SOON)

    def get(self, future: Future[T]) -> T:
        return future.result(SOON)

    def fails(self, future: Future[T]) -> BaseException:
        error = future.exception(SOON)
        assert error is not None
        return error

    def message(self, ref: MessageRef) -> Message:
        with self.server.world.changed:
            channels = self.server.world.channels.values()
            [found] = [channel.messages[int(ref.id)] for channel in channels if int(ref.id) in channel.messages]
            return found

    def thread(self, text: str = "a talk") -> tuple[Channel, Conversation]:
        """A thread that Ann began with a message, and its conversation, known."""
        message = self.ann.write("general", text)
        thread = self.ann.open_thread(message, text)
        conversation = Conversation("discord", str(thread.id))
        self.know(conversation, parent=str(self.server.general.id))
        return thread, conversation


@pytest.fixture
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    store = Store.open(tmp_path_factory.mktemp("store"))
    with Server(limits=QUICK) as server:
        with connection(server) as bot:
            yield Desk(server, bot, open_books(store))
        assert server.violations == []
    assert store.close()


# Messages.


def test_a_message_is_posted_edited_and_reacted_to(desk: Desk) -> None:
    ref = desk.get(desk.port.post(desk.here, "hello"))
    assert desk.message(ref).content == "hello"
    desk.get(desk.port.edit(ref, "hello again"))
    assert desk.message(ref).content == "hello again"
    desk.get(desk.port.react(ref, "👀", True))
    assert list(desk.message(ref).reactions) == ["👀"]
    desk.get(desk.port.react(ref, "👀", False))
    assert not any(desk.message(ref).reactions.values())
    desk.get(desk.port.typing(desk.here))
    assert len(desk.server.asked("POST", "/typing")) == 1


def test_a_reply_names_its_message_where_both_are_in_one_channel(desk: Desk) -> None:
    asked = desk.ann.write("general", "a question")
    ref = desk.get(desk.port.post(desk.here, "an answer", reply_to=MessageRef(desk.here, str(asked.id))))
    assert desk.message(ref).reply_to is asked
    _, conversation = desk.thread()
    ref = desk.get(desk.port.post(conversation, "an answer", reply_to=MessageRef(conversation, conversation.id)))
    assert desk.message(ref).reply_to is None  # what a thread began with stands above it


def test_a_reply_to_a_message_that_is_gone_is_posted_all_the_same(desk: Desk) -> None:
    asked = desk.ann.write("general", "a question")
    desk.ann.delete(asked)
    ref = desk.get(desk.port.post(desk.here, "an answer", reply_to=MessageRef(desk.here, str(asked.id))))
    assert desk.message(ref).content == "an answer"


def test_the_message_that_began_a_thread_is_in_its_parent(desk: Desk) -> None:
    thread, conversation = desk.thread()
    ref = MessageRef(conversation, conversation.id)
    assert desk.port.channel_of(ref) == desk.server.general.id
    desk.get(desk.port.react(ref, "👀", True))
    assert desk.message(ref).reactions
    assert desk.port.channel_of(MessageRef(conversation, "1")) == thread.id
    post = Conversation("discord", "77")  # of a forum: what it began with is in it
    assert desk.port.channel_of(MessageRef(post, "77")) == 77


def test_a_post_whose_acknowledgement_is_lost_is_there_once(desk: Desk) -> None:
    desk.server.fail("POST", "*/messages", lost=True)
    ref = desk.get(desk.port.post(desk.here, "once", nonce="page-1"))
    assert [message.content for message in desk.server.general.history] == ["once"]
    again = desk.get(desk.port.post(desk.here, "once", nonce="page-1"))
    assert again == ref and len(desk.server.general.history) == 1


@pytest.mark.parametrize("fault", [{"reset": True}, {"lost": True}, {"status": 503}])
def test_an_edit_that_is_cut_off_is_made(desk: Desk, fault: dict[str, object]) -> None:
    ref = desk.get(desk.port.post(desk.here, "one"))
    desk.server.fail("PATCH", "*", **fault)
    desk.get(desk.port.edit(ref, "two"))
    assert desk.message(ref).content == "two"


@pytest.mark.parametrize("fault", [{"reset": True}, {"status": 503}])
def test_discord_may_be_away_for_some_seconds_at_the_end_of_a_turn(desk: Desk, fault: dict[str, object]) -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    desk.port.calls = Calls(SystemClock(), pause)
    desk.server.fail("POST", "*/messages", times=5, **fault)
    ref = desk.get(desk.port.post(desk.here, "the answer", nonce="page-1"))
    desk.server.fail("PATCH", "*", times=5, **fault)
    desk.get(desk.port.edit(ref, "the whole answer"))
    assert [message.content for message in desk.server.general.history] == ["the whole answer"]
    assert pauses == [*PAUSES[:5], *PAUSES[:5]]


def test_a_request_out_of_time_is_not_known_to_be_done(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POSTING", 20 * MS)
    held = desk.server.fail("POST", "*/messages", hold=True)
    error = desk.fails(desk.port.post(desk.here, "late"))
    held.release()
    assert isinstance(error, ChatTimeout)


def test_an_edit_of_a_message_that_is_gone_is_refused(desk: Desk) -> None:
    ref = desk.get(desk.port.post(desk.here, "one"))
    desk.server.user("owner").delete(desk.message(ref))
    error = desk.fails(desk.port.edit(ref, "two"))
    assert isinstance(error, ChatRefused) and "does not exist any more" in str(error)


def test_what_may_not_be_done_says_who_can_change_it_and_is_asked_for_once(desk: Desk) -> None:
    desk.server.allow(desk.server.general, desk.server.app, deny=1 << 11)  # send messages
    for _ in range(3):
        error = desk.fails(desk.port.post(desk.here, "hello"))
        assert isinstance(error, ChatRefused) and "administrator" in str(error)
    assert len(desk.server.asked("POST", "/messages")) == 1


def test_an_archived_thread_is_opened_by_a_message_and_a_locked_one_says_so(desk: Desk) -> None:
    thread, conversation = desk.thread()
    owner = desk.server.user("owner")
    owner.archive(thread)
    desk.get(desk.port.post(conversation, "good morning"))
    assert not thread.archived
    desk.server.allow(desk.server.general, desk.server.app, deny=1 << 34)  # manage threads
    owner.lock(thread)
    owner.archive(thread)
    error = desk.fails(desk.port.post(conversation, "and again"))
    assert isinstance(error, ChatRefused) and "locked" in str(error)


def test_a_vanished_channel_is_told(desk: Desk) -> None:
    desk.server.user("owner").delete_channel(desk.server.general)
    assert "does not exist any more" in str(desk.fails(desk.port.post(desk.here, "hello")))


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("", "⋯"),
        (" \n\t ", "⋯"),
        ("\n hello \n", "hello"),
        ("x" * PAGE, "x" * PAGE),
        ("x" * (PAGE + 1), "x" * (PAGE - 1) + "…"),
        (" " * PAGE + "x", "x"),
    ],
)
def test_what_discord_would_not_take_becomes_something_that_it_takes(text: str, sent: str) -> None:
    assert _fit(text) == sent


def test_a_nonce_is_kept_made_or_shortened_and_always_the_same_for_the_same() -> None:
    assert _nonce("abc") == "abc"
    assert _nonce("") != _nonce("")
    long = "discord:123456789012345678:1"
    assert len(_nonce(long)) <= 25 and _nonce(long) == _nonce(long) != _nonce(long + "2")
    assert len(_nonce("")) <= 25


# Who is rung.


def test_only_people_who_take_part_are_pinged(desk: Desk) -> None:
    """FIELD E23: never everyone, here or roles; nobody who is not in it already."""
    bob = desk.server.user("bob")
    desk.ann.write("general", "I take part")
    desk.know(desk.here, people=(str(desk.ann.id),))
    role = desk.server.world.add_role(desk.server.guild, "crew", 0)
    text = f"@everyone @here <@&{role.id}> <@{desk.ann.id}> <@!{bob.id}>"
    ref = desk.get(desk.port.post(desk.here, text, nonce="page-1"))
    allowed = desk.message(ref).allowed_mentions
    assert allowed == {"parse": [], "users": [desk.ann.id]}
    desk.get(desk.port.edit(ref, text + "!"))
    assert desk.message(ref).content == text + "!"


def test_a_notice_pings_nobody(desk: Desk) -> None:
    desk.know(desk.here, people=(str(desk.ann.id),))
    ref = desk.get(desk.port.post(desk.here, f"<@{desk.ann.id}>"))
    assert not any((desk.message(ref).allowed_mentions or {"parse": ["users"]}).values())


# Buttons.


def test_buttons_come_and_go_with_the_pages_that_say_so(desk: Desk) -> None:
    about = (MessageRef(desk.here, str(desk.ann.write("general", "a question").id)),)
    ref = desk.get(desk.port.post(desk.here, "working", controls=Controls(stop=True, turn="abc", about=about)))
    assert "Stop" in desk.message(ref).buttons
    desk.get(desk.port.edit(ref, "still working"))
    assert "Stop" in desk.message(ref).buttons
    desk.get(desk.port.edit(ref, "failed", controls=Controls(retry=True, turn="abc", about=about)))
    assert desk.message(ref).buttons == ["Retry"]
    desk.get(desk.port.edit(ref, "done", controls=Controls()))
    assert desk.message(ref).buttons == []


def test_a_question_is_put_and_settled(desk: Desk) -> None:
    options = (PermissionOption("yes", "Allow once", "allow_once"), PermissionOption("no", "Reject", "reject_once"))
    question = Question("q1", desk.here, "Delete it?", "rm -r build", options, timeout=60)
    future = desk.port.ask(question)
    shown = desk.server.until_said("Delete it?", "general")
    assert not future.done()
    desk.get(desk.port.settle(question, "Nobody answered in time."))
    desk.server.until_said("Nobody answered in time.", "general")
    assert not shown.components
    future.cancel()


def test_a_question_that_cannot_be_put_says_why(desk: Desk) -> None:
    desk.server.allow(desk.server.general, desk.server.app, deny=1 << 11)
    options = (PermissionOption("yes", "Allow once", "allow_once"),)
    error = desk.fails(desk.port.ask(Question("q1", desk.here, "Delete it?", "rm", options)))
    assert isinstance(error, ChatRefused)


# Files.


def test_a_file_is_uploaded_under_a_name_that_says_what_it_is(desk: Desk) -> None:
    data = png()
    ref = desk.get(desk.port.upload(desk.here, File("../plot", data, "image/png"), nonce="file-1"))
    [attachment] = desk.message(ref).attachments
    assert attachment.filename == "plot.png" and attachment.content == data


def test_a_file_that_is_cut_off_is_uploaded_once(desk: Desk) -> None:
    desk.server.fail("POST", "*/messages", lost=True)
    desk.get(desk.port.upload(desk.here, File("notes.txt", b"hello", "text/plain"), nonce="file-1"))
    assert len(desk.server.general.history) == 1


def test_a_file_that_is_too_large_is_a_sentence(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytes(10 * 1024 * 1024 + 1)
    ref = desk.get(desk.port.upload(desk.here, File("big.bin", data)))
    assert desk.message(ref).content == "📎 `big.bin` has 10.0 MiB; files here may have 10 MiB, so it was not sent."


# What can be done.


def test_limits_are_discords_and_where_another_bot_speaks_nothing_is_edited(desk: Desk) -> None:
    """FIELD E7, E8: a growing answer confuses other bots, and its edits ring nobody."""
    limits = desk.port.limits(desk.here)
    assert (limits.page, limits.live, limits.max_pages) == (2000, "edit", 10)
    assert limits.edit_interval >= 1.2 and limits.controls and limits.spoilers and limits.mention
    assert limits.file_size == 10 * 1024 * 1024
    desk.know(desk.here, bots=("4711",))
    assert desk.port.limits(desk.here).live == "once"


def test_a_boosted_server_takes_larger_files_as_long_as_it_is(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_SIZES", 1)
    other = Conversation(desk.here.platform, str(desk.server.add_channel("other").id))

    def boost(tier: int) -> None:
        async def change() -> None:
            for guild in desk.bot.client.guilds:
                guild.premium_tier = tier

        desk.bot.loop.submit(change(), 5).result(SOON)

    def sizes() -> list[int]:
        return [desk.port.limits(place).file_size // (1024 * 1024) for place in (desk.here, other)]

    boost(3)
    desk.get(desk.port.typing(desk.here))
    assert sizes() == [100, 10]
    desk.get(desk.port.typing(other))
    assert sizes() == [10, 100], "not more of them are remembered than that"
    boost(0)
    desk.get(desk.port.typing(other))
    assert sizes() == [10, 10]


def test_events_are_for_other_platforms(desk: Desk) -> None:
    desk.port.event(desk.here, Notice("nothing to see"))
    desk.get(desk.port.typing(desk.here))
    assert desk.server.general.history == []


# Titles.


def test_our_thread_gets_its_title_and_whatever_is_not_ours_keeps_its_own(desk: Desk) -> None:
    theirs, their_conversation = desk.thread()
    desk.get(desk.port.rename(their_conversation, "not theirs"))
    assert theirs.name == "a talk"
    asked = desk.ann.write("general", "what is this?")
    thread = threads.start_from(desk.server.world, asked, "asked", desk.server.app.user)
    conversation = Conversation("discord", str(thread.id))
    desk.get(desk.port.rename(conversation, "A better\ntitle " + "x" * 100))
    assert thread.name.startswith("A better title xxx") and len(thread.name) <= 100
    assert desk.books.conversations.get(conversation.key).title == thread.name
    desk.get(desk.port.rename(desk.here, "not this one"))
    assert desk.server.general.name == "general"


# Threads.


def test_the_port_may_be_called_from_any_thread_and_answers_at_once(desk: Desk) -> None:
    futures: list[Future[MessageRef]] = []
    threads = [
        threading.Thread(target=lambda: futures.append(desk.port.post(desk.here, "hello")), name=f"session-{number}")
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({desk.get(future).id for future in futures}) == 8


def test_before_the_bot_is_connected_everything_fails_with_a_sentence(tmp_path_factory: pytest.TempPathFactory) -> None:
    store = Store.open(tmp_path_factory.mktemp("store"))
    with Server(limits=QUICK) as server:
        server.fail("GET", "/users/@me", times=1000, status=503)
        with connection(server, ready=False) as bot:
            desk = Desk(server, bot, open_books(store))
            ref = MessageRef(desk.here, "1")
            futures: tuple[Future[Any], ...] = (
                desk.port.post(desk.here, "hello"),
                desk.port.edit(ref, "hello"),
                desk.port.react(ref, "👀", True),
                desk.port.typing(desk.here),
                desk.port.upload(desk.here, File("a.txt", b"a")),
            )
            for future in futures:
                error = desk.fails(future)
                assert isinstance(error, ChatError) and "not connected" in str(error)
            until(lambda: bot.pauses)
    assert store.close()


# What of ours stands there.


def test_there_is_time_to_read_as_many_as_are_read() -> None:
    """A hundred messages a request, and Discord takes five of them in five seconds for a channel; each is answered."""
    requests = -(-(port.MOST_READ + 1) // 100)
    assert requests * (1.0 + 0.5) < port.READING < mending.READING


def test_ours_are_found_among_all_that_was_written_since(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much others write meanwhile: up to a bound, and where that is not enough it is not known."""
    ref = desk.get(desk.port.post(desk.here, "one"))
    for number in range(2):
        desk.server.user("ann").write("general", f"talk {number}")
    last = desk.get(desk.port.post(desk.here, "two"))
    monkeypatch.setattr(port, "MOST_READ", 4)
    assert [one.ref for one in desk.get(desk.port.ours(desk.here, 0.0))] == [ref, last]
    desk.server.user("ann").write("general", "one more")
    with pytest.raises(ChatRefused, match="more than 4 messages"):
        desk.get(desk.port.ours(desk.here, 0.0))
