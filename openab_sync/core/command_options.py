"""Commands about what the agent lets people set: its models, its modes, everything else.

The functions run on the caller's thread, or on the session's once its agent is there; none of them blocks. An option is
set by an order that the session carries out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future

from ..acp.events import Choice, Option
from ..text.clean import one_line
from .desk import Call, CommandAnswer, now, opened, then
from .house import SetOption

__all__ = ["command_of", "config", "models", "modes", "option_of", "shown"]


def models(call: Call) -> Future[CommandAnswer]:
    """Show the models, or choose one."""
    return _option_of_category(call, "model")


def modes(call: Call) -> Future[CommandAnswer]:
    """Show the modes, or choose one."""
    return _option_of_category(call, "mode")


def config(call: Call) -> Future[CommandAnswer]:
    """Show everything that can be set, one option with its choices, or set it."""

    def answer(options: tuple[Option, ...]) -> Future[CommandAnswer]:
        if not options:
            return now(CommandAnswer("This agent has nothing to set.", ok=False))
        if not call.argument:
            return now(CommandAnswer("\n".join(_summary(option) for option in options)))
        option, value = _named(options, call.argument)
        if option is None:
            known = ", ".join(item.id for item in options)
            wanted = one_line(call.argument.split()[0], 40)
            return now(CommandAnswer(f"There is no option {wanted}; there are: {known}.", ok=False))
        return _set(call, option, value) if value else now(CommandAnswer(_listing(option)))

    return _with_options(call, answer)


def _option_of_category(call: Call, category: str) -> Future[CommandAnswer]:
    def answer(options: tuple[Option, ...]) -> Future[CommandAnswer]:
        option = option_of(options, category)
        if option is None:
            return now(CommandAnswer(f"This agent offers no choice of {category}s.", ok=False))
        return _set(call, option, call.argument) if call.argument else now(CommandAnswer(_listing(option)))

    return _with_options(call, answer)


def option_of(options: Sequence[Option], category: str) -> Option | None:
    """Return the option that is the "model" or the "mode", None if there is none."""
    # The same rule as where options are read: several may have the category (a provider), or the one have none.
    related = [item for item in options if category in (item.category, item.id)]
    return next((item for item in related if item.id == category), next(iter(related), None))


def command_of(option: Option) -> str:
    """Return the command that sets an option: models and modes have one of their own."""
    return next((f"{word}s" for word in ("model", "mode") if word in (option.category, option.id)), "config")


def _with_options(call: Call, answer: Callable[[tuple[Option, ...]], Future[CommandAnswer]]) -> Future[CommandAnswer]:
    """Answer with what the conversation's agent lets people set."""
    return opened(call, lambda session: answer(session.options if session else ()))


def _set(call: Call, option: Option, word: str) -> Future[CommandAnswer]:
    value = _value(option, word)
    if value is None:
        text = f"{option.name} has no choice {one_line(word, 60)}.\n{_listing(option)}"
        return now(CommandAnswer(text, ok=False))
    return then(call.desk.pool.order(call.conversation, SetOption(option.id, value)), CommandAnswer)


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
    return f"{option.id}: {shown(option.value)}" + (f" — {option.name}" if option.name != option.id else "")


def _listing(option: Option) -> str:
    if option.kind == "boolean":
        return f"{option.name}: {shown(option.value)} (on or off)"
    lines = [f"{option.name}:"]
    for choice in option.choices:
        mark = "●" if choice.value == option.value else "○"
        about = f" — {one_line(choice.description, 100)}" if choice.description else ""
        lines.append(f"{mark} {choice.value}{f' ({choice.name})' if choice.name != choice.value else ''}{about}")
    return "\n".join(lines)


def shown(value: str | bool) -> str:
    """Return a value as people read it."""
    return ("on" if value else "off") if isinstance(value, bool) else value
