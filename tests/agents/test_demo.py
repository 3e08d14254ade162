"""The demo agent as a real process: the handshake and every word of a prompt."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import pytest
from acp import schema

from openab_sync.agents.demo_words import WORDS
from tests.agents.client import ROOT, Json
from tests.agents.demo_client import Demo

# ---- the handshake ----


def test_the_handshake_offers_what_the_agent_serves(demo: Demo) -> None:
    answer = schema.InitializeResponse.model_validate(demo.hello)
    assert answer.protocol_version == 1
    assert demo.hello["agentCapabilities"]["loadSession"] is True
    assert set(demo.hello["agentCapabilities"]["sessionCapabilities"]) == {"list", "resume", "close"}
    assert demo.hello["agentCapabilities"]["promptCapabilities"]["image"] is True
    assert demo.hello["authMethods"] == []


def test_a_new_session_offers_modes_options_and_commands(demo: Demo) -> None:
    told = demo.call("session/new", {"cwd": "/", "mcpServers": []})
    result = told.answer["result"]
    schema.NewSessionResponse.model_validate(result)
    assert result["modes"]["currentModeId"] == "ask"
    assert [(option["id"], option["type"]) for option in result["configOptions"]] == [
        ("mode", "select"),
        ("model", "select"),
        ("verbose", "boolean"),
    ]
    commands = demo.until_update("available_commands_update")["availableCommands"]
    assert "help" in [command["name"] for command in commands]


def test_nothing_heavy_is_imported_so_that_the_agent_starts_fast() -> None:
    code = "import sys; old = set(sys.modules); import openab_sync.agents.demo; print(*set(sys.modules) - old)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"asyncio", "msgspec", "subprocess", "socket", "dataclasses"} & set(loaded.stdout.split())


# ---- words ----


def test_everything_that_any_word_sends_is_valid_for_the_official_schema(demo: Demo) -> None:
    demo.call("session/set_mode", {"sessionId": demo.session, "modeId": "auto"})
    for word in WORDS.keys() - {"ask", "hang", "crash", "error", "late", "slow", "silent", "flood"}:
        demo.say(word)
    demo.say("slow 0.05 then silent 0.02 and flood 3, please")
    for update in demo.updates:
        schema.SessionNotification.model_validate({"sessionId": demo.session, "update": update})


def test_help_lists_every_word(demo: Demo) -> None:
    told = demo.say("/help")
    assert told.stop == "end_turn"
    assert all(f"`{name}" in told.text for name in WORDS)
    assert "`slow N`" in told.text


def test_anything_else_is_quoted_in_a_stream_that_mentions_help(demo: Demo) -> None:
    told = demo.say("plan a trip\nto the sea")
    assert "> plan a trip\n> to the sea\n" in told.text
    assert "`help`" in told.text
    assert len(told.of("agent_message_chunk")) > 5


def test_a_very_long_prompt_is_quoted_in_part(demo: Demo) -> None:
    told = demo.say("é" * 100_000)
    assert "(100000 characters in all)" in told.text
    assert len(told.text) < 6000


def test_several_words_in_one_prompt_are_done_in_order(demo: Demo) -> None:
    told = demo.say("code then long 1.\nTABLE, recall")
    text = told.text
    assert text.index("```python") < text.index("Paragraph 1") < text.index("|---") < text.index("You said")


def test_slow_streams_for_its_decimal_seconds(demo: Demo) -> None:
    told = demo.say("slow 0.05")
    assert "(that took 0.05 s)" in told.text
    assert len(told.of("agent_message_chunk")) == 4


def test_flood_sends_exactly_as_many_lines_as_asked(demo: Demo) -> None:
    told = demo.say("flood 5000")
    assert told.text == "".join(f"flood line {n} of 5000\n" for n in range(1, 5001))


def test_long_sends_paragraphs(demo: Demo) -> None:
    assert demo.say("long 3").text.count("\n\n") == 3


def test_silent_is_one_tool_that_says_nothing_in_between(demo: Demo) -> None:
    told = demo.say("silent 0.02")
    assert told.kinds[:3] == ["tool_call", "tool_call_update", "agent_message_chunk"]
    assert told.of("tool_call_update")[0]["status"] == "completed"


def test_think_sends_thoughts_and_an_answer(demo: Demo) -> None:
    told = demo.say("think")
    assert len(told.of("agent_thought_chunk")) == 3
    assert told.text == "I have thought about it.\n"


def test_plan_progresses_to_all_completed(demo: Demo) -> None:
    plans = [[entry["status"] for entry in plan["entries"]] for plan in demo.say("plan").of("plan")]
    assert plans[0] == ["in_progress", "pending", "pending"]
    assert plans[-1] == ["completed"] * 3
    assert len(plans) == 4


def test_tool_reads_a_file_of_the_session(demo: Demo) -> None:
    told = demo.say("tool")
    call = told.of("tool_call")[0]
    assert (call["kind"], call["locations"][0]["path"]) == ("read", "/srv/work/README")
    assert told.of("tool_call_update")[0]["toolCallId"] == call["toolCallId"]


def test_fail_is_a_tool_that_failed(demo: Demo) -> None:
    assert demo.say("fail").of("tool_call_update")[0]["status"] == "failed"


def test_image_is_a_png(demo: Demo) -> None:
    chunk = demo.say("image").of("agent_message_chunk")[0]["content"]
    assert chunk["mimeType"] == "image/png"
    assert base64.b64decode(chunk["data"], validate=True).startswith(b"\x89PNG\r\n\x1a\n")


def test_table_and_code_are_markdown(demo: Demo) -> None:
    assert demo.say("table").text.startswith("| word | takes |")
    code = demo.say("code").text
    assert code.startswith("```python\n")
    assert code.endswith("```\n")


def test_empty_ends_the_turn_with_nothing_at_all(demo: Demo) -> None:
    told = demo.say("empty")
    assert (told.stop, told.updates) == ("end_turn", [])


def test_refuse_stops_with_a_refusal(demo: Demo) -> None:
    assert demo.say("refuse").stop == "refusal"


def test_error_is_an_error_with_details(demo: Demo) -> None:
    error = demo.say("error").answer["error"]
    assert error["code"] == -32603
    assert error["data"] == {"details": "the demo agent was asked to fail"}
    assert demo.say("echo still here").text == "still here\n"


def test_crash_dies_in_mid_turn_after_what_it_said(demo: Demo) -> None:
    demo.start(demo.session, "long 20 crash")
    demo.until_text("Paragraph 20")
    demo.until_text("about to crash")
    with pytest.raises(EOFError):
        demo.receive()
    assert demo.process.wait(10) == 70
    assert "crashing, as the prompt asked" in demo.stderr()


def test_late_text_comes_after_the_answer_with_the_message_id_of_its_turn(demo: Demo) -> None:
    told = demo.say("late 0.02")
    late = demo.until_update("agent_message_chunk")
    assert told.stop == "end_turn"
    assert late["content"]["text"] == "This came after the answer.\n"
    assert late["messageId"] == told.of("agent_message_chunk")[0]["messageId"]


def test_echo_and_title_take_the_rest_of_the_line(demo: Demo) -> None:
    told = demo.say("/echo hang crash\ntitle  A slow  day")
    assert told.text.startswith("hang crash\n")
    assert told.of("session_info_update")[0]["title"] == "A slow day"
    assert "needs a title" in demo.say("title").text


def test_the_first_prompt_gives_the_title_and_later_ones_do_not(demo: Demo) -> None:
    first = demo.say("echo " + "word " * 20)
    assert first.of("session_info_update")[0]["title"] == "echo word word word word word word word "[:40]
    assert demo.say("code").of("session_info_update") == []


def test_every_turn_tells_how_full_the_window_is(demo: Demo) -> None:
    first = demo.say("long 5").of("usage_update")[0]
    second = demo.say("long 5").of("usage_update")[0]
    assert 0 < first["used"] < second["used"] < first["size"] == 8000
    assert f"of {first['size']} tokens" in demo.say("usage").text


def test_env_lists_names_and_never_values(tmp_path: Path) -> None:
    with Demo(tmp_path, DEMO_SECRET="hunter2").open() as demo:
        text = demo.say("env").text
    assert "- DEMO_SECRET\n" in text
    assert "hunter2" not in text


def test_cwd_tells_where_the_session_works(demo: Demo) -> None:
    assert f"works in /srv/work, my process in {ROOT}" in demo.say("cwd").text


def test_mcp_lists_the_servers_by_name(demo: Demo) -> None:
    demo.session = demo.new(servers=[{"name": "search", "command": "x", "args": [], "env": []}])
    assert demo.say("mcp").text.endswith("- search\n")
    demo.session = demo.new()
    assert demo.say("mcp").text.endswith("- nothing\n")


BLOCKS: list[Json] = [
    {"type": "text", "text": '<sender_context>\n{"sender": "ann"}\n</sender_context>\n\nfiles'},
    {"type": "resource_link", "name": "a.txt", "uri": "file:///a.txt"},
    {"type": "resource", "resource": {"uri": "file:///b", "text": "12345"}},
    {"type": "resource", "resource": {"uri": "file:///c", "blob": "QUJD"}},
    {"type": "image", "mimeType": "image/png", "data": "QUJD"},
    {"type": "text", "text": "an inlined file"},
]


def test_files_tells_what_came_and_a_note_about_the_sender_is_no_part_of_it(demo: Demo) -> None:
    lines = demo.prompt(demo.session, BLOCKS).text.splitlines()
    assert lines[1:] == [
        "- link a.txt: file:///a.txt",
        "- resource file:///b: text of 5 characters",
        "- resource file:///c: 3 bytes",
        "- image image/png: 3 bytes",
        "- text of 15 characters",
    ]


def test_a_friendly_answer_mentions_what_came_with_the_prompt(demo: Demo) -> None:
    text = demo.prompt(demo.session, [{"type": "text", "text": "look"}, BLOCKS[1]]).text
    assert "> look\n" in text
    assert "- link a.txt" in text
