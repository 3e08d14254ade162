"""Who may in: every rule as a row, and a property over everything that can happen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.core.admission import Knock, Rules, Trust, Verdict, admit, is_listed, is_open_place, trust
from openab_sync.core.message import Person

ANN, EVE = Person("ann", "Ann"), Person("eve", "Eve")
HELPER, STRANGER = Person("helper", "Helper", is_bot=True), Person("stranger", "Stranger", is_bot=True)
RULES = Rules(places=frozenset({"general"}), people=frozenset({"ann"}), roles=frozenset({"crew"}))
CALL = Knock(ANN, frozenset({"general"}), calls_us=True)
IN, IGNORED, REFUSED = Verdict.IN, Verdict.IGNORED, Verdict.REFUSED

ids = st.sampled_from(["a", "b", "c"])
sets = st.frozensets(ids)
rules = st.builds(
    Rules,
    all_places=st.booleans(),
    places=sets,
    servers=sets,
    private=st.booleans(),
    all_people=st.booleans(),
    people=sets,
    roles=sets,
    admins=sets,
    admin_roles=sets,
    uncalled=st.sampled_from(["involved", "mentions", "multibot-mentions"]),
    bots=st.sampled_from(["off", "mentions", "all"]),
    trusted_bots=sets,
)
knocks = st.builds(
    Knock,
    by=st.builds(Person, ids, st.just(""), st.booleans()),
    places=sets,
    roles=sets,
    server=st.sampled_from(["a", "b", ""]),
    is_ours=st.booleans(),
    is_system=st.booleans(),
    is_action=st.booleans(),
    is_private=st.booleans(),
    is_thread=st.booleans(),
    calls_us=st.booleans(),
    involved=st.booleans(),
    other_bots=st.booleans(),
    belongs=st.booleans(),
)


@given(rules, knocks)
def test_nothing_gets_in_that_is_not_listed(rules: Rules, knock: Knock) -> None:
    if admit(rules, knock) is IN:
        is_allowed(rules, knock)


def is_allowed(rules: Rules, knock: Knock) -> None:
    """What must hold of whatever gets in, whatever it is."""
    assert not knock.is_ours
    assert not knock.is_system
    assert rules.private if knock.is_private else (rules.all_places or rules.places & knock.places)
    assert knock.is_private or not rules.servers or knock.server in rules.servers
    if knock.by.is_bot:
        assert not knock.is_action
        assert rules.bots != "off" or (knock.calls_us and knock.by.id in rules.trusted_bots)
        assert not rules.trusted_bots or knock.by.id in rules.trusted_bots
    else:
        listed = rules.all_people or knock.by.id in rules.people or rules.roles & knock.roles
        assert listed or knock.by.id in rules.admins or rules.admin_roles & knock.roles


NONE, A, OTHERS = frozenset[str](), frozenset({"a"}), frozenset({"b"})


def every_place() -> Iterator[dict[str, object]]:
    """Whether we listen there: all that the rules and the place can say of each other."""
    for everywhere, listed, servers, private in product((False, True), (A, OTHERS), (NONE, A, OTHERS), (False, True)):
        yield {"all_places": everywhere, "places": listed, "servers": servers, "private": private}


def every_person() -> Iterator[dict[str, object]]:
    """Who may: each list names them, or others, or nobody is asked."""
    for everybody, *lists in product((False, True), *[(A, OTHERS)] * 4):
        yield {"all_people": everybody, **dict(zip(("people", "roles", "admins", "admin_roles"), lists, strict=True))}


def every_bot() -> Iterator[dict[str, object]]:
    """Which bots are heard; lists of people name this one or nobody, which must not matter."""
    for bots, trusted, all_people, people in product(
        ("off", "mentions", "all"), (NONE, A, OTHERS), (False, True), (A, NONE)
    ):
        yield {"bots": bots, "trusted_bots": trusted, "all_people": all_people, "people": people, "roles": people}


def every_event(*, by_bot: bool) -> list[Knock]:
    """Messages and actions, in channels, threads and direct messages, ours, the platform's and others', meant for us or
    not: everything that a knock can say but for who they are and where."""
    names = ("is_ours", "is_system", "is_action", "is_private", "is_thread", "calls_us", "involved", "other_bots")
    by = Person("a", is_bot=by_bot)
    return [
        Knock(by, A, A, server="" if values[3] else "a", **dict(zip(names, values, strict=True)))
        for values in product((False, True), repeat=len(names))
    ]


@pytest.mark.parametrize("by_bot", [False, True], ids=["people", "bots"])
def test_of_everything_that_there_can_be_nothing_gets_in_that_is_not_listed(by_bot: bool) -> None:
    """Exhaustively: every event × every relation of its place × every relation of its author to the rules."""
    events, who = every_event(by_bot=by_bot), list(every_bot() if by_bot else every_person())
    let_in = 0
    for place, person in product(every_place(), who):
        rules = Rules(uncalled="involved", **{**place, **person})  # type: ignore[arg-type]  # a table
        for knock in events:
            if admit(rules, knock) is IN:
                is_allowed(rules, knock)
                let_in += 1
    assert let_in > len(events) * len(who) / 10, "there is somebody whom the rules let in"


@given(rules, knocks)
def test_whoever_is_let_in_by_the_lists_gets_in_with_what_is_for_us(rules: Rules, knock: Knock) -> None:
    """The other direction: the lists keep nobody out whom they let in."""
    knock = replace(knock, is_ours=False, is_system=False, calls_us=True, by=replace(knock.by, is_bot=False))
    expected = is_open_place(rules, knock) and is_listed(rules, knock)
    assert (admit(rules, knock) is IN) == expected


@given(knocks)
def test_nobody_gets_in_anywhere_without_rules(knock: Knock) -> None:
    assert admit(Rules(), knock) is not IN
    assert trust(Rules(), knock) is Trust.NOBODY


@given(rules, knocks)
def test_nobody_is_trusted_further_than_the_lists_say(rules: Rules, knock: Knock) -> None:
    """Whatever the event is: a message, a command, a button, a menu, a form, a completion."""
    found = trust(rules, knock)
    if found > Trust.NOBODY:
        # Who is trusted at all may press, if a person, and may write, if the message calls us.
        assert admit(rules, replace(knock, is_action=not knock.by.is_bot, calls_us=knock.calls_us)) is IN
    if found > Trust.GUEST:
        assert not knock.by.is_bot
        assert knock.belongs or knock.is_private or found is Trust.ADMIN
    if found is Trust.ADMIN:
        assert knock.by.id in rules.admins or rules.admin_roles & knock.roles


@given(rules, knocks)
def test_who_may_press_is_trusted_and_the_reverse(rules: Rules, knock: Knock) -> None:
    knock = replace(knock, is_action=True, by=replace(knock.by, is_bot=False))
    assert (admit(rules, knock) is IN) == (trust(rules, knock) > Trust.NOBODY)


@given(rules, knocks)
def test_a_bot_is_never_refused_aloud(rules: Rules, knock: Knock) -> None:
    """Two bots that refuse each other would do so for ever."""
    if knock.by.is_bot and not knock.is_action:
        assert admit(rules, knock) is not REFUSED


@given(rules, knocks)
def test_an_action_is_never_passed_over_in_silence_but_our_own(rules: Rules, knock: Knock) -> None:
    if knock.is_action and not knock.is_ours and not knock.is_system:
        assert admit(rules, knock) in {IN, REFUSED}


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, IN),
        ({"by": EVE}, REFUSED),
        ({"by": EVE, "roles": frozenset({"crew"})}, IN),
        ({"by": EVE, "calls_us": False}, IGNORED),
        ({"calls_us": False}, IGNORED),
        ({"places": frozenset({"random"})}, IGNORED),
        ({"by": EVE, "places": frozenset({"random"})}, IGNORED),
        ({"places": frozenset({"t1", "general"}), "is_thread": True}, IN),
        ({"is_ours": True}, IGNORED),
        ({"is_system": True}, IGNORED),
        ({"is_private": True}, IGNORED),
        ({"is_action": True, "calls_us": False}, IN),
        ({"is_action": True, "by": EVE}, REFUSED),
        ({"is_action": True, "places": frozenset({"random"})}, REFUSED),
        ({"is_action": True, "is_private": True}, REFUSED),
        ({"by": HELPER}, IGNORED),
    ],
    ids=str,
)
def test_people(change: dict[str, object], verdict: Verdict) -> None:
    assert admit(RULES, replace(CALL, **change)) is verdict  # type: ignore[arg-type]  # a table


@pytest.mark.parametrize(
    ("mode", "involved", "other_bots", "calls_us", "verdict"),
    [
        ("involved", False, False, False, IGNORED),
        ("involved", True, False, False, IN),
        ("involved", True, True, False, IN),
        ("involved", False, True, True, IN),
        ("mentions", True, False, False, IGNORED),
        ("mentions", True, False, True, IN),
        ("multibot-mentions", False, False, False, IGNORED),
        ("multibot-mentions", True, False, False, IN),
        ("multibot-mentions", True, True, False, IGNORED),
        ("multibot-mentions", True, True, True, IN),
    ],
)
def test_messages_in_threads(mode: str, involved: bool, other_bots: bool, calls_us: bool, verdict: Verdict) -> None:
    rules = replace(RULES, uncalled=mode)  # type: ignore[arg-type]  # a table
    knock = replace(CALL, is_thread=True, involved=involved, other_bots=other_bots, calls_us=calls_us)
    assert admit(rules, knock) is verdict


def test_in_a_channel_taking_part_is_not_being_called() -> None:
    """Only threads go on without a call: we have spoken in the channel before, too."""
    assert admit(replace(RULES, uncalled="involved"), replace(CALL, involved=True, calls_us=False)) is IGNORED


def test_a_direct_message_needs_no_call_and_no_listed_place_but_its_own_permission() -> None:
    knock = Knock(ANN, frozenset({"dm"}), is_private=True)
    assert admit(RULES, knock) is IGNORED
    assert admit(replace(RULES, private=True), knock) is IN
    assert admit(replace(RULES, private=True), replace(knock, by=EVE)) is REFUSED


@pytest.mark.parametrize(
    ("mode", "trusted", "who", "calls_us", "verdict"),
    [
        ("off", (), HELPER, True, IGNORED),
        ("off", ("helper",), HELPER, True, IN),  # FIELD G14
        ("off", ("helper",), HELPER, False, IGNORED),
        ("off", ("helper",), STRANGER, True, IGNORED),
        ("mentions", (), HELPER, True, IN),
        ("mentions", (), HELPER, False, IGNORED),
        ("mentions", ("helper",), HELPER, True, IN),
        ("mentions", ("helper",), STRANGER, True, IGNORED),
        ("all", (), HELPER, False, IN),
        ("all", ("helper",), HELPER, False, IN),
        ("all", ("helper",), STRANGER, False, IGNORED),
    ],
)
def test_bots(mode: str, trusted: tuple[str, ...], who: Person, calls_us: bool, verdict: Verdict) -> None:
    rules = replace(RULES, bots=mode, trusted_bots=frozenset(trusted), uncalled="involved")  # type: ignore[arg-type]
    knock = replace(CALL, by=who, is_thread=True, involved=True, calls_us=calls_us)
    assert admit(rules, knock) is verdict


def test_being_listed_as_a_bot_does_not_let_a_person_in_nor_the_reverse() -> None:
    """FIELD G7 and I3: two lists, two gates."""
    rules = replace(RULES, people=frozenset({"helper"}), trusted_bots=frozenset({"ann"}), bots="all")
    assert admit(rules, replace(CALL, by=ANN)) is REFUSED
    assert admit(rules, replace(CALL, by=HELPER)) is IGNORED


def test_a_listed_server_shuts_out_all_others_and_no_direct_message() -> None:
    rules = replace(RULES, all_places=True, servers=frozenset({"home"}), private=True)
    assert admit(rules, replace(CALL, server="home")) is IN
    assert admit(rules, replace(CALL, server="elsewhere")) is IGNORED
    assert admit(rules, replace(CALL, server="elsewhere", is_action=True)) is REFUSED
    assert admit(rules, replace(CALL, is_private=True)) is IN


def test_an_admin_is_let_in_where_we_listen_and_nowhere_else() -> None:
    rules = replace(RULES, admins=frozenset({"eve"}), admin_roles=frozenset({"root"}))
    assert admit(rules, replace(CALL, by=EVE)) is IN
    assert admit(rules, replace(CALL, by=EVE, places=frozenset({"random"}))) is IGNORED
    there = replace(CALL, is_action=True)
    assert trust(rules, replace(there, by=EVE)) is Trust.ADMIN
    assert trust(rules, replace(there, roles=frozenset({"root"}))) is Trust.ADMIN
    assert trust(rules, replace(there, by=EVE, places=frozenset({"random"}))) is Trust.NOBODY
    assert trust(rules, replace(there, by=Person("eve", is_bot=True))) is Trust.NOBODY


def test_who_has_talked_to_us_there_is_one_of_its_people() -> None:
    there = replace(CALL, is_action=True)
    assert trust(RULES, there) is Trust.GUEST
    assert trust(RULES, replace(there, belongs=True)) is Trust.MEMBER
    assert trust(replace(RULES, private=True), replace(there, is_private=True)) is Trust.MEMBER
    assert trust(RULES, replace(there, by=EVE, belongs=True)) is Trust.NOBODY


def test_a_bot_that_is_heard_needs_no_place_on_the_list_of_people() -> None:
    """FIELD G7."""
    assert admit(replace(RULES, bots="mentions"), replace(CALL, by=HELPER)) is IN
