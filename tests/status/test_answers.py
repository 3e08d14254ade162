"""Answers in one shape."""

from __future__ import annotations

from openab_sync.core.presence import Presence
from openab_sync.status.answers import HEADERS, refuse, reply


def test_plain_data_becomes_json() -> None:
    answer = reply({"one": Presence("test"), "more": (1, None)}, 202)
    assert (answer.status_code, answer.mimetype) == (202, "application/json")
    assert answer.json["more"] == [1, None]  # type: ignore[index]  # it is an object
    assert answer.json["one"]["platform"] == "test"  # type: ignore[index]


def test_an_error_is_one_sentence_and_says_how_to_show_a_token() -> None:
    assert refuse(404, "There is none.").json == {"error": "There is none."}
    assert "WWW-Authenticate" in refuse(401, "No.").headers


def test_nothing_foreign_may_be_loaded_and_nobody_may_frame_it() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "http:" not in policy and "unsafe" not in policy
