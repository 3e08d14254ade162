"""How much memory this process takes at its peak, asked of the kernel: what an allocator or a library takes counts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["MB", "grows_less_than"]

MB = 1024 * 1024
PROC = Path("/proc/self")


@contextmanager
def grows_less_than(megabytes: int) -> Iterator[None]:
    """Fail if this process has at any moment taken so many more megabytes than it did at the beginning."""
    (PROC / "clear_refs").write_text("5")  # the peak begins anew
    before = _kilobytes("VmRSS")
    yield
    grown = (_kilobytes("VmHWM") - before) / 1024
    assert grown < megabytes, f"it took {grown:.0f} MB more, and may take {megabytes}"


def _kilobytes(name: str) -> int:
    lines = (PROC / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
