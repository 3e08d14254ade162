"""Going on with a session that the agent remembers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.discord import Interaction, Message, Server
from tests.fakes.discord.things import Channel
from tests.platforms.discord.bed import Bed, house
from tests.platforms.discord.fake_client import QUICK
from tests.platforms.discord.pressing import buttons, done, idle, select, shown, told
from tests.waiting import MS, until


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server


def session_id(bed: Bed, thread: Channel) -> str | None:
    look = bed.app.broker.snapshot().sessions
    return next((item.acp_session_id for item in look if item.conversation.id == str(thread.id)), None)


def forgotten(bed: Bed, text: str) -> tuple[Channel, str]:
    """A conversation whose session was reset: the agent remembers it, nobody uses it."""
    thread = bed.thread(text)
    bed.until_said(text.removeprefix("say "), thread)  # it is idle before it takes the message, too
    idle(bed, thread)
    known = session_id(bed, thread)
    assert known is not None
    told(bed.server, bed.ann.slash("reset", where=thread))
    until(lambda: not bed.app.broker.snapshot().sessions)
    return thread, known


def picked(bed: Bed, thread: Channel) -> tuple[Message, str]:
    """Open the menu, choose the first session; return the message, which asks where it shall go on."""
    menu = shown(bed.server, bed.ann.slash("sessions", where=thread))
    label = select(menu)[0]
    bed.ann.choose(menu, menu.components[0]["components"][0]["options"][0]["value"])
    bed.server.until(lambda: buttons(menu) == ["Here", "In a new thread"], 8000 * MS, what="where?")
    return menu, label


def answered(server: Server, interaction: Interaction, menu: Message, text: str) -> None:
    server.until(lambda: interaction.acked and text in menu.content, 8000 * MS, what=text)


def test_a_conversation_goes_on_with_another_session_in_its_place(server: Server, tmp_path: Path) -> None:
    with house(server, "--memory", str(tmp_path / "memory")) as bed:
        thread, known = forgotten(bed, "say remember me")
        menu, _ = picked(bed, thread)
        answered(server, bed.ann.click(menu, "Here"), menu, "The next message goes on with that session.")
        assert menu.components == []
        bed.mention("say more", thread)
        until(lambda: session_id(bed, thread) == known, 8000 * MS)
        bed.until_said("more", thread)


def test_a_session_goes_on_in_a_new_thread_after_a_restart_too(server: Server, tmp_path: Path) -> None:
    with house(server, "--memory", str(tmp_path / "memory"), folder=tmp_path / "store") as bed:
        thread, known = forgotten(bed, "say remember me")
        menu, _ = picked(bed, thread)
        answered(server, bed.ann.click(menu, "In a new thread"), menu, "It goes on in <#")
        new = next(one for one in server.world.channels.values() if one.mention in menu.content)
        assert new is not thread
    with house(server, "--memory", str(tmp_path / "memory"), folder=tmp_path / "store") as bed:
        bed.ann.write(new, "say there")
        until(lambda: session_id(bed, new) == known, 8000 * MS)
        bed.until_said("there", new)


@pytest.mark.parametrize("path", ["/channels/*/messages", "/channels/*/messages/*/threads"])
def test_a_lost_acknowledgement_opens_no_second_thread(server: Server, tmp_path: Path, path: str) -> None:
    with house(server, "--memory", str(tmp_path / "memory")) as bed:
        thread, _ = forgotten(bed, "say remember me")
        menu, _ = picked(bed, thread)
        fault = server.fail("POST", path, lost=True)
        answered(server, bed.ann.click(menu, "In a new thread"), menu, "It goes on in <#")
        assert fault.seen == 1
        assert sum("goes on with" in one.content for one in server.general.history) == 1


def test_once_is_enough_and_it_is_the_persons_who_asked(server: Server, tmp_path: Path) -> None:
    with house(server, "--memory", str(tmp_path / "memory")) as bed:
        thread, _ = forgotten(bed, "say remember me")
        menu, _ = picked(bed, thread)
        menu.flags &= ~64  # Bob cannot see it; his program presses all the same
        assert "somebody else's" in told(server, server.user("bob").click(menu, "Here"))
        kept = list(menu.components)
        answered(server, bed.ann.click(menu, "Here"), menu, "The next message")
        menu.components = kept
        assert "too old" in told(server, bed.ann.click(menu, "Here"))


def test_where_no_thread_can_be_opened_that_is_said(server: Server, tmp_path: Path) -> None:
    with house(server, "--memory", str(tmp_path / "memory"), discord={"allow_dm": True}) as bed:
        channel = bed.ann.dm("say remember me").channel
        bed.until_said("remember me", channel)
        idle(bed, channel)
        told(server, bed.ann.slash("reset", where=channel))
        menu, _ = picked(bed, channel)
        clicked = bed.ann.click(menu, "In a new thread")
        done(server, clicked)
        server.until(lambda: menu.content == "No thread can be opened from here.")
