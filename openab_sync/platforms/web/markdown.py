"""Markdown of an agent as HTML that can do nothing: hostile text is the rule here, not the exception. Pure.

Safe by construction: HTML in the text is text, links lead to http, https and mailto and open apart, pictures become
links (the page fetches nothing from elsewhere), and nothing but the renderer's own elements comes out. The page checks
once more what it puts in.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from ...text.clean import plain

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

__all__ = ["html", "safe_uri"]

LONGEST = 32_000  # characters; what is longer is shown as it is: the grammar is not linear
_SCHEME = re.compile(r"(?i:https?://[^\s/]|mailto:[^\s])")


def html(text: str) -> str:
    """Return `text` as HTML. Any thread; costs milliseconds for a page of text."""
    text = plain(text)
    if len(text) > LONGEST:
        return f"<pre>{escape(text)}</pre>"
    return str(_parser().render(text))


def safe_uri(uri: str) -> bool:
    """Whether a link may lead there."""
    return bool(_SCHEME.match(uri.strip()))


@functools.lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # slow to import

    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    parser.validateLink = safe_uri  # type: ignore[assignment, method-assign]  # as its manual says
    parser.add_render_rule("link_open", _link)
    parser.add_render_rule("image", _image)
    parser.add_render_rule("th_open", _cell)
    parser.add_render_rule("td_open", _cell)
    return parser


def _link(_renderer: object, tokens: Sequence[Token], index: int, *_: object) -> str:
    href = escape(str(tokens[index].attrs.get("href", "")))
    return f'<a href="{href}" rel="noopener noreferrer" target="_blank">'


def _cell(_renderer: object, tokens: Sequence[Token], index: int, *_: object) -> str:
    """A cell says by its class how it is aligned: the page allows no styles in elements."""
    side = str(tokens[index].attrs.get("style", "")).removeprefix("text-align:")
    return f'<{tokens[index].tag} class="{side}">' if side in {"center", "right"} else f"<{tokens[index].tag}>"


def _image(_renderer: object, tokens: Sequence[Token], index: int, *_: object) -> str:
    href = escape(str(tokens[index].attrs.get("src", "")))
    name = escape(tokens[index].content) or "picture"
    return f'<a href="{href}" rel="noopener noreferrer" target="_blank">🖼 {name}</a>'
