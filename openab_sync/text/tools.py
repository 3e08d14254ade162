"""Tools: how an agent's tool calls look in a reply.

Titles and details come from the agent as they are: they are cleaned here, and put where they cannot break the
markdown around them. Neighbours that look the same become one line; others keep their order, so that the lines tell
what happened.

This room does not know the protocol: the caller says what state a call is in.
"""

from __future__ import annotations

import difflib
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from wcwidth import iter_graphemes, wcswidth

from .clean import one_line, plain
from .fences import fence

__all__ = ["ToolLine", "diff_head", "diff_text", "fence", "tool_lines"]

_FULL_TITLE = 500  # characters
_SHORT_TITLE = 80  # columns
# Groups of finished calls that `compact` shows one by one; more become a count, or they would hide the answer.
_SHOWN_GROUPS = 3
# A detail is quoted up to this many characters: the cause of an error is at its head or at its tail.
_DETAIL_HEAD, _DETAIL_TAIL = 1000, 500
# A diff is shown up to so many lines and characters: its head.
_DIFF_SHOWN_LINES, _DIFF_SHOWN = 25, 1500
# difflib's time grows with the square of the lines, and worse: what is larger is counted.
_DIFF_CHARS = 200_000
_DIFF_LINES = 2_000

_ICONS = {"pending": "🔧", "running": "🔧", "done": "✅", "failed": "❌"}


@dataclass(frozen=True, slots=True)
class ToolLine:
    """One tool call: what the agent calls it, what kind it is, how far it is, what it says about it.

    `note` is a line of ours below the detail.
    """

    title: str
    kind: str = "other"
    state: Literal["pending", "running", "done", "failed"] = "running"
    detail: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Group:
    """Neighbouring calls that look the same."""

    icon: str
    title: str
    tools: Sequence[ToolLine]

    def __str__(self) -> str:
        times = f" ×{len(self.tools)}" if len(self.tools) > 1 else ""
        return f"{self.icon} `{self.title}`{times}"


def tool_lines(tools: Sequence[ToolLine], mode: Literal["full", "compact", "none"]) -> str:
    """Return `tools` as lines of markdown, without a newline at the end; "" if there is nothing to show.

    `full`: a line for each group of equal neighbours, below it the details of failures and diffs. `compact`: short
    titles, no details, and more than three finished groups as a count; what is running is always shown. `none`: "".
    """
    match mode:
        case "full":
            return "\n".join(line for group in _groups(tools, short=False) for line in (str(group), *_details(group)))
        case "compact":
            return "\n".join(_compact(list(_groups(tools, short=True))))
        case "none":
            return ""


def diff_text(path: str, old: str | None, new: str) -> str:
    """Return a unified diff of a file, without a newline at the end; `old` is None for a new file.

    "" if nothing changed. Large files (200,000 characters, 2,000 changed lines) are counted instead of compared.
    """
    if old == new:
        return ""
    name = one_line(path, _FULL_TITLE).lstrip("/")
    before, after = (old or "").split("\n"), new.split("\n")
    source, target = "/dev/null" if old is None else f"a/{name}", f"b/{name}"
    if len(old or "") + len(new) > _DIFF_CHARS or _changed_lines(before, after) > _DIFF_LINES:
        return f"--- {source}\n+++ {target}\n@@ {_count(old or '')} lines → {_count(new)} lines, too many to show @@"
    lines, changed = _lines(old or ""), _lines(new)
    if old and new and old.endswith("\n") != new.endswith("\n"):
        without = lines if new.endswith("\n") else changed
        without[-1] += "\n\\ No newline at end of file"
    return "\n".join(difflib.unified_diff(lines, changed, source, target, lineterm=""))


def diff_head(diff: str) -> str:
    """Return the head of a diff that is too long to be shown (25 lines, 1,500 characters), else all of it."""
    if len(diff) <= _DIFF_SHOWN and diff.count("\n") < _DIFF_SHOWN_LINES:
        return diff
    head = "\n".join(diff[:_DIFF_SHOWN].split("\n")[:_DIFF_SHOWN_LINES])
    # A line that was cut is left out, unless it is all there is.
    return head if diff[len(head)] == "\n" else head.rpartition("\n")[0] or head


# ---- groups ----


def _groups(tools: Sequence[ToolLine], *, short: bool) -> Iterator[_Group]:
    looks = ((_ICONS[tool.state], _title(tool, short=short), tool) for tool in tools)
    for (icon, title), same in itertools.groupby(looks, key=lambda look: look[:2]):
        yield _Group(icon, title, [tool for _, _, tool in same])


def _title(tool: ToolLine, *, short: bool) -> str:
    """Return a title that fits into inline code: one line, no backtick, not empty."""
    line = one_line(tool.title, _FULL_TITLE) or one_line(tool.kind, _FULL_TITLE) or "tool"
    line = line.replace("`", "ˋ")
    return _cut_columns(line, _SHORT_TITLE) if short else line


def _cut_columns(line: str, columns: int) -> str:
    if wcswidth(line) <= columns:
        return line
    kept = width = 0
    for cluster in iter_graphemes(line):
        width += max(0, wcswidth(cluster))
        if width >= columns:
            break
        kept += len(cluster)
    return line[:kept].rstrip() + "…"


def _compact(groups: Sequence[_Group]) -> Iterator[str]:
    finished = [group for group in groups if group.icon != _ICONS["running"]]
    if len(finished) <= _SHOWN_GROUPS:
        yield from map(str, groups)
        return
    counts = Counter[str]()
    for group in finished:
        counts[group.icon] += len(group.tools)
    done, failed = counts[_ICONS["done"]], counts[_ICONS["failed"]]
    parts = [f"✅ {done} {'tool' if done == 1 else 'tools'}" if done else "", f"❌ {failed} failed" if failed else ""]
    yield " · ".join(part for part in parts if part)
    yield from (str(group) for group in groups if group.icon == _ICONS["running"])


# ---- details ----


def _details(group: _Group) -> Iterator[str]:
    """Yield the different details of a group worth showing, each as a block of code and its note."""
    for text, note in dict.fromkeys((plain(tool.detail).strip("\n"), tool.note) for tool in group.tools):
        is_diff = text.startswith("--- ")
        if text.strip() and (is_diff or group.icon == _ICONS["failed"]):
            yield fence(_shortened(text), "diff" if is_diff else "")
            if note:
                yield note


def _shortened(text: str) -> str:
    if len(text) <= _DETAIL_HEAD + _DETAIL_TAIL:
        return text
    return f"{text[:_DETAIL_HEAD]}\n…\n{text[-_DETAIL_TAIL:]}"


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def _count(text: str) -> int:
    return len(_lines(text))


def _changed_lines(before: Sequence[str], after: Sequence[str]) -> int:
    """Return how many lines lie between the common head and the common tail of two texts."""
    least = min(len(before), len(after))
    head = next((at for at in range(least) if before[at] != after[at]), least)
    tail = next((at for at in range(least - head) if before[-1 - at] != after[-1 - at]), least - head)
    return len(before) + len(after) - 2 * (head + tail)
