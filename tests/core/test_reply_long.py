"""reply.py: what is too long for a chat: very long answers, long code, long diffs, large files."""

from __future__ import annotations

import base64

import pytest

from openab_sync.acp import events as acp
from openab_sync.core.drawing import Drawing
from openab_sync.core.port import Limits
from openab_sync.errors import ChatRefused, ChatTimeout
from openab_sync.text.split import split
from tests.core.scene import CONVERSATION, Scene, tool

CODE = "".join(f"line {number}\n" for number in range(40))


def lines(first: int, last: int) -> str:
    return "".join(f"line number {number}\n" for number in range(first, last))


def files(scene: Scene) -> list[tuple[str, str]]:
    return [(file.name, file.data.decode()) for file in scene.platform.files(CONVERSATION)]


# ---- very long answers ----


def long_scene() -> Scene:
    return Scene(Limits(page=200, max_pages=3))


def test_a_very_long_answer_is_its_head_its_tail_and_a_file() -> None:
    scene = long_scene()
    for number in range(200):
        scene.say(lines(number, number + 1))
        scene.go(0.2)
        assert len(scene.texts) <= 3
    assert "characters so far" in scene.texts[2]
    scene.go(1.2)
    assert scene.texts[2].endswith("line number 199")
    scene.end(footer="f")
    scene.go(5)
    assert scene.texts[:2] == split(lines(0, 200), 200)[:2]
    assert scene.texts[2].endswith("line number 199\n\n*f*")
    assert files(scene) == [("answer.md", lines(0, 200) + "\n*f*")]
    assert [message.file is not None for message in scene.platform.messages(CONVERSATION)] == [False] * 3 + [True]
    assert scene.settled()
    assert scene.platform.violations == []


def test_pages_that_are_finished_are_not_touched_by_what_follows() -> None:
    scene = long_scene()
    scene.say(lines(0, 20))
    scene.go(2)
    before = [message.edits for message in scene.platform.messages(CONVERSATION)][:1]
    scene.say(lines(20, 200))
    scene.go(2)
    scene.end()
    scene.go(2)
    assert [message.edits for message in scene.platform.messages(CONVERSATION)][:1] == before
    assert scene.texts[0] == split(lines(0, 200), 200)[0]


def test_what_comes_after_the_end_of_a_very_long_answer_stands_below_it() -> None:
    scene = long_scene()
    scene.say(lines(0, 100))
    scene.end(footer="f")
    scene.say("And ")
    scene.say("late.")
    scene.go(5)
    assert scene.texts[3:] == ["And late."]
    assert len(files(scene)) == 1
    assert scene.settled()
    assert scene.platform.violations == []


def test_a_very_long_answer_that_is_posted_once_is_bounded_too() -> None:
    scene = Scene(Limits(page=200, max_pages=3, live="once"))
    scene.say(lines(0, 100))
    scene.end()
    assert len(scene.texts) == 3
    assert files(scene) == [("answer.md", lines(0, 100))]


def test_a_whole_answer_that_is_too_large_goes_in_parts() -> None:
    scene = Scene(Limits(page=200, max_pages=2, file_size=1000))
    scene.say(lines(0, 100))
    scene.end()
    scene.go(2)
    assert [name for name, _ in files(scene)] == ["answer-1.md", "answer-2.md"]
    assert "".join(text for _, text in files(scene)) == lines(0, 100)
    assert scene.platform.violations == []


def test_a_file_whose_acknowledgement_is_lost_is_there_once() -> None:
    scene = long_scene()
    scene.say(lines(0, 100))
    scene.platform.fail_next(ChatTimeout("lost"), what="upload", half_done=True)
    scene.end()
    scene.go(2)
    assert len(files(scene)) == 1
    assert scene.reply.failure is None


def test_without_the_file_the_reply_is_no_success() -> None:
    """FIELD E15."""
    scene = long_scene()
    scene.say(lines(0, 100))
    scene.platform.fail_next(ChatRefused("no"), what="upload")
    scene.end()
    scene.go(2)
    assert isinstance(scene.reply.failure, ChatRefused)
    assert "A file of my answer could not be delivered" in scene.texts[-1]


# ---- code ----


def test_long_code_is_a_file_below_the_page_that_names_it() -> None:
    scene = Scene(Limits(page=200))
    scene.say("Look:\n```python\n")
    for line in CODE.splitlines(keepends=True):
        scene.say(line)
        scene.go(0.5)
    scene.go(1.2)
    head = "".join(f"line {number}\n" for number in range(9))
    assert scene.texts == [f"Look:\n```python\n{head}```\n📎 code-1.py (40 lines so far)"]
    scene.say("```\nThat is all.")
    scene.end()
    assert scene.texts[0].endswith("```\n📎 code-1.py (40 lines)\nThat is all.")
    assert files(scene) == [("code-1.py", CODE)]
    assert scene.platform.violations == []


def test_code_that_its_agent_left_open_when_it_died_is_sent() -> None:
    scene = Scene(Limits(page=200))
    scene.say(f"```\n{CODE}")
    scene.end("gone", "killed")
    assert "📎 code-1.txt (40 lines)\n\n> ⚠️ " in scene.texts[0]
    assert files(scene) == [("code-1.txt", CODE)]


# ---- diffs ----


def test_a_long_diff_is_sent_when_its_call_has_ended() -> None:
    scene = Scene()
    change = acp.Diff("src/my_module.py", "old\n", lines(0, 60))
    scene.take(acp.ToolChanged("1", title="Edit", status="in_progress", content=(change,)))
    scene.go(5)
    assert scene.texts[0].endswith("```\n… (64 lines)")
    assert files(scene) == []
    scene.take(tool("1", status="completed"))
    scene.say("Done.")
    scene.end()
    assert "📎 `my_module.py.diff` (64 lines)\n\nDone." in scene.texts[0]
    ((name, text),) = files(scene)
    assert (name, text.count("\n+line number")) == ("my_module.py.diff", 60)


# ---- files ----


def test_a_file_that_is_too_large_is_told_with_its_size() -> None:
    scene = Scene(Limits(file_size=10 * 1024 * 1024))
    data = base64.b64encode(bytes(11 * 1024 * 1024)).decode()
    scene.take(acp.Media("resource", "application/zip", uri="file:///tmp/all.zip", data=data))
    scene.end()
    scene.go(2)
    assert "> The file all.zip has 11.0 MiB, files here may have 10.0 MiB: it was not sent." in scene.texts[0]
    assert files(scene) == []
    assert scene.reply.failure is None
    assert scene.platform.violations == []


# ---- thoughts ----


@pytest.mark.parametrize("live", ["edit", "once"])
def test_thoughts_are_hidden_where_that_is_possible(live: str) -> None:
    scene = Scene(Limits(spoilers=True, live="edit" if live == "edit" else "once"), Drawing(thoughts=True))
    scene.take(acp.Thought("Is `a` || **b"))
    scene.say("Yes.")
    scene.end()
    assert scene.texts == ["||💭 Is ˋa` ││ \\*\\*b||\n\nYes.".replace("`", "ˋ")]


def test_many_thoughts_are_hidden_on_every_page() -> None:
    scene = Scene(Limits(page=300, spoilers=True), Drawing(thoughts=True))
    for number in range(100):
        scene.take(acp.Thought(f"thought {number}\n" + "\n" * (number % 3)))
        scene.go(0.5)
    scene.say("Done.")
    scene.end()
    scene.go(5)
    assert len(scene.texts) > 3
    for page in scene.texts:
        assert page.count("||") % 2 == 0
        assert page.startswith("||")
    assert all(f"thought {number}" in "\n".join(scene.texts) for number in range(100))


def test_thoughts_are_quoted_elsewhere() -> None:
    scene = Scene(drawing=Drawing(thoughts=True))
    scene.take(acp.Thought("hm"))
    scene.say("Yes.")
    scene.end()
    assert scene.texts == ["> 💭 hm\n\nYes."]
