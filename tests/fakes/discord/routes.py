"""The table of routes: what can be asked of this server, by whom it is answered, and in which bucket it counts."""

from __future__ import annotations

from tests.fakes.discord import rest_apps as apps
from tests.fakes.discord import rest_channels as channels
from tests.fakes.discord import rest_messages as messages
from tests.fakes.discord.calls import Route
from tests.fakes.discord.checks import EDITABLE, MESSAGE

__all__ = ["ROUTES", "find"]

CHANNEL = "/channels/{channel_id}"
MESSAGES = f"{CHANNEL}/messages"
ONE = f"{MESSAGES}/{{message_id}}"
REACTION = f"{ONE}/reactions/{{emoji}}"
MEMBERS = f"{CHANNEL}/thread-members"
APP = "/applications/{application_id}"
GLOBAL, LOCAL = f"{APP}/commands", f"{APP}/guilds/{{guild_id}}/commands"
HOOK = "/webhooks/{webhook_id}/{token}"

THREAD = frozenset({"name", "auto_archive_duration", "rate_limit_per_user"})
FREE_THREAD = THREAD | {"type", "invitable", "message", "applied_tags"}
CHANNEL_EDIT = frozenset({
    "name", "parent_id", "topic", "nsfw", "position", "permission_overwrites", "rate_limit_per_user", "archived",
    "auto_archive_duration", "locked", "invitable", "flags", "applied_tags", "default_auto_archive_duration", "type",
})  # fmt: skip
COMMAND = frozenset({
    "name", "name_localizations", "description", "description_localizations", "options", "type", "nsfw", "handler",
    "default_member_permissions", "dm_permission", "default_permission", "integration_types", "contexts", "id",
})  # fmt: skip
FOLLOW_UP = MESSAGE | {"username", "avatar_url", "thread_name", "applied_tags"}

ROUTES = [
    Route("GET", "/gateway", apps.gateway, auth=False),
    Route("GET", "/gateway/bot", apps.gateway_bot),
    Route("GET", "/oauth2/applications/@me", apps.get_app),
    Route("GET", "/applications/@me", apps.get_app),
    Route("GET", "/users/@me", channels.get_me),
    Route("GET", "/users/@me/guilds", channels.my_guilds),
    Route("POST", "/users/@me/channels", channels.open_dm, fields=frozenset({"recipient_id"})),
    Route("GET", "/users/{user_id}", channels.get_user),
    Route("GET", "/guilds/{guild_id}", channels.get_guild),
    Route("GET", "/guilds/{guild_id}/channels", channels.guild_channels),
    Route("GET", "/guilds/{guild_id}/roles", channels.guild_roles),
    Route("GET", "/guilds/{guild_id}/members", channels.members),
    Route("GET", "/guilds/{guild_id}/members/{user_id}", channels.get_member),
    Route("GET", "/guilds/{guild_id}/threads/active", channels.active_threads),
    Route("GET", CHANNEL, channels.get_channel),
    Route("PATCH", CHANNEL, channels.edit_channel, fields=CHANNEL_EDIT),
    Route("DELETE", CHANNEL, channels.delete_channel),
    Route("POST", f"{CHANNEL}/typing", messages.start_typing, "typing"),
    Route("POST", f"{CHANNEL}/threads", channels.start_thread, "thread", FREE_THREAD),
    Route("GET", f"{CHANNEL}/threads/archived/public", channels.archived_threads),
    Route("GET", MEMBERS, channels.thread_members),
    Route("PUT", f"{MEMBERS}/{{user_id}}", channels.add_thread_member),
    Route("DELETE", f"{MEMBERS}/{{user_id}}", channels.remove_thread_member),
    Route("GET", MESSAGES, messages.history),
    Route("POST", MESSAGES, messages.create_message, "message", MESSAGE),
    Route("POST", f"{MESSAGES}/bulk-delete", messages.bulk_delete, fields=frozenset({"messages"})),
    Route("GET", ONE, messages.get_message),
    Route("PATCH", ONE, messages.edit_message, "edit", EDITABLE),
    Route("DELETE", ONE, messages.delete_message, "delete"),
    Route("POST", f"{ONE}/threads", channels.start_thread_from_message, "thread", THREAD),
    Route("DELETE", f"{ONE}/reactions", messages.clear_reactions, "reaction"),
    Route("GET", REACTION, messages.reaction_users),
    Route("DELETE", REACTION, messages.clear_reactions, "reaction"),
    Route("PUT", f"{REACTION}/@me", messages.add_reaction, "reaction"),
    Route("DELETE", f"{REACTION}/{{user_id}}", messages.remove_reaction, "reaction"),
    Route("GET", GLOBAL, apps.get_commands),
    Route("PUT", GLOBAL, apps.overwrite_commands, "commands", COMMAND, is_list=True),
    Route("POST", GLOBAL, apps.add_command, "commands", COMMAND),
    Route("GET", f"{GLOBAL}/{{command_id}}", apps.get_command),
    Route("PATCH", f"{GLOBAL}/{{command_id}}", apps.edit_command, "commands", COMMAND),
    Route("DELETE", f"{GLOBAL}/{{command_id}}", apps.delete_command),
    Route("GET", LOCAL, apps.get_commands),
    Route("PUT", LOCAL, apps.overwrite_commands, "commands", COMMAND, is_list=True),
    Route("POST", LOCAL, apps.add_command, "commands", COMMAND),
    Route("GET", f"{LOCAL}/{{command_id}}", apps.get_command),
    Route("PATCH", f"{LOCAL}/{{command_id}}", apps.edit_command, "commands", COMMAND),
    Route("DELETE", f"{LOCAL}/{{command_id}}", apps.delete_command),
    Route(
        "POST", "/interactions/{interaction_id}/{token}/callback", apps.respond, "webhook",
        frozenset({"type", "data"}), auth=False,
    ),
    Route("POST", HOOK, apps.follow_up, "webhook", FOLLOW_UP, auth=False),
    Route("GET", f"{HOOK}/messages/{{message_id}}", apps.get_answer, "webhook", auth=False),
    Route("PATCH", f"{HOOK}/messages/{{message_id}}", apps.edit_answer, "webhook", EDITABLE, auth=False),
    Route("DELETE", f"{HOOK}/messages/{{message_id}}", apps.delete_answer, "webhook", auth=False),
]  # fmt: skip
"""Looked at from top to bottom: what is fixed stands before what is not."""


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route of a request and its parameters; None if there is no such route."""
    for route in ROUTES:
        if (params := route.match(method, path)) is not None:
            return route, params
    return None
