"""`openab-sync run`: from a configuration to answers in a chat, and to an end that leaves nothing behind."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from openab_sync.config import load
from openab_sync.core import orphans
from openab_sync.core.recovery import Recovery
from openab_sync.errors import ConfigError
from openab_sync.service import run as serve
from openab_sync.status import Sources, Status
from tests.cli.running import PATIENCE, run
from tests.fakes import fake_agent
from tests.fakes.discord import Server
from tests.fakes.discord.things import Channel
from tests.platforms.discord.e2e.service import METHODS, configure, mention, service
from tests.platforms.web.visitor import Visitor
from tests.waiting import MS, until


def assert_nothing_is_left(agents: list[psutil.Process], home: Path) -> None:
    until(lambda: not any(agent.is_running() for agent in agents), what="all agents are gone")
    with (home / "state" / "journal.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises if somebody has it


FIGURES = (
    'openab_sessions{state="busy"} 1.0',
    'openab_edits_total{platform="discord"}',
    "openab_ready 1.0",
    "openab_journal_commit_seconds_count",
    "openab_gateway_latency_seconds",
    "openab_loop_lag_seconds_count",
)


def test_two_threads_are_served_at_once_and_a_signal_ends_it_all(server: Server, tmp_path: Path) -> None:
    with service(tmp_path, server, pool={"shutdown_grace_secs": 0}) as running:
        server.until_ready()
        silent = mention(server, "silent 600")
        until(lambda: len(running.agents) >= 1, 10, "its agent works")
        talkative = mention(server, "Good morning, agent.")
        server.until_said("Good morning, agent.", talkative, 10)
        agents = running.agents
        assert len(agents) == 2
        server.until(lambda: server.app.commands.get(None), 10, "commands are there")
        asked = server.user("ann").slash("status", where=silent)
        server.until(lambda: asked.is_done, 10, "the status is told while the agent is busy")
        assert "busy" in asked.answer.lower()
        started = time.monotonic()
        ready, sessions, figures = (fetch(tmp_path, path) for path in ("/readyz", "/api/sessions", "/metrics"))
        assert time.monotonic() - started < 5
        assert (ready[0], fetch(tmp_path, "/healthz")[0]) == (200, 200), ready
        assert {row["state"] for row in json.loads(sessions[1])} >= {"busy"}
        assert [name for name in FIGURES if name not in figures[1]] == []
        running.signal(signal.SIGUSR1)
        until(lambda: f"session-discord:{silent.id}:" in running.log, 10, "the stacks are logged")
        assert f"discord:{silent.id} busy pid=" in running.log and "chat-discord:" in running.log
        running.signal()
        assert running.end() == 0, running.log
        server.until_said("shutting down", silent)
        assert_nothing_is_left(agents, tmp_path)
        assert running.out == ""
        assert server.token not in running.log
    assert server.violations == []


@pytest.mark.slow
def test_who_asked_for_what_is_read_beside_it_and_kept_in_a_file(server: Server, tmp_path: Path) -> None:
    lines = tmp_path / "audit.jsonl"
    people = {"allow_all_users": False, "allowed_users": [str(server.user("ann").id)]}
    with service(tmp_path, server, discord=people, audit={"file": str(lines)}) as running:
        server.until_ready()
        refused = server.user("eve").write("general", f"<@{server.app.id}> let me in", mentions=[server.app])
        server.until(lambda: refused.reactions.get("🚫"))
        server.until_said("Good morning, agent.", mention(server, "Good morning, agent."), 10)
        told = run(tmp_path, "audit", "-c", str(tmp_path / "config.toml"))
        assert (told.code, told.err) == (0, "")
        assert [line.split()[2] for line in told.out.splitlines()] == ["service", "refused", "message"]
        assert f"({server.user('eve').id})" in told.out and "Good morning" not in told.out
        running.signal()
        assert running.end() == 0, running.log
    kept = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [entry["kind"] for entry in kept] == ["service", "refused", "message", "service"]
    assert [entry["number"] for entry in kept] == [1, 2, 3, 4]


@contextmanager
def bound(path: Path) -> Iterator[socket.socket]:
    """What a service manager listens at."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(30 * 1000 * MS)
        yield manager


def test_the_service_manager_hears_when_it_is_there_and_when_it_goes(server: Server, tmp_path: Path) -> None:
    environ = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "60000000"}
    with bound(tmp_path / "notify") as manager, service(tmp_path, server, environ=environ) as running:
        assert manager.recv(4096).decode().splitlines() == ["READY=1", "STATUS=serving discord and web"]
        assert manager.recv(4096).decode() == "WATCHDOG=1"
        running.signal()
        assert manager.recv(4096).decode().splitlines()[0] == "STOPPING=1"
        assert running.end() == 0, running.log


NO_STATUS = {"listen": ""}


def test_a_wrong_token_ends_it_with_what_to_click(server: Server, tmp_path: Path) -> None:
    token = "not.the.token.that.it.was"
    with service(tmp_path, server, discord={"bot_token": token}, status=NO_STATUS) as running:
        assert running.end() == 2
        assert "does not accept the token" in running.log and "Reset Token" in running.log
        assert token not in running.log and "Traceback" not in running.log


def test_its_log_is_for_programs_in_a_file_and_louder_where_that_is_asked_for(server: Server, tmp_path: Path) -> None:
    token, log = "not.the.token.that.it.was", tmp_path / "log"
    config = configure(tmp_path, server, discord={"bot_token": token}, status=NO_STATUS)
    options = ("--log-format", "json", "--log-level", "discord=debug", "--log-file", str(log))
    assert run(tmp_path, "run", "-c", str(config), *options).code == 2
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert all({"time", "level", "logger", "thread", "message"} <= line.keys() for line in lines)
    details = {line["logger"].partition(".")[0] for line in lines if line["level"] == "debug"}
    assert details == {"discord"} and any("does not accept the token" in line["message"] for line in lines)
    assert {line["thread"] for line in lines} >= {"MainThread", "chat-discord"}
    assert token not in log.read_text()


def test_nobody_can_write_before_what_was_left_is_ended_and_read(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message that is accepted by then would be found as left over, and answered twice."""
    order: list[str] = []

    def begin(*_: object) -> None:
        order.append("the page")
        raise ConfigError("that is enough")

    monkeypatch.setattr(orphans, "take_over", lambda _: order.append("left behind"))
    monkeypatch.setattr(Recovery, "read", lambda _: order.append("unfinished"))
    monkeypatch.setattr(Status, "start", begin)
    environ = {"OPENAB_SYNC_HOME": str(tmp_path / "state"), "PATH": os.environ["PATH"]}
    with pytest.raises(ConfigError, match="that is enough"):
        serve(load(configure(tmp_path, server), environ).config, environ)
    assert order == ["left behind", "unfinished", "the page"]


def test_every_thread_that_people_wait_for_is_heard_of(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that `/healthz` and the watchdog hear of; sessions' are in the snapshot."""
    seen: list[Sources] = []

    def begin(_: Status, sources: Sources, *_more: object) -> None:
        seen.append(sources)
        raise ConfigError("that is enough")

    monkeypatch.setattr(Status, "start", begin)
    environ = {"OPENAB_SYNC_HOME": str(tmp_path / "state"), "PATH": os.environ["PATH"]}
    with pytest.raises(ConfigError, match="that is enough"):
        serve(load(configure(tmp_path, server), environ).config, environ)
    names = {beat.name for beat in seen[0].beats()}
    assert names == {"arrears", "chat-discord", "chat-web", "janitor", "journal", "pacer", "status-pulse", "watcher"}


def test_a_wrong_token_does_not_take_down_the_status(server: Server, tmp_path: Path) -> None:
    """It shows what is wrong until it is told to stop; then that is what it ends with. Meanwhile all of it answers."""
    with service(tmp_path, server, discord={"bot_token": "not.the.token.that.it.was"}) as running:
        running.until_logged("(status stays at ")
        ready, alive, figures = (fetch(tmp_path, path) for path in ("/readyz", "/healthz", "/metrics"))
        assert ready[0] == 503 and "does not accept the token" in ready[1] and "Reset Token" in ready[1]
        assert (alive[0], fetch(tmp_path, "/api/sessions")) == (200, (200, "[]"))
        assert "openab_ready 0.0" in figures[1] and "openab_healthy 1.0" in figures[1]
        told = run(tmp_path, "status", "-c", str(tmp_path / "config.toml"))
        assert told.code == 1 and "✘ discord: " in told.out and "Reset Token" in told.out
        running.signal()
        assert running.end() == 2
        assert "Traceback" not in running.log


@pytest.mark.slow
def test_a_token_that_is_refused_in_mid_turn_takes_down_neither_status_nor_page(server: Server, tmp_path: Path) -> None:
    with service(tmp_path, server, pool={"shutdown_grace_secs": 0}) as running:
        server.until_ready()
        thread = mention(server, "silent 600")
        until(lambda: '"busy"' in fetch(tmp_path, "/api/sessions")[1], 10, "its agent works")
        server.gateway.close(4004)
        running.until_logged("(status stays at ")
        ready, sessions = fetch(tmp_path, "/readyz"), json.loads(fetch(tmp_path, "/api/sessions")[1])
        assert ready[0] == 503 and "does not accept the token" in ready[1]
        assert [(row["key"], row["state"]) for row in sessions] == [(f"discord:{thread.id}", "busy")]
        assert fetch(tmp_path, "/healthz")[0] == 200
        visitor = Visitor(re.findall(r"http://\S+/enter/\S+", running.log)[0])
        assert visitor.hear(visitor.say("hello all the same"), "hello all the same")
        agents = running.agents
        running.signal()
        assert running.end() == 2, running.log
        assert_nothing_is_left(agents, tmp_path)


def test_the_page_shows_its_conversations_and_has_one_of_its_own(server: Server, tmp_path: Path) -> None:
    with service(tmp_path, server) as running:
        server.until_ready()
        server.until_said("Good morning, agent.", mention(server, "Good morning, agent."), 10)
        running.until_logged("/enter/")
        visitor = Visitor(re.findall(r"http://\S+/enter/\S+", running.log)[0])
        key = visitor.say("hello from the page")
        assert visitor.hear(key, "hello from the page")
        cards = {card["platform"]: card for card in visitor.get("/web/look")["house"]["cards"]}
        assert (cards["web"]["key"], cards["discord"]["agent"]) == (key, "Demo agent")
        assert visitor.hear(cards["discord"]["key"], "Good morning, agent.")
        running.signal()
        assert running.end() == 0, running.log


@pytest.mark.slow
def test_without_the_page_programs_have_the_api_alone(server: Server, tmp_path: Path) -> None:
    status = {"listen": "127.0.0.1:0", "page": False, "token": "a-token-of-the-tests"}
    environ = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
    with (
        bound(tmp_path / "notify") as manager,
        service(tmp_path, server, status=status, environ=environ) as running,
    ):
        assert manager.recv(4096).decode().splitlines() == ["READY=1", "STATUS=serving discord"]
        server.until_ready()
        server.until_said("Good morning, agent.", mention(server, "Good morning, agent."), 10)
        assert [fetch(tmp_path, path)[0] for path in ("/", "/page/page.js", "/web/look")] == [404, 404, 404]
        assert (fetch(tmp_path, "/healthz")[0], "discord:" in fetch(tmp_path, "/api/sessions")[1]) == (200, True)
        told = run(tmp_path, "status", "--link", "-c", str(tmp_path / "config.toml"))
        assert (told.code, told.err) == (1, "openab-sync: There is no page here: [status] page is false.\n")
        running.signal()
        assert running.end() == 0, running.log
        assert "/enter/" not in running.log


def fetch(home: Path, path: str) -> tuple[int, str]:
    """What the status server of that home answers."""
    url = (home / "state" / "status.address").read_text().strip()
    try:
        with urllib.request.urlopen(url + path, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_an_intent_that_is_switched_off_ends_it_with_what_to_click(server: Server, tmp_path: Path) -> None:
    server.app.privileged = 0
    with service(tmp_path, server, status=NO_STATUS) as running:
        assert running.end() == 2
        assert "Message Content Intent" in running.log and str(server.app.id) in running.log
        assert "Traceback" not in running.log


@pytest.mark.parametrize(
    ("section", "said"),
    [({"allow_all_users": False}, "allowed_users"), ({"bot_token": ""}, "bot_token")],
)
def test_a_bot_that_nobody_may_talk_to_is_not_started(
    server: Server, tmp_path: Path, section: dict[str, object], said: str
) -> None:
    with service(tmp_path, server, discord=section) as running:
        assert running.end() == 2
        assert said in running.log
    assert server.requests == []


@pytest.mark.slow
def test_a_network_that_comes_late_is_waited_for(server: Server, tmp_path: Path) -> None:
    fault = server.fail("GET", "/users/@me", reset=True, times=10_000)
    with service(tmp_path, server) as running:
        running.until_logged("Discord: ")
        server.until(lambda: fault.seen >= 2, 10)
        fault.times = 0
        thread = mention_when_ready(server)
        server.until_said("hello", thread, 10)
        running.signal(signal.SIGINT)
        assert running.end() == 0
        assert running.log.count("WARNING") == 1  # one for each change, not for each attempt
    assert server.violations == []


def mention_when_ready(server: Server) -> Channel:
    server.until_ready()
    return mention(server, "hello")


def test_a_second_signal_ends_what_the_first_would_wait_for(server: Server, tmp_path: Path) -> None:
    with service(tmp_path, server, pool={"shutdown_grace_secs": 600}) as running:
        server.until_ready()
        mention(server, "silent 600")
        until(lambda: len(running.agents) >= 1, 10, "its agent works")
        agents = running.agents
        running.signal()
        running.until_logged("stopping: SIGTERM")
        running.signal()
        assert running.end() == 0, running.log
        assert_nothing_is_left(agents, tmp_path)


@pytest.mark.slow
def test_two_brokers_with_a_store_each_serve_one_bot(server: Server, tmp_path: Path) -> None:
    """One has the shard of the server, the other direct messages alone, or the reverse."""
    homes = tmp_path / "one", tmp_path / "two"
    for home in homes:
        home.mkdir()
    with service(homes[0], server, discord={"shard_ids": [0], "shard_count": 2, "allow_dm": True}) as one:
        one.until_logged("Discord: here as")
        server.advance(6.0)  # Discord takes a new session every five seconds
        with service(homes[1], server, discord={"shard_ids": [1], "shard_count": 2, "allow_dm": True}) as two:
            two.until_logged("Discord: here as")
            thread = mention(server, "Good morning, agent.")
            server.until_said("Good morning, agent.", thread, 10)
            private = server.user("ann").dm("Good evening, agent.").channel
            server.until_said("Good evening, agent.", private, 10)
            for running in (one, two):
                running.signal()
                assert running.end() == 0, running.log
    ours = [one for one in (*thread.history, *private.history) if one.author.id == server.app.id]
    assert [sum(text in one.content for one in ours) for text in ("morning", "evening")] == [1, 1]
    assert server.violations == []


def test_one_folder_serves_one_broker(server: Server, tmp_path: Path) -> None:
    with service(tmp_path, server) as first:
        server.until_ready()
        with service(tmp_path, server) as second:
            assert second.end() == 1
            assert "in use by another openab-sync" in second.log
        first.signal()
        assert first.end() == 0


@pytest.mark.slow
def test_more_agents_than_the_system_has_files_for_are_refused_at_once(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[discord]\nbot_token = "x.y.z"\nallowed_users = ["1"]\n[pool]\nmax_sessions = 1000000\n')
    ended = run(tmp_path, "run", "-c", str(file))
    assert (ended.code, ended.out, len(ended.err.splitlines())) == (2, "", 1)
    assert "open files" in ended.err


@pytest.mark.slow
def test_a_discord_that_has_died_does_not_hold_the_end_up(server: Server, tmp_path: Path) -> None:
    """Somebody is being answered: what cannot be said any more is said after the next start."""
    program, *args = fake_agent()
    agent = {"command": program, "args": args}
    with service(tmp_path, server, agent=agent, pool={"shutdown_grace_secs": 0}) as running:
        server.until_ready()
        server.until_said("working", mention(server, "say working\nhang"), PATIENCE)
        agents = running.agents
        held = [server.fail(method, "*", hold=True, times=10_000) for method in METHODS]
        server.gateway.deafen(next_ones=100)
        running.signal()
        assert running.end() == 0, running.log
        assert "the reply was not delivered in time" in running.log
        assert_nothing_is_left(agents, tmp_path)
        for fault in held:
            fault.release()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_discord_that_is_slow_does_not_hold_the_end_up_either(server: Server, tmp_path: Path) -> None:
    """Nothing is configured: a turn has ten seconds to end by itself, what there is to be said is said, and it ends."""
    program, *args = fake_agent()
    with service(tmp_path, server, agent={"command": program, "args": args}) as running:
        server.until_ready()
        thread = mention(server, "say working\nhang")
        server.until_said("working", thread, PATIENCE)
        agents, began = running.agents, time.monotonic()
        server.fail("*", "*", latency=0.5, times=10_000)
        running.signal()
        assert running.end(60) == 0, running.log
        took = time.monotonic() - began
        assert_nothing_is_left(agents, tmp_path)
    assert 10 <= took < 60
    said = [one.content for one in thread.history if one.author.bot and one.content]
    assert said == [
        "working\n\n> ⚠️ openab-sync is shutting down.",
        "openab-sync is shutting down. This turn has 10 s to finish.",
    ], "told once, at once, and its answer is whole"
    assert [line for line in running.log.splitlines() if " WARNING " in line or " ERROR " in line] == []
