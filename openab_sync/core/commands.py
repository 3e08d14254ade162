"""What people can order, whatever the platform: the table of commands, and who carries each out.

A command returns a Future at once and never fails: what went wrong is an answer with `ok=False`. The functions run on
the caller's thread and, for what a session has to do first, on that session's; none of them blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from difflib import get_close_matches

from ..errors import OpenabError
from ..text.clean import one_line
from . import command_forget, command_looking, command_options, command_sessions
from .command_limits import limits
from .command_permissions import permissions
from .desk import EVERYTHING, Call, CommandAnswer, Desk, View, now, then
from .house import Cancel, Reset
from .message import Conversation, Person

__all__ = ["COMMANDS", "CommandAnswer", "CommandSpec", "Desk", "carry_out", "find_command"]


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """A command as people see it; `argument` is what may follow, "" for nothing."""

    name: str
    help: str
    argument: str = ""
    aliases: tuple[str, ...] = ()


COMMANDS = (
    CommandSpec("cancel", "stop what the agent is doing"),
    CommandSpec("cancel-all", "stop it and drop everything that waits here"),
    CommandSpec("reset", "end the agent and forget this conversation"),
    CommandSpec("models", "show the models, or choose one", "[MODEL]"),
    CommandSpec("modes", "show the modes, or choose one", "[MODE]", ("agents",)),
    CommandSpec("config", "show everything the agent lets you set, or set it", "[OPTION VALUE]"),
    CommandSpec("queue", "show what waits here, drop or change a message", "[drop N | edit N TEXT]"),
    CommandSpec("status", "show what every agent is doing"),
    CommandSpec("usage", "show what this conversation has used"),
    CommandSpec("limits", "show what was used of what may be; admins lift it for a day", "[lift | restore]"),
    CommandSpec("sessions", "show the sessions the agent remembers, or go on with one", "[resume TAG]"),
    CommandSpec(
        "permissions",
        "show what decides about the agent's questions, give a rule, or take one back",
        "[allow|deny|ask KIND PATTERN | forget N]",
    ),
    CommandSpec("do", "show the agent's own commands"),
    CommandSpec("forget", "delete what I keep of conversations that are yours alone", "[here | all]"),
    CommandSpec("help", "show this list"),
)


def find_command(name: str) -> CommandSpec | None:
    """Return the command of exactly this name or alias: `/modelsfoo` is the agent's (FIELD F16)."""
    return next((spec for spec in COMMANDS if name == spec.name or name in spec.aliases), None)


def carry_out(
    desk: Desk, conversation: Conversation, command: tuple[str, str], by: Person, view: View = EVERYTHING
) -> Future[CommandAnswer]:
    """Carry out `command` (name, argument) for `by`, showing no more than `view` lets them see.

    Any thread; never blocks; the Future never fails.
    """
    name, argument = command
    spec = find_command(name)
    if spec is None:
        near = get_close_matches(name, [word for item in COMMANDS for word in (item.name, *item.aliases)], 1)
        hint = f" Did you mean /{near[0]}?" if near else " /help lists them."
        return now(CommandAnswer(f"There is no command /{one_line(name, 40)}.{hint}", ok=False))
    try:
        return _HOW[spec.name](Call(desk, conversation, spec.name, argument.strip(), by, view))
    except OpenabError as error:
        return now(CommandAnswer(error.user_text(), ok=False))


# Orders.


def _cancel(call: Call) -> Future[CommandAnswer]:
    return then(call.desk.pool.order(call.conversation, Cancel(call.by)), CommandAnswer)


def _cancel_all(call: Call) -> Future[CommandAnswer]:
    return then(call.desk.pool.order(call.conversation, Cancel(call.by, all=True)), CommandAnswer)


def _reset(call: Call) -> Future[CommandAnswer]:
    return then(call.desk.pool.order(call.conversation, Reset(call.by)), CommandAnswer)


def _help(call: Call) -> Future[CommandAnswer]:
    lines = [f"/{spec.name}{' ' + spec.argument if spec.argument else ''} — {spec.help}" for spec in COMMANDS]
    session = call.desk.session(call.conversation)
    if session is not None and session.commands:
        lines.append("The agent's own, sent to it as they are:")
        lines += [f"/{item.name} — {one_line(item.description, 100)}" for item in session.commands]
    return now(CommandAnswer("\n".join(lines)))


_HOW: dict[str, Callable[[Call], Future[CommandAnswer]]] = {
    "cancel": _cancel,
    "cancel-all": _cancel_all,
    "reset": _reset,
    "models": command_options.models,
    "modes": command_options.modes,
    "config": command_options.config,
    "queue": command_looking.queue,
    "status": command_looking.status,
    "usage": command_looking.usage,
    "limits": limits,
    "sessions": command_sessions.sessions,
    "permissions": permissions,
    "do": command_sessions.do,
    "forget": command_forget.forget,
    "help": _help,
}
