"""The kinds of value: which ids, addresses and names of variables are some."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.config.kinds import Id, check_address, check_names


@given(st.integers(1, 2**64 - 1))
def test_every_number_that_a_chat_service_gives_is_an_id(number: int) -> None:
    assert msgspec.convert(str(number), Id) == str(number)


@pytest.mark.parametrize("text", ["", "0", "012", "-1", "1.0", "12a", "12\n", " 12", "<@12>", "١٢", "1" * 21])
def test_what_is_no_number_in_plain_digits_is_no_id(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(text, Id)


def test_a_number_itself_is_no_id() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(12, Id)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://127.0.0.1:8080",
        "https://h/api/v10/",
        "http://[::1]:1",
        "http://user:word@proxy:3128",
        "https://h:65535",
    ],
)
def test_an_address_may_have_a_port_a_path_and_somebodys_name(address: str) -> None:
    check_address("api_url", address)


@pytest.mark.parametrize(
    "address",
    ["h", "h:8080", "ftp://h", "socks5://h:1", "http://", "http://:8080", "http://h:x", "http://h:65536", "http://h:0",
     "http://h h", "http://h\n", "https://[::1", "//h"],
)  # fmt: skip
def test_what_cannot_be_connected_to_is_refused_with_the_key(address: str) -> None:
    with pytest.raises(ValueError, match=r"^proxy must begin with http:// or https://"):
        check_address("proxy", address)


@pytest.mark.parametrize("address", ["https://h/?a=1", "https://h/#a"])
def test_an_address_ends_with_its_path(address: str) -> None:
    with pytest.raises(ValueError, match=r"no \? and no #"):
        check_address("api_url", address)


def test_a_refusal_never_shows_the_address() -> None:
    with pytest.raises(ValueError, match="must begin") as caught:
        check_address("proxy", "socks5://user:hunter2@h")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "A=B", "A\0"])
def test_an_impossible_name_of_a_variable_is_refused(name: str) -> None:
    check_names(["A", "a b"])
    with pytest.raises(ValueError, match="cannot be the name of a variable"):
        check_names(["A", name])
