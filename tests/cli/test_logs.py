from __future__ import annotations

import logging

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
