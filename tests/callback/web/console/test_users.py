"""The page of users: people are made, changed, locked and given new passwords, and one administrator always stays."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from callback.accounts import users
from callback.store import tables as t
from tests.callback.web.console.clients import Browser, Desk


def send(browser: Browser, path: str, **fields: Any) -> Any:
    """Send a form of the page."""
    return browser.post(path, data={"csrf": browser.csrf(), **fields})


def shown_once(text: str) -> str:
    found = re.search(r'class="card once".*?<code>(.*?)</code>', text, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


def stands(desk: Desk, name: str) -> users.User:
    with desk.world.store.read() as connection:
        found = users.find(connection, name)
    assert found is not None
    return found


def audited(desk: Desk) -> list[str]:
    """What was decided about people, but for how the test made its own."""
    return [row.action for row in desk.world.rows(t.audit) if row.who == "dai" and row.action.startswith("user-")]


def test_somebody_who_is_added_signs_in_once_with_the_password_that_was_shown_once(desk: Desk) -> None:
    dai = desk.member("dai", "administrator")
    filled = {"called": "Mei Lin", "roles": ["agent", "supervisor"], "groups": ["site"], "phone": "PJSIP/1004"}
    password = shown_once(send(dai, "/users/add", name="mei", language="zh_Hans", **filled).text)
    page = dai.get("/users").text
    assert password not in page
    assert all(word in page for word in ("Mei Lin", "PJSIP/1004", "one-time password until", "简体中文", "dai"))
    mei = desk.browser()
    assert mei.sign_in("mei", password).headers["location"] == "/password"
    profile = stands(desk, "mei").profile
    assert (sorted(profile.roles), sorted(profile.groups or ())) == (["agent", "supervisor"], ["site"])
    assert audited(desk) == ["user-added"]


def test_other_roles_groups_or_another_phone_sign_the_person_out(desk: Desk) -> None:
    dai, mei = desk.member("dai", "administrator"), desk.member("mei", "agent")
    assert (
        send(dai, "/users/change", name="mei", roles=["supervisor"], groups=["site"], phone="PJSIP/7").status_code
        == 303
    )
    assert mei.get("/account").headers["location"].startswith("/sign-in")
    profile = stands(desk, "mei").profile
    assert (sorted(profile.roles), sorted(profile.groups or ())) == (["supervisor"], ["site"])
    assert profile.phone == "PJSIP/7"
    mei = desk.member("mei")
    send(dai, "/users/change", name="mei", roles=["supervisor"], groups=["site"], phone="PJSIP/7", language="en")
    assert mei.get("/account").status_code == 200  # another language alone ends nothing
    assert audited(desk) == ["user-roles", "user-groups", "user-phone"]


def test_sessions_are_ended_somebody_is_locked_unlocked_and_given_another_password(desk: Desk) -> None:
    dai, mei = desk.member("dai", "administrator"), desk.member("mei", "agent")
    assert send(dai, "/users/sign-out", name="mei").status_code == 303
    assert mei.get("/account").status_code == 303
    send(dai, "/users/lock", name="mei")
    assert "locked" in dai.get("/users").text
    assert desk.browser().sign_in("mei").status_code == 401
    send(dai, "/users/unlock", name="mei")
    assert desk.browser().sign_in("mei").status_code == 303
    password = shown_once(send(dai, "/users/reset", name="mei").text)
    assert desk.browser().sign_in("mei").status_code == 401
    assert desk.browser().sign_in("mei", password).status_code == 303
    assert audited(desk) == ["user-signed-out", "user-locked", "user-unlocked", "user-reset"]


def test_the_last_administrator_is_neither_locked_nor_made_something_else(desk: Desk) -> None:
    dai = desk.member("dai", "administrator")
    for path, fields in (("/users/lock", {}), ("/users/change", {"roles": ["manager"]})):
        told = send(dai, path, name="dai", **fields)
        assert told.status_code == 422
        assert "the last administrator" in told.text
    assert stands(desk, "dai").is_administrator
    desk.person("eve", "administrator")
    assert send(dai, "/users/lock", name="dai").status_code == 303
    assert dai.get("/users").headers["location"].startswith("/sign-in")


@pytest.mark.parametrize(
    ("path", "fields", "says"),
    [
        ("/users/add", {"name": "Mei!", "roles": ["agent"]}, "no name to sign in with"),
        ("/users/add", {"name": "dai", "roles": ["agent"]}, "a user dai already"),
        ("/users/add", {"name": "mei"}, "at least one role"),
        ("/users/add", {"name": "mei", "roles": ["king"]}, "at least one role"),
        ("/users/change", {"name": "nobody", "roles": ["agent"]}, "no user nobody"),
        ("/users/change", {"name": "dai", "roles": ["administrator"], "phone": "x" * 101}, "at most 100"),
        ("/users/lock", {"name": "nobody"}, "no user nobody"),
        ("/users/sign-out", {"name": "nobody"}, "no user nobody"),
        ("/users/reset", {"name": "nobody"}, "no user nobody"),
    ],
)
def test_what_cannot_be_is_told_on_the_page(sqlite_desk: Desk, path: str, fields: dict[str, Any], says: str) -> None:
    told = send(sqlite_desk.member("dai", "administrator"), path, **fields)
    assert told.status_code == 422
    assert says in html.unescape(told.text)
    assert audited(sqlite_desk) == []
