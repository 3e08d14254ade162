"""`openab-sync demo` as people start it: a process, a link, a visitor, Ctrl-C."""

from __future__ import annotations

import itertools
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openab_sync.cli import demo as module
from tests.cli.running import PATIENCE, ROOT, environment, run
from tests.fakes import fake_agent
from tests.platforms.web.visitor import Visitor
from tests.waiting import MS

# Python reads this before the program: it notes every address that is listened at, looked up or talked to.
LISTENER = """
import os, sys
def note(event, args):
    if event in ("socket.bind", "socket.connect", "socket.sendto", "socket.getaddrinfo"):
        address = args[0] if event == "socket.getaddrinfo" else args[1]
        with open(os.environ["ADDRESSES"], "a") as file:
            print(event, address[0] if isinstance(address, tuple) else address, file=file)
sys.addaudithook(note)
"""


@contextmanager
def demo(home: Path, *arguments: str, **environ: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run it; give the process and the link that it prints."""
    temporary, hook = home / "tmp", home / "hook"
    temporary.mkdir()
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(LISTENER)
    listening = {"PYTHONPATH": f"{hook}:{ROOT}", "ADDRESSES": str(home / "addresses")}
    with subprocess.Popen(
        [sys.executable, "-m", "openab_sync", "demo", *arguments],
        cwd=ROOT,
        env=environment(home, TMPDIR=str(temporary), **listening, **environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            said = "".join(itertools.islice(process.stdout, 3))
            yield process, re.findall(r"http://\S+", said)[0]
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_visitor_is_answered_and_nothing_is_left(tmp_path: Path, number: signal.Signals) -> None:
    began = time.monotonic()
    with demo(tmp_path, "--cwd", str(tmp_path)) as (process, link):
        assert time.monotonic() - began < 4000 * MS, "it opens at once"
        with urllib.request.urlopen(link.partition("/enter")[0] + "/healthz", timeout=PATIENCE) as health:
            assert health.status == 200
        visitor = Visitor(link)
        assert visitor.hear(visitor.say("hello from a test"), "hello from a test", PATIENCE)
        key = visitor.say("deliver")
        assert visitor.hear(key, "Here is a file for you", PATIENCE)
        (file,) = (one for one in visitor.get(f"/web/look?room={key}")["room"]["entries"] if one["kind"] == "file")
        assert file["name"] == "notes.txt"
        assert visitor.read(f"/{file['url']}") == b"A file of the demo agent's.\n"
        house = visitor.get("/web/look")["house"]
        assert (house["agent"], house["chips"][0]) == ("Demo (built in)", ["Watch it write", "slow 5"])
        with pytest.raises(urllib.error.HTTPError, match="403"):
            Visitor(link)  # it works once
        process.send_signal(number)
        _, complaints = process.communicate(timeout=PATIENCE)
        assert (process.returncode, complaints) == (0, "")
    assert list((tmp_path / "tmp").iterdir()) == []
    assert not (tmp_path / "state").exists()
    heard = {tuple(line.split()) for line in (tmp_path / "addresses").read_text().splitlines()}
    assert {what for what, _ in heard} == {"socket.bind", "socket.getaddrinfo"}, "it talks to nobody"
    assert {host for _, host in heard} <= {"127.0.0.1", "0.0.0.0"}, "and looks up no name"


def test_another_agent_is_talked_to_by_its_name(tmp_path: Path) -> None:
    agent = tmp_path / "bin" / "gemini"
    agent.parent.mkdir()
    agent.write_text(f"#!/bin/sh\nexec {shlex.join(fake_agent())}\n")
    agent.chmod(0o755)
    path = f"{agent.parent}:/usr/bin:/bin"
    with demo(tmp_path, "--agent", "gemini", "--cwd", str(tmp_path), PATH=path) as (process, link):
        visitor = Visitor(link)
        assert visitor.hear(visitor.say("say hello from another"), "hello from another", PATIENCE)
        house = visitor.get("/web/look")["house"]
        assert (house["agent"], house["chips"]) == ("Gemini CLI", [])
        process.send_signal(signal.SIGTERM)
        _, complaints = process.communicate(timeout=PATIENCE)
        assert (process.returncode, complaints) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--listen", "nowhere"], "host:port"),
        (["--listen", "192.0.2.1:1"], "cannot listen"),
        (["--agent", "nobody-knows-it"], "nobody-knows-it"),
    ],
)
def test_what_cannot_be_is_a_sentence(tmp_path: Path, arguments: list[str], said: str) -> None:
    ended = run(tmp_path, "demo", *arguments)
    assert (ended.code, ended.out, said in ended.err, len(ended.err.splitlines())) == (2, "", True, 1)


@pytest.mark.parametrize("is_seen", [True, False])
def test_a_browser_opens_only_where_somebody_sees_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], is_seen: bool
) -> None:
    opened: list[str] = []
    links = iter(["http://x/1", "http://x/2"])
    monkeypatch.setattr(module, "_has_screen", lambda: is_seen)
    monkeypatch.setattr(webbrowser, "open", opened.append)
    module._greeter(is_asked=True)("Demo", lambda: next(links))
    assert "http://x/1" in capsys.readouterr().out
    assert opened == (["http://x/2"] if is_seen else [])


def test_a_screen_is_one_that_somebody_sits_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert module._has_screen()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False, raising=False)
    assert not module._has_screen()
