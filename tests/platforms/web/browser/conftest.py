"""One browser for all tests here. Where Selenium is not installed (`.[page]`) there is nothing to collect."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .window import Window

collect_ignore_glob = [] if importlib.util.find_spec("selenium") else ["test_*.py", "window.py", "shot.py"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Window]:
    """The browser; its window is used by one test after another."""
    from .window import DRIVER, Window

    if DRIVER is None:
        pytest.skip("there is no chromedriver: apt-get install chromium chromium-driver")
    with Window.opened() as window:
        yield window


@pytest.fixture
def window(browser: Window) -> Iterator[Window]:
    """The browser's window, as large as a desk's, with nothing left in it. Afterwards its console must be empty."""
    browser.forget()
    browser.resize(1280, 860)
    yield browser
    complaints = browser.complaints()
    browser.leave()
    assert complaints == []
