"""Handlers for the application: its commands, its answers to interactions, where its gateway is."""

from __future__ import annotations

from tests.fakes.discord import payloads
from tests.fakes.discord.calls import Answer, Call
from tests.fakes.discord.checks import check_command
from tests.fakes.discord.errors import ApiError, invalid_form
from tests.fakes.discord.things import Json

__all__ = [
    "add_command", "delete_answer", "delete_command", "edit_answer", "edit_command", "follow_up", "gateway",
    "gateway_bot", "get_answer", "get_app", "get_command", "get_commands", "overwrite_commands", "respond",
]  # fmt: skip

CONTENT_INTENT, MEMBERS_INTENT = 1 << 15, 1 << 1


def gateway(call: Call) -> Answer:
    return {"url": call.backend.gateway_url}


def gateway_bot(call: Call) -> Answer:
    limit = {
        "total": 1000, "remaining": call.app.starts_left, "reset_after": 86_400_000,
        "max_concurrency": call.backend.max_concurrency,
    }  # fmt: skip
    return {"url": call.backend.gateway_url, "shards": call.backend.shards, "session_start_limit": limit}


def get_app(call: Call) -> Answer:
    app = call.app
    flags = (1 << 19 if app.privileged & CONTENT_INTENT else 0) | (1 << 15 if app.privileged & MEMBERS_INTENT else 0)
    return {
        "id": str(app.id), "name": app.user.name, "icon": None, "description": "", "summary": "", "flags": flags,
        "verify_key": "0" * 64, "bot_public": False, "bot_require_code_grant": False, "team": None,
        "owner": payloads.user_json(app.user), "bot": payloads.user_json(app.user), "redirect_uris": [],
        "approximate_guild_count": len(call.world.guilds), "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
    }  # fmt: skip


# ---- commands ----


def _scope(call: Call) -> dict[int, Json]:
    """The commands of the path: the guild's, or the global ones."""
    if call.params["application_id"] != str(call.app.id):
        raise ApiError(40001, status=403)
    guild = call.guild().id if "guild_id" in call.params else None
    return call.app.commands.setdefault(guild, {})


def get_commands(call: Call) -> Answer:
    return list(_scope(call).values())


def overwrite_commands(call: Call) -> Answer:
    """The list becomes all there is. A command that keeps its name and kind keeps its id."""
    scope, seen = _scope(call), set()
    for index, command in enumerate(call.form):
        check_command(command, str(index))
        key = (command.get("type", 1), command["name"])
        if key in seen:
            raise invalid_form(f"{index}.name", "Application command names must be unique", "DUPLICATE_NAME")
        seen.add(key)
    for kind in (1, 2, 3):
        most = 100 if kind == 1 else 15
        if sum(one == kind for one, _ in seen) > most:
            raise invalid_form("name", f"There are more than {most} commands of the kind {kind}.", "TOO_MANY")
    old = {(command["type"], command["name"]): command["id"] for command in scope.values()}
    scope.clear()
    for command in call.form:
        _keep(call, scope, command, old.get((command.get("type", 1), command["name"])))
    return list(scope.values())


def _keep(call: Call, scope: dict[int, Json], command: Json, command_id: str | None = None) -> Json:
    new = command_id or str(call.world.next_id())
    kept = {
        "type": 1, "description": "", **command, "id": new, "application_id": str(call.app.id),
        "version": str(call.world.next_id()), "default_member_permissions": command.get("default_member_permissions"),
    }  # fmt: skip
    if "guild_id" in call.params:
        kept["guild_id"] = call.params["guild_id"]
    scope[int(new)] = kept
    _complain_if_twice(call, kept)
    return kept


def _complain_if_twice(call: Call, command: Json) -> None:
    is_global = "guild_id" not in command
    for guild, commands in call.app.commands.items():
        if (guild is None) == is_global:
            continue
        if any((one["type"], one["name"]) == (command["type"], command["name"]) for one in commands.values()):
            call.world.violation(f"the command {command['name']} is registered both globally and in a guild")


def add_command(call: Call) -> Answer:
    scope = _scope(call)
    check_command(call.form, "command")
    kind, name = call.form.get("type", 1), call.form["name"]
    same = [one["id"] for one in scope.values() if (one["type"], one["name"]) == (kind, name)]
    return _keep(call, scope, call.form, same[0] if same else None)


def get_command(call: Call) -> Answer:
    command = _scope(call).get(int(call.params["command_id"]))
    if command is None:
        raise ApiError(10063)
    return command


def edit_command(call: Call) -> Answer:
    get_command(call)
    scope, number = _scope(call), int(call.params["command_id"])
    changed = {**scope[number], **call.form}
    check_command(changed, "command")
    return _keep(call, scope, changed, str(number))


def delete_command(call: Call) -> Answer:
    get_command(call)
    del _scope(call)[int(call.params["command_id"])]
    return None


# ---- interactions ----


def respond(call: Call) -> Answer:
    interactions = call.backend.interactions
    number, token = call.params["interaction_id"], call.params["token"]
    known = interactions.by_id.get(int(number))
    files = call.files(known.channel) if known else []
    answer = interactions.respond(number, token, call.form, files)
    return answer if call.query.get("with_response", "0") in {"1", "true"} else None


def follow_up(call: Call) -> Answer:
    it = call.backend.interactions.by_token(call.params["webhook_id"], call.params["token"])
    message = call.backend.interactions.follow_up(it, call.form, call.files(it.channel))
    return payloads.message_json(call.world, message, it.app)


def get_answer(call: Call) -> Answer:
    it = call.backend.interactions.by_token(call.params["webhook_id"], call.params["token"])
    message = call.backend.interactions.find(it, call.params["message_id"])
    return payloads.message_json(call.world, message, it.app)


def edit_answer(call: Call) -> Answer:
    interactions = call.backend.interactions
    it = interactions.by_token(call.params["webhook_id"], call.params["token"])
    message = interactions.find(it, call.params["message_id"])
    interactions.edit(it, message, call.form, call.files(it.channel))
    return payloads.message_json(call.world, message, it.app)


def delete_answer(call: Call) -> Answer:
    interactions = call.backend.interactions
    it = interactions.by_token(call.params["webhook_id"], call.params["token"])
    interactions.delete(it, interactions.find(it, call.params["message_id"]))
    return None
