"""Signing in: who may, how long a try waits, what a one-time password opens, and what is left in the audit."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import pytest

from callback.accounts import passwords, users
from callback.accounts.failures import FREE_OF_NAME, LONGEST_S
from callback.accounts.users import ONE_TIME
from callback.store import audit
from callback.store import tables as t
from callback.web.console.signing_in import SignIns
from tests.callback.accounts.people import change, made
from tests.callback.web.console.clients import PASSWORD, Desk
from tests.callback.world import MINUTE, World

WRONG = "The name or the password is not right."


def actions(world: World) -> list[str]:
    return [row.action for row in world.rows(t.audit)]


def test_the_right_password_opens_a_session_and_the_page_that_was_asked_for(desk: Desk) -> None:
    desk.person("anna")
    browser = desk.browser()
    answer = browser.get("/account?x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?to=%2Faccount%3Fx%3D1")
    page = browser.get(answer.headers["location"])
    assert (page.status_code, 'value="/account?x=1"' in page.text) == (200, True)
    answer = browser.sign_in(" ANNA ", to="/account?x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account?x=1")
    assert "anna" in browser.get("/account").text
    assert browser.get("/sign-in?to=/account").headers["location"] == "/account"
    assert actions(desk.world)[-1] == "signed-in"
    assert desk.world.rows(t.audit)[-1].facts == {"address": "192.0.2.1"}


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "/a\r\nb: c", ""])
def test_nobody_is_sent_elsewhere_after_signing_in(sqlite_desk: Desk, to: str) -> None:
    sqlite_desk.person("anna")
    assert sqlite_desk.browser().sign_in("anna", to=to).headers["location"] == "/"


def test_unknown_names_wrong_passwords_and_locked_people_hear_the_same(desk: Desk) -> None:
    desk.person("anna")
    desk.person("bo")
    made(desk.world, "root", "administrator")
    with desk.world.store.write() as connection:
        users.lock(change(connection), "bo")
    answers = [
        desk.browser().sign_in(name, password)
        for name, password in (("anna", "wrong"), ("nobody", PASSWORD), ("bo", "wrong"), ("", ""))
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert WRONG in answers[0].text
    assert not any("set-cookie" in answer.headers for answer in answers)
    assert "locked" in desk.browser().sign_in("bo").text


def test_failures_make_the_next_try_wait_and_lock_nobody_out(desk: Desk) -> None:
    desk.person("anna")
    for _ in range(FREE_OF_NAME + 9):
        desk.browser("192.0.2.66").sign_in("anna", "wrong")
    assert desk.waited == [1, 2, 4, 8, 16, 30, 30, 30, 30]
    assert desk.browser().sign_in("anna").status_code == 303  # from elsewhere, after the same wait
    assert desk.waited[-1] == LONGEST_S
    desk.waited.clear()
    assert desk.browser().sign_in("anna").status_code == 303
    assert desk.waited == []


def test_unknown_names_wait_alike(sqlite_desk: Desk) -> None:
    for _ in range(FREE_OF_NAME + 3):
        sqlite_desk.browser().sign_in("nobody", "wrong")
    assert sqlite_desk.waited == [1, 2, 4]


def test_the_audit_tells_of_failures_and_no_password(desk: Desk) -> None:
    desk.person("anna")
    for _ in range(9):
        desk.browser().sign_in("anna", "my-secret-guess")
    desk.browser().sign_in("a-password-typed-as-name", "x")
    failed = [row for row in desk.world.rows(t.audit) if row.action == "sign-in-failed"]
    assert [(row.who, row.facts["failures"]) for row in failed] == [
        *(("anna", count) for count in (1, 2, 4, 8)),
        ("unknown", 1),
    ]
    assert not any(word in str(desk.world.rows(t.audit)) for word in ("my-secret", "typed-as-name", PASSWORD))
    with desk.world.store.read() as connection:
        assert audit.broken_at(connection) is None


def test_a_password_that_was_replaced_while_a_try_waits_opens_nothing(desk: Desk) -> None:
    desk.person("anna")
    browser = desk.browser()

    async def replaced(_seconds: float) -> None:
        with desk.world.store.write() as connection:
            users.own_password(change(connection), "anna", passwords.hashed("another-harbour-8-kettle"))

    for _ in range(5):
        browser.sign_in("anna", "wrong")
    desk.app.state.sign_ins = SignIns(desk.app.state.console, replaced)
    assert browser.sign_in("anna").status_code == 401
    assert desk.world.rows(t.login_session) == []


def test_a_session_that_ends_while_a_password_is_changed_changes_none(desk: Desk) -> None:
    browser = desk.member("anna")
    csrf = browser.csrf("/password")

    async def locked(_seconds: float) -> None:
        with desk.world.store.write() as connection:
            users.lock(change(connection), "anna")

    for _ in range(5):
        desk.browser().sign_in("anna", "wrong")
    desk.app.state.sign_ins = SignIns(desk.app.state.console, locked)
    new = "another-harbour-8-kettle"
    answer = browser.post("/password", data={"csrf": csrf, "old": PASSWORD, "new": new, "again": new})
    assert answer.status_code == 401
    assert desk.world.rows(t.login_session) == []
    assert actions(desk.world).count("password-changed") == 1  # when she was made


def test_a_one_time_password_opens_nothing_but_the_choice_of_another(desk: Desk) -> None:
    password = made(desk.world, "anna")
    browser = desk.browser()
    assert browser.sign_in("anna", password).headers["location"] == "/password"
    for path in ("/", "/account"):
        assert browser.get(path).headers["location"] == "/password"
    assert 'data-view=""' in browser.get("/password").text  # nor any live figure
    csrf = browser.csrf("/password")
    refused = browser.post("/sign-out-others", data={"csrf": csrf})
    assert (refused.status_code, refused.headers["location"]) == (303, "/password")

    def choose(old: str, new: str, again: str | None = None) -> tuple[int, str]:
        form = {"csrf": browser.csrf("/password"), "old": old, "new": new, "again": new if again is None else again}
        answer = browser.post("/password", data=form)
        return answer.status_code, answer.text

    for new, words in (
        ("too short", "at least 12"),
        ("password1234", "easily guessed"),
        ("q" * 201, "more than 200"),
        (password, "is the old one"),
    ):
        status, text = choose(password, new)
        assert (status, words in text) == (422, True), new
    assert choose(password, PASSWORD, "other")[0] == 422
    assert choose("wrong", PASSWORD)[0] == 401
    assert choose(password, PASSWORD)[0] == 303
    assert 'data-view="/stream/head "' in browser.get("/account").text
    assert "password-changed" in actions(desk.world)
    assert desk.browser().sign_in("anna", password).status_code == 401
    assert desk.browser().sign_in("anna").status_code == 303


def test_a_one_time_password_is_over_after_a_day(desk: Desk) -> None:
    password = made(desk.world, "anna", now=desk.now)
    desk.now += ONE_TIME - 1
    assert desk.browser().sign_in("anna", password).status_code == 303
    desk.now += 1
    answer = desk.browser().sign_in("anna", password)
    assert (answer.status_code, "one-time password is over" in answer.text) == (401, True)
    assert WRONG in desk.browser().sign_in("anna", "wrong").text


def test_another_password_ends_the_other_sessions_and_renews_this_one(desk: Desk) -> None:
    browser, other = desk.member("anna"), desk.member("anna")
    before = browser.cookies["lcr"]
    new = "gravel lampshade otter"
    form = {"csrf": browser.csrf(), "old": PASSWORD, "new": new, "again": new}
    assert browser.post("/password", data=form).status_code == 303
    assert browser.cookies["lcr"] != before
    assert browser.get("/account").status_code == 200
    assert other.get("/account").status_code == 303


def test_tries_that_wait_are_few_for_each_name_and_address(sqlite_desk: Desk) -> None:
    """Others who come meanwhile hear so at once, and nobody else does."""
    from threading import Event  # noqa: PLC0415

    import anyio  # noqa: PLC0415

    sqlite_desk.person("anna")
    for _ in range(FREE_OF_NAME):
        sqlite_desk.browser().sign_in("anna", "wrong")
    go_on, arrived = Event(), []

    async def wait(seconds: float) -> None:
        arrived.append(seconds)
        await anyio.to_thread.run_sync(go_on.wait)

    sqlite_desk.app.state.sign_ins._sleep = wait  # noqa: SLF001
    browser = sqlite_desk.browser()
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(browser.sign_in, "anna", "wrong") for _ in range(3)]
        deadline = time.monotonic() + 20
        while len(arrived) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        refused = browser.sign_in("anna")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
        assert browser.sign_in("bo", "wrong").status_code == 401
        go_on.set()
        assert [one.result().status_code for one in waiting] == [401] * 3
    assert browser.sign_in("anna").status_code == 303


def test_known_and_unknown_names_take_as_long(sqlite_desk: Desk) -> None:
    """Medians of many tries: the difference is within the noise of the tries themselves."""
    for number in range(30):
        made(sqlite_desk.world, f"known{number}")

    def took(name: str) -> float:
        browser = sqlite_desk.browser(f"198.51.100.{len(name)}")
        before = time.perf_counter()
        assert browser.sign_in(name, "wrong").status_code == 401
        return time.perf_counter() - before

    took("warm")
    known, unknown = [], []
    for number in range(30):
        known.append(took(f"known{number}"))
        unknown.append(took(f"other{number}"))
    spread = max(median(abs(one - median(times)) for one in times) for times in (known, unknown))
    assert abs(median(known) - median(unknown)) <= max(3 * spread, 0.2 * median(known))


def test_the_log_knows_who_did_what_and_no_secret(sqlite_desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    browser = sqlite_desk.member("anna")
    csrf = browser.csrf()
    browser.post("/sign-out-others", data={"csrf": csrf, "why": "my secret words"})
    browser.post("/sign-out-others?number=%2B819012345678", data={"csrf": "wrong"})
    browser.get("/no-such/819012345678")
    browser.post("/session", data={"csrf": csrf})
    lines = [record.getMessage() for record in caplog.records if record.name.endswith("console.headers")]
    told = [line.partition(" (request ")[0] for line in lines]
    assert told == [
        "POST /sign-in by nobody who is signed in: 303",
        "POST /sign-out-others by anna: 200",
        "POST /sign-out-others by anna: 403",
        "GET no such route by nobody who is signed in: 404",
    ]
    secrets = (csrf, browser.cookies["lcr"], PASSWORD, "secret", "819012345678")
    assert not any(secret in line for line in caplog.text.splitlines() for secret in secrets if "httpx" not in line)


def test_each_minute_at_most_one_write_tells_that_somebody_is_there(desk: Desk) -> None:
    browser = desk.member("anna")
    (before,) = desk.world.rows(t.login_session)
    desk.now += MINUTE - 1
    browser.get("/account")
    assert desk.world.rows(t.login_session) == [before]
    desk.now += 1
    browser.get("/account")
    assert desk.world.rows(t.login_session)[0].seen_at == desk.now
