"""A browser's window: what a person does with the page and sees of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import ElementNotInteractableException, StaleElementReferenceException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.platforms.web.bed import Bed
from tests.waiting import MS, until

__all__ = ["DRIVER", "Keys", "Window"]

PATIENCE = 8000 * MS
DRIVER = shutil.which("chromedriver", path=f"{os.environ.get('PATH', '')}:/usr/bin")
"""Debian's, which finds the browser of its own version; None where there is none."""
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
         "--no-first-run", "--force-color-profile=srgb")  # fmt: skip


class Window:
    """One window."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    @classmethod
    @contextmanager
    def opened(cls, *flags: str) -> Iterator[Window]:
        """A browser, from its start to its end."""
        options = Options()
        for flag in (*FLAGS, *flags):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        # No connection is kept open between two commands: each test looks at its descriptors.
        driver = webdriver.Chrome(options=options, service=Service(DRIVER), keep_alive=False)
        try:
            yield cls(driver)
        finally:
            driver.quit()

    # What a person does.

    def enter(self, bed: Bed) -> None:
        """Follow a link into the page."""
        self.driver.get(bed.status.guard.make_link())
        self.until("#line[data-line=live]")

    def say(self, text: str) -> None:
        """Write a message and send it with the Enter key."""
        field = self.one("#text")
        field.send_keys(text, Keys.ENTER)
        until(lambda: not field.get_property("value"), PATIENCE, "the message is sent")

    def press(self, name: str, within: str = "body") -> None:
        """Press the button or follow the link of that name."""
        until(lambda: self._pressed(name, within), PATIENCE, f"there is something called {name}")

    def _pressed(self, name: str, within: str) -> bool:
        try:
            for found in self.named(name, within):
                found.click()
                return True
        except (StaleElementReferenceException, ElementNotInteractableException):  # drawn anew: look again
            pass
        return False

    def keys(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        self.driver.switch_to.active_element.send_keys(*keys)

    def resize(self, width: int, height: int) -> None:
        """Be a window with so many pixels inside."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def prefer(self, scheme: str) -> None:
        """Be on a system that is set to light or dark."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def reload(self) -> None:
        self.driver.refresh()

    def forget(self) -> None:
        """Be a browser that was never here."""
        self.driver.delete_all_cookies()
        self.driver.get_log("browser")  # type: ignore[no-untyped-call]

    def leave(self) -> None:
        """Go to an empty page: nobody is asked any more."""
        self.driver.get("about:blank")

    # What a person sees.

    def all(self, css: str) -> list[WebElement]:
        seen = "return [...document.querySelectorAll(arguments[0])].filter((found) => found.checkVisibility())"
        return list(self.script(seen, css))

    def one(self, css: str) -> WebElement:
        return until(lambda: self.all(css), PATIENCE, f"{css} is seen")[0]

    def until(self, css: str) -> WebElement:
        """Wait until something is seen; return it."""
        return self.one(css)

    def until_gone(self, css: str) -> None:
        until(lambda: not self.all(css), PATIENCE, f"{css} is not seen any more")

    def text(self, css: str = "#talk") -> str:
        """What can be read there, "" where there is nothing."""
        return str(self.script("return document.querySelector(arguments[0])?.innerText ?? ''", css))

    def until_text(self, text: str, css: str = "#talk") -> None:
        until(lambda: text in self.text(css), PATIENCE, f"{text!r} stands in {css}")

    def named(self, name: str, within: str = "body") -> list[WebElement]:
        """The buttons and links of that name that are seen."""
        named = """const [css, name] = arguments;
            return [...document.querySelectorAll(css)].filter(
              (found) => found.checkVisibility() && found.innerText.trim() === name)"""
        return list(self.script(named, f"{within} button, {within} a", name))

    def focus(self) -> str:
        """What has the focus: its id, else its text."""
        return str(self.script("return document.activeElement.id || document.activeElement.innerText"))

    def complaints(self) -> list[str]:
        """What stands in the console."""
        return [f"{entry['level']}: {entry['message']}" for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]

    def script(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(script, *arguments)

    def wait_for_script(self, script: str, *arguments: object) -> Any:
        """Run a script that calls its last argument when it is done."""
        return self.driver.execute_async_script(script, *arguments)

    def picture(self, path: Path) -> None:
        """Save what is seen."""
        self.driver.save_screenshot(str(path))
