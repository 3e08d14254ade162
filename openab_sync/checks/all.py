"""Everything that `check` looks at, in the order in which it matters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..config.load import Loaded
from ..errors import ConfigError
from .agent import check_agent
from .finding import Finding, fail
from .machine import check_configuration, check_descriptors, check_port, check_store

__all__ = ["check_all"]


def check_all(loaded: Loaded, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what is found, as it is found. Blocks: an agent is started, Discord is visited. Raises nothing of ours."""
    config = loaded.config
    yield from check_configuration(loaded)
    store = list(check_store(config, environ))
    yield from store
    yield from check_port(config.status, is_running=any("in use by a broker" in one.text for one in store))
    yield from check_descriptors(config)
    try:
        yield from check_agent(config, environ)
    except ConfigError as error:
        yield fail("agent", error.message, error.hint or "`openab-sync agents` lists those that are known")
    if config.discord is None:
        yield fail("discord", "there is no section [discord]: `run` serves nobody", "`openab-sync setup` writes one")
        return
    from .discord import check_discord

    yield from check_discord(config.discord)
