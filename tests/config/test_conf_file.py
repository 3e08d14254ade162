"""conf/openab-sync.toml says what is so: every key, with its default, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from openab_sync.config import Config, DiscordConfig, McpServer, PermissionRule, load
from openab_sync.config.check import check, given
from openab_sync.config.document import parse
from openab_sync.config.schema import NOT_USED_YET

FILE = Path(__file__).parents[2] / "conf" / "openab-sync.toml"
TEXT = FILE.read_text(encoding="utf-8")

# A key is `name = value  # why`; one without a default is the same behind "# ".
KEY = re.compile(r"(?:# )?([a-z_]+) = .+?\s# \S.*")
HEADER = re.compile(r"(?:# )?\[\[?([a-z_.]+)\]\]?")


def documented() -> Iterator[str]:
    section = ""
    for line in TEXT.splitlines():
        if header := HEADER.fullmatch(line):
            section = header.group(1)
        elif key := KEY.fullmatch(line):
            yield f"{section}.{key.group(1)}"


def served(kind: type[msgspec.Struct], prefix: str) -> Iterator[str]:
    for field in msgspec.structs.fields(kind):
        inner = given(field.type)
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            yield from served(inner, f"{prefix}{field.name}.")
        else:
            yield prefix + field.name


def test_it_loads_without_a_warning_and_is_exactly_the_defaults() -> None:
    loaded = load(FILE, {})
    assert (loaded.config, loaded.warnings) == (Config(), ())


def test_every_key_that_is_served_is_documented_and_no_other() -> None:
    expected = {*served(Config, ""), *served(McpServer, "agent.mcp_servers.")}
    expected |= set(served(PermissionRule, "permissions.rules."))
    assert set(documented()) == expected


def test_every_key_that_has_a_default_is_written_with_it() -> None:
    data = parse("c.toml", TEXT.encode()).data
    absent = [name for name in served(Config, "") if not _holds(data, name) and not name.startswith("discord.")]
    assert absent == ["agent.preset", "agent.mcp_servers", "permissions.rules", "store.path", "audit.file"]


def _holds(data: object, name: str) -> bool:
    for part in name.split("."):
        if not isinstance(data, dict) or part not in data:
            return False
        data = data[part]
    return True


def with_examples() -> Config:
    """What the file says with everything in force that is commented out in it."""
    lines = TEXT.splitlines()
    examples = [line[2:] if line.startswith("# ") and _is_code(line) else line for line in lines]
    text = "\n".join(line for line in examples if not re.search(r"(mcp_servers|rules) = \[\]", line))
    # A table must come after the keys of the one it belongs to; the examples stand in their place.
    config, warnings = check(parse("c.toml", text.encode()), {"DISCORD_BOT_TOKEN": "x"})
    assert warnings == ()
    return config


def test_the_examples_that_are_commented_out_are_valid() -> None:
    config = with_examples()
    assert [server.name for server in config.agent.mcp_servers] == ["files", "search"]
    assert [rule.then for rule in config.permissions.rules] == ["allow", "deny", "allow"]
    assert (config.agent.preset, config.store.path) == ("demo", "/var/lib/openab-sync")


def test_the_keys_of_discord_are_commented_out_with_their_defaults() -> None:
    """But for those that have none: their examples say what comes to the same, or what they are for."""
    written, pool = with_examples().discord, Config().pool
    assert written is not None
    without = {"bot_token": "x", "allow_all_channels": True, "shard_count": 2}
    defaults = DiscordConfig(bot_token="x")
    expected = {name: getattr(defaults, name) for name in DiscordConfig.__struct_fields__} | without
    shared = {name: getattr(pool, name) for name in expected if name in type(pool).__struct_fields__}
    assert {name: getattr(written, name) for name in expected} == expected | shared
    assert written.admits_all_channels == defaults.admits_all_channels


def _is_code(line: str) -> bool:
    return bool(KEY.fullmatch(line) or HEADER.fullmatch(line) or re.fullmatch(r'# [a-z_]+ = "[^"]*"', line))


@pytest.mark.parametrize("name", sorted(NOT_USED_YET))
def test_every_name_not_used_yet_is_listed(name: str) -> None:
    tail = TEXT.partition("# Accepted because")[2]
    assert (name if "." in name else f"[{name}]") in tail.split()


def test_nothing_else_is_listed_as_not_used_yet() -> None:
    tail = TEXT.partition("when openab-sync starts):")[2]
    listed = {word.strip("[]") for word in tail.split()} - {"#", "sections", "keys"}
    assert listed == NOT_USED_YET
