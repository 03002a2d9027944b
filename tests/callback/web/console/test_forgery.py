"""Forged requests: from another site, from nowhere, with no token, an old one, or another's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callback.web.console import forgery
from callback.web.console.forgery import is_genuine, masked
from callback.web.hosts import is_loopback
from tests.callback.web.console.clients import LOOPBACK, PUBLIC, Desk

NONE: dict[str, str] = {"Sec-Fetch-Site": ""}


def posted(desk: Desk, headers: dict[str, str], path: str = "/sign-in") -> int:
    browser = desk.browser()
    if not headers.get("Sec-Fetch-Site"):
        del browser.headers["Sec-Fetch-Site"]
    sent = {name: value for name, value in headers.items() if value}
    status: int = browser.post(path, data={"name": "anna", "password": "x"}, headers=sent).status_code
    return status


@pytest.mark.parametrize(
    ("headers", "taken"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": LOOPBACK}, True),
        ({"Origin": LOOPBACK}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": LOOPBACK}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "http://127.0.0.1:9999"}, False),
        ({"Origin": "https://127.0.0.1:8090"}, False),
        ({"Referer": f"{LOOPBACK}/sign-in"}, False),
        ({}, False),
    ],
)
def test_a_form_is_taken_from_a_page_of_the_console_alone(
    sqlite_desk: Desk, headers: dict[str, str], taken: bool
) -> None:
    assert posted(sqlite_desk, headers) == (401 if taken else 403)


@pytest.mark.parametrize(
    ("origin", "taken"),
    [
        (PUBLIC, True),
        (PUBLIC.replace("https", "http"), False),
        (f"{PUBLIC}.evil.example", False),
        (LOOPBACK, False),
        ("null", False),
    ],
)
def test_behind_a_proxy_the_public_address_counts(public_desk: Desk, origin: str, taken: bool) -> None:
    assert posted(public_desk, {"Origin": origin}) == (401 if taken else 403)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST"])
def test_every_method_that_may_change_something_is_looked_at(sqlite_desk: Desk, method: str) -> None:
    browser = sqlite_desk.browser()
    answer = browser.request(method, "/account", headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, "did not come from a page" in answer.text) == (403, True)


def test_a_form_needs_the_token_of_its_session(desk: Desk) -> None:
    anna, bo = desk.member("anna"), desk.member("bo")
    others = bo.csrf()
    good = anna.csrf()
    tampered = good[:-2] + ("AA" if good[-2:] != "AA" else "BB")
    for given_ in ({}, {"csrf": ""}, {"csrf": others}, {"csrf": tampered}, {"csrf": "é" * 40}, {"csrf": good * 2}):
        answer = anna.post("/sign-out-others", data=given_)
        assert (answer.status_code, "not of your session" in answer.text) == (403, True), given_
    assert anna.post("/sign-out-others", data={"csrf": good}).status_code == 200
    assert anna.post("/session", headers={"X-CSRF-Token": good}).status_code == 204
    assert anna.post("/session", headers={"X-CSRF-Token": others}).status_code == 403
    upload = {"csrf": ("name.txt", good.encode(), "text/plain")}
    assert anna.post("/sign-out-others", files=upload).status_code == 403


def test_a_token_of_the_session_before_is_none(desk: Desk) -> None:
    browser = desk.member("anna")
    before = browser.csrf()
    browser.sign_in("anna")
    assert browser.post("/sign-out-others", data={"csrf": before}).status_code == 403


@given(st.text(), st.text(alphabet=st.characters(codec="ascii")))
def test_tokens_are_masked_anew_and_no_other_text_is_one(session: str, other: str) -> None:
    first, second = masked(session), masked(session)
    assert first != second
    assert is_genuine(first, session)
    assert is_genuine(second, session)
    assert not is_genuine(first, session + "x")
    assert not is_genuine(other, session)


def test_two_tokens_of_a_session_share_nothing_that_compression_could_find() -> None:
    tokens = [masked("session") for _ in range(200)]
    for place in range(len(tokens[0])):
        assert len({token[place] for token in tokens}) > 3, place  # the last one has four


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1:8090", True),
        ("localhost", True),
        ("[::1]:8090", True),
        ("localhost.evil.example", False),
        ("127.0.0.1.nip.io", False),
        ("evil.example:127.0.0.1", False),
        ("[::1", False),
        ("", False),
        ("localhost@evil.example", False),
    ],
)
def test_this_machine_is_known_by_its_own_names(host: str, ours: bool) -> None:
    assert is_loopback(host) == ours


def test_what_changes_nothing_needs_nothing(sqlite_desk: Desk) -> None:
    assert {"GET", "HEAD", "OPTIONS"} == forgery.SAFE
    assert sqlite_desk.browser().get("/sign-in", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200
