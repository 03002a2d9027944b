"""The page of programs: tokens and webhooks are made, shown once, changed and ended, by administrators alone."""

from __future__ import annotations

import html
import re
from typing import Any, Final

import pytest

from callback.accounts import sessions, tokens
from callback.accounts.webhooks import deliveries, endpoints
from callback.store import tables as t
from tests.callback.web.console.clients import PASSWORD, Browser, Desk
from tests.callback.world import call

URL: Final = "https://crm.example.org/callbacks/s3cret"
AT: Final = "/machines/endpoints/1"


def send(browser: Browser, path: str, **fields: Any) -> Any:
    """Send a form of the page."""
    return browser.post(path, data={"csrf": browser.csrf(), **fields})


def shown_once(text: str) -> str:
    found = re.search(r'class="card once".*?<code>(.*?)</code>', text, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


def audited(desk: Desk) -> list[str]:
    return [row.action for row in desk.world.rows(t.audit) if row.action.startswith(("token-", "webhook-"))]


def added(browser: Browser, **fields: Any) -> Any:
    return send(browser, "/machines/endpoints", url=URL, events=["reservation.made", "alarm.raised"], **fields)


def test_a_token_is_shown_once_opens_what_it_says_and_is_rotated_and_revoked(desk: Desk) -> None:
    dai = desk.member("dai", "administrator")
    made = send(dai, "/machines/tokens", name="CRM", scopes=["events:read"], groups=["site"], days="30")
    token = shown_once(made.text)
    assert re.fullmatch(r"lcr_1_[\w-]{43}", token)
    page = dai.get("/machines").text
    assert token not in page
    assert all(word in page for word in ("CRM", "events:read", "lcr_1_…", "never", "in use"))
    rotated = shown_once(send(dai, "/machines/tokens/1/rotate").text)
    assert send(dai, "/machines/tokens/1/revoke").status_code == 303
    assert "revoked" in dai.get("/machines").text
    with desk.world.store.read() as connection:
        assert [tokens.find(connection, one, desk.now) for one in (token, rotated)] == [None, None]
    assert audited(desk) == ["token-added", "token-rotated", "token-revoked"]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": "", "scopes": ["events:read"], "days": "30"}, "which program"),
        ({"name": "CRM", "days": "30"}, "at least one scope"),
        ({"name": "CRM", "scopes": ["everything"], "days": "30"}, "no scope"),
        ({"name": "CRM", "scopes": ["events:read"], "days": "366"}, "from 1 to 365 days"),
        ({"name": "CRM", "scopes": ["events:read"], "days": "soon"}, "from 1 to 365 days"),
    ],
)
def test_a_token_that_cannot_be_is_told_on_the_page(sqlite_desk: Desk, fields: dict[str, Any], says: str) -> None:
    told = send(sqlite_desk.member("dai", "administrator"), "/machines/tokens", **fields)
    assert told.status_code == 422
    assert says in told.text
    assert sqlite_desk.world.rows(t.api_token) == []


def test_an_endpoint_is_made_tested_rotated_disabled_and_enabled(desk: Desk) -> None:
    dai = desk.member("dai", "administrator")
    secret = shown_once(added(dai).text)
    assert secret.startswith("whsec_")
    page = dai.get("/machines").text
    assert "crm.example.org" in page
    assert "s3cret" not in page
    assert send(dai, f"{AT}/test").status_code == 303
    shown = dai.get(AT).text
    assert secret not in shown
    assert all(word in shown for word in ("webhook.test", "waiting", "in use", "reservation.made"))
    assert shown_once(send(dai, f"{AT}/rotate").text) != secret
    assert "the secret before is good until" in dai.get(AT).text
    assert send(dai, f"{AT}/disable").headers["location"] == AT
    assert "disabled by a person" in dai.get(AT).text
    assert send(dai, f"{AT}/test").status_code == 422  # nothing is sent to one that is disabled
    assert send(dai, f"{AT}/enable").status_code == 303
    changed = send(dai, f"{AT}/change", url="https://crm.example.org/x", events=["text.failed"], with_number="1")
    assert changed.status_code == 303
    with desk.world.store.read() as connection:
        stands = endpoints.find(connection, 1)
    assert (stands.wanted.url, stands.wanted.with_number, stands.disabled) == ("https://crm.example.org/x", True, "")
    names = ["added", "tested", "rotated", "disabled", "enabled", "changed"]
    assert audited(desk) == [f"webhook-{name}" for name in names]
    assert all("s3cret" not in str(row.facts) for row in desk.world.rows(t.audit))


def test_a_message_that_was_given_up_is_sent_again_from_the_page(sqlite_desk: Desk) -> None:
    dai = sqlite_desk.member("dai", "administrator")
    added(dai)
    send(dai, f"{AT}/test")
    with sqlite_desk.world.store.write() as connection:
        (one,) = deliveries.newest(connection, 1, 10)
        for _ in deliveries.WAITS:
            deliveries.tried(connection, one, sqlite_desk.now, "status", 500, 0)
            (one,) = deliveries.newest(connection, 1, 10)
    shown = dai.get(AT).text
    assert all(word in shown for word in ("given up", "refused (500)", "Send again"))
    assert send(dai, f"{AT}/replay", message=str(one.id)).status_code == 303
    with sqlite_desk.world.store.read() as connection:
        (again,) = deliveries.newest(connection, 1, 10)
    assert (again.state, again.tries, again.message) == ("waiting", 0, one.message)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"url": "http://crm.example.org/"}, "begins with https://"),
        ({"url": "https://169.254.169.254/latest"}, "not one of the public internet"),
        ({"url": "https://2130706433/"}, "not one of the public internet"),
        ({"url": "no address"}, "an address like https"),
        ({"url": URL, "events": []}, "at least one event"),
        ({"url": URL, "events": ["everything"]}, "at least one event"),
    ],
)
def test_an_endpoint_that_cannot_be_is_told_on_the_page(sqlite_desk: Desk, fields: dict[str, Any], says: str) -> None:
    filled = {"events": ["alarm.raised"], **fields}
    told = send(sqlite_desk.member("dai", "administrator"), "/machines/endpoints", **filled)
    assert told.status_code == 422
    assert says in told.text
    assert sqlite_desk.world.rows(t.hook_endpoint) == []


def test_a_form_that_is_refused_keeps_what_was_typed_and_stays_open(sqlite_desk: Desk) -> None:
    dai = sqlite_desk.member("dai", "administrator")
    assert '<details class="adding" open>' not in dai.get("/machines").text
    token = send(dai, "/machines/tokens", name=" ", scopes=["events:read"], days="365").text
    assert token.count('<details class="adding" open>') == 1
    assert 'value="events:read" checked' in token
    assert "<option selected>365</option>" in token
    wrong = {"url": "http://crm.example.org/x", "events": ["text.failed"], "with_number": "1"}
    added(dai)
    for path in ("/machines/endpoints", f"{AT}/change"):
        endpoint = send(dai, path, **wrong).text
        assert endpoint.count('<details class="adding" open>') == 1
        assert 'value="http://crm.example.org/x"' in endpoint
        assert re.findall(r'name="events" value="([\w.]+)" checked', endpoint) == ["text.failed"]
        assert 'name="with_number" value="1" checked' in endpoint


def test_what_is_not_there_is_404_or_told(sqlite_desk: Desk) -> None:
    dai = sqlite_desk.member("dai", "administrator")
    assert dai.get("/machines/endpoints/7").status_code == 404
    assert send(dai, "/machines/endpoints/7/test").status_code == 404
    assert send(dai, "/machines/tokens/7/revoke").status_code == 422
    added(dai)
    assert send(dai, f"{AT}/replay", message="999").status_code == 422


def test_the_page_needs_the_password_of_the_last_minutes(sqlite_desk: Desk) -> None:
    dai = sqlite_desk.member("dai", "administrator")
    csrf = dai.csrf()
    sqlite_desk.now += sessions.FRESH
    assert dai.get("/machines").headers["location"] == "/prove?to=%2Fmachines"
    assert dai.post("/machines/endpoints", data={"csrf": csrf, "url": URL}).headers["location"].startswith("/prove")
    dai.post("/unlock", data={"csrf": csrf, "password": PASSWORD})
    assert dai.get("/machines").status_code == 200


def test_no_telephone_number_stands_on_an_endpoints_page(sqlite_desk: Desk) -> None:
    dai = sqlite_desk.member("dai", "administrator")
    added(dai, with_number="1")
    sqlite_desk.world.hear(call("09012345678"))
    with sqlite_desk.world.store.write() as connection:
        about = deliveries.Message("reservation.made", sqlite_desk.now, "reservation/1", {"reservation": 1}, "1/1/0")
        deliveries.queue(connection, "main", endpoints.find(connection, 1), [about], sqlite_desk.now)
    shown = dai.get(AT).text
    assert "#1" in shown
    assert "12345678" not in shown
