"""Sessions over HTTP: fixation, replay, the lock in place, roles taken away, and one's other sessions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi import Depends
from starlette.responses import PlainTextResponse

from callback.accounts import sessions, users
from callback.accounts.change import Change
from callback.accounts.sessions import FRESH, IDLE, LONGEST
from callback.store import tables as t
from callback.web.console.gate import Needs
from callback.web.console.visit import Visit
from tests.callback.accounts.people import change
from tests.callback.web.console.clients import PASSWORD, Browser, Desk
from tests.callback.world import MINUTE

NO_SCRIPT = {"Sec-Fetch-Mode": "navigate"}
SCRIPT = {"Sec-Fetch-Mode": "cors", "X-Fragment": "1"}


def is_in(browser: Browser) -> bool:
    return bool(browser.get("/account").status_code == 200)


def test_a_cookie_that_was_there_before_is_not_the_session(desk: Desk) -> None:
    """Whoever plants a cookie in a browser does not know the session that begins in it."""
    desk.person("anna")
    planted = "planted-by-somebody-else"
    victim, attacker = desk.browser(), desk.browser()
    for browser in (victim, attacker):
        browser.cookies.set("lcr", planted, domain="127.0.0.1", path="/")
    victim.sign_in("anna")
    assert is_in(victim)
    assert planted not in [cookie.value for cookie in victim.cookies.jar if cookie.name == "lcr" and cookie.value]
    assert not is_in(attacker)


def test_signing_in_again_ends_the_session_that_the_browser_had(desk: Desk) -> None:
    browser, thief = desk.member("anna"), desk.browser()
    thief.cookies.set("lcr", browser.cookies["lcr"])
    assert is_in(thief)
    browser.sign_in("anna")
    assert is_in(browser)
    assert not is_in(thief)


def test_a_cookie_is_worth_nothing_after_signing_out(desk: Desk) -> None:
    browser, replay = desk.member("anna"), desk.browser()
    replay.cookies.set("lcr", browser.cookies["lcr"])
    answer = browser.act("/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert answer.headers["clear-site-data"] == '"storage"'
    assert "lcr" not in browser.cookies
    assert not is_in(replay)
    assert desk.world.rows(t.login_session) == []
    assert desk.world.rows(t.audit)[-1].action == "signed-out"


@pytest.mark.parametrize("cookie", ["", "x", "a" * 4000, "' OR 1=1 --", "../..", "%00"])
def test_no_other_cookie_opens_anything(sqlite_desk: Desk, cookie: str) -> None:
    sqlite_desk.member("anna")
    browser = sqlite_desk.browser()
    assert browser.get("/account", headers={"Cookie": f"lcr={cookie}"}).status_code == 303


def test_the_other_sessions_are_ended_or_all(desk: Desk) -> None:
    first, second, third = browsers = [desk.member("anna") for _ in range(3)]
    assert "2 other places" in first.get("/account").text
    assert "2 other sessions were ended" in first.act("/sign-out-others").text
    assert [is_in(browser) for browser in browsers] == [True, False, False]
    second.sign_in("anna")
    first.act("/sign-out-everywhere")
    assert [is_in(browser) for browser in browsers] == [False, False, False]
    assert third.get("/account").headers["location"] == "/sign-in?to=%2Faccount"


def test_after_an_hour_the_page_is_locked_in_place_and_the_password_brings_it_back(desk: Desk) -> None:
    browser = desk.member("anna")
    csrf, token = browser.csrf(), browser.cookies["lcr"]
    desk.now += IDLE
    page = browser.get("/account?x=1")
    assert (page.status_code, "Nobody did anything here" in page.text) == (401, True)
    assert 'value="/account?x=1"' in page.text
    for script in (browser.get("/account", headers=SCRIPT), browser.post("/session", headers=SCRIPT)):
        assert (script.status_code, script.headers["x-session"], script.text) == (401, "locked", "")
    form = {"csrf": csrf, "to": "/account?x=1"}
    wrong = browser.post("/unlock", data={**form, "password": "wrong"})
    assert (wrong.status_code, "not right" in wrong.text, "Nobody did anything" in wrong.text) == (401, True, True)
    assert browser.get("/account").status_code == 401
    forged = browser.post("/unlock", data={"password": PASSWORD, "csrf": "x"})
    assert forged.status_code == 403
    right = browser.post("/unlock", data={**form, "password": PASSWORD})
    assert (right.status_code, right.headers["location"]) == (303, "/account?x=1")
    assert is_in(browser)
    assert browser.cookies["lcr"] == token
    assert browser.post("/session", data={"csrf": csrf}).status_code == 204  # forms of the page that stayed are good


def test_a_script_unlocks_without_leaving_the_page(desk: Desk) -> None:
    browser = desk.member("anna")
    csrf = browser.csrf()
    desk.now += IDLE
    wrong = browser.post("/unlock", data={"csrf": csrf, "password": "wrong"}, headers=SCRIPT)
    assert (wrong.status_code, wrong.text) == (401, "")
    right = browser.post("/unlock", data={"csrf": csrf, "password": PASSWORD}, headers=SCRIPT)
    assert (right.status_code, right.text) == (204, "")
    assert is_in(browser)


def test_failures_at_the_lock_wait_as_those_at_the_door(sqlite_desk: Desk) -> None:
    browser = sqlite_desk.member("anna")
    csrf = browser.csrf()
    sqlite_desk.now += IDLE
    for _ in range(6):
        browser.post("/unlock", data={"csrf": csrf, "password": "wrong"})
    assert sqlite_desk.waited == [1, 2, 4]


def test_what_a_page_does_by_itself_does_not_keep_a_session_open(desk: Desk) -> None:
    browser = desk.member("anna")
    for _ in range(6):
        desk.now += 10 * MINUTE
        answer = browser.get("/account", headers={"Sec-Fetch-Mode": "cors"})
    assert (answer.status_code, answer.headers["x-session"]) == (401, "locked")


def test_what_a_person_does_keeps_it_open_until_it_is_twelve_hours_old(desk: Desk) -> None:
    browser = desk.member("anna")
    csrf = browser.csrf()
    begun = desk.now
    while desk.now + 30 * MINUTE < begun + LONGEST:
        desk.now += 30 * MINUTE
        assert browser.post("/session", data={"csrf": csrf}).status_code == 204
    desk.now = begun + LONGEST
    assert browser.get("/account").headers["location"] == "/sign-in?to=%2Faccount"
    assert browser.get("/session", headers=SCRIPT).headers["x-session"] == "none"


def test_another_role_another_group_or_a_lock_end_what_is_open(desk: Desk) -> None:
    desk.person("root", "administrator")
    acts: list[Callable[[Change, str], object]] = [
        lambda work, name: users.change_roles(work, name, frozenset({"auditor"})),
        lambda work, name: users.change_groups(work, name, frozenset({"sales"})),
        users.reset,
        users.lock,
    ]
    for number, act in enumerate(acts):
        name = f"anna{number}"
        browser = desk.member(name, "supervisor")
        key = sessions.hashed(browser.cookies["lcr"])
        with desk.world.store.write() as connection:
            assert sessions.alive(connection, [key], desk.now) == {key}
            act(change(connection), name)
            assert sessions.alive(connection, [key], desk.now) == set()
        assert browser.get("/account").status_code == 303


def test_what_needs_the_password_again_asks_for_it(desk: Desk) -> None:
    proved = Depends(Needs("account", proved=True))

    def erase(_visit: Visit = proved) -> PlainTextResponse:
        return PlainTextResponse("erased")

    desk.app.add_api_route("/erase", erase, methods=["GET", "POST"])
    browser = desk.member("anna")
    assert browser.get("/erase").text == "erased"
    desk.now += FRESH
    answer = browser.get("/erase")
    assert (answer.status_code, answer.headers["location"]) == (303, "/prove?to=%2Ferase")
    assert browser.get("/erase", headers=SCRIPT).headers["x-session"] == "prove"
    csrf = browser.csrf("/prove?to=/erase")
    assert "once more" in browser.get("/prove?to=/erase").text
    assert browser.post("/erase", data={"csrf": csrf}).status_code == 303
    answer = browser.post("/unlock", data={"csrf": csrf, "password": PASSWORD, "to": "/erase"})
    assert answer.headers["location"] == "/erase"
    assert browser.get("/erase").text == "erased"
