"""Answers to interactions: in time, for one person, whole, and never lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from typing import Any, cast

import discord
import pytest

from openab_sync.core.message import Conversation, MessageRef
from openab_sync.core.port import ChatPort, File
from openab_sync.errors import ChatError
from openab_sync.platforms.discord import answers
from openab_sync.platforms.discord.answers import Answer
from openab_sync.platforms.discord.controls import finished
from tests.fakes.discord import Interaction, Server, ShiftedClock
from tests.platforms.discord.fake_client import QUICK, Bot, logged_in
from tests.platforms.discord.pressing import buttons, done

Act = Callable[[Answer], Awaitable[None]]


class Paper:
    """A port that writes down what is posted."""

    def __init__(self) -> None:
        self.posts: list[str] = []
        self.files: list[File] = []
        self.error: ChatError | None = None

    def post(self, conversation: Conversation, text: str, **more: Any) -> Future[MessageRef]:
        return self._done(self.posts, text, conversation)

    def upload(self, conversation: Conversation, file: File, **more: Any) -> Future[MessageRef]:
        return self._done(self.files, file, conversation)

    def _done(self, kept: list[Any], what: object, conversation: Conversation) -> Future[MessageRef]:
        kept.append(what)
        future: Future[MessageRef] = Future()
        if self.error is not None:
            future.set_exception(self.error)
        else:
            future.set_result(MessageRef(conversation, "1"))
        return future


class Asked:
    """A bot with one command, /ask, which does what the test says, and what it posts instead of answering."""

    def __init__(self, server: Server, bot: Bot) -> None:
        self.server, self.bot, self.port = server, bot, Paper()
        self.act: Act = _nothing
        self.options: dict[str, Any] = {}
        self.error: BaseException | None = None
        self.ended = False

        async def ask(interaction: discord.Interaction) -> None:
            await self.serve(interaction)

        bot.tree.add_command(discord.app_commands.Command(name="ask", description="x", callback=ask))

    async def serve(self, interaction: discord.Interaction) -> None:
        try:
            await self.act(Answer(interaction, cast(ChatPort, self.port), **self.options))
        except Exception as error:  # noqa: BLE001  # its test looks at it
            self.error = error
        self.ended = True
        self.server.world.touch()

    def ask(self, act: Act, **options: Any) -> Interaction:
        """Have the command answered by `act`."""
        self.act, self.options, self.ended, self.error = act, options, False, None
        return self.server.user("ann").slash("ask", where="general")

    def until_ended(self) -> None:
        self.server.until(lambda: self.ended, what="the command has ended")


async def _nothing(answer: Answer) -> None: ...


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture
def server(clock: ShiftedClock) -> Iterator[Server]:
    with Server(clock=clock, limits=QUICK) as server:
        yield server


@pytest.fixture
def asked(server: Server) -> Iterator[Asked]:
    bot = Bot()
    it = Asked(server, bot)
    with logged_in(server, bot):
        bot.call(bot.tree.sync())
        yield it


def says(text: str, *, hold: bool = False, file: File | None = None) -> Act:
    async def act(answer: Answer) -> None:
        if hold:
            await answer.hold()
        await answer.say(text, file=file)

    return act


@pytest.mark.parametrize("hold", [False, True])
def test_an_answer_is_one_persons_unless_it_is_public(asked: Asked, server: Server, hold: bool) -> None:
    alone = done(server, asked.ask(says("hello", hold=hold)))
    asked.until_ended()
    assert (alone.answer, alone.is_ephemeral) == ("hello", True)
    public = done(server, asked.ask(says("hello", hold=hold), is_public=True))
    assert (public.answer, public.is_ephemeral) == ("hello", False)


def test_what_takes_long_is_acknowledged_first(asked: Asked, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "SOON", 0.01)
    slow: Future[str] = Future()

    async def act(answer: Answer) -> None:
        await answer.say(await answer.after(slow))

    it = asked.ask(act)
    server.until(lambda: it.acked == 5, what="thinking…")
    slow.set_result("at last")
    assert done(server, it).answer == "at last"


def test_what_is_there_at_once_is_the_first_answer(asked: Asked, server: Server) -> None:
    ready: Future[str] = Future()
    ready.set_result("now")

    async def act(answer: Answer) -> None:
        await answer.say(await answer.after(ready))

    assert done(server, asked.ask(act)).acked == 4


@pytest.mark.parametrize("hold", [False, True])
def test_a_longer_answer_goes_on_in_further_messages(asked: Asked, server: Server, hold: bool) -> None:
    text = "\n\n".join(f"paragraph {number} " + "x" * 900 for number in range(4))
    it = asked.ask(says(text, hold=hold))
    asked.until_ended()
    pages = [it.answer, *(message.content for message in it.followups)]
    assert len(pages) == 2 and "".join("".join(pages).split()) == "".join(text.split())
    assert all(message.is_ephemeral for message in it.followups)


def test_a_very_long_answer_is_a_file(asked: Asked, server: Server) -> None:
    text = "\n".join(f"line {number}" for number in range(2000))
    it = done(server, asked.ask(says(text)))
    assert it.original is not None
    [file] = it.original.attachments
    assert file.content.decode() == text
    assert it.answer.endswith("all of it is in the file.") and len(it.answer) <= 2000


def test_a_file_comes_with_its_answer_and_nothing_to_say_is_done(asked: Asked, server: Server) -> None:
    it = done(server, asked.ask(says("Here.", hold=True, file=File("a.md", b"text"))))
    asked.until_ended()
    assert it.original is not None and it.original.attachments[0].content == b"text"
    assert done(server, asked.ask(says("   "))).answer == "Done."


def test_an_answer_that_comes_too_late_is_posted_in_the_conversation(asked: Asked, server: Server) -> None:
    """10062: the three seconds are over."""
    server.fail("POST", "/interactions/*", code=10062, status=404)
    asked.ask(says("hello"))
    asked.until_ended()
    assert asked.port.posts == [f"{server.user('ann').mention} hello"]
    server.advance(4)
    server.until(lambda: server.violations)
    server.forgive("got no answer")


def test_an_answer_after_a_quarter_of_an_hour_is_posted_in_the_conversation(asked: Asked, server: Server) -> None:
    """The token of an interaction lives for 15 minutes: an agent may take longer to be there."""
    slow: Future[None] = Future()

    async def act(answer: Answer) -> None:
        await answer.hold()
        await answer.after(slow)
        await answer.say("at last", file=File("a.md", b"x"))

    it = asked.ask(act)
    server.until(lambda: it.acked)
    server.advance(901)
    slow.set_result(None)
    asked.until_ended()
    assert asked.port.posts == [f"{server.user('ann').mention} at last"]
    assert [file.name for file in asked.port.files] == ["a.md"]


def test_where_nothing_can_be_posted_either_it_is_logged(
    asked: Asked, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    asked.port.error = ChatError("closed")
    server.fail("POST", "/interactions/*", code=10062, status=404)
    asked.ask(says("hello"))
    asked.until_ended()
    assert asked.error is None and "an answer could not be given: closed" in caplog.text
    server.advance(4)
    server.until(lambda: server.violations)
    server.forgive("got no answer")


@pytest.mark.parametrize("hold", [False, True])
def test_a_first_answer_whose_acknowledgement_was_lost_is_there_once(asked: Asked, server: Server, hold: bool) -> None:
    """40060 to our second try means that the first one worked."""
    server.fail("POST", "/interactions/*", lost=True)
    it = asked.ask(says("hello", hold=hold))
    asked.until_ended()
    assert (it.answer, asked.port.posts, asked.error) == ("hello", [], None)
    server.forgive("40060")


def test_a_cut_connection_is_tried_again_a_few_times(asked: Asked, server: Server) -> None:
    server.fail("POST", "/interactions/*", reset=True, times=2)
    assert done(server, asked.ask(says("hello"))).answer == "hello"
    server.fail("PATCH", "/webhooks/*", reset=True, times=2)
    asked.until_ended()
    assert done(server, asked.ask(says("again", hold=True))).answer == "again"
    asked.until_ended()
    server.fail("PATCH", "/webhooks/*", reset=True, times=3)
    asked.ask(says("elsewhere", hold=True))
    asked.until_ended()
    assert asked.port.posts == [f"{server.user('ann').mention} elsewhere"]


def test_pages_that_do_not_arrive_are_posted(asked: Asked, server: Server) -> None:
    server.fail("POST", "/webhooks/*", code=50027, status=401)
    asked.ask(says("first " * 300 + "\n\n" + "second " * 200))
    asked.until_ended()
    [post] = asked.port.posts
    assert post.startswith(f"{server.user('ann').mention} second")


def test_a_form_that_discord_does_not_take_is_a_bug_of_ours(asked: Asked, server: Server) -> None:
    server.fail("POST", "/interactions/*", code=50035, status=400)
    asked.ask(says("hello"))
    asked.until_ended()
    assert isinstance(asked.error, discord.HTTPException)
    server.advance(4)
    server.until(lambda: server.violations)
    server.forgive("got no answer")


def test_a_menu_is_changed_in_its_place(asked: Asked, server: Server) -> None:
    async def show(answer: Answer) -> None:
        await answer.say("choose", finished(discord.ui.Button(label="Go", custom_id="go")))

    it = done(server, asked.ask(show))
    asked.until_ended()
    assert it.original is not None and buttons(it.original) == ["Go"]
    message = it.original

    async def clicked(interaction: discord.Interaction) -> None:
        if interaction.type is discord.InteractionType.component:
            await asked.serve(interaction)

    asked.bot.on_interaction = clicked  # type: ignore[attr-defined]  # discord.py looks it up by name
    for hold in (False, True):
        asked.act, asked.options, asked.ended = says(f"gone {hold}", hold=hold), {"update": True}, False
        kept = list(message.components)
        pressed = server.user("ann").click(message, "Go")
        asked.until_ended()
        assert (message.content, message.components) == (f"gone {hold}", [])
        assert pressed.acked == (6 if hold else 7)
        message.components = kept


def test_holding_twice_is_holding_once(asked: Asked, server: Server) -> None:
    async def act(answer: Answer) -> None:
        await answer.hold()
        await answer.hold()
        await answer.say("there")

    assert done(server, asked.ask(act)).answer == "there"
