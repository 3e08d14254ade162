"""A disk that takes nothing: nothing more is accepted, people are told, what is under way goes on; it mends itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from openab_sync.platforms.discord import incoming
from openab_sync.store import Store
from tests.fakes.discord import Server
from tests.fakes.discord.things import Message
from tests.platforms.discord.bed import house
from tests.platforms.discord.fake_client import QUICK
from tests.store.outage import hanging, outage
from tests.waiting import until


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server


def reactions(server: Server, message: Message) -> set[str]:
    return {emoji for emoji, users in message.reactions.items() if server.app.id in users}


def test_nothing_is_accepted_while_the_disk_is_away_and_what_is_under_way_goes_on(
    server: Server, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    with house(server) as bed:
        thread = bed.thread(f"gate {gate}\nsay under way")
        until(lambda: len(bed.books.replies.open()) == 1, what="its turn has begun")
        with outage(bed.books.deliveries._store):
            first, second = bed.mention("say refused"), bed.mention("say refused as well")
            bed.until_said("I cannot keep anything at the moment: the disk is read-only", "general")
            until(lambda: reactions(server, second) == {"😱"}, what="a sign where it is not said again")
            assert first.thread is None and second.thread is None
            assert "👀" not in reactions(server, first)
            gate.touch()
            bed.until_said("under way", thread)
        third = bed.thread("say accepted")
        bed.until_said("accepted", third)
        until(lambda: not bed.books.replies.open(), what="what the outage kept from the disk is written")
        assert bed.books.deliveries.waiting() == []


# A disk that neither writes nor fails.


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming, "ON_DISK", 0.05)


def states(store: Store) -> list[str]:
    return store.read(lambda db: [row[0] for row in db.execute("SELECT state FROM deliveries ORDER BY id")])


@pytest.mark.usefixtures("impatient")
def test_what_a_disk_that_hangs_has_not_taken_yet_is_told_and_answered_once_when_it_does(server: Server) -> None:
    with house(server) as bed:
        with hanging(bed.store) as gate:
            message = bed.mention("say hello")
            bed.until_said("could not write your message down yet", "general")
            assert reactions(server, message) == set() and message.thread is None, "no 👀 before it is on the disk"
            gate.set()
            thread = server.until(lambda: message.thread, what="it is taken after all")
            bed.until_said("hello", thread or "")
        until(lambda: states(bed.store) == ["delivered"])
        ours = [one.content for one in server.general.history if one.author is server.app.user]
        assert len(ours) == 1


@pytest.mark.usefixtures("impatient")
def test_of_one_conversation_it_is_said_once_and_its_messages_keep_their_order(server: Server) -> None:
    with house(server) as bed:
        thread = bed.thread("say hello")
        bed.until_said("hello", thread)
        with hanging(bed.store) as gate:
            for word in ("one", "two"):
                bed.mention(f"say {word}", thread)
            bed.until_said("could not write your message down yet", thread)
            gate.set()
            bed.until_said("two", thread)
        ours = [one.content for one in thread.history if one.author is server.app.user]
        assert [text for text in ours if text in {"one", "two"}] == ["one", "two"]
        assert sum("could not write" in text for text in ours) == 1


@pytest.mark.usefixtures("impatient")
def test_one_that_is_deleted_while_the_disk_hangs_is_withdrawn_when_it_takes_it(server: Server) -> None:
    with house(server) as bed:
        with hanging(bed.store) as gate:
            message = bed.mention("say never")
            bed.until_said("could not write your message down yet", "general")
            bed.ann.delete(message)
            parts = bed.platform._hearing.parts
            assert parts is not None
            until(lambda: all(draft.is_withdrawn for draft in parts.incoming._drafts.values()))
            gate.set()
        until(lambda: states(bed.store) == ["withdrawn"])
        assert message.thread is None


@pytest.mark.usefixtures("impatient")
def test_one_that_the_disk_refuses_in_the_end_is_told_so(server: Server) -> None:
    with house(server) as bed:
        with hanging(bed.store) as gate:
            message = bed.mention("say never")
            bed.until_said("could not write your message down yet", "general")
            with outage(bed.store):
                gate.set()
                bed.until_said("I cannot keep anything at the moment", "general")
        assert message.thread is None and "👀" not in reactions(server, message)
