"""What an agent gets of a prompt and of the MCP servers, and what it is told of the rest."""

from __future__ import annotations

from openab_sync.acp.schema import AudioBlock, Block, EmbeddedBlock, ImageBlock, LinkBlock, McpServer, TextBlock
from tests.acp.talk import Talk, opened


def test_mcp_servers_go_out_as_far_as_the_agent_can_reach_them() -> None:
    servers = (
        McpServer("a", command="/bin/a", args=("-x",), env=(("K", "v"),)),
        McpServer("b", "http", url="http://b", headers=(("H", "v"),)),
        McpServer("c", "sse", url="http://c"),
    )
    talk = Talk().shake_hands(loadSession=True, mcpCapabilities={"http": True})
    talk.written()
    talk.peer.load_session("old", "/w", servers)
    (sent,) = talk.written()
    assert sent["params"]["mcpServers"] == [
        {"name": "a", "command": "/bin/a", "args": ["-x"], "env": [{"name": "K", "value": "v"}]},
        {"type": "http", "name": "b", "url": "http://b", "headers": [{"name": "H", "value": "v"}]},
    ]
    assert talk.peer.left_out == ("c",)


BLOCKS: list[Block] = [
    ImageBlock("aW1n", "image/png; charset=x"),
    AudioBlock("c25k", "audio/ogg"),
    LinkBlock("file:///d/a.txt", mime="text/plain; x=1", size=3),
    LinkBlock("https://x/", "x"),
    EmbeddedBlock("file:///b.md", "a ```` b\n"),
]


def test_an_agent_that_takes_everything_gets_everything() -> None:
    can = {"image": True, "audio": True, "embeddedContext": True}
    talk = Talk().shake_hands(promptCapabilities=can).open()
    talk.peer.prompt(BLOCKS)
    (sent,) = talk.written()
    assert sent["params"]["prompt"] == [
        {"type": "image", "data": "aW1n", "mimeType": "image/png"},
        {"type": "audio", "data": "c25k", "mimeType": "audio/ogg"},
        {"type": "resource_link", "uri": "file:///d/a.txt", "name": "a.txt", "mimeType": "text/plain", "size": 3},
        {"type": "resource_link", "uri": "https://x/", "name": "x"},
        {"type": "resource", "resource": {"uri": "file:///b.md", "text": "a ```` b\n", "mimeType": "text/plain"}},
    ]


def test_what_an_agent_cannot_take_it_is_told_in_words() -> None:
    talk = opened()
    talk.peer.prompt([*BLOCKS, EmbeddedBlock("file:///c%20d", "no newline")])
    (sent,) = talk.written()
    texts = [block["text"] for block in sent["params"]["prompt"] if block["type"] == "text"]
    assert texts == [
        "[image not sent: this agent takes no images]",
        "[sound not sent: this agent takes no audio]",
        "b.md:\n`````markdown\na ```` b\n`````",
        "c d:\n```\nno newline\n```",
    ]


def test_lone_surrogates_in_a_prompt_do_not_stop_it() -> None:
    talk = opened()
    talk.peer.prompt([TextBlock("a\ud83d")])
    (sent,) = talk.written()
    assert sent["params"]["prompt"] == [{"type": "text", "text": "a\ufffd"}]
