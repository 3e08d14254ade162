"""Menus: paged, bound to one person, good in the middle of a turn, while an agent starts and after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.acp.events import StoredSession
from openab_sync.core.events import Option
from openab_sync.core.house import SessionPage
from openab_sync.core.message import Conversation
from openab_sync.platforms.discord.ids import read
from openab_sync.platforms.discord.selects import (
    Item,
    Selects,
    menu_view,
    stored_session,
)
from tests.fakes.discord import Interaction, Message, Server
from tests.fakes.discord.things import Json
from tests.platforms.discord.bed import Bed, admin, house
from tests.platforms.discord.fake_client import QUICK
from tests.platforms.discord.pressing import buttons, done, idle, select, shown, told
from tests.waiting import MS


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server


def chosen(message: Message) -> list[str]:
    """What is marked in a message's select."""
    return [
        option["label"]
        for row in message.components
        for item in row["components"]
        for option in item.get("options", [])
        if option.get("default")
    ]


def changed(server: Server, message: Message, interaction: Interaction, text: str) -> None:
    """Wait until a choice has changed its message."""
    server.until(lambda: interaction.acked and text in message.content, 8000 * MS, what=f"{text!r}")


# Pages.


def shape(token: str, items: Sequence[Item], page: int, title: str) -> list[Json]:
    async def make() -> list[Json]:
        view = menu_view(token, items, page, title)
        assert view.is_finished()
        return view.to_components()

    return asyncio.run(make())


@given(st.integers(1, 120), st.integers(-5, 10), st.text(max_size=200), st.text(max_size=200))
def test_every_page_is_one_that_discord_takes(count: int, page: int, title: str, label: str) -> None:
    """FIELD J5."""
    items = [Item(label, f"value {number}", label, number == 3) for number in range(count)]
    rows = shape("token", items, page, title)
    [menu] = rows[0]["components"]
    assert 1 <= len(menu["options"]) <= 25
    assert len(menu.get("placeholder", "")) <= 150
    for option in menu["options"]:
        assert 1 <= len(option["label"]) <= 100
        assert len(option.get("description") or "") <= 100
        assert 0 <= int(option["value"]) < len(items)
    turning = [read(item["custom_id"]) for row in rows[1:] for item in row["components"]]
    assert len(turning) == (2 if count > 25 else 0)
    assert len({one for one in turning if one}) == len(turning)


def test_the_pages_of_a_menu_hold_every_entry_once() -> None:
    items = [Item(f"Model {number}", str(number)) for number in range(60)]
    found = [
        option["label"] for page in range(3) for option in shape("t", items, page, "x")[0]["components"][0]["options"]
    ]
    assert found == [item.label for item in items]
    assert shape("t", items, 99, "x")[0]["components"][0]["placeholder"] == "x — page 3 of 3"
    with pytest.raises(ValueError, match="without an entry"):
        shape("t", [], 0, "x")


def test_a_session_on_a_button_is_the_one_that_was_put_there() -> None:
    stored = stored_session({"session": '{"session_id": "s", "cwd": "/w", "title": "t", "updated_at": "u"}'})
    assert (stored.session_id, stored.cwd, stored.title, stored.updated_at) == ("s", "/w", "t", "u")


# In a house.


def test_a_model_is_chosen_in_the_middle_of_a_turn(server: Server) -> None:
    """FIELD J7."""
    with house(server, "--options") as bed:
        thread = bed.thread("say working\nhang")
        bed.until_said("working", thread)
        menu = shown(server, bed.ann.slash("models", where=thread))
        assert menu.is_ephemeral
        before = chosen(menu)
        other = next(label for label in select(menu) if label not in before)
        changed(server, menu, bed.ann.choose(menu, other), "is")
        server.until(lambda: chosen(menu) == [other], what="the other one is marked")
        told(server, bed.ann.slash("cancel", where=thread))


def test_a_menu_answers_while_an_agent_is_starting(server: Server, tmp_path: Path) -> None:
    """FIELD J7: acknowledged at once, answered when there is something to say."""
    with house(server, "--options", "--slow-new-on", str(tmp_path / "go")) as bed:
        thread = bed.thread("say hi")
        asked = bed.ann.slash("modes", where=thread)
        server.until(lambda: asked.acked == 5, what="it thinks")
        assert asked.acked_after < 2.5
        (tmp_path / "go").touch()
        assert len(select(shown(server, asked))) > 1
        bed.until_said("hi", thread)


def test_a_menu_is_its_persons_and_outlives_a_restart(server: Server, tmp_path: Path) -> None:
    with house(server, "--options", folder=tmp_path) as bed:
        thread = bed.thread("say hi")
        idle(bed, thread)
        menu = shown(server, bed.ann.slash("modes", where=thread))
    server.advance(6)
    with house(server, "--options", folder=tmp_path) as bed:
        other = next(label for label in select(menu) if label not in chosen(menu))
        custom_id = menu.components[0]["components"][0]["custom_id"]
        token = read(custom_id)
        assert token is not None
        changed(server, menu, bed.ann.choose(menu, other), "is")
        menu.flags &= ~64  # Bob cannot see it; his program sends it all the same
        assert "somebody else's" in told(server, server.user("bob").choose(menu, select(menu)[0]))


def test_everything_that_can_be_set_is_a_menu_of_menus(server: Server) -> None:
    with house(server, "--options", "--boolean-option", discord=admin(server)) as bed:
        thread = bed.thread("say hi")
        idle(bed, thread)
        menu = shown(server, bed.ann.slash("config", where=thread))
        switch = next(label for label in select(menu) if "pprove" in label)
        bed.ann.choose(menu, switch)
        server.until(lambda: select(menu) == ["on", "off"], what="the switch")
        assert chosen(menu) == ["off"]
        bed.ann.choose(menu, "on")
        server.until(lambda: chosen(menu) == ["on"], what="it is on")


def test_an_agent_with_nothing_to_set_says_so(server: Server) -> None:
    with house(server) as bed:
        thread = bed.thread("say hi")
        idle(bed, thread)
        assert told(server, bed.ann.slash("config", where=thread)) == "This agent has nothing to set."
        assert told(server, bed.ann.slash("models", where=thread)) == "This agent offers no choice of models."


def test_the_queue_is_seen_and_one_of_it_dropped(server: Server) -> None:
    with house(server) as bed:
        thread = bed.thread("say working\nhang")
        bed.until_said("working", thread)
        assert told(server, bed.ann.slash("queue", where=thread)) == "Nothing waits here."
        for text in ("say one", "say two"):
            bed.mention(text, thread)
        server.until(lambda: len(bed.app.broker.waiting(the_conversation(bed))) == 2)
        menu = shown(server, bed.ann.slash("queue", where=thread))
        assert [label.partition(": ")[2] for label in select(menu)] == ["say one", "say two"]
        changed(server, menu, bed.ann.choose(menu, select(menu)[0]), "Dropped.")
        assert [label.partition(": ")[2] for label in select(menu)] == ["say two"]
        told(server, bed.ann.slash("cancel-all", where=thread))
        changed(server, menu, bed.ann.choose(menu, select(menu)[0]), "does not wait")
        assert menu.components == []


def test_a_long_queue_is_paged(server: Server) -> None:
    """FIELD J5: more than 25."""
    with house(server, pool={"max_buffered_messages": 60}) as bed:
        thread = bed.thread("say working\nhang")
        bed.until_said("working", thread)
        for number in range(30):
            bed.mention(f"say {number}", thread)
        server.until(lambda: len(bed.app.broker.waiting(the_conversation(bed))) == 30, 8000 * MS)
        menu = shown(server, bed.ann.slash("queue", where=thread))
        assert len(select(menu)) == 25 and buttons(menu) == ["Previous", "Next"]
        with pytest.raises(LookupError, match="disabled"):
            bed.ann.click(menu, "Previous")
        done(server, bed.ann.click(menu, "Next"))
        server.until(lambda: len(select(menu)) == 5, what="the second page")
        assert "Ann" in menu.content or "ann" in menu.content
        changed(server, menu, bed.ann.choose(menu, select(menu)[4]), "Dropped.")
        left = [note.text for note in bed.app.broker.waiting(the_conversation(bed))]
        assert "say 29" not in left and len(left) == 29
        told(server, bed.ann.slash("cancel-all", where=thread))


def test_what_is_no_choice_is_not_done(server: Server) -> None:
    with house(server, "--options") as bed:
        thread = bed.thread("say hi")
        idle(bed, thread)
        menu = shown(server, bed.ann.slash("modes", where=thread))
        options = menu.components[0]["components"][0]["options"]
        for value in ("99", "x", "", "1" * 10):
            options[0]["value"] = value
            assert told(server, bed.ann.choose(menu, value)) == "That is none of the choices."


def test_an_option_without_choices_says_how_to_set_it(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with house(server, "--options") as bed:
        thread = bed.thread("say hi")
        idle(bed, thread)
        free = Option("branch", "Branch", "main_line", category="model")
        monkeypatch.setattr(Selects, "_known", lambda self, conversation: (free,))
        text = told(server, bed.ann.slash("models", where=thread))
        assert text == "Branch: main\\_line\nIt takes any words: write `/config option:branch value:…`."


def test_an_option_that_has_gone_meanwhile_is_told(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with house(server, "--options") as bed:
        thread = bed.thread("say hi")
        idle(bed, thread)
        menu = shown(server, bed.ann.slash("config", where=thread))
        models = shown(server, bed.ann.slash("models", where=thread))
        monkeypatch.setattr(Selects, "_known", lambda self, conversation: ())
        changed(server, menu, bed.ann.choose(menu, select(menu)[0]), "does not offer this any more")
        other = next(label for label in select(models) if label not in chosen(models))
        changed(server, models, bed.ann.choose(models, other), " now")
        assert models.components == []


def test_an_agent_that_cannot_go_on_with_its_sessions_shows_them(server: Server) -> None:
    with house(server, "--no-load") as bed:
        thread = bed.thread("say hi")
        idle(bed, thread)
        text = told(server, bed.ann.slash("sessions", where=thread))
        assert text.startswith("The agent remembers these sessions, and cannot go on with them.\n- without a title")


def test_the_head_of_a_prompt_is_no_title_of_a_session(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with house(server) as bed:
        thread = bed.thread("say hi")
        idle(bed, thread)
        page: Future[SessionPage] = Future()
        cut = StoredSession("one", title='<sender_context> {"schema":"openab.sender.v1", "sen', updated_at="2026-11-01")
        page.set_result(SessionPage((cut, StoredSession("two", title="Fix it"))))
        monkeypatch.setattr(bed.app.broker, "stored", lambda *_: page)
        menu = shown(server, bed.ann.slash("sessions", where=thread))
        assert select(menu) == ["without a title", "Fix it"]


def the_conversation(bed: Bed) -> Conversation:
    return bed.app.broker.snapshot().sessions[0].conversation
