"""Where the status server listens."""

from __future__ import annotations

import socket

import pytest

from openab_sync.errors import ConfigError
from openab_sync.status.listen import Address, bind, is_address


@pytest.mark.parametrize(
    ("text", "loopback", "url"),
    [
        ("127.0.0.1:8787", True, "http://127.0.0.1:8787"),
        ("localhost:80", True, "http://localhost:80"),
        ("[::1]:8787", True, "http://[::1]:8787"),
        ("0.0.0.0:8787", False, "http://127.0.0.1:8787"),
        ("[::]:8787", False, "http://[::1]:8787"),
        ("10.0.0.1:8787", False, "http://10.0.0.1:8787"),
        ("broker.example:8787", False, "http://broker.example:8787"),
    ],
)
def test_an_address_knows_who_can_get_there(text: str, loopback: bool, url: str) -> None:
    address = Address.parse(text)
    assert (address.is_loopback, address.url) == (loopback, url)


def test_a_name_is_no_address() -> None:
    assert [is_address(host) for host in ("127.0.0.1", "::1", "localhost", "")] == [True, True, False, False]


def test_a_port_that_is_taken_is_one_sentence() -> None:
    with bind(Address("127.0.0.1", 0)) as taken:
        address = Address("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(ConfigError, match=r"cannot listen at .*in use") as told:
            bind(address)
    assert told.value.exit_code == 2
    assert "status.listen" in str(told.value)


def test_a_host_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match=r"cannot listen at 203\.0\.113\.1:0"):
        bind(Address("203.0.113.1", 0))


def test_a_port_that_was_just_given_back_can_be_had_again() -> None:
    with bind(Address("127.0.0.1", 0)) as first:
        port = first.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            first.accept()[0].close()
    bind(Address("127.0.0.1", port)).close()
