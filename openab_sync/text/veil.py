"""The veil: secrets out of a text that comes in pieces.

What may be the head of a secret is held back until it is known whether it is one, so that no cut (a chunk, a look at a
growing answer, a page) shows the first half. Only what is new is looked at: a text costs time in proportion to its
length.

One thread; pure but for what it holds.
"""

from __future__ import annotations

from typing import Literal

from .redact import PEM_END, PEM_END_ROOM, REDACTED, SHORTEST, TELLING, Redactor

__all__ = ["Veil"]

_KEPT = TELLING  # characters let through: some may belong to a secret all the same, one tells what stands before it
# Held back at most: longer than any key. What goes on is swallowed if it was one, let go if it was none.
_MOST = 8192
_MOST_BEHIND = 512
_TOKEN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~+/=-"


class Veil:
    """One text, piece by piece."""

    __slots__ = ("_held", "_redact", "_swallows", "last")

    def __init__(self, redact: Redactor) -> None:
        self._redact = redact
        self.last = ""  # the end of what was let through
        self._held = ""
        # The rest of a key that was too long to be held: of a word, or what stands before the end of a private key.
        self._swallows: Literal["", "word", "key"] = ""

    def __repr__(self) -> str:
        return f"<Veil held={len(self._held)}>"

    def feed(self, text: str) -> str:
        """Take in the next piece; return what can be shown now."""
        if self._swallows:
            text = self._swallow(text)
            if self._swallows:
                return ""
        probe = self.last + self._held + text
        cut = self._redact.settled_length(probe)
        begin = len(self.last)
        if len(probe) - cut > _MOST:
            cut = self._forced(probe, cut)
        if cut <= begin:
            self._held = probe[begin:]
            return ""
        self._held = probe[cut:]
        return self._let_through(probe[:cut])

    def rest(self, more: str = "") -> str:
        """Return how `flush` would show what is held back, and `more` behind it. Nothing is changed by this."""
        return "" if self._swallows else self._broken_off(self._held + more)[0]

    def flush(self) -> str:
        """Return what is held back: something else is shown next, or nothing. The text may go on behind that.

        Of a known secret that has only begun, 8 characters and more are not shown; what follows of it later is hidden.
        """
        if not self._held:
            return ""  # and what was let through last is remembered already
        held, self._held = "" if self._swallows else self._held, ""
        shown, self.last = self._broken_off(held)
        return shown

    @property
    def is_at_rest(self) -> bool:
        """Nothing is held back, nor swallowed: what comes next begins anew, but for `last`."""
        return not self._held and not self._swallows

    def pass_by(self, text: str) -> None:
        """Take notice of a text that is shown as it is and flushed: it is clean, and so is `last` with it behind."""
        end = (self.last + text)[-SHORTEST + 1 :]
        self.last = end[-max(self._redact.begun(end), _KEPT) :]

    def _broken_off(self, held: str) -> tuple[str, str]:
        """How `held` is shown where the text is broken off, and what is to be remembered of its end."""
        probe = self.last + held
        begun = self._redact.begun(probe)
        hidden = min(begun, len(held)) if begun >= SHORTEST else 0
        shown = self._new(probe[: len(probe) - hidden]) if len(held) > hidden else ""
        shown += REDACTED if hidden else ""
        return shown, probe[-max(begun, _KEPT) :] if begun else (self.last + shown)[-_KEPT:]

    def _let_through(self, probe: str) -> str:
        shown = self._new(probe)
        self.last = (self.last + shown)[-_KEPT:]
        return shown

    def _new(self, probe: str) -> str:
        """Return how what stands behind `last` in `probe` is shown, which begins with it."""
        # What was let through last may itself hold a secret, if it is the broken-off head of a longer one: so it is
        # compared as it is shown. The two differ where something is redacted now that reaches into it.
        last, shown = self._redact(self.last), self._redact(probe)
        if shown.startswith(last):
            return shown[len(last) :]
        pairs = enumerate(zip(shown, last, strict=False))
        return shown[next((at for at, (one, other) in pairs if one != other), len(shown)) :]

    def _swallow(self, text: str) -> str:
        """Return what stands behind the rest of a key; "" if that is all of it."""
        if self._swallows == "word":
            text = text.lstrip(_TOKEN)
            self._swallows = "" if text else "word"
            return text
        end = PEM_END.search(text := self._held + text)
        self._held, self._swallows = ("", "") if end else (text[-PEM_END_ROOM:], "key")
        return text[end.end() :] if end else ""

    def _forced(self, probe: str, cut: int) -> int:
        """What is held has become too long: decide now. Return how much of `probe` is let go."""
        if self._redact(probe[cut:]).endswith(REDACTED):
            self._swallows = "key" if probe.startswith("-----BEGIN ", cut) else "word"
            return len(probe)
        return len(probe) - _MOST_BEHIND
