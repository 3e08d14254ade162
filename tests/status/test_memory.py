"""What was weighed last is there for everybody."""

from __future__ import annotations

import os

from openab_sync.status.memory import Scales


def test_what_is_not_there_weighs_nothing() -> None:
    scales = Scales()
    scales.weigh([os.getpid(), 2**22 + 1])
    assert scales.bytes.keys() == {os.getpid()} and scales.bytes[os.getpid()] > 1_000_000
    scales.weigh([])
    assert scales.bytes == {}
