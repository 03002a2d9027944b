"""What was kept for long enough is forgotten, in pieces; what is owed never is, however old."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from callback.customers.persons import ERASED
from callback.operations.retention import forgetting, kinds
from callback.service.keeping.retain import Retain
from callback.service.transactions import Transactions, as_before
from callback.settings.retention import Retention
from callback.store import audit, audit_proof
from callback.store import tables as t
from scheduler.clock import DAY
from sms.outbox import text_outbox
from tests.callback.care.told import all_about
from tests.callback.world import NOON, World, call, emptied

KEPT = Retention(persons_days=400, texts_days=90, evidence_days=90)
GOOD = Retention(persons_days=0, texts_days=0, evidence_days=0, care_days=0)
NOTHING = {kind.name: 0 for kind in kinds.KINDS}
OLD, RECENT = NOON - 401 * DAY, NOON - 399 * DAY


def long_ago(world: World) -> World:
    """The service has listened for years."""
    with world.store.write() as connection:
        connection.execute(update(t.checkpoint).values(first_started_at=0))
    return world


def run(world: World, kept: Retention = KEPT, now: int = NOON) -> None:
    """Let the job of the service do it."""
    parts = (world.store, world.sites, world.held, lambda: now, lambda: None, as_before)
    asyncio.run(Retain(Transactions(*parts), kept, world.store.forget_overwritten).run())


def close(world: World, number: str) -> None:
    """Let what is owed to somebody be settled, as it was when they called."""
    with world.store.write() as connection:
        of = select(t.person.c.id).where(t.person.c.number == number).scalar_subquery()
        closed = {"state": "reached", "open": False, "revision": t.reservation.c.revision}
        connection.execute(update(t.reservation).where(t.reservation.c.person_id == of).values(**closed))
        connection.execute(
            update(text_outbox)
            .where(text_outbox.c.settled_at.is_(None))
            .values(state="failed", settled_at=text_outbox.c.created_at)
        )


def numbers(world: World) -> list[str]:
    return [row.number for row in world.rows(t.person)]


def test_each_kind_goes_when_its_time_is_over_and_rows_stay(world: World) -> None:
    long_ago(world).hear(call("09012345670", ended_at=OLD))
    world.hear(call("09012345671", ended_at=RECENT))
    for number in ("+819012345670", "+819012345671"):
        close(world, number)
    run(world)
    first, second = numbers(world)
    assert first.startswith(ERASED)
    assert second == "+819012345671"
    assert [row.tail is None for row in world.rows(t.person)] == [True, False]
    assert [row.body for row in world.rows(text_outbox)] == ["", ""], "both are older than 90 days"
    assert [row.evidence for row in world.rows(t.verdict)] == [[], []]
    assert [row.kind for row in world.rows(t.verdict)] == ["abandoned", "abandoned"]
    assert len(world.reservations()) == len(world.rows(t.call)) == 2
    (told,) = [row for row in world.rows(t.audit) if row.action == "retained"]
    assert told.facts == NOTHING | {"persons": 1, "texts": 1, "evidence": 2}
    with world.store.read() as connection:
        assert audit.broken_at(connection) is None


def test_nothing_goes_that_is_kept_for_good_and_nothing_is_written_then(world: World) -> None:
    long_ago(world).hear(call(ended_at=OLD))
    close(world, "+819012345678")
    run(world, GOOD)
    assert numbers(world) == ["+819012345678"]
    assert world.rows(text_outbox)[0].body
    assert world.rows(t.audit) == []


def test_a_dry_run_says_what_would_go_and_from_when(world: World) -> None:
    long_ago(world).hear(call(ended_at=OLD))
    close(world, "+819012345678")
    with world.store.read() as connection:
        found = {kind.name: old for kind, _, old in forgetting.due(world.work(connection, NOON), KEPT)}
    assert {name: old.rows for name, old in found.items()} == NOTHING | {"persons": 1, "texts": 1, "evidence": 1}
    assert found["persons"].oldest_at == OLD
    assert found["unread"].oldest_at is None
    assert numbers(world) == ["+819012345678"], "it only says so"


def test_many_go_in_pieces_between_which_others_write(sqlite_world: World) -> None:
    world = sqlite_world
    people = [{"number": f"+8190{number:08}", "created_at": OLD} for number in range(kinds.PIECE + 5)]
    with world.store.write() as connection:
        connection.execute(insert(t.person), people)
        assert forgetting.forget(world.work(connection, NOON), kinds.KINDS[0], KEPT) == kinds.PIECE
    assert sum(not number.startswith(ERASED) for number in numbers(world)) == 5
    run(world)
    assert all(number.startswith(ERASED) for number in numbers(world))


def test_answers_that_nobody_has_read_and_unread_numbers(world: World) -> None:
    long_ago(world).hear(call(ended_at=OLD))
    close(world, "+819012345678")
    told = {"pbx": "main", "account": "a", "received_at": NOON - 91 * DAY, "wish": "other", "body": "my number is …"}
    with world.store.write() as connection:
        rows = [told | {"sid": "1", "state": "done"}, told | {"sid": "2", "state": "open", "person_id": 1}]
        for row in rows:
            connection.execute(insert(t.answer).values(**row))
        call_id = connection.execute(select(t.call.c.call_id)).scalar_one()
        connection.execute(insert(t.unread_number).values(pbx="main", call_id=call_id, digits="0312"))
    run(world)
    assert [row.body for row in world.rows(t.answer)] == ["", "my number is …"]
    assert numbers(world) == ["+819012345678"], "somebody must still read the answer"
    assert world.rows(t.unread_number) == []


def test_the_audit_stays_provable_from_where_its_beginning_was_deleted(world: World) -> None:
    with world.store.write() as connection:
        for number in range(5):
            audit.add(
                connection, "main", audit.By("anna", "so"), "note", None, {"n": number}, NOON - (9 - number) * DAY
            )
        anchor = audit.head(connection)
    kept = Retention(persons_days=0, texts_days=0, evidence_days=0, audit_days=7)
    run(world, kept)
    assert len(world.rows(t.audit)) == 5, "nothing goes that was not proved"
    with world.store.write() as connection:
        audit_proof.go_on(connection, NOON, 100)
    run(world, kept)
    assert [row.facts.get("n") for row in world.rows(t.audit)] == [2, 3, 4, None, None]
    with world.store.write() as connection:
        assert audit.cut(connection).rows == 2
        assert audit.broken_at(connection, [anchor, audit.Head(2, audit.cut(connection).hash)]) is None
        for _ in range(2):
            assert audit_proof.go_on(connection, NOON + 2 * DAY, 3).broken is None
        assert audit_proof.go_on(connection, NOON + 2 * DAY, 100).whole_at == NOON + 2 * DAY
    with world.store.write() as connection:
        connection.execute(t.audit.delete().where(t.audit.c.id == 3))
        assert audit.broken_at(connection) == "row 4"
        third = connection.execute(select(t.audit.c.previous).where(t.audit.c.id == 4)).scalar_one()
        connection.execute(update(t.audit_cut).values(audit_id=3, rows=3, hash=third))
        assert "no later one tells" in str(audit.broken_at(connection)), "a beginning that somebody else deleted"


def test_what_cases_letters_notes_and_flags_said_goes_once_they_are_over(world: World) -> None:
    all_about(long_ago(world), "+819012345678", "hello", OLD)
    with world.store.write() as connection:
        connection.execute(update(t.campaign_person).values(state="told", told_at=OLD))
    run(world, Retention(persons_days=0))
    by_state = {row.state: row.words for row in world.rows(t.care_case)}
    assert by_state == {"closed": "", "assigned": "hello", "confirmed": "hello"}, "an open one is still needed"
    assert [row.note for row in world.rows(t.care_step)] == ["", "hello", "hello"]
    assert {row.state: row.body for row in world.rows(t.care_letter)} == {"sent": "", "waiting": "hello"}
    flags = {row.state: (row.reason, row.why_not) for row in world.rows(t.contact_flag)}
    assert flags == {"waiting": ("hello", "hello"), "reserved": ("", ""), "refused": ("", "")}
    assert world.rows(t.care_note) == []
    (told,) = [row for row in world.rows(t.audit) if row.action == "retained"]
    assert told.facts == NOTHING | {"letters": 1, "cases": 1, "notes": 1, "flags": 2}
    run(world, Retention(persons_days=0))
    assert len([row for row in world.rows(t.audit) if row.action == "retained"]) == 1, "nothing more is due"


def test_nobody_is_forgotten_who_has_a_case_a_flag_or_a_place_in_an_audience(world: World) -> None:
    """All of it is long ago: only what is still open keeps somebody known."""
    person = all_about(long_ago(world), "+819012345678", "hello", OLD)
    over: dict[Any, Any] = {
        t.care_case: {"open": False, "state": "closed"},
        t.contact_flag: {"state": "cancelled"},
        t.campaign_person: {"state": "told", "told_at": OLD},
    }
    for table, ended in over.items():
        run(world)
        assert numbers(world) == ["+819012345678"], table.name
        with world.store.write() as connection:
            connection.execute(update(table).where(table.c.person_id == person).values(ended))
    run(world)
    assert numbers(world)[0].startswith(ERASED)
    assert {row.words for row in world.rows(t.care_case)} == {""}


SOMEBODY = st.fixed_dictionaries(
    {
        "days": st.integers(0, 900),
        "state": st.sampled_from(["waiting", "held", "calling", "reached", "expired", "refused", "cancelled"]),
        "in_flight": st.booleans(),
        "answer": st.sampled_from([None, "open", "done"]),
    }
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(people=st.lists(SOMEBODY, min_size=1, max_size=3), days=st.integers(1, 800))
def test_what_is_owed_is_never_forgotten(sqlite_world: World, people: list[dict[str, Any]], days: int) -> None:
    emptied(sqlite_world.store)
    world = long_ago(World(sqlite_world.store.url))
    for number, one in enumerate(people, 1):
        at = NOON - one["days"] * DAY
        world.hear(call(f"0901234560{number}", ended_at=at))
        _let_be(world, number, one, at)
    before = {row.id: row.number for row in world.rows(t.person)}
    run(world, Retention(persons_days=days, texts_days=days, evidence_days=days))
    for row in world.rows(t.person):
        one = people[row.id - 1]
        owed = one["state"] in {"waiting", "held", "calling"} or one["in_flight"] or one["answer"] == "open"
        forgotten = row.number.startswith(ERASED)
        assert forgotten == (not owed and one["days"] > days), (one, days)
        assert forgotten or row.number == before[row.id]
    assert all(row.body for row in world.rows(text_outbox) if row.state == "waiting" and _is_owed(world, row))


def _is_owed(world: World, text: Any) -> bool:
    reservation = next(row for row in world.reservations() if text.recipient == f"reservation/{row.id}")
    return bool(reservation.open)


def _let_be(world: World, number: int, one: dict[str, Any], at: int) -> None:
    r = t.reservation.c
    state = {"state": one["state"], "open": one["state"] in {"waiting", "held", "calling"}}
    with world.store.write() as connection:
        connection.execute(update(t.reservation).where(r.id == number).values(state_since_at=at, **state))
        if one["in_flight"]:
            ids = {"id": f"a{number}", "pbx": "main", "reservation_id": number, "person_id": number, "number": 1}
            rest = {"in_flight": True, "fence": 1, "rules_version": 1, "pbx_boot": "b", "decision": {}}
            connection.execute(insert(t.attempt).values(**ids, **rest, claimed_at=at, ring_until_at=at))
        if one["answer"]:
            said = {"pbx": "main", "account": "a", "sid": str(number), "person_id": number, "received_at": at}
            connection.execute(insert(t.answer).values(**said, wish="other", body="hello", state=one["answer"]))
