"""Interactions: what people's clicks and commands become, and the bot's answers to them within their deadlines.

The lock is taken here. Deadlines are looked at when something happens, by the server's clock.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.fakes.discord import messages, payloads, threads
from tests.fakes.discord.checks import check_message, check_modal
from tests.fakes.discord.errors import ApiError, invalid_form
from tests.fakes.discord.mentions import too_loud
from tests.fakes.discord.messages import Draft
from tests.fakes.discord.things import App, Attachment, Channel, Json, Message, User
from tests.fakes.discord.world import Event, World

__all__ = [
    "AUTOCOMPLETE", "COMMAND", "COMPONENT", "MODAL", "Interaction", "Interactions", "draft_of", "edit_with",
]  # fmt: skip

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5
PATIENCE = 3.0  # seconds to acknowledge
TOKEN_LIFE = 900.0  # seconds for edits and follow-ups
EPHEMERAL, LOADING = 64, 128

# Kind of interaction → the kinds of answer that it takes.
ANSWERS: dict[int, frozenset[int]] = {
    COMMAND: frozenset({4, 5, 9}),
    COMPONENT: frozenset({4, 5, 6, 7, 9}),
    AUTOCOMPLETE: frozenset({8}),
    MODAL: frozenset({4, 5}),
}


@dataclass(eq=False)
class Interaction:
    """One click or command, and everything that was answered."""

    id: int
    token: str
    kind: int
    app: App
    user: User
    channel: Channel
    data: Json
    born: float  # the clock's monotonic seconds
    message: Message | None = None  # the one with the component, or that the menu was opened on
    cause: Interaction | None = None  # of a modal: what it was the answer to
    acked: int = 0  # the kind of the first answer, 0 if there is none yet
    acked_after: float = 0.0  # seconds
    original: Message | None = None
    followups: list[Message] = field(default_factory=list)
    modal: Json | None = None
    choices: list[Json] | None = None
    reported: bool = False

    @property
    def is_done(self) -> bool:
        """Whether the person sees an answer: neither nothing, nor "thinking…"."""
        return bool(self.acked) and not (self.original and self.original.is_loading)

    @property
    def answer(self) -> str:
        """What the person reads: the answer's text, "" as long as there is none."""
        return self.original.content if self.original and self.is_done else ""

    @property
    def is_ephemeral(self) -> bool:
        return self.original is not None and self.original.is_ephemeral

    def metadata(self) -> Json:
        """What a message says about the interaction that it came from."""
        name = self.data.get("name", "")
        return {
            "id": str(self.id), "type": self.kind, "user": payloads.user_json(self.user), "name": name,
            "authorizing_integration_owners": {},
        }  # fmt: skip


class Interactions:
    """All interactions of a server."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.by_id: dict[int, Interaction] = {}

    # ---- what people do ----

    def begin(self, kind: int, app: App, user: User, channel: Channel, data: Json) -> Interaction:
        """Make an interaction, not sent yet: `send` is the next step."""
        world = self._world
        with world.changed:
            interaction = Interaction(
                world.next_id(), secrets.token_urlsafe(24), kind, app, user, channel, data, world.clock.monotonic()
            )
            self.by_id[interaction.id] = interaction
            channel.participants.add(user.id)
            return interaction

    def send(self, interaction: Interaction) -> Interaction:
        """Tell the bot."""
        data = self._payload(interaction)
        self._world.emit(Event("INTERACTION_CREATE", lambda _app: data, app=interaction.app))
        return interaction

    def _payload(self, it: Interaction) -> Json:
        guild, world = it.channel.guild, self._world
        tier = guild.premium_tier if guild else 0
        data: Json = {
            "id": str(it.id), "application_id": str(it.app.id), "type": it.kind, "token": it.token, "version": 1,
            "data": it.data, "channel_id": str(it.channel.id), "locale": "en-US", "entitlements": [],
            "channel": payloads.channel_json(it.channel, it.app)
            | {"permissions": payloads.permissions_json(guild, it.user.id, it.channel)},
            "app_permissions": payloads.permissions_json(guild, it.app.user.id, it.channel),
            "authorizing_integration_owners": {"0": str(guild.id) if guild else "0"},
            "context": 0 if guild else 1, "attachment_size_limit": payloads.FILE_LIMITS[tier],
        }  # fmt: skip
        if it.message is not None and it.kind in {COMPONENT, MODAL}:
            data["message"] = payloads.message_json(world, it.message, it.app)
        if guild is None:
            return data | {"user": payloads.user_json(it.user)}
        member = payloads.member_json(guild.members[it.user.id])
        member["permissions"] = payloads.permissions_json(guild, it.user.id, it.channel)
        return data | {
            "guild_id": str(guild.id), "guild_locale": "en-US", "member": member,
            "guild": {"id": str(guild.id), "locale": "en-US", "features": []},
        }  # fmt: skip

    # ---- what the bot answers ----

    def respond(self, interaction_id: str, token: str, form: Json, files: list[Attachment]) -> Json:
        """The first answer. Raise ApiError 10062 when it comes late, 40060 when it is not the first."""
        it = self.by_id.get(int(interaction_id))
        if it is None or it.token != token:
            raise ApiError(10062)
        after = self._world.clock.monotonic() - it.born
        if it.acked:
            raise ApiError(40060)
        if after > PATIENCE:
            raise ApiError(10062)
        kind, data = int(form.get("type") or 0), form.get("data") or {}
        if kind not in ANSWERS[it.kind] and not (it.kind == MODAL and it.message and kind in {6, 7}):
            raise invalid_form("type", f"Value must be one of {sorted(ANSWERS[it.kind])}.", "BASE_TYPE_CHOICES")
        self._first(it, kind, data, files)
        it.acked, it.acked_after = kind, after
        self._world.touch()
        return self._callback(it)

    def _first(self, it: Interaction, kind: int, data: Json, files: list[Attachment]) -> None:
        world = self._world
        if kind == 4:
            check_message(data, len(files))
            it.original = self._post(it, data, files)
        elif kind == 5:
            flags = LOADING | (int(data.get("flags") or 0) & EPHEMERAL)
            it.original = self._post(it, {"flags": flags}, [])
        elif kind in {6, 7}:
            it.original = it.message
            if kind == 7 and it.message is not None:
                check_message(data, len(files), old=it.message)
                edit_with(world, it.message, data, files)
        elif kind == 8:
            it.choices = _checked_choices(data)
        else:
            check_modal(data)
            it.modal = data

    def _callback(self, it: Interaction) -> Json:
        answer: Json = {"id": str(it.id), "type": it.kind}
        if it.original is None or it.acked not in {4, 5, 7}:
            return {"interaction": answer, "resource": {"type": it.acked}}
        answer |= {
            "response_message_id": str(it.original.id), "response_message_loading": it.original.is_loading,
            "response_message_ephemeral": it.original.is_ephemeral,
        }  # fmt: skip
        message = payloads.message_json(self._world, it.original, it.app)
        return {"interaction": answer, "resource": {"type": it.acked, "message": message}}

    def _post(self, it: Interaction, data: Json, files: list[Attachment]) -> Message:
        draft = draft_of(it.app.user, data, files)
        draft.kind, draft.webhook_id, draft.interaction = 20, it.app.id, it.metadata()
        if it.kind == COMPONENT and it.message is not None:
            draft.kind, draft.reply_to = 19, it.message
        if draft.flags & EPHEMERAL:
            draft.seen_by = it.user.id
        message = threads.write(self._world, it.channel, draft)
        self.complain_if_loud(message)
        return message

    def complain_if_loud(self, message: Message) -> None:
        """A bot's message that rings whom it should not is a violation."""
        if why := too_loud(message.mentions, message.channel):
            self._world.violation(f"a message of {message.author.name} {why}: {message.content[:80]!r}")

    # ---- later: the token as a webhook ----

    def by_token(self, app_id: str, token: str) -> Interaction:
        """Raise ApiError 50027 for a token that is none or too old, 10015 before the first answer."""
        for it in self.by_id.values():
            if it.token == token and str(it.app.id) == app_id:
                if self._world.clock.monotonic() - it.born > TOKEN_LIFE:
                    raise ApiError(50027)
                if not it.acked:
                    raise ApiError(10015)
                return it
        raise ApiError(50027)

    def follow_up(self, it: Interaction, form: Json, files: list[Attachment]) -> Message:
        """Another message. The first one after a deferral takes the place of "thinking…"."""
        check_message(form, len(files))
        if it.original is not None and it.original.is_loading:
            self.edit(it, it.original, form, files)
            return it.original
        message = self._post(it, form, files)
        it.followups.append(message)
        return message

    def find(self, it: Interaction, message_id: str) -> Message:
        """The message of this interaction that `@original` or an id names. Raise ApiError 10008 without one."""
        mine = [*([it.original] if it.original else []), *it.followups]
        for message in mine:
            if message_id in {str(message.id), "@original" if message is it.original else ""} and not message.deleted:
                return message
        raise ApiError(10008)

    def edit(self, it: Interaction, message: Message, form: Json, files: list[Attachment]) -> None:
        """Change a message of this interaction; "thinking…" becomes an answer, and rings as a new one does."""
        check_message(form, len(files), old=message)
        was_loading = message.is_loading
        message.flags &= ~LOADING
        edit_with(self._world, message, form, files)
        if was_loading:
            self.complain_if_loud(message)

    def delete(self, it: Interaction, message: Message) -> None:
        messages.delete(self._world, message, it.app.user)

    def forgotten(self) -> Iterable[Interaction]:
        """Those that got no answer in time, each once."""
        now = self._world.clock.monotonic()
        for it in self.by_id.values():
            if not it.acked and not it.reported and now - it.born > PATIENCE:
                it.reported = True
                yield it


def _checked_choices(data: Json) -> list[Json]:
    choices: list[Json] = data.get("choices") or []
    if len(choices) > 25:
        raise invalid_form("data.choices", "Must be 25 or fewer in length.")
    for index, choice in enumerate(choices):
        for key in ("name", "value"):
            if not 1 <= len(str(choice.get(key, ""))) <= 100:
                raise invalid_form(f"data.choices.{index}.{key}", "Must be between 1 and 100 in length.")
    return choices


def draft_of(author: User, form: Json, files: list[Attachment]) -> Draft:
    """A message as a checked form describes it."""
    return Draft(
        author, form.get("content") or "", flags=int(form.get("flags") or 0), nonce=form.get("nonce"),
        allowed=form.get("allowed_mentions"), attachments=files, embeds=form.get("embeds") or [],
        components=form.get("components") or [],
    )  # fmt: skip


def edit_with(world: World, message: Message, form: Json, files: list[Attachment]) -> None:
    """Apply a checked form to a message: attachments that it does not name are dropped, if it names any."""
    changes: Json = {key: form[key] or [] for key in ("embeds", "components") if key in form}
    if "content" in form:
        changes["content"] = form["content"]
        changes["allowed"] = form.get("allowed_mentions", message.allowed_mentions)
    if "flags" in form:
        kept = message.flags & (EPHEMERAL | messages.HAS_THREAD)
        changes["flags"] = int(form["flags"] or 0) & ~EPHEMERAL | kept
    if "attachments" in form or files:
        named = {str(one.get("id")) for one in form.get("attachments") or []}
        kept_files = [one for one in message.attachments if str(one.id) in named or "attachments" not in form]
        changes["attachments"] = kept_files + files
    messages.edit(world, message, changes)
