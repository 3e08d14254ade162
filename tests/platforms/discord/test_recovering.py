"""What a process before this one has left on Discord, taken up before anything new."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import discord
import pytest

from openab_sync.core.ledger import Journaled
from openab_sync.core.message import Conversation, Inbound, MessageRef, Person
from openab_sync.core.recovery import Waiting
from openab_sync.platforms.discord.recovering import Recovering
from openab_sync.store import Books, End, Known, PageRow, Store, open_books
from tests.fakes.discord import Fault, Server
from tests.fakes.discord.things import Channel, Message
from tests.platforms.discord.bed import house
from tests.platforms.discord.fake_client import QUICK
from tests.platforms.discord.pressing import buttons, done, told
from tests.waiting import until

PATIENCE = 10.0


class Before:
    """What the process before has left in a folder: written by hand, as it would have been."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.store = Store.open(folder)
        self.books: Books = open_books(self.store)
        self.ledger = Journaled(self.books.deliveries, self.books.replies)

    def accept(self, message: Message, at: Channel | None = None) -> int:
        """A message of Ann's that was accepted and not complete."""
        where = Conversation("discord", str(at.id if at else message.id))
        person, route = Person(str(message.author.id), "ann"), {"channel": str(message.channel.id)}
        number, safe = self.ledger.accept(MessageRef(where, str(message.id)), person, message.content, route)
        safe.result(PATIENCE)
        parent = "" if at else str(message.channel.id)
        self.books.conversations.put(Known(where.key, parent=parent, took_part=True, people=(person.id,)))
        return number

    def whole(self, message: Message, thread: Channel) -> None:
        """One that was complete and waits."""
        number = self.accept(message, thread)
        ref = MessageRef(Conversation("discord", str(thread.id)), str(message.id))
        text = message.content.partition("> ")[2]
        self.ledger.complete(Inbound(ref, Person(str(message.author.id), "ann"), text, delivery=number))

    def close(self) -> None:
        assert self.store.close()


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server


@pytest.fixture
def before(server: Server, tmp_path: Path) -> Iterator[Before]:
    before = Before(server, tmp_path)
    yield before
    before.store.close()


def write(server: Server, text: str) -> Message:
    """Ann mentions the bot while it is away."""
    return server.user("ann").write("general", f"<@{server.app.id}> {text}", mentions=[server.app])


def reactions(server: Server, message: Message) -> list[str]:
    return [emoji for emoji, users in message.reactions.items() if server.app.id in users]


def test_a_message_that_was_not_complete_is_read_again_and_answered(server: Server, before: Before) -> None:
    message = write(server, "say hello")
    before.accept(message)
    before.close()
    with house(server, folder=before.folder) as bed:
        server.until(lambda: message.thread, PATIENCE)
        bed.until_said("hello", message.thread or "")
        until(lambda: not open_ones(bed.books))


def test_one_that_cannot_be_read_is_over_only_when_its_writer_knows(server: Server, before: Before) -> None:
    message = write(server, "say hello")
    before.accept(message)
    before.close()
    server.backend.faults.add(Fault("GET", f"*/messages/{message.id}", times=9, status=403, code=50001))
    held = server.backend.faults.add(Fault("POST", "*/messages", times=9, hold=True))
    with house(server, folder=before.folder):
        server.until(lambda: held.seen, PATIENCE)
    held.release()
    server.backend.faults.clear()
    with house(server, folder=before.folder) as bed:  # nobody was told, and now it can be read
        server.until(lambda: message.thread, PATIENCE)
        bed.until_said("hello", message.thread or "")
        until(lambda: not open_ones(bed.books))


def open_ones(books: Books) -> int:
    return len(books.replies.open()) + len(books.deliveries.waiting())


def test_they_are_answered_in_order_and_before_what_is_new(server: Server, before: Before) -> None:
    thread = server.user("ann").open_thread("general", "a thread")
    app = server.app
    old = [server.user("ann").write(thread, f"<@{app.id}> say {word}", mentions=[app]) for word in ("first", "second")]
    for message in old:
        before.accept(message, thread)
    before.close()
    with house(server, folder=before.folder) as bed:
        bed.mention("say third", thread)
        bed.until_said("third", thread)
        said = [one.content for one in thread.history if one.author is app.user]
        assert said == ["first", "second", "third"]


@pytest.mark.parametrize("is_whole", [True, False])
def test_what_was_said_over_the_api_is_answered_and_holds_nothing_up(
    server: Server, before: Before, is_whole: bool
) -> None:
    """Its writer is nobody of Discord's, and the message that shows it is our own."""
    ann, app = server.user("ann"), server.app
    thread = ann.open_thread("general", "a thread")
    shown = ann.write(thread, "📨 the status API:\nsay first")
    ref = MessageRef(Conversation("discord", str(thread.id)), str(shown.id))
    number, safe = before.ledger.accept(ref, Person("status", "the status API"), "say first", {})
    safe.result(PATIENCE)
    if is_whole:
        before.ledger.complete(Inbound(ref, Person("status", "the status API"), "say first", delivery=number))
    before.accept(ann.write(thread, f"<@{app.id}> say second", mentions=[app]), thread)
    before.close()
    with house(server, folder=before.folder) as bed:
        bed.until_said("second", thread)
        said = [one.content for one in thread.history if one.author is app.user]
        assert said == ["first", "second"]
        until(lambda: not open_ones(bed.books))


def test_what_comes_over_the_api_meanwhile_comes_behind_it(
    server: Server, before: Before, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes through no lane: the pool keeps it back until the last of the old ones is handed in."""
    ann, app = server.user("ann"), server.app
    thread, go_on, begun = ann.open_thread("general", "a thread"), threading.Event(), threading.Event()
    for word in ("first", "second"):
        before.whole(ann.write(thread, f"say {word}", mentions=[app]), thread)
    before.close()
    hand_in = Recovering._hand_in

    async def slow(self: Recovering, one: Waiting) -> None:
        if "second" in one.text:
            begun.set()
            await asyncio.to_thread(go_on.wait, PATIENCE)
        await hand_in(self, one)

    monkeypatch.setattr(Recovering, "_hand_in", slow)
    with house(server, folder=before.folder, pool={"message_processing_mode": "per-message"}) as bed:
        assert begun.wait(PATIENCE)
        here, by = Conversation("discord", str(thread.id)), Person("status", "the status API")
        ref = bed.platform.port.post(here, "📨").result(PATIENCE)
        number, safe = bed.app.broker.accept(ref, by, "say third", {})
        safe.result(PATIENCE)
        assert bed.app.broker.receive(Inbound(ref, by, "say third", delivery=number)).state == "queued"
        go_on.set()
        bed.until_said("third", thread)
        said = [one.content for one in thread.history if one.author is app.user]
        assert said == ["📨", "first", "second", "third"]


def test_one_that_was_deleted_meanwhile_is_withdrawn(server: Server, before: Before) -> None:
    message = write(server, "say hello")
    before.accept(message)
    server.user("ann").delete(message)
    before.close()
    with house(server, folder=before.folder) as bed:
        until(lambda: not open_ones(bed.books))
        assert message.thread is None


def test_one_that_was_edited_meanwhile_is_answered_as_it_is_now(server: Server, before: Before) -> None:
    thread, app = server.user("ann").open_thread("general", "a thread"), server.app
    message = server.user("ann").write(thread, f"<@{app.id}> say old", mentions=[app])
    before.whole(message, thread)
    server.user("ann").edit(message, f"<@{app.id}> say new")
    before.close()
    with house(server, folder=before.folder) as bed:
        bed.until_said("new", thread)


def test_only_an_edit_of_one_that_waits_again_is_shown_as_an_edit(
    server: Server, before: Before, tmp_path: Path
) -> None:
    thread, app, ann = server.user("ann").open_thread("general", "a thread"), server.app, server.user("ann")
    gate = tmp_path / "gate"
    messages = [
        ann.write(thread, f"<@{app.id}> {text}", mentions=[app]) for text in (f"gate {gate}", "say link", "say old")
    ]
    for message in messages:
        before.whole(message, thread)
    before.close()
    with house(server, folder=before.folder) as bed:
        here, broker = Conversation("discord", str(thread.id)), bed.app.broker
        first = MessageRef(here, str(messages[0].id))
        until(lambda: broker.is_answering(first) and len(broker.waiting(here)) == 2, what="all are handed in")
        ann.embed(messages[1], {"title": "Example"})
        ann.edit(messages[2], f"<@{app.id}> say new")
        server.until(lambda: "✏️" in reactions(server, messages[2]), PATIENCE)
        gate.touch()
        bed.until_said("new", thread)
        assert "✏️" not in reactions(server, messages[1])


def test_an_interrupted_turn_can_be_tried_again_after_another_restart(server: Server, before: Before) -> None:
    message = write(server, "say once more")
    number = before.accept(message)
    before.books.replies.start("a" * 32, f"discord:{message.id}", [number])
    server.user("ann").open_thread(message, "once more")
    before.close()
    assert message.thread is not None
    with house(server, folder=before.folder) as bed:
        bed.until_said("Interrupted by a restart", message.thread)
    with house(server, folder=before.folder) as bed:
        notice = bed.until_said("Interrupted by a restart", message.thread)
        until(lambda: buttons(notice) == ["Retry", "Discard"])
        until(lambda: reactions(server, message) == ["😱"])
        ben = told(server, server.user("ben").click(notice, "Retry"))
        assert "This button is for" in ben
        done(server, server.user("ann").click(notice, "Retry"))
        bed.until_said("once more", message.thread)
        until(lambda: buttons(notice) == [])
        until(lambda: reactions(server, message) == ["🆗"])


def test_an_interrupted_turn_can_be_left_at_that(server: Server, before: Before) -> None:
    message = write(server, "say hello")
    number = before.accept(message)
    before.books.replies.start("a" * 32, f"discord:{message.id}", [number])
    server.user("ann").open_thread(message, "hello")
    before.close()
    assert message.thread is not None
    with house(server, folder=before.folder) as bed:
        notice = bed.until_said("Interrupted by a restart", message.thread)
        until(lambda: buttons(notice) == ["Retry", "Discard"])
        server.user("ann").click(notice, "Discard")
        until(lambda: buttons(notice) == [])
        assert notice.content.endswith("🗑️ ann")


def test_where_the_history_may_not_be_read_a_page_is_rather_sent_twice_and_says_so(
    server: Server, before: Before
) -> None:
    """Discord answers with nothing then, as if we had written nothing."""
    message = write(server, "say hello")
    number, key = before.accept(message), f"discord:{message.id}"
    thread = server.user("ann").open_thread(message, "hello")
    before.books.replies.start("a" * 32, key, [number])
    before.books.replies.finish("a" * 32, [number], End("done", "", [PageRow(0, "hello")])).result(PATIENCE)
    old = before.store.write(lambda db: db.execute("UPDATE replies SET ended = ended - 600"))
    old.result(PATIENCE)
    before.close()
    server.allow(server.general, server.app, deny=discord.Permissions(read_message_history=True).value)
    with house(server, folder=before.folder) as bed:
        page = bed.until_said("hello", thread)
        assert "sent again: it may stand above" in page.content
        until(lambda: not open_ones(bed.books))


def test_what_had_been_said_beside_another_bot_is_posted_though_nobody_had_seen_it(
    server: Server, before: Before
) -> None:
    """Answers are sent once there, so what had been said is on record only."""
    thread, app = server.user("ann").open_thread("general", "a thread"), server.app
    message = server.user("ann").write(thread, f"<@{app.id}> count", mentions=[app])
    key = f"discord:{thread.id}"
    number = before.accept(message, thread)
    before.books.conversations.put(Known(key, took_part=True, bots=("4711",), people=(str(message.author.id),)))
    before.books.replies.start("t", key, [number])
    before.books.replies.draft("t", "one, two, " * 500).result(PATIENCE)
    before.close()
    with house(server, folder=before.folder) as bed:
        last = bed.until_said("Interrupted by a restart", thread)
        until(lambda: not open_ones(bed.books))
        said = [one.content for one in thread.history if one.author is app.user]
        assert " ".join(said).count("one, two,") == 500
        until(lambda: buttons(last) == ["Retry", "Discard"])
