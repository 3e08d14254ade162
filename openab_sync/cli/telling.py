"""Turns told as text: whole, or as they grow. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["Teller", "told"]

OVERLAP = 80  # characters by which the end of what was told is found again in a text whose beginning is cut


class Teller:
    """Tells turns as they grow: each call returns what is new since the last."""

    def __init__(self) -> None:
        self._texts: dict[tuple[int, int], str] = {}  # what was told of a part, by turn and place
        self._states: dict[tuple[int, str], str] = {}  # of tools
        self._begun: set[int] = set()
        self._ended: set[int] = set()
        self._is_fresh = True  # at the beginning of a line

    def tell(self, turn: dict[str, Any]) -> str:
        """Return what is new in a turn, "" if nothing is."""
        return "".join(self._news(turn))

    def _news(self, turn: dict[str, Any]) -> Iterator[str]:
        number = turn["number"]
        if number not in self._begun:
            self._begun.add(number)
            for asked in turn["asked"]:
                yield self._line(f"» {asked['by']}: {asked['text']}")
        for place, part in enumerate(turn["parts"]):
            yield self._part(number, place, part)
        for question in turn["questions"]:
            if (number, question["id"]) not in self._states:
                self._states[number, question["id"]] = "asked"
                yield self._line(f"? {question['title']}")
        if turn["outcome"] and number not in self._ended:
            self._ended.add(number)
            why = f": {turn['reason']}" if turn["reason"] else ""
            yield self._line(f"— {turn['outcome']}, {turn['seconds']:.0f} s{why}")

    def _part(self, number: int, place: int, part: dict[str, Any]) -> str:
        match part["kind"]:
            case "tool":
                return self._tool(number, part)
            case "text":
                return self._text(number, place, part)
            case "plan":
                steps = "\n".join(f"  [{step['status']}] {step['text']}" for step in part["steps"])
                return self._once(number, place, f"plan:\n{steps}")
            case _:
                return self._once(number, place, f"[{part['name']}]")

    def _text(self, number: int, place: int, part: dict[str, Any]) -> str:
        if part["voice"] != "text":
            return self._once(number, place, f"({part['text']})")
        before, text = self._texts.get((number, place), ""), str(part["text"])
        self._texts[number, place] = text
        if not text.startswith(before):  # its beginning is cut: the end of what was told is somewhere in it
            _, _, new = text.rpartition(before[-OVERLAP:])
        else:
            new = text[len(before) :]
        if new and not before and not self._is_fresh:
            new = "\n" + new
        self._is_fresh = new.endswith("\n") if new else self._is_fresh
        return new

    def _tool(self, number: int, part: dict[str, Any]) -> str:
        if self._states.get((number, part["id"])) == part["state"]:
            return ""
        self._states[number, part["id"]] = part["state"]
        return self._line(f"[{part['state']}] {part['label']}")

    def _once(self, number: int, place: int, line: str) -> str:
        if self._texts.get((number, place)) == line:
            return ""
        self._texts[number, place] = line
        return self._line(line)

    def _line(self, text: str) -> str:
        start, self._is_fresh = "" if self._is_fresh else "\n", True
        return f"{start}{text}\n"


def told(turn: dict[str, Any]) -> str:
    """Return a whole turn as text, without a newline at its end."""
    return Teller().tell(turn).rstrip("\n")
