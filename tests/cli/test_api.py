"""The way to a running service: found by its store, or given; every fault is one sentence."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from openab_sync.cli.api import Api, found, path_of
from openab_sync.errors import ConfigError, OpenabError
from tests.cli.running import environment
from tests.cli.serving import serving


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own for this process, too."""
    for name in ("OPENAB_SYNC_STATUS_TOKEN", "OPENAB_SYNC_STATUS_URL", "OPENAB_SYNC_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAB_SYNC_HOME", environment(tmp_path)["OPENAB_SYNC_HOME"])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_service_is_found_by_its_store_with_its_key(home: Path) -> None:
    with serving(home) as bed:
        bed.ask("say hello")
        api = found(None, None)
        assert [row["key"] for row in api.get("/api/sessions")] == ["test:1"]
        assert api.get("/api/questions") == []


def test_an_address_may_be_given_and_a_key_in_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(home):
        url, key = ((home / "state" / name).read_text().strip() for name in ("status.address", "status.token"))
        assert found(None, url).get("/api/questions") == []
        monkeypatch.setenv("OPENAB_SYNC_STATUS_TOKEN", "not-the-token-of-it")
        with pytest.raises(OpenabError, match="That token is not the one"):
            found(None, url).get("/api/questions")
        monkeypatch.setenv("OPENAB_SYNC_STATUS_TOKEN", key)
        assert found("/no/such/file", url).get("/api/questions") == []


def test_no_other_machine_is_shown_our_key(home: Path) -> None:
    with serving(home):
        assert found(None, "http://status.example:8787")._token == ""
        assert found(None, "127.0.0.1:1")._token != ""


def test_a_configured_key_is_used(home: Path) -> None:
    (home / "config.toml").write_text('[status]\nlisten = "127.0.0.1:1"\ntoken = "a-token-of-the-tests"\n')
    api = found("config.toml", None)
    assert (api.url, api._token) == ("127.0.0.1:1", "a-token-of-the-tests")


def test_without_a_status_server_it_is_said(home: Path) -> None:
    (home / "config.toml").write_text('[status]\nlisten = ""\n')
    with pytest.raises(ConfigError, match="no status server"):
        found("config.toml", None)


@pytest.mark.parametrize("url", ["ftp://x", "http://", "://"])
def test_what_is_no_address_is_said(url: str) -> None:
    with pytest.raises(ConfigError, match="is no address"):
        Api(url, "")


def test_nobody_who_answers_is_one_sentence() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(OpenabError, match=r"Nobody answers at .* Is `openab-sync run` running"):
        Api(f"127.0.0.1:{port}", "").get("/healthz")


REPLIES = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 502 Bad\r\nContent-Length: 2\r\n\r\n{}",
)


def test_something_else_that_answers_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            for reply in (
                b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
                b"HTTP/1.1 502 Bad\r\nContent-Length: 2\r\n\r\n{}",
            ):
                connection, _ = server.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(reply)

        thread = threading.Thread(target=answer)
        thread.start()
        api = Api(f"http://127.0.0.1:{server.getsockname()[1]}", "")
        with pytest.raises(OpenabError, match="is no openab-sync"):
            api.get("/healthz")
        with pytest.raises(OpenabError, match=r"The answer was 502\."):
            api.get("/healthz")
        thread.join()


def test_a_stream_tells_events_and_a_refusal_is_a_sentence(home: Path) -> None:
    with serving(home):
        api = found(None, None)
        stream = api.events("/api/events")
        name, data = next(stream)
        assert (name, data["ready"]["ready"]) == ("house", True)
        stream.close()  # type: ignore[attr-defined]  # it is a generator
        with pytest.raises(OpenabError, match="A token is needed"):
            next(Api(api.url, "").events("/api/events"))


def test_a_name_with_a_slash_is_one_name() -> None:
    assert path_of("test:a/b", "cancel") == "/api/sessions/test%3Aa%2Fb/cancel"
