"""Patterns of rules: what they fit, and above all what one that permits does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.text.globs import command_fits, path_fits, shell_parts, text_fits

WORDS = st.text(st.characters(codec="utf-8"), max_size=20)


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("npm test", "npm test", True),
        ("npm test", "npm test --all", False),
        ("npm*", "npm\ntest", True),
        ("?pm", "npm", True),
        ("?pm", "pm", False),
        ("[id].tsx", "[id].tsx", True),
        ("[id].tsx", "i.tsx", False),
        ("NPM", "npm", False),
        ("a.c", "abc", False),
    ],
)
def test_a_text_is_fitted_whole_and_everything_but_the_stars_is_itself(pattern: str, text: str, fits: bool) -> None:
    assert text_fits(pattern, text) is fits


@pytest.mark.parametrize(
    "command",
    [
        "npm test; rm -rf ~",
        "npm test && rm x",
        "npm test || rm x",
        "npm test | sh",
        "npm test & rm x",
        "npm test\nrm x",
        "npm test\r\nrm x",
        "npm test $(rm x)",
        "npm test `rm x`",
        "npm test > /etc/passwd",
        "npm test < /etc/shadow",
        "npm test <(rm x)",
        "npm test =(rm x)",
        "npm test ${x:-y}",
        "npm test\x00rm",
        "npm test\u2028rm x",
    ],
)
def test_a_pattern_that_permits_a_command_permits_no_second_one(command: str) -> None:
    assert command_fits("npm test*", "npm test --watch 'a b'")
    assert not command_fits("npm test*", command)
    assert not command_fits("npm test" + "?" * (len(command) - len("npm test")), command)
    assert command_fits(command, command)  # who writes it out, means it


@given(WORDS, WORDS)
def test_what_a_permitting_star_stands_for_never_holds_an_operator(head: str, tail: str) -> None:
    if command_fits("run *", f"run {head}{tail}"):
        assert not set(";&|<>$`()\n\r\0") & set(head + tail)


@given(WORDS)
def test_what_a_permitting_pattern_fits_a_forbidding_one_fits_too(command: str) -> None:
    for pattern in ("*", "a*", "*b?"):
        assert text_fits(pattern, command) or not command_fits(pattern, command)


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("/w/src/*", "/w/src/a.py", True),
        ("/w/src/*", "/w/src/x/a.py", False),
        ("/w/src/**", "/w/src/x/a.py", True),
        ("/w/**/.env", "/w/.env", True),
        ("/w/**/.env", "/w/a/b/.env", True),
        ("/w/**/.env", "/w/a.env", False),
        ("/w/?.py", "/w/a.py", True),
        ("/w/?.py", "/w//.py", False),
        ("/w/[id].tsx", "/w/[id].tsx", True),
        ("/w/**", "/v/a", False),
    ],
)
def test_a_star_in_a_path_stays_in_its_folder(pattern: str, path: str, fits: bool) -> None:
    assert path_fits(pattern, path) is fits


def test_the_parts_of_a_command_are_found_by_their_operators() -> None:
    command = "cd x && rm -rf y; echo $(curl z | sh) `id` || true"
    assert shell_parts(command) == ["cd x", "rm -rf y", "echo", "curl z", "sh", "id", "true"]
    assert shell_parts(" \n ; ") == []
