"""The site: every route behind the guard, every error a sentence, every answer with its headers."""

from __future__ import annotations

import logging

import pytest
from flask import Blueprint

from openab_sync.status.answers import HEADERS
from openab_sync.status.guard import CHANGES_HEADER
from openab_sync.status.site import BODY, caller
from tests.status.scene import ANYWHERE, KEY, Scene


def pages() -> Blueprint:
    """Routes of somebody else, who has noted nothing about them."""
    found = Blueprint("others", __name__)

    @found.get("/look")
    def look() -> dict[str, bool]:
        return {"key": caller().has_key}

    @found.post("/change")
    def change() -> dict[str, str]:
        return {"visit": caller().visit}

    @found.get("/break")
    def stumble() -> str:
        raise ValueError("a bug")

    return found


def test_routes_of_others_are_behind_the_guard_without_a_word() -> None:
    scene = Scene.make(blueprints=[pages()])
    assert [scene.get("/look").status_code, scene.ask("POST", "/change").status_code] == [401, 401]
    assert scene.get("/look", **KEY).json == {"key": True}
    assert scene.ask("POST", "/change", **KEY).json == {"visit": ""}


def test_a_browser_looks_with_its_cookie_and_changes_with_its_token() -> None:
    scene = Scene.make(blueprints=[pages()])
    token = scene.enter()
    assert scene.get("/look").status_code == 200
    assert scene.ask("POST", "/change").status_code == 403
    answer = scene.ask("POST", "/change", **{CHANGES_HEADER: token})
    assert answer.json is not None and answer.json["visit"]


def test_every_answer_is_careful() -> None:
    scene = Scene.make(blueprints=[pages()])
    for path in ("/healthz", "/look", "/nowhere", "/enter/x"):
        answer = scene.get(path)
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        assert not [name for name, _ in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [("GET", "/nowhere", 404), ("DELETE", "/healthz", 405), ("OPTIONS", "/healthz", 405), ("GET", "/enter/used", 403)],
)
def test_an_error_is_a_sentence(method: str, path: str, code: int) -> None:
    answer = Scene.make().ask(method, path)
    assert (answer.status_code, answer.mimetype) == (code, "application/json")
    assert answer.json is not None and list(answer.json) == ["error"]
    assert ("Allow" in answer.headers) == (code == 405)


def test_a_bug_is_logged_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        answer = Scene.make(blueprints=[pages()]).get("/break", **KEY)
    assert answer.status_code == 500
    assert "a bug" not in answer.text and "a bug" in caplog.text


def test_a_body_that_is_too_large_is_not_read() -> None:
    scene = Scene.make(blueprints=[pages()])
    answer = scene.client.post("/change", data=b"x" * (BODY + 1), headers={"Host": "localhost", **KEY})
    assert answer.status_code in {200, 413}  # a route that reads nothing is not hurt by it


def test_a_foreign_name_gets_no_answer_anywhere() -> None:
    scene = Scene.make(blueprints=[pages()])
    assert {scene.get(path, Host="evil.example", **KEY).status_code for path in ("/healthz", "/look", "/no")} == {421}


def test_where_others_can_come_in_only_health_is_told_without_a_key() -> None:
    scene = Scene.make(address=ANYWHERE, blueprints=[pages()])
    codes = {path: scene.get(path).status_code for path in ("/healthz", "/readyz", "/look", "/nowhere")}
    assert codes == {"/healthz": 200, "/readyz": 200, "/look": 401, "/nowhere": 401}
    assert scene.get("/look").headers["WWW-Authenticate"].startswith("Bearer")
