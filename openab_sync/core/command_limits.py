"""`/limits`: what was used of what may be, and an admin's way to lift the limits for a day.

    /limits                   what the asker, this conversation and everybody have used
    /limits lift [WHO]        no limits here, or for that person, until midnight
    /limits restore [WHO]     they hold again

Any thread; nothing here blocks. Who may do what is `rights`'.
"""

from __future__ import annotations

import re
from concurrent.futures import Future

from ..text.clean import one_line
from .desk import Call, CommandAnswer, now

__all__ = ["limits"]

HOW = "Write /limits, /limits lift, /limits lift PERSON, or /limits restore."


def limits(call: Call) -> Future[CommandAnswer]:
    """Show what was used, lift the limits or have them hold again."""
    budget, here = call.desk.budget, call.conversation.key
    verb, _, who = call.argument.partition(" ")
    whose = re.sub(r"[<@!>]", "", who.strip()) or here
    what = "here" if whose == here else f"for {one_line(whose, 60)}"
    match verb:
        case "":
            return now(CommandAnswer("\n".join(budget.lines(call.by.id, here))))
        case "lift":
            budget.lift(whose)
            call.desk.audit.limit(call.conversation, call.by, "all", f"lifted {what}", by_admin=True)
            return now(CommandAnswer(f"No limits {what} until midnight."))
        case "restore":
            was_lifted = budget.restore(whose)
            call.desk.audit.limit(call.conversation, call.by, "all", f"restored {what}", by_admin=True)
            return now(CommandAnswer(f"The limits hold {'again ' if was_lifted else ''}{what}.", ok=was_lifted))
    return now(CommandAnswer(HOW, ok=False))
