"""Redact: secrets out of what is logged and shown.

Two nets: values known to be secret (from the configuration and the environment), and the shapes of well-known keys.
Every pattern starts at the head of a token and repeats without alternatives, so time is linear in the text.

This room is a second net: it cannot know every secret, and does not replace not showing things.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["Redactor", "looks_secret"]

_REDACTED = "[redacted]"

# Shorter values are words: hiding them would make holes in innocent text and tell what they are.
_SHORTEST = 8

_SECRET_NAME = re.compile(
    r"(?:TOKENS?|KEYS?|SECRETS?|PASSWORDS?|PASSWD|PASSPHRASE|CREDENTIALS?|(?:^|[_-])AUTH)(?:[_-]|\d|$)",
    re.IGNORECASE,
)

# `keep` is shown: the name in front of the secret.
_SHAPES = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r".*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)"
    # user:password@ of an address
    r"|(?P<url>://)[^\s/@:?#]{0,200}:[^\s/@]{1,1000}(?=@)"
    r"|(?<![A-Za-z0-9])(?:"
    r"(?P<bearer>(?i:bearer)[ \t]{1,4})(?=[A-Za-z._~+/=-]{0,100}[0-9])[A-Za-z0-9._~+/=-]{16,}"
    r"|sk-[A-Za-z0-9_-]{16,}"  # OpenAI, Anthropic and those who imitate them
    r"|gh[opusr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,}|glpat-[A-Za-z0-9_-]{16,}"
    r"|xox[a-z]-[A-Za-z0-9-]{8,}|xapp-[A-Za-z0-9-]{8,}"  # Slack
    r"|A(?:KIA|SIA)[A-Z0-9]{16}(?![A-Za-z0-9])"  # AWS
    r"|AIza[A-Za-z0-9_-]{35,}"  # Google
    r"|(?<![_-])eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*"  # JSON Web Token
    r"|(?<![_-])[MNO][A-Za-z0-9_-]{22,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}"  # Discord: id, time, signature
    r")",
    re.DOTALL,
)


class Redactor:
    """Replaces secrets in a text by `[redacted]`. Immutable; callable from any thread; never blocks.

    `secrets` are values to hide wherever they stand; those below 8 characters are ignored.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {value.strip() for value in secrets}
        known = {value for value in known if len(value) >= _SHORTEST}
        self._count = len(known)
        # Our own mark comes first: a secret that is part of it must not tear it up.
        longest_first = sorted(known, key=lambda value: (-len(value), value))
        self._known = re.compile("|".join(map(re.escape, [_REDACTED, *longest_first])))

    def __repr__(self) -> str:
        return f"<Redactor secrets={self._count}>"

    def __call__(self, text: str) -> str:
        """Return `text` with every secret replaced. Doing it again changes nothing."""
        if self._count:
            text = self._known.sub(_REDACTED, text)
        return _SHAPES.sub(_hidden, text)


def looks_secret(name: str) -> bool:
    """Whether the name of a variable says that its value is secret: TOKEN, API_KEY, PASSWORD …"""
    return _SECRET_NAME.search(name) is not None


def _hidden(found: re.Match[str]) -> str:
    return (found["url"] or found["bearer"] or "") + _REDACTED
