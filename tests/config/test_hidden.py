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
