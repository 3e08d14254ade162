"""The fault agent behind the test client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.agents.client import Client, Told
from tests.fakes import fake_agent

__all__ = ["Fake", "fake"]


class Fake(Client):
    """A client with the fault agent behind it."""

    def __init__(self, *flags: str) -> None:
        super().__init__(fake_agent(*flags))
        self.session = ""

    def say(self, prompt: str) -> Told:
        return self.prompt(self.session, prompt)

    def begin(self, prompt: str) -> int:
        return self.start(self.session, prompt)


@contextmanager
def fake(*flags: str) -> Iterator[Fake]:
    """The agent, with a session."""
    with Fake(*flags) as client:
        client.initialize()
        client.session = client.new()
        yield client
