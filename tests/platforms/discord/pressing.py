"""What tests of interactions share: waiting for what a person sees, and looking at it."""

from __future__ import annotations

from tests.fakes.discord import Interaction, Message, Server
from tests.fakes.discord.things import Channel, Json
from tests.platforms.discord.bed import Bed
from tests.waiting import MS, until

__all__ = ["button_ids", "buttons", "done", "idle", "select", "shown", "told"]


def done(server: Server, interaction: Interaction) -> Interaction:
    """Wait until the person sees an answer."""
    server.until(lambda: interaction.is_done, 8000 * MS, what=f"an answer to {interaction.data}")
    return interaction


def told(server: Server, interaction: Interaction) -> str:
    """Wait for the answer; return what this person, and nobody else, reads."""
    done(server, interaction)
    assert interaction.is_ephemeral
    return interaction.answer


def shown(server: Server, interaction: Interaction) -> Message:
    """Wait for the answer; return the message that it is."""
    done(server, interaction)
    assert interaction.original is not None
    return interaction.original


def _items(message: Message) -> list[Json]:
    return [item for row in message.components for item in row["components"]]


def buttons(message: Message) -> list[str]:
    """The labels of a message's buttons."""
    return [item["label"] for item in _items(message) if item["type"] == 2]


def button_ids(message: Message) -> list[str]:
    return [item["custom_id"] for item in _items(message) if "custom_id" in item]


def select(message: Message) -> list[str]:
    """The labels in a message's selects."""
    return [option["label"] for item in _items(message) if item["type"] == 3 for option in item["options"]]


def idle(bed: Bed, thread: Channel) -> None:
    """Wait until the agent of a conversation has nothing to do, and has had what people wrote there last."""

    def is_idle() -> bool:
        look = bed.app.broker.snapshot().sessions
        is_at_rest = any(item.conversation.id == str(thread.id) and item.state.name == "IDLE" for item in look)
        return is_at_rest and _is_begun(bed, thread)

    until(is_idle, 8000 * MS, f"{thread!r} is idle")


def _is_begun(bed: Bed, thread: Channel) -> bool:
    """Whether the last message there, or the one from which it was opened, has been more than taken note of."""
    world = bed.server.world
    with world.changed:
        here = [one for one in thread.history if not one.author.bot]
        first = [one for channel in world.channels.values() for one in channel.history if one.thread is thread]
    return all({*one.reactions} != {"👀"} and one.reactions for one in (here or first)[-1:])
