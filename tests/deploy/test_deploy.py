"""Service units, images and manifests: each is read by the tool that it is for, and says what the product says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from openab_sync.config import load
from openab_sync.version import VERSION

pytestmark = pytest.mark.deploy

ROOT = Path(__file__).parent.parent.parent
CONF = ROOT / "conf"
UNITS = sorted((CONF / "systemd").glob("*.service"))
BOTS = sorted((CONF / "docker").glob("*.toml"))
MANIFEST = CONF / "k8s" / "openab-sync.yaml"
COMPOSE = CONF / "docker" / "compose.yaml"


def ran(*command: str | Path) -> str:
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout + run.stderr


def tool(name: str) -> str:
    """A program that the environment has installed beside this Python."""
    return str(Path(sys.executable).parent / name)


@pytest.fixture
def unit(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A unit whose program is there."""
    text = request.param.read_text(encoding="utf-8")
    program = shutil.which("true")
    text = re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={program}", text)
    path = tmp_path / "openab-sync.service"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("unit", UNITS, indirect=True, ids=lambda path: path.name)
def test_systemd_takes_the_unit_without_a_word(unit: Path) -> None:
    assert ran("systemd-analyze", "verify", "--man=no", unit) == ""


@pytest.mark.parametrize("unit", [CONF / "systemd" / "openab-sync.service"], indirect=True, ids=lambda path: path.name)
def test_the_systems_unit_is_closed(unit: Path) -> None:
    said = ran("systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=25", unit)
    assert "OK" in said.splitlines()[-1]


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_the_unit_knows_what_a_configuration_error_is_and_leaves_the_ending_to_us(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    wanted = {"Type=notify", "NotifyAccess=main", "WatchdogSec=60", "NoNewPrivileges=yes", "RestartPreventExitStatus=2"}
    wanted |= {"KillMode=mixed", "ExecReload=/bin/kill -HUP $MAINPID"}
    assert wanted <= set(lines)


def test_the_linter_of_images_finds_nothing() -> None:
    assert ran(tool("hadolint"), CONF / "docker" / "Dockerfile") == ""


def test_every_image_is_small_and_runs_as_nobody_much_without_an_init_program() -> None:
    lines = (CONF / "docker" / "Dockerfile").read_text(encoding="utf-8").splitlines()
    images = [line.split()[1] for line in lines if line.startswith("FROM ")]
    assert {name for name in images if ":" in name} == {"python:3.13-slim-bookworm", "node:22-bookworm-slim"}
    assert [line for line in lines if line.startswith("USER ")][-1] == "USER 10001" and lines.count("USER 10001") == 2
    assert [line for line in lines if line.startswith("ENTRYPOINT")] == ['ENTRYPOINT ["openab-sync"]']
    assert "OPENAB_SYNC_HOME=/data/state" in " ".join(lines), "what is written goes to the volume"


def test_the_image_copies_what_is_there_and_nothing_else_is_sent_to_it() -> None:
    lines = (CONF / "docker" / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    sources = [part for parts in copied for part in parts]
    assert all((ROOT / source).exists() for source in sources)
    sent = (CONF / "docker" / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert {line[1:] for line in sent if line.startswith("!")} == set(sources)
    assert sent[1] == "*"


def test_compose_fits_its_schema_and_uses_stages_and_files_that_are_there() -> None:
    ran(tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", COMPOSE)
    services = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    stages = re.findall(r"(?m)^FROM \S+ AS (\w+)", (CONF / "docker" / "Dockerfile").read_text(encoding="utf-8"))
    assert set(services) == {"demo", *(path.stem for path in BOTS)} == {"demo", "claude", "opencode"}
    for name, service in services.items():
        assert service["build"]["target"] in stages
        assert (service["read_only"], service["cap_drop"], service["init"]) == (True, ["ALL"], False)
        if name != "demo":
            assert f"./{name}.toml:/etc/openab-sync/config.toml:ro" in service["volumes"]
    assert "environment" not in services["demo"], "it needs no token"
    assert services["demo"]["ports"] == ["127.0.0.1:8787:8787"], "the page is for this machine alone"


def test_the_manifests_fit_the_schemas_of_kubernetes() -> None:
    for version in ("1.28", "1.34"):
        ran(tool("kubernetes-validate"), "--strict", "-k", version, MANIFEST)


def kinds() -> dict[str, Any]:
    return {item["kind"]: item for item in yaml.safe_load_all(MANIFEST.read_text(encoding="utf-8"))}


def test_the_pod_runs_as_nobody_much_and_is_looked_after_by_its_probes() -> None:
    pod = kinds()["StatefulSet"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] and container["securityContext"]["readOnlyRootFilesystem"]
    probes = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    assert probes == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}
    assert container["image"].endswith(f":{VERSION}")
    assert container["args"][-2:] == ["--shard", "$(SHARD)/$(SHARD_COUNT)"]
    assert container["envFrom"] == [{"secretRef": {"name": "openab-sync"}}], "the token is a secret's"
    assert "kubectl create secret generic openab-sync" in MANIFEST.read_text(encoding="utf-8")
    [claim] = kinds()["StatefulSet"]["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"], "one broker to a store"
    assert {"data", "config", "tmp"} == {mount["name"] for mount in container["volumeMounts"]}
    assert set(kinds()) == {"ConfigMap", "Service", "StatefulSet"}


@pytest.mark.parametrize("path", [*BOTS, MANIFEST], ids=lambda path: path.name)
def test_the_configurations_load(path: Path, tmp_path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path == MANIFEST:
        text = kinds()["ConfigMap"]["data"]["config.toml"]
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    loaded = load(tmp_path / "config.toml", {"DISCORD_BOT_TOKEN": "a.bot.token"})
    assert loaded.warnings == ()
    assert loaded.config.discord is not None and loaded.config.discord.admits_somebody
    assert tomllib.loads(text)["agent"]["working_dir"] == "/work"


def test_what_is_started_are_commands_of_ours() -> None:
    lines = [line for path in UNITS for line in path.read_text(encoding="utf-8").splitlines()]
    started = [line.split()[1:] for line in lines if line.startswith("ExecStart=")]
    started.append(["run", "-c", "/etc/openab-sync/config.toml"])
    started.append(yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]["demo"]["command"])
    started.append(kinds()["StatefulSet"]["spec"]["template"]["spec"]["containers"][0]["args"])
    for command in started:
        environ = {**os.environ, "COLUMNS": "200"}
        options = subprocess.run(
            [sys.executable, "-m", "openab_sync", command[0], "--help"], capture_output=True, text=True, env=environ
        ).stdout
        assert all(part in options for part in command if part.startswith("-")), command
