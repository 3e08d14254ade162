"""The server's threads: real requests, real clients that misbehave, an end that leaves nothing."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Blueprint, Response

from openab_sync.status.answers import HEADERS
from openab_sync.status.guard import Guard
from openab_sync.status.listen import Address
from openab_sync.status.server import BODY, THREADS, Server
from openab_sync.status.site import make_site
from openab_sync.status.sources import Sources
from tests.fakes.clock import FakeClock
from tests.status.scene import KEY, TOKEN, no_broker
from tests.waiting import MS, until

Connection = http.client.HTTPConnection


@contextmanager
def serving(*blueprints: Blueprint) -> Iterator[Address]:
    server = Server(Address("127.0.0.1", 0))
    guard = Guard(TOKEN, server.address, FakeClock())
    server.start(make_site(Sources(no_broker(), FakeClock()), guard, blueprints))
    try:
        yield server.address
    finally:
        assert server.stop()


@contextmanager
def connected(address: Address) -> Iterator[Connection]:
    connection = Connection(address.host, address.port, timeout=10)
    try:
        yield connection
    finally:
        connection.close()


def fetch(address: Address, path: str) -> int:
    with connected(address) as connection:
        connection.request("GET", path, headers=KEY)
        answer = connection.getresponse()
        answer.read()
        return answer.status


def test_it_answers_and_its_threads_have_names() -> None:
    with serving() as address:
        assert fetch(address, "/healthz") == 200
        names = {thread.name for thread in threading.enumerate()}
        assert {"status-server", *(f"status-{n}" for n in range(THREADS))} <= names
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("status-")]


def test_one_that_was_never_started_gives_its_port_back() -> None:
    server = Server(Address("127.0.0.1", 0))
    assert server.address.port > 0
    assert server.stop()
    with serving() as other:
        assert fetch(other, "/healthz") == 200


def test_clients_that_never_finish_hold_up_nobody() -> None:
    with serving() as address:
        idle = [socket.create_connection((address.host, address.port)) for _ in range(THREADS + 4)]
        for one in idle:
            one.sendall(b"GET /healthz HTTP/1.1\r\nHost: loc")
        assert fetch(address, "/healthz") == 200
        for one in idle:
            one.close()


def test_too_much_is_refused_before_it_is_all_there() -> None:
    with serving() as address, connected(address) as connection:
        connection.putrequest("POST", "/api/link")
        connection.putheader("Content-Length", str(BODY + 1))
        connection.endheaders()
        assert connection.getresponse().status == 413


def test_an_answer_does_not_name_the_server_software() -> None:
    with serving() as address, connected(address) as connection:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        answer.read()
        assert answer.headers.get("Server", "") == ""
        assert answer.headers["X-Frame-Options"] == HEADERS["X-Frame-Options"]


def test_what_is_streamed_arrives_when_it_happens_and_a_reader_that_leaves_is_noticed() -> None:
    go, gone = threading.Event(), threading.Event()
    pages = Blueprint("stream", __name__)

    @pages.get("/stream")
    def stream() -> Response:
        def pieces() -> Iterator[str]:
            try:
                yield "one\n"
                go.wait(10)
                while True:
                    yield "more\n"
            finally:
                gone.set()

        return Response(pieces(), mimetype="text/plain")

    with serving(pages) as address:
        with connected(address) as connection:
            connection.request("GET", "/stream", headers=KEY)
            answer = connection.getresponse()
            assert answer.read(4) == b"one\n"
            assert not go.is_set()
            answer.close()
        go.set()
        until(gone.is_set, 5000 * MS, "the stream of a reader who left ends")
