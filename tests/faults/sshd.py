"""Another machine for an agent: Debian's own sshd on loopback, an ordinary process with keys of the test's.

It reads nothing of this machine's configuration. The prefix that goes through it is the one of the manual, word by
word, but for `-F`: the name of the machine is explained to ssh by a file of the test's.
"""

from __future__ import annotations

import getpass
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.waiting import MS, until

__all__ = ["SSHD", "Elsewhere", "elsewhere"]

SSHD = shutil.which("sshd", path=f"{os.defpath}:/usr/sbin:/usr/local/sbin")
OPERATING = Path(__file__).parents[2] / "conf" / "OPERATING.rst"
RUN = Path("/run/sshd")  # root's sshd wants it to be there; the service's unit would make it


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The other machine: `prefix` runs something there, `daemon` is its sshd."""

    prefix: tuple[str, ...]
    daemon: psutil.Process

    def connections(self) -> list[psutil.Process]:
        """The processes that serve one connection each."""
        return self.daemon.children()


@contextmanager
def elsewhere(folder: Path) -> Iterator[Elsewhere]:
    """Run it while the block does; its files are in `folder`."""
    assert SSHD is not None
    _keys(folder)
    port = _free_port()
    (folder / "sshd.conf").write_text(f"""
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/mine.pub
PidFile none
UsePAM no
StrictModes no
AuthenticationMethods publickey
PermitRootLogin yes
LogLevel ERROR
""")
    (folder / "known").write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
    (folder / "ssh.conf").write_text(f"""
Host build.example.org
HostName 127.0.0.1
Port {port}
User {getpass.getuser()}
IdentityFile {folder}/mine
IdentitiesOnly yes
UserKnownHostsFile {folder}/known
GlobalKnownHostsFile none
StrictHostKeyChecking yes
""")
    if os.getuid() == 0:
        RUN.mkdir(exist_ok=True)
    process = subprocess.Popen([SSHD, "-D", "-e", "-f", folder / "sshd.conf"], stdin=subprocess.DEVNULL)
    try:
        until(lambda: _answers(port), 10000 * MS, what="sshd listens")
        yield Elsewhere(_prefix(folder), psutil.Process(process.pid))
    finally:
        process.kill()
        process.wait()


def _prefix(folder: Path) -> tuple[str, ...]:
    found = re.findall(r"^\s+command_prefix = \[(\"ssh\"[^]]*)\]$", OPERATING.read_text(), re.MULTILINE)
    (example,) = (re.findall(r'"([^"]*)"', words) for words in found)
    return (example[0], "-F", str(folder / "ssh.conf"), *example[1:])


def _keys(folder: Path) -> None:
    for name in ("host", "mine"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False
