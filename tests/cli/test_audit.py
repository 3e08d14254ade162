"""`openab-sync audit` as people start it: beside a broker, on nothing, with a wrong word."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from openab_sync.clock import SystemClock
from openab_sync.store import AuditTrail, Store
from openab_sync.text.redact import Redactor
from tests.cli.running import run


def test_it_shows_what_was_kept_while_the_store_is_in_use(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "state")
    trail = AuditTrail(store, SystemClock(), redact=Redactor(), days=lambda: 1)
    offered = [
        {"id": "a", "name": "Yes", "kind": "allow_once"},
        {"id": "b", "name": "No\nnever", "kind": "reject_once"},
    ]
    details: dict[str, object] = {"asked": "rm -rf \x1b[31m/", "options": offered, "chosen": "b", "why": ""}
    trail.keep("permission", "discord:5", ("1", "Ann"), details)
    trail.keep("command", "discord:5", ("2", "Bob"), {"command": "reset"})
    store.read(lambda db: None)
    whole = run(tmp_path, "audit")
    assert (whole.code, whole.err) == (0, "")
    first, second = whole.out.splitlines()
    assert 'permission Ann (1) discord:5 asked="rm -rf' in first
    assert 'options="Yes | No\\nnever" chosen=b' in first
    assert "\x1b" not in first and "why" not in first
    assert second.endswith("command Bob (2) discord:5 command=reset")
    [line] = run(tmp_path, "audit", "--json", "--person", "Ann", "--since", "1h", "-n", "5").out.splitlines()
    assert json.loads(line)["options"] == offered
    assert run(tmp_path, "audit", "--kind", "limit").out == ""
    assert run(tmp_path, "audit", "--conversation", "5", "--since", "2026-01-01").out == whole.out
    assert store.close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--since", "yesterday"], "neither an age (30m, 12h, 7d, 2w) nor a date"),
        (["--kind", "murder"], "--kind"),
        ([], "there is no journal here yet"),
    ],
)
def test_what_is_wrong_is_a_sentence_and_exit_code_2(tmp_path: Path, arguments: list[str], said: str) -> None:
    ended = run(tmp_path, "audit", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err


def test_it_needs_no_variable_that_only_the_service_has(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text('[discord]\nbot_token = "${NOT_HERE}"\n[store]\npath = "%s"\n' % (tmp_path / "s"))
    assert Store.open(tmp_path / "s").close()
    ended = run(tmp_path, "audit", "-c", str(tmp_path / "c.toml"))
    assert (ended.code, ended.out, ended.err) == (0, "", "")
