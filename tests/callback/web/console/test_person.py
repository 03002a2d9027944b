"""One customer's page: found by a form, shown by groups, exported and erased by those alone who may."""

from __future__ import annotations

import json
import re

import pytest

from callback.accounts.sessions import FRESH
from callback.decisions import actions
from callback.store import tables as t
from callback.store.audit import By
from tests.callback.web.console.clients import Desk
from tests.callback.world import NOON, US, World, call

NUMBER = "+819012345601"
SALES = frozenset({"sales"})


@pytest.fixture
def lost(sqlite_desk: Desk) -> World:
    world = sqlite_desk.world
    world.hear(call("09012345601"))
    world.hear(call("09099995601"))
    with world.store.write() as connection:
        work = world.work(connection, NOON + US)
        actions.block(work, NUMBER, calls=False, texts=True, by=By("Bo", "asked for no texts"))
    return world


def test_a_customer_is_found_by_a_form_and_no_number_stands_in_the_address(sqlite_desk: Desk, lost: World) -> None:
    anna = sqlite_desk.member("anna", "supervisor")
    answer = anna.act("/p", number="090-1234-5601")
    assert answer.status_code == 303
    assert re.fullmatch(r"/p/\d{1,3}", answer.headers["location"])
    page = anna.get(answer.headers["location"]).text
    assert "blocked for texts" in page
    assert "•••• 5601" in page
    assert "12345601" not in page
    several = anna.act("/p", number="5601").text
    assert several.count('href="/p/') == 2
    assert "Nobody with that number" in anna.act("/p", number="0000").text
    assert "Nobody with that number" in anna.act("/p", number="\x00' OR 1=1").text


def test_of_another_group_it_is_as_if_there_were_nobody(sqlite_desk: Desk, lost: World) -> None:
    cho = sqlite_desk.member("cho", "supervisor", groups=SALES)
    number = lost.reservations()[0].id
    assert cho.get(f"/p/{number}").status_code == 404
    assert cho.get(f"/p/{number}").text == cho.get("/p/99999").text
    assert "Nobody with that number" in cho.act("/p", number=NUMBER).text


def test_all_about_a_customer_is_exported_and_that_is_kept(desk: Desk) -> None:
    world = desk.world
    world.hear(call("09012345601"))
    world.hear(call("09012345602"))
    bo = desk.member("bo", "manager")
    number = world.reservations()[0].id
    answer = bo.act(f"/p/{number}/export.json")
    assert answer.status_code == 200
    told = json.loads(answer.text)
    assert {"person", "call", "verdict", "queue_visit", "reservation", "promise", "loss", "text_outbox"} <= told.keys()
    assert told["person"][0]["number"] == NUMBER
    assert "5602" not in answer.text
    assert [row.reservation_id for row in world.rows(t.audit) if row.action == "export"] == [number]
    assert "12345601" not in json.dumps([dict(row.facts) for row in world.rows(t.happened)])


def test_every_table_that_knows_people_is_exported() -> None:
    """A table that is added, and leads to a person, is told without a word more."""
    leads = {"person_id", "reservation_id", "call_id"}
    known = {table.name for table in t.metadata.sorted_tables if leads & set(table.c.keys())}
    assert {"call", "queue_visit", "verdict", "reservation", "promise", "loss", "attempt", "answer", "audit"} <= known


def test_only_a_manager_who_sees_all_exports_and_erases(sqlite_desk: Desk, lost: World) -> None:
    number = lost.reservations()[0].id
    anna = sqlite_desk.member("anna", "supervisor")
    for path in ("export.json", "erase", "unblock"):
        assert anna.act(f"/p/{number}/{path}", digits="5601", why="asked").status_code == 403
    group = lost.reservations()[0].queue_group
    cho = sqlite_desk.member("cho", "manager", groups=frozenset({group}))
    assert cho.act(f"/p/{number}/export.json").status_code == 422
    assert cho.act(f"/p/{number}/erase", digits="5601", why="asked").status_code == 422


def test_a_customer_is_erased_by_the_last_four_digits_and_for_good(sqlite_desk: Desk, lost: World) -> None:
    number = lost.reservations()[0].id
    bo = sqlite_desk.member("bo", "manager")
    assert "not the last four digits" in bo.act(f"/p/{number}/erase", digits="0000", why="asked for it").text
    assert "Say why" in bo.act(f"/p/{number}/erase", digits="5601", why=" ").text
    refused = bo.act(f"/p/{number}/erase", digits="0000", why="asked for it").text
    assert 'name="digits" value="0000"' in refused
    assert 'name="why" value="asked for it"' in refused
    assert any(row.number == NUMBER for row in lost.rows(t.person))
    assert bo.act(f"/p/{number}/erase", digits="5601", why="the customer asked").status_code == 303
    assert not any(row.number == NUMBER for row in lost.rows(t.person))
    page = bo.get(f"/p/{number}").text
    assert "whose number it was is not known" in page
    assert "Erase for good" not in page
    assert "erased already" in bo.act(f"/p/{number}/erase", digits="5601", why="again").text
    assert "12345601" not in bo.act(f"/p/{number}/export.json").text


def test_erasing_needs_the_password_of_a_moment_ago(sqlite_desk: Desk, lost: World) -> None:
    number = lost.reservations()[0].id
    bo = sqlite_desk.member("bo", "manager")
    csrf = bo.csrf()
    sqlite_desk.now += FRESH + US
    for path in ("erase", "export.json"):
        answer = bo.post(f"/p/{number}/{path}", data={"csrf": csrf, "digits": "5601", "why": "asked"})
        assert answer.headers["location"].startswith("/prove"), answer.status_code
    assert any(row.number == NUMBER for row in lost.rows(t.person))


def test_a_block_is_taken_back_with_a_reason(sqlite_desk: Desk, lost: World) -> None:
    number = lost.reservations()[0].id
    bo = sqlite_desk.member("bo", "manager")
    assert bo.act(f"/p/{number}/unblock", what="texts").status_code == 422
    assert bo.act(f"/p/{number}/unblock", what="texts", why="asked for texts again").status_code == 303
    assert not any(row.texts for row in lost.rows(t.block))
    assert [row.who for row in lost.rows(t.audit) if row.action == "unblock"] == ["bo"]
