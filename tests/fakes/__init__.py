"""Fakes for tests; see README.rst beside this file.

`fake_agent(*flags)` is the command of the fault agent, which runs from any directory and with any environment.
"""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["fake_agent"]

AGENT = Path(__file__).resolve().parent / "agent.py"


def fake_agent(*flags: str) -> tuple[str, ...]:
    """The command line that starts the fault agent with these flags."""
    return (sys.executable, str(AGENT), *flags)
