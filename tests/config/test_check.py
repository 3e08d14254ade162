"""From document to Config: right values arrive, wrong ones are named with key, line, expectation and finding."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.config import AgentConfig, Config, McpServer, PoolConfig
from openab_sync.config.check import check
from openab_sync.config.document import parse
from openab_sync.config.schema import NOT_USED_YET
from openab_sync.errors import ConfigError


def read(text: str, **environ: str) -> Config:
    return check(parse("c.toml", text.encode()), environ)[0]


def warnings(text: str) -> tuple[str, ...]:
    return check(parse("c.toml", text.encode()), {})[1]


def problem(text: str, **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(text, **environ)
    return str(caught.value)


def test_an_empty_document_is_the_defaults() -> None:
    assert read("") == Config()


def test_what_is_written_arrives() -> None:
    config = read(
        """
        [agent]
        command = "x"
        args = ["a", "b"]
        env = { A = "1" }
        inherit_env = ["B"]
        [[agent.mcp_servers]]
        name = "files"
        command = "files-server"
        [[agent.mcp_servers]]
        name = "web"
        type = "http"
        url = "https://h/"
        headers = { K = "v" }
        [pool]
        session_ttl_hours = 24
        cancel_grace_secs = 0.5
        default_config_options = { mode = "plan", verbose = true }
        """
    )
    assert config.agent == AgentConfig(
        command="x",
        args=("a", "b"),
        env={"A": "1"},
        inherit_env=("B",),
        mcp_servers=(
            McpServer(name="files", command="files-server"),
            McpServer(name="web", type="http", url="https://h/", headers={"K": "v"}),
        ),
    )
    assert config.pool == PoolConfig(
        session_ttl_hours=24, cancel_grace_secs=0.5, default_config_options={"mode": "plan", "verbose": True}
    )


# ---- variables ----


def test_variables_are_filled_in_wherever_a_string_is() -> None:
    config = read(
        '[agent]\ncommand = "${A}/bin/${B}"\nargs = ["$${A}", "${B}"]\nenv = { X = "${EMPTY}" }',
        A="/opt",
        B="b",
        EMPTY="",
    )
    assert (config.agent.command, config.agent.args, config.agent.env) == ("/opt/bin/b", ("${A}", "b"), {"X": ""})


@pytest.mark.parametrize(
    "forged",
    [
        "${B}",
        'x"\n[discord]\nallow_all_users = true\n#',
        "x\n[permissions]\nmode = 'allow'",
        '\\u0022\n[permissions]\nmode = "allow"\n#',
    ],
)
def test_what_a_variable_holds_is_not_read_again(forged: str) -> None:
    """FIELD I5: it is one value, whatever stands in it."""
    config = read('[agent]\ncommand = "${A}"', A=forged)
    assert config == msgspec.structs.replace(Config(), agent=msgspec.structs.replace(config.agent, command=forged))
    assert config.agent.command == forged


def test_a_choice_may_come_from_a_variable() -> None:
    assert read('[permissions]\nmode = "${MODE}"', MODE="deny").permissions.mode == "deny"


def test_a_missing_variable_is_named_with_its_key_and_line() -> None:
    expected = "c.toml:2: agent.env.KEY: the environment variable NOPE is not set"
    assert problem('[agent]\nenv = { KEY = "${NOPE}" }') == expected


def test_other_things_in_braces_are_explained() -> None:
    assert "${A:-b} is not a variable (a literal ${ is written $${)" in problem('[agent]\ncommand = "${A:-b}"', A="x")


def test_what_is_not_a_variable_is_told_in_one_line_and_no_secret_with_it() -> None:
    assert "${A\\nB} is not a variable" in problem('[agent]\ncommand = "${A\\nB}"')
    assert "hunter2" not in problem('[agent]\nenv = { KEY = "${KEY:-hunter2}" }')


def test_names_of_keys_are_left_alone() -> None:
    assert read('[agent]\nenv = { "${A}" = "1" }', A="x").agent.env == {"${A}": "1"}


# ---- unknown keys ----


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[pool]\n\nmax_session = 3", "c.toml:3: pool.max_session: no such key (did you mean max_sessions?)"),
        ("[poool]\nx = 1", "c.toml:1: poool: no such key (did you mean pool?)"),
        ("[dicsord]", "c.toml:1: dicsord: no such key (did you mean discord?)"),
        ("max_sessions = 3", "c.toml:1: max_sessions: no such key (it belongs into [pool])"),
        ("allow_dm = true", "c.toml:1: allow_dm: no such key (it belongs into [discord])"),
        ("[discord]\nallow_user = 1", "c.toml:2: discord.allow_user: no such key (did you mean allowed_users?)"),
        ("pool.timeout_secs = 3", "c.toml:1: pool.timeout_secs: no such key (it belongs into [permissions])"),
        ("[reactions.emojis]\nqueud = 'x'", "c.toml:2: reactions.emojis.queud: no such key (did you mean queued?)"),
        ("[markdown]\nzzzz = 1", "c.toml:2: markdown.zzzz: no such key (known here: tables)"),
        (
            '[[agent.mcp_servers]]\nname = "a"\ncommand = "a"\n[[agent.mcp_servers]]\nname = "b"\ncomand = "b"',
            "c.toml:6: agent.mcp_servers[1].comand: no such key (did you mean command?)",
        ),
    ],
)
def test_an_unknown_key_is_named_with_its_line_and_the_nearest_right_name(text: str, message: str) -> None:
    assert problem(text) == message


# ---- wrong values ----


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pool = 3", "c.toml:1: pool: expected a table, found 3"),
        ('[agent]\nargs = "x"', 'c.toml:2: agent.args: expected an array, found "x"'),
        ('[agent]\nargs = ["x",\n3]', "c.toml:3: agent.args[1]: expected a string, found 3"),
        ("[agent]\nenv = []", "c.toml:2: agent.env: expected a table, found an array"),
        ("[agent.env]\nPORT = 80", "c.toml:2: agent.env.PORT: expected a string, found a number"),
        ("[agent]\npreset = ''", 'c.toml:2: agent.preset: expected a non-empty string, found ""'),
        (
            "[pool]\nmax_sessions = 0",
            "c.toml:2: pool.max_sessions: expected a whole number from 1 up to 1000000, fou",
        ),
        ("[pool]\nmax_sessions = 2.5", "pool.max_sessions: expected a whole number from 1 up to 1000000, found 2.5"),
        ("[pool]\nmax_sessions = true", "found true"),
        ("[pool]\nmax_batch_tokens = 0", "pool.max_batch_tokens: expected a whole number from 1"),
        ("[pool]\nmax_buffered_messages = 0", "pool.max_buffered_messages: expected a whole number from 1"),
        ("[pool]\nliveness_check_secs = 0", "liveness_check_secs: expected a number above 0 up to 31536000, found 0"),
        ("[pool]\nrequest_secs = inf", "found inf"),
        ("[pool]\nrequest_secs = nan", "found nan"),
        ("[pool]\nrequest_secs = 2026-01-01", "found a date or time"),
        ("[reactions]\nenabled = 1", "reactions.enabled: expected true or false, found 1"),
        (
            "[pool.default_config_options]\nx = 1",
            "x: expected a string or true or false, found 1",
        ),
        (
            "[discord]\nbot_token = 'x'\nallowed_users = [\n1234567890]",
            'discord.allowed_users[0]: expected an id, a string of digits, found 1234567890 (in quotes: "1234567890")',
        ),
        (
            "[discord]\nbot_token = 'x'\nallowed_channels = ['general']",
            'discord.allowed_channels[0]: expected an id, a string of digits, found "general"',
        ),
        ("[discord]\nbot_token = 'x'\nallowed_users = [1e17]", "expected an id, a string of digits, found 1e+17"),
        ("[discord]\nbot_token = 'x'\nallowed_users = [" + "9" * 4000 + "]", "a string of digits, found 99999"),
        ("[discord]", "c.toml:1: discord: bot_token is missing"),
        ("discord = []", "c.toml:1: discord: expected a table, found an array"),
        ("[discord]\nbot_token = 4711", "c.toml:2: discord.bot_token: expected a string, found a number"),
        ("[discord]\nbot_token = ' '", "c.toml:1: discord: bot_token is empty"),
        ("[discord]\nbot_token = 'x'\nallow_all_channels = 1", "allow_all_channels: expected true or false, found 1"),
        (
            "[discord]\nbot_token = 'x'\nmessage_processing_mode = 'x'",
            'expected one of "per-message", "per-thread", "per-lane", found "x"',
        ),
        ("[discord]\nbot_token = 'x'\nmax_buffered_messages = 0", "expected a whole number from 1 up to"),
        (
            '[permissions]\nmode = "alow"',
            'c.toml:2: permissions.mode: expected one of "ask", "allow", "deny", found "alow"',
        ),
        ("[permissions]\nmode = 3", 'expected one of "ask", "allow", "deny", found 3'),
        ("[[agent.mcp_servers]]\ncommand = 'x'", "c.toml:1: agent.mcp_servers[0]: name is missing"),
        ("[[agent.mcp_servers]]\nname = 'x'", 'agent.mcp_servers[0]: a server of type "stdio" needs a command'),
        ('[agent]\ncommand = "a\\u0000b"', "c.toml:2: agent.command: holds a null character"),
        ("[status]\nlisten = 'x'", 'c.toml:1: status: listen must be "host:port"'),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected_and_found(text: str, message: str) -> None:
    assert message in problem(text)


def test_a_value_from_a_variable_is_not_shown() -> None:
    message = problem('[permissions]\nmode = "${SECRET}"', SECRET="hunter2")
    assert "hunter2" not in message
    assert "${SECRET}" in message


# ---- files of OpenAB ----


@pytest.mark.parametrize(("word", "meaning"), [("Full", "full"), ("off", "none"), ("hidden", "none"), ("none", "none")])
def test_other_words_for_tool_display_are_understood(word: str, meaning: str) -> None:
    assert read(f'[reactions]\ntool_display = "{word}"').reactions.tool_display == meaning


def test_choices_may_be_written_with_underscores_and_capitals() -> None:
    config = read('[pool]\nmessage_processing_mode = "Per_Thread"')
    assert config.pool.message_processing_mode == "per-thread"


@pytest.mark.parametrize(
    ("word", "meaning"), [("none", "off"), ("False", "off"), ("TRUE", "all"), ("All", "all"), ("mentions", "mentions")]
)
def test_other_words_for_which_bots_are_heard_are_understood(word: str, meaning: str) -> None:
    discord = read(f'[discord]\nbot_token = "x"\nallow_bot_messages = "{word}"').discord
    assert discord is not None
    assert discord.allow_bot_messages == meaning


def test_the_choices_of_discord_may_be_written_as_openab_takes_them() -> None:
    text = '[discord]\nbot_token = "x"\nallow_user_messages = "Multibot_Mentions"\nmessage_processing_mode = "per_lane"'
    discord = read(text).discord
    assert discord is not None
    assert (discord.allow_user_messages, discord.message_processing_mode) == ("multibot-mentions", "per-lane")


def test_a_section_that_is_left_out_is_not_looked_into_and_costs_nothing() -> None:
    document = parse("c.toml", b'[discord]\nbot_token = "${NOT_SET}"\n"what ever" = 1\n[pool]\nmax_sessions = 3')
    config, said = check(document, {}, without=("discord",))
    assert (config.discord, config.pool.max_sessions, said) == (None, 3, ())


def test_only_a_section_is_left_out_and_no_key_of_the_same_name() -> None:
    with pytest.raises(ConfigError, match="no such key"):
        check(parse("c.toml", b"[pool]\ndiscord = 1"), {}, without=("discord",))


def test_what_is_not_used_yet_costs_one_warning_and_is_not_looked_into() -> None:
    text = """
        [slack]
        bot_token = "${NOT_SET}"
        whatever = { x = 1 }
        [[cron.jobs]]
        schedule = "* * * * *"
        [pool]
        preload_persisted_sessions = true
        [reactions.mapping]
        "👍" = "OK"
        """
    assert warnings(text) == (
        "[slack] is accepted, but not used yet",
        "[cron] is accepted, but not used yet",
        "pool.preload_persisted_sessions is accepted, but not used yet",
        "[reactions.mapping] is accepted, but not used yet",
    )


@pytest.mark.parametrize("name", sorted(NOT_USED_YET))
def test_each_name_not_used_yet_is_accepted(name: str) -> None:
    assert warnings(f"{name} = 1") == (f"{name} is accepted, but not used yet",)


def test_a_file_of_openab_loads() -> None:
    config = read(
        """
        [discord]
        bot_token = "${DISCORD_BOT_TOKEN}"
        allowed_channels = ["1234567890"]
        [agent]
        command = "kiro-cli"
        args = ["acp", "--trust-all-tools"]
        working_dir = "/home/agent"
        [pool]
        max_sessions = 10
        session_ttl_hours = 24
        [markdown]
        tables = "bullets"
        [reactions]
        enabled = true
        remove_after_reply = false
        [reactions.emojis]
        queued = "👀"
        [reactions.timing]
        debounce_ms = 700
        [stt]
        enabled = true
        """,
        DISCORD_BOT_TOKEN="x",
    )
    assert (config.agent.args, config.pool.session_ttl_hours) == (("acp", "--trust-all-tools"), 24)


def test_the_sample_of_openab_loads() -> None:
    """Its section for Discord with every key that it shows in force, and its words in the comments."""
    config = read(
        """
        [discord]
        bot_token = "${DISCORD_BOT_TOKEN}"
        allow_all_channels = true            # true = allow all channels
        allowed_channels = ["1234567890"]
        allow_all_users = true
        allowed_users = ["98765432109876543"]
        allow_bot_messages = "off"
        trusted_bot_ids = []
        allowed_role_ids = []
        allow_user_messages = "involved"
        allow_dm = false
        max_bot_turns = 100
        message_processing_mode = "per-thread"
        max_buffered_messages = 5
        max_batch_tokens = 1000
        [agent]
        command = "kiro-cli"
        args = ["acp", "--trust-all-tools"]
        working_dir = "/home/agent"
        """,
        DISCORD_BOT_TOKEN="x",
    )
    discord = config.discord
    assert discord is not None
    assert (discord.bot_token, discord.allowed_channels) == ("x", ("1234567890",))
    assert (discord.allowed_users, discord.allow_user_messages) == (("98765432109876543",), "involved")
    assert discord.pooled(config.pool).message_processing_mode == "per-thread"


# ---- whatever comes ----

NAMES = st.sampled_from(
    [
        "agent",
        "pool",
        "reactions",
        "emojis",
        "timing",
        "mcp_servers",
        "env",
        "args",
        "mode",
        "discord",
        "bot_token",
        "allowed_users",
        "shard_ids",
        "tables",
        "listen",
    ]
)
SCALARS = st.one_of(
    st.booleans().map(lambda value: str(value).lower()),
    st.integers().map(str),
    st.sampled_from(["1.5", "inf", "nan", "1979-05-27", "[]", "{}", "[[]]", '["x"]', '"${X}"', '"ask"', "''", "'x'"]),
)
LINES = st.one_of(
    NAMES.map("[{}]".format),
    st.tuples(NAMES, NAMES).map(lambda names: "[{}.{}]".format(*names)),
    st.tuples(NAMES, NAMES).map(lambda names: "[[{}.{}]]".format(*names)),
    st.tuples(NAMES, SCALARS).map(lambda pair: "{} = {}".format(*pair)),
    st.tuples(NAMES, NAMES, SCALARS).map(lambda three: "{}.{} = {}".format(*three)),
)


def outcome(raw: bytes) -> Config | ConfigError:
    """What becomes of `raw`; anything else that is raised fails the test."""
    try:
        return check(parse("c.toml", raw), {})[0]
    except ConfigError as error:
        return error


@pytest.mark.fuzz
@given(st.lists(LINES, max_size=6).map("\n".join))
def test_any_document_is_a_config_or_one_sentence(text: str) -> None:
    result = outcome(text.encode())
    assert isinstance(result, Config) or (result.file == "c.toml" and "\n" not in str(result))


@pytest.mark.fuzz
@given(st.binary())
def test_any_bytes_are_a_config_or_a_config_error(raw: bytes) -> None:
    assert isinstance(outcome(raw), Config | ConfigError)
