"""What people can order, whatever the platform: the table of commands, and how each is carried out.

A command returns a Future at once and never fails: what went wrong is an answer with `ok=False`. The functions run on
the caller's thread and, for what a session has to do first, on that session's; none of them blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from difflib import get_close_matches

from ..acp.events import Choice, Option
from ..clock import Clock
from ..errors import OpenabError
from ..text.clean import one_line
from .house import Cancel, HouseSnapshot, Open, Reset, SessionSnapshot, SetOption, promise
from .message import Conversation, Person
from .pool import SessionPool

__all__ = ["COMMANDS", "CommandAnswer", "CommandSpec", "Desk", "carry_out", "find_command"]


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """A command as people see it; `argument` is what may follow, "" for nothing."""

    name: str
    help: str
    argument: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """What came of a command."""

    text: str
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Desk:
    """What a command may use."""

    pool: SessionPool
    look: Callable[[], HouseSnapshot]
    clock: Clock

    def session(self, conversation: Conversation) -> SessionSnapshot | None:
        """Return how the conversation's session looks, None if it has none."""
        return next((item for item in self.look().sessions if item.conversation == conversation), None)


@dataclass(frozen=True, slots=True)
class _Call:
    """One command being carried out."""

    desk: Desk
    conversation: Conversation
    name: str
    argument: str
    by: Person


COMMANDS = (
    CommandSpec("cancel", "stop what the agent is doing"),
    CommandSpec("cancel-all", "stop it and drop everything that waits here"),
    CommandSpec("reset", "end the agent and forget this conversation"),
    CommandSpec("models", "show the models, or choose one", "[MODEL]"),
    CommandSpec("modes", "show the modes, or choose one", "[MODE]", ("agents",)),
    CommandSpec("config", "show everything the agent lets you set, or set it", "[OPTION VALUE]"),
    CommandSpec("queue", "show what waits here, drop or change a message", "[drop N | edit N TEXT]"),
    CommandSpec("status", "show what every agent is doing"),
    CommandSpec("help", "show this list"),
)


def find_command(name: str) -> CommandSpec | None:
    """Return the command of exactly this name or alias: `/modelsfoo` is the agent's (FIELD F16)."""
    return next((spec for spec in COMMANDS if name == spec.name or name in spec.aliases), None)


def carry_out(desk: Desk, conversation: Conversation, command: tuple[str, str], by: Person) -> Future[CommandAnswer]:
    """Carry out `command` (name, argument) for `by`. Any thread; never blocks; the Future never fails."""
    name, argument = command
    spec = find_command(name)
    if spec is None:
        near = get_close_matches(name, [word for item in COMMANDS for word in (item.name, *item.aliases)], 1)
        hint = f" Did you mean /{near[0]}?" if near else " /help lists them."
        return _now(CommandAnswer(f"There is no command /{one_line(name, 40)}.{hint}", ok=False))
    try:
        return _HOW[spec.name](_Call(desk, conversation, spec.name, argument.strip(), by))
    except OpenabError as error:
        return _now(CommandAnswer(error.user_text(), ok=False))


# Orders.


def _cancel(call: _Call) -> Future[CommandAnswer]:
    return _then(call.desk.pool.order(call.conversation, Cancel(call.by)), CommandAnswer)


def _cancel_all(call: _Call) -> Future[CommandAnswer]:
    return _then(call.desk.pool.order(call.conversation, Cancel(call.by, all=True)), CommandAnswer)


def _reset(call: _Call) -> Future[CommandAnswer]:
    return _then(call.desk.pool.order(call.conversation, Reset(call.by)), CommandAnswer)


# Options.


def _models(call: _Call) -> Future[CommandAnswer]:
    return _option_of_category(call, "model")


def _modes(call: _Call) -> Future[CommandAnswer]:
    return _option_of_category(call, "mode")


def _config(call: _Call) -> Future[CommandAnswer]:
    def answer(options: tuple[Option, ...]) -> Future[CommandAnswer]:
        if not options:
            return _now(CommandAnswer("This agent has nothing to set.", ok=False))
        if not call.argument:
            return _now(CommandAnswer("\n".join(_summary(option) for option in options)))
        option, value = _named(options, call.argument)
        if option is None:
            known = ", ".join(item.id for item in options)
            wanted = one_line(call.argument.split()[0], 40)
            return _now(CommandAnswer(f"There is no option {wanted}; there are: {known}.", ok=False))
        return _set(call, option, value) if value else _now(CommandAnswer(_listing(option)))

    return _with_options(call, answer)


def _option_of_category(call: _Call, category: str) -> Future[CommandAnswer]:
    def answer(options: tuple[Option, ...]) -> Future[CommandAnswer]:
        # The same rule as where options are read: several may have the category (a provider), or the one have none.
        related = [item for item in options if category in (item.category, item.id)]
        option = next((item for item in related if item.id == category), next(iter(related), None))
        if option is None:
            return _now(CommandAnswer(f"This agent offers no choice of {category}s.", ok=False))
        return _set(call, option, call.argument) if call.argument else _now(CommandAnswer(_listing(option)))

    return _with_options(call, answer)


def _with_options(call: _Call, answer: Callable[[tuple[Option, ...]], Future[CommandAnswer]]) -> Future[CommandAnswer]:
    """Have the conversation's agent there (it is started if it is not), then answer with what it lets people set."""
    result: Future[CommandAnswer] = promise()

    def there(opened: Future[str]) -> None:
        error = opened.exception()
        if error is not None:
            result.set_result(CommandAnswer(_sentence(error), ok=False))
            return
        session = call.desk.session(call.conversation)
        try:
            answered = answer(session.options if session else ())
        except OpenabError as refusal:  # the pool closed or filled up meanwhile
            answered = _now(CommandAnswer(refusal.user_text(), ok=False))
        _pass_on(answered, result)

    call.desk.pool.order(call.conversation, Open()).add_done_callback(there)
    return result


def _set(call: _Call, option: Option, word: str) -> Future[CommandAnswer]:
    value = _value(option, word)
    if value is None:
        text = f"{option.name} has no choice {one_line(word, 60)}.\n{_listing(option)}"
        return _now(CommandAnswer(text, ok=False))
    return _then(call.desk.pool.order(call.conversation, SetOption(option.id, value)), CommandAnswer)


def _value(option: Option, word: str) -> str | bool | None:
    """Return what `word` means for `option`: a choice by value, then by name, in any case; None for nothing.

    An option without choices takes any word: only the agent knows.
    """
    if option.kind == "boolean":
        return {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}.get(word.lower())
    if not option.choices:
        return word
    low = word.lower()
    tests: tuple[Callable[[Choice], bool], ...] = (
        lambda choice: choice.value == word,
        lambda choice: choice.name == word,
        lambda choice: choice.value.lower() == low,
        lambda choice: choice.name.lower() == low,
    )
    return next((choice.value for fits in tests for choice in option.choices if fits(choice)), None)


def _named(options: tuple[Option, ...], argument: str) -> tuple[Option | None, str]:
    """Return the option whose id or name `argument` begins with, in any case, and what follows.

    The longest wins, for a name may have several words; an id wins over an equal name.
    """
    found: tuple[int, bool, Option] | None = None
    for option in options:
        for word, is_id in ((option.id, True), (option.name, False)):
            size = len(word)
            begins = argument[:size].lower() == word.lower() and not argument[size : size + 1].strip()
            if begins and (found is None or (size, is_id) > found[:2]):
                found = size, is_id, option
    return (found[2], argument[found[0] :].strip()) if found else (None, "")


def _summary(option: Option) -> str:
    return f"{option.id}: {_shown(option.value)}" + (f" — {option.name}" if option.name != option.id else "")


def _listing(option: Option) -> str:
    if option.kind == "boolean":
        return f"{option.name}: {_shown(option.value)} (on or off)"
    lines = [f"{option.name}:"]
    for choice in option.choices:
        mark = "●" if choice.value == option.value else "○"
        about = f" — {one_line(choice.description, 100)}" if choice.description else ""
        lines.append(f"{mark} {choice.value}{f' ({choice.name})' if choice.name != choice.value else ''}{about}")
    return "\n".join(lines)


def _shown(value: str | bool) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else value


# Looking.


def _queue(call: _Call) -> Future[CommandAnswer]:
    notes = call.desk.pool.waiting(call.conversation)
    verb, _, rest = call.argument.partition(" ")
    number, _, text = rest.strip().partition(" ")
    if not verb:
        lines = [
            f"{n}. {note.sender.name or note.sender.id}: {one_line(note.text, 80)}" for n, note in enumerate(notes, 1)
        ]
        return _now(CommandAnswer("\n".join(lines) or "Nothing waits here."))
    known = verb == "drop" or (verb == "edit" and text.strip())
    if not known or not number.isdecimal() or len(number) > 9:  # no queue is as long as that
        return _now(CommandAnswer("Write /queue, /queue drop N or /queue edit N TEXT.", ok=False))
    if not 1 <= int(number) <= len(notes):
        return _now(CommandAnswer(f"There is no number {int(number)}: {len(notes)} wait here.", ok=False))
    ref = notes[int(number) - 1].ref
    done = call.desk.pool.withdraw(ref) if verb == "drop" else call.desk.pool.edit(ref, text.strip())
    if not done:
        return _now(CommandAnswer("The agent has taken it already.", ok=False))
    return _now(CommandAnswer("Dropped." if verb == "drop" else "Changed."))


def _status(call: _Call) -> Future[CommandAnswer]:
    look, now = call.desk.look(), call.desk.clock.monotonic()
    lines = [_line(session, now, here=session.conversation == call.conversation) for session in look.sessions]
    lines += [f"{key}: waits for a free agent" for key in look.waiting]
    return _now(CommandAnswer("\n".join(lines) or "No agent is running."))


def _line(session: SessionSnapshot, now: float, *, here: bool) -> str:
    parts = [f"{'→ ' if here else ''}{session.conversation}: {session.state}, {session.agent}"]
    if session.turn_started is not None:
        parts.append(f"for {now - session.turn_started:.0f} s")
    if session.tool:
        parts.append(one_line(session.tool, 60))
    if session.questions:
        parts.append(f"{session.questions} question{'s' if session.questions > 1 else ''} open")
    if session.inbox:
        parts.append(f"{session.inbox} waiting")
    return ", ".join(parts)


def _help(call: _Call) -> Future[CommandAnswer]:
    lines = [f"/{spec.name}{' ' + spec.argument if spec.argument else ''} — {spec.help}" for spec in COMMANDS]
    session = call.desk.session(call.conversation)
    if session is not None and session.commands:
        lines.append("The agent's own, sent to it as they are:")
        lines += [f"/{item.name} — {one_line(item.description, 100)}" for item in session.commands]
    return _now(CommandAnswer("\n".join(lines)))


_HOW: dict[str, Callable[[_Call], Future[CommandAnswer]]] = {
    "cancel": _cancel,
    "cancel-all": _cancel_all,
    "reset": _reset,
    "models": _models,
    "modes": _modes,
    "config": _config,
    "queue": _queue,
    "status": _status,
    "help": _help,
}


# Futures: made here, completed on whichever thread has the answer.


def _now(answer: CommandAnswer) -> Future[CommandAnswer]:
    future: Future[CommandAnswer] = promise()
    future.set_result(answer)
    return future


def _then(future: Future[str], make: Callable[[str], CommandAnswer]) -> Future[CommandAnswer]:
    result: Future[CommandAnswer] = promise()

    def done(source: Future[str]) -> None:
        error = source.exception()
        if error is None:
            result.set_result(make(source.result()))
        else:
            result.set_result(CommandAnswer(_sentence(error), ok=False))

    future.add_done_callback(done)
    return result


def _pass_on(source: Future[CommandAnswer], result: Future[CommandAnswer]) -> None:
    source.add_done_callback(lambda done: result.set_result(done.result()))


def _sentence(error: BaseException) -> str:
    return error.user_text() if isinstance(error, OpenabError) else f"That did not work: {error}"
