"""What comes when no more is taken goes on after the restart, and that is said once."""

from __future__ import annotations

from dataclasses import replace

from openab_sync.core.later import Later
from openab_sync.core.ledger import UNWRITTEN
from openab_sync.core.notices import GOES_ON
from tests.core.makers import HERE, THERE, house, note
from tests.core.paper_ledger import PaperLedger
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FakePlatform


def test_it_is_said_once_in_each_conversation() -> None:
    port = FakePlatform(FakeClock())
    later = Later(replace(house(FakeClock()), ledger=PaperLedger()), {"test": port})
    for name, where in (("a", HERE), ("b", HERE), ("c", THERE)):
        assert later.takes(replace(note(name, where=where), delivery=1))
    assert (port.texts(HERE), port.texts(THERE)) == ([GOES_ON], [GOES_ON])


def test_what_is_on_no_record_would_not_be_there() -> None:
    port = FakePlatform(FakeClock())
    assert not Later(replace(house(FakeClock()), ledger=PaperLedger()), {"test": port}).takes(note("a"))
    assert not Later(replace(house(FakeClock()), ledger=UNWRITTEN), {"test": port}).takes(
        replace(note("a"), delivery=1)
    )
    assert port.texts(HERE) == []
