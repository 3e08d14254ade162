"""`openab-sync run`, told to read its configuration again: by a signal, and by `openab-sync reload`."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import PATIENCE, run
from tests.fakes.discord import Server
from tests.platforms.discord.e2e.service import Service, configure, mention, service
from tests.waiting import until


@pytest.mark.slow
def test_a_hangup_has_the_configuration_read_again_and_ends_nothing(server: Server, tmp_path: Path) -> None:
    with service(tmp_path, server, discord={"allow_all_users": False, "allowed_users": ["1"]}) as running:
        server.until_ready()
        ann = server.user("ann")
        refused = ann.write("general", f"<@{server.app.id}> hello", mentions=[server.app])
        server.until(lambda: "🚫" in refused.reactions, 10, "Ann may not")
        discord = {"allow_all_users": False, "allowed_users": [str(ann.id)], "catch_up_hours": 2}
        configure(tmp_path, server, discord=discord, audit={"prompts": True, "keep_days": 9, "file": "audit.log"})
        told = run(tmp_path, "reload", "-c", str(tmp_path / "config.toml"))
        assert (told.code, told.err) == (0, "")
        assert told.out.splitlines() == [
            "Applies from now on: discord.allowed_users, discord.catch_up_hours, audit.prompts, audit.keep_days.",
            "Changed as well, but only a restart applies it: audit.file.",
        ]
        server.until_said("hello", mention(server, "hello"), 10)
        told = run(tmp_path, "audit", "-c", str(tmp_path / "config.toml"), "--json")
        assert '"text": "hello"' in told.out
        configure(tmp_path, server, pool={"max_sessions": "many"})
        told = run(tmp_path, "reload", "-c", str(tmp_path / "config.toml"))
        assert (told.code, told.out) == (1, "")
        assert "Nothing changed" in told.err and "max_sessions" in told.err
        running.signal(signal.SIGHUP)
        until(lambda: running.log.count("and nothing changed") == 2, PATIENCE, "the signal says the same in the log")
        (tmp_path / "config.toml").write_text("")  # an editor has just begun to write it
        running.signal(signal.SIGHUP)
        running.until_logged("nothing changed: discord: there is no chat service to serve")
        assert_a_hangup_applies(running, server, tmp_path, discord)
        running.signal()
        assert running.end() == 0, running.log
    told = run(tmp_path, "reload", "-c", str(tmp_path / "config.toml"))
    assert (told.code, told.out) == (1, "")
    assert "no openab-sync runs with this store" in told.err


def assert_a_hangup_applies(running: Service, server: Server, home: Path, discord: dict[str, object]) -> None:
    """By the signal alone: who may talk, a limit, a reaction and log levels are others from then on."""
    app, ann, ben = server.app, server.user("ann"), server.user("ben")
    births = running.log.count("has Demo agent")
    assert births and " DEBUG " not in running.log
    sections: dict[str, Any] = {
        "limits.person": {"messages_per_minute": 1},
        "reactions.emojis": {"done": "🎉"},
        "log.loggers": {"discord": "debug", '"openab_sync.core"': "warning"},
    }
    discord = {**discord, "allowed_users": [str(ann.id), str(ben.id)]}
    configure(home, server, discord=discord, agent={"args": ["--no-load"]}, **sections)
    running.signal(signal.SIGHUP)
    running.until_logged(
        "the configuration was read again. Applies from now on: reactions.emojis, discord.allowed_users, "
        "audit.prompts, audit.keep_days, limits.person, log.loggers. "
        "Changed as well, but only a restart applies it: agent.args."
    )
    first, second = (
        ben.write("general", f"<@{app.id}> {text}", mentions=[app]) for text in ("good evening", "once more")
    )
    server.until(lambda: "🎉" in first.reactions, PATIENCE, "he may, and it looks so when it is done")
    server.until(lambda: "⏳" in second.reactions, PATIENCE, "that is one too many")
    assert "🆗" not in first.reactions and second.thread is None
    running.until_logged(" DEBUG ")
    assert running.log.count("has Demo agent") == births
