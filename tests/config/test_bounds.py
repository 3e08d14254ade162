"""[agent.limits]: what may be said, and what is refused with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from openab_sync.config import load
from openab_sync.errors import ConfigError


def loaded(folder: Path, text: str) -> object:
    file = folder / "config.toml"
    file.write_text(f"[agent.limits]\n{text}\n")
    return load(file, {}).config.agent.limits


def test_bounds_are_read(tmp_path: Path) -> None:
    limits = loaded(tmp_path, 'memory_soft_mb = 1\nmemory_mb = 2\nnice = -3\numask = "077"\ncgroup = "off"')
    assert "memory_mb=2" in repr(limits) and "umask='077'" in repr(limits)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('umask = "99"', "three octal digits"),
        ("nice = 20", "from -20 up to 19"),
        ("memory_soft_mb = 3\nmemory_mb = 2", "the word would come too late"),
        ("memory = 3", "no such key"),
    ],
)
def test_what_cannot_hold_is_refused_with_a_sentence(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)
    assert words in str(caught.value)


def test_only_a_soft_or_only_a_hard_bound_will_do(tmp_path: Path) -> None:
    assert loaded(tmp_path, "memory_mb = 0") and loaded(tmp_path, "memory_soft_mb = 0")
