"""The protocol without I/O: `AcpPeer` is one ACP session of one agent process.

Methods append to `outgoing`, `receive` turns bytes into events: whoever owns the pipes moves both. No clock, no
logging, no threads: a peer is confined to the thread of its session.

What an agent sends never raises, but for two things after which there is no talking on (AgentProtocolError): a line
longer than the limit, and another version of the protocol. Everything that wants an answer gets exactly one: permission
requests when `answer`, `cancel`, `close` or the end of the turn settles them, all else at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import UNSET

from ..errors import AgentProtocolError, AgentRefused, IllegalTransition
from . import answers, convert, schema
from .convert import error_from
from .events import (
    Answered,
    AskWithdrawn,
    AuthMethod,
    Command,
    Event,
    Failed,
    Noise,
    Option,
    OptionsChanged,
    RequestId,
)
from .inquiries import Inquiries
from .news import SessionNews
from .noise import Noises
from .options import Order, order
from .outgoing import Capabilities, choose, to_wire
from .salvage import SAMPLE, Loss, fit, parse_raw
from .schema import Block, McpServer
from .stream import gather
from .wire import Item, LineBuffer, decode, encode

__all__ = ["PROTOCOL_VERSION", "AcpPeer", "error_from"]

PROTOCOL_VERSION = 1
"""The only version spoken. An integer: agents reject anything else."""

INVALID_REQUEST, NO_SUCH_METHOD, REQUEST_CANCELLED = -32600, -32601, -32800


@dataclass(frozen=True, slots=True)
class _Pending:
    """A request of ours without an answer: `session_id` is what it brings back, `order` what it sets."""

    method: str
    session_id: str | None = None
    order: Order | None = None


class AcpPeer:
    """Our side of one ACP session. Session thread only; no method blocks."""

    __slots__ = ("_cancelling", "_closed", "_elicits", "_inquiries", "_lines", "_news", "_next_id", "_noises",
                 "_opening", "_pending", "_version", "agent_name", "agent_title", "agent_version", "auth_methods",
                 "capabilities", "left_out", "outgoing", "prompt_id")  # fmt: skip

    def __init__(self, *, version: str = "0", elicits: tuple[str, ...] = ()) -> None:
        """`elicits`: the modes of elicitation that are served, of "form" and "url"."""
        self.outgoing = bytearray()  # lines for the agent; the connection takes them from the front
        self.agent_name = self.agent_title = self.agent_version = ""
        self.capabilities = Capabilities()
        self.auth_methods: tuple[AuthMethod, ...] = ()
        self.prompt_id: int | None = None  # the prompt in flight: there is never a second one
        self.left_out: tuple[str, ...] = ()  # MCP servers that the last opening request could not name to this agent
        self._version = version
        self._elicits = elicits
        self._lines = LineBuffer()
        self._next_id = 1
        self._pending: dict[int, _Pending] = {}
        self._opening: int | None = None  # the new, load or resume in flight: until its answer updates are kept
        self._cancelling = False  # cancel was sent: questions that crossed it on the way are answered at once
        self._closed = False
        self._noises = Noises()
        self._inquiries = Inquiries(self._send, self._noises, elicits)
        self._news = SessionNews(self._noises)

    def __repr__(self) -> str:
        waiting = ",".join(f"{name}:{one.method}" for name, one in self._pending.items())
        # Whoever knows a session's id can resume it: it is not shown.
        session = "none" if self.session_id is None else "open"
        return f"<AcpPeer {self.agent_name or '?'} session={session} pending={waiting or '-'}>"

    @property
    def session_id(self) -> str | None:
        """The agent's name for the session, None until it is open."""
        return self._news.session_id

    @property
    def commands(self) -> tuple[Command, ...]:
        """The agent's own slash commands."""
        return self._news.commands

    @property
    def options(self) -> tuple[Option, ...]:
        """All that can be set in this session, as it is now."""
        return self._news.book.options

    @property
    def open_questions(self) -> tuple[RequestId, ...]:
        """The ids of permission requests that wait for `answer`."""
        return self._inquiries.ids

    # Requests: each returns the id that Answered or Failed will carry.

    def initialize(self) -> int:
        """Shake hands. Nothing is advertised that is not served: no files, no terminals."""
        able: dict[str, object] = {"fs": {"readTextFile": False, "writeTextFile": False}, "terminal": False}
        if self._elicits:
            able["elicitation"] = {mode: {} for mode in self._elicits}
        return self._request(
            "initialize",
            {
                "protocolVersion": PROTOCOL_VERSION,
                "clientCapabilities": able,
                "clientInfo": {"name": "openab-sync", "title": "openab-sync", "version": self._version},
            },
        )

    def authenticate(self, method_id: str) -> int:
        """Log in the way the agent handles itself. Raise AgentRefused for one that needs a terminal."""
        method = next((one for one in self.auth_methods if one.id == method_id), None)
        if method is not None and method.kind == "terminal":
            raise AgentRefused(f"logging in by {method.name or method.id} needs a terminal")
        return self._request("authenticate", {"methodId": method_id})

    def logout(self) -> int:
        """Forget who is logged in."""
        return self._request("logout", {})

    def new_session(self, cwd: str, mcp_servers: Sequence[McpServer] = ()) -> int:
        """Begin a session in `cwd` (absolute)."""
        return self._open("session/new", None, cwd, mcp_servers)

    def load_session(self, session_id: str, cwd: str, mcp_servers: Sequence[McpServer] = ()) -> int:
        """Bring a session back; the history that the agent replays is swallowed. Needs the capability `load`."""
        self._need(self.capabilities.load, "session/load")
        return self._open("session/load", session_id, cwd, mcp_servers)

    def resume_session(self, session_id: str, cwd: str, mcp_servers: Sequence[McpServer] = ()) -> int:
        """Bring a session back without a replay. Needs the capability `resume`."""
        self._need(self.capabilities.resume, "session/resume")
        return self._open("session/resume", session_id, cwd, mcp_servers)

    def list_sessions(self, cwd: str | None = None, cursor: str | None = None) -> int:
        """Ask which sessions the agent remembers. Needs the capability `list`."""
        self._need(self.capabilities.list, "session/list")
        wanted = {"cwd": cwd, "cursor": cursor}
        return self._request("session/list", {name: value for name, value in wanted.items() if value is not None})

    def close_session(self) -> int:
        """Tell the agent that this session may rest. Needs the capability `close`."""
        self._need(self.capabilities.close, "session/close")
        return self._request("session/close", {"sessionId": self._session()})

    def delete_session(self, session_id: str) -> int:
        """Have the agent forget a session. Needs the capability `delete`."""
        self._need(self.capabilities.delete, "session/delete")
        return self._request("session/delete", {"sessionId": session_id})

    def prompt(self, blocks: Sequence[Block]) -> int:
        """Begin a turn. Raise IllegalTransition while one is running: no two agents agree on what a second one does."""
        if self.prompt_id is not None:
            raise IllegalTransition(f"prompt {self.prompt_id} has no answer yet")
        content = to_wire(blocks, self.capabilities)
        self.prompt_id = self._request("session/prompt", {"sessionId": self._session(), "prompt": content})
        self._cancelling = False
        return self.prompt_id

    def set_option(self, option_id: str, value: str | bool) -> int:
        """Set an option, by whichever request this agent wants for it. Raise AgentRefused for what is not offered."""
        wanted = order(self.options, option_id, value)
        params = {"sessionId": self._session(), **wanted.params}
        return self._request(wanted.method, params, _Pending(wanted.method, order=wanted))

    # What needs no answer.

    def cancel(self) -> None:
        """Ask the agent to end its turn, and answer all its open questions with `cancelled`."""
        self._send({"method": "session/cancel", "params": {"sessionId": self._session()}})
        self._cancelling = self.prompt_id is not None
        for name in self.open_questions:
            self.answer(name, None)

    def cancel_request(self, name: int) -> None:
        """Tell the agent that nobody waits for the answer to this request any more; it may answer all the same."""
        self._send({"method": "$/cancel_request", "params": {"requestId": name}})

    def answer(self, request_id: RequestId, option_id: str | None) -> bool:
        """Answer a question with one of its options, or `cancelled`; False if it has its answer already.

        Raise ValueError for an option that was not offered; nothing is sent then and the question stays open.
        """
        return self._inquiries.answer(request_id, option_id)

    def fill(self, request_id: RequestId, result: dict[str, object]) -> bool:
        """Answer an elicitation (`elicitation.accept`, DECLINE, CANCEL); False if it has its answer already."""
        return self._inquiries.fill(request_id, result)

    def abandon(self, name: int) -> None:
        """Stop waiting for the answer to a request of ours: whenever it comes, it changes nothing."""
        self._pending.pop(name, None)
        if name == self.prompt_id:
            self.prompt_id, self._cancelling = None, False
        if name == self._opening:
            self._fail_opening()

    def close(self) -> None:
        """Settle all that is open: this session ends. What still arrives is refused at once, never left waiting."""
        for name in self.open_questions:
            self.answer(name, None)
        self._closed = True

    # Bytes to events.

    def receive(self, data: bytes) -> list[Event]:
        """Return what these bytes complete, in the order the agent said it; text that belongs together is joined.

        Raise AgentProtocolError for a line beyond the limit or another version of the protocol: the session is over.
        """
        block = self._lines.feed(data)
        events: list[Event] = []
        if block:
            gather(decode(block), self.session_id, events, self._take)
        return events

    def _take(self, item: Item, events: list[Event]) -> None:
        if isinstance(item, schema.Frame):
            # The method decides first: a request of theirs may have the same id as one of ours.
            if item.method is not None:
                self._take_call(item.method, item, events)
            elif item.id is not UNSET:
                self._take_response(item.id, item, events)
            else:
                events.append(Noise("neither a request nor a notification nor a response"))
        elif isinstance(item, schema.Invalid):
            self._refuse(item.id, INVALID_REQUEST, "Invalid request")
            events.append(Noise(item.what, item.sample))
        else:
            self._noises.tell([item], events)

    def _take_call(self, method: str, frame: schema.Frame, events: list[Event]) -> None:
        params = frame.params or schema.Params()
        name = None if frame.id is UNSET else frame.id
        if method == "session/update":
            self._news.take(params, events)
            if name is not None:  # an agent that numbers its updates may wait for an answer
                self._reply(name, None)
        elif method == "$/cancel_request":
            self._inquiries.withdraw(params.request_id, events)
            if name is not None:
                self._reply(name, None)
        elif method == "elicitation/complete" and frame.id is UNSET:
            self._inquiries.complete(params, events)
        elif frame.id is UNSET:
            self._noises.once("notification", method, Noise(f"unknown notification {method[:80]}"), events)
        elif method == "session/request_permission":
            self._inquiries.question(name, params, events, is_over=self._cancelling or self._closed)
        elif method == "elicitation/create" and self._elicits:
            self._inquiries.elicitation(name, params, events, is_over=self._cancelling or self._closed)
        elif self._closed:
            self._refuse(name, REQUEST_CANCELLED, "The session is closing")
        else:
            self._refuse(name, NO_SUCH_METHOD, f"Method not found: {method[:80]}")
            self._noises.once("request", method, Noise(f"unknown request {method[:80]}: refused"), events)

    # Responses.

    def _take_response(self, name: RequestId, frame: schema.Frame, events: list[Event]) -> None:
        known = int(name) if isinstance(name, int | float) and name == int(name) else 0  # none of ours has the id 0
        pending = self._pending.pop(known, None)
        error = parse_raw(frame.error)
        if pending is None:
            text = "" if error is None else convert.error_of(error)[1]
            events.append(Noise(f"a response that nobody waits for: id {str(name)[:80]}", text))
            return
        result = parse_raw(frame.result)
        if result is not None and not isinstance(result, dict):
            events.append(Noise(f"a result of {pending.method} that is no object", str(result)[:SAMPLE]))
        answer: dict[str, object] = result if isinstance(result, dict) else {}
        if known == self.prompt_id:
            self._end_turn(events)
        if error is not None:
            if known == self._opening:
                self._fail_opening()
            events.append(Failed(known, pending.method, *convert.error_of(error)))
        elif pending.method == "initialize":
            self._take_initialize(known, answer, events)
        elif known == self._opening:
            self._take_session(known, pending, answer, events)
        else:
            self._take_answer(known, pending, answer, events)

    def _take_initialize(self, name: int, answer: dict[str, object], events: list[Event]) -> None:
        losses: list[Loss] = []
        result = fit(answer, answers.InitializeResult, losses) or answers.InitializeResult()
        if result.protocol_version != PROTOCOL_VERSION:
            theirs = str(answer.get("protocolVersion", "none"))[:80]
            raise AgentProtocolError(
                f"the agent speaks version {theirs} of the Agent Client Protocol, openab-sync speaks {PROTOCOL_VERSION}"
            )
        who = result.agent_info or answers.AgentInfo()
        self.agent_name, self.agent_title, self.agent_version = who.name or "", who.title or "", who.version or ""
        self.capabilities = convert.capabilities(result.agent_capabilities)
        self.auth_methods = convert.auth_methods(result.auth_methods)
        self._noises.tell(losses, events)
        events.append(Answered(name, "initialize", answer))

    def _take_session(self, name: int, pending: _Pending, answer: dict[str, object], events: list[Event]) -> None:
        self._opening = None
        given = answer.get("sessionId")
        owner = pending.session_id or (given if isinstance(given, str) and given else None)
        if owner is None:
            self._news.give_up()
            events.append(Failed(name, pending.method, -32603, "the agent answered without a session id", answer))
        else:
            self._news.begin(owner, answer, Answered(name, pending.method, answer), events)

    def _take_answer(self, name: int, pending: _Pending, answer: dict[str, object], events: list[Event]) -> None:
        before = self.options
        if pending.order is not None:
            self._news.obey(pending.order, answer, events)
        ended = convert.stop_reason(pending.method, answer)
        if ended and (usage := convert.usage_of_result(answer)) is not None:
            events.append(usage)
        tokens = convert.output_tokens(answer) if ended else None
        events.append(Answered(name, pending.method, answer, ended, tokens))
        if self.options != before:
            events.append(OptionsChanged(self.options))

    def _end_turn(self, events: list[Event]) -> None:
        """No prompt is in flight any more: nobody waits for answers to the questions of its turn."""
        self.prompt_id, self._cancelling = None, False
        for name in self.open_questions:
            self.answer(name, None)
            events.append(AskWithdrawn(name, turn_ended=True))

    # Sessions.

    def _open(self, method: str, session_id: str | None, cwd: str, servers: Sequence[McpServer]) -> int:
        if self._opening is not None:
            raise IllegalTransition(f"{method} while request {self._opening} is opening a session")
        chosen, self.left_out = choose(servers, self.capabilities)
        params: dict[str, object] = {"cwd": cwd, "mcpServers": chosen}
        if session_id is not None:
            params["sessionId"] = session_id
        self._news.expect(session_id)
        self._opening = self._request(method, params, _Pending(method, session_id))
        return self._opening

    def _fail_opening(self) -> None:
        self._opening = None
        self._news.give_up()

    def _session(self) -> str:
        if self.session_id is None:
            raise IllegalTransition("there is no session yet")
        return self.session_id

    def _need(self, able: bool, method: str) -> None:
        if not able:
            raise IllegalTransition(f"{method} was not announced by this agent")

    # Lines out, and what is told of lines in.

    def _request(self, method: str, params: dict[str, object], pending: _Pending | None = None) -> int:
        name = self._next_id
        self._next_id += 1
        self._pending[name] = pending or _Pending(method)
        self._send({"id": name, "method": method, "params": params})
        return name

    def _reply(self, name: RequestId, result: dict[str, object] | None) -> None:
        self._send({"id": name, "result": result})

    def _refuse(self, name: RequestId, code: int, message: str) -> None:
        self._send({"id": name, "error": {"code": code, "message": message}})

    def _send(self, message: dict[str, object]) -> None:
        self.outgoing += encode({"jsonrpc": "2.0", **message})
