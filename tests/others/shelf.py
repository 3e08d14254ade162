"""What others publish on npm and PyPI, fetched once into a cache folder outside the repository.

The folder is `$OPENAB_AGENTS_ROOT`, else the user's cache folder; what lies there is named by its versions and is never
changed. It is put together beside its place and moved there in one step, so runs at the same time do not meet. What
cannot be fetched skips the test, with the reason; in CI a skip is a failure.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import platformdirs
import pytest

__all__ = ["npm", "sdist"]

PATIENCE = 600.0  # seconds for one fetch; the largest agents are some 400 MB


def npm(*packages: str, path: str | None = None) -> Path:
    """Return the `node_modules` that holds these packages (`name@version`); `path` is the PATH to install them with."""
    path = path or os.environ["PATH"]
    program = shutil.which("npm", path=path)
    if program is None or shutil.which("node", path=path) is None:
        pytest.skip("Node.js and npm are not installed")

    def fetch(folder: Path) -> None:
        options = ("--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error", "--prefer-offline")
        retries = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=2000")
        _run([program, "install", "--prefix", str(folder), *options, *retries, *packages], _node_env(path))

    return _kept(packages, fetch) / "node_modules"


def sdist(name: str, version: str) -> Path:
    """Return the unpacked source of a Python package; its wheel leaves out what is for readers only."""

    def fetch(folder: Path) -> None:
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", name)
        _run([*pip, "--dest", str(folder), f"{name}=={version}"], os.environ)
        for file in folder.glob("*.tar.gz"):
            with tarfile.open(file) as archive:
                archive.extractall(folder, filter="data")

    folder = _kept((f"{name}=={version}",), fetch)
    return next(one for one in folder.iterdir() if one.is_dir())


def _kept(what: Sequence[str], fetch: Callable[[Path], None]) -> Path:
    """Return the folder that holds this, filled by `fetch` if it is not there yet."""
    root = Path(os.environ.get("OPENAB_AGENTS_ROOT") or platformdirs.user_cache_path("openab-sync") / "agents")
    digest = hashlib.sha256("\n".join(what).encode()).hexdigest()[:8]
    place = root / f"{what[0].strip('@').replace('/', '-')}-{digest}"
    if place.exists():
        return place
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root, prefix=".new-", ignore_cleanup_errors=True) as name:
        folder = Path(name) / "it"
        folder.mkdir()
        fetch(folder)
        try:
            folder.rename(place)
        except OSError:
            if not place.exists():  # else another run was faster
                raise
    return place


def _node_env(path: str) -> dict[str, str]:
    """Return our environment for Node.js. It knows a network's own certificates by a name that tox does not pass on."""
    certificates = os.environ.get("SSL_CERT_FILE")
    return {**({"NODE_EXTRA_CA_CERTS": certificates} if certificates else {}), **os.environ, "PATH": path}


def _run(command: Sequence[str], env: Mapping[str, str]) -> None:
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        pytest.skip(f"{command[0]} did not end within {PATIENCE:g} s")
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())
        pytest.skip(f"{' '.join(command[:3])} failed: {said[:400]}")
