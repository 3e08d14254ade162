from __future__ import annotations

import io
import json
import re
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from openab_sync.acp.events import Link, Media, Said, ToolChanged
from openab_sync.clock import SystemClock
from openab_sync.core.broker import Receipt
from openab_sync.core.message import Inbound, MessageRef
from openab_sync.core.port import Notice, Settled, TurnEnded, TurnEvent
from openab_sync.platforms.console import once as once_module
from openab_sync.platforms.console.once import Once, Streams
from openab_sync.platforms.console.port import ConsolePort, Signalled
from openab_sync.platforms.console.screen import Shown
from openab_sync.platforms.console.style import Style

from .stub import ME, ONE, StubDesk, question

NOTE = Inbound(MessageRef(ONE, "1"), ME, "hello")
DONE = TurnEnded((NOTE.ref,), "done")
GONE = TurnEnded((NOTE.ref,), "gone", "It died.")
TOOL = ToolChanged("t", title="make", status="completed")


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


class Run:
    """One turn in which these events have happened already."""

    def __init__(
        self,
        events: Sequence[TurnEvent | Signalled],
        *,
        as_json: bool = False,
        verbose: bool = False,
        receipt: Receipt | None = None,
        out: io.StringIO | None = None,
        desk: StubDesk | None = None,
        keep: Callable[[Media], Media] = lambda media: media,
    ) -> None:
        port, self.desk = ConsolePort(can_ask=False), desk or StubDesk(receipt=receipt or Receipt("accepted"))
        out, err = out or io.StringIO(), io.StringIO()
        for event in events:
            if isinstance(event, Signalled):
                port.arrivals.put(event)
            else:
                port.event(ONE, event)
        streams = Streams(out, err, Style(coloured=False), Shown(), as_json, verbose, keep)
        self.code = Once(self.desk, port.arrivals, streams, SystemClock()).run(NOTE, cancel_grace=0.0)
        self.out, self.err = out.getvalue(), err.getvalue()


def timeless(text: str) -> str:
    """What was written, without when questions were decided."""
    return re.sub(r" \(\d\d:\d\d:\d\d\)$", "", text, flags=re.MULTILINE)


def test_only_the_answer_is_on_stdout_and_it_ends_with_a_newline() -> None:
    run = Run([Said("a"), TOOL, Said("b"), DONE])
    assert (run.code, run.out, run.err) == (0, "ab\n", "")
    assert run.desk.received == [NOTE]


def test_an_answer_that_ends_its_line_gets_no_other_newline() -> None:
    assert Run([Said("a\n"), DONE]).out == "a\n"
    assert Run([DONE]).out == ""


def test_a_turn_that_did_not_end_well_keeps_its_text_and_says_why() -> None:
    run = Run([Said("part"), GONE])
    assert (run.code, run.out, run.err) == (1, "part\n", "✗ It died.\n")


def test_what_matters_is_on_stderr() -> None:
    run = Run([Notice("starts fresh"), Link("https://x", "doc"), Settled(question(), "rejected"), DONE])
    assert (run.out, timeless(run.err)) == ("", "starts fresh\n🔗 doc https://x\n❓ Run make?: rejected\n")


def test_everything_is_on_stderr_on_request() -> None:
    assert Run([TOOL, TurnEnded((NOTE.ref,), "done", footer="1 s")], verbose=True).err == "✅ make\n1 s\n"


def test_on_a_terminal_an_aside_does_not_run_into_the_answer() -> None:
    assert Run([Said("half"), Notice("n"), DONE], out=Tty()).err == "\nn\n"


def test_json_lines_hold_every_event_and_stderr_the_reason() -> None:
    run = Run([Said("a"), Notice("n"), TOOL, GONE], as_json=True)
    lines = [json.loads(line) for line in run.out.splitlines()]
    assert [line["event"] for line in lines] == ["said", "notice", "tool", "turn_ended"]
    assert (run.code, run.err) == (1, "✗ It died.\n")


def test_json_and_verbose_go_together() -> None:
    assert Run([TOOL, DONE], as_json=True, verbose=True).err == "✅ make\n"


def test_a_message_that_is_refused_is_a_failure() -> None:
    run = Run([Notice("All agents are busy.")], receipt=Receipt("refused", 0, "All agents are busy."))
    assert (run.code, run.out, run.err) == (1, "", "All agents are busy.\n✗ failed\n")


def test_the_end_of_a_question_is_told_once() -> None:
    port, err = ConsolePort(can_ask=False), io.StringIO()
    port.settle(question(), "rejected")
    port.event(ONE, Settled(question(), "rejected"))
    port.event(ONE, DONE)
    streams = Streams(io.StringIO(), err, Style(coloured=False), Shown())
    assert Once(StubDesk(), port.arrivals, streams, SystemClock()).run(NOTE, cancel_grace=0.0) == 0
    assert timeless(err.getvalue()) == "❓ Run make?: rejected\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_cancels_the_turn_and_is_the_exit_code(number: int, code: int) -> None:
    run = Run([Said("part"), Signalled(number), TurnEnded((NOTE.ref,), "cancelled", "Cancelled.")])
    assert (run.code, run.out, run.err) == (code, "part\n", "⏹ Cancelled.\n")
    assert run.desk.commands == [("1", "cancel", "")]


def test_a_turn_that_has_not_begun_is_over_at_once() -> None:
    run = Run([Signalled(signal.SIGINT)], desk=StubDesk(waits=True))
    assert (run.code, run.out, run.err) == (130, "", "⏹ Cancelled before it began.\n")
    assert run.desk.commands == []


def test_the_second_signal_waits_for_nothing() -> None:
    run = Run([Signalled(signal.SIGINT), Signalled(signal.SIGINT)])
    assert (run.code, run.desk.commands) == (130, [("1", "cancel", "")])


def test_a_cancelled_turn_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(once_module, "CANCEL_SPARE", 0.0)
    assert Run([Signalled(signal.SIGTERM)]).code == 143


def test_what_happens_later_is_waited_for() -> None:
    port, out = ConsolePort(can_ask=False), io.StringIO()

    class Desk(StubDesk):
        def receive(self, note: Inbound) -> Receipt:
            agent.start()
            return super().receive(note)

    def answer() -> None:
        port.event(ONE, Said("later"))
        port.event(ONE, DONE)

    agent = threading.Thread(target=answer)
    streams = Streams(out, io.StringIO(), Style(coloured=False), Shown())
    assert Once(Desk(), port.arrivals, streams, SystemClock()).run(NOTE, cancel_grace=0.0) == 0
    agent.join()
    assert out.getvalue() == "later\n"


def test_a_picture_is_kept_and_named_but_not_among_json_lines() -> None:
    picture, kept = Media("image", "image/png", data="AAAA"), []

    def keep(media: Media) -> Media:
        kept.append(media)
        return replace(media, uri="/here/image-1.png")

    assert Run([picture, DONE], keep=keep).err == "📎 image /here/image-1.png image/png, 3 bytes\n"
    assert json.loads(Run([picture, DONE], keep=keep, as_json=True).out.split("\n")[0])["data"] == "AAAA"
    assert kept == [picture]


def test_words_are_kept_whole_on_a_terminal_and_untouched_anywhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces: list[TurnEvent] = [Said("one two thr"), Said("ee four"), Notice("and this is ours"), Said(" five"), DONE]
    assert Run(pieces).out == "one two three four five\n"
    monkeypatch.setattr(once_module, "columns", lambda stream: 10)
    run = Run(pieces, out=Tty())
    assert run.out == "one two\nthree four five\n"  # what is ours has ended the row
    assert run.err == "\nand this\nis ours\n"


def test_what_waits_for_the_end_of_its_word_is_not_lost_with_a_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(once_module, "columns", lambda stream: 10)
    stop = Signalled(signal.SIGTERM)
    assert Run([Said("half a wo"), stop, stop], out=Tty()).out == "half a wo"
