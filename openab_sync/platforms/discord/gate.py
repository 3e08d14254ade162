"""The gate: messages and interactions of Discord as plain data for `core.admission`, the one place that decides.

What a thread lies in counts with it: a thread is let in by its own id, its channel's or its category's. Webhooks are
bots, whatever they call themselves; pins, joins and their like are nobody's words.

**Threads**: the loop's only. Reads caches, asks nobody, never blocks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import discord

from ...core.admission import Knock, Rules, Verdict, admit, is_open_place, trust
from ...core.desk import View
from ...core.message import Conversation, Person
from .approvers import roles_of
from .bots import belongs, conversation_at, takes_part
from .refusals import Refusals
from .seeing import Sight
from .words import Ours

if TYPE_CHECKING:
    from ...config.schema import DiscordConfig
    from .kit import Kit

__all__ = ["Gate", "person_of", "places_of", "rules_of"]

PLAIN = (discord.MessageType.default, discord.MessageType.reply)


class Gate:
    """Decides for everything that comes in."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self.sight = Sight(kit)
        self.refusals = Refusals(kit.clock, kit.broker.audit)
        self._read = kit.discord  # what the rules are made of
        self._rules = rules_of(self._read)

    @property
    def rules(self) -> Rules:
        """Who may, and where, as the configuration has it now."""
        if self._kit.discord is not self._read:  # it was renewed
            self._read = self._kit.discord
            self._rules = rules_of(self._read)
        return self._rules

    @property
    def _answering(self) -> Rules:
        """Who may answer questions of the agent's: approvers, too."""
        rules, config = self.rules, self._kit.discord
        people, roles = rules.people.union(config.approver_users), rules.roles.union(config.approver_roles)
        return replace(rules, people=people, roles=roles)

    @property
    def _waking(self) -> frozenset[str]:
        return frozenset(self._kit.discord.allowed_role_ids)

    @property
    def ours(self) -> Ours:
        """What calls us in a text. After the login only."""
        return Ours(str(self._us), self._waking)

    def message(self, message: discord.Message) -> Verdict:
        """Whether a message is for us, and from somebody who may."""
        if message.guild is None and not is_elsewhere(message) and not self.is_ours(message):
            self.sight.met(message.channel.id, message.author.id)
        return admit(self.rules, self.knock(message))

    def interaction(self, interaction: discord.Interaction[Any], *, is_answer: bool = False) -> Verdict:
        """Whether somebody may use a command, button, menu, form or completion there: IN or REFUSED.

        `is_answer`: it answers a question of the agent's, for which approvers are let in, too.
        """
        if interaction.guild_id is None:
            self.sight.met(interaction.channel_id, interaction.user.id)
        return admit(self._answering if is_answer else self.rules, self._pressed(interaction))

    def view(self, by: discord.Message | discord.Interaction[Any], conversation: Conversation | None = None) -> View:
        """Return what somebody who wrote or pressed there may see and do, there or in another `conversation`."""
        knock = self.knock(by) if isinstance(by, discord.Message) else self._pressed(by)
        if conversation is not None:
            known = self._kit.books.conversations.get(conversation.key)
            knock = replace(knock, belongs=belongs(known, knock.by.id))
        user = by.author if isinstance(by, discord.Message) else by.user
        return replace(self.sight.of(user), trust=trust(self.rules, knock))

    def _pressed(self, interaction: discord.Interaction[Any]) -> Knock:
        where, by = interaction.channel, person_of(interaction.user)
        return Knock(
            by,
            places_of(where, interaction.channel_id),
            roles_of(interaction.user),
            server=str(interaction.guild_id or ""),
            is_action=True,
            is_private=interaction.guild_id is None,
            is_thread=isinstance(where, discord.Thread),
            belongs=belongs(self._kit.books.conversations.get(conversation_at(interaction.channel_id or 0).key), by.id),
        )

    def would_hear(self, message: discord.Message) -> bool:
        """Whether its writer is somebody whom we answer, had they called us."""
        return admit(self.rules, replace(self.knock(message), calls_us=True)) is Verdict.IN

    def may_order(self, message: discord.Message) -> bool:
        """Whether an order that is written as a message is carried out: the same who may press a button may, no bot."""
        return admit(self.rules, replace(self.knock(message), is_action=True)) is Verdict.IN

    def listens_at(self, channel: object, channel_id: int) -> bool:
        """Whether we listen in a channel or thread at all. Not for direct messages."""
        server = getattr(getattr(channel, "guild", None), "id", "")
        return is_open_place(self.rules, Knock(Person(""), places_of(channel, channel_id), server=str(server)))

    def is_ours(self, message: discord.Message) -> bool:
        """Whether we wrote it."""
        return message.author.id == self._us

    def knock(self, message: discord.Message) -> Knock:
        """Return a message as the plain data that is decided about."""
        where = message.channel
        known = self._kit.books.conversations.get(conversation_at(where.id).key)
        by = person_of(message.author, message.webhook_id)
        return Knock(
            by,
            places_of(where, where.id),
            roles_of(message.author),
            server=str(message.guild.id) if message.guild is not None else "",
            is_ours=self.is_ours(message),
            is_system=message.type not in PLAIN or is_elsewhere(message),
            is_private=message.guild is None,
            is_thread=isinstance(where, discord.Thread),
            calls_us=self._calls_us(message),
            involved=takes_part(known) or (isinstance(where, discord.Thread) and where.owner_id == self._us),
            other_bots=bool(known.bots),
            belongs=belongs(known, by.id),
        )

    def _calls_us(self, message: discord.Message) -> bool:
        """By name, by a reply that rings, by a role that wakes us; a call that the sender lets ring nobody is one."""
        rung = any(user.id == self._us for user in message.mentions)
        woken = any(str(role.id) in self._waking for role in message.role_mentions)
        return rung or woken or self.ours.are_called(message.content)

    @property
    def _us(self) -> int:
        user = self._kit.client.user
        return user.id if user is not None else 0


def rules_of(config: DiscordConfig) -> Rules:
    """Return the rules that the configuration says."""
    return Rules(
        all_places=config.admits_all_channels,
        places=frozenset(config.allowed_channels),
        servers=frozenset(config.allowed_guilds),
        private=config.allow_dm,
        all_people=config.allow_all_users,
        people=frozenset(config.allowed_users),
        roles=frozenset(config.allowed_roles),
        admins=frozenset(config.admins),
        admin_roles=frozenset(config.admin_roles),
        uncalled=config.allow_user_messages,
        bots=config.allow_bot_messages,
        trusted_bots=frozenset(config.trusted_bot_ids),
    )


def person_of(author: discord.User | discord.Member, webhook_id: int | None = None) -> Person:
    """Return somebody as the core knows people, by the name that is shown."""
    return Person(str(author.id), author.display_name, is_bot=author.bot or webhook_id is not None)


def is_elsewhere(message: discord.Message) -> bool:
    """Whether it is from a server that is not there (yet): no direct message, though it has no server either."""
    return message.guild is None and getattr(message.channel, "guild_id", None) is not None


def places_of(channel: object, channel_id: int | None) -> frozenset[str]:
    """Return the ids by which a channel may be listed: its own, its parent's if it is a thread, its category's."""
    found: list[int | None] = [channel_id]
    if isinstance(channel, discord.Thread):
        found.append(channel.parent_id)
        channel = channel.parent
    found.append(getattr(channel, "category_id", None))
    return frozenset(str(one) for one in found if one)
