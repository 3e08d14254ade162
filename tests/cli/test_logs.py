from __future__ import annotations

import io
import json
import logging
import stat
import sys
import threading
from datetime import datetime
from pathlib import Path

import click
import pytest

from openab_sync.cli.logs import serve, set_up, with_options
from openab_sync.config.log import LogConfig
from openab_sync.errors import ConfigError
from openab_sync.text.redact import Redactor


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


def test_a_line_names_the_thread_which_is_the_session(log: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    serve(str, LogConfig())
    thread = threading.Thread(target=lambda: log.info("one thing"), name="session-test:1")
    thread.start()
    thread.join()
    [line] = capsys.readouterr().err.splitlines()
    assert "session-test:1" in line and line.endswith(": one thing")


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


# ---- for programs, with colour, in a file ----


def test_json_is_an_object_on_each_line_without_secrets(
    log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    serve(Redactor(['a "quoted" secret']), LogConfig(format="json"))
    thread = threading.Thread(target=lambda: log.info('it says: a "quoted" secret'), name="session-test:1")
    thread.start()
    thread.join()
    try:
        raise ValueError('a "quoted" secret, too')
    except ValueError:
        log.exception("it broke\nin two lines")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert (first["level"], first["logger"], first["message"]) == ("info", "openab_sync.test", "it says: [redacted]")
    assert (first["thread"], first["conversation"]) == ("session-test:1", "test:1")
    assert datetime.fromisoformat(first["time"]).tzinfo is not None
    assert "ValueError: [redacted], too" in second["error"] and "conversation" not in second


class _Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("no_colour", "there"), [("", True), ("1", False)])
def test_a_terminal_gets_colour_unless_it_wants_none(
    log: logging.Logger, monkeypatch: pytest.MonkeyPatch, no_colour: str, there: bool
) -> None:
    monkeypatch.setenv("NO_COLOR", no_colour)
    screen = _Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    serve(str, LogConfig())
    log.warning("odd")
    log.info("plain")
    first, second = screen.getvalue().splitlines()
    assert (" \x1b[33mWARNING\x1b[0m " in first) is there
    assert "\x1b" not in second


def test_a_file_gets_every_line_and_is_rotated(
    log: logging.Logger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "log"
    serve(Redactor(["s3cret-value-of-ours"]), LogConfig(file=str(file), file_mb=0.001, file_count=2))
    try:
        for number in range(40):
            log.info("line %d: s3cret-value-of-ours", number)
    finally:
        logging.getLogger().handlers[-1].close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["log", "log.1", "log.2"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in tmp_path.iterdir())
    assert file.read_text().splitlines()[-1].endswith("line 39: [redacted]")
    assert "line 39" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_one_sentence(log: logging.Logger, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written: No such file"):
        serve(str, LogConfig(file=str(tmp_path / "no" / "log")))


def test_the_command_line_wins(log: logging.Logger) -> None:
    asked = with_options(
        LogConfig(level="error", loggers={"discord": "info"}), "json", "x.log", ("debug", "aiohttp=error")
    )
    assert (asked.format, asked.file, asked.level) == ("json", "x.log", "debug")
    assert asked.loggers == {"discord": "info", "aiohttp": "error"}
    assert with_options(LogConfig(level="error"), None, None, ()) == LogConfig(level="error")
    for wrong in ("loud", "discord=", "discord=loud"):
        with pytest.raises(click.BadParameter, match="is no level"):
            with_options(LogConfig(), None, None, (wrong,))
