"""What no page of ours sends: it is answered in words, never by a fault of the console, and not said again."""

from __future__ import annotations

from typing import Any

import pytest

from callback.attempts import snapshot
from callback.store import tables as t
from tests.callback.web.console.clients import PASSWORD, Browser, Desk
from tests.callback.world import MINUTE, NOON, US, call, picture

TOO_LARGE = str(2**63)
THOUSANDS = "9" * 5_000
NO_ADDRESS = "http://[owned"


@pytest.fixture
def manager(desk: Desk) -> Browser:
    desk.world.hear(call())
    desk.now = NOON + MINUTE
    with desk.world.store.write() as connection:
        snapshot.store(connection, "main", picture(), desk.now)
    return desk.member("bo", "manager")


def post(browser: Browser, path: str, /, headers: dict[str, str] | None = None, **fields: str) -> Any:
    return browser.post(path, data={"csrf": browser.csrf(), **fields}, headers=headers)


@pytest.mark.parametrize("number", [TOO_LARGE, "-1", "-9223372036854775809", "9" * 25, THOUSANDS, "one", "1.5", "%00"])
def test_a_number_that_no_reservation_can_have_is_one_that_there_is_not(manager: Browser, number: str) -> None:
    unknown = manager.get("/r/7")
    assert unknown.status_code == 404
    for path in (f"/r/{number}", f"/r/{number}/correct", f"/act/hold/{number}", f"/act/slot/{number}"):
        answer = manager.get(path)
        assert (answer.status_code, "There is no such page." in answer.text) == (404, True), path
    assert post(manager, f"/r/{number}/reveal").status_code == 404


@pytest.mark.parametrize("number", [TOO_LARGE, THOUSANDS, "-1", "x", "٣"])
@pytest.mark.parametrize("name", ["ids", "incident", "tries"])
def test_a_filter_that_is_no_number_is_told_so(manager: Browser, name: str, number: str) -> None:
    for path in ("/queue", "/queue.json", "/queue/settled", "/queue/left"):
        assert manager.get(path, params={name: number}).status_code == 422, path
    assert manager.get("/r/1", params={"from": f"{name}={number}"}).status_code == 200


def test_an_address_that_is_none_leads_to_the_beginning(manager: Browser, desk: Desk) -> None:
    referred = {"Referer": NO_ADDRESS}
    assert manager.get("/r/1", headers=referred).status_code == 200
    assert post(manager, "/preferences", referred, theme="dark").headers["location"] == "/"
    assert post(manager, "/r/1/note", referred, note="he rang").status_code == 303
    assert post(manager, "/act/hold", referred, items="1:1").status_code in {303, 409}
    for to in ("//[", NO_ADDRESS, ""):
        assert manager.get("/prove", params={"to": to}).status_code == 200
        assert desk.browser().get("/sign-in", params={"to": to}).status_code == 200
        assert desk.browser().sign_in("bo", to=to).headers["location"] == "/"
        assert post(manager, "/unlock", password=PASSWORD, to=to).headers["location"] == "/"
    for view in ("//[", "http://[", f"/stream/reservation/{THOUSANDS}", f"/stream/reservation/{TOO_LARGE}"):
        assert manager.get("/stream", params={"view": view}).status_code == 422


def test_what_was_sent_is_not_said_again(manager: Browser) -> None:
    number = "+81 90 1234 5678 or perhaps it was another one"
    answer = post(manager, "/queue/find", number=number)
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")
    assert "1234" not in answer.text


def test_more_agents_until_a_time_that_names_a_zone(manager: Browser) -> None:
    for until in ("00:01+09:00", "00:01Z", "23:59"):
        assert manager.get("/what-if", params={"group": "site", "until": until}).status_code == 200, until


def test_one_that_is_named_twice_is_dealt_with_once(manager: Browser, desk: Desk) -> None:
    with desk.world.store.write() as connection:
        connection.execute(t.reservation.update().values(state="expired", open=False))
        revision = connection.execute(t.reservation.select()).one().revision
    post(manager, "/queue/left/done", items=f"1:{revision},1:{revision}", why="spoken")
    assert [row.action for row in desk.world.rows(t.audit) if row.reservation_id == 1] == ["handled"]


def test_a_sign_that_no_database_keeps_is_no_fault_of_the_console(manager: Browser, desk: Desk) -> None:
    nul = "a\x00b"
    for name in ("queue", "state", "text", "whose"):
        for path in ("/queue.json", "/queue/settled"):
            assert manager.get(path, params={name: nul}).status_code in {200, 422}, (name, path)
    for path, fields in {
        "/what-if": {"group": nul},
        "/r/1/note": {"note": nul},
        "/queue/release": {"call": nul, "why": "spoken"},
        "/queue/views": {"number": "1", "name": nul},
        "/act/assign": {"items": "1:1", "to": nul},
    }.items():
        assert manager.post(path, data={"csrf": manager.csrf(), **fields}).status_code in {303, 404, 409, 422, 200}, (
            path
        )
    assert desk.browser().sign_in(nul).status_code in {401, 422}


def test_whole_numbers_are_not_guessed_by_searching(desk: Desk) -> None:
    """Who sees a number masked would find the rest of it else, and no audit would tell."""
    desk.world.hear(call("09012345678"))
    auditor = desk.member("chen", "auditor")
    csrf = auditor.csrf()

    def search(number: str) -> int:
        return int(auditor.post("/queue/find", data={"csrf": csrf, "number": number}).status_code)

    assert [search(f"0901{n:03}5678") for n in range(60)] == [200] * 60
    assert search("09012345678") == 429
    assert search("5678") == 303  # what every page shows may be looked for
    desk.now += 10 * US
    assert (search("09012345678"), search("09012345678")) == (303, 429)
