"""Rights: nothing is done for somebody who is not trusted far enough for it, however it is asked for."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from openab_sync.core.admission import Trust
from openab_sync.core.audit import Audit
from openab_sync.core.command_options import command_of
from openab_sync.core.commands import COMMANDS
from openab_sync.core.desk import View
from openab_sync.core.house import SetOption
from openab_sync.core.message import MessageRef
from openab_sync.core.rights import NEEDS, SENTENCES, lacking, needed
from openab_sync.errors import NotAllowed
from tests.core.bed import ANN, BOB, Bed, place
from tests.core.test_audit import Book

EVERY = [(spec.name, argument) for spec in COMMANDS for argument in ("", "x", "x y")]
ALIASES = {alias: spec.name for spec in COMMANDS for alias in spec.aliases}


def test_every_row_is_about_a_command() -> None:
    assert set(NEEDS) <= {spec.name for spec in COMMANDS}
    assert all(need > Trust.NOBODY for row in NEEDS.values() for need in row)


@pytest.mark.parametrize(("command", "argument"), EVERY)
def test_who_is_trusted_less_than_needed_is_told_and_nobody_else(command: str, argument: str) -> None:
    for trust in Trust:
        assert bool(lacking(trust, command, argument)) == (trust < needed(command, argument))


def test_the_front_desk_refuses_all_of_them_and_has_it_on_record() -> None:
    """Through the door that every platform uses, the other names of a command included: nothing is started for it."""
    book = Book()
    with Bed(audit=Audit(book)) as bed:
        asked = 0
        for (command, argument), trust in itertools.product([*EVERY, *((name, "x") for name in ALIASES)], Trust):
            if trust >= needed(ALIASES.get(command, command), argument):
                continue
            told = bed.broker.command(place(), command, argument, BOB, View(trust=trust)).result(0)
            asked += 1
            assert (told.ok, told.text) == (False, lacking(trust, ALIASES.get(command, command), argument))
        assert asked > len(EVERY)
        assert len([details for details in book.of("command") if details["refused"]]) == asked
        assert bed.broker.snapshot().sessions == ()


def test_what_is_others_is_not_taken_from_them() -> None:
    """The queue: one's own messages by anybody who may talk there, those of others by its people."""
    with Bed() as bed:
        bed.say("hang")
        bed.say("mine", by=ANN)
        bed.say("his", by=BOB)
        guest = View(trust=Trust.GUEST)
        refs = {note.text: note.ref for note in bed.broker.waiting(place())}
        drop = bed.broker.command(place(), "queue", f"drop {list(refs).index('mine') + 1}", BOB, guest).result(5)
        assert (drop.ok, drop.text) == (False, SENTENCES[Trust.MEMBER])
        assert not bed.broker.drop(refs["mine"], BOB, guest).ok
        assert bed.broker.drop(refs["his"], BOB, guest).ok
        assert bed.broker.drop(refs["mine"], BOB, View(trust=Trust.MEMBER)).ok
        assert not bed.broker.drop(MessageRef(place(), "nowhere"), BOB, View(trust=Trust.MEMBER)).ok
        assert [note.text for note in bed.broker.waiting(place()) if note.text != "hang"] == []


def test_sessions_of_others_are_for_admins(tmp_path: Path) -> None:
    with Bed("--memory", str(tmp_path / "memory")) as bed:
        guest, member, admin = (View(trust=trust) for trust in (Trust.GUEST, Trust.MEMBER, Trust.ADMIN))
        bed.ask("say hello", to="2")
        bed.ask("say hello", to="1")
        with pytest.raises(NotAllowed):
            bed.broker.stored(place("1"), BOB, guest).result(20)
        every = bed.broker.stored(place("1"), BOB, admin).result(20).sessions
        mine = bed.broker.stored(place("1"), ANN, member).result(20).sessions
        assert len(mine) == 1 < len(every)
        assert mine[0].session_id == bed.snapshot("1").acp_session_id
        others = next(item for item in every if item.session_id != mine[0].session_id)
        for view in (guest, member):
            told = bed.broker.go_on(place("1"), others, BOB, view).result(20)
            assert not told.ok
            assert told.text in SENTENCES.values()
        bed.command("reset")
        bed.ask("say again")  # and what the conversation has had stays its own
        assert {item.session_id for item in bed.broker.stored(place("1"), ANN, member).result(20).sessions} >= {
            mine[0].session_id
        }


def test_an_option_is_set_by_whoever_may_give_the_command_for_it() -> None:
    with Bed("--options") as bed:
        bed.ask("say hello")
        model = next(option for option in bed.snapshot().options if command_of(option) == "models")
        order = [SetOption(model.id, choice.value) for choice in model.choices]
        guest, member, admin = (View(trust=trust) for trust in (Trust.GUEST, Trust.MEMBER, Trust.ADMIN))
        assert not bed.broker.set_option(place(), order[-1], "models", BOB, guest).result(20).ok
        assert bed.broker.set_option(place(), SetOption(model.id, order[-1].value), "models", BOB, member).result(20).ok
        assert not bed.broker.set_option(place(), order[0], "config", BOB, member).result(20).ok
        assert next(one for one in bed.snapshot().options if one.id == model.id).value == order[-1].value
        assert bed.broker.set_option(place(), order[0], "config", BOB, admin).result(20).ok
