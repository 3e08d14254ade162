"""discord.py is imported here first, for it imports `audioop`, of which Python 3.11 and 3.12 warn."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)
    import discord  # noqa: F401  # for its effect
