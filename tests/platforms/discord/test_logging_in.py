"""`/login`: the agent's own login, relayed to one admin, over the real library and the fake Discord."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from openab_sync.platforms.discord.logging_in import BUSY, NOT_HERE, NOT_YOURS
from tests.fakes.discord import Interaction, Server
from tests.platforms.discord.bed import Bed, house
from tests.platforms.discord.fake_client import QUICK
from tests.platforms.discord.pressing import told
from tests.waiting import MS

# What `openab-sync login --json` says, to somebody who pastes what they got.
PROGRAM = """
import json, sys
def say(event, text): print(json.dumps({"event": event, "text": text}), flush=True)
say("status", "logging in")
say("url", "https://example.org/device")
print("no object", flush=True)
say("code", "ABCD-1234")
say("question", "Paste it:")
answer = sys.stdin.readline().strip()
if answer == "right":
    say("done", "It is logged in.")
else:
    print("openab-sync: it was wrong", file=sys.stderr)
    sys.exit(1)
"""
LOGIN = (sys.executable, "-c", PROGRAM)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server


def admins(server: Server) -> dict[str, Any]:
    return {"admin_users": [str(server.user("ann").id)]}


def shown(interaction: Interaction) -> list[str]:
    return [message.content for message in interaction.followups]


def until_shown(server: Server, interaction: Interaction, text: str) -> None:
    server.until(lambda: any(text in one for one in shown(interaction)), 10000 * MS, f"{text!r} is shown")


def begun(bed: Bed) -> Interaction:
    interaction = bed.ann.slash("login", where="general")
    assert told(bed.server, interaction).startswith("Logging in")
    until_shown(bed.server, interaction, "Paste it")
    return interaction


def test_an_admin_sees_address_and_code_and_hands_the_answer_on(server: Server) -> None:
    with house(server, login=LOGIN, discord=admins(server)) as bed:
        login = begun(bed)
        assert shown(login)[:2] == ["Open this address: https://example.org/device", "The code is `ABCD-1234`"]
        assert all(message.flags & 64 for message in login.followups), "for nobody else"
        assert told(server, bed.ann.slash("login", where="general")) == BUSY
        assert told(server, bed.ann.slash("login", where="general", answer="right")) == "Handed on."
        until_shown(server, login, "It is logged in.")
        assert told(server, bed.ann.slash("login", where="general", answer="right")) == NOT_YOURS
    assert not any("example.org" in text for text in server.general.texts)


def test_what_goes_wrong_is_a_sentence(server: Server) -> None:
    with house(server, login=LOGIN, discord=admins(server)) as bed:
        login = begun(bed)
        told(server, bed.ann.slash("login", where="general", answer="wrong"))
        until_shown(server, login, "It did not work: it was wrong")
    with house(server, login=("/nowhere/at/all",), discord=admins(server)) as bed:
        assert "cannot be started" in told(server, bed.ann.slash("login", where="general"))
    with house(server, discord=admins(server)) as bed:
        assert told(server, bed.ann.slash("login", where="general")) == NOT_HERE


def test_it_is_for_admins(server: Server) -> None:
    with house(server, login=LOGIN, discord=admins(server)) as bed:
        bob = server.user("bob")
        assert told(server, bob.slash("login", where="general")) == "That is for admins of mine."
        login = begun(bed)
        assert told(server, bob.slash("login", where="general", answer="right")) == "That is for admins of mine."
        told(server, bed.ann.slash("login", where="general", answer="right"))
        until_shown(server, login, "It is logged in.")


def test_a_login_that_waits_ends_with_the_bot(server: Server) -> None:
    with house(server, login=LOGIN, discord=admins(server)) as bed:
        begun(bed)
