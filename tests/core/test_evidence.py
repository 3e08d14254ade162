"""What a tool call names, wherever it says so, and where paths really lead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.acp.events import Diff, Output
from openab_sync.core.evidence import Places, evidence_of
from openab_sync.core.tool import Tool


def call(raw_input: Any = None, **more: Any) -> Tool:
    return Tool("t", "A title", raw_input=raw_input, **more)


def test_a_call_that_says_nothing_names_nothing() -> None:
    found = evidence_of(call())
    assert (found.kind, found.title, found.locations, found.paths, found.commands) == ("other", "A title", (), (), ())
    assert found.is_clear


def test_files_are_collected_from_everywhere() -> None:
    raw = {"file_path": "src/a.py", "edits": [{"target_dir": "x"}], "note": "/etc/shadow", "text": "two\n/lines"}
    tool = call(raw, kind="Edit", locations=("/w/b",), content=(Diff("/w/c", None, "x"), Output("/not/a/path")))
    found = evidence_of(tool)
    assert found.paths == ("/w/b", "/w/c", "src/a.py", "x", "/etc/shadow")
    assert (found.kind, found.is_clear) == ("edit", False)


@pytest.mark.parametrize("text", ["../x", "a/../../b", "~/x", "/abs", "file:///x"])
def test_whatever_looks_like_a_path_is_one(text: str) -> None:
    assert evidence_of(call({"pattern": text})).paths == (text,)


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("npm test", "npm test"),
        (["npm", "test", "a b"], "npm test 'a b'"),
        (["bash", "-lc", "npm test"], "npm test"),
        (["/bin/sh", "-c", "npm test"], "npm test"),
        (["bash", "-c", "npm test", "x"], "bash -c 'npm test' x"),
        ([1, "x"], "[1, 'x']"),
        ({"run": "x"}, "{'run': 'x'}"),
    ],
)
def test_a_command_is_what_people_would_type(command: Any, found: str) -> None:
    evidence = evidence_of(call({"cmd": command}, kind="read", locations=("/w",)))
    assert (evidence.commands, evidence.is_clear) == ((found,), False)


def test_an_address_and_an_input_without_a_floor_are_not_clear() -> None:
    assert not evidence_of(call({"url": "https://example.org"})).is_clear
    deep: object = "bottom"
    for _ in range(20):
        deep = {"in": deep}
    assert not evidence_of(call(deep)).is_clear
    assert evidence_of(call({"in": "bottom", "number": 3, "none": None})).is_clear


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
        max_leaves=12,
    )
)
def test_no_input_breaks_the_collecting(raw: Any) -> None:
    found = evidence_of(call(raw))
    assert all(isinstance(item, str) for item in (*found.paths, *found.commands))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    work = tmp_path.resolve() / "work"
    (work / "src").mkdir(parents=True)
    (work / "src" / "a.py").write_text("x")
    (tmp_path / "secret").write_text("x")
    (work / "out").symlink_to(tmp_path / "secret")
    (work / "in").symlink_to(work / "src")
    (tmp_path / "workshop").mkdir()
    return work


def test_what_is_inside_is_there_absolute_and_written_as_it_is(folder: Path) -> None:
    places = Places(str(folder))
    assert all(places.holds(f"{folder}{rest}") for rest in ("", "/", "/src", "/src/", "/src/a.py"))
    wrong = ("/src/../src/a.py", "/./src", "//src", "/out", "/in", "/in/a.py", "/gone", "/../secret", "shop", "/src/\0")
    assert [rest for rest in wrong if places.holds(f"{folder}{rest}")] == []
    assert not places.holds("src/a.py") and not places.holds("") and not places.holds("/")


def test_a_working_folder_that_is_a_symlink_holds_what_is_named_by_either_name(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    places = Places(str(tmp_path / "link"))
    assert places.holds(str(tmp_path / "link" / "src" / "a.py")) and places.holds(str(folder / "src" / "a.py"))
    assert not places.holds(str(tmp_path / "link" / "out"))


def test_the_root_is_no_working_folder_and_neither_is_none() -> None:
    assert not Places("/").holds("/etc/passwd") and not Places("").holds("/etc/passwd")


def test_paths_are_worked_out_by_words_or_followed(folder: Path) -> None:
    places = Places(str(folder))
    assert places.named("src/../x") == str(folder / "x") and places.named("file:///a/b") == "/a/b"
    assert places.real("out") == str(folder.parent / "secret") and places.real("new/file") == str(folder / "new/file")
