"""Rights: every route, for every role and for nobody, does what the table says; the table is written here once more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import pytest
from fastapi.routing import APIRoute

from callback.accounts.roles import RIGHTS, ROLES, Right, Role
from callback.accounts.sessions import IDLE
from callback.store import tables as t
from callback.web.console.gate import right_of
from tests.callback.web.console.clients import Browser, Desk

MARKS: Final = {
    # right:            agent supervisor manager auditor administrator
    "account": "✓✓✓✓✓",
    "look": "-✓✓✓-",
    "live": "✓✓✓✓-",
    "decide": "-✓✓--",
    "note": "-✓✓--",
    "reveal": "-✓✓--",
    "block": "-✓✓--",
    "unblock": "--✓--",
    "correct": "-✓✓--",
    "correct-earlier": "--✓--",
    "health": "-✓✓-✓",
    "own": "✓----",
    "person": "-✓✓--",
    "export-person": "--✓--",
    "erase": "--✓--",
    "pause": "-✓✓--",
    "see-rules": "-✓✓✓-",
    "publish-rules": "--✓--",
    "see-reports": "-✓✓✓-",
    "name-agents": "-✓✓--",
    "handover": "-✓✓--",
    "audit": "✓✓✓✓✓",
    "care": "-✓✓--",
    "register-case": "✓✓✓--",
    "note-customer": "-✓✓--",
    "campaign-look": "-✓✓✓-",
    "campaign": "--✓--",
    "administer": "----✓",
}
"""Who may do what, as it was decided."""
CHANGES_NOTHING: Final = {"/stream/here", "/queue/find", "/what-if"}
"""Posted by those who merely look, too: what a page shows to others, and a number that must not stand in an address."""


class Asked(NamedTuple):
    """One way to ask for a route, and the right that it needs; None: everybody may."""

    method: str
    path: str
    right: Right | None


def test_the_table_of_rights_is_the_one_that_was_decided() -> None:
    marked = {
        right: frozenset(role for role, mark in zip(ROLES, marks, strict=True) if mark == "✓")
        for right, marks in MARKS.items()
    }
    assert dict(RIGHTS) == marked


def asked_of(desk: Desk) -> Iterator[Asked]:
    """Every route of the application, each of its methods."""
    for route in desk.app.routes:
        if isinstance(route, APIRoute):
            path = re.sub(r"\{\w+(:int)?\}", "999999", re.sub(r"\{\w+:path\}", "nothing", route.path))
            yield from (Asked(method, path, right_of(route)) for method in sorted(route.methods or ()))


def answer_of(browser: Browser, asked: Asked, csrf: str = "") -> tuple[int, str]:
    """The status, and where it leads."""
    if asked.path == "/stream":
        asked = asked._replace(path="/stream?view=/stream/nothing")
    answer = browser.request(asked.method, asked.path, headers={"X-CSRF-Token": csrf})
    return answer.status_code, answer.headers.get("location", "")


@pytest.mark.parametrize("role", ROLES)
def test_every_route_is_open_to_those_alone_who_have_its_right(sqlite_desk: Desk, role: Role) -> None:
    wrong, browser = [], sqlite_desk.member("anna", role)
    for asked in asked_of(sqlite_desk):
        if browser.get("/account").status_code != 200:  # some routes end the session
            browser.sign_in("anna")
        csrf = browser.csrf()
        before = len(sqlite_desk.world.rows(t.audit))
        status, leads = answer_of(browser, asked, csrf)
        may = asked.right is None or role in RIGHTS[asked.right]
        denied = [row for row in sqlite_desk.world.rows(t.audit)[before:] if row.action == "denied"]
        if (status == 403) == may or leads.startswith("/sign-in?") or bool(denied) == may or status >= 500:
            wrong.append((asked, status, leads, len(denied)))
    assert wrong == []


def test_nobody_who_is_not_signed_in_gets_further_than_the_door(sqlite_desk: Desk) -> None:
    browser = sqlite_desk.browser()
    for asked in asked_of(sqlite_desk):
        if asked.right is not None:
            status, leads = answer_of(browser, asked)
            at_door = (status == 303 and leads.startswith("/sign-in?to=")) or (status == 401 and not leads)
            assert at_door, (asked, status, leads)


def test_what_is_posted_needs_the_token_of_the_session(sqlite_desk: Desk) -> None:
    browser = sqlite_desk.member("anna", "manager", "administrator")
    for asked in asked_of(sqlite_desk):
        if asked.method not in {"GET", "HEAD"} and asked.right is not None:
            assert answer_of(browser, asked, "wrong")[0] == 403, asked
            assert sqlite_desk.browser().request(asked.method, asked.path).status_code in {303, 401}, asked


def test_what_changes_something_needs_more_than_to_look(sqlite_desk: Desk) -> None:
    posted = [asked for asked in asked_of(sqlite_desk) if asked.method not in {"GET", "HEAD"}]
    assert len(posted) > 5
    assert [asked for asked in posted if asked.right == "look" and asked.path not in CHANGES_NOTHING] == []


def test_a_locked_session_opens_no_page(sqlite_desk: Desk) -> None:
    browser = sqlite_desk.member("anna", *ROLES)
    sqlite_desk.now += IDLE
    for asked in asked_of(sqlite_desk):
        if asked.right is not None and asked.method == "GET":
            answer = browser.get(asked.path)
            assert answer.status_code == 401, asked
            assert "Nobody did anything" in answer.text or answer.text == "", asked
