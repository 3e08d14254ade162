"""The veil: a secret is hidden wherever the text is cut, its first half is never shown, and nothing else is changed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.text.redact import REDACTED, Redactor
from openab_sync.text.veil import Veil
from tests.text.test_redact import BODY, SHAPES

KNOWN = ("canary-1", "correct horse battery", 'qu"oted/secret', "ab" * 8)
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{BODY}\n{BODY}\n-----END RSA PRIVATE KEY-----"
SECRETS = [*KNOWN, *SHAPES.values(), PEM, f"Bearer {BODY}", f"postgres://me:{BODY}@db"]
WORDS = ["the", "s", "sk", "gh", "beard", "Monday", "eyes", "see https://example.org/a", "汉字", "--", "caution", "M"]


def shown(pieces: Iterable[str], redact: Redactor) -> Iterator[str]:
    """What can be seen after each piece."""
    veil, text = Veil(redact), ""
    for piece in pieces:
        text += veil.feed(piece)
        yield text
    yield text + veil.flush()


@pytest.mark.parametrize("secret", SECRETS, ids=lambda text: text[:10])
def test_every_cut_hides_a_secret(secret: str) -> None:
    """And no look at the text, however far it has come, shows more than the two characters that tell nothing."""
    redact = Redactor(KNOWN)
    text = f"It is {secret} and that."
    whole = redact(text)
    assert REDACTED in whole
    for at in range(len(text)):
        *live, last = shown((text[:at], text[at:]), redact)
        assert _nearly(last, whole)
        assert all(_nearly_begins(look, whole) for look in live), live


def _nearly(text: str, whole: str) -> bool:
    """Up to two characters of a known value may stand before the mark."""
    head, _, tail = whole.partition(REDACTED)
    return text.startswith(head) and text.endswith(REDACTED + tail) and len(text) <= len(whole) + 2


def _nearly_begins(text: str, whole: str) -> bool:
    head, _, tail = whole.partition(REDACTED)
    if REDACTED in text:
        before, _, after = text.partition(REDACTED)
        return before.startswith(head) and len(before) <= len(head) + 2 and tail.startswith(after)
    return len(text) <= len(head) + 2 and text[: len(head)] == head[: len(text)]


@pytest.mark.parametrize("secret", SECRETS, ids=lambda text: text[:10])
def test_a_secret_that_comes_letter_by_letter_is_hidden(secret: str) -> None:
    redact = Redactor(KNOWN)
    *live, last = shown(f"It is {secret} and that.", redact)
    assert _nearly(last, redact(f"It is {secret} and that."))
    assert not any(secret[:6] in look for look in live if secret[:6] not in redact(f"It is {secret} and that."))


@given(st.lists(st.sampled_from([*WORDS, *SECRETS, " ", "\n", ". "]), max_size=12), st.integers(1, 40))
def test_cut_anywhere_it_says_the_same(words: list[str], size: int) -> None:
    text = " ".join(words)
    redact = Redactor(KNOWN)
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    *_, last = shown(pieces, redact)
    assert not any(secret in last for secret in KNOWN)
    assert redact(last) == last


@given(st.lists(st.text(max_size=20), max_size=12))
def test_a_text_without_a_secret_comes_through_unchanged(pieces: list[str]) -> None:
    redact = Redactor(["never-there-in-it"])
    *_, last = shown(pieces, redact)
    assert last == redact("".join(pieces))


@pytest.mark.parametrize("text", ["hello", "Let me check", "Working on it…", "see README.rst", "汉字", "done.\n"])
def test_ordinary_words_are_not_held_back(text: str) -> None:
    assert Veil(Redactor(KNOWN)).feed(text) == text


def test_what_is_held_back_is_told_at_the_end_only() -> None:
    veil = Veil(Redactor(KNOWN))
    assert veil.feed("it is cana") == "it is "
    assert veil.rest() == "cana" and veil.rest("ry-1!") == f"{REDACTED}!" and veil.rest() == "cana"
    assert veil.flush() == "cana" and veil.flush() == "" and veil.rest() == ""


def test_a_key_that_never_ends_is_swallowed() -> None:
    """And costs no more memory than any other."""
    veil = Veil(Redactor())
    said = veil.feed("x sk-" + "a" * 5000)
    for _ in range(50):
        said += veil.feed("b" * 1000)
        assert "held=" in repr(veil) and len(veil._held) <= 8192
    said += veil.feed("b and on") + veil.flush()
    assert said == f"x {REDACTED} and on"


def test_a_private_key_without_an_end_hides_what_follows() -> None:
    veil = Veil(Redactor())
    assert veil.feed("-----BEGIN PRIVATE KEY-----\n" + BODY) == ""
    assert veil.rest() == REDACTED
    said = "".join(veil.feed(f"{BODY}\n") for _ in range(1000))
    assert said == REDACTED and veil.rest() == "" and len(veil._held) < 100
    assert veil.feed("-----END PRI") + veil.feed("VATE KEY-----ok, ") + veil.flush() == "ok, "


def test_a_megabyte_in_small_pieces_costs_what_it_costs_at_once() -> None:
    veil = Veil(Redactor(KNOWN))
    begin = time.thread_time()
    size = sum(len(veil.feed("word and another word of text, ")) for _ in range(30_000))
    assert size > 900_000
    assert time.thread_time() - begin < 20, "linear: not a word is looked at twice"


@pytest.mark.parametrize("secret", KNOWN)
def test_a_secret_that_something_else_tears_is_not_told_by_its_parts(secret: str) -> None:
    """As by a tool between two texts: of the first part at most seven characters are seen, of the rest nothing."""
    for at in range(1, len(secret)):
        veil = Veil(Redactor(KNOWN))
        before = veil.feed(f"It is {secret[:at]}")
        assert before + veil.rest() == before + (rest := veil.flush()), "a look shows what will be shown"
        after = veil.feed(secret[at:]) + veil.feed(" and that.") + veil.flush()
        assert before + rest == f"It is {secret[:at] if at < 8 else REDACTED}"
        assert _nearly(after, f"{REDACTED} and that.")


def test_a_secret_in_three_parts_is_not_told_either() -> None:
    veil = Veil(Redactor(KNOWN))
    said = [veil.feed(part) + veil.flush() for part in ("so: correct ho", "rse", " batt", "ery!")]
    assert said == [f"so: {REDACTED}", REDACTED, REDACTED, f"{REDACTED}!"]


def test_what_only_begins_like_a_secret_goes_on_as_it_was_written() -> None:
    veil = Veil(Redactor(KNOWN))
    assert veil.feed("a can") + veil.flush() + veil.feed("teen") + veil.flush() == "a canteen"


NESTED = "postgres://me:hunter2-and-more@db.example/prod"  # with a password in it, that is a secret of its own


def test_of_a_broken_off_secret_that_holds_another_nothing_follows() -> None:
    """Of an address with a password: what was hidden of it stays hidden when something else follows."""
    for at in range(1, len(NESTED)):
        veil = Veil(Redactor([NESTED]))
        head = veil.feed(f"at {NESTED[:at]}") + veil.flush()
        assert head == f"at {NESTED[:at] if at < 8 else REDACTED}"
        assert (said := veil.feed(" or so") + veil.flush()) == " or so", (at, said)


def test_a_broken_off_secret_that_holds_another_is_hidden_when_it_goes_on() -> None:
    for at in range(9, len(NESTED)):
        veil = Veil(Redactor([NESTED]))
        said = veil.feed(f"at {NESTED[:at]}") + veil.flush() + veil.feed(f"{NESTED[at:]} or so") + veil.flush()
        assert said == f"at {REDACTED}{REDACTED} or so", at


@given(st.lists(st.sampled_from(["can", "ary", "-1", "ab", "a", "x ", "correct horse", " battery"]), max_size=12))
def test_however_it_is_torn_no_secret_can_be_put_together(parts: list[str]) -> None:
    veil, text = Veil(Redactor(KNOWN)), ""
    for part in parts:
        text += veil.feed(part) + veil.flush()
    assert not any(secret in text for secret in KNOWN)
