from __future__ import annotations

import getpass
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from openab_sync.clock import SystemClock
from openab_sync.core.message import Conversation
from openab_sync.core.port import Limits
from tests.cli.running import PATIENCE
from tests.cli.test_demo import demo
from tests.fakes.platform import FakePlatform
from tests.platforms.web.bed import DEMO, Bed, page
from tests.platforms.web.makers import note
from tests.waiting import MS, until

from .window import Keys, Window

pytestmark = pytest.mark.browser

CHIPS = (("Watch it write", "slow 1"),)


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    with page(tmp_path, command=DEMO, chips=CHIPS) as running:
        yield running


def words(window: Window) -> int:
    return len(window.text("#talk .said").split())


def test_the_page_is_there_at_once_and_says_what_to_try(bed: Bed, window: Window) -> None:
    window.enter(bed)
    assert window.driver.title == "openab-sync"
    assert window.text("#welcome h1") == "Talk to an agent"
    fetched = window.script("return performance.getEntriesByType('resource').map((one) => new URL(one.name).origin)")
    assert set(fetched) == {bed.status.address.url}, "nothing comes from elsewhere"
    window.press("Watch it write")
    window.until_text("slow 1")
    window.until_text("(that took 1 s)")


def test_the_first_command_of_the_readme_is_followed_into_a_browser(tmp_path: Path, window: Window) -> None:
    with demo(tmp_path, "--no-browser", "--cwd", str(tmp_path)) as (process, link):
        window.driver.get(link)
        window.until("#line[data-line=live]")
        window.press("Watch it write")
        seen = until(lambda: words(window))
        until(lambda: words(window) > seen, what="it grows")
        window.press("New conversation")
        window.say("edit")
        window.press("Allow once", "#questions")
        window.until("#talk .tool[data-state=done] .diff .add")
        window.leave()
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0


def test_an_answer_is_seen_as_it_grows(bed: Bed, window: Window) -> None:
    window.enter(bed)
    window.say("slow 3")
    seen = [until(lambda: words(window))]
    for _ in range(3):
        before = seen[-1]
        seen.append(until(lambda before=before: (now := words(window)) > before and now))  # type: ignore[misc]
    assert window.all(".chip[data-state=working]")
    window.until_text("(that took 3 s)")
    window.until("#talk .end")
    until(lambda: "ready" in window.text("#cards"))


def test_a_card_says_who_what_how_long_and_how_much(tmp_path: Path, window: Window) -> None:
    with page(tmp_path) as bed:
        window.enter(bed)
        bed.write("say the last words\nusage\ntool_unfinished\nhang")
        window.until("#cards .chip[data-state=working]")
        bed.write("say later")
        window.until_text("1 waiting", "#cards .card")
        window.until_text("tokens", "#cards .card")
        seen = window.text("#cards .card")
        parts = (
            getpass.getuser(),
            "Fake",
            "Never ends",
            "the last words",
            "1 waiting",
            "1,200 of 200k tokens",
            "$0.25",
        )
        assert [part for part in parts if part not in seen] == [], seen
        until(lambda: re.fullmatch(r"working\s*\d+ s", window.text("#cards .chip")), what="for how long")
        bed.ask("/web/orders", {"conversation": "web:1", "name": "cancel-all"})
        window.until("#cards .chip[data-state=idle]")


def test_a_question_is_answered_on_the_dashboard(bed: Bed, window: Window) -> None:
    window.enter(bed)
    window.say("edit")
    window.until("#questions .ask")
    assert window.driver.title == "(1) openab-sync"
    assert "asks you" in window.text("#cards")
    assert window.one("#questions").rect["y"] < window.one("#cards").rect["y"], "what waits for somebody is on top"
    window.press("Allow once", "#questions")
    window.until("#talk .end")
    window.until_gone("#questions")
    assert "Allow once" in window.text("#talk .ask.settled")
    assert window.all("#talk .tool[data-state=done] .diff .add")


def test_a_question_is_answered_where_it_was_asked(bed: Bed, window: Window) -> None:
    window.enter(bed)
    window.say("ask")
    window.press("Reject", "#talk")
    window.until("#talk .end")
    window.until_gone("#talk .ask button")


def test_two_conversations_work_at_once(bed: Bed, window: Window) -> None:
    window.enter(bed)
    window.say("slow 20")
    until(lambda: words(window))
    window.press("New conversation")
    window.say("echo quick as a fox")
    window.until_text("quick as a fox", "#talk .said")
    window.until("#talk .end")
    states = [chip.text for chip in window.all("#cards .chip")]
    assert len(states) == 2 and states[0].startswith("working") and states[1].startswith("ready")
    window.press("Stop", "#room") if window.one("#stop").is_enabled() else None
    window.all("#cards .card")[0].click()
    window.until_text("slow 20")
    assert words(window) > 1


def test_a_turn_is_stopped(bed: Bed, window: Window) -> None:
    window.enter(bed)
    window.say("slow 30")
    until(lambda: words(window))
    window.press("Stop")
    window.until_text("Stopped", "#talk .end")
    until(lambda: not window.one("#stop").is_enabled())


def test_reset_asks_first_and_then_forgets(bed: Bed, window: Window) -> None:
    window.enter(bed)
    window.say("echo remember me")
    window.until("#talk .end")
    window.press("Reset", "#room")
    window.press("Keep it")
    window.press("Reset", "#room")
    window.press("Reset", "dialog")
    window.until("#talk .notice")
    until(lambda: "asleep" in window.text("#cards"))


def test_a_page_that_is_loaded_again_in_mid_turn_misses_nothing(bed: Bed, window: Window) -> None:
    window.enter(bed)
    window.say("slow 2")
    until(lambda: words(window) > 1)
    before = window.text("#talk .said")
    window.reload()
    window.until_text(before)
    window.until_text("(that took 2 s)")
    window.until("#talk .end")
    assert (len(window.all("#talk .mine")), len(window.all("#talk .said"))) == (1, 1)


def test_a_message_that_waits_can_be_taken_back(bed: Bed, window: Window) -> None:
    window.enter(bed)
    window.say("slow 30")
    until(lambda: words(window))
    window.say("echo not this one")
    window.press("Take back")
    window.until_text("taken back")
    window.press("Stop")
    window.until("#talk .end")
    assert "not this one" not in window.text("#talk .said")


def test_everything_is_done_without_a_mouse(bed: Bed, window: Window) -> None:
    window.enter(bed)
    window.script("document.activeElement.blur()")
    window.keys(Keys.TAB)
    assert window.focus() == "skip"
    window.keys(Keys.ENTER)
    assert window.focus() == "text"
    window.keys("ask", Keys.SHIFT + Keys.ENTER + Keys.NULL, "please", Keys.ENTER)
    window.until("#talk .ask button")
    names = set()
    for _ in range(2):
        window.keys(Keys.TAB)
        names.add(window.focus())
    for _ in range(40):  # backwards from the field: what was said comes before it
        window.keys(Keys.SHIFT + Keys.TAB + Keys.NULL)
        names.add(window.focus())
        if window.focus() == "Allow once":
            break
    window.keys(Keys.ENTER)
    window.until("#talk .end")
    assert {"attach", "send", "text", "Allow once"} <= names
    assert "Allow once" in window.text("#talk .ask.settled")


def test_what_happens_is_said_aloud_and_not_every_word(bed: Bed, window: Window) -> None:
    window.enter(bed)
    window.say("ask")
    window.until_text("The agent asks", "#announcer")
    window.press("Allow once", "#talk")
    window.until_text("Answered", "#announcer")


def test_a_phone_shows_one_thing_at_a_time_and_nothing_sticks_out(tmp_path: Path, window: Window) -> None:
    with page(tmp_path, command=DEMO, chips=CHIPS, agent="An agent whose name is long " * 3) as bed:
        window.resize(360, 740)
        window.enter(bed)
        look_around(window)


def look_around(window: Window) -> None:
    assert fits(window)
    window.press("New conversation")
    window.say("edit then table then code then long 2")
    window.press("Allow once", "#talk")
    window.until("#talk .end")
    assert fits(window)
    assert window.one("#send").rect["y"] < 740
    assert not window.all("#side")
    window.press("← All")
    window.until("#cards .card")
    assert fits(window)
    assert not window.all("main")


def fits(window: Window) -> bool:
    return bool(window.script("return document.documentElement.scrollWidth <= innerWidth && scrollY === 0"))


def test_what_an_agent_writes_can_do_nothing(tmp_path: Path, window: Window) -> None:
    hostile = "<img src=x onerror=alert(1)><script>alert(1)</script> [x](javascript:alert(1)) ![y](https://y.org/y)"
    with page(tmp_path) as bed:
        window.enter(bed)
        window.say(f"say {hostile}")
        window.until("#talk .end")
        assert "onerror" in window.text("#talk .said")
        assert (
            window.script("return document.querySelectorAll('#talk :is(img, script, [onerror], [style])').length") == 0
        )
        links = [link.get_attribute("href") for link in window.all("#talk .said a")]
        assert links == ["https://y.org/y"]


def test_a_conversation_of_another_platform_is_watched_and_stopped(tmp_path: Path, window: Window) -> None:
    port = FakePlatform(SystemClock(), Limits(edit_interval=0.01, controls=True))
    with page(tmp_path, others={"test": port}) as bed:
        window.enter(bed)
        bed.app.broker.receive(note(1, "say hello there\nask\nhang", place=Conversation("test", "9")))
        window.press("Allow once", "#questions")
        window.one("#cards .card").click()
        window.until_text("hello there", "#talk .said")
        assert "on test" in window.text("#elsewhere")
        assert not window.all("#compose")
        until(lambda: window.one("#stop").is_enabled())
        window.press("Stop")
        window.until_text("Stopped", "#talk .end")
    assert port.violations == []


def test_files_are_picked_dropped_and_pasted(bed: Bed, window: Window, tmp_path: Path) -> None:
    picked = tmp_path / "picked.txt"
    picked.write_text("hello from a file")
    window.enter(bed)
    window.driver.find_element("id", "picker").send_keys(str(picked))
    window.until_text("picked.txt", "#files")
    for event, target in (("drop", "main"), ("paste", "#text")):
        window.script(
            """const data = new DataTransfer();
            data.items.add(new File(["hello from " + arguments[0]], arguments[0] + "ed.txt", {type: "text/plain"}));
            const name = arguments[0] === "paste" ? "clipboardData" : "dataTransfer";
            const kind = arguments[0] === "paste" ? ClipboardEvent : DragEvent;
            document.querySelector(arguments[1]).dispatchEvent(
              new kind(arguments[0], {[name]: data, bubbles: true, cancelable: true}));""",
            event,
            target,
        )
    until(lambda: len(window.all("#files li")) == 3)
    window.press("✕", "#files li:last-child")
    window.say("files")
    window.until("#talk .end")
    assert "picked.txt, droped.txt" in window.text("#talk .mine")
    assert "droped.txt" in window.text("#talk .said")
    assert not window.all("#files li")


def test_a_fault_is_seen_until_it_is_said_to_be(bed: Bed, window: Window) -> None:
    window.enter(bed)
    window.say("crash")
    window.until("#faults li")
    window.until("#talk .end[data-how=bad]")
    window.press("Seen")
    window.until_gone("#trouble")
    window.reload()
    window.until("#cards .card")
    assert not window.all("#trouble")


def test_what_has_failed_is_asked_again_with_a_button(bed: Bed, window: Window, tmp_path: Path) -> None:
    window.enter(bed)
    window.say("crash")
    window.press("🔁 Retry", "#talk .end")
    until(lambda: len(window.all("#talk .end[data-how=bad]")) == 2)
    assert [one.text for one in window.all("#talk .mine .text")] == ["crash", "crash"]
    (picked := tmp_path / "picked.txt").write_text("data")
    window.driver.find_element("id", "picker").send_keys(str(picked))
    window.until_text("picked.txt", "#files")
    window.say("crash")
    until(lambda: len(window.all("#talk .end button")) == 3)
    window.script("document.querySelectorAll('#talk .end button')[2].click()")
    window.until_text("Attach the files once more, and send it.", "#problem")
    assert window.one("#text").get_property("value") == "crash"


def test_when_openab_sync_has_gone_the_page_says_so(tmp_path: Path, window: Window) -> None:
    with page(tmp_path) as bed:
        window.enter(bed)
        window.until("#line[data-line=live]")
    window.until("#line[data-line=lost]")
    window.leave()
    gone = [text for text in window.complaints() if "ERR_CONNECTION_REFUSED" not in text]
    assert gone == []


def test_a_page_that_finds_no_free_stream_asks_instead(tmp_path: Path, window: Window) -> None:
    with page(tmp_path, command=DEMO, seats=0) as bed:
        window.enter(bed)
        window.say("echo all the same")
        window.until_text("all the same", "#talk .said")
        window.until("#talk .end")
        window.leave()
    assert all("503" in text for text in window.complaints())


def test_code_is_copied_with_a_button(bed: Bed, window: Window) -> None:
    allowed = {"origin": bed.status.address.url, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    window.driver.execute_cdp_cmd("Browser.grantPermissions", allowed)
    window.enter(bed)
    window.say("code")
    window.until("#talk .end")
    window.one("#talk .code .copy").click()
    window.until_text("Copied", "#talk .code")
    copied = window.wait_for_script("navigator.clipboard.readText().then(arguments[arguments.length - 1])")
    assert copied.startswith("def greet(name: str)")


def test_what_cannot_be_done_is_said(bed: Bed, window: Window) -> None:
    window.enter(bed)
    window.say("ask")
    window.until("#talk .ask button")
    window.script('window.fetch = () => Promise.resolve(new Response(\'{"error": "Too late."}\', {status: 409}))')
    window.press("Allow once", "#talk")
    window.until_text("Too late.", "#problem")
    assert window.all("#talk .ask button")  # it can be tried again


def test_without_a_key_the_page_tells_how_to_get_in(bed: Bed, window: Window) -> None:
    window.driver.get(bed.status.address.url)
    window.until_text("This page opens with a link", "#locked")
    assert not window.all("#compose, #welcome")
    assert all("401" in text for text in window.complaints())


def test_the_theme_is_the_systems_or_what_was_chosen(bed: Bed, window: Window) -> None:
    def paper() -> str:
        return str(window.script("return getComputedStyle(document.body).backgroundColor"))

    window.prefer("dark")
    window.enter(bed)
    dark = paper()
    window.prefer("light")
    light = paper()
    assert dark != light
    window.press("Theme: auto")
    window.press("Theme: light")
    until(lambda: paper() == dark, 2000 * MS)
    window.reload()
    assert paper() == dark
