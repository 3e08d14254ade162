"""What travels between platforms and the core."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from openab_sync.core.message import Attachment, Conversation, Inbound, MessageRef
from tests.core.makers import ANNA, HERE, note


def test_a_conversation_is_named_by_platform_and_id() -> None:
    conversation = Conversation("discord", "1234")
    assert conversation.key == str(conversation) == "discord:1234"


def test_a_conversation_is_its_exact_id() -> None:
    """FIELD F9."""
    assert Conversation("a", "1") == Conversation("a", "1")
    assert len({Conversation("a", "1"), Conversation("a", "10"), Conversation("b", "1")}) == 3
    assert MessageRef(Conversation("a", "1"), "x") != MessageRef(Conversation("a", "10"), "x")


def test_a_message_knows_its_conversation() -> None:
    assert note("m").conversation == HERE


def test_what_people_write_and_send_is_in_no_repr() -> None:
    files = (Attachment("text", "a.txt", text="in the file"), Attachment("image", "b.png", "image/png", data="QUJD"))
    shown = repr(Inbound(MessageRef(HERE, "m"), ANNA, "in the text", files, context="in the context"))
    assert "a.txt" in shown
    assert not any(word in shown for word in ("in the file", "QUJD", "in the text", "in the context"))


def test_nothing_that_travels_can_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        note("m").text = "other"  # type: ignore[misc]  # that is the point
