"""Where the status server listens, and by which names it may be called. Pure but for `bind`."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass

from ..errors import ConfigError

__all__ = ["Address", "bind", "is_address"]


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port."""

    host: str
    port: int

    @staticmethod
    def parse(text: str) -> Address:
        """Return what `[status] listen` says; the configuration has checked its shape."""
        host, _, port = text.rpartition(":")
        return Address(host.strip("[]"), int(port))

    @property
    def is_loopback(self) -> bool:
        """Whether nobody but this machine's own users can get there."""
        return self.host == "localhost" or (is_address(self.host) and ipaddress.ip_address(self.host).is_loopback)

    @property
    def url(self) -> str:
        """How a person or a program on this machine gets there."""
        host = self.host
        if is_address(host) and ipaddress.ip_address(host).is_unspecified:
            host = "::1" if ":" in host else "127.0.0.1"
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


def is_address(host: str) -> bool:
    """Whether `host` is a number and no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def bind(address: Address) -> socket.socket:
    """Return a socket that listens there; port 0: at any that is free. Raise ConfigError if that cannot be."""
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _unusable(address, error) from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(where)
        listening.listen()  # before that, a second one could bind there as well
    except OSError as error:
        listening.close()
        raise _unusable(address, error) from error
    return listening


def _unusable(address: Address, error: OSError) -> ConfigError:
    return ConfigError(
        f"cannot listen at {address.host}:{address.port}: {error.strerror or error}",
        key="status.listen",
        hint='another openab-sync or program may have the port: name another one, or "" for no status server',
    )
