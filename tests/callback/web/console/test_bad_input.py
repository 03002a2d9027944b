"""What makes no sense is refused in words, and not repeated: it may hold a number, or somebody's script."""

from __future__ import annotations

import re

import pytest
from fastapi.routing import APIRoute

from callback.accounts.roles import ROLES
from tests.callback.web.console.clients import Desk

SCRIPT = "<script>alert('+819012345678')</script>"
VALUES = (SCRIPT, "\x00", "-1", "9" * 400, "%00", "{{7*7}}", "\u202e", "' OR 1=1 --", "../../etc/passwd", "é" * 2000)


def routes(desk: Desk, method: str) -> list[APIRoute]:
    found = [route for route in desk.app.routes if isinstance(route, APIRoute) and method in (route.methods or ())]
    assert len(found) > 5
    return found


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_no_address_of_nonsense_fails_or_repeats_it(sqlite_desk: Desk, value: str) -> None:
    browser = sqlite_desk.member("anna", *ROLES)
    for route in routes(sqlite_desk, "GET"):
        if route.path.startswith("/stream"):
            continue  # it lasts
        path = re.sub(r"\{[^}]+\}", lambda _: value.replace("/", "%2F").replace("\x00", "%00"), route.path)
        names = [field.name for field in route.dependant.query_params]
        answer = browser.get(path, params=dict.fromkeys(names, value))
        assert answer.status_code < 500, (route.path, answer.text[-300:])
        assert SCRIPT not in answer.text, route.path
        assert not answer.text.startswith('{"detail"'), route.path


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_no_form_of_nonsense_fails_or_is_repeated(sqlite_desk: Desk, value: str) -> None:
    browser = sqlite_desk.member("anna", *ROLES)
    for route in routes(sqlite_desk, "POST"):
        if browser.get("/account").status_code != 200:  # some routes end the session
            browser.sign_in("anna")
        path = re.sub(r"\{[^}]+\}", "1", route.path)
        names = {
            "items",
            "why",
            "at",
            "to",
            "note",
            "call",
            "kind",
            "revision",
            "batch",
            "number",
            "q",
            "name",
            "query",
        }
        names |= {field.name for field in route.dependant.body_params}
        form = {"csrf": browser.csrf()} | dict.fromkeys(sorted(names), value)
        answer = browser.post(path, data=form)
        assert answer.status_code < 500, (route.path, answer.text[-300:])
        assert SCRIPT not in answer.text, route.path
        assert not answer.text.startswith('{"detail"'), route.path


def test_no_field_is_needed_for_an_answer_in_words(sqlite_desk: Desk) -> None:
    browser = sqlite_desk.member("anna", *ROLES)
    for route in routes(sqlite_desk, "POST"):
        if browser.get("/account").status_code != 200:
            browser.sign_in("anna")
        path = re.sub(r"\{[^}]+\}", "1", route.path)
        answer = browser.post(path, data={"csrf": browser.csrf()})
        assert answer.status_code < 500, (route.path, answer.text[-300:])
        assert not answer.text.startswith('{"detail"'), route.path


def test_a_number_that_is_none_is_an_unknown_address(sqlite_desk: Desk) -> None:
    browser = sqlite_desk.member("anna", *ROLES)
    unknown = browser.get("/r/999999")
    nonsense = browser.get("/r/abc")
    assert (unknown.status_code, nonsense.status_code) == (404, 404)
    assert "There is no such page" in nonsense.text
