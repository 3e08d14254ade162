"""`openab-sync setup`: asks what has to be known, tries it at once, and writes a configuration that works.

    token ─► servers and channels ─► who you are ─► agent and folder ─► the file ─► a service

Whatever an option says is not asked. With --yes nothing is asked at all: what is missing then is an error. Nothing is
written before all of it was tried, but for what the user was told and let pass.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import ChatError, ConfigError, OpenabError

if TYPE_CHECKING:
    from ..checks.discord import Visit
    from ..config.agents import Preset
    from ..config.schema import DiscordConfig

__all__ = ["command"]

VARIABLE = "DISCORD_BOT_TOKEN"
MEETING = 300.0  # seconds in which somebody may write to the bot
SECRETS = ".config/openab-sync/secrets.env"  # in the home, as the unit says
PORTAL = "https://discord.com/developers/applications"


@dataclass(frozen=True, slots=True)
class Wish:
    """What was said on the command line; "" and () for what is to be asked."""

    token: str
    channels: tuple[str, ...]
    users: tuple[str, ...]
    agent: str
    folder: str
    output: Path
    api_url: str
    service: bool | None
    store: str
    asks: bool  # somebody is there to be asked


@click.command("setup")
@click.option("--token", default="", help=f"The bot's token; without it ${VARIABLE} is used, or it is asked.")
@click.option("--channel", "channels", multiple=True, metavar="ID", help='Where it listens, or "all"; several times.')
@click.option("--user", "users", multiple=True, metavar="ID", help="Who may talk to it; several times.")
@click.option("--agent", default="", metavar="NAME", help="One of `openab-sync agents`.")
@click.option("--dir", "folder", default="", metavar="PATH", help="Where the agent works.")
@click.option("--store", default="", metavar="PATH", help="Where state is kept, if not at the usual place.")
@click.option("-o", "--output", default=None, metavar="FILE", help="The file to write; the usual place without it.")
@click.option("--service/--no-service", default=None, help="Write a systemd unit of the user's.")
@click.option("--api-url", default="", metavar="URL", help="Another server that speaks Discord's API.")
@click.option("-y", "--yes", is_flag=True, help="Ask nothing, and replace a file that is there (it is kept as .bak).")
def command(
    *,
    token: str,
    channels: tuple[str, ...],
    users: tuple[str, ...],
    agent: str,
    folder: str,
    store: str,
    output: str | None,
    service: bool | None,
    api_url: str,
    yes: bool,
) -> None:
    """Set up a bot on Discord, step by step: what you answer is tried at once.

    The token is checked with Discord, servers and channels are listed to choose from, your user id is found by your
    writing to the bot, the agent is started and shaken hands with. Then a commented configuration is written, for you
    alone to read (mode 600), and a unit for systemd if you like.
    """
    place = Path(output) if output else _usual_place()
    token = token or os.environ.get(VARIABLE, "")
    wish = Wish(token, channels, users, agent, folder, place, api_url, service, store, asks=not yes)
    _judge(wish)
    _may_write(wish)
    from ..config.written import Choice, written

    discord, seen = _token(wish)
    chosen = _channels(wish, seen)
    people = _people(wish, discord)
    preset, where = _agent(wish)
    is_set = os.environ.get(VARIABLE) == discord.bot_token
    choice = Choice(
        token=f"${{{VARIABLE}}}" if is_set else discord.bot_token,
        users=people,
        channels=chosen,
        agent=preset.name,
        folder=where,
        api_url=api_url,
        store=store,
    )
    _write(place, written(choice))
    click.echo(f"\nWritten: {place}")
    if is_set:
        click.echo(f"It takes the token from ${VARIABLE}, as now.")
    _service(wish, place, discord.bot_token if is_set else "")
    click.echo(f"\nInvite it to another server: {seen.invitation}")
    click.echo(
        f"\nIs everything ready?  openab-sync check -c {place}\nStart it:             openab-sync run -c {place}"
    )


def _usual_place() -> Path:
    import platformdirs

    return platformdirs.user_config_path("openab-sync") / "config.toml"


def _judge(wish: Wish) -> None:
    """Refuse what cannot be meant, before anything is tried."""
    from ..config.agents import presets, unknown_preset

    if wish.agent and wish.agent not in presets():
        raise unknown_preset(wish.agent)
    if wrong := [one for one in wish.users if not one.isdecimal()]:
        raise ConfigError(f"expected ids, digits only, found {wrong[0]!r}", key="--user")
    if not wish.users:
        _need(wish, "who may talk to the bot", "--user ID")


def _may_write(wish: Wish) -> None:
    question = f"{wish.output} is there already. Replace it (it is kept as .bak)?"
    if wish.asks and wish.output.exists() and not click.confirm(question):
        raise ConfigError("nothing was changed", file=str(wish.output), hint="--output names another file")


def _need(wish: Wish, what: str, option: str) -> None:
    if not wish.asks:
        raise ConfigError(f"{what} is missing", hint=f"with --yes nothing is asked: give {option}")


# The token, and what the bot sees.


def _token(wish: Wish) -> tuple[DiscordConfig, Visit]:
    from ..checks.discord import look
    from ..config.schema import DiscordConfig

    token = wish.token
    if not token:
        _need(wish, "the token", "--token or $DISCORD_BOT_TOKEN")
        click.echo(f"The bot's token is at {PORTAL}: your application, page “Bot”, “Reset Token”.")
        click.echo("On the same page “Message Content Intent” has to be switched on.")
    while True:
        token = token or click.prompt("Token", hide_input=True)
        try:
            discord = DiscordConfig(bot_token=token.strip(), api_url=wish.api_url, allow_all_users=True)
            seen = look(discord)
        except (ValueError, OpenabError) as error:
            token = _again(wish, error, token)
            continue
        click.echo(f"✔ {seen.bot}")
        return discord, seen if seen.guilds else _invited(wish, discord, seen)


def _again(wish: Wish, error: Exception, token: str) -> str:
    """What to do about a token that did not work: another one, or the same once more."""
    fatal = error if isinstance(error, OpenabError) else ConfigError(str(error), key="--token")
    if not wish.asks:
        raise fatal
    click.echo(f"✘ {fatal}")
    if (isinstance(error, ConfigError) and error.key == "discord.bot_token") or not isinstance(error, OpenabError):
        return ""
    click.pause("Press a key when that is done, and I look again …")
    return token


def _invited(wish: Wish, discord: DiscordConfig, seen: Visit) -> Visit:
    """Wait until the bot is on a server."""
    from ..checks.discord import look

    while not seen.guilds:
        click.echo("The bot is on no server yet. Open this link, choose your server, “Authorize”:")
        click.echo(f"\n  {seen.invitation}\n")
        _need(wish, "a server", "the bot in: open the link")
        click.pause("Press a key when that is done, and I look again …")
        try:
            seen = look(discord)
        except ChatError as error:
            click.echo(f"✘ {error}")
    return seen


def _channels(wish: Wish, seen: Visit) -> tuple[tuple[str, str], ...]:
    """The channels where it is to listen; none: everywhere."""
    known = [channel for guild in seen.guilds for channel in guild.channels]
    names = {channel.id: channel.name for channel in known}
    if wish.channels:
        return () if "all" in wish.channels else tuple((one, names.get(one, one)) for one in wish.channels)
    if not wish.asks:
        return ()
    number = 0
    for guild in seen.guilds:
        click.echo(f"\n{guild.name}{f'   (missing there: {_list(guild.missing)})' if guild.missing else ''}")
        for channel in guild.channels:
            number += 1
            lacks = f"   (missing there: {_list(channel.missing)})" if channel.missing else ""
            click.echo(f"  {number:>3}  #{channel.name}{lacks}")
    while True:
        said = click.prompt("Where shall it listen? Numbers, or all", default="all")
        picked = said.replace(",", " ").split()
        if picked == ["all"]:
            return ()
        if picked and all(one.isdecimal() and 1 <= int(one) <= len(known) for one in picked):
            return tuple((known[int(one) - 1].id, known[int(one) - 1].name) for one in picked)
        click.echo(f"✘ expected numbers from 1 to {len(known)}, or all")


def _list(names: Sequence[str]) -> str:
    return ", ".join(names)


# People.


def _people(wish: Wish, discord: DiscordConfig) -> tuple[str, ...]:
    if wish.users:
        return wish.users
    click.echo("\nWho are you? Write anything where the bot can read it, or react to a message there, or type your id.")
    while True:
        said = click.prompt("Enter to wait for you there, or your id", default="", show_default=False).strip()
        if said.isdecimal():
            return (said,)
        if said:
            click.echo("✘ an id has digits only: Developer Mode on, right-click your name, Copy User ID")
        elif (found := _met(discord)) is not None:
            return (found,)


def _met(discord: DiscordConfig) -> str | None:
    from ..checks.discord import await_somebody

    click.echo("Waiting for you on Discord …")
    try:
        who = await_somebody(discord, MEETING)
    except ChatError as error:
        click.echo(f"✘ {error}")
        return None
    return who.id if click.confirm(f"Are you {who.name} ({who.id})?", default=True) else None


# The agent.


def _agent(wish: Wish) -> tuple[Preset, str]:
    """An agent that works, and its folder."""
    from ..config.agents import installed, presets

    path = os.environ.get("PATH", os.defpath)
    if wish.agent or not wish.asks:
        preset = presets()[wish.agent or "demo"]
        folder = os.path.abspath(os.path.expanduser(wish.folder or "."))
        if not _works(preset, folder) and not (wish.asks and click.confirm("Take it all the same?")):
            raise ConfigError("the agent does not work yet", key="--agent")
        return preset, folder
    click.echo("\nAgents that are here:")
    here = [preset for preset in presets().values() if installed(preset, path)]
    for number, preset in enumerate(here, 1):
        click.echo(f"  {number:>3}  {preset.title}")
    click.echo("Others: `openab-sync agents` says how to install them.")
    while True:
        which = click.prompt("Which one", type=click.IntRange(1, len(here)), default=len(here))
        preset = here[which - 1]
        question = "Where shall it work? What you may change there, it may, too"
        folder = wish.folder or click.prompt(question, default=os.getcwd())
        folder = os.path.abspath(os.path.expanduser(folder))
        if _works(preset, folder) or click.confirm("Take it all the same?"):
            return preset, folder


def _works(preset: Preset, folder: str) -> bool:
    """Start it, shake hands, say how it went."""
    from ..checks.agent import check_agent
    from ..config.schema import AgentConfig, Config
    from .check import show

    config = Config(agent=AgentConfig(preset=preset.name, working_dir=folder))
    findings = list(check_agent(config, os.environ))
    for finding in findings:
        click.echo(show(finding))
    return all(finding.level != "fail" for finding in findings)


# What is written.


def _write(file: Path, text: str) -> None:
    """Write a file for this user alone; one that is there is kept beside it."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists():
            shutil.copy2(file, f"{file}.bak")
            os.chmod(f"{file}.bak", 0o600)
        fresh = file.with_name(f".{file.name}.new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
            os.fchmod(out.fileno(), 0o600)
            out.write(text)
        os.replace(fresh, file)
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", file=str(file)) from error


def _service(wish: Wish, config: Path, token: str) -> None:
    """Write a unit for the user's systemd, if that is wanted; and the `token`, if it is not in the configuration."""
    wanted = wish.service
    if wanted is None:
        has = shutil.which("systemctl") is not None
        question = "\nShall it be a service of yours (systemd), started when you log in?"
        wanted = wish.asks and has and click.confirm(question)
    if not wanted:
        return
    from ..config.written import unit

    base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    file = Path(base) / "systemd" / "user" / "openab-sync.service"
    ours = [os.path.abspath(sys.argv[0])] if os.access(sys.argv[0], os.X_OK) else [sys.executable, "-m", "openab_sync"]
    _write(file, unit([*ours, "run", "-c", str(config.resolve())]))
    click.echo(f"Written: {file}")
    if token:
        _secret(token)
    click.echo("Start it:             systemctl --user enable --now openab-sync")


def _secret(token: str) -> None:
    """A service does not have the variables of this shell: its unit names a file that it gets them from."""
    file = Path(os.path.expanduser("~")) / SECRETS
    if file.exists():
        click.echo(f"The service takes ${VARIABLE} from {file}: look whether it is right there.")
        return
    _write(file, f"{VARIABLE}={token}\n")
    click.echo(f"Written: {file} (the token, for the service)")
