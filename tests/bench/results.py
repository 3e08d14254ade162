"""What a run has measured, as it is kept in a file (`--json`) and taken out of it again (`--from`)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tests.bench.runner import Samples

__all__ = ["Results"]


@dataclass(frozen=True, slots=True)
class Results:
    """`about` says on what and how it was measured; the samples are by scenario."""

    about: str
    samples: dict[str, Samples]

    def save(self, file: Path) -> None:
        """Write every sample. Raise OSError."""
        file.write_text(json.dumps({"about": self.about, "results": self.samples}, indent=1), encoding="utf-8")

    @staticmethod
    def load(file: Path) -> Results:
        """Raise OSError, or ValueError if it is no such file."""
        found = json.loads(file.read_text(encoding="utf-8"))
        try:
            return Results(found["about"], found["results"])
        except (TypeError, KeyError) as error:
            raise ValueError(f"{file} was not written by --json") from error
