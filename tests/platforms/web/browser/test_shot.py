"""The README's picture is made by a command, and shows the page as it is now."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from .shot import PICTURE, SIZE

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[4]
GRID = (32, 20)  # so coarse that times and letters do not count, but where things are does
LIKE = 8.0  # of 255: a page in other colours, or with other parts, is further away


def test_the_command_makes_the_picture_that_the_readme_shows(tmp_path: Path) -> None:
    made = tmp_path / "page.png"
    command = [sys.executable, "-m", "tests.platforms.web.browser.shot", str(made)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert f".. image:: {PICTURE.relative_to(ROOT)}\n" in (ROOT / "README.rst").read_text(encoding="utf-8")
    with Image.open(made) as new, Image.open(PICTURE) as shown:
        assert new.size == shown.size == SIZE
        assert distance(new, shown) < LIKE, "make it anew: python -m tests.platforms.web.browser.shot"


def distance(one: Image.Image, other: Image.Image) -> float:
    """How far apart two pictures are, seen from afar: 0 to 255."""
    small = [picture.convert("L").resize(GRID, Image.Resampling.BOX) for picture in (one, other)]
    return float(ImageStat.Stat(ImageChops.difference(*small)).mean[0])
