"""Text: what an answer looks like before a platform shows it.

`fences` knows code blocks, `split` makes pages, `tables` rewrites tables, `tools` draws tool calls, `clean` removes
what a terminal would obey, `redact` hides secrets. Everything here is pure: strings in, strings out, no I/O, no
clock, no threads.
"""

from __future__ import annotations

__all__: list[str] = []
