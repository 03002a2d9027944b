"""What stands around every answer, whatever became of it; other hosts get none."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from callback.web.console.gate import Anybody
from callback.web.console.headers import POLICY
from tests.callback.web.console.clients import PUBLIC, Desk

ALWAYS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


def has_all(answer: Any, cache: str = "no-store") -> bool:
    wrong = {name: answer.headers.get(name) for name, value in ALWAYS.items() if answer.headers.get(name) != value}
    assert not wrong
    assert "camera=()" in answer.headers["permissions-policy"]
    assert "access-control-allow-origin" not in answer.headers
    return bool(answer.headers["cache-control"] == cache)


def fail(desk: Desk, error: Exception) -> None:
    """Add a page that fails."""

    def failing(_console: Anybody) -> None:
        raise error

    desk.app.add_api_route("/failing", failing)


def test_every_answer_has_the_headers(sqlite_desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    fail(sqlite_desk, ZeroDivisionError("a number: +819012345678"))
    browser = sqlite_desk.member("anna")
    for path, status in (
        ("/sign-in", 303),
        ("/account", 200),
        ("/healthz", 200),
        ("/no-such", 404),
        ("/static/none/console.css", 404),
        ("/failing", 500),
    ):
        answer = browser.get(path)
        assert (answer.status_code, has_all(answer)) == (status, True), path
    assert has_all(browser.post("/sign-out-others", data={}))
    assert has_all(browser.post("/account"))
    told = browser.get("/failing").text
    failed = [record for record in caplog.records if record.exc_info]
    assert failed[-1].getMessage().removeprefix("request ")[:12] in told
    assert "81901234" not in told
    caplog.clear()


def test_static_files_are_kept_for_ever_by_their_hash(sqlite_desk: Desk) -> None:
    digest = sqlite_desk.app.state.console.pages.digest
    answer = sqlite_desk.browser().get(f"/static/{digest}/console.css")
    assert answer.status_code == 200
    assert has_all(answer, "public, max-age=31536000, immutable")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8090", "127.0.0.1.evil.example", "", "192.0.2.7:8090", "console.example.org"]
)
def test_another_host_is_answered_nothing(sqlite_desk: Desk, host: str) -> None:
    """A name of somebody else's that is resolved to this machine would be another site for the browser."""
    browser = sqlite_desk.member("anna")
    answer = browser.get("/account", headers={"Host": host})
    assert (answer.status_code, "anna" in answer.text, has_all(answer)) == (421, False, True)


@pytest.mark.parametrize("forwarded", ["X-Forwarded-Host", "Forwarded", "X-Host", "X-Original-Host"])
def test_no_header_says_another_host(public_desk: Desk, forwarded: str) -> None:
    browser = public_desk.browser()
    assert (
        browser.get("/sign-in", headers={"Host": "evil.example", forwarded: "console.example.org"}).status_code == 421
    )
    answer = browser.get("/account", headers={forwarded: "evil.example"})
    assert "evil" not in answer.headers["location"]


def test_by_https_the_cookie_and_the_browser_know_no_other_way(public_desk: Desk) -> None:
    public_desk.person("anna")
    browser = public_desk.browser()
    answer = browser.sign_in("anna")
    (cookie,) = answer.headers.get_list("set-cookie")
    parts = {part.strip().partition("=")[0].lower(): part.strip().partition("=")[2] for part in cookie.split(";")}
    assert cookie.startswith("__Host-lcr=")
    assert {"secure", "httponly"} <= parts.keys()
    assert "domain" not in parts
    assert (parts["path"], parts["samesite"], parts["max-age"]) == ("/", "lax", "43200")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert browser.get("/account").status_code == 200
    assert public_desk.url == PUBLIC


def test_on_this_machine_the_cookie_needs_no_certificate(sqlite_desk: Desk) -> None:
    sqlite_desk.person("anna")
    answer = sqlite_desk.browser().sign_in("anna")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("lcr=")
    assert ("HttpOnly" in cookie, "Secure" in cookie, "SameSite=lax" in cookie) == (True, False, True)
    assert "strict-transport-security" not in answer.headers


def test_a_failure_leaves_no_number_in_what_is_answered(sqlite_desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    fail(sqlite_desk, RuntimeError("09012345678"))
    answer = sqlite_desk.browser().get("/failing")
    assert (answer.status_code, "09012345678" in answer.text) == (500, False)
