"""Words of the fault agent that ask the client for something: permissions of every shape, and what nobody announced.

Each says what was answered: the option's id, the outcome, or the error's code.
"""

from __future__ import annotations

from tests.fakes.agent_turn import Answered, Cancelled, Json, RpcError, Turn, report
from tests.fakes.agent_words import Word

__all__ = ["ASKS"]

ONCE: Json = {"optionId": "ok-1", "name": "Allow once", "kind": "allow_once"}
ALWAYS: Json = {"optionId": "ok-all", "name": "Always allow", "kind": "allow_always"}
NO: Json = {"optionId": "no-1", "name": "Reject", "kind": "reject_once"}
NEVER: Json = {"optionId": "no-all", "name": "Always reject", "kind": "reject_always"}

# What each question offers; None leaves `options` out altogether.
QUESTIONS: dict[str, list[Json] | None] = {
    "ask": [ALWAYS, ONCE, NO, NEVER],
    "ask_no_always": [ONCE, NO],
    "ask_unknown_kinds": [{**ONCE, "kind": "allow_maybe"}, {**NO, "kind": "reject_kindly"}],
    "ask_without_kinds": [{"optionId": "a", "name": "Yes"}, {"optionId": "b", "name": "No"}],
    "ask_no_options": [],
    "ask_null_options": None,
    "ask_only_rejects": [NO, NEVER],
    "ask_only_always": [ALWAYS, NEVER],
    "ask_same_kind_twice": [{**ALWAYS, "optionId": "project"}, {**ALWAYS, "optionId": "user"}, ONCE, NO],
    "ask_plan_mode": [
        {"optionId": "bypassPermissions", "name": "Yes, and bypass permissions", "kind": "allow_always"},
        {"optionId": "default", "name": "Yes, and ask for each edit", "kind": "allow_once"},
        {"optionId": "plan", "name": "No, keep planning", "kind": "reject_once"},
    ],
}


def _question(turn: Turn, options: list[Json] | None, tool: Json | None = None) -> Json:
    call = tool or {"toolCallId": turn.tool("Run `make`", status="pending"), "title": "Run `make`"}
    return {"sessionId": turn.session, "toolCall": call, **({} if options is None else {"options": options})}


def _ask(turn: Turn, name: str) -> Json:
    answer = turn.request("session/request_permission", _question(turn, QUESTIONS[name]))
    report(turn, "answer", answer)
    return answer


def _question_word(name: str) -> Word:
    def word(turn: Turn, rest: str) -> None:
        _ask(turn, name)

    return word


def _ask_minimal(turn: Turn, rest: str) -> None:
    tool = turn.tool("Title told before", status="pending")
    question = _question(turn, [ONCE, NO], {"toolCallId": tool})
    report(turn, "answer", turn.request("session/request_permission", question))


def _ask_unseen(turn: Turn, rest: str) -> None:
    call: Json = {"toolCallId": turn.new_tool(), "title": "First seen here", "kind": "edit", "status": "pending"}
    report(turn, "answer", turn.request("session/request_permission", _question(turn, [ALWAYS, ONCE, NO], call)))
    turn.end_tool(call["toolCallId"])


def _ask_two(turn: Turn, rest: str) -> None:
    ids = [turn.wire.ask("session/request_permission", _question(turn, [ONCE, NO])) for _ in range(2)]
    for number, id in enumerate(ids, 1):
        report(turn, f"answer {number}", turn.wire.wait_for(id))
    turn.wait(0)


def _ask_after_end(turn: Turn, rest: str) -> None:
    turn.say("done, but:")
    turn.after.append(
        lambda: report(turn, "answer", turn.request("session/request_permission", _question(turn, [ONCE, NO])))
    )


def _ask_strict(turn: Turn, rest: str) -> None:
    answer = _ask(turn, "ask")
    if "no-" in str(answer.get("result")):
        raise Cancelled


def _ask_stuck(turn: Turn, rest: str) -> None:
    turn.wire.wait_for(turn.wire.ask("session/request_permission", _question(turn, QUESTIONS["ask"])))
    turn.from_now_on = RpcError({"code": -32603, "message": "A turn is already running"})
    raise Answered


def _same_id(turn: Turn, rest: str) -> None:
    answer = turn.request("session/request_permission", _question(turn, QUESTIONS["ask"]), turn.request_id)
    report(turn, "answer", answer)


def _dup_request_id(turn: Turn, rest: str) -> None:
    for _ in range(2):
        turn.wire.ask("session/request_permission", _question(turn, QUESTIONS["ask"]), "dup")
    for number in (1, 2):
        report(turn, f"answer {number}", turn.wire.wait_for("dup"))
    turn.wait(0)


REQUESTS: dict[str, tuple[str, Json]] = {
    "fs_write": ("fs/write_text_file", {"path": "/tmp/never", "content": "x"}),
    "fs_read": ("fs/read_text_file", {"path": "/etc/hostname"}),
    "terminal": ("terminal/create", {"command": "true", "args": []}),
    "elicit": ("elicitation/create", {"mode": "form", "message": "Your name?", "requestedSchema": {"type": "object"}}),
    "ext": ("craft/drainMidTurnQueue", {}),
}


def _request_word(method: str, params: Json) -> Word:
    def word(turn: Turn, rest: str) -> None:
        report(turn, method, turn.request(method, params))

    return word


_TAGS: list[Json] = [{"const": "a", "title": "Alpha"}, {"const": "b", "title": "Beta"}]
FORM: Json = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "title": "Your name", "minLength": 2, "maxLength": 20},
        "colour": {"type": "string", "enum": ["red", "blue"], "default": "blue"},
        "sure": {"type": "boolean", "title": "Are you sure"},
        "count": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
        "tags": {"type": "array", "items": {"anyOf": _TAGS}},
        "note": {"type": "string"},
    },
    "required": ["name", "sure"],
}
URL: Json = {"mode": "url", "elicitationId": "e1", "url": "https://example.org/login?x=1", "message": "Please log in."}


def _elicit_form(turn: Turn, rest: str) -> None:
    params = {"sessionId": turn.session, "mode": "form", "message": "Tell me.", "requestedSchema": FORM}
    report(turn, "form", turn.request("elicitation/create", params))


def _elicit_url(turn: Turn, rest: str) -> None:
    answer = turn.request("elicitation/create", {"sessionId": turn.session, **URL})
    report(turn, "url", answer)
    for name in ("unknown", "e1", "e1"):
        turn.wire.send({"method": "elicitation/complete", "params": {"elicitationId": name}})


def _notify_ext(turn: Turn, rest: str) -> None:
    for method in ("_auth/status_update", "qwen/notify/session/mode-update"):
        turn.wire.send({"method": method, "params": {"state": "fine"}})
    turn.say("notified")


ASKS: dict[str, Word] = {
    "ask_minimal": _ask_minimal,
    "ask_unseen": _ask_unseen,
    "ask_two": _ask_two,
    "ask_after_end": _ask_after_end,
    "ask_strict": _ask_strict,
    "ask_stuck": _ask_stuck,
    "same_id": _same_id,
    "dup_request_id": _dup_request_id,
    "elicit_form": _elicit_form,
    "elicit_url": _elicit_url,
    "notify_ext": _notify_ext,
    **{name: _question_word(name) for name in QUESTIONS},
    **{name: _request_word(method, params) for name, (method, params) in REQUESTS.items()},
}
