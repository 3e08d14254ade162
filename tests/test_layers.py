"""The doors of the house: who may import whom, read from the source, lazy imports included.

openab_sync/ARCHITECTURE.rst draws what is checked here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import openab_sync

PACKAGE = Path(openab_sync.__file__).parent
TESTS = Path(__file__).parent
MODULES = sorted(str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py"))

TOOLS = {"config", "text", "media", "store", "errors", "clock", "threads", "signals", "notify", "heap", "version"}

# Room → the rooms that it may import besides itself. A room that is not here has no door yet: draw one first.
DOORS: dict[str, set[str]] = {
    **dict.fromkeys(TOOLS, TOOLS),
    "agents": set(),  # programs of their own; the presets beside them are data
    "acp": TOOLS,
    "core": TOOLS | {"acp"},
    "platforms": TOOLS | {"core"},
    "status": TOOLS | {"core"},
    "app": TOOLS | {"acp", "core", "platforms"},
    "service": TOOLS | {"acp", "app", "core", "platforms", "status"},
    "checks": TOOLS | {"acp", "app", "core", "platforms", "status"},
    "cli": TOOLS | {"app", "checks", "service"},
    "__main__": {"cli"},
    "__init__": {"version"},
}

# A library, or a part of the standard one, → the only places that may import it.
ONLY_UNDER: dict[str, tuple[str, ...]] = {
    "discord": ("platforms/discord/",),
    "asyncio": ("platforms/",),
    "prompt_toolkit": ("platforms/console/",),
    "flask": ("status/", "platforms/web/"),
    "waitress": ("status/server.py",),
    "prometheus_client": ("status/",),
    "rich": ("cli/status.py",),
    "click": ("cli/",),
    "pexpect": ("cli/login.py",),
    "sqlite3": ("store/",),
    "subprocess": ("acp/process.py", "cli/login.py"),
    "multiprocessing": (),
}

# Modules whose tests are in another file than tests/<the same path>: where, and why.
TESTED_ELSEWHERE: dict[str, tuple[str, str]] = {
    "checks/finding.py": ("checks/test_machine.py", "plain data that all checks make"),
    "cli/setup.py": ("platforms/discord/e2e/test_setup.py", "it needs a Discord to be set up with"),
    "checks/discord.py": ("platforms/discord/test_visit.py", "it needs the Discord library, and somebody to visit"),
    "__main__.py": ("test_package.py", "three lines, run as a subprocess"),
    "acp/events.py": ("acp/test_peer.py", "plain data that only the peer makes"),
    "version.py": ("test_package.py", "one line"),
    "core/events.py": ("platforms/console/test_screen.py", "names of acp/events.py, passed on"),
    "core/presence.py": ("status/test_health.py", "plain data: what a platform says of its connection"),
    "status/shapes.py": ("status/test_openapi.py", "plain data: what is said over HTTP, tried by its own description"),
    "status/sources.py": ("status/test_site.py", "plain data: what the site looks at"),
    "core/port.py": ("core/test_reply.py", "plain data and the shape of a platform: tests/fakes/platform.py fills it"),
    "agents/demo_turn.py": ("agents/test_demo_turns.py", "one turn is driven through the program, like all of it"),
    "agents/demo_words.py": ("agents/test_demo_turns.py", "each word is driven through the program"),
    "platforms/web/entries.py": ("platforms/web/test_transcript.py", "plain data that only the transcript makes"),
    "config/agents.py": ("config/test_presets.py", "named for the data that it reads"),
}

MOST_LINES = 400


@pytest.mark.parametrize("module", MODULES)
def test_a_room_uses_only_its_own_doors(module: str) -> None:
    own = room_of(module)
    assert own in DOORS, f"{own} is not in DOORS"
    wrong = [f"{module}:{line}: {name}" for line, name in house_imports(module) if not door_is_open(module, name)]
    assert wrong == []


@pytest.mark.parametrize("module", MODULES)
def test_a_library_is_imported_only_where_it_belongs(module: str) -> None:
    wrong = [
        f"{module}:{line}: {name}"
        for line, name in imports(module)
        if not module.startswith(ONLY_UNDER.get(name.partition(".")[0], ("",)))
    ]
    assert wrong == []


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_a_room_and_says_what_it_is_for(module: str) -> None:
    assert ast.get_docstring(tree_of(module)), f"{module} has no docstring"
    lines = len(source_of(module).splitlines())
    assert lines <= MOST_LINES, f"{module} has {lines} lines"


@pytest.mark.parametrize("module", MODULES)
def test_a_module_lists_its_public_names(module: str) -> None:
    tree = tree_of(module)
    listed = listed_names(tree)
    if listed is None:
        assert public_definitions(tree) == []
        return
    assert len(listed) == len(set(listed))
    assert sorted(set(listed) - bound_names(tree)) == [], "listed in __all__ and not there"


@pytest.mark.parametrize("module", [name for name in MODULES if Path(name).name != "__init__.py"])
def test_a_module_has_a_test_file_of_its_own(module: str) -> None:
    path = Path(module)
    expected, _reason = TESTED_ELSEWHERE.get(module, (str(path.parent / f"test_{path.name}"), ""))
    assert (TESTS / expected).is_file(), f"{module} has no tests/{expected}"


def test_no_exception_has_outlived_its_module() -> None:
    assert sorted(set(TESTED_ELSEWHERE) - set(MODULES)) == []


def test_nothing_in_the_core_asks_which_platform_it_serves() -> None:
    names = {"discord", "slack", "telegram", "console"}
    asked = [
        f"{module}:{node.lineno}: {node.value!r}"
        for module in MODULES
        if module.startswith("core/")
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.lower() in names
    ]
    assert asked == []


def test_the_checks_see_what_they_are_for() -> None:
    """A check that never fails proves nothing: these are the shapes in which an import may come."""
    shapes = "def f():\n    import asyncio\nfrom ..core import pool\nfrom .. import cli\nimport openab_sync.app as a\n"
    found = list(imports_in(ast.parse(shapes), "acp/peer.py"))
    assert {name for _, name in found} == {
        "asyncio", "openab_sync.core.pool", "openab_sync.cli", "openab_sync.app",
    }  # fmt: skip
    assert not door_is_open("acp/peer.py", "openab_sync.core.pool")
    assert not door_is_open("platforms/web/page.py", "openab_sync.platforms.discord.port")
    assert not door_is_open("errors.py", "openab_sync.acp")
    assert door_is_open("platforms/web/page.py", "openab_sync.platforms.loop.EventLoopThread")
    assert door_is_open("app.py", "openab_sync.platforms.web")


def room_of(module: str) -> str:
    return Path(module).parts[0].removesuffix(".py")


def door_is_open(module: str, name: str) -> bool:
    """Whether `module` (a path in the package) may import `name` (dotted, from openab_sync down)."""
    own, parts = room_of(module), name.split(".")[1:]
    if not parts or not is_room(parts[0]):  # something of openab_sync/__init__.py: its version
        return True
    if parts[0] != own:
        return parts[0] in DOORS[own]
    if own != "platforms":
        return True
    return Path(module).parts[1].removesuffix(".py") == parts[1] or parts[1] == "loop"


def is_room(name: str) -> bool:
    return name in DOORS or (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file()


def house_imports(module: str) -> Iterator[tuple[int, str]]:
    return ((line, name) for line, name in imports(module) if name.partition(".")[0] == "openab_sync")


def imports(module: str) -> Iterator[tuple[int, str]]:
    return imports_in(tree_of(module), module)


def imports_in(tree: ast.AST, module: str) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of everything that is imported, at the top or inside a function."""
    package = ("openab_sync", *Path(module).parts[:-1])
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            source = [*start, *([node.module] if node.module else [])]
            yield from ((node.lineno, ".".join([*source, alias.name])) for alias in node.names)


def public_definitions(tree: ast.Module) -> list[str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [node.name for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")]


def listed_names(tree: ast.Module) -> list[str] | None:
    """What `__all__` says; None if there is none."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]:
            return list(ast.literal_eval(node.value))
    return None


def bound_names(tree: ast.Module) -> set[str]:
    names = set(public_definitions(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    return names


def source_of(module: str) -> str:
    return (PACKAGE / module).read_text(encoding="utf-8")


def tree_of(module: str) -> ast.Module:
    return ast.parse(source_of(module), module)
