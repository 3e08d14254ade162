"""A configuration file in TOML, from data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["section"]


def section(name: str, keys: Mapping[str, Any]) -> str:
    """Return one table; its values are such as JSON writes like TOML: texts, numbers, truth and lists of them."""
    return "\n".join([f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in keys.items())])
