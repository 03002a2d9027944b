"""Language and colours: chosen in any browser, kept with the account, and there in the next one."""

from __future__ import annotations

import pytest

from callback.accounts import users
from tests.callback.web.console.clients import Desk


def test_a_choice_follows_its_person_to_another_browser(desk: Desk) -> None:
    browser = desk.member("anna")
    browser.act("/preferences", language="zh_Hant", theme="dark")
    assert 'lang="zh-Hant" data-theme="dark"' in browser.get("/account").text
    other = desk.browser()
    assert 'lang="en"' in other.get("/sign-in").text
    other.sign_in("anna")
    assert 'lang="zh-Hant" data-theme="dark"' in other.get("/account").text
    browser.act("/preferences", theme="auto")
    with desk.world.store.read() as connection:
        anna = users.find(connection, "anna")
    assert anna is not None
    assert (anna.profile.language, anna.theme) == ("zh_Hant", "auto")


def test_before_signing_in_the_browser_alone_keeps_it(sqlite_desk: Desk) -> None:
    browser = sqlite_desk.browser()
    assert browser.post("/preferences", data={"language": "zh_Hans"}).status_code == 303
    assert 'lang="zh-Hans"' in browser.get("/sign-in").text


@pytest.mark.parametrize("language", ["", "xx", "../en", "zh_Hans\r\nSet-Cookie: a=b"])
def test_what_is_no_choice_changes_nothing(sqlite_desk: Desk, language: str) -> None:
    browser = sqlite_desk.member("anna")
    answer = browser.act("/preferences", language=language)
    assert (answer.status_code, "set-cookie" in answer.headers) == (303, False)
    assert 'lang="en"' in browser.get("/account").text
