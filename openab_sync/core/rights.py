"""Rights: how far somebody has to be trusted for each order. A table, and the sentence for those who are not. Pure.

Looking, asking and stopping is for everybody who may talk to us; what takes something from others is for the people of
a conversation; what reaches beyond it is for admins. A terminal's person is an admin.
"""

from __future__ import annotations

from .admission import Trust

__all__ = ["NEEDS", "lacking", "needed"]

# Command: what it needs without an argument (it shows something), and with one (it does something). Those that are
# not here need GUEST and MEMBER.
NEEDS: dict[str, tuple[Trust, Trust]] = {
    "cancel": (Trust.GUEST, Trust.GUEST),
    "cancel-all": (Trust.MEMBER, Trust.MEMBER),
    "reset": (Trust.MEMBER, Trust.MEMBER),
    "models": (Trust.GUEST, Trust.MEMBER),
    "modes": (Trust.GUEST, Trust.MEMBER),
    "config": (Trust.GUEST, Trust.ADMIN),
    "queue": (Trust.GUEST, Trust.GUEST),  # one's own messages; those of others: `command_looking`
    "permissions": (Trust.GUEST, Trust.GUEST),  # for one's own turns; for all: approvers, `command_permissions`
    "status": (Trust.GUEST, Trust.GUEST),
    "usage": (Trust.GUEST, Trust.GUEST),
    "sessions": (Trust.MEMBER, Trust.MEMBER),  # the conversation's own; those of others: `command_sessions`
    "forget": (Trust.GUEST, Trust.GUEST),  # what is one's own alone
    "limits": (Trust.GUEST, Trust.ADMIN),
    "do": (Trust.GUEST, Trust.GUEST),
    "help": (Trust.GUEST, Trust.GUEST),
}

SENTENCES = {
    Trust.GUEST: "You may not use me here.",
    Trust.MEMBER: "That is for the people of this conversation: write to me here first, or ask an admin of mine.",
    Trust.ADMIN: "That is for admins of mine.",
}


def needed(command: str, argument: str = "") -> Trust:
    """Return how far somebody has to be trusted for `command`, by its first name."""
    looking, doing = NEEDS.get(command, (Trust.GUEST, Trust.MEMBER))
    words = len(argument.split())
    return doing if words > (command == "config") else looking  # `/config OPTION` only shows it


def lacking(trust: Trust, command: str, argument: str = "") -> str:
    """Return the sentence for somebody who is not trusted far enough, "" for who is."""
    need = needed(command, argument)
    return "" if trust >= need else SENTENCES[need]
