"""`/login`: the agent's own login, relayed to one admin, over the real library and the fake Discord."""

from __future__ import annotations

import logging
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openab_sync.platforms.discord.logging_in import BUSY, CANCELLED, NONE, NOT_HERE, NOT_YOURS
from tests.cli.test_login import LOGIN as TERMINAL
from tests.fakes import fake_agent
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


def test_an_admin_sees_address_and_code_and_hands_the_answer_on(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "openab_sync")
    with house(server, login=LOGIN, discord=admins(server)) as bed:
        login = begun(bed)
        assert shown(login)[:2] == ["Open this address: https://example.org/device", "The code is `ABCD-1234`"]
        assert all(message.flags & 64 for message in login.followups), "for nobody else"
        assert told(server, bed.ann.slash("login", where="general")) == BUSY
        assert told(server, bed.ann.slash("login", where="general", answer="right")) == "Handed on."
        until_shown(server, login, "It is logged in.")
        assert told(server, bed.ann.slash("login", where="general", answer="right")) == NOT_YOURS
    assert not any("example.org" in text for text in server.general.texts)
    logged = [record.getMessage() for record in caplog.records]
    assert logged and not [text for text in logged if "ABCD-1234" in text or "example.org" in text or "right" in text]


def test_the_real_program_relays_a_login_that_wants_a_terminal(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent, login = shlex.join(fake_agent()), tmp_path / "login.py"
    login.write_text(TERMINAL)
    program = tmp_path / "opencode"
    program.write_text(f'#!/bin/sh\nif [ "$1" = auth ]; then exec {sys.executable} {login}; fi\nexec {agent}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    command = (sys.executable, "-m", "openab_sync", "login", "opencode", "--json")
    with house(server, login=command, discord=admins(server)) as bed:
        login_of_ann = bed.ann.slash("login", where="general")
        until_shown(server, login_of_ann, "The code is `ABCD-1234`")
        until_shown(server, login_of_ann, "It asks: Paste what you got:")
        assert told(server, bed.ann.slash("login", where="general", answer="secret-answer")) == "Handed on."
        until_shown(server, login_of_ann, "Fake is logged in: it began a session")


def test_what_goes_wrong_is_a_sentence(server: Server) -> None:
    with house(server, login=LOGIN, discord=admins(server)) as bed:
        login = begun(bed)
        told(server, bed.ann.slash("login", where="general", answer="wrong"))
        until_shown(server, login, "It did not work: it was wrong")
    with house(server, login=("/nowhere/at/all",), discord=admins(server)) as bed:
        assert "cannot be started" in told(server, bed.ann.slash("login", where="general"))
    with house(server, discord=admins(server)) as bed:
        assert told(server, bed.ann.slash("login", where="general")) == NOT_HERE


def test_a_login_is_cancelled_by_any_admin_and_makes_room_for_another(server: Server) -> None:
    bob = server.user("bob")
    with house(server, login=LOGIN, discord={"admin_users": [str(server.user("ann").id), str(bob.id)]}) as bed:
        assert told(server, bob.slash("login", where="general", cancel=True)) == NONE
        login = begun(bed)
        assert told(server, bob.slash("login", where="general", answer="right")) == NOT_YOURS
        assert told(server, bob.slash("login", where="general", cancel=True)) == CANCELLED
        until_shown(server, login, CANCELLED)
        begun(bed)


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
