from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.acp import events as acp
from openab_sync.core.port import Notice, Outcome, Settled, TurnEnded, TurnEvent, TurnStarted
from openab_sync.platforms.web import transcript as module
from openab_sync.platforms.web.entries import (
    Asked,
    Call,
    Content,
    LinkTo,
    Message,
    Plan,
    Sent,
    Sentence,
    Stopped,
    Words,
)
from openab_sync.platforms.web.transcript import Transcript

from .makers import ONE, note, question, ref


def after(*events: TurnEvent) -> Transcript:
    transcript = Transcript(ONE)
    for event in events:
        transcript.take(event, 1.0)
    return transcript


def contents(transcript: Transcript) -> list[Content]:
    return [entry.content for entry in transcript.room().entries]


def test_a_message_waits_runs_and_is_answered() -> None:
    transcript = Transcript(ONE)
    transcript.hear(note(1, "hello", files=("a.txt",)), 5.0)
    seen = [contents(transcript)[0]]
    for event in (TurnStarted((ref(1),)), TurnEnded((ref(1),), "done")):
        transcript.take(event, 6.0)
        seen.append(contents(transcript)[0])
    fates = [content.fate for content in seen if isinstance(content, Message)]
    assert fates == ["waiting", "running", "answered"]
    assert seen[0] == Message("m1", "Ann", "hello", ("a.txt",), "waiting")


def test_the_same_message_heard_twice_is_one() -> None:
    transcript = Transcript(ONE)
    transcript.hear(note(1), 5.0)
    transcript.hear(note(1), 5.0)
    assert len(contents(transcript)) == 1


def test_messages_that_a_later_turn_has_passed_over_were_dropped() -> None:
    transcript = Transcript(ONE)
    for number in (1, 2, 3):
        transcript.hear(note(number), 5.0)
    transcript.take(TurnStarted((ref(3),)), 6.0)
    assert [content.fate for content in contents(transcript) if isinstance(content, Message)] == [
        "dropped",
        "dropped",
        "running",
    ]


def test_what_neither_waits_nor_runs_is_dropped_when_somebody_looks() -> None:
    transcript = Transcript(ONE)
    for number in (1, 2, 3):
        transcript.hear(note(number), 5.0)
    transcript.take(TurnStarted((ref(1),)), 6.0)
    transcript.reconcile({ref(3)})
    assert [content.fate for content in contents(transcript) if isinstance(content, Message)] == [
        "running",
        "dropped",
        "waiting",
    ]


def test_an_answer_grows_in_one_entry_and_another_message_begins_a_new_one() -> None:
    transcript = after(acp.Said("Hel"), acp.Said("lo"), acp.UsageChanged(used=1), acp.Said("!"))
    transcript.take(acp.Said("Second", "b"), 1.0)
    assert contents(transcript) == [Words("said", "Hello!"), Words("said", "Second")]


def test_a_thought_is_not_part_of_the_answer() -> None:
    assert contents(after(acp.Said("a"), acp.Thought("hm"), acp.Said("b"))) == [
        Words("said", "a"),
        Words("thought", "hm"),
        Words("said", "b"),
    ]


def test_white_space_alone_is_no_entry() -> None:
    assert contents(after(acp.Said("\n \n"))) == []


def test_only_what_changed_has_a_new_version() -> None:
    transcript = after(acp.Said("a"), Notice("n"), acp.Said("b"))
    before = transcript.room()
    transcript.take(acp.Said("c"), 1.0)
    room = transcript.room()
    assert [entry.content for entry in room.entries if entry.version > before.version] == [Words("said", "bc")]


def test_a_long_answer_is_cut_into_pieces_and_loses_nothing() -> None:
    transcript = Transcript(ONE)
    words = [f"word{number} " for number in range(5000)]
    for word in words:
        transcript.take(acp.Said(word), 1.0)
    found = [content for content in contents(transcript) if isinstance(content, Words)]
    assert len(found) > 5
    assert all(len(content.text) <= module.PIECE for content in found)
    assert " ".join(content.text for content in found).split() == "".join(words).split()
    assert [content.goes_on for content in found] == [True] * (len(found) - 1) + [False]


@given(st.lists(st.text("ab `\n", max_size=40), max_size=30))
def test_however_an_answer_arrives_its_letters_are_there(pieces: list[str]) -> None:
    transcript = Transcript(ONE)
    for piece in pieces:
        transcript.take(acp.Said(piece), 1.0)
        transcript.room()
    shown = "".join(content.text for content in contents(transcript) if isinstance(content, Words))
    assert [c for c in shown if c in "ab"] == [c for c in "".join(pieces) if c in "ab"]


def test_a_tool_is_one_entry_however_often_it_changes() -> None:
    diff = acp.Diff("/w/a.txt", "old\n", "new\n")
    transcript = after(
        acp.ToolChanged("1", title="Edit", kind="edit", status="pending"),
        acp.ToolChanged("1", status="completed", content=(diff, acp.Output("fine\x1b[31m\n"))),
    )
    [call] = contents(transcript)
    assert isinstance(call, Call)
    assert (call.title, call.kind, call.state, call.output) == ("Edit", "edit", "done", "fine")
    [(path, text)] = call.changes
    assert path == "/w/a.txt"
    assert text.split("\n")[2:] == ["@@ -1 +1 @@", "-old", "+new"]


def test_a_tool_that_never_ended_was_stopped_with_its_turn() -> None:
    transcript = after(acp.ToolChanged("1", title="Build", status="in_progress"), TurnEnded((), "cancelled"))
    call = contents(transcript)[0]
    assert isinstance(call, Call) and call.state == "stopped"


def test_the_plan_is_replaced_and_the_next_turn_has_its_own() -> None:
    first, second = (acp.PlanEntry("a"),), (acp.PlanEntry("a", "completed"),)
    transcript = after(acp.PlanChanged(first), Notice("between"), acp.PlanChanged(second))
    transcript.take(TurnStarted(()), 1.0)
    transcript.take(acp.PlanChanged(first), 1.0)
    assert contents(transcript) == [Plan(second), Sentence("between"), Plan(first)]


def test_a_picture_is_kept_until_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FILES", 5)
    data = base64.b64encode(b"abc").decode()
    media = acp.Media("image", "image/png", data, uri="file:///x/p.png")
    assert contents(after(media, media)) == [
        Sent("p.png", "image/png", 3, b"abc"),
        Sent("p.png", "image/png", 3, None),
    ]


def test_a_file_that_cannot_be_read_is_named() -> None:
    [content] = contents(after(acp.Media("image", "image/png", "a")))
    assert isinstance(content, Sentence) and not content.ok


def test_a_link_is_named() -> None:
    assert contents(after(acp.Link("https://x.y", "X"))) == [LinkTo("X", "https://x.y")]


def test_a_question_is_open_until_it_is_settled_by_whichever_word_comes_first() -> None:
    transcript = Transcript(ONE)
    transcript.ask(question())
    assert [asked.question.id for asked in transcript.room().questions] == ["q1"]
    transcript.settle(question(), "Allow once — Ann")
    transcript.take(Settled(question(), "again"), 1.0)
    assert contents(transcript) == [Asked(question(), "Allow once — Ann")]
    assert transcript.room().questions == ()


def test_how_a_turn_ended_is_told_and_a_fault_is_its_last_word() -> None:
    transcript = after(acp.Said("half"), TurnEnded((), "gone", "The agent died.", "footer", seconds=1.25))
    assert contents(transcript)[-1] == Stopped("gone", "The agent died.", "footer", 1.25)
    assert transcript.room().words == "The agent died."


def test_the_end_of_a_turn_that_failed_names_the_messages_that_can_be_sent_again() -> None:
    wanted: dict[Outcome, tuple[str, ...]] = {"failed": ("m1", "m2"), "done": (), "cancelled": ()}
    for outcome, named in wanted.items():
        transcript = Transcript(ONE)
        transcript.hear(note(1, "one"), 1.0)
        transcript.hear(note(2, "two"), 1.0)
        transcript.take(TurnEnded((ref(1), ref(2), ref(3)), outcome), 2.0)
        last = contents(transcript)[-1]
        assert isinstance(last, Stopped)
        assert last.about == named


def test_the_last_words_are_those_of_the_answer() -> None:
    transcript = after(acp.Said("one\n\ntwo"), acp.Thought("hm"))
    assert transcript.room().words == "one two"


def test_a_title_is_the_agents_else_the_first_message() -> None:
    transcript = Transcript(ONE)
    transcript.hear(note(1, "Fix the\nbuild"), 5.0)
    assert transcript.room().title == "Fix the build"
    transcript.take(acp.SessionInfo("Build"), 6.0)
    assert (transcript.room().title, transcript.room().who) == ("Build", "Ann")


def test_the_answer_to_a_command_is_a_sentence() -> None:
    transcript = Transcript(ONE)
    transcript.tell("no such model", ok=False)
    assert contents(transcript) == [Sentence("no such model", ok=False)]


def test_the_oldest_entries_go_and_their_files_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    monkeypatch.setattr(module, "FILES", 3)
    media = acp.Media("resource", "text/plain", text="abc", uri="a.txt")
    transcript = after(media, Notice("1"), Notice("2"), Notice("3"), media)
    assert contents(transcript) == [Sentence("2"), Sentence("3"), Sent("a.txt", "text/plain", 3, b"abc")]
    transcript.take(TurnEnded((ref(99),), "done"), 1.0)  # of a message that is not known (any more)
    assert repr(transcript).startswith("<Transcript web:1 entries=3")


def test_what_a_conversation_shows_is_bounded_by_its_size_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent that shows little things which are large: the oldest go, and an entry that grows counts as it is now."""
    monkeypatch.setattr(module, "BULK", 10_000)
    transcript = after(*[acp.Link(f"https://a.example/{number}/" + "x" * 3000) for number in range(50)])
    assert len(contents(transcript)) == 2
    for number in range(1, 20):
        diffs = tuple(acp.Diff(f"/{part}", None, "y\n" * 200) for part in range(number))
        transcript.take(acp.ToolChanged("t", title="edit", kind="edit", content=diffs), 1.0)
    (only,) = contents(transcript)
    assert isinstance(only, Call) and len(only.changes) == 19, "the newest is there in any case"
    transcript.take(acp.ToolChanged("t", content=()), 1.0)
    transcript.take(Notice("1"), 1.0)
    assert len(contents(transcript)) == 2
