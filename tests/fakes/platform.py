"""A chat platform for tests: a real little one, with people, messages and all that goes wrong in between.

Messages stand in order in their conversations; every operation is recorded with the clock's time; a rule of the port
that is broken is written down in `violations`, which a test asserts to be empty. An operation takes effect when it is
completed: at once, on the platform's own thread (`threaded`), or when the test releases it (`hold`, `release`).

Any thread. What a test waits for it waits for with `until`: a condition, no sleeping.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

from openab_sync.clock import Clock
from openab_sync.core.message import Conversation, MessageRef, Person
from openab_sync.core.port import Controls, Decision, File, Limits, Question, Seen, TurnEvent
from openab_sync.errors import ChatError, ChatRefused, ChatTimeout

__all__ = ["FakePlatform", "Message", "Op"]

PATIENCE = 10.0  # seconds of real time that `until` waits
MESSAGE_OPS = frozenset({"post", "edit", "upload"})


@dataclass
class Message:
    """A message of ours as people see it."""

    ref: MessageRef
    text: str
    controls: Controls = field(default_factory=Controls)
    reply_to: MessageRef | None = None
    nonce: str = ""
    file: File | None = None
    edits: int = 0


@dataclass(eq=False)
class Op:
    """One operation that was asked for."""

    what: str
    at: float  # the clock's monotonic seconds
    conversation: Conversation
    future: Future[Any]
    effect: Callable[[], Any] = field(repr=False)
    text: str = ""
    ref: MessageRef | None = None
    nonce: str = ""
    emoji: str = ""
    on: bool = False
    controls: Controls | None = None
    error: ChatError | None = None
    half_done: bool = False  # fails although it took effect
    is_lost: bool = False  # neither takes effect nor is ever completed


class FakePlatform:
    """A `ChatPort` without a network. Close it if it is `threaded`."""

    def __init__(self, clock: Clock, limits: Limits | None = None, *, threaded: bool = False) -> None:
        self._clock = clock
        self.can = limits or Limits()  # in every conversation, until a test says otherwise
        self.changed = threading.Condition(threading.RLock())
        self.ops: list[Op] = []
        self.violations: list[str] = []
        self.refuse_edits = False
        self.titles: dict[Conversation, str] = {}
        self.events: list[tuple[Conversation, TurnEvent]] = []
        self.questions: dict[str, tuple[Question, Future[Decision]]] = {}
        self.settled: list[tuple[Question, str]] = []
        self.reactions: dict[MessageRef, list[str]] = {}
        self._messages: dict[Conversation, list[Message]] = {}
        self._held: list[Op] = []
        self._is_holding = False
        self._faults: deque[tuple[ChatError | None, bool, str | None]] = deque()
        self._changed_at: dict[MessageRef, float] = {}
        self._hasty: set[MessageRef] = set()
        self._queue: SimpleQueue[Op | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="fake-platform", daemon=True) if threaded else None
        if self._thread:
            self._thread.start()

    def close(self) -> None:
        """End the platform's own thread, if it has one."""
        if self._thread:
            self._queue.put(None)
            self._thread.join(PATIENCE)
            assert not self._thread.is_alive()

    # ---- what a test arranges ----

    def hold(self) -> None:
        """Complete nothing until it is released."""
        with self.changed:
            self._is_holding = True

    def release(self, op: Op | None = None) -> Op:
        """Complete one held operation, the oldest unless it is named."""
        with self.changed:
            op = op or self._held[0]
            self._held.remove(op)
        self._complete(op)
        return op

    def release_all(self) -> None:
        """Complete all that is held, in order, and hold nothing any more."""
        with self.changed:
            self._is_holding = False
            held, self._held = self._held, []
        for op in held:
            self._complete(op)

    def fail_next(self, error: ChatError, *, what: str | None = None, half_done: bool = False) -> None:
        """Let the next operation (of that name) fail; `half_done`: after it took effect."""
        self._faults.append((error, half_done, what))

    def drop_next(self, what: str | None = None) -> None:
        """Let the next operation (of that name) be lost: it is never completed."""
        self._faults.append((None, False, what))

    def answer(
        self, question: Question, option_id: str, person: Person, values: Mapping[str, tuple[str, ...]] | None = None
    ) -> None:
        """Let a person answer; `values` are what they typed into a form."""
        self.questions[question.id][1].set_result(Decision(option_id, person, values))
        self._notify()

    # ---- what a test looks at ----

    @property
    def held(self) -> list[Op]:
        """What waits for its release, oldest first."""
        with self.changed:
            return list(self._held)

    def messages(self, conversation: Conversation) -> list[Message]:
        with self.changed:
            return list(self._messages.get(conversation, []))

    def texts(self, conversation: Conversation) -> list[str]:
        """What people read in a conversation, message by message, files left out."""
        return [message.text for message in self.messages(conversation) if message.file is None]

    def files(self, conversation: Conversation) -> list[File]:
        return [message.file for message in self.messages(conversation) if message.file is not None]

    def done(self, *what: str) -> list[Op]:
        """The operations of these names, in the order in which they were asked for."""
        with self.changed:
            return [op for op in self.ops if op.what in what]

    def until(self, predicate: Callable[[], bool], timeout: float = PATIENCE) -> None:
        """Wait until something holds; it is looked at after every change."""
        with self.changed:
            assert self.changed.wait_for(predicate, timeout), f"not within {timeout:g} s; {self!r}"

    def until_text(self, conversation: Conversation, text: str, timeout: float = PATIENCE) -> None:
        """Wait until a message of the conversation holds `text`."""
        self.until(lambda: any(text in seen for seen in self.texts(conversation)), timeout)

    def until_question(self, timeout: float = PATIENCE) -> Question:
        """Wait until a question is open, and return the newest."""
        self.until(lambda: any(not future.done() for _, future in self.questions.values()), timeout)
        return [question for question, future in self.questions.values() if not future.done()][-1]

    def __repr__(self) -> str:
        texts = {str(conversation): self.texts(conversation) for conversation in self._messages}
        return f"<FakePlatform {texts} violations={self.violations}>"

    # ---- the port ----

    def limits(self, conversation: Conversation) -> Limits:
        return self.can

    def post(
        self,
        conversation: Conversation,
        text: str,
        *,
        reply_to: MessageRef | None = None,
        nonce: str = "",
        controls: Controls | None = None,
    ) -> Future[MessageRef]:
        more = {"reply_to": reply_to, "controls": controls or Controls()}
        self._check_text(text)
        self._check_controls(controls)
        op = self._op("post", conversation, self._making(conversation, text, nonce, **more), text=text, nonce=nonce)
        op.controls = controls
        return self._ask(op)

    def edit(self, ref: MessageRef, text: str, *, controls: Controls | None = None) -> Future[None]:
        def effect() -> None:
            message = self._message(ref)
            message.text, message.edits = text, message.edits + 1
            message.controls = message.controls if controls is None else controls
            self._count_controls(ref.conversation)

        self._check_text(text)
        self._check_controls(controls)
        if self.can.live != "edit" and (controls is None or self._message(ref).text != text):
            self.violations.append(f"an edit where replies are live={self.can.live}")
        op = self._op("edit", ref.conversation, effect, text=text, ref=ref)
        op.controls = controls
        op.error = ChatRefused("edits are refused") if self.refuse_edits else None
        return self._ask(op)

    def react(self, ref: MessageRef, emoji: str, on: bool) -> Future[None]:
        def effect() -> None:
            here = self.reactions.setdefault(ref, [])
            if on and emoji not in here:
                here.append(emoji)
            elif not on and emoji in here:
                here.remove(emoji)

        return self._ask(self._op("react", ref.conversation, effect, ref=ref, emoji=emoji, on=on))

    def typing(self, conversation: Conversation) -> Future[None]:
        return self._ask(self._op("typing", conversation, lambda: None))

    def ask(self, question: Question) -> Future[Decision]:
        future: Future[Decision] = Future()
        with self.changed:
            self.questions[question.id] = question, future
            if self._faults and self._faults[0][2] == "ask":
                future.set_exception(self._faults.popleft()[0] or ChatTimeout("lost"))
        self._notify()
        return future

    def settle(self, question: Question, text: str) -> Future[None]:
        return self._ask(
            self._op("settle", question.conversation, lambda: self.settled.append((question, text)), text=text)
        )

    def upload(self, conversation: Conversation, file: File, *, nonce: str = "") -> Future[MessageRef]:
        if self.can.file_size and len(file.data) > self.can.file_size:
            self.violations.append(f"a file of {len(file.data)} bytes, {self.can.file_size} allowed")
        effect = self._making(conversation, "", nonce, file=file)
        return self._ask(self._op("upload", conversation, effect, text=file.name, nonce=nonce))

    def rename(self, conversation: Conversation, title: str) -> Future[None]:
        return self._ask(
            self._op("rename", conversation, lambda: self.titles.__setitem__(conversation, title), text=title)
        )

    def ours(self, conversation: Conversation, since: float) -> Future[Sequence[Seen]]:
        def effect() -> Sequence[Seen]:
            return tuple(
                Seen(
                    one.ref,
                    one.text,
                    one.controls.turn if one.controls.stop else "",
                    () if one.file is None else (one.file.name,),
                )
                for one in self.messages(conversation)
            )

        return self._ask(self._op("ours", conversation, effect))

    def sign(self, ref: MessageRef, emoji: str) -> Future[None]:
        def effect() -> None:
            self.reactions[ref] = [emoji] if emoji else []

        return self._ask(self._op("sign", ref.conversation, effect, ref=ref, emoji=emoji))

    def event(self, conversation: Conversation, event: TurnEvent) -> None:
        if self.can.live != "events":
            self.violations.append("an event where the platform does not draw by itself")
        with self.changed:
            self.events.append((conversation, event))
        self._notify()

    # ---- how it works ----

    def _op(self, what: str, conversation: Conversation, effect: Callable[[], Any], **more: Any) -> Op:
        return Op(what, self._clock.monotonic(), conversation, Future(), effect, **more)

    def _ask(self, op: Op) -> Future[Any]:
        with self.changed:
            self._check_flights(op)
            self.ops.append(op)
            self._apply_fault(op)
            if op.what == "edit":
                self._check_pace(op)
            if self._is_holding and not op.is_lost:
                self._held.append(op)
        self._notify()
        if op.is_lost or op in self.held:
            return op.future
        if self._thread:
            self._queue.put(op)
        else:
            self._complete(op)
        return op.future

    def _apply_fault(self, op: Op) -> None:
        if self._faults and self._faults[0][2] in {None, op.what}:
            error, op.half_done, _ = self._faults.popleft()
            op.error, op.is_lost = error, error is None

    def _complete(self, op: Op) -> None:
        with self.changed:
            result = op.effect() if op.error is None or op.half_done else None
            seen = op.ref if op.what == "edit" else result if op.what == "post" else None
            if op.error is None and seen is not None:
                self._changed_at[seen] = op.at
            self.changed.notify_all()
        # Outside the lock: callbacks are the core's.
        if op.error is None:
            op.future.set_result(result)
        else:
            op.future.set_exception(op.error)
        self._notify()

    def _making(self, conversation: Conversation, text: str, nonce: str, **more: Any) -> Callable[[], MessageRef]:
        """Return what makes a message, or finds the one that has this nonce."""

        def effect() -> MessageRef:
            messages = self._messages.setdefault(conversation, [])
            same = next((message for message in messages if nonce and message.nonce == nonce), None)
            if same is not None:
                return same.ref
            ref = MessageRef(conversation, f"out-{sum(map(len, self._messages.values())) + 1}")
            messages.append(Message(ref, text, nonce=nonce, **more))
            self._count_controls(conversation)
            return ref

        if len(nonce) > 25:
            self.violations.append(f"a nonce of {len(nonce)} characters")
        return effect

    def _message(self, ref: MessageRef) -> Message:
        with self.changed:
            return next(message for message in self._messages[ref.conversation] if message.ref == ref)

    def _notify(self) -> None:
        with self.changed:
            self.changed.notify_all()

    def _run(self) -> None:
        while (op := self._queue.get()) is not None:
            self._complete(op)

    # ---- rules of the port ----

    def _check_text(self, text: str) -> None:
        if len(text) > self.can.page:
            self.violations.append(f"a page of {len(text)} characters, {self.can.page} allowed")
        if not text.strip():
            self.violations.append("a page with nothing on it")
        if self.can.live == "events":
            self.violations.append("a message where the platform draws by itself")

    def _check_controls(self, controls: Controls | None) -> None:
        if controls is None:
            return
        if not self.can.controls:
            self.violations.append("buttons where a message can have none")
        if (controls.stop or controls.retry) and not (controls.turn and controls.about):
            self.violations.append("buttons that belong to no turn, or to one that answers nothing")

    def _count_controls(self, conversation: Conversation) -> None:
        """One message of a conversation lets its people stop what runs."""
        if sum(message.controls.stop for message in self._messages[conversation]) > 1:
            self.violations.append("two messages with a button to stop")

    def _check_flights(self, op: Op) -> None:
        """One message operation is in flight in a conversation, and one reaction on a message."""
        for other in self.ops:
            same = other.conversation == op.conversation and not other.future.done()
            if same and {op.what, other.what} <= MESSAGE_OPS:
                self.violations.append(f"{op.what} while {other.what} is in flight")
            if same and op.what == other.what == "react" and op.ref == other.ref:
                self.violations.append("two reactions in flight on one message")

    def _check_pace(self, op: Op) -> None:
        """A live message may be edited every `edit_interval`. An edit before that must be the last of its page."""
        assert op.ref is not None
        early = op.at < self._changed_at.get(op.ref, -1e9) + self.can.edit_interval - 1e-6
        if early and op.ref in self._hasty:
            self.violations.append(f"{op.ref.id} was edited twice within {self.can.edit_interval:g} s")
        self._hasty.add(op.ref) if early and op.error is None else self._hasty.discard(op.ref)
