"""reply.py where another bot listens: looked at when a reply begins, posted when it is complete."""

from __future__ import annotations

from dataclasses import replace

from openab_sync.acp import events as acp
from openab_sync.config.schema import ReactionsConfig
from openab_sync.core.drawing import Drawing
from openab_sync.core.port import Limits
from openab_sync.core.reply import Reply
from openab_sync.core.turn import Turn
from tests.core.scene import Scene, note

ONCE = Limits(page=100, live="once", mention=r"<@\d+>")


def test_whether_a_reply_grows_is_decided_when_it_begins() -> None:
    """FIELD E8: the bot that comes in the middle sees the next reply whole; this one goes on as it began."""
    scene = Scene()
    scene.say("one")
    scene.platform.can = replace(scene.platform.can, live="once")
    scene.platform.violations.clear()
    later = Reply((note("m2"),), scene.platform, scene.clock, Drawing(), ReactionsConfig(enabled=False), lambda: None)
    later.begin()
    turn = Turn((note("m2"),), scene.clock)
    turn.take(acp.Said("two"))
    later.refresh(turn)
    assert scene.texts == ["one"]
    turn.end("done")
    later.finish(turn)
    assert scene.texts == ["one", "two"]
    assert not later.is_settled
    later.refresh(turn)
    assert later.is_settled


def test_whoever_is_spoken_to_is_named_in_every_message() -> None:
    """FIELD E10."""
    scene = Scene(ONCE)
    scene.say("<@42> please look at this: " + "words and more " * 30)
    scene.end()
    assert len(scene.texts) > 3
    assert all("<@42>" in text for text in scene.texts)
    assert scene.platform.done("edit") == []
    assert scene.platform.violations == []


def test_where_a_message_is_edited_nobody_is_named_twice() -> None:
    scene = Scene(replace(ONCE, live="edit"))
    scene.say("<@42> please look at this: " + "words and more " * 30)
    scene.end()
    scene.go(5)
    assert "".join(scene.texts).count("<@42>") == 1
