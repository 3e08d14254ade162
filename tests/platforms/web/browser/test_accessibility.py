"""axe-core looks at the page in each of its states: nothing that it calls serious may be left."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from tests.platforms.web.bed import DEMO, Bed, page

from .window import Window

pytestmark = pytest.mark.browser

AXE = files("axe_core_python").joinpath("axe.min.js").read_text("utf-8")
LOOK = """const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ["violations"]}).then((found) => done(found.violations.map(
  (fault) => `${fault.impact} ${fault.id}: ${fault.nodes.map((node) => node.html).join(" | ").slice(0, 400)}`)));"""


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    with page(tmp_path, command=DEMO, chips=(("Try", "slow 1"),)) as running:
        yield running


def faults(window: Window) -> list[str]:
    window.script(AXE)
    found = window.wait_for_script(LOOK)
    return [fault for fault in found if fault.startswith(("serious", "critical"))]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360], ids=["desk", "phone"])
def test_axe_finds_nothing_serious(bed: Bed, window: Window, scheme: str, width: int) -> None:
    window.prefer(scheme)
    window.resize(width, 800)
    window.enter(bed)
    found = faults(window)
    window.driver.get(window.driver.current_url.partition("#")[0] + "#/new")
    window.say("think then plan then table then code then fail then edit")
    window.until("#talk .ask button")
    found += faults(window)
    if width < 500:
        window.press("← All")
        window.until("#cards .card")
        found += faults(window)
        window.all("#cards .card")[0].click()
    window.press("Allow once", "#talk")
    window.until("#talk .end")
    window.say("crash")
    window.until("#talk .end[data-how=bad]")
    found += faults(window)
    window.press("Reset", "#room")
    window.until("dialog")
    assert found + faults(window) == []
