"""The audit: who asked for what, what was let in or refused, and who decided. Told where it happens, kept elsewhere.

One method for each thing that is told; each makes one entry of plain values (`Keep`). Texts that people wrote are left
out unless `prompts` says otherwise. A house that keeps no audit has `NO_AUDIT`, which costs nothing.

Any thread; never blocks; holds nothing. Who keeps entries takes secrets out of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..acp.events import PermissionOption
from .message import Conversation, Inbound, Person

__all__ = ["KINDS", "NO_AUDIT", "Audit", "Keep"]

KINDS = ("message", "refused", "permission", "command", "limit", "configuration", "service")
"""What there are entries of; whoever keeps them adds "retention": the oldest have been deleted."""

NOBODY = Person("")


class Keep(Protocol):
    """Where entries go. Any thread; never blocks, raises nothing."""

    def __call__(self, kind: str, conversation: str, person: tuple[str, str], details: dict[str, object], /) -> None:
        """Keep one: `conversation` is a key, `person` id and name, "" for none; `details` are for JSON."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What is told, as entries. Any thread; never blocks, raises nothing."""

    keep: Keep | None = None
    prompts: Callable[[], bool] = lambda: False  # whether what people write is kept, too: asked each time

    def message(self, note: Inbound, became: str, why: str = "") -> None:
        """A message was let in; it was "accepted", "queued", put in the line ("waiting") or "refused", and why."""
        details: dict[str, object] = {"message": note.ref.id, "became": became, "characters": len(note.text)}
        if note.attachments:
            details["files"] = [file.name for file in note.attachments]
        if why:
            details["why"] = why
        if self.prompts():
            details["text"] = note.text
        self._keep("message", note.conversation, note.sender, details)

    def refused(self, where: Conversation, by: Person, what: str, why: str = "not let in") -> None:
        """Somebody was not let in: with a "message", a "command", …; `why` is in our words."""
        self._keep("refused", where, by, {"what": what, "why": why})

    def permission(
        self,
        where: Conversation,
        *,
        asked: str,
        options: Sequence[PermissionOption],
        chosen: str | None,
        by: Person | None = None,
        why: str = "",
        tool: str = "",
    ) -> None:
        """A question of the agent's was decided.

        `asked` is what it wants to do, `tool` of which kind that is, `chosen` the id of the option that was taken
        (None: cancelled), `by` the person who took it, `why` what decided where nobody did: a rule, the time, the mode.
        """
        offered = [{"id": one.option_id, "name": one.name, "kind": one.kind} for one in options]
        details: dict[str, object] = {"asked": asked, "options": offered, "chosen": chosen, "tool": tool}
        if why:
            details["why"] = why
        self._keep("permission", where, by or NOBODY, details)

    def command(self, where: Conversation, by: Person, name: str, argument: str = "", *, refused: str = "") -> None:
        """Somebody gave an order; `refused` says why it is not carried out."""
        details: dict[str, object] = {"command": name}
        if argument and (self.prompts() or name != "queue"):  # /queue edit carries a new text
            details["argument"] = argument
        if refused:
            details["refused"] = refused
        self._keep("command", where, by, details)

    def limit(self, where: Conversation, by: Person, limit: str, what: str, *, by_admin: bool = False) -> None:
        """A limit was reached, or an admin has lifted or restored what there are; `what` came of it."""
        self._keep("limit", where, by, {"limit": limit, "what": what, **({"by_admin": True} if by_admin else {})})

    def configuration(self, changed: Sequence[str], why: str = "") -> None:
        """Other values are in force for these keys (`section.key`); the values themselves are not told."""
        self._keep("configuration", None, NOBODY, {"changed": list(changed), **({"why": why} if why else {})})

    def service(self, what: str, **more: object) -> None:
        """The service has started, or stops."""
        self._keep("service", None, NOBODY, {"what": what, **more})

    def _keep(self, kind: str, where: Conversation | None, by: Person, details: dict[str, object]) -> None:
        if self.keep is not None:
            self.keep(kind, where.key if where is not None else "", (by.id, by.name), details)


NO_AUDIT = Audit()
