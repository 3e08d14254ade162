"""What nobody may see is known, in the forms in which it turns up."""

from __future__ import annotations

import msgspec

from openab_sync.config.hidden import secrets_of
from openab_sync.config.schema import Config
from openab_sync.text.redact import Redactor


def test_the_secrets_of_tool_servers_are_known_by_their_parts() -> None:
    servers = [
        {"name": "files", "command": "mcp-files", "env": {"A": "secret-in-env"}},
        {
            "name": "web",
            "type": "http",
            "url": "https://example.org/?a=1&key=secret-in-query",
            "headers": {"Authorization": "Bearer secret-in-header"},
        },
    ]
    redact = Redactor(secrets_of(msgspec.convert({"agent": {"mcp_servers": servers}}, Config), {}))
    for secret in ("secret-in-env", "secret-in-query", "secret-in-header", "Bearer secret-in-header"):
        assert redact(f"cannot use {secret}!") == "cannot use [redacted]!"


def test_what_a_chat_service_is_logged_in_to_with_is_secret() -> None:
    section = {
        "bot_token": "a.bot.token",
        "proxy": "http://me:p%40ssword-1@proxy.example",
        "api_url": "http://127.0.0.1:1",
    }
    hide = Redactor(secrets_of(msgspec.convert({"discord": section}, Config), {}, ["filled-in-here"]))
    assert hide("a.bot.token p@ssword-1 p%40ssword-1 filled-in-here") == " ".join(["[redacted]"] * 4)


def test_settings_of_the_agent_are_no_secrets_unless_their_names_say_so() -> None:
    """What is hidden would be missing in every answer that speaks of it."""
    env = {
        "MODEL": "claude-sonnet-4-20250514",
        "NODE_ENV": "production",
        "PYTHONPATH": "/srv/project",
        "BASE": "https://gateway.example.org/v1",
        "API_KEY": "under-a-telling-name",
        "THING": "aB3dE5fG7hI9",
    }
    found = secrets_of(msgspec.convert({"agent": {"env": env}}, Config), {})
    assert [value for value in found if value] == ["under-a-telling-name", "aB3dE5fG7hI9"]
    inherited = secrets_of(msgspec.convert({"agent": {"inherit_env": ["PLACE", "WORD"]}}, Config), {
        "PLACE": "/srv/project", "WORD": "of-somebody",
    })  # fmt: skip
    assert [value for value in inherited if value] == ["of-somebody"]
