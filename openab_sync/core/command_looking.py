"""Commands that look: what waits, what every agent does, what this conversation has used.

They look at snapshots and never ask a session, so they answer at once, whatever an agent is doing. None of them blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future

from ..text.clean import one_line
from .admission import Trust
from .desk import Call, CommandAnswer, now
from .footer import cost_text
from .house import SessionSnapshot, Usage
from .message import Conversation
from .rights import SENTENCES

__all__ = ["queue", "status", "usage"]


def queue(call: Call) -> Future[CommandAnswer]:
    """Show what waits, or drop or change one of them."""
    notes = call.desk.pool.waiting(call.conversation)
    verb, _, rest = call.argument.partition(" ")
    number, _, text = rest.strip().partition(" ")
    if not verb:
        lines = [
            f"{n}. {note.sender.name or note.sender.id}: {one_line(note.text, 80)}" for n, note in enumerate(notes, 1)
        ]
        return now(CommandAnswer("\n".join(lines) or "Nothing waits here."))
    known = verb == "drop" or (verb == "edit" and text.strip())
    if not known or not number.isdecimal() or len(number) > 9:  # no queue is as long as that
        return now(CommandAnswer("Write /queue, /queue drop N or /queue edit N TEXT.", ok=False))
    if not 1 <= int(number) <= len(notes):
        return now(CommandAnswer(f"There is no number {int(number)}: {len(notes)} wait here.", ok=False))
    note = notes[int(number) - 1]
    if verb == "edit" and note.sender.id != call.by.id:  # else somebody's words would stand under another's name
        return now(CommandAnswer("Only who wrote it can change it.", ok=False))
    if verb == "drop" and note.sender.id != call.by.id and call.view.trust < Trust.MEMBER:
        return now(CommandAnswer(SENTENCES[Trust.MEMBER], ok=False))
    ref = note.ref
    done = call.desk.pool.withdraw(ref, call.by) if verb == "drop" else call.desk.pool.edit(ref, text.strip())
    if not done:
        return now(CommandAnswer("The agent has taken it already.", ok=False))
    return now(CommandAnswer("Dropped." if verb == "drop" else "Changed."))


def status(call: Call) -> Future[CommandAnswer]:
    """Show what every agent is doing, as far as whoever asks may see it; the rest is counted."""
    look, at = call.desk.look(), call.desk.clock.monotonic()
    sessions = [session for session in look.sessions if _is_seen(call, session.conversation)]
    waiting = [key for key in look.waiting if _is_seen(call, _named(key))]
    lines = [_line(session, at, here=session.conversation == call.conversation) for session in sessions]
    lines += [f"{key}: waits for a free agent" for key in waiting]
    elsewhere = len(look.sessions) + len(look.waiting) - len(sessions) - len(waiting)
    if elsewhere:
        lines.append(f"{'and' if lines else 'No agent is running here,'} {elsewhere} elsewhere")
    return now(CommandAnswer("\n".join(lines) or "No agent is running."))


def _is_seen(call: Call, conversation: Conversation) -> bool:
    return conversation == call.conversation or call.view.sees(conversation)


def _named(key: str) -> Conversation:
    platform, _, name = key.partition(":")
    return Conversation(platform, name)


def _line(session: SessionSnapshot, at: float, *, here: bool) -> str:
    parts = [f"{'→ ' if here else ''}{session.conversation}: {session.state}, {session.agent}"]
    if session.turn_started is not None:
        parts.append(f"for {at - session.turn_started:.0f} s")
    if session.tool:
        parts.append(one_line(session.tool, 60))
    if session.questions:
        parts.append(f"{session.questions} question{'s' if session.questions > 1 else ''} open")
    if session.inbox:
        parts.append(f"{session.inbox} waiting")
    return ", ".join(parts)


def usage(call: Call) -> Future[CommandAnswer]:
    """Show what this conversation's session has used: context, cost, tokens, turns."""
    session = call.desk.session(call.conversation)
    if session is None:
        return now(CommandAnswer("No agent is running here."))
    told = "\n".join(_used(session.usage))
    return now(CommandAnswer(told or f"{session.agent or 'The agent'} has not told what it uses."))


def _used(usage: Usage) -> Iterator[str]:
    if usage.used is not None and usage.size:
        yield f"Context: {usage.used:,} of {usage.size:,} tokens ({100 * usage.used / usage.size:.0f} %)"
    elif usage.used is not None:
        yield f"Context: {usage.used:,} tokens"
    if usage.cost is not None:
        yield f"Cost: {cost_text(usage.cost, usage.currency)}"
    if usage.output_tokens is not None:
        yield f"Written: {usage.output_tokens:,} tokens"
    if usage.turns:
        yield f"Turns: {usage.turns}"
