"""The package as a user gets it: its names, its version, its command, and what starting it costs."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import openab_sync

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "openab_sync"

TOP = {"LICENSE", "README.rst", "conf", "openab_sync", "setup.py", "tests", "tox.ini"}
MADE_BY_BUILDING = {"build", "dist", "openab_sync.egg-info"}

ROOMS = {
    "__init__.py", "__main__.py", "py.typed", "ARCHITECTURE.rst", "app.py", "clock.py", "errors.py", "heap.py",
    "notify.py", "service.py", "signals.py", "threads.py", "version.py",
    "acp", "agents", "checks", "cli", "config", "core", "media", "platforms", "status", "store", "text",
}  # fmt: skip

# What `openab-sync --help` must not pay for.
HEAVY = {
    "aiohttp", "asyncio", "discord", "flask", "markdown_it", "pexpect", "prometheus_client", "prompt_toolkit", "rich",
    "sqlite3", "urllib.request",
}  # fmt: skip


@pytest.fixture(scope="module")
def installed() -> importlib.metadata.Distribution:
    try:
        return importlib.metadata.distribution("openab-sync")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("openab-sync is not installed in this environment; tox does that")


def test_the_top_of_the_checkout_holds_only_what_was_agreed() -> None:
    names = {path.name for path in ROOT.iterdir() if not path.name.startswith((".", "__pycache__"))}
    assert sorted(names - TOP - MADE_BY_BUILDING) == []


def test_the_top_of_the_package_holds_only_what_was_agreed() -> None:
    assert sorted({path.name for path in PACKAGE.iterdir()} - ROOMS - {"__pycache__"}) == []


def test_the_package_itself_offers_its_version_and_nothing_else() -> None:
    assert openab_sync.__all__ == ["__version__"]


def test_the_version_is_the_installed_one(installed: importlib.metadata.Distribution) -> None:
    assert installed.version == openab_sync.__version__


def test_the_command_is_installed_once(installed: importlib.metadata.Distribution) -> None:
    scripts = [(entry.name, entry.value) for entry in installed.entry_points]
    assert scripts == [("openab-sync", "openab_sync.cli:main")]


def test_everything_in_the_package_is_installed(installed: importlib.metadata.Distribution) -> None:
    """Data files too: a forgotten one is missed only by users."""
    there = {str(path) for path in installed.files or ()}
    wanted = {str(path.relative_to(ROOT)) for path in PACKAGE.rglob("*") if path.is_file()}
    assert sorted(name for name in wanted - there if "__pycache__" not in name) == []


def test_the_module_and_the_command_are_the_same() -> None:
    answer = run("-m", "openab_sync", "--help")
    assert answer.stdout.startswith("Usage: openab-sync ")
    assert (answer.returncode, answer.stderr) == (0, "")


def test_the_version_is_told() -> None:
    assert openab_sync.__version__ in run("-m", "openab_sync", "--version").stdout


def test_help_does_not_pay_for_what_it_does_not_use() -> None:
    """Counted from what is there before: measuring coverage brings modules of its own."""
    look = (
        "import sys; before = set(sys.modules); import openab_sync.cli; "
        f"print(sorted(({HEAVY} & sys.modules.keys()) - before))"
    )
    answer = run("-c", look)
    assert (answer.stdout.strip(), answer.stderr) == ("[]", "")


def test_the_discord_library_is_missing_in_the_core_environment_and_only_there() -> None:
    missing = importlib.util.find_spec("discord") is None
    assert missing is (os.environ.get("OPENAB_CORE") == "1")


def run(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *args], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
