"""The load where there is no C compiler: the orders of agent.c, from blocks that were built beforehand.

A program of its own that imports nothing of the project. It cannot outrun a fast client as agent.c does.
"""

from __future__ import annotations

import os
import re
import select
import sys
import time

__all__: list[str] = []

BLOCK = 65536
HEAD = b'{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s","update":{"sessionUpdate":'
KINDS = (b"message", b"message", b"message", b"message", b"thought", b"thought", b"message")

pending = b""
heard = 0  # when the prompt was read


def say(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]


def cancelled(seconds: float | None) -> bool:
    """Wait up to `seconds` (None: for ever) for our stdin; return whether the turn was cancelled meanwhile."""
    global pending  # noqa: PLW0603  # one agent, one stdin
    if not select.select([0], [], [], seconds)[0]:
        return False
    data = os.read(0, BLOCK)
    if not data:
        sys.exit(0)
    pending += data
    if b"session/cancel" not in pending:
        return False
    pending = b""
    return True


def chunk(text: bytes, kind: bytes = b"message") -> bytes:
    return HEAD + b'"agent_%s_chunk","content":{"type":"text","text":"%s"}}}}\n' % (kind, text)


def build(number: int, text: bytes, mixed: bool) -> bytes:
    tool, step = divmod(number, 10)
    if mixed and step == 7:
        return HEAD + (b'"tool_call","toolCallId":"t%d","kind":"read","status":"pending","title":"Reading"}}}\n' % tool)
    if mixed and step > 7:
        status = b"in_progress" if step == 8 else b"completed"
        return HEAD + b'"tool_call_update","toolCallId":"t%d","status":"%s"}}}\n' % (tool, status)
    return chunk(text, KINDS[step] if mixed else b"message")


def stream(count: int, size: int, rate: int, mixed: bool) -> bool:
    """Return whether the turn was cancelled."""
    many = min(count, max(10, BLOCK // (size + 160) // 10 * 10))
    text = (b"word " * (size // 5 + 1))[:size]
    lines = [build(number, text, mixed) for number in range(many)]
    block, begin, done = b"".join(lines), time.monotonic(), 0
    while done < count:
        if rate:
            time.sleep(max(0.0, begin + done / rate - time.monotonic()))
            say(lines[done % many])
            done += 1
        else:
            some = min(many, count - done)
            say(block if some == many else b"".join(lines[:some]))
            done += some
        if cancelled(0):
            return True
    return False


def hang(with_orphan: bool) -> bool:
    if with_orphan and os.fork() == 0:
        os.close(0)
        os.close(2)
        time.sleep(5)
        os._exit(0)
    say(chunk(b"x") + HEAD + b'"tool_call","toolCallId":"t","title":"Building","status":"in_progress"}}}\n')
    while not cancelled(None):
        pass
    return True


def obey(line: bytes) -> bool:
    found = re.search(rb'"text": ?"stream (\d+) (\d+) (\d+) ([a-z]+)', line)
    if found is None:
        return hang(b'"orphan' in line)
    count, size, rate = (int(word) for word in found.groups()[:3])
    stopped = stream(count, size, rate, found[4] == b"mixed")
    stamp = b" STAMP %d %d %d " % (heard, time.monotonic_ns(), os.getpid()) if found[4] == b"stamped" else b""
    say(chunk(stamp + b"END"))
    return stopped


def take(line: bytes) -> None:
    global heard  # noqa: PLW0603  # one agent, one turn
    found = re.search(rb'"id": ?([^,} ]+)', line)
    if found is None:
        return
    if b'"initialize"' in line:
        result = b'{"protocolVersion":1,"agentCapabilities":{},"authMethods":[]}'
    elif b'"session/new"' in line:
        result = b'{"sessionId":"s"}'
    elif b'"session/prompt"' in line:
        heard = time.monotonic_ns()
        result = b'{"stopReason":"cancelled"}' if obey(line) else b'{"stopReason":"end_turn"}'
    else:
        result = b"null"
    say(b'{"jsonrpc":"2.0","id":%s,"result":%s}\n' % (found[1], result))


def main() -> None:
    global pending  # noqa: PLW0603
    while True:
        line, newline, rest = pending.partition(b"\n")
        if newline:
            pending = rest
            take(line)
        else:
            cancelled(None)  # reads; outside of a turn there is nothing to cancel


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        sys.exit(0)
