from __future__ import annotations

import signal

from openab_sync.platforms.console.signals import handled


def test_a_handler_is_called_inside_and_gone_outside() -> None:
    before = signal.getsignal(signal.SIGTERM)
    got: list[signal.Signals] = []
    with handled({signal.SIGTERM: got.append, signal.SIGHUP: got.append}):
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGHUP)
    assert got == [signal.SIGTERM, signal.SIGHUP]
    assert signal.getsignal(signal.SIGTERM) == before
