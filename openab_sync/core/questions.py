"""Questions: permissions the agent asks for, on their way to people and back.

Several may be open at once. What people decide is collected here and handed to the session, which alone answers the
agent; this room grants and refuses nothing. A question shows the whole of what would happen: nothing is cut from a
command, a path or a change.

Threads: one, the session's; the platform's callbacks ring the bell and touch nothing else. Never blocks.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass

from ..acp import events as acp
from ..acp.questions import key_of
from ..errors import ChatError
from ..text.clean import one_line, plain
from ..text.tools import diff_text, fence
from .delivery import outcome_of
from .forms import asked_as, is_told
from .message import Conversation, Person
from .port import ChatPort, Decision, Question
from .tool import Tool

__all__ = ["Questions", "detail_of"]

_TITLE = 200  # characters


@dataclass(frozen=True, slots=True)
class _Open:
    """A question that people have before them, or have just answered."""

    request_id: acp.RequestId
    question: Question
    future: Future[Decision]


class Questions:
    """The open questions of one reply."""

    __slots__ = ("_asked_of", "_conversation", "_on_news", "_open", "_port", "_undecided")

    def __init__(
        self,
        conversation: Conversation,
        port: ChatPort,
        asked_of: tuple[Person, ...],
        on_news: Callable[[], None],
    ) -> None:
        self._conversation = conversation
        self._port = port
        self._asked_of = asked_of
        self._on_news = on_news
        self._open: list[_Open] = []  # not settled
        self._undecided: list[_Open] = []  # not handed out by `decisions`

    @property
    def is_open(self) -> bool:
        """People are being waited for."""
        return bool(self._open)

    def ask(self, asked: acp.Asked, tool: Tool | None, timeout: float) -> Question:
        """Put a question to people; `tool` is what is known of the call, `timeout` in seconds."""
        if tool is None:
            tool = Tool(asked.tool.call_id)
            tool.take(asked.tool)
        question = Question(
            # Never used again, in no other process either: a button pressed late must not answer another question.
            id=uuid.uuid4().hex,
            conversation=self._conversation,
            title=one_line(tool.label, _TITLE),
            detail=detail_of(tool),
            options=asked.options,
            asked_of=self._asked_of,
            timeout=timeout,
        )
        return self._put(asked.request_id, question)

    def elicit(self, asked: acp.Elicited, agent: str, timeout: float) -> Question:
        """Put a form or an address to people."""
        title, detail, options, form = asked_as(asked, agent)
        where, people = self._conversation, self._asked_of
        question = Question(uuid.uuid4().hex, where, title, detail, options, people, timeout, form)
        return self._put(asked.request_id, question)

    def _put(self, request_id: acp.RequestId, question: Question) -> Question:
        item = _Open(request_id, question, self._port.ask(question))
        self._open.append(item)
        self._undecided.append(item)
        item.future.add_done_callback(lambda _: self._on_news())
        return question

    @property
    def asked(self) -> tuple[Question, ...]:
        """What people have before them, oldest first."""
        return tuple(item.question for item in self._open)

    def decide(self, question_id: str, decision: Decision) -> bool:
        """Take a decision that was made elsewhere than where the question was put; False if it is decided already.

        A form is filled in, and an address opened, only where it is shown.
        """
        if any(item.question.id == question_id and is_told(item.question, decision.option_id) for item in self._open):
            return False
        for index, item in enumerate(self._undecided):
            if item.question.id == question_id and not item.future.done():
                decided: Future[Decision] = Future()
                decided.set_result(decision)
                self._undecided[index] = _Open(item.request_id, item.question, decided)
                return True
        return False

    def decisions(self) -> list[tuple[acp.RequestId, Decision | ChatError]]:
        """Return what has been decided since the last call, or why it could not be asked."""
        done = [item for item in self._undecided if item.future.done()]
        self._undecided = [item for item in self._undecided if item not in done]
        return [(item.request_id, self._decision(item)) for item in done]

    def settle(self, request_id: acp.RequestId, text: str) -> Question | None:
        """Close the oldest question of that id; `text` says who or what decided. None if none is open."""
        item = next((item for item in self._open if key_of(item.request_id) == key_of(request_id)), None)
        if item is None:
            return None
        self._open.remove(item)
        self._undecided = [other for other in self._undecided if other.question is not item.question]
        self._port.settle(item.question, text)
        return item.question

    def _decision(self, item: _Open) -> Decision | ChatError:
        decision, error = outcome_of(item.future)
        return decision or error or ChatError("the chat gave no answer")


def detail_of(tool: Tool) -> str:
    """Return all that a call would do, as markdown: command or path, changes, the rest of its input; nothing is cut."""
    return "\n\n".join(part for part in _detail(tool) if part)


def _detail(tool: Tool) -> Iterator[str]:
    target, title = plain(tool.target), plain(tool.title).strip()
    if title not in (one_line(tool.title, _TITLE), target.strip()):  # the head of the question shows a part of it
        yield fence(title)
    if target:
        yield fence(target)
    for place in tool.locations:
        if plain(place) != target:
            yield fence(plain(place))
    changes = [part for part in tool.content if isinstance(part, acp.Diff)]
    for change in changes:
        yield fence(plain(diff_text(change.path, change.old, change.new) or change.path), "diff")
    for part in tool.content:
        if isinstance(part, acp.Output):
            yield plain(part.text)
    if not changes and not _says_no_more(tool.raw_input, tool.target):
        yield fence(json.dumps(tool.raw_input, ensure_ascii=False, indent=2, default=str), "json")


def _says_no_more(raw_input: object, target: str) -> bool:
    """Say whether a raw input holds nothing but what is shown already."""
    values = list(raw_input.values()) if isinstance(raw_input, dict) else [raw_input]
    return all(value in (None, "", target, [], {}) for value in values)
