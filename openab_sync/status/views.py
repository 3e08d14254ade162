"""From snapshots to what is said over HTTP. Pure; every text goes through the house's redactor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ..core import transcript as seen
from ..core.events import Diff, Output
from ..core.house import HouseSnapshot, SessionSnapshot
from ..core.message import Inbound
from ..core.port import Question
from ..text.clean import one_line, plain
from ..text.tools import diff_text
from . import shapes

__all__ = ["Clean", "asked", "open_questions", "question", "row", "turn"]

Clean = Callable[[str], str]

LINE = 200  # characters
DETAIL = 20_000


def row(
    session: SessionSnapshot, now: float, rss: Mapping[int, int], clean: Clean, *, content: bool
) -> shapes.SessionRow:
    """Return how a session looks; what was said only with `content`."""
    usage = session.usage
    found = shapes.SessionRow(
        session.conversation.key,
        session.conversation.platform,
        str(session.state),
        session.agent,
        session.cwd,
        session.pid,
        rss.get(session.pid) if session.pid is not None else None,
        session.inbox,
        session.questions,
        None if session.turn_started is None else max(0.0, now - session.turn_started),
        max(0.0, now - session.last_activity),
        shapes.Usage(usage.used, usage.size, usage.output_tokens, usage.turns, usage.cost, usage.currency),
    )
    if content:
        found.title = clean(one_line(session.title, LINE))
        found.tool = clean(one_line(session.tool, LINE))
        found.words = clean(plain(seen.last_words(session.turns)))
        latest = session.turns[-1].asked if session.turns else ()
        found.asked = clean(one_line(latest[0].text, LINE)) if latest else ""
    return found


def turn(found: seen.TurnSeen, key: str, now: float, clean: Clean) -> shapes.TurnPage:
    """Return a turn with all that was said and done in it."""
    return shapes.TurnPage(
        found.number,
        [shapes.Asked(one.id, clean(one.by), clean(plain(one.text))) for one in found.asked],
        [_part(part, clean) for part in found.parts],
        [question(item, key, clean) for item in found.questions],
        max(0.0, (now if found.ended is None else found.ended) - found.started),
        found.outcome or "",
        clean(plain(found.reason)),
        found.is_cut,
    )


def question(item: Question, key: str, clean: Clean) -> shapes.QuestionRow:
    """Return an open question."""
    return shapes.QuestionRow(
        item.id,
        key,
        clean(one_line(item.title, LINE)),
        clean(plain(item.detail[:DETAIL])),
        [shapes.Option(option.option_id, clean(one_line(option.name, LINE)), option.kind) for option in item.options],
        [clean(person.name or person.id) for person in item.asked_of],
    )


def open_questions(house: HouseSnapshot) -> list[Question]:
    """Return all that people are asked just now."""
    return [item for session in house.sessions for one in session.turns for item in one.questions]


def asked(notes: Iterable[Inbound], clean: Clean) -> list[shapes.Asked]:
    """Return messages that wait."""
    return [
        shapes.Asked(note.ref.id, clean(note.sender.name or note.sender.id), clean(plain(note.text[:DETAIL])))
        for note in notes
    ]


def _part(part: seen.Part, clean: Clean) -> shapes.Part:
    match part:
        case seen.TextPart():
            return shapes.Text(clean(plain(part.text)), part.kind)
        case seen.ToolPart():
            output = [_output(item, clean) for item in part.content]
            label, target = clean(one_line(part.label, LINE)), clean(plain(part.target))
            return shapes.Tool(part.id, label, part.tool, part.state, target, output)
        case seen.PlanPart():
            return shapes.Plan([shapes.Step(clean(plain(entry.content)), entry.status) for entry in part.entries])
        case seen.MediaPart():
            return shapes.Media(clean(one_line(part.name, LINE)), part.mime)


def _output(item: Output | Diff, clean: Clean) -> shapes.Output:
    if isinstance(item, Output):
        return shapes.Output(clean(plain(item.text)))
    text = diff_text(item.path, item.old, item.new)
    return shapes.Output(clean(plain(text)), clean(one_line(item.path, LINE)), is_diff=True)
