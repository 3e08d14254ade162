"""`openab-sync reload`: whom it finds, and what it says. That a service obeys is shown in platforms/discord/e2e."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

from openab_sync.signals import handled
from openab_sync.store import Store, answer
from tests.cli.running import Ended, run
from tests.waiting import until


def test_where_nobody_runs_it_says_so(tmp_path: Path) -> None:
    ended = run(tmp_path, "reload")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == f"openab-sync: {tmp_path / 'state'}: no openab-sync runs with this store\n"


def test_the_variables_of_the_service_need_not_be_set_here(tmp_path: Path) -> None:
    (file := tmp_path / "config.toml").write_text(
        f'[discord]\nbot_token = "${{NOT_SET_HERE}}"\n[store]\npath = "{tmp_path / "elsewhere"}"\n'
    )
    ended = run(tmp_path, "reload", "-c", str(file))
    assert ended.code == 1
    assert str(tmp_path / "elsewhere") in ended.err


def test_a_configuration_that_is_none_is_told_with_2(tmp_path: Path) -> None:
    (file := tmp_path / "config.toml").write_text("[store\n")
    assert run(tmp_path, "reload", "-c", str(file)).code == 2


def told(folder: Path, text: str, *, is_well: bool) -> Ended:
    """What the command says if the service (here: this process) says `text`."""
    heard, ended = threading.Event(), list[Ended]()
    store = Store.open(folder / "state")
    with handled({signal.SIGHUP: lambda _: heard.set()}):
        thread = threading.Thread(target=lambda: ended.append(run(folder, "reload")), name="reload")
        thread.start()
        until(heard.is_set, 20, "the signal has come")
        answer(store.folder, text, is_well=is_well)
        thread.join()
    assert store.close()
    assert not list(store.folder.glob("reload.*"))
    return ended[0]


def test_what_the_service_says_is_said(tmp_path: Path) -> None:
    assert told(tmp_path, "Applies from now on: x.y.", is_well=True) == Ended(0, "Applies from now on: x.y.\n", "")


def test_what_did_not_go_well_is_a_failure(tmp_path: Path) -> None:
    assert told(tmp_path, "Nothing changed: why", is_well=False) == Ended(1, "", "Nothing changed: why\n")
