"""Who may see and do what over HTTP: the token, the page's one-time links and cookies, hosts, and a token per change.

    Access.OPEN     anybody                                    /healthz, /readyz, the way in
    Access.STATE    anybody on this machine; else a key         figures, and what every session is doing
    Access.CONTENT  a key                                      what was said
    Access.CHANGE   a key; a page's also its token for changes  cancel, reset, write, answer

A key is the bearer token or the cookie that a one-time link has set. Hosts are checked because a page anywhere may have
its own name point at this machine (DNS rebinding): numbers and names that are ours pass.

**Threads**: any; nothing here blocks. `_codes` is changed in single steps of a dict, so that a link works once.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlsplit

from itsdangerous import BadSignature, TimestampSigner

from ..clock import Clock
from .listen import Address, is_address

__all__ = ["CHANGES_HEADER", "Access", "Caller", "Guard", "Knock", "Refusal"]

CHANGES_HEADER = "X-Openab-Token"  # what a change from the page carries
LINK_SECONDS = 600.0  # a one-time link that nobody has followed
COOKIE_SECONDS = 7 * 86400
NO_KEY = "A token is needed: `Authorization: Bearer …`, or a link of `openab-sync status --link`."
WRONG_KEY = "That token is not the one in [status] token, or in the file status.token in the store's folder."
MOST_CODES = 16  # links that nobody has followed yet: the oldest goes first


class Access(Enum):
    """What a route shows or does."""

    OPEN = "open"
    STATE = "state"
    CONTENT = "content"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Knock:
    """What a request says about where it comes from: headers, "" where there is none."""

    host: str = ""
    authorization: str = ""
    cookie: str = ""
    changes: str = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `visit` names a page's visit, "" for who has the token or nothing."""

    has_key: bool = False
    visit: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """No, and why."""

    code: int
    sentence: str


class Guard:
    """At the door of one status server."""

    def __init__(self, token: str, address: Address, clock: Clock, *, names: Collection[str] = ()) -> None:
        """`names` are hosts that it may be called by, besides numbers and `localhost`."""
        self.address = address
        self.cookie_name = f"openab_sync_{address.port}"  # cookies know no ports: two servers must not share one
        self._clock = clock
        self._names = {"localhost", address.host.lower(), *(name.lower() for name in names)}
        self._token = hashlib.sha256(token.encode()).digest()
        self._key = hmac.digest(token.encode(), b"openab-sync status", "sha256")
        self._signer = TimestampSigner(self._key, salt="visit", digest_method=hashlib.sha256)
        self._codes: dict[bytes, float] = {}  # digest of a link's code → when it is over

    def __repr__(self) -> str:
        return f"<Guard {self.address.host}:{self.address.port}>"

    # Asking.

    def judge(self, knock: Knock, access: Access) -> Caller | Refusal:
        """Return who asks, or why the answer is no."""
        if not self._is_ours(knock.host):
            return Refusal(421, f'This server does not go by the name of "{knock.host[:80]}": see [status] hosts.')
        caller = self._caller(knock)
        if isinstance(caller, Refusal) and access is not Access.OPEN:
            return caller
        caller = caller if isinstance(caller, Caller) else Caller()
        is_free = access is Access.OPEN or (access is Access.STATE and self.address.is_loopback)
        if not caller.has_key and not is_free:
            return Refusal(401, NO_KEY)

        if access is Access.CHANGE and caller.visit and not _same(knock.changes, self.token_for_changes(caller.visit)):
            return Refusal(403, f"A change from the page carries its own token in the header {CHANGES_HEADER}.")
        return caller

    def token_for_changes(self, visit: str) -> str:
        """Return what each change of this visit has to carry."""
        return hmac.digest(self._key, b"changes " + visit.encode(), "sha256").hex()

    # The way in for a page.

    def make_link(self) -> str:
        """Return an address that lets one browser in, once, within ten minutes."""
        now = self._clock.monotonic()
        for code, over_at in list(self._codes.items()):
            if over_at <= now:
                self._codes.pop(code, None)
        for code in list(self._codes)[: max(0, len(self._codes) - MOST_CODES + 1)]:
            self._codes.pop(code, None)
        secret = secrets.token_urlsafe(24)
        self._codes[_digest(secret)] = now + LINK_SECONDS
        return f"{self.address.url}/enter/{secret}"

    def enter(self, secret: str) -> str | None:
        """Return the cookie for who has followed a link; None if that was used before, or is too old."""
        over_at = self._codes.pop(_digest(secret), 0.0)
        if self._clock.monotonic() >= over_at:
            return None
        return self._signer.sign(secrets.token_hex(16)).decode()

    # How it is done.

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return is_address(name) or name in self._names

    def _caller(self, knock: Knock) -> Caller | Refusal:
        if knock.authorization:
            scheme, _, given = knock.authorization.partition(" ")
            is_right = hmac.compare_digest(_digest(given.strip()), self._token)
            if scheme.lower() == "bearer" and is_right:
                return Caller(has_key=True)
            return Refusal(401, WRONG_KEY)
        if knock.cookie:
            try:
                visit = self._signer.unsign(knock.cookie, max_age=COOKIE_SECONDS).decode()
            except BadSignature:  # too old, or of another token: as if there were none
                return Caller()
            return Caller(has_key=True, visit=visit)
        return Caller()


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(_digest(given), _digest(wanted))
