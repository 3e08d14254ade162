"""What the agent asks of people: permissions and elicitations, from their parameters to the one answer that each gets.

Whatever an agent sends under these names is answered: put on the list of the open ones and told as an event, or refused
with a reason at once. No I/O; belongs to the peer of one session.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import UnsetType

from . import convert, elicitation, schema
from .events import Asked, AskWithdrawn, ElicitationDone, Elicited, Event, Noise, RequestId
from .noise import Noises
from .questions import Questions, cancelled
from .salvage import Loss, parse_raw

__all__ = ["Inquiries"]

INVALID_REQUEST, INVALID_PARAMS, REQUEST_CANCELLED = -32600, -32602, -32800


class Inquiries:
    """The open ones. `send` takes a message for the agent, `modes` are those of elicitation that are served."""

    __slots__ = ("_modes", "_noises", "_open", "_send")

    def __init__(self, send: Callable[[dict[str, object]], None], noises: Noises, modes: tuple[str, ...]) -> None:
        self._send = send
        self._noises = noises
        self._modes = modes
        self._open = Questions()

    @property
    def ids(self) -> tuple[RequestId, ...]:
        """The ids of those that have no answer yet."""
        return self._open.ids

    # What the agent asks. `is_over`: nobody waits for answers any more.

    def question(self, name: RequestId, params: schema.Params, events: list[Event], *, is_over: bool) -> None:
        """`session/request_permission`."""
        losses: list[Loss] = []
        options = convert.permission_options(parse_raw(params.options), losses)
        about = convert.permission_tool(parse_raw(params.tool_call), losses)
        self._noises.tell(losses, events)
        self._put(Asked(name, about, options), events, is_over=is_over)

    def elicitation(self, name: RequestId, params: schema.Params, events: list[Event], *, is_over: bool) -> None:
        """`elicitation/create`."""
        try:
            self._put(elicitation.read(name, _named(params), self._modes), events, is_over=is_over)
        except ValueError as error:
            self._refuse(name, INVALID_PARAMS, f"Invalid params: {error}")
            events.append(Noise(f"an elicitation that cannot be served: {error}"))

    def complete(self, params: schema.Params, events: list[Event]) -> None:
        """`elicitation/complete`."""
        if key := elicitation.completed(_named(params)):
            events.append(ElicitationDone(key))

    def withdraw(self, name: RequestId | UnsetType, events: list[Event]) -> None:
        """`$/cancel_request`: one that is not open has crossed our answer on its way."""
        if not isinstance(name, UnsetType) and self._open.drop(name):
            self._refuse(name, REQUEST_CANCELLED, "Request cancelled")
            events.append(AskWithdrawn(name))

    def _put(self, asked: Asked | Elicited, events: list[Event], *, is_over: bool) -> None:
        if is_over:
            self._reply(asked.request_id, cancelled(asked))
            events.append(Noise("a question of a turn that was cancelled: answered with cancelled"))
        elif not self._open.add(asked):
            self._refuse(asked.request_id, INVALID_REQUEST, "A request with this id is open already")
            events.append(Noise("a second question under the same id: refused"))
        else:
            events.append(asked)

    # What it is answered.

    def answer(self, name: RequestId, option_id: str | None) -> bool:
        """Answer with an option, or `cancelled`; False if it is not open. Raise ValueError for what was not offered."""
        result = self._open.settle(name, option_id)
        if result is not None:
            self._reply(name, result)
        return result is not None

    def fill(self, name: RequestId, result: dict[str, object]) -> bool:
        """Answer an elicitation with this result; False if it is not open."""
        is_open = self._open.drop(name)
        if is_open:
            self._reply(name, result)
        return is_open

    def _reply(self, name: RequestId, result: dict[str, object]) -> None:
        self._send({"id": name, "result": result})

    def _refuse(self, name: RequestId, code: int, message: str) -> None:
        self._send({"id": name, "error": {"code": code, "message": message}})


def _named(params: schema.Params) -> dict[str, object]:
    """Return the parameters that are an elicitation's, by the names that they have on the wire."""
    raw = {
        "mode": params.mode,
        "message": params.message,
        "requestedSchema": params.requested_schema,
        "url": params.url,
        "elicitationId": params.elicitation_id,
    }
    return {name: parse_raw(value) for name, value in raw.items()}
