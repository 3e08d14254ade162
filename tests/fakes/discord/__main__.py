"""`python -m tests.fakes.discord`: Discord on this machine, with a page to write to the bot and watch."""

from __future__ import annotations

import argparse
import signal
import threading

from tests.fakes.discord.page import Playground

__all__ = ["main"]

TOKEN = "fake.token.for-a-bot-on-this-machine"  # fixed, so that it can stand in a README


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM. Exit 0, or 1 if the port is taken."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.discord", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="where to listen on 127.0.0.1 (default 8080; 0: any)")
    parser.add_argument("--token", default=TOKEN, help="the bot's token (default %(default)s)")
    options = parser.parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    server = Playground(port=options.port, token=options.token)
    server.user("you")
    try:
        with server:
            print(f"page     {server.origin}/\napi_url  {server.origin}\ntoken    {server.token}", flush=True)
            stop.wait()
    except OSError as error:
        print(f"cannot listen on port {options.port}: {error}", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
