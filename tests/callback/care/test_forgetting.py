"""Who is erased is in no word of care and campaigns, and neither asked nor told any more."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select

from callback.customers import persons
from callback.decisions import actions
from callback.reports.records import dossier
from callback.store import tables as t
from callback.store.audit import By
from sms.outbox import metadata as sms_metadata
from tests.callback.care.told import CONFIRMED_CASE, OLD_CASE, OPEN_CASE, all_about
from tests.callback.world import MINUTE, NOON, World, fed

NUMBER = "+819012345678"
MARK = "the-cat-of-my-aunt"
BY = By("anna", "the customer asked for it")
OF_CARE = {
    "survey", "care_case", "care_step", "care_letter", "care_note", "contact_flag", "campaign_person", "campaign_asked",
}  # fmt: skip


def erase(world: World, number: str = NUMBER) -> None:
    with world.store.write() as connection:
        actions.erase(world.work(connection, NOON + MINUTE), number, BY)


def whole(world: World) -> dict[str, list[Any]]:
    tables = [*t.metadata.sorted_tables, *sms_metadata.sorted_tables]
    with world.store.read() as connection:
        return {table.name: [tuple(row) for row in connection.execute(select(table))] for table in tables}


def test_no_word_of_an_erased_customer_is_left_anywhere(world: World) -> None:
    all_about(world, NUMBER, MARK)
    told = {name for name, rows in whole(world).items() if MARK in repr(rows)}
    assert told == {"care_case", "care_step", "care_letter", "care_note", "contact_flag", "text_outbox"}
    erase(world)
    assert {name for name, rows in whole(world).items() if MARK in repr(rows)} == set()
    assert world.rows(t.care_note) == []


def test_what_was_open_ends_and_its_end_is_told(world: World) -> None:
    all_about(world, NUMBER, MARK)
    before = {row.id: row for row in world.rows(t.care_case)}
    erase(world)
    after = {row.id: row for row in world.rows(t.care_case)}
    assert {one: row.state for one, row in after.items()} == {
        OLD_CASE: "closed", OPEN_CASE: "withdrawn", CONFIRMED_CASE: "closed",
    }  # fmt: skip
    assert not any(row.open for row in after.values())
    assert after[OLD_CASE].state_since_at == before[OLD_CASE].state_since_at, "it had ended before"
    moved = [one.facts["case"] for one in fed(world.store) if one.name == "case-moved"]
    assert moved == [OPEN_CASE, CONFIRMED_CASE]
    assert [row.state for row in world.rows(t.contact_flag)] == ["cancelled", "reserved", "refused"]
    assert [row.state for row in world.rows(t.care_letter)] == ["sent", "withdrawn", "withdrawn"]
    (person,), (asked,) = world.rows(t.campaign_person), world.rows(t.campaign_asked)
    assert (person.state, person.why, asked.why_not) == ("left-out", "erased", "erased")
    assert set(world.texts().values()) == {"withdrawn"}
    assert world.rows(t.survey)[0].score == 1, "figures stay, as nobody's"


def test_nobody_elses_words_go(world: World) -> None:
    all_about(world, NUMBER, MARK)
    with world.store.write() as connection:
        persons.person_of(connection, "+819011111111", NOON)
    erase(world, "+819011111111")
    assert {row.words for row in world.rows(t.care_case)} == {MARK}
    assert {row.body for row in world.rows(t.care_letter)} == {MARK}


def test_a_customer_may_read_all_of_it(world: World) -> None:
    person = all_about(world, NUMBER, MARK)
    with world.store.read() as connection:
        found = dossier.of(world.work(connection, NOON), person)
    assert found.keys() >= OF_CARE | {"text_outbox"}
    assert [len(found[name]) for name in ("care_case", "care_step", "care_letter", "contact_flag")] == [3, 3, 3, 3]
    assert len(found["text_outbox"]) == 3
    assert json.dumps(found).count(MARK) == 3 * 4 + 3 * 2 + 3 * 2 + 3 * 2 + 1 + 3
