from __future__ import annotations

import logging
import sys

import pytest

from openab_sync.cli.logs import set_up


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
