"""The chat on the test's own thread: everything is put into the queue, then `run` works it off."""

from __future__ import annotations

import logging
import re
from concurrent.futures import Future
from dataclasses import replace

import pytest

from openab_sync.acp.events import Command, Said, ToolChanged
from openab_sync.core.broker import HouseSnapshot, Receipt
from openab_sync.core.commands import CommandAnswer
from openab_sync.core.message import Attachment, Conversation
from openab_sync.core.port import Decision, Notice, Settled, TurnEvent, TurnStarted
from openab_sync.core.state import State
from openab_sync.platforms.console.chat import Chat, Setting
from openab_sync.platforms.console.completion import propose
from openab_sync.platforms.console.port import ConsolePort
from openab_sync.platforms.console.screen import Shown
from openab_sync.platforms.console.style import Style

from .stub import ME, ONE, TWO, StubDesk, StubFront, question, session

FILE = Attachment("file", "a", path="/a")


class Table:
    """A chat with a person who types and agents who talk."""

    def __init__(self, attachments: tuple[Attachment, ...] = ()) -> None:
        self.desk, self.front, self.port = StubDesk(), StubFront(), ConsolePort(can_ask=True)
        setting = Setting(ME, Style(coloured=False), Shown(), attachments)
        self.chat = Chat(self.desk, self.port.arrivals, self.front, setting)

    def type(self, *lines: str) -> str:
        """Enter lines; return what was shown for them in the current conversation."""
        for line in lines:
            self.chat.enter(line)
        return self.show()

    def say(self, conversation: Conversation, *events: TurnEvent) -> str:
        for event in events:
            self.port.event(conversation, event)
        return self.show()

    def ask(self, conversation: Conversation = ONE, id: str = "q1") -> Future[Decision]:
        answer = self.port.ask(question(conversation, id))
        self.show()
        return answer

    def show(self) -> str:
        """Work off what has arrived, also what that brings about; return what the current conversation got."""
        before = len(self.front.text)
        while not self.port.arrivals.empty():
            self.port.arrivals.put(None)
            self.chat.run()
        return self.front.text[before:]


@pytest.fixture
def table() -> Table:
    return Table()


# What is typed.


def test_text_goes_to_the_current_conversation(table: Table) -> None:
    table.type("hello", "/modelsfoo", "  ")
    assert [(note.conversation, note.text, note.sender) for note in table.desk.received] == [
        (ONE, "hello", ME),
        (ONE, "/modelsfoo", ME),
    ]
    assert table.front.echoed == ["hello", "/modelsfoo"]
    assert len({note.ref for note in table.desk.received}) == 2


def test_files_go_with_the_first_message_only() -> None:
    table = Table((FILE,))
    table.type("/status", "look", "again")
    assert [note.attachments for note in table.desk.received] == [(FILE,), ()]


def test_a_message_beyond_a_limit_is_not_sent_and_its_file_stays() -> None:
    table = Table((FILE,))
    table.desk.refused = "You have sent 30 messages within a minute."
    assert "30 messages" in table.type("look")
    assert table.desk.received == []
    table.desk.refused = ""
    table.type("look")
    assert [note.attachments for note in table.desk.received] == [(FILE,)]


def test_a_queued_message_is_said_to_be_queued(table: Table) -> None:
    table.desk.receipt = Receipt("queued", 2, "Queued: 1 message before it.")
    assert table.type("more") == "Queued: 1 message before it.\n"


def test_a_queued_message_is_named_again_when_its_turn_begins(table: Table) -> None:
    table.type("first")
    table.desk.receipt = Receipt("queued", 2, "Queued.")
    table.type("dropped", "more\nof it", "last")
    first, _, more, last = (note.ref for note in table.desk.received)
    assert table.say(ONE, TurnStarted((first,))) == ""
    assert table.say(ONE, Said("half"), TurnStarted((more,)), Said("an answer")) == "half\n> more\nan answer"
    table.type("/new")
    table.say(ONE, TurnStarted((last,)), TurnStarted((last,)))
    assert table.front.between == "[1] > last\n"


def test_status_calls_conversations_by_their_short_names(table: Table) -> None:
    table.desk.house = HouseSnapshot((session(state=State.BUSY),), ())
    assert table.type("/new", "/status") == "— [2] is the current conversation —\n  [1] busy\n→ [2] ready\n"
    assert table.desk.commands == []


def test_orders_of_the_core_are_passed_on_and_answered(table: Table) -> None:
    assert table.type("/models large") == "as you wish\n"
    assert table.desk.commands == [("1", "models", "large")]
    assert table.desk.received == []


def test_what_an_agent_calls_its_options_cannot_command_the_terminal(table: Table) -> None:
    table.desk.answer = CommandAnswer("● large (\x1b]0;owned\x07Large)")
    assert table.type("/models") == "● large (Large)\n"


def test_an_alias_is_an_order_too(table: Table) -> None:
    table.type("/agents")
    assert table.desk.commands == [("1", "agents", "")]


def test_an_order_that_could_not_be_obeyed_says_so(table: Table) -> None:
    table.desk.answer = CommandAnswer("no such model", ok=False)
    assert table.type("/models huge") == "no such model\n"


def test_ctrl_c_cancels_the_current_conversation(table: Table) -> None:
    table.type("/new")
    table.chat.cancel()
    assert table.desk.commands == [("2", "cancel", "")]


def test_help_lists_the_orders_of_core_terminal_and_agent(table: Table) -> None:
    agent = session()
    commands = (Command("web", "search"), Command("reset", "hidden by ours"))
    table.desk.house = HouseSnapshot((type(agent)(ONE, State.IDLE, commands=commands),), ())
    text = table.type("/help")
    for line in ("/cancel ", "/config [OPTION VALUE]", "/switch [NAME]", "/quit", "/web ", "(the agent's own)"):
        assert line in text
    assert "hidden by ours" not in text


def test_a_mistyped_order_is_not_sent_unless_it_is_the_agents_own(table: Table) -> None:
    assert table.type("/stauts") == "did you mean /status?\n"
    assert table.desk.received == []
    table.desk.house = HouseSnapshot((replace(session(), commands=(Command("stauts", ""),)),), ())
    table.type("/stauts", "/foo")
    assert [note.text for note in table.desk.received] == ["/stauts", "/foo"]


def test_quit_with_more_behind_it_is_explained(table: Table) -> None:
    assert "stands alone" in table.type("/quit now")


# Several conversations.


def test_new_and_switch_change_where_text_goes(table: Table) -> None:
    table.type("one", "/new", "two", "/new build", "three", "/switch 1", "four", "/switch [2]", "five")
    assert [note.conversation.id for note in table.desk.received] == ["1", "2", "build", "1", "2"]
    assert table.chat.view.names == ("1", "2", "build")


def test_a_name_is_made_short_and_free_of_blanks_and_tricks(table: Table) -> None:
    table.type("/new my \x1b[31mbuild")
    assert table.chat.view.conversation == Conversation("console", "my-build")


def test_a_name_that_is_taken_is_not_taken_twice(table: Table) -> None:
    assert "already" in table.type("/new 1")
    assert table.chat.view.conversation == ONE


def test_switch_without_a_name_or_with_a_wrong_one_lists_them(table: Table) -> None:
    table.type("/new")
    table.desk.house = HouseSnapshot((replace(session(state=State.BUSY), questions=1),), ())
    assert table.type("/switch") == "Conversations:\n  [1] busy · asks you\n→ [2] ready\n"
    assert table.type("/switch 9") == "There is no conversation [9]:\n  [1] busy · asks you\n→ [2] ready\n"


def test_others_arrive_labelled_and_by_complete_lines(table: Table) -> None:
    table.type("/new")
    table.say(TWO, Said("I am typing"))
    assert table.say(ONE, Said("first li")) == ""
    assert table.front.between == ""
    table.say(ONE, Said("ne\n\nsec"), ToolChanged("t", title="make", status="completed"))
    assert table.front.between == "[1] first line\n[1] sec\n[1] ✅ make\n"
    assert table.say(TWO, Said(" on")) == " on"


def test_a_conversation_that_begins_by_itself_is_labelled(table: Table) -> None:
    table.say(TWO, Notice("hello"))
    assert table.front.between == "[2] hello\n"
    assert "2" in table.chat.view.names


def test_an_endless_line_of_another_conversation_is_broken(table: Table) -> None:
    table.type("/new")
    table.say(ONE, Said("word " * 500))
    table.say(ONE, Said("x" * 3000))
    lines = table.front.between.split("\n")
    assert all(line.startswith("[1] ") for line in lines[:-1])
    assert "".join(line.removeprefix("[1] ") for line in lines) == "word " * 500 + "x" * 3000


def test_switching_shows_what_was_held_back(table: Table) -> None:
    table.type("/new")
    table.say(ONE, Said("half a"))
    assert table.type("/switch 1") == "— [1] is the current conversation —\nhalf a"
    assert table.say(ONE, Said(" line\n")) == " line\n"


def test_leaving_in_mid_line_ends_the_line(table: Table) -> None:
    table.say(ONE, Said("in mid-"))
    assert table.type("/new") == "\n— [2] is the current conversation —\n"
    assert table.type("/switch 2") == "— [2] is the current conversation —\n"


# Questions.


@pytest.mark.parametrize("text", ["1", "allow once", "YES", "/answer 1"])
def test_a_question_is_answered_by_number_name_or_id(table: Table, text: str) -> None:
    answer = table.ask()
    table.type(text)
    assert answer.result(0) == Decision("yes", ME)
    assert table.desk.received == []


def test_what_is_no_answer_is_a_message_and_the_question_stays_open(table: Table) -> None:
    answer = table.ask()
    assert "A question is open here" in table.type("what would that do?")
    assert (answer.done(), len(table.desk.received)) == (False, 1)
    assert table.chat.view.answers == ("Allow once", "Reject")


def test_questions_are_answered_oldest_first(table: Table) -> None:
    first, second = table.ask(id="q1"), table.ask(id="q2")
    assert "next question" in table.type("1")
    table.type("2")
    assert (first.result(0).option_id, second.result(0).option_id) == ("yes", "no")
    table.type("1")
    assert [note.text for note in table.desk.received] == ["1"]


def test_a_question_of_another_conversation_is_labelled(table: Table) -> None:
    table.type("/new")
    answer = table.ask(ONE)
    assert "[1] ❓ Run make?\n[1]    1. Allow once\n" in table.front.between
    assert "`/switch 1`, or `/answer 1` and a number or a name" in table.front.between
    table.type("1")
    assert (answer.done(), table.desk.received[0].conversation) == (False, TWO)
    assert table.chat.view.asking == ("1",)


@pytest.mark.parametrize("text", ["/answer 1 2", "/answer [1] Reject", "/answer 2", "/answer Reject"])
def test_a_question_of_another_conversation_can_be_answered_from_here(table: Table, text: str) -> None:
    table.type("/new build")
    answer = table.ask(ONE)
    table.type(text)
    assert answer.result(0).option_id == "no"


def test_the_current_conversation_comes_first_when_several_ask(table: Table) -> None:
    table.type("/new")
    there, here = table.ask(ONE, "q1"), table.ask(TWO, "q2")
    table.type("/answer 1")
    assert (there.done(), here.result(0).option_id) == (False, "yes")


def test_switching_shows_the_open_questions_again(table: Table) -> None:
    table.type("/new")
    answer = table.ask(ONE)
    assert "1. Allow once" in table.type("/switch 1")
    table.type("1")
    assert answer.result(0).option_id == "yes"


@pytest.mark.parametrize(("text", "said"), [("/answer 1", "no open question"), ("/answer 1 1", "no open question")])
def test_without_a_question_there_is_nothing_to_answer(table: Table, text: str, said: str) -> None:
    assert said in table.type(text)


def test_a_wrong_answer_is_told_the_right_ones(table: Table) -> None:
    answer = table.ask()
    assert table.type("/answer 7") == "That is none of its answers: Allow once, Reject\n"
    assert not answer.done()


@pytest.mark.parametrize("text", ["7", "al", "Rej"])
def test_what_is_nearly_an_answer_is_no_message(table: Table, text: str) -> None:
    answer = table.ask()
    assert table.type(text) == "That is none of its answers: Allow once, Reject\n"
    assert (answer.done(), table.desk.received) == (False, [])


def test_the_end_of_a_question_is_told_once_and_closes_it(table: Table) -> None:
    answer = table.ask()
    table.port.settle(question(), "Nobody answered")
    said = table.say(ONE, Settled(question(), "Nobody answered"))
    assert re.fullmatch(r"❓ Run make\?: Nobody answered \(\d\d:\d\d:\d\d\)\n", said), "and when"
    table.type("1")
    assert (answer.done(), [note.text for note in table.desk.received]) == (False, ["1"])


def test_an_answer_that_comes_too_late_harms_nobody(table: Table) -> None:
    answer = table.ask()
    answer.cancel()
    assert table.type("1") == ""
    assert answer.cancelled()


# What others see.


def test_the_status_line_and_tab_know_the_current_conversation(table: Table) -> None:
    table.type("/new")
    table.desk.house = HouseSnapshot((session(TWO, State.BUSY), session(ONE)), ())
    assert table.chat.is_busy
    assert table.chat.status(0.0) == "[2] · busy"
    assert [proposal.word for proposal in propose("/switch ", table.chat.known())] == ["1", "2"]


def test_without_a_session_nothing_is_busy(table: Table) -> None:
    assert not table.chat.is_busy
    assert table.chat.known().options == ()


def test_a_word_said_does_not_redraw_the_status(table: Table) -> None:
    table.say(ONE, Said("word"))
    assert table.front.refreshed == 0
    table.say(ONE, Notice("news"))
    assert table.front.refreshed == 1


def test_one_odd_event_does_not_end_the_chat(
    table: Table, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(text: str) -> None:
        raise OSError(f"no terminal for {text}")

    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr(table.front, "stream", fail)
        table.say(ONE, Said("lost"))
    assert table.say(ONE, Said("shown")) == "shown"
    assert "could not show" in caplog.text
