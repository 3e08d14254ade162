"""The fault agent's flags, and what they make it offer: capabilities, modes, models, options."""

from __future__ import annotations

import argparse
import os

from tests.fakes.agent_turn import Json

__all__ = ["capabilities", "offers", "parse_flags"]

SWITCHES = {
    "auth": "session/new needs authentication first (-32000)",
    "no-load": "no loadSession capability",
    "replay-after": "the history comes after the answer to session/load",
    "resume-cap": "session/resume is served",
    "resume-replays": "session/resume replays the history as well",
    "no-image": "no promptCapabilities.image",
    "http-mcp": "mcpCapabilities.http",
    "sse-mcp": "mcpCapabilities.sse",
    "no-list": "without sessionCapabilities.list",
    "banner": "a banner and a progress bar on stdout at start",
    "bom": "a byte order mark before the first line",
    "crlf": "lines end with CR LF",
    "string-ids": "ids of own requests are UUID strings",
    "null-members": "members that could be absent are null",
    "die-at-start": "exits with 3 before it reads anything",
    "deaf": "reads nothing more once a session has begun",
    "ignore-eof": "stays when stdin ends",
    "ignore-term": "ignores SIGTERM",
    "linger": "a child that ignores SIGTERM stays in the process group",
    "early-updates": "updates in the same write as the answer to session/new",
    "options": "modes, and the same plus models as configOptions",
    "models": "models as Kiro sends them",
    "modes-only": "modes and nothing else",
    "grouped-options": "a select whose options are grouped",
    "boolean-option": "a boolean option",
    "begins-auto": 'begins in the mode "auto"',
}
SECONDS = {"slow-init": "seconds before initialize is answered", "slow-new": "the same for session/new"}
CODES = {
    "load-lies": "what --memory does not know is taken up all the same; prompts fail with this code, 0: refusal",
    "init-error": "initialize fails with this code (-32603)",
    "new-error": "session/new fails with this code (-32603)",
    "load-error": "load and resume fail with this code (-32603)",
    "set-error": "setting a mode, model or option fails with this code (-32603)",
}
FILES = {
    "log": "write every message received to FILE, one JSON line each",
    "memory": "keep the history in FILE, for later processes",
    "slow-new-on": "session/new is answered once FILE exists",
    "once": "only the first process is at fault: the one that makes FILE; later ones hang, die and fail in nothing",
}
# flag: (where it belongs, the method)
ALIASES = {
    "no-init": ("hang_on", ("initialize",)),
    "load-hang": ("hang_on", ("session/load", "session/resume")),
    "load-dies": ("die_on", ("session/load", "session/resume")),
}


def parse_flags() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="fake-agent", description="An ACP agent that fails as told.")
    for name, help in SWITCHES.items():
        parser.add_argument(f"--{name}", action="store_true", help=help)
    for name, help in SECONDS.items():
        parser.add_argument(f"--{name}", type=float, default=0.0, metavar="S", help=help)
    for name, help in CODES.items():
        parser.add_argument(f"--{name}", type=int, nargs="?", const=-32603, metavar="CODE", help=help)
    for name, help in FILES.items():
        parser.add_argument(f"--{name}", metavar="FILE", help=help)
    parser.add_argument("--stderr", type=int, default=0, metavar="N", help="N lines of noise on stderr at start")
    parser.add_argument("--version", default="1", help="the protocolVersion in the answer; digits become a number")
    for name in ("hang", "die"):
        help = f"{name} when this METHOD is called (may be given several times)"
        parser.add_argument(f"--{name}-on", action="append", default=[], metavar="METHOD", help=help)
    for name, (dest, methods) in ALIASES.items():
        parser.add_argument(f"--{name}", action="store_true", help=f"the same as {dest} {' and '.join(methods)}")
    flags = parser.parse_args()
    for name, (dest, methods) in ALIASES.items():
        if getattr(flags, name.replace("-", "_")):
            getattr(flags, dest).extend(methods)
    if flags.once and not _is_first(flags.once):
        flags.hang_on, flags.die_on, flags.slow_new_on = [], [], None
        flags.init_error = flags.new_error = flags.load_error = flags.set_error = None
    return flags


def _is_first(file: str) -> bool:
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def capabilities(flags: argparse.Namespace) -> Json:
    """The agent's capabilities as the flags have them."""
    sessions: Json = {
        **({} if flags.no_list else {"list": {}}),
        "close": {},
        **({"resume": {}} if flags.resume_cap else {}),
    }
    return {
        "loadSession": not flags.no_load,
        "promptCapabilities": {"image": not flags.no_image, "embeddedContext": True},
        "mcpCapabilities": {"http": flags.http_mcp, "sse": flags.sse_mcp},
        "sessionCapabilities": sessions,
    }


def offers(flags: argparse.Namespace, settings: Json) -> Json:
    """Modes, models and configOptions of a session as the flags have them; with no flag, none of the three."""
    result: Json = {}
    modes = [("ask", "Ask"), ("auto", "Auto")]
    models = [("small", "Small"), ("large", "Large")]
    if flags.options or flags.modes_only:
        available = [{"id": id, "name": name} for id, name in modes]
        result["modes"] = {"currentModeId": settings["mode"], "availableModes": available}
    if flags.models:
        available = [{"modelId": id, "name": name, "description": name} for id, name in models]
        result["models"] = {"currentModelId": settings["model"], "availableModels": available}
    options: list[Json] = []
    if flags.options:
        options += [_select("mode", _flat(modes), settings), _select("model", _flat(models), settings)]
    if flags.grouped_options:
        groups: list[Json] = [{"group": name, "name": name, "options": _flat([(id, name)])} for id, name in models]
        options.append(_select("model", groups, settings))
    if flags.boolean_option:
        value = settings["auto_approve"]
        options.append({"id": "auto_approve", "name": "Auto-approve", "type": "boolean", "currentValue": value})
    if options:
        result["configOptions"] = options
    return result


def _flat(choices: list[tuple[str, str]]) -> list[Json]:
    return [{"value": id, "name": name} for id, name in choices]


def _select(id: str, options: list[Json], settings: Json) -> Json:
    head = {"id": id, "name": id.title(), "category": id, "type": "select"}
    return {**head, "currentValue": settings[id], "options": options}
