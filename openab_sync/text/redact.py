"""Redact: secrets out of whatever leaves: replies, files, questions, logs, errors, exports.

Two nets: values known to be secret (from the configuration and the environment), and the shapes of well-known keys.
Shapes are looked for where a run of characters is long enough to be a key and nowhere else, so ordinary text costs some
nanoseconds a character. Every pattern starts at the head of a token and repeats without alternatives: time is linear.

`Redactor` takes a text as a whole; for one that comes in pieces there is `veil`. This room is a second net: it cannot
know every secret, and does not replace not showing things.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

__all__ = ["PEM_END", "PEM_END_ROOM", "REDACTED", "SHORTEST", "TELLING", "Redactor", "looks_secret"]

REDACTED = "[redacted]"

TELLING = 3
"""So many characters of a secret at the end of a text are held back: fewer tell nothing, and every other word's last
letter would be among them."""

SHORTEST = 8
"""Shorter values are words: hiding them would make holes in innocent text and tell what they are."""

# Of a value that spans lines each line is one, from this length: quoted, it is never whole.
_SHORTEST_LINE = 16

_SECRET_NAME = re.compile(
    r"(?:TOKENS?|KEYS?|SECRETS?|PASSWORDS?|PASSWD|PASSPHRASE|CREDENTIALS?|(?:^|[_-])AUTH)(?:[_-]|\d|$)",
    re.IGNORECASE,
)

_PEM = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r".*?(?P<end>-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.DOTALL,
)
_PEM_BEGIN = re.compile(r"-{3,5}B?E?G?I?N?\Z")  # perhaps the first word of one
_PEM_BEGIN_ROOM = 10
PEM_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
PEM_END_ROOM = 80
"""Characters that the end of a private key has at most."""
_PEM_HEAD = re.compile(r"-----BEGIN [A-Z0-9 ]{0,60}-{0,5}\Z")
# user:password@ of an address
_LOGIN = re.compile(r"(?P<kept>://)[^\s/@:?#]{0,200}:[^\s/@]{1,1000}(?=@)")
_LOGIN_HEAD = re.compile(r"://[^\s/@]{0,1201}\Z")
_LOGIN_ROOM = 1300
# Inside of one run of _RUN's characters; what stands before a run is none of them.
_KEYS = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"sk-[A-Za-z0-9_-]{16,}"  # OpenAI, Anthropic and those who imitate them
    r"|gh[opusr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,}|glpat-[A-Za-z0-9_-]{16,}"
    r"|xox[a-z]-[A-Za-z0-9-]{8,}|xapp-[A-Za-z0-9-]{8,}"  # Slack
    r"|A(?:KIA|SIA)[A-Z0-9]{16}(?![A-Za-z0-9])"  # AWS
    r"|AIza[A-Za-z0-9_-]{35,}"  # Google
    r"|(?<![_-])eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*"  # JSON Web Token
    # Discord: id, time, signature. An id is digits, and digits in base64 begin like this.
    r"|(?<![_-])[MNO][DTjz][A-Za-z0-9_-]{21,26}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}"
    r")"
)
_BEARER = re.compile(r"(?<![A-Za-z0-9])(?i:bearer)[ \t]{1,4}\Z")
_BEARER_HEAD = re.compile(r"(?<![A-Za-z0-9])(?i:bearer)[ \t]{0,4}\Z")
_BEARER_ROOM = 11
_CARRIED = re.compile(r"(?=[A-Za-z._~+/=-]{0,100}[0-9])[A-Za-z0-9._~+/=-]{16,}")  # what a bearer carries

# How a key may begin, as far as it can be told from a word; for the end of a text that is not finished.
_HEADS = ("sk-", "github_pat_", "glpat-", "xapp-", "AKIA", "ASIA", "AIza", "eyJ",
          *(f"gh{kind}_" for kind in "opusr"))  # fmt: skip
_HEAD = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    + "|".join(f"{head}[A-Za-z0-9._-]*" for head in _HEADS)
    + r"|xox(?:[a-z](?:-[A-Za-z0-9-]*)?)?|[MNO][DTjz][A-Za-z0-9._-]+|(?i:bea|bear|beare|bearer)|"
    + "|".join(sorted({head[:size] for head in _HEADS for size in range(TELLING, len(head))}))
    + r")\Z"
)

# What is left of a key that was cut off: so much of it that it is no word.
_STUMP = re.compile(
    r"(?<![A-Za-z0-9])(?:" + "|".join(f"{head}[A-Za-z0-9._-]{{6,}}" for head in (*_HEADS, "xox[a-z]-"))
    + r"|[MNO][DTjz][A-Za-z0-9_-]{22,}[A-Za-z0-9._-]*)\Z"
)  # fmt: skip
_STUMP_ROOM = 500

_RUN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~+/=-"
# Where one of these stands in a run there may be a key; which one, and whether, `_KEYS` says.
_KEY = re.compile(r"sk-|gh[opusr]_|github_pat_|glpat-|xox[a-z]-|xapp-|A(?:KIA|SIA|Iza)|eyJ|[MNO][DTjz]")
_FLAT = bytes(0x61 if chr(code) in _RUN else 0x20 for code in range(256))
_SHORTEST_KEY = 13  # the shortest of _KEYS
# Each key has one of these (what a bearer carries has a digit). In a long text it is found out in no time that there is
# none, as in one of another script; where there is one the first few will do.
_SIGNS = "-I_0123456789JMNO"
_LONG_TEXT = 1000  # from here on that pays
_LONG = b"\x61" * _SHORTEST_KEY

# What is met most comes first, and what is not in here is rarer still. That one character is missing in a text is found
# out a hundred times as fast as that a word is.
_MET = " etaoinshrdlcumwfgypbvkqxjz"


class Redactor:
    """Replaces secrets in a text by `[redacted]`. Immutable; callable from any thread; never blocks.

    `secrets` are values to hide wherever they stand, also as they look in JSON and in an address, and each longer line
    of one that has several; those below 8 characters are ignored.
    """

    __slots__ = ("_given", "_heads", "_longest", "_marks", "values")

    def __init__(self, secrets: Iterable[str] = (), beyond: Redactor | None = None) -> None:
        """`beyond`: one that hides some already."""
        given = {secret for value in secrets if len(secret := value.strip()) >= SHORTEST}
        looks = {look for value in given for look in _looks(value)}
        if beyond is not None:
            looks.update(beyond.values)
        self._given: tuple[str, ...] = (*given, *(beyond._given if beyond is not None else ()))
        self.values: tuple[str, ...] = tuple(sorted(looks, key=lambda value: (-len(value), value)))
        self._heads = tuple((value[:TELLING], value) for value in self.values)
        self._longest = len(self.values[0]) if self.values else 1
        self._marks = tuple((_rarest(value[:SHORTEST]), value[:SHORTEST], value) for value in self.values)

    def __repr__(self) -> str:
        return f"<Redactor secrets={len(self._given)}>"

    def also(self, *secrets: str) -> Redactor:
        """Return a redactor that hides these as well. Cheap: every session has one, and every turn."""
        new = [secret for secret in secrets if secret and secret not in self._given]
        return Redactor(new, self) if new else self

    def _known(self) -> re.Pattern[str]:
        """What finds all values. Made when one is found, which is rare: it costs more than all the looking."""
        # Our own mark comes first: a secret that is part of it must not tear it up.
        return re.compile("|".join(map(re.escape, [REDACTED, *self.values])))

    def __call__(self, text: str) -> str:
        """Return `text` with every secret replaced. Doing it again changes nothing."""
        if len(text) <= TELLING:
            return text
        for mark, _, value in self._marks:
            if mark in text and value in text:
                text = self._known().sub(REDACTED, text)
                break
        if "@" in text and "://" in text:
            text = _LOGIN.sub(_hidden, text)
        if "-" in text and "-----BEGIN " in text:
            text = _PEM.sub(REDACTED, text)
        text = _without_keys(text)
        return self._without_stumps(text) if "…" in text else text

    def is_clean(self, text: str) -> bool:
        """Whether nothing would be hidden of `text`, nor of any part of it, wherever it is cut; False if in doubt.

        So texts can be put together and be looked at once. Nor has it the first 8 characters of a known secret.
        """
        for mark, head, _ in self._marks:
            if mark in text and head in text:
                return False
        if "…" in text or ("@" in text and "://" in text) or ("-" in text and "-----BEGIN " in text):
            return False
        flat = _flat(text)
        return not flat or not any(_KEY.search(run) or _is_behind_bearer(text, at) for at, run in _runs(text, flat))

    def _without_stumps(self, text: str) -> str:
        """Return `text` without the head of a secret before a mark that something was cut off."""
        pieces = text.split("…")
        for index, piece in enumerate(pieces[:-1]):
            end = len(piece.rstrip())
            stump = _STUMP.search(piece, max(0, end - _STUMP_ROOM), end)
            common = max((_common(piece[:end], value, TELLING) for value in self.values), default=0)
            at = min(stump.start() if stump else end, end - common)
            if at < end:
                pieces[index] = piece[:at] + REDACTED + piece[end:]
        return "…".join(pieces)

    def settled_length(self, text: str) -> int:
        """Return how much of `text` can be redacted now, for text that comes in pieces.

        The rest may be the head of a secret: it is redacted with what comes next, and not shown before.
        """
        run = len(text.rstrip(_RUN))  # where the last one begins
        head = _HEAD.search(text, run) if run < len(text) else None
        cut = head.start() if head else len(text)
        if (word := _bearer(text, cut, _BEARER_HEAD)) >= 0 or (
            run < cut == len(text) and (word := _bearer(text, run, _BEARER)) >= 0  # before what it carries
        ):
            cut = word
        at = text.rfind("://", max(0, cut - _LOGIN_ROOM))
        if at >= 0 and _LOGIN_HEAD.match(text, at):
            cut = min(cut, at)
        elif text.endswith((":", ":/")):
            cut = min(cut, text.rindex(":"))
        if "-" in text and "-----BEGIN " in text:
            cut = min(cut, _open_key(text))
        elif "---" in text[-_PEM_BEGIN_ROOM:] and (
            dashes := _PEM_BEGIN.search(text, max(0, len(text) - _PEM_BEGIN_ROOM))
        ):
            cut = min(cut, dashes.start())
        end = text[-self._longest :]  # looked at for each value's head first: the rest of it was half of all the work
        for begin, value in self._heads:
            if begin in end and (common := _common(text, value, TELLING)):
                cut = min(cut, len(text) - common)
        return cut

    def begun(self, text: str) -> int:
        """Return how many characters at the end of `text` are the beginning of a known secret; 0 for none."""
        return max((_common(text, value) for value in self.values), default=0)

    def across(self, texts: Sequence[str]) -> Sequence[str]:
        """Return texts that follow each other without known secrets that begin in one of them and end in another."""
        whole = "".join(texts) if len(texts) > 1 else ""
        if not any(value in whole for value in self.values):
            return texts
        spans = deque(found.span() for found in self._known().finditer(whole) if found[0] != REDACTED)
        shown, begin = [], 0
        for text in texts:
            at, end = begin, begin + len(text)
            pieces: list[str] = []
            while at < end and spans and spans[0][0] < end:
                first, last = spans[0]
                pieces += [whole[at : max(at, first)], REDACTED]
                at = min(last, end)
                if last <= end:
                    spans.popleft()
            shown.append("".join([*pieces, whole[at:end]]))
            begin = end
        return shown


def looks_secret(name: str) -> bool:
    """Whether the name of a variable says that its value is secret: TOKEN, API_KEY, PASSWORD …"""
    return _SECRET_NAME.search(name) is not None


def _looks(value: str) -> set[str]:
    """Return what a secret may look like in a text."""
    looks = {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], quote(value, safe="")}
    looks.update(line for raw in value.splitlines() if len(line := raw.strip()) >= _SHORTEST_LINE)
    return {look for look in looks if len(look) >= SHORTEST}


def _hidden(found: re.Match[str]) -> str:
    return found["kept"] + REDACTED


def _rarest(text: str) -> str:
    """Return the character of `text` that other texts have most seldom."""
    return max(text, key=lambda one: _MET.find(one) % (len(_MET) + 1))  # -1 is the largest then


def _flat(text: str) -> bytes:
    """Return `text` in two kinds of characters, those that keys have and others; b"" if no run is long enough."""
    if len(text) < _SHORTEST_KEY or (len(text) >= _LONG_TEXT and not any(sign in text for sign in _SIGNS)):
        return b""
    flat = text.encode("latin-1", "replace").translate(_FLAT)
    return flat if flat.rfind(_LONG) >= 0 else b""  # from its end a long text is searched in half the time


def _runs(text: str, flat: bytes) -> Iterator[tuple[int, str]]:
    """Yield the runs that are long enough to be a key and no mere word, with where they begin."""
    at = flat.find(_LONG)
    while at >= 0:
        end = flat.find(b" ", at + _SHORTEST_KEY)
        end = len(text) if end < 0 else end
        run = text[at:end]
        if not (run.isalpha() and run.islower()):  # else a long word: every key has something else in it
            yield at, run
        at = flat.find(_LONG, end)


def _without_keys(text: str) -> str:
    """Return `text` without what looks like a key: only runs that are long enough are looked at."""
    if not (flat := _flat(text)):
        return text
    pieces: list[str] = []
    done = 0
    for at, run in _runs(text, flat):
        shown = _CARRIED.sub(REDACTED, run, count=1) if _is_carried(text, at, run) else _KEYS.sub(REDACTED, run)
        if shown != run:
            pieces += (text[done:at], shown)
            done = at + len(run)
    return "".join([*pieces, text[done:]]) if pieces else text


def _is_behind_bearer(text: str, at: int) -> bool:
    """Whether `at` stands behind what may be the word before a bearer's key."""
    return text[max(0, at - _BEARER_ROOM) : at].rstrip(" \t").lower().endswith("bearer")


def _bearer(text: str, end: int, pattern: re.Pattern[str]) -> int:
    """Return where that word begins if `pattern` finds it before `end`; -1 if it is not there."""
    found = _is_behind_bearer(text, end) and pattern.search(text, max(0, end - _BEARER_ROOM), end)
    return found.start() if found else -1


def _is_carried(text: str, at: int, run: str) -> bool:
    return _bearer(text, at, _BEARER) >= 0 and _CARRIED.match(run) is not None


def _open_key(text: str) -> int:
    """Return where a private key begins that has no end yet; the length of `text` if none does."""
    for found in _PEM.finditer(text):
        if not found["end"]:
            return found.start()
    at = text.rfind("-----BEGIN ")
    return at if _PEM_HEAD.match(text, at) else len(text)


def _common(text: str, value: str, least: int = 1) -> int:
    """Return the length of the longest end of `text` with which `value` begins; the whole of it does not count.

    0 if fewer than `least` characters are common.
    """
    head, at = value[:least], max(0, len(text) - len(value) + 1)
    while (at := text.find(head, at)) >= 0:
        if value.startswith(text[at:]):
            return len(text) - at
        at += 1
    return 0
