"""The fake Discord, seen by the unmodified client: commands, buttons, selects, modals and their deadlines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import discord
import pytest
from discord import app_commands, ui

from tests.fakes.discord import Interaction, Message, Server, ShiftedClock
from tests.platforms.discord.fake_client import QUICK, Bot, logged_in


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture
def server(clock: ShiftedClock) -> Iterator[Server]:
    with Server(clock=clock, limits=QUICK) as server:
        yield server


@pytest.fixture
def bot(server: Server) -> Iterator[Bot]:
    bot = Bot()
    add_commands(bot)
    with logged_in(server, bot) as bot:
        bot.call(bot.tree.sync())
        yield bot


def add_commands(bot: Bot) -> None:
    """An /ask that says what it was asked, one that is slow, one that completes itself, and an entry of a menu."""

    @bot.tree.command(description="Ask something")
    async def ask(interaction: discord.Interaction, text: str, times: int = 1) -> None:
        await interaction.response.send_message(text * times, ephemeral=True)

    @bot.tree.command(description="Think first")
    async def think(interaction: discord.Interaction) -> None:
        await interaction.response.defer(thinking=True, ephemeral=True)
        await interaction.followup.send("thought")
        await interaction.followup.send("and more", ephemeral=True)

    @bot.tree.command(name="do", description="What the agent can")
    async def act(interaction: discord.Interaction, command: str) -> None:
        await interaction.response.send_message(f"does {command}")

    @act.autocomplete("command")
    async def offer(interaction: discord.Interaction, text: str) -> list[app_commands.Choice[str]]:
        names = ("plan", "play", "test")
        return [app_commands.Choice(name=name, value=name) for name in names if name.startswith(text)]

    @bot.tree.context_menu(name="Ask about this")
    async def about(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"about {message.content}")


MODELS = [discord.SelectOption(label="Big", value="b"), discord.SelectOption(label="Small")]


class Panel(ui.View):
    """Buttons and a select; what happens to them is noted."""

    def __init__(self) -> None:
        super().__init__(timeout=None)
        self.pressed: list[str] = []

    @ui.button(label="Stop", custom_id="stop")
    async def stop_it(self, interaction: discord.Interaction, _: ui.Button[Panel]) -> None:
        self.pressed.append(f"stop by {interaction.user.name}")
        await interaction.response.edit_message(content="stopped", view=None)

    @ui.button(label="Say more", custom_id="more")
    async def more(self, interaction: discord.Interaction, _: ui.Button[Panel]) -> None:
        await interaction.response.send_modal(Form())

    @ui.button(label="Later", custom_id="later")
    async def later(self, interaction: discord.Interaction, _: ui.Button[Panel]) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content="later")

    @ui.select(custom_id="model", options=MODELS)
    async def model(self, interaction: discord.Interaction, select: ui.Select[Panel]) -> None:
        await interaction.response.send_message(f"uses {select.values[0]}", ephemeral=True)


class Form(ui.Modal, title="More"):
    text: ui.TextInput[Form] = ui.TextInput(label="Text", custom_id="text", max_length=10)

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"you said {self.text.value}")


def shown(server: Server, bot: Bot, panel: Panel) -> Message:
    async def show() -> int:
        return (await bot.place(server.general.id).send("choose", view=panel)).id

    return server.general.messages[bot.call(show())]


async def panel() -> Panel:
    return Panel()


def done(server: Server, interaction: Interaction) -> Interaction:
    server.until(lambda: interaction.is_done, what=f"an answer to {interaction.data}")
    return interaction


def test_a_slash_command_is_answered_ephemerally(server: Server, bot: Bot) -> None:
    asked = done(server, server.user("ann").slash("ask", text="ho", times=2))
    assert (asked.answer, asked.is_ephemeral, asked.acked) == ("hoho", True, 4)
    assert server.general.texts == []


def test_what_a_command_does_not_take_cannot_be_sent(server: Server, bot: Bot) -> None:
    ann = server.user("ann")
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("ask", {}), ("ask", {"text": 1}), ("ask", {"text": "x", "none": "y"}), ("nothing", {}),
    ]  # fmt: skip
    for command, options in wrong:
        with pytest.raises(LookupError):
            ann.slash(command, **options)


def test_commands_are_registered_once_by_overwriting(server: Server, bot: Bot) -> None:
    before = {one["name"]: one["id"] for one in server.app.commands[None].values()}
    bot.call(bot.tree.sync())
    assert {one["name"]: one["id"] for one in server.app.commands[None].values()} == before
    assert set(before) == {"ask", "think", "do", "Ask about this"}
    guild = discord.Object(server.guild.id)
    bot.tree.copy_global_to(guild=guild)
    bot.call(bot.tree.sync(guild=guild))
    assert server.forgive("both globally and in a guild")


def test_a_deferred_answer_takes_the_place_of_thinking(server: Server, bot: Bot) -> None:
    asked = server.user("ann").slash("think")
    server.until(lambda: asked.followups)
    assert (asked.acked, asked.answer, asked.is_ephemeral) == (5, "thought", True)
    assert [message.content for message in asked.followups] == ["and more"]


def test_a_command_completes_itself(server: Server, bot: Bot) -> None:
    asked = server.user("ann").autocomplete("do", "command", "pla")
    server.until(lambda: asked.choices is not None)
    assert [choice["value"] for choice in asked.choices or []] == ["plan", "play"]
    assert done(server, server.user("ann").slash("do", command="plan")).answer == "does plan"


def test_the_menu_of_a_message_brings_the_message(server: Server, bot: Bot) -> None:
    ann = server.user("ann")
    assert done(server, ann.menu("Ask about this", ann.write("general", "fish"))).answer == "about fish"


def test_a_button_is_clicked_by_label_or_id_and_edits_its_message(server: Server, bot: Bot) -> None:
    view = bot.call(panel())
    message = shown(server, bot, view)
    with pytest.raises(LookupError):
        server.user("ann").click(message, "Nothing")
    done(server, server.user("bob").click(message, "Later"))
    server.until(lambda: message.content == "later")
    done(server, server.user("ann").click(message, "stop"))
    assert message.content == "stopped" and message.components == []
    assert view.pressed == ["stop by ann"]


def test_a_choice_and_a_modal_reach_the_bot(server: Server, bot: Bot) -> None:
    ann, message = server.user("ann"), shown(server, bot, bot.call(panel()))
    assert done(server, ann.choose(message, "Big", select="model")).answer == "uses b"
    clicked = ann.click(message, "more")
    server.until(lambda: clicked.modal)
    assert clicked.modal is not None and clicked.modal["title"] == "More"
    with pytest.raises(LookupError):
        ann.submit(clicked, text="longer than ten characters")
    assert done(server, ann.submit(clicked, text="hi")).answer == "you said hi"


def test_a_persistent_view_works_after_a_new_login(server: Server, clock: ShiftedClock) -> None:
    with logged_in(server) as bot:
        message = shown(server, bot, bot.call(panel()))
    clock.advance(5)
    with logged_in(server) as bot:
        view = bot.call(panel())
        bot.add_view(view)
        done(server, server.user("ann").click(message, "stop"))
        assert view.pressed == ["stop by ann"]


class Late(Bot):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[discord.Interaction] = []

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        self.asked.append(interaction)


@pytest.fixture
def late(server: Server) -> Iterator[Late]:
    late = Late()
    late.tree.interaction_check = refuse  # type: ignore[method-assign]  # the tree is not to answer
    add_commands(late)
    with logged_in(server, late):
        late.call(late.tree.sync())
        yield late


async def refuse(_: Any) -> bool:
    return False


def code(bot: Bot, coroutine: Any) -> int:
    with pytest.raises(discord.HTTPException) as caught:
        bot.call(coroutine)
    return caught.value.code


def asked_of(server: Server, late: Late) -> tuple[Interaction, discord.Interaction]:
    mine = server.user("ann").slash("ask", text="x")
    return mine, server.until(lambda: late.asked)[-1]


def test_an_answer_after_three_seconds_is_too_late(server: Server, late: Late, clock: ShiftedClock) -> None:
    _, theirs = asked_of(server, late)
    clock.advance(3.1)
    assert code(late, theirs.response.send_message("late")) == 10062
    assert server.forgive("got no answer")


def test_a_second_acknowledgement_is_one_too_many(server: Server, late: Late) -> None:
    _, theirs = asked_of(server, late)
    late.call(theirs.response.send_message("first"))
    again = discord.Interaction(data=payload(theirs), state=late._connection)
    assert code(late, again.response.send_message("second")) == 40060
    assert server.forgive("40060")


def test_follow_ups_need_an_answer_and_end_after_a_quarter_of_an_hour(
    server: Server, late: Late, clock: ShiftedClock
) -> None:
    mine, theirs = asked_of(server, late)
    assert code(late, theirs.followup.send("early")) == 10015
    late.call(theirs.response.send_message("first"))
    late.call(theirs.followup.send("more"))
    late.call(theirs.delete_original_response())
    assert mine.original is not None and mine.original.deleted
    clock.advance(901)
    assert code(late, theirs.followup.send("late")) == 50027


def test_answers_of_the_wrong_kind_and_shape_are_refused(server: Server, late: Late) -> None:
    _, theirs = asked_of(server, late)
    assert code(late, too_many_choices(theirs)) == 50035
    late.call(theirs.response.defer())
    assert len(server.forgive("50035")) == 1


async def too_many_choices(interaction: discord.Interaction) -> None:
    choices = [app_commands.Choice(name=str(number), value=str(number)) for number in range(26)]
    interaction.type = discord.InteractionType.autocomplete
    try:
        await interaction.response.autocomplete(choices)
    finally:
        interaction.type = discord.InteractionType.application_command


def payload(interaction: discord.Interaction) -> Any:
    """As much of an interaction as makes another object of it."""
    return {
        "id": str(interaction.id), "type": interaction.type.value, "token": interaction.token, "version": 1,
        "application_id": str(interaction.application_id), "attachment_size_limit": 0, "data": {},
    }  # fmt: skip
