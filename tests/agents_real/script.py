"""What the scripted model says: chosen by a word in the prompt, and by how much has happened since. Pure.

The newest user message that holds `SCRIPT:<name>` decides; the rounds of tool results behind it say how far the script
has come. So the model remembers nothing, and any number of agents can share it. Agents name their tools and the
arguments of these as they like: `fit` finds the tool for a role and fills in its own schema.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["COMMAND", "GREETING", "MADE", "PLAIN", "Ask", "Call", "Json", "Say", "fit", "play"]

Json = dict[str, Any]

GREETING = "Hello from the scripted model."
PLAIN = "Nothing is scripted for this."
MADE = "made_by_the_tool.txt"
COMMAND = f"echo made > {MADE}; cat {MADE}"

_MARK = re.compile(r"SCRIPT:([a-z]+)")

_ROLES = {
    "shell": re.compile(
        r"(bash|shell|run_shell_command|execute_command|run_commands?|execute|terminal)$", re.IGNORECASE
    ),
    "write": re.compile(r"(write|write_file|write_to_file|create_file|create|editor|WriteFile)$", re.IGNORECASE),
    "read": re.compile(r"(read|read_files?|view|ReadFile|read_text_file)$", re.IGNORECASE),
}
_ARGS: dict[str, Json] = {
    "shell": {"command": COMMAND},
    "write": {"path": MADE, "content": "made\n"},
    "read": {"path": "README.txt"},
}
# What the arguments that a script gives are called by the tools.
_NAMES = {
    "command": ("command", "cmd", "commands", "script"),
    "content": ("content", "contents", "file_text", "new_text", "text"),
    "path": ("path", "file_path", "filePath", "absolute_path", "filename", "file", "files"),
}


@dataclass(frozen=True, slots=True)
class Say:
    """A piece of the answer, after a pause of so many seconds."""

    text: str
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class Call:
    """A tool to be called: `tool` is a role until `fit` has made a name of it."""

    tool: str
    args: Json


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to the model, whatever its format: entries are ("user" | "assistant" | "call" | "result", text)."""

    entries: Sequence[tuple[str, str]]
    tools: Mapping[str, Json] = field(default_factory=dict)  # name: JSON schema of the arguments
    schema: Json | None = None  # the answer has to be JSON that fits this


def play(ask: Ask) -> list[Say | Call]:
    """Return the model's answer; tools are called by their roles."""
    marks = [(place, _MARK.findall(text)) for place, (who, text) in enumerate(ask.entries) if who == "user"]
    place, names = next(((place, names) for place, names in reversed(marks) if names), (0, []))
    if not names:
        return [Say(PLAIN)]
    results = [text for who, text in ask.entries[place:] if who == "result"]
    match names[-1]:
        case "hello":
            return [Say(f"{word} ", 0.01) for word in GREETING.split()]
        case "slow":
            return [Say(f"word{number} ", 0.1) for number in range(300)]
        case "shell" | "read" | "write" as role if not results:
            return [Say("I use a tool. "), Call(role, _ARGS[role])]
        case "shell" | "read" | "write":
            return [Say(f"The tool said: {results[-1][:400]}")]
        case unknown:
            return [Say(f"There is no script {unknown}.")]


def fit(call: Call, ask: Ask, folder: str) -> Call | Say:
    """Return the call as the agent wants it: its tool's name, its names for the arguments, all that is required.

    `folder` stands before a path. Without a tool for the role the model says so.
    """
    name = next((tool for tool in ask.tools if _ROLES[call.tool].match(tool)), None)
    if name is None:
        return Say(f"[no tool to {call.tool} among {', '.join(sorted(ask.tools))}]")
    schema = ask.tools[name]
    properties: Mapping[str, Json] = schema.get("properties") or {}
    args: Json = {}
    for ours, value in call.args.items():
        theirs = next((one for one in _NAMES[ours] if one in properties), None)
        if theirs is not None:
            args[theirs] = _shaped(properties[theirs], f"{folder}/{value}" if ours == "path" else value)
    for required in schema.get("required") or ():
        args.setdefault(required, default(properties.get(required) or {}))
    return Call(name, args)


def _shaped(schema: Json, value: str) -> object:
    """Return a value as its schema has it: alone, in a list, or in a list of objects."""
    if str(schema.get("type")).lower() != "array":
        return value
    item = schema.get("items") or {}
    for name in (item.get("properties") or {}) if item.get("type") == "object" else ():
        if any(name in names for names in _NAMES.values()):
            return [{name: value}]
    return [value]


def default(schema: Json) -> object:
    """Return the simplest value that fits a JSON schema."""
    if schema.get("enum"):
        return schema["enum"][0]
    for choice in ("anyOf", "oneOf", "allOf"):
        if schema.get(choice):
            return default(schema[choice][0])
    match str(schema.get("type", "string")).lower():
        case "boolean":
            return False
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "array":
            return []
        case "object":
            properties = schema.get("properties") or {}
            return {name: default(properties.get(name) or {}) for name in schema.get("required") or ()}
        case _:
            return "scripted"
