"""questions.py: permissions on their way to people and back."""

from __future__ import annotations

import pytest

from openab_sync.acp import events as acp
from openab_sync.core.port import Decision
from openab_sync.core.questions import Questions, detail_of
from openab_sync.core.tool import Tool
from openab_sync.errors import ChatError, ChatRefused
from tests.core.scene import ANN, CONVERSATION
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FakePlatform

OPTIONS = (acp.PermissionOption("o1", "Allow", "allow_once"), acp.PermissionOption("o2", "No", "reject_once"))


class Desk:
    """Questions at a fake platform."""

    def __init__(self) -> None:
        self.platform = FakePlatform(FakeClock())
        self.bells = 0
        self.questions = Questions(CONVERSATION, self.platform, (ANN,), self._ring)

    def _ring(self) -> None:
        self.bells += 1


@pytest.fixture
def desk() -> Desk:
    return Desk()


def asked(request_id: acp.RequestId, call_id: str = "a") -> acp.Asked:
    return acp.Asked(request_id, acp.ToolChanged(call_id, title="rm -rf build"), OPTIONS)


def test_a_question_shows_what_would_happen_and_the_agents_own_options(desk: Desk) -> None:
    known = Tool("a", "Clean\nup", "execute", raw_input={"command": "rm -rf build"})
    question = desk.questions.ask(asked(0), known, 60.0)
    assert (question.title, question.options, question.asked_of) == ("Clean up", OPTIONS, (ANN,))
    assert (question.conversation, question.timeout) == (CONVERSATION, 60.0)
    assert question.detail == "```\nClean\nup\n```\n\n```\nrm -rf build\n```"
    assert desk.questions.is_open


@pytest.mark.parametrize("title", ["x" * 5000, "rm a\nrm b"])
def test_what_the_head_cannot_show_of_a_title_is_in_the_detail(title: str) -> None:
    """Some agents name a command in the title alone."""
    assert detail_of(Tool("a", title)) == f"```\n{title}\n```"
    assert detail_of(Tool("a", title, raw_input={"command": title})) == f"```\n{title}\n```"
    assert detail_of(Tool("a", "rm a")) == ""


def test_a_call_never_heard_of_is_what_the_question_says(desk: Desk) -> None:
    """gemini's first word about a call is its question."""
    assert desk.questions.ask(asked(0), None, 60.0).title == "rm -rf build"


def test_several_are_open_at_once_and_each_gets_its_own_answer(desk: Desk) -> None:
    first, second = desk.questions.ask(asked(1), None, 9), desk.questions.ask(asked("1"), None, 9)
    assert first.id != second.id
    assert desk.questions.decisions() == []
    desk.platform.answer(second, "o2", ANN)
    assert desk.bells == 1
    assert desk.questions.decisions() == [("1", Decision("o2", ANN))]
    assert desk.questions.decisions() == []
    assert desk.questions.settle("1", "No — Ann") == second
    desk.platform.answer(first, "o1", ANN)
    assert desk.questions.decisions() == [(1, Decision("o1", ANN))]
    assert desk.questions.settle(1, "Allow — Ann") == first
    assert desk.platform.settled == [(second, "No — Ann"), (first, "Allow — Ann")]
    assert not desk.questions.is_open


def test_a_question_that_cannot_be_asked_says_why(desk: Desk) -> None:
    desk.platform.fail_next(ChatRefused("no permission"), what="ask")
    desk.questions.ask(asked(None), None, 9)
    ((request_id, why),) = desk.questions.decisions()
    assert request_id is None
    assert isinstance(why, ChatRefused)


def test_a_question_dropped_by_the_platform_says_so(desk: Desk) -> None:
    question = desk.questions.ask(asked(1), None, 9)
    desk.platform.questions[question.id][1].cancel()
    ((_, why),) = desk.questions.decisions()
    assert isinstance(why, ChatError)


def test_an_answer_that_comes_after_the_decision_is_no_decision(desk: Desk) -> None:
    question = desk.questions.ask(asked(1), None, 9)
    desk.questions.settle(1, "Nobody answered.")
    desk.platform.answer(question, "o1", ANN)
    assert desk.questions.decisions() == []
    assert desk.questions.settle(1, "again") is None


def test_nothing_of_a_command_a_path_or_a_change_is_cut() -> None:
    command = "echo " + "x" * 5000 + " ``` ; rm -rf /"
    assert command in detail_of(Tool("a", raw_input={"command": command}))
    tool = Tool(
        "a",
        "Edit",
        "edit",
        content=(acp.Diff("src/a.py", "old\n", "new\n"), acp.Diff("empty", "x", "x"), acp.Output("because")),
        locations=("src/a.py", "src/b.py"),
        raw_input={"path": "src/a.py", "content": "new"},
    )
    detail = detail_of(tool)
    for part in ("src/a.py", "src/b.py", "-old\n+new", "because", "empty"):
        assert part in detail
    assert "json" not in detail


def test_input_that_nothing_else_shows_is_shown_as_it_is() -> None:
    detail = detail_of(Tool("a", raw_input={"command": "ls", "timeout": 5, "env": {}}))
    assert '"timeout": 5' in detail
    assert detail_of(Tool("a", raw_input={"command": ["ls", "-l"]})).startswith("```\nls -l\n```")
    assert detail_of(Tool("a")) == ""


def test_a_decision_made_elsewhere_counts_as_one_made_here(desk: Desk) -> None:
    question = desk.questions.ask(asked(1), None, 9)
    assert desk.questions.asked[0] is question
    assert not desk.questions.decide("another", Decision("o1", ANN))
    assert desk.questions.decide(question.id, Decision("o2", ANN))
    assert not desk.questions.decide(question.id, Decision("o1", ANN))
    assert desk.questions.decisions() == [(1, Decision("o2", ANN))]
    desk.platform.answer(question, "o1", ANN)  # a press that comes later
    assert desk.questions.decisions() == []
    desk.questions.settle(1, "No")
    assert not desk.questions.asked
    assert desk.platform.settled == [(question, "No")]


def test_a_question_that_was_answered_where_it_was_put_is_decided(desk: Desk) -> None:
    question = desk.questions.ask(asked(1), None, 9)
    desk.platform.answer(question, "o1", ANN)
    assert not desk.questions.decide(question.id, Decision("o2", ANN))
    assert desk.questions.decisions() == [(1, Decision("o1", ANN))]
