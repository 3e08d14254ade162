"""What `check` says of files, the store, the port and descriptors."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from openab_sync.checks import Finding, machine
from openab_sync.checks.machine import check_configuration, check_descriptors, check_port, check_store
from openab_sync.config import load
from openab_sync.config.schema import Config, DiscordConfig, PoolConfig, StatusConfig, StoreConfig
from openab_sync.store import Store
from openab_sync.store.database import FILE_NAME


def only(findings: list[Finding], level: str) -> list[str]:
    return [one.text for one in findings if one.level == level]


@pytest.mark.parametrize(
    ("token", "mode", "warnings"),
    [("a.literal.token", 0o644, 1), ("a.literal.token", 0o600, 0), ("${TOKEN}", 0o644, 0)],
)
def test_a_file_with_secrets_is_for_its_owner(tmp_path: Path, token: str, mode: int, warnings: int) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f'[discord]\nbot_token = "{token}"\nallow_all_users = true\n')
    file.chmod(mode)
    findings = list(check_configuration(load(file, {"TOKEN": "from.the.environment"})))
    assert len([one for one in findings if one.level == "warn" and "chmod 600" in one.todo]) == warnings
    assert not any("literal" in one.text + one.todo for one in findings)


def test_what_is_odd_and_that_there_is_no_file_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    [finding] = check_configuration(load(None, {}))
    assert finding.text == "none found: all defaults"
    (tmp_path / "config.toml").write_text("[stt]\n")
    findings = list(check_configuration(load(None, {})))
    assert any("stt" in text for text in only(findings, "warn"))


def store(path: Path) -> list[Finding]:
    return list(check_store(Config(store=StoreConfig(path=str(path))), {}))


def test_a_store_that_is_not_there_yet_is_fine_where_it_can_be_made(tmp_path: Path) -> None:
    assert only(store(tmp_path / "new" / "folder"), "ok") == [f"{tmp_path / 'new' / 'folder'} will be made"]
    assert not (tmp_path / "new").exists()


def test_a_store_in_use_is_looked_at_and_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    kept = Store.open(tmp_path)
    assert only(store(tmp_path), "ok")[0].endswith(f"in use by a broker (pid {os.getpid()})")
    assert kept.close()
    [text] = only(store(tmp_path), "ok")
    assert text.endswith(" MiB")


def test_an_open_folder_is_a_warning_and_a_file_in_its_place_a_failure(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    findings = store(tmp_path)
    assert "open to others" in only(findings, "warn")[0] and only(findings, "ok")[0].endswith(
        "nothing is kept there yet"
    )
    (tmp_path / "file").write_text("")
    assert len(only(store(tmp_path / "file"), "fail")) == 1


def test_a_damaged_journal_and_a_foreign_one_are_failures(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    file = tmp_path / FILE_NAME
    data = bytearray(file.read_bytes())
    data[4096:8192] = os.urandom(4096)
    file.write_bytes(data)
    assert len(only(store(tmp_path), "fail")) == 1
    file.write_bytes(b"this is no database, and long enough to be read as one" * 100)
    assert len(only(store(tmp_path), "fail")) == 1


def test_a_network_disk_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"36 35 98:0 / {tmp_path} rw - nfs4 server:/export rw\n")
    monkeypatch.setattr(machine, "MOUNTS", mounts)
    assert "network disk (nfs4)" in only(store(tmp_path), "fail")[0]


def port(listen: str, *, is_running: bool = False) -> list[Finding]:
    return list(check_port(StatusConfig(listen=listen), is_running=is_running))


def test_a_port_is_free_taken_or_ours() -> None:
    assert port("")[0].text == "off"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        here = f"127.0.0.1:{taken.getsockname()[1]}"
        assert port(here)[0].level == "fail"
        assert port(here, is_running=True)[0].level == "ok"
    assert port(here)[0].level == "ok"
    assert [one.level for one in port("0.0.0.0:0")] == ["ok", "warn"]


def test_more_agents_than_descriptors_are_a_failure() -> None:
    assert only(list(check_descriptors(Config())), "ok")
    many = Config(pool=PoolConfig(max_sessions=10**9))
    assert "fit" in only(list(check_descriptors(many)), "fail")[0]


def test_findings_hold_no_secrets() -> None:
    config = Config(discord=DiscordConfig(bot_token="a.secret.token", allow_all_users=True))
    assert "a.secret.token" not in repr([*check_descriptors(config), *check_port(config.status, is_running=False)])
