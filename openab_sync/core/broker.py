"""The front desk: platforms hand in messages and orders here, and look at the house.

Any thread; never blocks, and never raises for what people do: a refusal is a receipt, and a sentence in the
conversation. Locks: none of its own.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Literal

from ..acp.events import StoredSession
from ..errors import NotAllowed, OpenabError, PoolClosed
from .admission import Trust
from .audit import Audit
from .budget import Hit
from .command_options import shown
from .command_sessions import going_on, listed, tag_of
from .commands import carry_out, find_command
from .desk import EVERYTHING, Call, CommandAnswer, Desk, View, now, then
from .house import (
    Close,
    Decide,
    House,
    HouseSnapshot,
    Order,
    Placement,
    Reset,
    SessionPage,
    SetOption,
    promise,
)
from .message import Conversation, Inbound, MessageRef, Person
from .notices import GOES_ON, mark, nothing, refuse, tell, unmark
from .pool import SessionPool
from .port import ChatPort, Decision, Question
from .recovery import Recovery
from .revoking import revoked
from .rights import SENTENCES, lacking
from .starting import own

__all__ = ["Broker", "HouseSnapshot", "Receipt"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message: `text` is the sentence for people where it was not plainly accepted."""

    state: Literal["accepted", "queued", "waiting", "refused"]
    position: int = 1
    text: str = ""


class Broker:
    """Everything that a platform may ask of the core."""

    def __init__(self, house: House, pool: SessionPool, ports: Mapping[str, ChatPort]) -> None:
        self._house = house
        self._pool = pool
        self._ports = ports
        self._desk = Desk(
            pool,
            self.snapshot,
            house.clock,
            lambda: house.config.permissions,
            retention=house.retention,
            budget=house.budget,
            audit=house.audit,
            hourglass=house.hourglass,
        )
        self.recovery = Recovery(house, ports, pool)

    @property
    def audit(self) -> Audit:
        """Where platforms tell whom they have not let in. Any thread."""
        return self._house.audit

    def come(self, conversation: Conversation, by: Person) -> Hit | None:
        """Count a message that was let in, before anything is done for it; or say which limit it is beyond.

        Any thread; never blocks. A platform asks this once for each message, and takes none that is beyond one.
        """
        return self._house.budget.come(by.id, conversation.key)

    def refusal(self, conversation: Conversation, by: Person) -> str:
        """Count a message as `come` does; return the sentence with which it is not taken, which is on record, or "".

        Any thread; never blocks.
        """
        hit = self.come(conversation, by)
        if hit is None:
            return ""
        self.audit.limit(conversation, by, hit.limit, "a message was refused")
        return hit.text

    def receive(self, note: Inbound) -> Receipt:
        """Take in a message that was admitted and is complete. Any thread; never blocks."""
        self._house.ledger.complete(note)
        port = self._ports[note.conversation.platform]
        # First: the session's own reactions come after it.
        marked = nothing() if note.is_marked else mark(self._house, port, note.ref)
        try:
            placement = self._pool.deliver(replace(note, arrived=self._house.clock.monotonic()))
        except OpenabError as error:
            if isinstance(error, PoolClosed) and self._pool.later.takes(note):
                return Receipt("waiting", text=GOES_ON)
            refuse(self._house, port, note, error.user_text(), marked)
            self.audit.message(note, "refused", error.user_text())
            return Receipt("refused", 0, error.user_text())
        self.audit.message(note, placement.state)
        text = self._explain(placement)
        if placement.state == "waiting":
            tell(port, note.conversation, text, note.ref)
        return Receipt(placement.state, placement.position, text)

    def accept(self, ref: MessageRef, by: Person, text: str, route: Mapping[str, str]) -> tuple[int, Future[None]]:
        """Write down a message that was admitted: its number (`Inbound.delivery`), and when it is safe.

        It must not be marked before the Future is done. If that fails with a StoreError the message is not taken, and
        whoever wrote it is to be told; `route` is what the platform needs to take it up again. Any thread.
        """
        return self._house.ledger.accept(ref, by, text, route)

    def dismiss(self, number: int, *, is_told: bool) -> None:
        """A message that was accepted will not be handed in: its writer was told why, or wants no answer any more.

        Of one that has the number 0 nothing was ever written down.

        Any thread; never blocks.
        """
        if number:
            (self._house.ledger.fail if is_told else self._house.ledger.withdraw)([number])

    def mark(self, ref: MessageRef) -> None:
        """Show on a message that it was accepted, before it is complete (`Inbound.is_marked`). Any thread."""
        mark(self._house, self._ports[ref.conversation.platform], ref)

    def unmark(self, ref: MessageRef) -> None:
        """Take the mark back from a message that was never handed in. Any thread; never blocks."""
        unmark(self._house, self._ports[ref.conversation.platform], ref)

    def edit(self, ref: MessageRef, text: str) -> bool:
        """Change the text of a message that still waits; False if it does not. Any thread; never blocks."""
        does_wait = self._pool.edit(ref, text)
        if does_wait:
            self._house.ledger.edit(ref, text)
        return does_wait

    def withdraw(self, ref: MessageRef, by: Person | None = None) -> bool:
        """Take back a message that still waits; False if it does not. Any thread; never blocks.

        Its author is told if `by` is somebody else.
        """
        done = self._pool.withdraw(ref, by)
        if done and by is not None and by.id:
            self.audit.command(ref.conversation, by, "queue", f"drop {ref.id}")
        return done

    def revoke(self, ref: MessageRef, by: Person, *, alone: bool = False) -> Future[CommandAnswer]:
        """Let a message go unanswered: it is taken back if it waits, its turn is cancelled if it runs.

        With `alone` a turn goes on that answers other messages as well. Any thread; never blocks; never fails.
        """
        if by.id:
            self.audit.command(ref.conversation, by, "stop", ref.id)
        return revoked(self._desk, ref, by, alone=alone)

    def command(
        self, conversation: Conversation, name: str, argument: str, by: Person, view: View = EVERYTHING
    ) -> Future[CommandAnswer]:
        """Carry out one of `commands.COMMANDS`, as far as `view` lets them see and do.

        Any thread; never blocks; the Future never fails.
        """
        spec = find_command(name)
        why = lacking(view.trust, spec.name, argument) if spec is not None else ""
        self.audit.command(conversation, by, name, argument, refused=why)
        if why:
            return now(CommandAnswer(why, ok=False))
        return self._hidden(carry_out(self._desk, conversation, (name, argument), by, view))

    def _hidden(self, source: Future[CommandAnswer]) -> Future[CommandAnswer]:
        """Return a Future of the same answer without secrets: titles and options are the agent's words."""
        result: Future[CommandAnswer] = promise()

        def answered(done: Future[CommandAnswer]) -> None:
            answer = done.result()
            result.set_result(replace(answer, text=self._house.redact(answer.text)))

        source.add_done_callback(answered)
        return result

    def answer(self, question: Question, option_id: str, by: Person) -> Future[CommandAnswer]:
        """Answer an open question for its people, from elsewhere. Any thread; never blocks; the Future never fails."""
        self.audit.command(question.conversation, by, "answer", option_id)
        decide = Decide(question.id, Decision(option_id, by))
        try:
            done = self._pool.order(question.conversation, decide)
        except OpenabError as error:
            return now(CommandAnswer(error.user_text(), ok=False))
        return then(done, lambda why: CommandAnswer(why or "Answered.", ok=not why))

    def waiting(self, conversation: Conversation) -> tuple[Inbound, ...]:
        """Return the messages that wait in a conversation, in order. Any thread; never blocks."""
        return self._pool.waiting(conversation)

    def is_answering(self, ref: MessageRef) -> bool:
        """Whether a message is being answered just now. Any thread; never blocks."""
        return self._pool.is_answering(ref)

    def set_option(
        self, conversation: Conversation, order: SetOption, command: str, by: Person, view: View = EVERYTHING
    ) -> Future[CommandAnswer]:
        """Set one of the agent's options, for whoever may give that command. Any thread; never blocks; never fails."""
        argument = f"{order.option_id} {shown(order.value)}"
        why = lacking(view.trust, command, argument)
        self.audit.command(conversation, by, command, argument, refused=why)
        if why:
            return now(CommandAnswer(why, ok=False))
        try:
            return then(self._pool.order(conversation, order), CommandAnswer)
        except OpenabError as error:
            return now(CommandAnswer(error.user_text(), ok=False))

    def drop(self, ref: MessageRef, by: Person, view: View = EVERYTHING) -> CommandAnswer:
        """Take a message that waits out of the queue: one's own, or, as one of the people there, another's.

        Its author is told if that is somebody else. Any thread; never blocks.
        """
        waits = next((note for note in self.waiting(ref.conversation) if note.ref == ref), None)
        if waits is not None and waits.sender.id != by.id and view.trust < Trust.MEMBER:
            self.audit.command(ref.conversation, by, "queue", f"drop {ref.id}", refused=SENTENCES[Trust.MEMBER])
            return CommandAnswer(SENTENCES[Trust.MEMBER], ok=False)
        done = self.withdraw(ref, by)
        return (
            CommandAnswer("Dropped.")
            if done
            else CommandAnswer("It does not wait: the agent has taken it, or never got it.", ok=False)
        )

    def stored(self, conversation: Conversation, by: Person, view: View = EVERYTHING) -> Future[SessionPage]:
        """Return the sessions that the agent remembers of the conversation's folder. Any thread; never blocks.

        Only an admin is shown those that the conversation has not had.
        The agent is started if it is not there. The Future fails with the OpenabError that kept it from telling.
        """
        why = lacking(view.trust, "sessions")
        self.audit.command(conversation, by, "sessions", refused=why)
        if why:
            refused: Future[SessionPage] = promise()
            refused.set_exception(NotAllowed(why))
            return refused
        return listed(Call(self._desk, conversation, "sessions", "", by, view))

    def go_on(
        self,
        conversation: Conversation,
        stored: StoredSession,
        by: Person,
        view: View = EVERYTHING,
        *,
        asked_in: Conversation | None = None,
    ) -> Future[CommandAnswer]:
        """Have a conversation go on with a session of the agent's. Any thread; never blocks; the Future never fails.

        `asked_in` is where somebody chose it who wants it to go on in a conversation of its own.
        """
        argument = f"resume {tag_of(stored.session_id)}"
        why = lacking(view.trust, "sessions", argument)
        self.audit.command(conversation, by, "sessions", argument, refused=why)
        if why:
            return now(CommandAnswer(why, ok=False))
        return going_on(Call(self._desk, conversation, "sessions", argument, by, view), stored, asked_in)

    def order(self, conversation: Conversation, order: Order) -> Future[str]:
        """Leave an order. Any thread; never blocks. Raise PoolClosed or PoolFull."""
        return self._pool.order(conversation, order)

    def suspend(self, conversation: Conversation, reason: str) -> bool:
        """Have a conversation's session leave, keeping what it remembers: when it is idle. Any thread; never blocks.

        False if it has none.
        """
        if all(session.conversation != conversation for session in self.snapshot().sessions):
            return False
        try:
            self._pool.order(conversation, Close(reason, math.inf))
        except OpenabError:  # all of them leave just now
            return False
        return True

    def forget(self, conversation: Conversation, by: Person) -> None:
        """The place is gone: end its session, drop what waits, keep nothing of it. Any thread; never blocks."""
        try:
            self._pool.order(conversation, Reset(by))
        except OpenabError as error:  # all of them leave just now
            log.debug("%s was not reset: %s", conversation, error)
        if self._house.retention is not None:
            self._house.retention.let_go(conversation)

    def remembers(self, conversation: Conversation) -> bool:
        """Whether a conversation can go on from what was said before, as far as is known. Any thread; never blocks."""
        now, memory = self.snapshot(), self._pool.memories.of(conversation.key)
        is_there = conversation.key in {*(one.conversation.key for one in now.sessions), *now.waiting}
        return is_there or own(memory, self._house)[0].acp_session_id is not None

    def snapshot(self) -> HouseSnapshot:
        """Return how everything looks. Any thread; never blocks: busy sessions are looked at, not asked."""
        return HouseSnapshot(*self._pool.snapshot())

    def _explain(self, placement: Placement) -> str:
        if placement.state == "waiting":
            count = self._house.config.pool.max_sessions
            who = f"All {count} agents are" if count > 1 else "The only agent is"
            return f"{who} busy: number {placement.position} in line, it starts by itself."
        if placement.state == "queued":
            before = placement.position - 1
            return f"Queued: {before} message{'s' if before != 1 else ''} before it." if before else "Queued."
        return ""
