"""`openab-sync setup` on a real terminal, and without one: what is answered is tried, and what is written works."""

from __future__ import annotations

import re
import shlex
import stat
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest

from openab_sync.config import load
from tests.cli.running import PATIENCE, ROOT, Ended, environment, run
from tests.fakes import fake_agent
from tests.fakes.discord import Server
from tests.platforms.discord.e2e.service import QUICK


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server
    assert server.violations == []


@contextmanager
def person(home: Path, *arguments: str, **environ: str) -> Iterator[pexpect.spawn[str]]:
    """A terminal in which `setup` asks."""
    child: pexpect.spawn[str] = pexpect.spawn(
        sys.executable,
        ["-m", "openab_sync", "setup", *arguments],
        cwd=str(home),
        env=environment(home, PYTHONPATH=str(ROOT), XDG_CONFIG_HOME=str(home / ".config"), **environ),
        encoding="utf-8",
        timeout=PATIENCE,
        dimensions=(60, 160),
    )
    child.delaybeforesend = None
    try:
        yield child
    finally:
        child.close(force=True)


def answer(child: pexpect.spawn[str], question: str, text: str) -> None:
    child.expect_exact(question)
    child.sendline(text)


@pytest.mark.slow
@pytest.mark.timeout(60)  # two visits are five seconds apart
def test_a_person_answers_and_gets_a_bot_that_works(server: Server, tmp_path: Path) -> None:
    ann = server.user("ann")
    closed = server.add_channel("closed")
    server.allow(closed, server.app, deny=1 << 11)
    file = tmp_path / "config.toml"
    server.expel()
    (agent := tmp_path / "bin" / "gemini").parent.mkdir()
    agent.write_text(f"#!/bin/sh\nexec {shlex.join(fake_agent())}\n")
    agent.chmod(0o755)
    path = f"{agent.parent}:/usr/bin:/bin"
    with person(tmp_path, "--api-url", server.origin, "-o", str(file), PATH=path) as child:
        answer(child, "Token: ", "not.the.token")
        child.expect_exact("does not accept the token")
        answer(child, "Token: ", server.token)
        child.expect_exact("The bot is on no server yet. Open this link")
        child.expect_exact(f"https://discord.com/oauth2/authorize?client_id={server.app.id}&")
        server.admit()
        server.advance(6.0)  # Discord takes a new session every five seconds
        child.expect_exact("Press a key when that is done")
        child.waitnoecho(PATIENCE)  # what is typed before it listens for a key is none
        child.send(" ")
        child.expect_exact("missing there: Send Messages")
        answer(child, "Where shall it listen?", "9")
        child.expect_exact("expected numbers from 1 to 2")
        answer(child, "Where shall it listen?", "1")
        answer(child, "or your id", "")
        child.expect_exact("Waiting for you on Discord")
        while child.expect_exact(["Are you ann", pexpect.TIMEOUT], timeout=0.3):
            ann.write("general", "here I am")
        child.sendline("y")
        child.expect_exact("Agents that are here:")
        child.expect_exact("Gemini CLI")
        answer(child, "Which one", "")
        answer(child, "Where shall it work?", str(tmp_path))
        child.expect(r"Fake \S+ began a session")
        answer(child, "Shall it be a service of yours", "y")
        child.expect_exact("systemctl --user enable")
        child.expect_exact(
            f"Invite it to another server: https://discord.com/oauth2/authorize?client_id={server.app.id}&"
        )
        child.expect_exact(f"openab-sync run -c {file}")
        child.expect(pexpect.EOF)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    data = tomllib.loads(file.read_text(encoding="utf-8"))
    assert data["discord"]["allowed_users"] == [str(ann.id)]
    assert data["discord"]["allowed_channels"] == [str(server.general.id)]
    assert data["agent"] == {"preset": "gemini", "working_dir": str(tmp_path)}
    unit = tmp_path / ".config" / "systemd" / "user" / "openab-sync.service"
    assert f"run -c {file}" in unit.read_text(encoding="utf-8")


def silent(home: Path, server: Server, *arguments: str, **environ: str) -> Ended:
    file = home / "config.toml"
    return run(home, "setup", "--yes", "--api-url", server.origin, "-o", str(file), *arguments, **environ)


@pytest.mark.slow
def test_without_a_person_everything_is_said_by_options(server: Server, tmp_path: Path) -> None:
    where = ("--channel", str(server.general.id), "--store", str(tmp_path / "kept"), "--dir", ".")
    wanted = ("--user", "42", "--user", "7", "--agent", "demo", *where, "--no-service")
    ended = silent(tmp_path, server, *wanted, DISCORD_BOT_TOKEN=server.token)
    assert (ended.code, ended.err) == (0, "")
    config = load(tmp_path / "config.toml", {"DISCORD_BOT_TOKEN": server.token}).config
    assert config.discord is not None and config.discord.allowed_users == ("42", "7")
    assert (config.discord.allowed_channels, config.store.path) == ((str(server.general.id),), str(tmp_path / "kept"))
    assert (config.agent.preset, config.agent.working_dir) == ("demo", str(ROOT))
    assert not (tmp_path / ".config").exists(), "no service"
    text = (tmp_path / "config.toml").read_text(encoding="utf-8")
    assert len(re.findall("(?m)#", text)) > 5, "it says what its lines are for"
    assert 'bot_token = "${DISCORD_BOT_TOKEN}"' in text and server.token not in text
    assert "holds the bot's token" not in text
    assert f"Invite it to another server: https://discord.com/oauth2/authorize?client_id={server.app.id}" in ended.out
    server.advance(6.0)  # Discord takes a new session every five seconds
    again = silent(tmp_path, server, "--user", "43", "--token", server.token)
    assert again.code == 0
    assert '"42"' in (tmp_path / "config.toml.bak").read_text(encoding="utf-8")
    assert server.token not in again.out


def test_a_bot_on_no_server_is_told_the_link_and_nothing_is_written(server: Server, tmp_path: Path) -> None:
    server.expel()
    ended = silent(tmp_path, server, "--user", "42", "--token", server.token)
    assert (ended.code, "a server is missing" in ended.err) == (2, True)
    assert f"https://discord.com/oauth2/authorize?client_id={server.app.id}&" in ended.out
    assert not (tmp_path / "config.toml").exists()


def test_a_service_gets_the_token_that_is_in_the_shell_alone(server: Server, tmp_path: Path) -> None:
    environ = {"DISCORD_BOT_TOKEN": server.token}
    assert silent(tmp_path, server, "--user", "42", "--service", **environ).code == 0
    config = tmp_path / ".config"
    assert "EnvironmentFile=-%h/.config/openab-sync/secrets.env" in (
        config / "systemd" / "user" / "openab-sync.service"
    ).read_text(encoding="utf-8")
    secrets = config / "openab-sync" / "secrets.env"
    assert secrets.read_text(encoding="utf-8") == f"DISCORD_BOT_TOKEN={server.token}\n"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    secrets.write_text("DISCORD_BOT_TOKEN=another\n", encoding="utf-8")
    server.advance(6.0)  # Discord takes a new session every five seconds
    again = silent(tmp_path, server, "--user", "42", "--service", **environ)
    assert f"The service takes $DISCORD_BOT_TOKEN from {secrets}" in again.out and server.token not in again.out
    assert secrets.read_text(encoding="utf-8") == "DISCORD_BOT_TOKEN=another\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--user", "42"], "the token is missing"),
        (["--token", "a.wrong.token", "--user", "42"], "does not accept the token"),
        (["--token", "{token}"], "who may talk to the bot is missing"),
        (["--token", "{token}", "--user", "ann"], "digits only"),
        (["--token", "{token}", "--user", "42", "--agent", "gemni"], "did you mean gemini"),
        (["--token", "{token}", "--user", "42", "--dir", "/nowhere"], "does not work yet"),
    ],
)
def test_what_is_missing_or_wrong_is_a_sentence_and_nothing_is_written(
    server: Server, tmp_path: Path, arguments: list[str], said: str
) -> None:
    ended = silent(tmp_path, server, *(one.replace("{token}", server.token) for one in arguments))
    assert ended.code == 2
    assert said in ended.err and server.token not in ended.err
    assert not (tmp_path / "config.toml").exists()
