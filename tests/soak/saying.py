"""What a soak prints."""

from __future__ import annotations

__all__ = ["say"]


def say(text: str) -> None:
    """Print at once, wherever the output goes."""
    print(text, flush=True)  # noqa: T201  # what this program is for
