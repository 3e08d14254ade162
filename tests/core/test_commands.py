"""What people can order. The pool is on paper: it writes down what it is told, and the test says what comes of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.acp.events import Choice, Command, Option
from openab_sync.core.broker import HouseSnapshot
from openab_sync.core.commands import COMMANDS, CommandAnswer, Desk, carry_out, find_command
from openab_sync.core.house import Cancel, Open, Reset, SessionSnapshot, SetOption
from openab_sync.core.state import State
from openab_sync.errors import AgentRefused, OpenabError, PoolClosed, PoolFull, SessionClosed
from tests.core.makers import ANNA, BEN, HERE, THERE, PaperPool, note
from tests.fakes.clock import FakeClock

MODEL = Option(
    "model",
    "Model",
    "big",
    category="model",
    choices=(Choice("big", "The Big One", "slow and wise"), Choice("small", "big"), Choice("tiny", "Tiny")),
)
MODE = Option("mode", "Mode", "code", category="mode", choices=(Choice("code", "code"), Choice("ask", "Ask First")))
WEB = Option("web", "Web Search", value=False, kind="boolean")
EFFORT = Option("effort", "Reasoning Effort", "low", choices=(Choice("low", "Low"), Choice("high", "High")))
FREE = Option("branch", "branch", "main")


class Counter:
    """The desk, the pool behind it and what was answered."""

    def __init__(self, *options: Option) -> None:
        self.pool = PaperPool()
        self.clock = FakeClock()
        self.pool.sessions = (SessionSnapshot(HERE, State.IDLE, "Demo", options=options),)
        self.desk = Desk(self.pool.as_pool, lambda: HouseSnapshot(*self.pool.snapshot()), self.clock)

    def ask(self, name: str, argument: str = "") -> CommandAnswer:
        """Give a command that is answered at once, or as soon as the agent is there."""
        future = carry_out(self.desk, HERE, (name, argument), ANNA)
        if self.pool.orders and isinstance(self.pool.orders[-1], Open):
            assert not future.done()
            self.pool.orders.pop().done.set_result("")
        assert future.done()
        return future.result(0)

    def set(self, name: str, argument: str) -> SetOption:
        """Give a command that sets an option; return the order that it became."""
        future = carry_out(self.desk, HERE, (name, argument), ANNA)
        opening, *rest = self.pool.orders
        assert isinstance(opening, Open)
        assert rest == []  # not before the agent is there
        opening.done.set_result("")
        [_, order] = self.pool.orders
        assert isinstance(order, SetOption)
        assert not future.done()
        order.done.set_result("It is set.")
        assert future.result(0) == CommandAnswer("It is set.")
        return order


# Finding the command.


def test_every_command_and_alias_is_found_by_its_whole_name_only() -> None:
    """FIELD F16: what only begins like a command of ours is the agent's."""
    for spec in COMMANDS:
        for word in (spec.name, *spec.aliases):
            assert find_command(word) is spec
            assert find_command(word + "foo") is None
    assert find_command("") is None


def test_no_word_means_two_commands() -> None:
    words = [word for spec in COMMANDS for word in (spec.name, *spec.aliases)]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("word", "hint"), [("cancle", "Did you mean /cancel?"), ("agnets", "Did you mean /agents?"), ("xyz", "/help lists")]
)
def test_an_unknown_command_is_told_with_the_nearest(word: str, hint: str) -> None:
    answer = Counter().ask(word)
    assert not answer.ok
    assert answer.text.startswith(f"There is no command /{word}.")
    assert hint in answer.text


def test_an_unknown_command_is_shown_without_what_a_terminal_would_obey() -> None:
    answer = Counter().ask("\x1b[2J" + "x" * 100)
    assert "\x1b" not in answer.text
    assert "x" * 40 not in answer.text


# Orders.


def test_cancel_stops_the_turn_and_cancel_all_drops_the_rest() -> None:
    for name, everything in (("cancel", False), ("cancel-all", True)):
        counter = Counter()
        future = carry_out(counter.desk, HERE, (name, ""), BEN)
        [order] = counter.pool.orders
        assert isinstance(order, Cancel)
        assert (order.by, order.all) == (BEN, everything)
        assert not future.done()
        order.done.set_result("Cancelling.")
        assert future.result(0) == CommandAnswer("Cancelling.")


def test_reset_says_who_wanted_it() -> None:
    counter = Counter()
    future = carry_out(counter.desk, HERE, ("reset", ""), BEN)
    [order] = counter.pool.orders
    assert isinstance(order, Reset)
    assert order.by == BEN
    order.done.set_result("Reset.")
    assert future.result(0) == CommandAnswer("Reset.")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (SessionClosed("test:1 ended before it could obey"), "test:1 ended before it could obey"),
        (AgentRefused("no such mode", stderr="secrets"), "no such mode"),
        (ValueError("odd"), "That did not work: odd"),
    ],
    ids=["ours", "the agent's", "foreign"],
)
@pytest.mark.parametrize("name", ["cancel", "reset", "models", "config"])
def test_an_order_that_fails_is_an_answer(name: str, error: Exception, sentence: str) -> None:
    counter = Counter(MODEL)
    future = carry_out(counter.desk, HERE, (name, ""), ANNA)
    counter.pool.orders[-1].done.set_exception(error)
    assert future.result(0) == CommandAnswer(sentence, ok=False)


@pytest.mark.parametrize("refusal", [PoolFull(10, 20), PoolClosed()], ids=["full", "closed"])
@pytest.mark.parametrize("name", ["cancel", "cancel-all", "reset", "models", "modes", "config"])
def test_a_house_that_takes_no_orders_says_so(name: str, refusal: OpenabError) -> None:
    counter = Counter(MODEL)
    counter.pool.refusal = refusal
    assert counter.ask(name) == CommandAnswer(refusal.user_text(), ok=False)


def test_a_house_that_closes_while_the_agent_starts_says_so_too() -> None:
    """The refusal comes on the session's thread, where nobody could catch it."""
    counter = Counter(MODEL)
    future = carry_out(counter.desk, HERE, ("models", "tiny"), ANNA)
    counter.pool.refusal = PoolClosed()
    counter.pool.orders[0].done.set_result("")
    assert future.result(0) == CommandAnswer(PoolClosed().user_text(), ok=False)


@pytest.mark.parametrize("name", ["cancel", "models"])
def test_whoever_is_tired_of_waiting_disturbs_nobody(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """A platform may wrap the Future in its own and time out: that must not reach the session that completes it."""
    counter = Counter(MODEL)
    future = carry_out(counter.desk, HERE, (name, ""), ANNA)
    [order] = counter.pool.orders
    assert not future.cancel()
    assert not order.done.cancel()
    order.done.set_result("")
    assert future.result(0).ok
    assert caplog.records == []


# Options.


def test_models_are_listed_with_the_one_that_is_chosen() -> None:
    assert Counter(MODE, MODEL).ask("models").text.splitlines() == [
        "Model:",
        "● big (The Big One) — slow and wise",
        "○ small (big)",
        "○ tiny (Tiny)",
    ]


@pytest.mark.parametrize("name", ["modes", "agents"])
def test_modes_are_listed_under_both_names(name: str) -> None:
    assert Counter(MODEL, MODE).ask(name).text.splitlines() == ["Mode:", "● code", "○ ask (Ask First)"]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("small", "small"),
        ("big", "big"),  # a value wins over a name
        ("The Big One", "big"),
        ("the big one", "big"),
        ("  TINY ", "tiny"),
        ("Tiny", "tiny"),
    ],
)
def test_a_choice_is_named_by_value_or_by_name(word: str, value: str) -> None:
    order = Counter(MODEL).set("models", word)
    assert (order.option_id, order.value) == ("model", value)


def test_the_alias_sets_the_mode() -> None:
    order = Counter(MODEL, MODE).set("agents", "ask first")
    assert (order.option_id, order.value) == ("mode", "ask")


def test_a_choice_that_is_not_offered_is_answered_with_those_that_are() -> None:
    counter = Counter(MODE)
    answer = counter.ask("modes", "yolo")
    assert answer == CommandAnswer("Mode has no choice yolo.\nMode:\n● code\n○ ask (Ask First)", ok=False)
    assert counter.pool.orders == []


@pytest.mark.parametrize(("name", "category"), [("models", "model"), ("modes", "mode")])
def test_an_agent_without_a_choice_says_so(name: str, category: str) -> None:
    assert Counter(WEB).ask(name) == CommandAnswer(f"This agent offers no choice of {category}s.", ok=False)


def test_the_model_is_the_option_of_that_name_where_several_have_the_category() -> None:
    provider = Option("provider", "Provider", "x", category="model", choices=(Choice("x", "X"),))
    assert Counter(provider, MODEL).ask("models").text.startswith("Model:")
    assert Counter(provider).ask("models").text.startswith("Provider:")
    bare = Option("model", "Model", "m", choices=(Choice("m", "M"),))  # no category at all
    assert Counter(bare).ask("models").text.startswith("Model:")


def test_config_lists_everything_that_can_be_set() -> None:
    assert Counter(MODEL, WEB, FREE).ask("config").text.splitlines() == [
        "model: big — Model",
        "web: off — Web Search",
        "branch: main",
    ]


def test_config_shows_one_option_with_its_choices() -> None:
    assert Counter(WEB).ask("config", "web").text == "Web Search: off (on or off)"
    assert Counter(EFFORT).ask("config", "EFFORT").text == "Reasoning Effort:\n● low (Low)\n○ high (High)"


@pytest.mark.parametrize("argument", ["effort high", "Effort  HIGH", "reasoning effort high", "effort\nhigh"])
def test_config_sets_by_id_or_name_of_several_words(argument: str) -> None:
    order = Counter(MODEL, EFFORT).set("config", argument)
    assert (order.option_id, order.value) == ("effort", "high")


def test_an_id_wins_over_an_equal_name_and_the_longest_name_over_its_beginning() -> None:
    twin = Option("other", "Effort", "x")
    longer = Option("longer", "Effort Limit", "x")
    for options in ((twin, longer, EFFORT), (EFFORT, longer, twin)):
        assert Counter(*options).set("config", "effort high").option_id == "effort"
        assert Counter(*options).set("config", "effort limit 3").option_id == "longer"


@pytest.mark.parametrize(
    ("word", "value"), [("on", True), ("YES", True), ("true", True), ("off", False), ("No", False)]
)
def test_a_switch_understands_the_usual_words(word: str, value: bool) -> None:
    assert Counter(WEB).set("config", f"web {word}").value is value


def test_a_switch_does_not_guess() -> None:
    answer = Counter(WEB).ask("config", "web maybe")
    assert answer == CommandAnswer("Web Search has no choice maybe.\nWeb Search: off (on or off)", ok=False)


def test_an_option_without_choices_takes_any_word() -> None:
    assert Counter(FREE).set("config", "branch feature/x y").value == "feature/x y"


def test_an_unknown_option_is_answered_with_those_there_are() -> None:
    answer = Counter(MODEL, WEB).ask("config", "webs on")
    assert answer == CommandAnswer("There is no option webs; there are: model, web.", ok=False)


def test_an_agent_with_nothing_to_set_says_so() -> None:
    assert Counter().ask("config") == CommandAnswer("This agent has nothing to set.", ok=False)


def test_a_session_that_is_gone_by_then_has_nothing_to_set() -> None:
    counter = Counter(MODEL)
    counter.pool.sessions = ()
    assert not counter.ask("config").ok


def test_the_agents_own_refusal_is_shown_and_nothing_is_tried_behind_its_back() -> None:
    """FIELD B18."""
    counter = Counter(MODEL)
    future = carry_out(counter.desk, HERE, ("models", "tiny"), ANNA)
    counter.pool.orders[0].done.set_result("")
    counter.pool.orders[1].done.set_exception(AgentRefused("this model is not in your plan"))
    assert future.result(0) == CommandAnswer("this model is not in your plan", ok=False)
    assert len(counter.pool.orders) == 2


# The queue.


@pytest.fixture
def queue() -> Counter:
    counter = Counter()
    counter.pool.notes = [note("a", "first\nthing"), note("x", where=THERE), note("b", "second", by=BEN)]
    return counter


def test_the_queue_is_numbered_and_only_of_here(queue: Counter) -> None:
    assert queue.ask("queue").text == "1. Anna: first thing\n2. Ben: second"
    queue.pool.notes.clear()
    assert queue.ask("queue") == CommandAnswer("Nothing waits here.")


def test_a_waiting_message_is_dropped_by_its_number(queue: Counter) -> None:
    assert queue.ask("queue", "drop 2") == CommandAnswer("Dropped.")
    assert [item.ref.id for item in queue.pool.notes] == ["a", "x"]


def test_a_waiting_message_is_changed_by_its_number(queue: Counter) -> None:
    assert queue.ask("queue", "edit 1  quite\nanother thing ") == CommandAnswer("Changed.")
    assert queue.pool.notes[0].text == "quite\nanother thing"


@pytest.mark.parametrize(
    "argument",
    ["drop", "edit 1", "edit", "drop one", "swap 1 2", "drop -1", "edit 1  ", "drop ²", "drop " + "9" * 5000],
)
def test_what_is_not_understood_is_answered_with_how_to_write_it(argument: str, queue: Counter) -> None:
    assert queue.ask("queue", argument) == CommandAnswer("Write /queue, /queue drop N or /queue edit N TEXT.", ok=False)
    assert len(queue.pool.notes) == 3


@pytest.mark.parametrize("number", [0, 3, 999_999_999])
def test_a_number_that_is_not_there_is_told(number: int, queue: Counter) -> None:
    assert queue.ask("queue", f"drop {number}") == CommandAnswer(f"There is no number {number}: 2 wait here.", ok=False)


@pytest.mark.parametrize("argument", ["drop 1", "edit 1 late"])
def test_a_message_that_was_taken_meanwhile_is_told(
    argument: str, queue: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue.pool, "waiting", lambda conversation: (note("gone"),))
    assert queue.ask("queue", argument) == CommandAnswer("The agent has taken it already.", ok=False)


# Looking.


def test_the_status_of_a_quiet_house() -> None:
    counter = Counter()
    counter.pool.sessions = ()
    assert counter.ask("status") == CommandAnswer("No agent is running.")


def test_the_status_tells_what_everybody_does() -> None:
    counter = Counter()
    started = counter.clock.monotonic()
    counter.clock.advance(65.0)
    busy = SessionSnapshot(
        THERE, State.BUSY, "Demo", inbox=2, turn_started=started, tool="cargo\nbuild " + "x" * 99, questions=2
    )
    counter.pool.sessions = (SessionSnapshot(HERE, State.IDLE, "Demo", questions=1), busy)
    counter.pool.line = ("test:3",)
    here, there, line = counter.ask("status").text.splitlines()
    assert here == "→ test:1: idle, Demo, 1 question open"
    assert there.startswith("test:2: busy, Demo, for 65 s, cargo build xxx")
    assert there.endswith("…, 2 questions open, 2 waiting")
    assert line == "test:3: waits for a free agent"


def test_help_lists_ours_and_then_the_agents_own() -> None:
    counter = Counter()
    ours = counter.ask("help").text.splitlines()
    assert ours[0] == "/cancel — stop what the agent is doing"
    assert "/models [MODEL] — show the models, or choose one" in ours
    assert len(ours) == len(COMMANDS)
    command = Command("compact", "shorten\nthe context")
    counter.pool.sessions = (SessionSnapshot(HERE, State.IDLE, commands=(command,)),)
    assert counter.ask("help").text.splitlines()[len(ours) :] == [
        "The agent's own, sent to it as they are:",
        "/compact — shorten the context",
    ]


WORDS = st.one_of(st.sampled_from([word for spec in COMMANDS for word in (spec.name, *spec.aliases)]), st.text())
ARGUMENTS = st.one_of(
    st.text(),
    st.lists(st.sampled_from(["drop", "edit", "1", "٣", "web", "model", "Reasoning", "Effort", " ", "on"])).map(
        " ".join
    ),
)


@given(WORDS, ARGUMENTS)
def test_whatever_people_write_is_answered_in_words(name: str, argument: str) -> None:
    counter = Counter(MODEL, MODE, WEB, EFFORT, FREE)
    counter.pool.notes = [note("a"), note("b"), note("c")]
    future = carry_out(counter.desk, HERE, (name, argument), ANNA)
    for order in counter.pool.orders:  # grows meanwhile
        order.done.set_result("Done.")
    answer = future.result(0)
    assert answer.text.strip()
