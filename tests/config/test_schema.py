"""The structs: what they refuse, what they do not show, and that every key says what it is for."""

from __future__ import annotations

import ast
import inspect
import itertools

import msgspec
import pytest

from openab_sync.config import AgentConfig, Config, McpServer, StatusConfig, discord, permissions, schema


def test_nothing_can_be_changed_after_loading() -> None:
    with pytest.raises(AttributeError):
        Config().pool.max_sessions = 3  # type: ignore[misc]  # that it is frozen is what is tested


def test_every_key_says_in_one_line_what_it_is_for() -> None:
    silent = []
    nodes = [node for module in (schema, discord, permissions) for node in ast.parse(inspect.getsource(module)).body]
    for section in (node for node in nodes if isinstance(node, ast.ClassDef)):
        for field, after in itertools.pairwise([*section.body, ast.Pass()]):
            says = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            if isinstance(field, ast.AnnAssign) and not says and not is_section(field):
                silent.append(f"{section.name}.{ast.unparse(field.target)}")
    assert silent == []


def is_section(field: ast.AnnAssign) -> bool:
    kind = getattr(schema, ast.unparse(field.annotation).removesuffix(" | None"), None)
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def test_the_defaults_of_the_issue_hold() -> None:
    pool = Config().pool
    assert (pool.max_sessions, pool.session_ttl_hours, pool.liveness_check_secs) == (10, 4, 30)
    assert (pool.prompt_hard_timeout_secs, pool.cancel_grace_secs, pool.hung_grace_secs) == (1800, 10, 120)
    assert (pool.drain_ms, pool.silence_secs, pool.max_waiting) == (200, 60, 20)
    assert (pool.message_processing_mode, pool.max_buffered_messages, pool.max_batch_tokens) == (
        "per-message",
        10,
        24_000,
    )
    assert (Config().permissions.mode, Config().permissions.timeout_secs) == ("ask", 600)


def test_no_key_is_both_served_and_not_used_yet() -> None:
    sections = {field.name: field.type for field in msgspec.structs.fields(Config)}
    for name in schema.NOT_USED_YET:
        section, _, key = name.partition(".")
        if key:
            assert key not in sections[section].__struct_fields__, name
        else:
            assert section not in sections, name


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ({"name": "x"}, "needs a command"),
        ({"name": "x", "command": "c", "url": "http://h"}, "belong to the types"),
        ({"name": "x", "type": "http"}, "needs a url"),
        ({"name": "x", "type": "sse", "url": "ftp://h"}, "needs a url"),
        ({"name": "x", "type": "http", "url": "http://h", "command": "c"}, "belong to the type"),
    ],
)
def test_a_tool_server_must_be_reachable_in_exactly_one_way(server: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        msgspec.convert(server, McpServer)


def test_arguments_without_anything_to_start_are_refused() -> None:
    with pytest.raises(ValueError, match="need a command or a preset"):
        AgentConfig(args=("--acp",))


@pytest.mark.parametrize("name", ["", "A=B", "A\0"])
def test_an_impossible_name_of_a_variable_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a variable"):
        AgentConfig(env={name: "x"})
    with pytest.raises(ValueError, match="cannot be the name of a variable"):
        McpServer(name="s", command="c", env={name: "x"})


@pytest.mark.parametrize("listen", ["", "127.0.0.1:8787", "[::1]:0", "localhost:65535"])
def test_the_status_page_listens_where_it_can(listen: str) -> None:
    assert StatusConfig(listen=listen).listen == listen


@pytest.mark.parametrize("listen", ["8787", ":8787", "host:", "host:x", "host:65536", "host:-1", "host:²", "h:999999"])
def test_the_status_page_does_not_listen_elsewhere(listen: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        StatusConfig(listen=listen)


def test_no_repr_shows_a_secret() -> None:
    server = McpServer(name="s", command="c", args=("--key=hunter2",), env={"K": "hunter2"})
    remote = McpServer(name="r", type="http", url="http://h/?t=hunter2", headers={"Authorization": "hunter2"})
    agent = AgentConfig(
        command="c", args=("--key", "hunter2"), env={"API_KEY": "hunter2"}, mcp_servers=(server, remote)
    )
    text = repr((Config(agent=agent), server, remote))
    assert "hunter2" not in text
    assert "API_KEY" in text
