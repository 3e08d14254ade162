"""A delivery at a fake platform: what the tests of delivery, its pages and its debts share."""

from __future__ import annotations

from openab_sync.core.delivery import Address, Delivery
from openab_sync.core.port import Controls, Limits
from tests.core.scene import CONVERSATION, note
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FakePlatform

ADDRESS = Address(CONVERSATION, note().ref, "turn-1")


class Post:
    """A delivery at a fake platform."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.clock = FakeClock()
        self.platform = FakePlatform(self.clock, limits)
        self.bells = 0
        self.delivery = Delivery(ADDRESS, self.platform, self.clock, self.ring)

    def ring(self) -> None:
        self.bells += 1

    def want(
        self, finished: list[str], live: list[str], *, final: bool = False, controls: Controls | None = None
    ) -> None:
        self.delivery.want(finished, live, is_final=final, controls=controls)
        self.run()

    def run(self) -> None:
        """Work until there is nothing to do but wait."""
        while self.delivery.has_work:
            self.delivery.land()
            self.delivery.start()

    @property
    def texts(self) -> list[str]:
        return self.platform.texts(CONVERSATION)

    def ops(self) -> list[tuple[str, str]]:
        return [(op.what, op.text) for op in self.platform.done("post", "edit", "upload")]
