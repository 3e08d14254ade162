"""`/limits`: everybody may look, admins lift and restore."""

from __future__ import annotations

from openab_sync.core.admission import Trust
from openab_sync.core.audit import Audit
from openab_sync.core.desk import View
from tests.core.bed import ANN, BOB, Bed, place
from tests.core.test_audit import Book


def test_it_shows_what_was_used_and_starts_no_agent() -> None:
    with Bed() as bed:
        told = bed.command("limits")
        assert told.text.splitlines()[0] == ("You: 0 turns within the last hour; today 0 turns, 0 tokens, cost 0.00")
        assert bed.broker.snapshot().sessions == ()


def test_admins_lift_limits_here_or_for_somebody_and_that_is_on_record() -> None:
    book = Book()
    with Bed(audit=Audit(book)) as bed:
        budget = bed.app.house.budget
        member = View(trust=Trust.MEMBER)
        assert not bed.broker.command(place(), "limits", "lift", BOB, member).result(0).ok
        assert not budget.is_lifted("ann", "test:1")
        assert bed.command("limits", "lift").ok
        assert budget.is_lifted("bob", "test:1") and not budget.is_lifted("bob", "test:2")
        assert bed.command("limits", "lift <@42>").text == "No limits for 42 until midnight."
        assert budget.is_lifted("42", "test:2")
        assert bed.command("limits", "restore").text == "The limits hold again here."
        assert not bed.command("limits", "restore").ok
        assert not bed.command("limits", "abolish").ok
    assert [entry["what"] for entry in book.of("limit")][:3] == ["lifted here", "lifted for 42", "restored here"]
    assert all(entry["by_admin"] for entry in book.of("limit"))


def test_a_message_is_counted_before_anything_is_done_for_it() -> None:
    with Bed(quota={"person": {"messages_per_minute": 2}}) as bed:
        assert [bed.broker.come(place(), ANN) for _ in range(2)] == [None, None]
        hit = bed.broker.come(place("2"), ANN)
        assert hit is not None and hit.limit == "person.messages_per_minute"
        assert bed.broker.come(place("2"), BOB) is None


def test_who_is_beyond_a_limit_is_told_in_a_sentence_and_that_is_on_record() -> None:
    book = Book()
    with Bed(quota={"person": {"messages_per_minute": 1}}, audit=Audit(book)) as bed:
        assert bed.broker.refusal(place(), ANN) == ""
        assert "1 messages within a minute" in bed.broker.refusal(place(), ANN)
    assert [entry["limit"] for entry in book.of("limit")] == ["person.messages_per_minute"]
