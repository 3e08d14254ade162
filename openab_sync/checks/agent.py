"""Does the agent work? A handshake, and what there is to say about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..acp.events import AuthMethod
from ..app import App
from ..config.schema import Config
from ..core.handshake import Handshake, shake_hands, ways_in
from ..core.house import House
from ..errors import AgentError
from ..text.clean import one_line
from .finding import Finding, fail, ok, warn

__all__ = ["AuthMethod", "House", "check_agent", "shake_hands", "ways_in"]

SLOW = 8.0  # seconds after which people begin to wonder
TRY_IT = "start it in a terminal, in its folder: what does it say there? See [agent]"
MOST_NAMED = 6  # models in a line


def check_agent(config: Config, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Start the configured agent, open a session, end it. Blocks as long as the configured patience allows.

    Raise ConfigError for an agent that is not known.
    """
    house = App(config, {}, environ=environ).house
    try:
        hands = shake_hands(house)
    except AgentError as error:
        words = one_line(house.redact(error.stderr), 300)
        said = f"; its last words: {words}" if words else ""
        yield fail("agent", f"{error.user_text()}{said}", house.advice(error).strip() or TRY_IT)
        return
    version = f" {hands.version}" if hands.version else ""
    text = f"{hands.name}{version} began a session in {hands.seconds:.1f} s"
    yield ok("agent", text) if hands.seconds < SLOW else warn("agent", text, "people wait that long for a first answer")
    yield ok("agent", f"it can: {', '.join(hands.can) or 'nothing beyond text'}")
    yield from _options(hands)
    if not {"load", "resume"} & set(hands.can):
        yield warn("agent", "it cannot take up earlier sessions", "after a restart conversations begin anew")
    for notice in hands.notices:
        yield warn("agent", one_line(notice, 300), "people read that too; see [agent] and [permissions]")


def _options(hands: Handshake) -> Iterator[Finding]:
    for option in hands.options:
        names = {choice.value: choice.name or choice.value for choice in option.choices}
        now = names.get(str(option.value), str(option.value))
        if option.category in ("model", "mode"):
            some = [one_line(name, 40) for name in list(names.values())[:MOST_NAMED]]
            more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
            yield ok("agent", f"{option.category}: {one_line(now, 60)} (of {', '.join(some)}{more})")
