"""What Discord says when something does not work, in our words: the one place where its errors become ours.

A code that Discord gives says more than its HTTP status. Each known one has a sentence for people that says who can do
what about it; where nobody can but an administrator, that is said. Pure, but for what discord.py's exceptions are.
"""

from __future__ import annotations

import asyncio

import aiohttp
import discord

from ...errors import ChatError, ChatRefused, ChatTimeout, ConfigError

__all__ = ["UNREADABLE", "explain", "is_forbidden", "is_gone", "is_passing", "outage", "unusable"]


UNKNOWN_CHANNEL, UNKNOWN_MESSAGE = 10003, 10008
NO_ACCESS, NO_PERMISSION = 50001, 50013
TOO_LARGE = 40005
UNREADABLE = "an administrator has to give my role the permission “Read Message History” in this channel"

# Code: what people are told. "{what}" is what was tried.
SENTENCES = {
    10003: "This channel or thread does not exist any more.",
    10008: "This message does not exist any more.",
    10062: "This interaction is too old: please try again.",
    15027: "This interaction is too old: please try again.",
    30010: "This message has as many different reactions as Discord allows.",
    30013: "This server has as many members as Discord allows.",
    40005: "The file is larger than this server allows.",
    40060: "This interaction has been answered already.",
    50001: "I cannot see this channel: an administrator has to give my role the permission “View Channel” here.",
    50006: "Discord takes no empty message.",
    50007: "I cannot send direct messages to this person: their privacy settings forbid it.",
    50013: "I may not {what} here: an administrator has to give my role the permission for it in this channel.",
    50035: "Discord does not accept this message.",
    50083: "This thread is archived: a message opens it again, or a moderator if it is locked.",
    50086: "This thread is archived and locked: a moderator has to open it again.",
    90001: "I may not react to this person's messages: they have blocked me.",
    160002: "I may not reply here: an administrator has to give my role the permission “Read Message History”.",
    160004: "This message has a thread already.",
    160005: "This thread is locked: a moderator has to unlock it.",
    160006: "This server has as many open threads as Discord allows: close one.",
    200000: "This server's AutoMod does not let this message through.",
    200001: "This server's AutoMod does not let this title through.",
}

# Close codes of the gateway that no trying again mends.
CLOSED_FOR_GOOD = {
    4004: "Discord does not accept the token",
    4010: "Discord does not know the shard",
    4011: "the bot is in too many servers for one connection",
    4012: "Discord does not speak this version of its API any more",
    4013: "Discord does not know the intents",
    4014: "the bot may not read messages",
}

PORTAL = "https://discord.com/developers/applications"


def explain(error: BaseException, what: str) -> ChatError:
    """Return `error` as one of ours; `what` was tried ("send messages"). A ChatError is returned as it is."""
    if isinstance(error, ChatError):
        return error
    if isinstance(error, discord.HTTPException):
        return _answered(error, what)
    if isinstance(error, discord.RateLimited):
        return ChatTimeout(f"Discord wants us to wait {error.retry_after:.0f} s before we {what} again.")
    if is_passing(error):
        return ChatTimeout(f"Discord could not be reached: {_reason(error)}")
    return ChatError(f"Discord: {_reason(error)}")


def _answered(error: discord.HTTPException, what: str) -> ChatError:
    if is_passing(error):
        return ChatTimeout(f"Discord is out of order: it answered {error.status}.")
    sentence = SENTENCES.get(error.code, "").format(what=what)
    if not sentence:
        detail = " ".join(error.text.split())[:200]
        sentence = f"Discord refused to {what}: {detail or error.status} (code {error.code})."
    return ChatRefused(sentence)


def is_passing(error: BaseException) -> bool:
    """Whether it may work if it is tried again: a cut connection, a server out of order, a proxy's ban."""
    if isinstance(error, discord.HTTPException):
        return error.status >= 500 or error.status == 429
    return isinstance(error, (aiohttp.ClientError, OSError, asyncio.TimeoutError))


def is_forbidden(error: BaseException) -> bool:
    """Whether asking again soon in that place is sure to be refused again, and counted against us.

    What is refused because of a person or of one message (90001, 50007 …) says nothing about the next.
    """
    if not isinstance(error, discord.HTTPException):
        return False
    return error.status == 401 or (error.status == 403 and error.code in (NO_ACCESS, NO_PERMISSION))


def is_gone(error: BaseException, code: int = UNKNOWN_CHANNEL) -> bool:
    """Whether that which was meant (`code` says what) does not exist any more."""
    return isinstance(error, discord.HTTPException) and error.code == code


def unusable(error: BaseException, application: int | None = None) -> ConfigError | None:
    """Return the sentence for what only the operator can mend; None for what may pass by itself."""
    if isinstance(error, discord.LoginFailure):
        return ConfigError(
            "Discord does not accept the token",
            key="discord.bot_token",
            hint=f"make a new one with “Reset Token” on the page “Bot” of your application at {PORTAL}",
        )
    code = 4014 if isinstance(error, discord.PrivilegedIntentsRequired) else None
    if isinstance(error, discord.ConnectionClosed):
        code = error.code
    if code not in CLOSED_FOR_GOOD:
        return None
    page = f"{PORTAL}/{application}/bot" if application else PORTAL
    hints = {
        4004: f"make a new one with “Reset Token” at {page}",
        4010: "look at [discord] shard_ids and shard_count",
        4011: "set [discord] shard_count",
        4014: f"switch on “Message Content Intent” at {page}, save, and start again",
    }
    return ConfigError(CLOSED_FOR_GOOD[code], key="discord", hint=hints.get(code, "openab-sync is too old: update it"))


def outage(error: BaseException) -> str:
    """Return in a few words why there is no connection: for a log, told once as long as it stays the same."""
    if isinstance(error, discord.HTTPException):
        return f"Discord answered {error.status}"
    if isinstance(error, discord.ConnectionClosed):
        return f"Discord closed the connection with code {error.code}"
    if isinstance(error, discord.GatewayNotFound):
        return "Discord does not say where its gateway is"
    if isinstance(error, asyncio.TimeoutError):
        return "no answer in time"
    return _reason(error)


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__
