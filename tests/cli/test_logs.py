from __future__ import annotations

import logging
import sys

import pytest

from openab_sync.cli.logs import serve, set_up
from openab_sync.config.log import LogConfig


@pytest.mark.parametrize(("debug", "shown"), [(False, ["an error"]), (True, ["a detail", "a warning", "an error"])])
def test_only_what_is_broken_is_logged_unless_asked_for(
    debug: bool, shown: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (None, "asyncio"):  # pytest has set up logging, which is nobody's business here
        monkeypatch.setattr(logging.getLogger(name), "handlers", [])
        monkeypatch.setattr(logging.getLogger(name), "level", logging.NOTSET)
    try:
        set_up(debug=debug)
        log = logging.getLogger("openab_sync.test")
        log.debug("a detail")
        log.warning("a warning")
        log.error("an error")
        logging.getLogger("asyncio").debug("Using selector: EpollSelector")
    finally:
        monkeypatch.undo()
        logging.getLogger().setLevel(logging.getLogger().level)  # forgets what each logger has worked out
    lines = capsys.readouterr().err.splitlines()
    assert [line.rpartition(": ")[2] for line in lines] == shown
    assert all("MainThread" in line for line in lines)


class _Broken:
    def write(self, text: str) -> int:
        raise BrokenPipeError


@pytest.fixture(name="log")
def _log(monkeypatch: pytest.MonkeyPatch) -> logging.Logger:
    """A logger as the command line sets it up."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.setattr(logging.getLogger(), "level", logging.NOTSET)
    monkeypatch.setattr(logging.getLogger("openab_sync"), "level", logging.NOTSET)
    set_up(debug=False)
    return logging.getLogger("openab_sync.test")


def test_what_an_agent_is_called_cannot_command_the_terminal(
    log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    log.error("%s has ended", "\x1b]0;owned\x07Agent\x1b[2J")
    line = capsys.readouterr().err
    assert line.endswith("Agent has ended\n")
    assert "\x1b" not in line


@pytest.mark.parametrize("stream", [None, _Broken()], ids=["none", "broken"])
def test_a_log_that_nobody_reads_ends_nothing(
    log: logging.Logger, stream: object, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        log.error("nobody hears this")
    log.error("somebody is back")
    assert [line.rpartition(": ")[2] for line in capsys.readouterr().err.splitlines()] == ["somebody is back"]


def shown(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.rpartition(": ")[2] for line in capsys.readouterr().err.splitlines()]


def test_a_service_tells_what_happens_and_of_its_libraries_what_is_odd(
    log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    """FIELD J10: the default level shows something, and not everything."""
    serve(str, LogConfig())
    log.debug("a detail")
    log.info("it has started")
    logging.getLogger("discord.gateway").info("connected, session id 4711")
    logging.getLogger("discord.gateway").warning("cannot keep up")
    assert shown(capsys) == ["it has started", "cannot keep up"]


def test_a_service_that_is_debugged_tells_everything(log: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger().setLevel(logging.DEBUG)
    serve(str, LogConfig())
    log.debug("a detail")
    assert shown(capsys) == ["a detail"]


def test_no_line_of_a_service_holds_a_secret(log: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    serve(lambda text: text.replace("hunter2", "[redacted]"), LogConfig())
    try:
        raise ValueError("hunter2 is wrong")
    except ValueError:
        log.exception("cannot log in with %s", "hunter2")
    logged = capsys.readouterr().err
    assert "hunter2" not in logged
    assert "cannot log in with [redacted]" in logged and "ValueError: [redacted] is wrong" in logged
