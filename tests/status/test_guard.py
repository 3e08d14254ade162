"""The guard: who is let in, by which key, under which name, and what a change from a page has to carry."""

from __future__ import annotations

import pytest

from openab_sync.status.guard import COOKIE_SECONDS, LINK_SECONDS, MOST_CODES, Access, Caller, Guard, Knock, Refusal
from openab_sync.status.listen import Address
from tests.fakes.clock import FakeClock
from tests.status.scene import ANYWHERE, HERE, TOKEN

BEARER = f"Bearer {TOKEN}"


def guard(address: Address = HERE, clock: FakeClock | None = None) -> Guard:
    return Guard(TOKEN, address, clock or FakeClock(), names=["status.example"])


def code(judged: Caller | Refusal) -> int:
    return judged.code if isinstance(judged, Refusal) else 200


def knock(**more: str) -> Knock:
    return Knock(**{"host": "localhost", **more})


@pytest.mark.parametrize(
    ("access", "here", "anywhere"),
    [(Access.OPEN, 200, 200), (Access.STATE, 200, 401), (Access.CONTENT, 401, 401), (Access.CHANGE, 401, 401)],
)
def test_without_a_key_state_is_shown_on_loopback_only(access: Access, here: int, anywhere: int) -> None:
    assert code(guard().judge(knock(), access)) == here
    assert code(guard(ANYWHERE).judge(knock(), access)) == anywhere


@pytest.mark.parametrize("access", Access)
@pytest.mark.parametrize("address", [HERE, ANYWHERE])
def test_with_the_token_everything_is_open(access: Access, address: Address) -> None:
    assert guard(address).judge(knock(authorization=BEARER), access) == Caller(has_key=True)


@pytest.mark.parametrize("given", ["Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", TOKEN, "Bearer é\udcff"])
def test_a_wrong_token_is_refused_even_where_none_is_needed(given: str) -> None:
    assert code(guard().judge(knock(authorization=given), Access.STATE)) == 401


def test_the_token_is_compared_in_a_time_that_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr("openab_sync.status.guard.hmac.compare_digest", compare)
    guard().judge(knock(authorization="Bearer x"), Access.CONTENT)
    assert [(len(one), len(other)) for one, other in compared] == [(32, 32)]


@pytest.mark.parametrize("host", ["localhost:8787", "127.0.0.1", "[::1]:8787", "10.1.2.3:80", "Status.Example"])
def test_numbers_and_names_that_are_ours_are_answered(host: str) -> None:
    assert code(guard().judge(Knock(host), Access.OPEN)) == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:8787", "", "[", "127.0.0.1.nip.io", "a@b"])
def test_a_name_that_is_not_ours_is_not_answered_whatever_the_key(host: str) -> None:
    """DNS rebinding: a page anywhere can have its own name point here, but its name it cannot hide."""
    assert code(guard().judge(Knock(host, authorization=BEARER), Access.OPEN)) == 421


def test_a_link_lets_one_browser_in_once() -> None:
    door = guard()
    link = door.make_link()
    assert link.startswith("http://127.0.0.1:8787/enter/")
    secret = link.rpartition("/")[2]
    cookie = door.enter(secret)
    assert cookie is not None
    assert door.enter(secret) is None
    caller = door.judge(knock(cookie=cookie), Access.CONTENT)
    assert isinstance(caller, Caller) and caller.has_key and caller.visit


def test_a_link_that_nobody_followed_is_over_after_ten_minutes() -> None:
    clock = FakeClock()
    door = guard(clock=clock)
    secret = door.make_link().rpartition("/")[2]
    clock.advance(LINK_SECONDS)
    assert door.enter(secret) is None


def test_links_that_nobody_follows_do_not_pile_up() -> None:
    door = guard()
    secrets = [door.make_link().rpartition("/")[2] for _ in range(MOST_CODES + 3)]
    assert [door.enter(secret) is not None for secret in secrets] == [False] * 3 + [True] * MOST_CODES


def test_a_change_of_a_page_carries_its_own_token() -> None:
    door = guard()
    cookies = [door.enter(door.make_link().rpartition("/")[2]) or "" for _ in range(2)]
    visits = [door.judge(knock(cookie=cookie), Access.CONTENT) for cookie in cookies]
    tokens = [door.token_for_changes(visit.visit) for visit in visits if isinstance(visit, Caller)]
    assert code(door.judge(knock(cookie=cookies[0]), Access.CHANGE)) == 403
    assert code(door.judge(knock(cookie=cookies[0], changes=tokens[1]), Access.CHANGE)) == 403
    assert code(door.judge(knock(cookie=cookies[0], changes=tokens[0]), Access.CHANGE)) == 200


def test_a_cookie_is_worth_nothing_forged_or_with_another_token(monkeypatch: pytest.MonkeyPatch) -> None:
    door = guard()
    cookie = door.enter(door.make_link().rpartition("/")[2]) or ""
    other = Guard("another-token-of-the-tests", HERE, FakeClock())
    forged = ("b" if cookie[0] == "a" else "a") + cookie[1:]  # not its last character: only some of its bits count
    assert code(door.judge(knock(cookie=forged), Access.CONTENT)) == 401
    assert code(other.judge(knock(cookie=cookie), Access.CONTENT)) == 401
    assert code(door.judge(knock(cookie=cookie), Access.CONTENT)) == 200
    now = door._signer.get_timestamp()
    monkeypatch.setattr(door._signer, "get_timestamp", lambda: now + COOKIE_SECONDS + 1)
    assert code(door.judge(knock(cookie=cookie), Access.CONTENT)) == 401


def test_two_servers_on_one_machine_do_not_share_a_cookie() -> None:
    assert guard().cookie_name != guard(Address("127.0.0.1", 8788)).cookie_name


def test_a_guard_shows_no_secret() -> None:
    assert TOKEN not in repr(guard())
