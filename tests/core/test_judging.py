"""What is decided before anybody is asked: first match wins, and what is not certain is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.acp.events import Asked, Choice, Option, PermissionOption, ToolChanged
from openab_sync.config.permissions import Kind, PermissionRule, PermissionsConfig
from openab_sync.core.judging import MOST, Judge, Standing, Verdict, option_for, rule_text
from openab_sync.core.message import Conversation, Person
from openab_sync.core.tool import Tool

ANN, BOB = Person("1", "Ann"), Person("2", "Bob")
KINDS = get_args(Kind)


def rule(then: Literal["allow", "deny", "ask"], **more: Any) -> PermissionRule:
    return PermissionRule(then=then, **more)


def judge(*rules: PermissionRule, mode: Any = "ask", folder: str = "/w") -> Judge:
    config = PermissionsConfig(mode=mode, rules=rules)
    return Judge(lambda: config, Conversation("discord", "77"), ("claude", "Claude Code", ""), folder)


def call(kind: str = "execute", **raw: Any) -> Tool:
    return Tool("t", raw.pop("title", "A title"), kind, raw_input=raw or None)


def then(rules: Judge, tool: Tool, *people: Person) -> str:
    return rules.judge(tool, people or (ANN,)).then


def test_the_first_rule_that_fits_wins_and_says_which_it_was() -> None:
    rules = judge(rule("deny", kind="delete"), rule("allow"), rule("ask"))
    assert rules.judge(call("delete"), (ANN,)) == Verdict("deny", "rule 1 of the configuration")
    assert rules.judge(call("edit"), (ANN,)) == Verdict("allow", "rule 2 of the configuration")


@pytest.mark.parametrize("mode", ["ask", "allow", "deny"])
def test_without_a_rule_the_mode_decides(mode: str) -> None:
    assert judge(mode=mode).judge(call(), (ANN,)) == Verdict(mode, "as configured")  # type: ignore[arg-type]  # a mode


@pytest.mark.parametrize(
    ("wanted", "tool", "fits"),
    [
        ({"kind": "edit"}, call("edit"), True),
        ({"kind": "edit"}, call("execute"), False),
        ({"kind": "other"}, call("teleport"), True),
        ({"kind": "other"}, call(""), True),
        ({"kind": "other"}, call("edit"), False),
        ({"title": "Run *"}, call(title="Run make"), True),
        ({"title": "Run *"}, call(title="run make"), False),
        ({"command": "npm test*"}, call(command="npm test -w"), True),
        ({"command": "npm test*"}, call(command="npm test; rm x"), False),
        ({"command": "npm*"}, call(title="npm test"), False),
        ({"command": "*"}, call(), False),
        ({"path": "src/**"}, call("edit", path="/w/src/a/b.py"), True),
        ({"path": "src/**"}, call("edit", path="src/b.py"), True),
        ({"path": "src/**"}, call("edit", path="/w/src/../b.py"), False),
        ({"path": "src/**"}, call("edit", path="src/a", other_path="/etc/passwd"), False),
        ({"path": "src/**"}, call("edit"), False),
        ({"path": "/etc/*"}, call("read", path="/etc/hosts"), True),
        ({"agent": "claude"}, call(), True),
        ({"agent": "Claude *"}, call(), True),
        ({"agent": "codex"}, call(), False),
        ({"conversation": "discord:*"}, call(), True),
        ({"conversation": "discord:7"}, call(), False),
        ({"who": ("1",)}, call(), True),
        ({"who": ("2",)}, call(), False),
    ],
)
def test_all_that_an_allowing_rule_names_must_fit(wanted: dict[str, Any], tool: Tool, fits: bool) -> None:
    assert then(judge(rule("allow", **wanted)), tool) == ("allow" if fits else "ask")


def test_an_allowing_rule_fits_everybody_and_everything_named_a_denying_one_anybody_and_anything() -> None:
    both = (ANN, BOB)
    assert then(judge(rule("allow", who=("1",))), call(), *both) == "ask"
    assert then(judge(rule("allow", who=("1", "2"))), call(), *both) == "allow"
    assert then(judge(rule("deny", who=("1",))), call(), *both) == "deny"
    assert judge(rule("allow", who=("1",))).judge(call(), ()).then == "ask"  # a bot's turn
    files = call("edit", path="/w/src/a", other_path="/w/.env")
    assert then(judge(rule("allow", path="src/**")), files) == "ask"
    assert then(judge(rule("deny", path="**/.env")), files) == "deny"


@pytest.mark.parametrize("command", ["rm x", "cd y && rm x", "echo $(rm x)", "a\nrm x"])
def test_a_denying_rule_finds_its_command_among_others(command: str) -> None:
    assert then(judge(rule("deny", command="rm *"), mode="allow"), call(command=command)) == "deny"


def test_a_denying_rule_looks_at_the_title_where_no_command_is_told() -> None:
    assert then(judge(rule("deny", command="rm *"), mode="allow"), call(title="rm -rf build")) == "deny"


def test_a_symlink_is_allowed_by_what_it_is_and_what_it_leads_to_and_denied_by_either(tmp_path: Path) -> None:
    folder = tmp_path.resolve()
    (folder / "src").mkdir()
    (folder / "secret").write_text("x")
    (folder / "src" / "link").symlink_to(folder / "secret")
    (folder / "src" / "plain").write_text("x")
    link, plain = call("edit", path="src/link"), call("edit", path="src/plain")
    rules = judge(rule("allow", path="src/**"), folder=str(folder))
    assert (then(rules, plain), then(rules, link)) == ("allow", "ask")
    assert then(judge(rule("deny", path="secret"), folder=str(folder)), link) == "deny"
    assert then(judge(rule("deny", path="src/*"), folder=str(folder)), link) == "deny"


# Reading inside the working folder.


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("work").resolve()
    (folder / "a.py").write_text("x")
    (folder.parent / "secret").write_text("x")
    (folder / "link").symlink_to(folder.parent / "secret")
    return folder


def look(folder: Path, *names: str, kind: str = "read", raw: Any = None, **more: Any) -> str:
    tool = Tool("t", "Read", kind, locations=tuple(f"{folder}/{name}" for name in names), raw_input=raw)
    return judge(folder=str(folder), **more).judge(tool, (ANN,)).then


def test_a_look_at_files_that_certainly_are_inside_is_allowed(work: Path) -> None:
    assert look(work, "a.py") == look(work, "a.py", kind="search") == "allow"
    assert look(work, "a.py", raw={"path": f"{work}/a.py", "limit": 3, "pattern": "x.*"}) == "allow"
    assert look(work, "a.py", raw={"path": "a.py"}) == "allow"


def test_what_is_less_certain_is_asked(work: Path) -> None:
    assert look(work) == "ask"  # no location
    assert look(work, "a.py", "link") == look(work, "../secret") == look(work, "gone") == "ask"
    assert look(work, "a.py", raw={"path": "/etc/passwd"}) == look(work, "a.py", raw={"x": ["~/.ssh"]}) == "ask"
    assert look(work, "a.py", raw={"command": "cat a.py"}) == look(work, "a.py", raw={"u": "http://x"}) == "ask"
    assert all(look(work, "a.py", kind=kind) == "ask" for kind in (*KINDS[1:4], *KINDS[5:], "", "Reads"))


def test_a_rule_goes_before_it_and_it_holds_in_no_other_mode(work: Path) -> None:
    tool = Tool("t", "Read", "read", locations=(f"{work}/a.py",))
    assert then(judge(rule("ask", kind="read"), folder=str(work)), tool) == "ask"
    assert then(judge(mode="deny", folder=str(work)), tool) == "deny"


names = st.sampled_from(["a.py", "link", "gone", "../secret", "./a.py", "x/../a.py", "", "../../etc/passwd", "/a.py"])


@given(
    kind=st.sampled_from([*KINDS, "", "odd"]),
    locations=st.lists(names, max_size=3),
    raw=st.none() | st.dictionaries(st.sampled_from(["path", "command", "x"]), names, max_size=2),
)
def test_nothing_but_a_certain_look_is_ever_allowed_without_a_rule(
    work: Path, kind: str, locations: list[str], raw: Any
) -> None:
    tool = Tool("t", "T", kind, locations=tuple(f"{work}/{name}" for name in locations), raw_input=raw)
    if judge(folder=str(work)).judge(tool, (ANN,)).then == "allow":
        assert kind in {"read", "search"} and locations and "command" not in (raw or {})
        assert all(name in {"a.py", ""} for name in locations)


rules = st.builds(
    PermissionRule,
    then=st.sampled_from(["allow", "deny", "ask"]),
    kind=st.none() | st.sampled_from(KINDS),
    title=st.sampled_from(["", "T*"]),
    command=st.sampled_from(["", "npm*", "*"]),
    path=st.sampled_from(["", "**", "src/*"]),
    who=st.sampled_from([(), ("1",)]),
)


@given(
    st.lists(rules, max_size=4), st.sampled_from(["ask", "allow", "deny"]), st.lists(rules, max_size=3), st.booleans()
)
def test_what_is_allowed_is_allowed_by_the_first_rule_that_fits_or_the_mode(
    configured: list[PermissionRule], mode: str, session: list[PermissionRule], has_command: bool
) -> None:
    tool = call("execute", title="T", **({"command": "npm x"} if has_command else {}))
    subject = judge(*configured, mode=mode)
    for one in session:
        subject.remember(Standing(ANN, one))
    verdict = subject.judge(tool, (ANN,))
    alone = [judge(one, mode="ask").judge(tool, (ANN,)).why.startswith("rule") for one in configured]
    if any(alone):  # session rules change nothing about what the configuration decides
        assert verdict.then == configured[alone.index(True)].then
    elif mode == "deny":
        assert verdict.then in {"deny", "ask"}


# What holds for a session.


def test_a_sessions_rules_come_after_the_configured_ones_and_can_be_taken_back() -> None:
    subject = judge(rule("ask", kind="delete"))
    everything = Standing(ANN, rule("allow"))
    subject.remember(everything)
    assert then(subject, call("edit")) == "allow" and then(subject, call("delete")) == "ask"
    subject.change(None, (everything,))
    assert then(subject, call("edit")) == "ask" and subject.standing == ()


def test_where_everything_is_denied_a_session_allows_nothing_and_may_ask() -> None:
    subject = judge(mode="deny")
    subject.remember(Standing(ANN, rule("allow")))
    assert then(subject, call()) == "deny"


def test_what_an_agent_remembers_itself_decides_nothing_here_and_the_list_has_an_end() -> None:
    subject = judge()
    for number in range(MOST + 5):
        subject.remember(Standing(ANN, said=f"Always {number}", about="make"))
    assert then(subject, call()) == "ask"
    assert len(subject.standing) == MOST and subject.standing[0].said == "Always 5"


# Which option.


PLAN = (
    PermissionOption("bypassPermissions", "Yes, and bypass permissions", "allow_always"),
    PermissionOption("acceptEdits", "Yes, and auto-accept edits", "allow_always"),
    PermissionOption("default", "Yes, and approve each edit", "allow_once"),
    PermissionOption("plan", "No, keep planning", "reject_once"),
)
MODES = (
    Option("mode", "Mode", "plan", choices=tuple(Choice(one.option_id, one.name) for one in PLAN), category="mode"),
)
RUN = (PermissionOption("ok", "Run it", "allow_once"), PermissionOption("no", "No", "reject_once"))


def taken(verdict: Verdict, options: Any, kind: str = "execute", modes: Any = MODES) -> str | None:
    option = option_for(verdict, Asked(1, ToolChanged("t"), tuple(options)), kind, modes)
    return None if option is None else option.option_id


def test_allowing_never_takes_an_option_that_changes_the_mode_unless_a_rule_says_so() -> None:
    assert taken(Verdict("allow"), RUN) == "ok"
    assert taken(Verdict("allow"), PLAN) is None
    assert taken(Verdict("allow"), PLAN, kind="switch_mode", modes=()) is None
    switching = judge(rule("allow", kind="switch_mode")).judge(call("switch_mode"), (ANN,))
    assert taken(switching, PLAN, kind="switch_mode") == "default"
    named = judge(rule("allow", option="acceptEdits")).judge(call(), (ANN,))
    assert taken(named, PLAN) == "acceptEdits"
    assert taken(Verdict("allow", option="Yes, and bypass*"), PLAN) == "bypassPermissions"


def test_a_rule_that_allows_never_takes_a_rejection_whatever_it_names() -> None:
    assert taken(Verdict("allow", option="*"), PLAN[3:]) is None
    assert taken(Verdict("allow", option="gone"), PLAN) is None


@given(st.permutations(PLAN), st.booleans(), st.sampled_from(KINDS))
def test_no_order_of_the_options_makes_it_change_the_mode(options: Any, known: bool, kind: str) -> None:
    picked = taken(Verdict("allow"), options, kind, MODES if known else ())
    assert picked in ({None} if known or kind == "switch_mode" else {"default"})


def test_a_rule_is_one_line() -> None:
    assert rule_text(rule("allow", kind="execute", command="npm test*", who=("1",))) == (
        "allow execute command npm test* of 1"
    )
    assert rule_text(rule("ask")) == "ask everything"
