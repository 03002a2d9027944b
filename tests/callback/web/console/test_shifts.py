"""Handover and audit: given by one and taken by another; everybody sees the acts that concern them, and no others."""

from __future__ import annotations

import csv
import io
import re

import pytest
from sqlalchemy import update

from callback.accounts.roles import ROLES, Role
from callback.decisions import actions, notes
from callback.store import audit, audit_proof
from callback.store import tables as t
from callback.store.audit import By
from tests.callback.web.console.clients import Desk
from tests.callback.world import NOON, US, World, call

NUMBER, PBX = "+819012345601", "main"


def decide(world: World, who: str, reservation: int = 1) -> None:
    with world.store.write() as connection:
        notes.note(world.work(connection, NOON + US), reservation, By(who, "spoke to the customer"))


def lost(world: World) -> None:
    world.hear(call())
    decide(world, "Anna")
    with world.store.write() as connection:
        work = world.work(connection, NOON + 2 * US)
        actions.hold(work, 1, By("Bo", "call 09012345601 later"))
        actions.block(work, NUMBER, calls=False, texts=True, by=By("Bo", "insults"))
        audit.add(
            connection, world.settings.pbx.name, By("Dai", "a new colleague"), "user-added", None, {"user": "mei"}, NOON
        )


def seen(desk: Desk, name: str, role: Role, groups: frozenset[str] | None = None) -> list[str]:
    browser = desk.member(name, role, groups=groups)
    rows = list(csv.DictReader(io.StringIO(browser.get("/audit.csv").text)))
    return [f"{row['who']} {row['action']}" for row in rows if row["who"] in {"Anna", "Bo", "Dai", name}]


@pytest.mark.parametrize(
    ("role", "others"),
    [
        ("agent", []),
        ("supervisor", ["Bo held", "Anna note"]),
        ("manager", ["Dai user-added", "Bo block", "Bo held", "Anna note"]),
        ("auditor", ["Dai user-added", "Bo block", "Bo held", "Anna note"]),
        ("administrator", ["Dai user-added"]),
    ],
)
def test_everybody_sees_the_acts_that_concern_them(sqlite_desk: Desk, role: Role, others: list[str]) -> None:
    lost(sqlite_desk.world)
    acts = seen(sqlite_desk, "zoe", role)
    assert [act for act in acts if not act.startswith("zoe")] == [one for one in others if one in acts]
    assert set(others) <= set(acts)
    assert "zoe signed-in" in acts


def test_acts_about_other_groups_are_not_seen(sqlite_desk: Desk) -> None:
    lost(sqlite_desk.world)
    assert [act for act in seen(sqlite_desk, "zoe", "supervisor", frozenset({"sales"})) if "zoe" not in act] == []


def test_no_number_stands_in_the_audit(sqlite_desk: Desk) -> None:
    lost(sqlite_desk.world)
    browser = sqlite_desk.member("zoe", "manager")
    for text in (browser.get("/audit").text, browser.get("/audit.csv").text):
        assert not re.search(r"12345601|90123456", text)
        assert "Bo" in text


def test_the_audit_is_read_on_where_it_ended_and_by_person_and_act(
    sqlite_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = sqlite_desk.world
    lost(world)
    browser = sqlite_desk.member("zoe", "manager")
    with world.store.write() as connection:
        audit.add_all(
            connection, world.settings.pbx.name, By("Eve", "many"), "note", [(1, {"n": n}) for n in range(250)], NOON
        )
    page = browser.get("/audit?who=Eve").text
    found = re.search(r"/audit\?[^\"]*before=\d+", page)
    assert found is not None
    rest = browser.get(found[0].replace("&amp;", "&")).text
    assert page.count("<tr><td><time") + rest.count("<tr><td><time") == 250
    assert browser.get("/audit?action=block").text.count("<tr><td><time") == 1
    assert browser.get("/audit?day=2026-13-44").status_code == 422
    assert "Nobody did anything" in browser.get("/audit?day=2020-01-01").text


def test_a_broken_chain_is_told_with_its_row(sqlite_desk: Desk) -> None:
    world = sqlite_desk.world
    lost(world)
    browser = sqlite_desk.member("zoe", "auditor")
    assert "Nothing of the chain is proved yet" in browser.get("/audit").text
    with world.store.write() as connection:
        audit_proof.go_on(connection, NOON, 100)
    assert "Proved whole" in browser.get("/audit").text
    with world.store.write() as connection:
        connection.execute(update(t.audit).where(t.audit.c.id == 1).values(why="other"))
        audit_proof.go_on(connection, NOON + audit_proof.ANEW_US, 100)
    assert "The chain is broken at row 1" in browser.get("/audit").text


def test_a_shift_is_handed_over_by_one_and_taken_by_another(desk: Desk) -> None:
    world = desk.world
    lost(world)
    anna, bo = desk.member("anna", "supervisor"), desk.member("bo", "manager")
    page = anna.get("/handover").text
    assert "First shift today" in page
    given = anna.post("/handover", data={"csrf": anna.csrf(), "note": "Ms Sato, 090-1234-5601, calls again <b>"})
    assert given.status_code == 303
    path = given.headers["location"]
    kept = bo.get(path).text
    assert "&lt;b&gt;" in kept
    assert "1234-5601" not in kept
    assert "held it 1" in kept
    assert anna.act(f"{path}/take").status_code == 409  # another person takes it
    assert bo.act(f"{path}/take").status_code == 303
    assert bo.act(f"{path}/take").status_code == 409
    assert bo.act(f"{path}/note", note=" ").status_code == 422
    assert bo.act(f"{path}/note", note="read").status_code == 303
    row = world.rows(t.handover)[0]
    assert (row.given_by, row.taken_by, [note["who"] for note in row.notes]) == ("anna", "bo", ["anna", "bo"])
    assert {"handed-over", "taken-over"} <= {one.action for one in world.rows(t.audit)}
    desk.now += US
    assert "First shift today" not in anna.get("/handover").text
    with world.store.write() as connection:  # what is kept does not change with what happens then
        actions.resume(world.work(connection, desk.now), 1, By("Bo", "now"))
    assert "Nobody is held" in anna.get("/handover").text
    assert "call …" not in anna.get("/handover").text
    assert "held it 1" in bo.get(path).text


def test_a_handover_of_other_groups_is_as_if_there_were_none(sqlite_desk: Desk) -> None:
    lost(sqlite_desk.world)
    anna = sqlite_desk.member("anna", "supervisor")
    path = anna.act("/handover", note="").headers["location"]
    cho = sqlite_desk.member("cho", "supervisor", groups=frozenset({"sales"}))
    assert cho.get(path).status_code == cho.act(f"{path}/take").status_code == 404
    assert cho.get("/handover/999999").text == cho.get(path).text


@pytest.mark.parametrize("role", ROLES)
def test_what_was_done_has_a_word_for_everybody(sqlite_desk: Desk, role: Role) -> None:
    world = sqlite_desk.world
    lost(world)
    page = sqlite_desk.member("zoe", role).get("/audit").text
    assert "signed in" in page
    assert not re.search(r"<td>(user-added|signed-in|held|block|note)</td>", page)
