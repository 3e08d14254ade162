"""redact: no secret that is known or well shaped comes through; text without one does."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from openab_sync.text import redact
from openab_sync.text.redact import Redactor, looks_secret

# Put together here, so that nothing in this file looks like a key that somebody lost.
BODY = "aB3" * 12
SHAPES = {
    "sk": "sk-" + BODY,
    "sk-ant": "sk-ant-api03-" + BODY,
    "ghp": "ghp_" + BODY,
    "gho": "gho_" + BODY,
    "pat": "github_pat_" + BODY + "_" + BODY,
    "glpat": "glpat-" + BODY,
    "slack": "xox" + "b-123-456-" + BODY,
    "slack app": "xapp-1-" + BODY,
    "aws": "AKIA" + "A2B4" * 4,
    "google": "AIza" + BODY,
    "jwt": "eyJ" + BODY + ".eyJ" + BODY + "." + BODY,
    "discord": "MT" + BODY[:22] + ".abc123." + BODY,
}
tokens = st.sampled_from(
    [*SHAPES.values(), "Bearer " + BODY, "://u:p@", "secret-value", "[redacted]", "eyJ", "sk-", "a", "_", "-", ".", " "]
)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("text", ["{}", "key={}", "say '{}'.", "a {}\nb", '{{"key":"{}"}}'])
def test_the_shape_of_a_key_is_known(name: str, text: str) -> None:
    """B5: whatever stands around it."""
    key = SHAPES[name]
    assert Redactor()(text.format(key)) == text.format("[redacted]")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"Authorization: Bearer {BODY}", "Authorization: Bearer [redacted]"),
        (f"authorization: bearer {BODY}", "authorization: bearer [redacted]"),
        ("postgres://me:hunter2@db/x", "postgres://[redacted]@db/x"),
        ("redis://:hunter2@db:6379", "redis://[redacted]@db:6379"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nok", "[redacted]\nok"),
        ("-----BEGIN PRIVATE KEY-----\ncut off", "[redacted]"),
        ("-----BEGIN PGP PRIVATE KEY BLOCK-----\nx\n-----END PGP PRIVATE KEY BLOCK-----", "[redacted]"),
    ],
)
def test_secrets_with_a_place(text: str, shown: str) -> None:
    assert Redactor()(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "task-management-systems-for-everyone",
        "bearer authentication is required here",
        "https://example.org:8080/a@b",
        "mailto:me@example.org",
        "risk-free-and-very-long-words",
        "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "汉字 👨‍👩‍👧 e\u0301 שלום",
    ],
)
def test_innocent_text_stays(text: str) -> None:
    assert Redactor(["hunter2hunter2"])(text) == text


def test_known_values_are_hidden_longest_first() -> None:
    redact = Redactor(["password1", "password1-and-more", " spaced-out \n"])
    assert redact("password1-and-more password1 spaced-out") == "[redacted] [redacted] [redacted]"


@pytest.mark.parametrize("secret", [*SHAPES.values(), "password1-and-more"], ids=lambda text: text[:8])
def test_a_secret_that_was_cut_off_is_hidden_to_its_stump(secret: str) -> None:
    """Titles and names are cut before they come here, with a mark."""
    redact = Redactor(["password1-and-more"])
    least = 28 if secret.startswith("MT") else 18
    for size in range(least, len(secret)):
        assert redact(f"run {secret[:size]}… and") == "run [redacted]… and"
    assert redact("run git… and pass \n…\n") == "run git… and [redacted] \n…\n"


def test_short_values_are_words() -> None:
    assert Redactor(["true", "", "1234567"])("true 1234567") == "true 1234567"


def test_our_own_mark_is_not_torn_up() -> None:
    redact = Redactor(["redacted", "redacted-value"])
    assert redact("redacted [redacted] redacted-value") == "[redacted] [redacted] [redacted]"


def test_names_of_variables_tell_what_is_secret() -> None:
    secret = [
        "DISCORD_TOKEN",
        "OPENAI_API_KEY",
        "aws_secret_access_key",
        "DB_PASSWORD",
        "MYSQL_PASSWD",
        "BASIC_AUTH",
        "GOOGLE_CREDENTIALS",
    ]
    innocent = ["GIT_AUTHOR_NAME", "TOKENIZERS_PARALLELISM", "KEYBOARD", "PATH"]
    assert [name for name in secret + innocent if looks_secret(name)] == secret


def test_it_does_not_show_what_it_hides() -> None:
    assert repr(Redactor(["hunter2hunter2", "short"])) == "<Redactor secrets=1>"


@given(st.lists(tokens, max_size=12).map("".join) | st.text())
def test_twice_is_once(text: str) -> None:
    redact = Redactor(["secret-value"])
    assert redact(redact(text)) == redact(text)


@given(st.text("abcdef-_.", min_size=8, max_size=20), st.text("xyz \n"), st.text("xyz \n"))
def test_a_known_value_never_comes_through(secret: str, before: str, after: str) -> None:
    assume(secret not in "[redacted]")
    assert Redactor([secret])(before + secret + after) == f"{before}[redacted]{after}"


@pytest.mark.parametrize(
    "text",
    [
        "eyJ" * 300_000,
        "eyJaaaaaaa." * 90_000,
        "bearer " * 140_000,
        "bearer " + "a" * 1_000_000,
        "://a:" * 200_000,
        "://" + "a" * 1_000_000,
        "-----BEGIN PRIVATE KEY-----" * 40_000,
        "-----BEGIN " + "A " * 500_000,
        "sk-" * 300_000,
        "a-" * 500_000,
        ("MT" + "a" * 22 + ".") * 40_000,
    ],
    ids=lambda text: text[:8],
)
def test_a_megabyte_is_searched_in_time(text: str) -> None:
    """No pattern goes back over the text; or the test's own time limit ends it."""
    assert len(Redactor(["hunter2hunter2"])(text)) <= len(text)


def test_a_redactor_grows_by_what_is_new_and_hides_as_if_it_had_known_all_from_the_start() -> None:
    """Each session, and each turn, has one that hides one more: what is known is not looked at anew."""
    all_at_once = Redactor(["first-secret", 'second "secret"'])
    grown = Redactor(["first-secret"]).also('second "secret"')
    assert grown.values == all_at_once.values and repr(grown) == repr(all_at_once) == "<Redactor secrets=2>"
    assert grown.also("first-secret") is grown is grown.also("")
    assert grown('a first-secret, a second \\"secret\\"') == "a [redacted], a [redacted]"


@pytest.mark.parametrize(
    ("texts", "shown"),
    [
        (["a canary", "-1 b"], ["a [redacted]", "[redacted] b"]),
        (["can", "ary", "-1"], ["[redacted]", "[redacted]", "[redacted]"]),
        (["canary-1", "canary-1"], ["[redacted]", "[redacted]"]),
        (["can", "teen"], ["can", "teen"]),
        (["x", "", "y"], ["x", "", "y"]),
        (["a canary-1 b canary", "-1", "c"], ["a [redacted] b [redacted]", "[redacted]", "c"]),
    ],
)
def test_a_secret_across_texts_is_taken_out_of_each(texts: list[str], shown: list[str]) -> None:
    assert list(Redactor(["canary-1"]).across(texts)) == shown


def test_how_much_of_a_secret_has_begun_at_the_end_of_a_text() -> None:
    redact = Redactor(["canary-1"])
    begun = [redact.begun(text) for text in ("a canary-", "canary-1", "c", "", "a", "cac", "canary- ")]
    assert begun == [7, 0, 1, 0, 0, 1, 0]


parts = st.sampled_from(
    ["password1-and-more", "://a:b@c", "…", "-----BEGIN PRIVATE KEY-----", "a/long/path/of.py", "Monday", "bearer "]
)


@given(st.lists(parts | tokens | st.text(max_size=9), max_size=6).map("".join), st.data())
def test_what_is_clean_is_clean_wherever_it_is_cut(text: str, data: st.DataObject) -> None:
    redact = Redactor(["password1-and-more", "correct horse"])
    begin = data.draw(st.integers(0, len(text)))
    some = text[begin : data.draw(st.integers(begin, len(text)))]
    if redact.is_clean(text):
        assert redact(some) == some and redact.begun(some) < 8 and redact.is_clean(some)
    elif redact(text) != text:
        assert not redact.is_clean(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Let me check README.rst and tests/text/test_redact.py first.",
        "汉字 " * 9,
        "an internationalization",
        "for https://example.org/a/long/way/home - 17 %",
    ],
)
def test_ordinary_text_is_clean(text: str) -> None:
    assert Redactor(["password1-and-more"]).is_clean(text)


@pytest.mark.parametrize(
    "secret", [*SHAPES.values(), "password", f"bearer {BODY}", "a://b:c@d"], ids=lambda text: text[:8]
)
def test_what_has_a_secret_is_not_clean(secret: str) -> None:
    assert not Redactor(["password1-and-more"]).is_clean(f"it is {secret}")


@given(st.from_regex(redact._KEYS) | st.from_regex(redact._CARRIED))
def test_every_key_has_a_sign_by_which_a_long_text_is_searched_at_all(key: str) -> None:
    assert any(sign in key for sign in redact._SIGNS)


@pytest.mark.parametrize("secret", [*SHAPES.values(), f"Bearer {BODY.lower()}"], ids=lambda text: text[:8])
def test_a_key_in_a_long_text_without_any_such_sign_is_hidden(secret: str) -> None:
    text = "汉字 und so weiter, " * 100
    assert Redactor()(text) == text and Redactor().is_clean(text)
    assert secret not in Redactor()(text + secret + text) and not Redactor().is_clean(text + secret + text)
