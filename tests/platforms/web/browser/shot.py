"""The picture of the page in README.rst: `python -m tests.platforms.web.browser.shot [FILE]` makes it anew."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from pathlib import Path

from PIL import Image

from tests.platforms.web.bed import DEMO, Bed, page
from tests.waiting import until

from .window import Window

__all__ = ["PICTURE", "SIZE", "make"]

SIZE = (1280, 800)

PICTURE = Path(__file__).parents[4] / "conf" / "page.png"


def make(path: Path = PICTURE) -> None:
    """Write the picture: three conversations, one of which asks and one of which works."""
    os.environ["LOGNAME"] = "ann"
    with (
        tempfile.TemporaryDirectory() as name,
        page(Path(name), command=DEMO, agent="Demo agent") as bed,
        Window.opened() as window,
    ):
        _scene(bed, window)
        data = window.driver.get_screenshot_as_png()
    picture = Image.open(io.BytesIO(data)).convert("RGB").quantize(128, dither=Image.Dither.NONE)
    picture.save(path, optimize=True)


def _scene(bed: Bed, window: Window) -> None:
    window.resize(*SIZE)
    window.prefer("light")
    window.enter(bed)
    window.say("think then code")
    window.until("#talk .end")
    window.press("New conversation")
    window.say("slow 600")
    window.until("#talk .said")
    window.press("New conversation")
    window.say("plan then edit")
    window.until("#talk .ask button")
    until(lambda: len(window.all("#cards .card")) == 3)


if __name__ == "__main__":
    make(*map(Path, sys.argv[1:]))
