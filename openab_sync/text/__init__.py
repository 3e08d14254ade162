"""Text: what an answer looks like before a platform shows it.

`fences` knows code blocks, `split` makes pages, `ends` is about their last lines, `tables` rewrites tables, `snippets`
takes out code that fits no page, `tools` draws tool calls, `marks` keeps markdown where it belongs, `clean` removes
what a terminal would obey and nobody sees, `redact` and `veil` hide secrets, `masks` is about what poses as something
else, `globs` are the patterns of rules. Everything here is pure: strings in, strings out, no I/O, no clock, no threads.
"""

from __future__ import annotations

__all__: list[str] = []
