"""The platform: a whole house on the fake Discord, from the first message to the end."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from openab_sync.app import App
from openab_sync.config.schema import Config
from openab_sync.core import session
from openab_sync.core.state import State
from openab_sync.errors import ConfigError
from openab_sync.media.inbox import folder_of
from openab_sync.platforms.discord import platform as platform_module
from openab_sync.platforms.discord.platform import Discord
from openab_sync.store import Keeping, Store, Theirs, open_books
from tests.fakes.discord import Server
from tests.platforms.discord.bed import house, settings
from tests.platforms.discord.fake_client import QUICK
from tests.waiting import MS, until


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server


def test_a_mention_is_answered_in_a_thread_of_its_own(server: Server) -> None:
    with house(server) as bed:
        thread = bed.thread("echo good morning")
        message = bed.until_said("good morning", thread)
        assert message.channel is thread


def test_what_people_write_in_two_threads_is_answered_in_each(server: Server) -> None:
    with house(server) as bed:
        one, other = bed.thread("hang"), bed.thread("echo over here")
        bed.until_said("over here", other)
        assert one.id != other.id
        assert len(bed.app.broker.snapshot().sessions) == 2


def test_a_connection_that_is_lost_costs_no_answer(server: Server) -> None:
    """FIELD D: the turn goes on, and its answer comes by REST whatever the gateway does."""
    with house(server) as bed:
        thread = bed.thread("slow 1 echo done at last")
        with server.gateway.down():
            bed.until_said("done at last", thread)


def test_a_storm_of_refusals_and_faults_costs_no_answer(server: Server) -> None:
    with house(server) as bed:
        thread = bed.thread("echo one")
        bed.until_said("one", thread)
        server.fail("*", "/channels/*", status=429, retry_after=0.02, times=4)
        server.fail("*", "/channels/*", status=429, retry_after=0.02, is_global=True)
        server.fail("*", "/channels/*", status=503, times=3)
        server.fail("POST", "/channels/*/messages", lost=True)
        server.fail("PATCH", "/channels/*", reset=True)
        bed.mention("echo two", thread)
        bed.until_said("two", thread)
        assert len([text for text in thread.texts if "two" in text and "<@" not in text]) == 1


def test_everything_of_the_library_happens_on_one_thread(server: Server) -> None:
    with house(server) as bed:
        bed.until_said("hello", bed.thread("echo hello"))
        names = [thread.name for thread in threading.enumerate()]
        assert names.count("chat-discord") == 1


def test_what_is_known_survives_a_restart(server: Server, tmp_path: Path) -> None:
    with house(server, folder=tmp_path) as bed:
        thread = bed.thread("echo one")
        bed.until_said("one", thread)
    with house(server, folder=tmp_path) as bed:
        assert bed.books.conversations.get(f"discord:{thread.id}").parent == str(server.general.id)
        bed.ann.write(thread, "echo two")  # without a mention: it takes part here
        bed.until_said("two", thread)


def test_a_token_that_is_not_accepted_is_told_to_whoever_started_it(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with house(server, discord={"bot_token": "no.such.token"}) as bed:
        assert isinstance(bed.platform.failure.result(), ConfigError)
        assert not bed.platform.is_ready
    assert "no.such.token" not in caplog.text


def test_a_bot_that_is_on_no_server_says_how_to_let_it_in_and_goes_on(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    server.expel()
    with house(server) as bed:
        assert bed.platform.is_ready
        server.admit()
        bed.until_said("hello", bed.thread("echo hello"))
    assert f"client_id={server.app.id}" in caplog.text


def test_a_bot_that_never_got_through_stops(server: Server, tmp_path: Path) -> None:
    fault = server.fail("GET", "/users/@me", times=1000, status=503)
    config, store = settings(server), Store.open(tmp_path)
    platform = Discord(config, open_books(store), tmp_path / "inbox")
    app = App(config, {platform.name: platform.port}, environ={})
    app.start()
    platform.start(app.broker)
    server.until(lambda: fault.seen)
    assert app.stop()
    assert platform.stop()
    assert store.close()
    assert not platform.is_ready and not platform.failure.done()


def test_a_discord_that_has_died_does_not_hold_the_end_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes connections and answers nothing any more: neither requests nor, on the gateway, the goodbye."""
    monkeypatch.setattr(session, "LAST_WORDS", 0.1)
    monkeypatch.setattr(platform_module, "LAST_CALLS", 0.1)
    with house(server) as bed:
        bed.until_said("begun", bed.thread("say begun\nhang"))
        held = [
            server.fail(method, "*", hold=True, times=10_000) for method in ("POST", "PATCH", "PUT", "DELETE", "GET")
        ]
        server.gateway.deafen(next_ones=100)
        began = time.monotonic()
        assert bed.app.stop()
        assert bed.platform.stop()
        assert time.monotonic() - began < 8 + 2000 * MS
        for fault in held:
            fault.release()


def test_a_platform_that_was_not_started_stops(server: Server, tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    assert Discord(settings(server), open_books(store), tmp_path / "inbox").stop()
    assert store.close()


def test_without_a_section_there_is_no_platform(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    with pytest.raises(ConfigError, match="discord"):
        Discord(Config(), open_books(store), tmp_path)
    assert store.close()


def test_files_of_messages_do_not_stay_for_ever(server: Server, tmp_path: Path) -> None:
    old, young = tmp_path / "inbox" / "one" / "old.txt", tmp_path / "inbox" / "one" / "young.txt"
    young.parent.mkdir(parents=True)
    for file in (old, young):
        file.write_text("kept")
    os.utime(old, (0, 0))
    with house(server, folder=tmp_path, store={"keep_days": 1}) as bed:
        bed.app._janitor.round()
        assert [file.name for file in young.parent.iterdir()] == ["young.txt"]


def test_somebody_may_have_forgotten_what_is_theirs_alone(server: Server) -> None:
    """All of it: rows of messages and answers, the agent's session, who took part, the files."""
    with house(server) as bed:
        bob = server.user("bob")
        own, shared = bed.thread("say mine"), bed.thread("say ours")
        bed.until_said("mine", own)
        bed.until_said("ours", shared)
        bob.write(shared, "say bob")
        bed.until_said("bob", shared)
        key = f"discord:{own.id}"
        folder = folder_of(bed.folder / "inbox", key)
        folder.mkdir(parents=True)
        (folder / "notes.txt").write_text("mine")
        until(lambda: {one.state for one in bed.app.broker.snapshot().sessions} == {State.IDLE}, what="all are idle")
        asked = bed.ann.slash("forget", where=own)
        server.until(lambda: asked.is_done)
        assert "1 conversation of yours in which nobody else has written" in asked.answer
        assert folder.exists(), "so far it was only asked"
        done = bed.ann.slash("forget", where=own, what="all")
        server.until(lambda: done.is_done)
        assert done.answer == "Forgotten: 1 conversation."
        assert not folder.exists()
        assert not bed.books.conversations.get(key).took_part
        theirs = Keeping(bed.store).of("discord", str(bed.ann.id)).result(10)
        assert theirs == Theirs(shared=frozenset({f"discord:{shared.id}"}))
        refused = bed.ann.slash("forget", where=shared, what="here")
        server.until(lambda: refused.is_done)
        assert "Others have written here" in refused.answer
        kept = bed.store.read(lambda db: db.execute("SELECT key FROM memories").fetchall())
        assert kept == [(f"discord:{shared.id}",)]
