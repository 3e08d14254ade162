"""The way in for a browser."""

from __future__ import annotations

from tests.status.scene import KEY, Scene


def test_a_link_sets_a_cookie_that_scripts_and_other_sites_do_not_get() -> None:
    scene = Scene.make()
    path = scene.guard.make_link().removeprefix("http://127.0.0.1:8787")
    answer = scene.get(path)
    cookie = answer.headers["Set-Cookie"]
    assert answer.status_code == 200 and "url=/" in answer.text
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and cookie.startswith("openab_sync_8787=")
    second = scene.get(path)
    assert second.status_code == 403 and "status --link" in second.text


def test_who_has_the_token_makes_links() -> None:
    scene = Scene.make()
    assert scene.ask("POST", "/api/link").status_code == 401
    made = scene.ask("POST", "/api/link", **KEY)
    assert made.status_code == 201 and made.json is not None
    assert scene.get(made.json["url"].removeprefix("http://127.0.0.1:8787")).status_code == 200


def test_where_there_is_no_page_no_link_is_made() -> None:
    answer = Scene.make(has_page=False).ask("POST", "/api/link", **KEY)
    assert (answer.status_code, answer.json) == (404, {"error": "There is no page here: [status] page is false."})


def test_a_page_is_told_what_its_changes_carry_and_a_program_needs_nothing() -> None:
    scene = Scene.make()
    assert scene.get("/api/me", **KEY).json == {"changes": ""}
    assert len(scene.enter()) == 64
