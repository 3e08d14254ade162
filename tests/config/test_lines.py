"""Lines of keys: every way TOML has to write one, and nothing raised for anything."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.config.lines import Path, find_lines

DOCUMENT = '''\
# a comment with = and [brackets]
top = 1
"quoted key".'single' = "]"

[agent] # trailing
command = "x # no comment"
args = [
  "a", # = [
  ["b", "]"],
]
env = { A = "1", "B C" = { d = 2 } }

[[agent.mcp_servers]]
name = "first"
env.TOKEN = "t"

[[ agent . mcp_servers ]]
name = """
[not.a.table]
key = 1"""
text = \'\'\'
name = 2
\'\'\'
[agent.mcp_servers.headers]
Accept = "*/*"

[a.b]
when = 1979-05-27 07:32:00
neg = -1.5e3
last = """ends with two quotes"""""
after = true
'''


def test_each_key_is_found_on_its_line() -> None:
    tomllib.loads(DOCUMENT)
    lines = find_lines(DOCUMENT)
    expected: dict[Path, int] = {
        ("top",): 2,
        ("quoted key",): 3,
        ("quoted key", "single"): 3,
        ("agent",): 5,
        ("agent", "command"): 6,
        ("agent", "args"): 7,
        ("agent", "args", 0): 8,
        ("agent", "args", 1, 1): 9,
        ("agent", "env", "A"): 11,
        ("agent", "env", "B C", "d"): 11,
        ("agent", "mcp_servers"): 13,
        ("agent", "mcp_servers", 0): 13,
        ("agent", "mcp_servers", 0, "name"): 14,
        ("agent", "mcp_servers", 0, "env", "TOKEN"): 15,
        ("agent", "mcp_servers", 1): 17,
        ("agent", "mcp_servers", 1, "name"): 18,
        ("agent", "mcp_servers", 1, "text"): 21,
        ("agent", "mcp_servers", 1, "headers"): 24,
        ("agent", "mcp_servers", 1, "headers", "Accept"): 25,
        ("a", "b", "when"): 28,
        ("a", "b", "neg"): 29,
        ("a", "b", "last"): 30,
        ("a", "b", "after"): 31,
    }
    assert {path: lines.get(path) for path in expected} == expected


def test_windows_line_ends_count_once() -> None:
    assert find_lines("a = 1\r\n\r\n[b]\r\nc = 2\r\n")[("b", "c")] == 4


def test_deep_nesting_is_stepped_over_and_what_follows_is_found() -> None:
    deep = "[" * 60 + '"]", {x = "}"}, # ]\n' + "]" * 60
    assert find_lines(f"deep = {deep}\nnext = 1\n")[("next",)] == 3


def test_endless_nesting_loses_the_place_but_does_not_raise() -> None:
    assert find_lines("deep = " + "[" * 50_000)[("deep",)] == 1


def test_a_line_that_makes_no_sense_is_skipped() -> None:
    lines = find_lines('!!\nb = 2\nc\n"\\q" = 1\nd = \n=\n[x\ne = 3')
    assert (lines[("b",)], lines[("e",)]) == (2, 8)


@pytest.mark.fuzz
@given(st.text())
def test_nothing_raises_on_any_text(text: str) -> None:
    find_lines(text)


@pytest.mark.fuzz
@given(st.text(alphabet="ab.=[]{},\"'#\n 1"))
def test_every_key_that_tomllib_finds_has_a_line(text: str) -> None:
    try:
        data = tomllib.loads(text)
    except ValueError:
        return
    lines = find_lines(text)
    assert [path for path in _paths(data, ()) if path not in lines] == []


def _paths(value: object, path: Path) -> Iterator[Path]:
    if path:
        yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _paths(item, (*path, key))
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _paths(item, (*path, index))
