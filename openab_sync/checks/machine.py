"""Is this machine ready: the files and who may read them, the store, the status server's port, descriptors?

Looks only, and takes nothing away from a broker that runs. Blocks (disk).
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..acp.environment import raise_descriptor_limit, sessions_that_fit
from ..config.hidden import own_secrets
from ..config.load import Loaded
from ..config.schema import Config, StatusConfig
from ..errors import ConfigError, StoreError
from ..store.database import FILE_NAME, open_for_reading
from ..store.place import LOCK_NAME, network_disk, store_folder
from ..text.redact import looks_secret
from .finding import Finding, fail, ok, warn

__all__ = ["check_configuration", "check_descriptors", "check_port", "check_store"]

MOUNTS = Path("/proc/self/mountinfo")


def check_configuration(loaded: Loaded) -> Iterator[Finding]:
    """Where the configuration was read, what is odd about it, and who may read it."""
    path = loaded.path
    yield ok("config", path or "none found: all defaults")
    for warning in loaded.warnings:
        yield warn("config", warning, "conf/openab-sync.toml explains every key")
    if path is None or "://" in path:
        return
    text, mode = Path(path).read_text(encoding="utf-8", errors="replace"), os.stat(path).st_mode & 0o777
    written = any(secret and secret in text for secret in (*own_secrets(loaded.config), *_given(loaded.config)))
    if mode & 0o077 and written:
        yield warn("config", f"it holds secrets and others may read it (mode {mode:03o})", f"chmod 600 {path}")


def _given(config: Config) -> list[str]:
    """What agents are given under names of secrets."""
    return [value for name, value in config.agent.env.items() if looks_secret(name)]


def check_store(config: Config, environ: Mapping[str, str]) -> Iterator[Finding]:
    """The folder for state: is it there, ours alone, on a disk that can be trusted, sound, and free?"""
    folder = store_folder(config.store, environ)
    if not folder.exists():
        parent = next(one for one in folder.parents if one.exists())
        if os.access(parent, os.W_OK | os.X_OK):
            yield ok("store", f"{folder} will be made")
        else:
            yield fail("store", f"{folder} cannot be made: {parent} may not be written", "set [store] path")
        return
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield fail("store", f"{folder} cannot be used by this user", "set [store] path, or mend its owner and mode")
        return
    mode = folder.stat().st_mode & 0o777
    if mode & 0o077:
        yield warn("store", f"{folder} is open to others (mode {mode:03o})", f"chmod 700 {folder}")
    kind = network_disk(folder.resolve(), _mounts())
    if kind:
        yield fail("store", f"{folder} is on a network disk ({kind})", "set [store] path to a folder on a local disk")
    yield from _journal(folder)


def _mounts() -> str:
    try:
        return MOUNTS.read_text(encoding="utf-8", errors="replace")
    except OSError:  # not Linux: it cannot be told
        return ""


def _journal(folder: Path) -> Iterator[Finding]:
    if not (folder / FILE_NAME).exists():
        yield ok("store", f"{folder}, nothing is kept there yet")
        return
    try:
        db = open_for_reading(folder)
        try:
            (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            db.close()
    except (StoreError, ConfigError) as error:
        yield fail("store", str(error), "see State in conf/OPERATING.rst")
        return
    size = (folder / FILE_NAME).stat().st_size / 1024 / 1024
    if verdict != "ok":
        todo = "the next start keeps it aside and begins a new one"
        yield fail("store", f"{folder / FILE_NAME} is damaged: {verdict}", todo)
        return
    holder = _holder(folder)
    yield ok("store", f"{folder}, {size:.1f} MiB{f', in use by a broker (pid {holder})' if holder else ''}")


def _holder(folder: Path) -> str:
    """Which process has the store now; "" for none."""
    try:
        with (folder / LOCK_NAME).open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return lock.read(32).strip() or "?"
    except FileNotFoundError:
        pass
    return ""


def check_port(config: StatusConfig, *, is_running: bool) -> Iterator[Finding]:
    """Can the status server listen where it is to? `is_running`: the broker of this store has the port already."""
    if not config.listen:
        yield ok("status", "off")
        return
    from ..status.listen import Address, bind

    address = Address.parse(config.listen)
    try:
        bind(address).close()
    except ConfigError as error:
        if is_running:
            yield ok("status", f"{address.url}, by the broker that runs")
        else:
            yield fail("status", str(error), "choose another [status] listen, or end what has the port")
        return
    yield ok("status", f"{address.url} is free")
    if not address.is_loopback:
        yield warn("status", "others in the network get there, too", "the token is all that keeps them out; use TLS")


def check_descriptors(config: Config) -> Iterator[Finding]:
    """Are there enough open files for so many agents?"""
    fitting, wanted = sessions_that_fit(raise_descriptor_limit()), config.pool.max_sessions
    if wanted > fitting:
        todo = "raise the limit (ulimit -Hn, LimitNOFILE) or lower [pool] max_sessions"
        yield fail("descriptors", f"{wanted} sessions are wanted, {fitting} fit", todo)
    else:
        yield ok("descriptors", f"{wanted} sessions are wanted, {fitting} fit")
