"""Turns told as text, whole and as they grow."""

from __future__ import annotations

from typing import Any

from openab_sync.cli.telling import Teller, told


def text(words: str, voice: str = "text") -> dict[str, Any]:
    return {"kind": "text", "text": words, "voice": voice}


def tool(state: str) -> dict[str, Any]:
    return {"kind": "tool", "id": "t", "label": "make", "state": state, "output": []}


def turn(*parts: dict[str, Any], number: int = 1, **more: Any) -> dict[str, Any]:
    asked = [{"id": "m", "by": "Ann", "text": "please"}]
    plain = {"questions": [], "outcome": "", "reason": "", "seconds": 3.2, "is_cut": False}
    return {"number": number, "asked": asked, "parts": list(parts), **plain, **more}


def test_only_what_is_new_is_told() -> None:
    teller = Teller()
    assert teller.tell(turn(text("Hel"))) == "» Ann: please\nHel"
    assert teller.tell(turn(text("Hello"))) == "lo"
    assert teller.tell(turn(text("Hello"))) == ""
    assert teller.tell(turn(text("Hello"), tool("running"))) == "\n[running] make\n"
    assert teller.tell(turn(text("Hello"), tool("done"), text("Bye"))) == "[done] make\nBye"
    assert teller.tell(turn(text("Hello"), tool("done"), text("Bye"), outcome="done")) == "\n— done, 3 s\n"
    assert teller.tell(turn(text("again"), number=2)) == "» Ann: please\nagain"


def test_a_text_whose_beginning_is_cut_goes_on_where_it_was() -> None:
    teller = Teller()
    teller.tell(turn(text("x" * 200 + "The end of it")))
    assert teller.tell(turn(text("x" * 100 + "The end of it, and more"), is_cut=True)) == ", and more"
    assert teller.tell(turn(text("something else entirely"))) == "something else entirely"


def test_everything_else_is_a_line() -> None:
    plan = {"kind": "plan", "steps": [{"status": "pending", "text": "Do it"}]}
    media = {"kind": "media", "name": "p.png", "mime": "image/png"}
    question = {"id": "q", "title": "rm -rf build"}
    parts = (text("hm", "thought"), text("Stopped.", "notice"), plan, media)
    whole = told(turn(*parts, questions=[question], outcome="failed", reason="It broke."))
    assert whole.splitlines() == [
        "» Ann: please",
        "(hm)",
        "(Stopped.)",
        "plan:",
        "  [pending] Do it",
        "[p.png]",
        "? rm -rf build",
        "— failed, 3 s: It broke.",
    ]
