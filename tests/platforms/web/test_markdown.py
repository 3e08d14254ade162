from __future__ import annotations

import html.parser
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openab_sync.platforms.web.markdown import LONGEST, safe_uri
from openab_sync.platforms.web.markdown import html as drawn
from tests.waiting import MS

TAGS = "p br strong em s code pre blockquote ul ol li h1 h2 h3 h4 h5 h6 hr a table thead tbody tr th td"
ALLOWED = set(TAGS.split())
ATTRIBUTES = {"a": {"href", "rel", "target"}, "code": {"class"}, "th": {"class"}, "td": {"class"}, "ol": {"start"}}
LINK = "https://example.org"


class Reader(html.parser.HTMLParser):
    """What a browser would see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_what_agents_write_is_drawn() -> None:
    text = drawn("# Head\n\n**bold** `code` ~~gone~~\n\n- a\n- b\n\n```python\nx = 1\n```\n")
    text += drawn("|a|b|\n|-|-:|\n|1|2|\n")
    for part in ("<h1>Head</h1>", "<strong>bold</strong>", "<s>gone</s>", "<li>a</li>", 'class="language-python"',
                 '<td class="right">2</td>'):  # fmt: skip
        assert part in text


def test_html_is_text() -> None:
    text = drawn("<script>alert(1)</script>\n\n<img src=x onerror=alert(1)> <b>b</b>")
    assert [tag for tag, _ in Reader(text).tags] == ["p", "p"]
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize(
    "uri",
    ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "//x.y",
     "/a", "http:", "https:///x", "java\tscript:x", "&#106;avascript:x"],
)  # fmt: skip
def test_a_link_to_anywhere_else_is_none(uri: str) -> None:
    assert not safe_uri(uri)
    assert [tag for tag, _ in Reader(drawn(f"[a]({uri}) <{uri}> ![p]({uri})")).tags if tag in {"a", "img"}] == []


@pytest.mark.parametrize("uri", ["http://x.y/z", "https://x.y", "mailto:a@b.c", "HTTPS://X.Y"])
def test_a_good_link_opens_apart(uri: str) -> None:
    tag, attributes = Reader(drawn(f"[a]({uri})")).tags[1]
    assert (tag, attributes["rel"], attributes["target"]) == ("a", "noopener noreferrer", "_blank")


def test_a_picture_from_elsewhere_is_a_link_and_not_fetched() -> None:
    tags = [tag for tag, _ in Reader(drawn(f"![cat]({LINK}/cat.png)")).tags]
    assert tags == ["p", "a"]


def test_a_long_text_is_shown_as_it_is() -> None:
    text = drawn("*a*" * LONGEST)
    assert text.startswith("<pre>*a*")


@pytest.mark.parametrize("piece", ["![[", "*a **b ", "[a](b", "_a*b", "> - ", "|a", "<a ", "`", "[a]: <b>\n[a] "])
def test_nothing_hostile_is_slow(piece: str) -> None:
    before = time.process_time()
    drawn((piece * 6000)[:6000])  # what an entry holds
    assert time.process_time() - before < 1000 * MS


@given(st.text("a[]()<>!`*_|-~\"'=:/&#; \nhtpsjavrid\x00\x1b\u202e", max_size=80))
@example('[x](https://a"onclick=1)')
@example("```x onload=1\n```")
@example('![a](https://b "t")')
def test_nothing_comes_out_but_what_is_allowed(text: str) -> None:
    for tag, attributes in Reader(drawn(text)).tags:
        assert tag in ALLOWED
        assert set(attributes) <= ATTRIBUTES.get(tag, set())
        assert safe_uri(attributes.get("href") or LINK)
