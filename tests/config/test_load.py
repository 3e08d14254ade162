"""Where the configuration comes from: files, URLs and the usual places, and a sentence for whatever is wrong there."""

from __future__ import annotations

import importlib
import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

import pytest

from openab_sync.clock import SystemClock
from openab_sync.config import Config, Loaded, load
from openab_sync.errors import ConfigError

# The door has the name of its module, so the module is asked for by its own.
MODULE = importlib.import_module("openab_sync.config.load")


@pytest.fixture(autouse=True)
def _in_an_empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def problem(source: str | Path | None, **environ: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(source, environ)
    assert "\n" not in str(caught.value)
    return caught.value


def sessions(file: Path, number: int) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"[pool]\nmax_sessions = {number}\n", encoding="utf-8")
    return file


# ---- the usual places ----


def test_without_any_file_the_defaults_hold() -> None:
    loaded = load(None, {})
    assert (loaded.config, loaded.warnings, loaded.path) == (Config(), (), None)


def test_each_place_wins_over_the_next(tmp_path: Path) -> None:
    def chosen(source: Path | None, **environ: str) -> int:
        return load(source, environ).config.pool.max_sessions

    sessions(tmp_path / "config" / "openab-sync" / "config.toml", 4)
    assert chosen(None) == 4
    sessions(tmp_path / "work" / "config.toml", 3)
    assert chosen(None) == 3
    named = sessions(tmp_path / "named.toml", 2)
    assert chosen(None, OPENAB_SYNC_CONFIG=str(named)) == 2
    assert chosen(sessions(tmp_path / "explicit.toml", 1), OPENAB_SYNC_CONFIG=str(named)) == 1


def test_the_variable_may_name_a_file_at_home(tmp_path: Path) -> None:
    file = sessions(tmp_path / "home" / "mine.toml", 7)
    assert load(None, {"OPENAB_SYNC_CONFIG": "~/mine.toml"}).path == str(file)


def test_an_empty_variable_names_nothing() -> None:
    assert load(None, {"OPENAB_SYNC_CONFIG": ""}).path is None


def test_what_was_asked_for_must_be_there() -> None:
    assert str(problem("nope.toml")) == "nope.toml: there is no such file"
    assert str(problem(None, OPENAB_SYNC_CONFIG="nope.toml")) == "nope.toml: there is no such file"


# ---- files ----


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert str(problem(tmp_path)).endswith("is a folder, not a file")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "Permission denied"), "may not be read by this user"),
        (OSError(5, "I/O error"), "I/O error"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(error: OSError, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr("builtins.open", refuse)
    caught = problem("x.toml")
    monkeypatch.undo()
    assert words in str(caught)


def test_an_impossible_name_is_one_sentence() -> None:
    assert "is not the name of a file" in str(problem("a\0b"))


def test_an_endless_file_ends_soon() -> None:
    assert "larger than 1 MiB" in str(problem("/dev/zero"))


def test_other_kinds_of_address_are_refused_without_their_secrets() -> None:
    message = str(problem("s3://user:hunter2@bucket/key?token=hunter2"))
    assert message == "s3://bucket/key: cannot be read: only files, http:// and https:// are understood"


def test_an_error_names_file_key_and_line(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text("\n[pool]\nmax_sesions = 1\n", encoding="utf-8")
    error = problem(file)
    assert (error.file, error.key, error.line) == (str(file), "pool.max_sesions", 3)


def test_a_preset_that_nobody_knows_is_named_with_the_nearest(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text('[agent]\npreset = "gemni"\n', encoding="utf-8")
    assert str(problem(file)) == f'{file}:2: agent.preset: there is no preset "gemni" (did you mean gemini?)'


def test_a_preset_that_is_known_is_fine(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text('[agent]\npreset = "gemini"\n', encoding="utf-8")
    assert load(file, {}).config.agent.preset == "gemini"


def test_odd_combinations_cost_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text(
        "[stt]\n[pool]\nliveness_check_secs = 60\nprompt_hard_timeout_secs = 60\nhung_grace_secs = 1\n",
        encoding="utf-8",
    )
    first, second, third = load(file, {}).warnings
    assert first == "[stt] is accepted, but not used yet"
    assert "pool.liveness_check_secs" in second
    assert "pool.hung_grace_secs" in third


def test_a_section_that_a_command_does_not_need_may_be_left_out(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text('[discord]\nbot_token = "${DISCORD_BOT_TOKEN}"\n', encoding="utf-8")
    assert load(file, {}, without=("discord",)) == Loaded(config=Config(), path=str(file))
    assert "the environment variable DISCORD_BOT_TOKEN is not set" in str(problem(file))


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("allowed_users = ['1']", None),
        ("allow_all_users = true\nallowed_users = ['1']", "allowed_users and allowed_roles shut nobody out"),
        ("allow_all_users = true\nallowed_roles = ['1']", "allowed_users and allowed_roles shut nobody out"),
        ("allow_all_channels = false", "the bot listens nowhere"),
        ("allow_all_channels = false\nallow_dm = true", None),
        ("allow_all_channels = true\nallowed_channels = ['1']", "allowed_channels shuts no channel out"),
        ("trusted_bot_ids = ['1']", None),
        ("api_url = 'http://proxy.internal:8080/api/v10'", "anybody on the way may read the bot's token"),
        ("api_url = 'http://127.0.0.1:8080'", None),
        ("api_url = 'http://localhost:8080'", None),
        ("api_url = 'http://[::1]:8080'", None),
        ("api_url = 'https://proxy.example'", None),
    ],
)
def test_odd_settings_of_discord_cost_a_warning(tmp_path: Path, keys: str, words: str | None) -> None:
    file = tmp_path / "c.toml"
    file.write_text(f"[discord]\nbot_token = 'x'\n{keys}\n", encoding="utf-8")
    found = load(file, {}).warnings
    assert len(found) == (words is not None)
    assert all(words is not None and words in warning for warning in found)


# ---- URLs ----

Answer = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """A web server on loopback that answers every request the same way."""

    def __init__(self) -> None:
        self.answer: Answer = lambda request: None
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # the name that http.server calls
                server.answer(self)

            def log_message(self, format: str, *args: object) -> None:  # ditto
                """Stay quiet."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = False
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self.url = f"http://127.0.0.1:{self._http.server_port}/config.toml"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    server.start()
    yield server
    server.stop()


def send(body: bytes, length: int | None = None, status: int = 200) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Length", str(len(body) if length is None else length))
        request.end_headers()
        request.wfile.write(body)

    return answer


def test_a_url_is_fetched_and_its_variables_are_filled_in_here(server: Server) -> None:
    server.answer = send(b'[agent]\ncommand = "${CMD}"\n')
    loaded = load(server.url + "?token=hunter2", {"CMD": "x"})
    assert (loaded.config.agent.command, loaded.path) == ("x", server.url)
    assert "plain http" in loaded.warnings[0]


def test_the_variable_may_name_a_url(server: Server) -> None:
    server.answer = send(b"[pool]\nmax_sessions = 5\n")
    assert load(None, {"OPENAB_SYNC_CONFIG": server.url}).config.pool.max_sessions == 5


def test_a_refusal_is_one_sentence_without_the_secret(server: Server) -> None:
    server.answer = send(b"", status=404)
    assert str(problem(server.url + "?token=hunter2")) == f"{server.url}: the server answered 404 Not Found"


def test_an_error_in_what_was_fetched_names_the_url(server: Server) -> None:
    server.answer = send(b"\n[pool]\nx = 1\n")
    assert str(problem(server.url)).startswith(f"{server.url}:3: pool.x: no such key")


def test_half_an_answer_is_no_configuration(server: Server) -> None:
    server.answer = send(b"[pool]\n", length=100)
    assert str(problem(server.url)).endswith("cannot be fetched: the answer is incomplete")


def test_more_than_a_configuration_can_be_is_refused(server: Server) -> None:
    server.answer = send(b"#" * (1024 * 1024 + 1))
    assert str(problem(server.url)).endswith("is larger than 1 MiB: not a configuration")


def test_an_answer_of_exactly_the_limit_is_taken(server: Server) -> None:
    server.answer = send(b"#" * (1024 * 1024))
    assert load(server.url, {}).config == Config()


def test_a_server_that_hangs_up_is_one_sentence(server: Server) -> None:
    server.answer = lambda request: None
    assert "cannot be fetched" in str(problem(server.url))


def test_nobody_listening_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert "cannot be fetched: " in str(problem(f"http://127.0.0.1:{port}/"))


@pytest.mark.parametrize("url", ["http://", "http://host:port/", "http://a b/", "https://[::1/"])
def test_what_is_no_url_is_one_sentence(url: str) -> None:
    assert "cannot be fetched" in str(problem(url))


def test_a_silent_server_is_not_waited_for_long(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(MODULE, "_FETCH_SECS", 0.05)
    server.answer = lambda request: None if release.wait(20) else pytest.fail("never released")
    try:
        assert str(problem(server.url)).endswith("no answer within 0.05 s")
    finally:
        release.set()


def test_a_server_that_drips_is_not_waited_for_long(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = itertools.count(step=6.0)  # each look at the clock is six seconds later

    class Hurrying(SystemClock):
        def monotonic(self) -> float:
            return next(moments)

    monkeypatch.setattr(MODULE, "SystemClock", Hurrying)
    server.answer = send(b"#" * 500_000)
    assert str(problem(server.url)).endswith("not whole within 10 s")


def test_a_redirect_is_followed(server: Server) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        if request.path == "/config.toml":
            request.send_response(302)
            request.send_header("Location", "/other")
            request.send_header("Content-Length", "0")
            request.end_headers()
        else:
            send(b"[pool]\nmax_sessions = 9\n")(request)

    server.answer = answer
    assert load(server.url, {}).config.pool.max_sessions == 9


def test_a_redirect_never_leads_out_of_https(monkeypatch: pytest.MonkeyPatch) -> None:
    class Elsewhere:
        url = "http://elsewhere/"

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            """Nothing to close."""

    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: Elsewhere())
    assert "leads from https:// to an address without it" in str(problem("https://host/"))
