"""Somebody who follows a link into the page and writes.

`python visitor.py LINK TEXT WANTED` exits with 0 when WANTED was in the answer. Needs nothing but Python: CI runs it
against the README's first command.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from http.cookiejar import CookieJar
from typing import Any

__all__ = ["Visitor"]


class Visitor:
    """A browser without a window."""

    def __init__(self, link: str) -> None:
        """Follow the link, which works once."""
        self._home = link.partition("/enter/")[0]
        self._browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self._browser.open(link, timeout=10).close()
        self._changes = self.get("/api/me")["changes"]

    def get(self, path: str) -> Any:
        """Look at something."""
        return json.loads(self.read(path))

    def read(self, path: str) -> bytes:
        """Fetch something."""
        with self._browser.open(self._home + path, timeout=10) as answer:
            return bytes(answer.read())

    def post(self, path: str, data: object) -> Any:
        """Change something."""
        headers = {"Content-Type": "application/json", "X-Openab-Token": self._changes}
        request = urllib.request.Request(self._home + path, json.dumps(data).encode(), headers)
        with self._browser.open(request, timeout=10) as answer:
            return json.load(answer)

    def say(self, text: str) -> str:
        """Write into a new conversation; return its key."""
        key = self.post("/web/conversations", {})["conversation"]
        self.post("/web/messages", {"conversation": key, "text": text})
        return str(key)

    def hear(self, key: str, wanted: str, seconds: float = 20.0) -> bool:
        """Look until the agent has said `wanted` and its turn has ended."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            room = self.get(f"/web/look?room={key}")["room"]
            entries = room["entries"] if room else []
            said = "".join(entry["html"] for entry in entries if entry["kind"] == "said")
            if wanted in said and entries[-1]["kind"] == "end":
                return True
            time.sleep(0.05)
        return False


if __name__ == "__main__":
    link, text, wanted = sys.argv[1:]
    visitor = Visitor(link)
    sys.exit(0 if visitor.hear(visitor.say(text), wanted) else "the agent did not say it")
