"""What Discord answers when it says no: status, code and sentence, as documented for API v10."""

from __future__ import annotations

from typing import Any

__all__ = ["CODES", "OURS", "ApiError", "Limited", "invalid_form"]

CODES: dict[int, tuple[int, str]] = {
    0: (404, "404: Not Found"),
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10011: (404, "Unknown Role"),
    10013: (404, "Unknown User"),
    10014: (400, "Unknown Emoji"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    10063: (404, "Unknown application command"),
    30010: (400, "Maximum number of reactions reached (20)"),
    30034: (429, "Max number of daily application command creates has been reached (200)"),
    40001: (401, "Unauthorized. Provide a valid token and try again"),
    40005: (413, "Request entity too large"),
    40060: (400, "Interaction has already been acknowledged."),
    40062: (429, "Service resource is being rate limited."),
    50001: (403, "Missing Access"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50008: (400, "Cannot send messages in a non-text channel"),
    50013: (403, "Missing Permissions"),
    50016: (
        400,
        "Provided too few or too many messages to delete. Must provide at least 2 and fewer than 100 messages",
    ),
    50021: (403, "Cannot execute action on a system message"),
    50024: (400, "Cannot execute action on this channel type"),
    50027: (401, "Invalid Webhook Token"),
    50035: (400, "Invalid Form Body"),
    50083: (400, "Thread is archived"),
    50109: (400, "The request body contains invalid JSON."),
    130000: (503, "API resource is currently overloaded. Try again a little later"),
    160002: (400, "You cannot reply without permission to read message history"),
    160004: (400, "A thread has already been created for this message"),
    160005: (400, "Thread is locked"),
    200000: (400, "Message was blocked by automatic moderation"),
}
"""Code → its status and sentence."""

OURS = frozenset({40005, 40060, 50006, 50016, 50021, 50035, 50109})
"""Codes that no state of the world explains: the client asked for something that can never be right."""


class ApiError(Exception):
    """An answer that is an error. `code` is Discord's; status and sentence are the documented ones unless given."""

    def __init__(self, code: int, *, status: int | None = None, message: str = "", errors: Any = None) -> None:
        known = CODES.get(code, (400, f"Error {code}"))
        self.code = code
        self.status = known[0] if status is None else status
        self.message = message or known[1]
        self.errors = errors
        super().__init__(f"{self.status} {self.code} {self.message}{f' {errors}' if errors else ''}")

    def body(self) -> dict[str, Any]:
        """The JSON of the answer."""
        body: dict[str, Any] = {"message": self.message, "code": self.code}
        if self.errors:
            body["errors"] = self.errors
        return body


class Limited(Exception):
    """A limit inside a bucket was hit (renaming a channel is one): 429 with what is left to wait."""

    def __init__(self, retry_after: float) -> None:
        self.retry_after = retry_after
        super().__init__(f"limited for {retry_after:g} s")


def invalid_form(path: str, why: str, code: str = "BASE_TYPE_BAD_LENGTH") -> ApiError:
    """50035 for the field at `path` (dotted), in the nested shape that clients read."""
    errors: dict[str, Any] = {"_errors": [{"code": code, "message": why}]}
    for part in reversed(path.split(".")):
        errors = {part: errors}
    return ApiError(50035, errors=errors)
