"""The documents render without a warning, and every command in them is run by somebody.

A command is what follows `$ ` in a `code-block:: console`. A new one needs a line in COVERED (who runs it, so that it
cannot rot) or in RUN (it is quick and harmless: it is run here).
"""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import docutils.core
import docutils.nodes
import pytest

from openab_sync.config import Config
from openab_sync.config.check import check
from openab_sync.config.document import parse

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    path.relative_to(ROOT)
    for folder in ("", "conf", "openab_sync", "tests")
    for path in sorted((ROOT / folder).glob("**/*.rst" if folder else "*.rst"))
]

# Command → the file that runs it. CI runs the README's first two exactly as they stand there.
COVERED = {
    "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/openab-sync demo": ".ci/run",
    "python3 -m venv .venv && .venv/bin/pip install tox && .venv/bin/tox": ".ci/run",
    ".venv/bin/python -m pytest tests/test_layers.py": "tox.ini",
    ".venv/bin/pip install '.[test,bench]' && .venv/bin/python -m tests.bench --json figures.json": (
        "tests/test_bench.py"
    ),
    ".venv/bin/python -m tests.bench --from figures.json --plot conf": "tests/test_bench.py",
    ".venv/bin/pip install '.[test,page]' && .venv/bin/python -m tests.platforms.web.browser.shot": (
        "tests/platforms/web/browser/test_shot.py"
    ),
    "python -m tests.fakes.discord": "tests/platforms/discord/test_fake_program.py",
    ".venv/bin/python -m tests.fakes.discord": "tests/platforms/discord/test_fake_program.py",
    ".venv/bin/openab-sync store backup journal-copy.db": "tests/cli/test_store.py",
    ".venv/bin/openab-sync setup": "tests/platforms/discord/e2e/test_setup.py",
    ".venv/bin/openab-sync check": "tests/cli/test_check.py",
    ".venv/bin/openab-sync run": "tests/platforms/discord/e2e/test_run.py",
    ".venv/bin/openab-sync run -c playground.toml": "tests/platforms/discord/e2e/test_run.py",
    ".venv/bin/openab-sync chat": "tests/cli/test_chat_terminal.py",
    ".venv/bin/openab-sync demo --agent gemini": "tests/cli/test_demo.py",
    ".venv/bin/openab-sync chat --agent gemini": "tests/agents_real/test_agents.py",
    'openab-sync send discord:1234 "The build is red, please look." --by CI': "tests/cli/test_send.py",
    "openab-sync tail discord:1234 --once": "tests/cli/test_tail.py",
}

# The fake Discord's, see tests/fakes/discord/__main__.py; that is not imported where the Discord library is not.
TOKEN = "fake.token.for-a-bot-on-this-machine"

# Commands that are run here, with `.venv/bin/` standing for this environment. All must exit with 0.
RUN = {
    ".venv/bin/openab-sync --help",
    ".venv/bin/openab-sync agents",
    ".venv/bin/openab-sync agents gemini",
    '.venv/bin/openab-sync chat -p "tool"',
    'echo "what is in this file?" | .venv/bin/openab-sync chat --file README.rst',
    '.venv/bin/openab-sync chat --json -p "plan"',
}


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_a_document_renders_without_a_warning(document: Path) -> None:
    complaints = [
        node.astext() for node in doctree(document).findall(docutils.nodes.system_message) if node["level"] >= 2
    ]
    assert complaints == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    targets = [node.get("refuri", "") for node in doctree(document).findall(docutils.nodes.reference)]
    files = [target.partition("#")[0] for target in targets if "://" not in target and not target.startswith("mailto:")]
    assert [name for name in files if name and not (ROOT / document.parent / name).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_command_in_a_document_is_run_by_somebody(document: Path) -> None:
    assert [command for command in commands(document) if command not in COVERED and command not in RUN] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_configuration_in_a_document_is_a_valid_one(document: Path) -> None:
    environ = {"DISCORD_BOT_TOKEN": "x"}
    for text in blocks(document, "toml"):
        config, warnings = check(parse(str(document), text.encode()), environ)
        assert (config != Config(), warnings) == (True, ())


def test_the_sentences_by_which_a_fault_is_looked_up_are_those_that_we_say() -> None:
    guide = doctree(Path("conf/OPERATING.rst"))
    [section] = [part for part in guide.findall(docutils.nodes.section) if part[0].astext() == "Troubleshooting"]
    symptoms = [term.astext() for term in section.findall(docutils.nodes.term)]
    said = [text for symptom in symptoms for text in re.findall('"([^"]+)"', symptom)]
    assert len(said) > 20
    known = "\n".join(constants())
    assert [text for text in said if text not in known] == []


def constants() -> Iterator[str]:
    """Every text in the package's code."""
    for path in (ROOT / "openab_sync").glob("**/*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_the_readme_shows_a_bot_in_six_lines_and_one_that_needs_no_token() -> None:
    texts = [text for text in blocks(Path("README.rst"), "toml") if "[discord]" in text]
    configs = [check(parse("c.toml", text.encode()), {"DISCORD_BOT_TOKEN": "x"})[0].discord for text in texts]
    assert [(config.admits_somebody, bool(config.api_url)) for config in configs if config] == [
        (True, False),
        (True, True),
    ]
    assert (len(texts[0].splitlines()), TOKEN in texts[1]) == (6, True)


@pytest.mark.parametrize("command", sorted(RUN))
def test_a_quick_command_works(command: str, tmp_path: Path) -> None:
    program = f"{shlex.quote(sys.executable)} -m openab_sync"
    home = {**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    answer = subprocess.run(
        ["bash", "-c", command.replace(".venv/bin/openab-sync", program)],
        cwd=ROOT,
        env=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert answer.stdout
    assert (answer.returncode, answer.stderr) == (0, "")


def test_the_file_that_is_said_to_run_a_command_is_there() -> None:
    assert [name for name in sorted(set(COVERED.values())) if not (ROOT / name).is_file()] == []


def test_ci_finds_the_two_commands_of_the_readme() -> None:
    """It takes the first that ends in `openab-sync demo` and the first that ends in `tox`."""
    found = commands(Path("README.rst"))
    assert sum(command.endswith("openab-sync demo") for command in found) == 1
    assert sum(command.endswith("/tox") for command in found) == 1


def commands(document: Path) -> list[str]:
    """What a reader is told to type."""
    return [line[2:] for block in blocks(document, "console") for line in block.splitlines() if line.startswith("$ ")]


def blocks(document: Path, kind: str) -> list[str]:
    """What is set as code of that kind."""
    found = doctree(document).findall(docutils.nodes.literal_block)
    return [node.astext() for node in found if kind in node.get("classes", ())]


def doctree(document: Path) -> docutils.nodes.document:
    """The parsed document; its complaints are nodes in it."""
    settings = {
        "report_level": 2,
        "halt_level": 5,
        "warning_stream": False,
        "input_encoding": "utf-8",
        "syntax_highlight": "none",
        "file_insertion_enabled": False,
        "_disable_config": True,
    }
    return docutils.core.publish_doctree(
        (ROOT / document).read_text(encoding="utf-8"), source_path=str(document), settings_overrides=settings
    )
