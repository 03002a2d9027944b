"""All that happened to a reservation, from the first ring on, in one order; and to one customer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, event

from callback.attempts import settle, snapshot
from callback.decisions import actions, replies
from callback.events import PromisesInDanger
from callback.losses import incidents
from callback.reports.timeline import story
from callback.reports.timeline.entries import ORDER, Alarmed, Called, Decided, Entry, Judged, Promised, Told, Tried
from callback.reports.timeline.story import Timeline
from callback.settings.rules import QueueRules
from callback.store import tables as t
from callback.store.audit import By
from sms.inbound import Inbound
from tests.callback.world import MINUTE, NOON, US, World, call, picture, rules

CUSTOMER = "09012345678"
ANNA = By("anna", "asked")


def do(world: World, when: int, act: Callable[..., object], *about: object) -> None:
    with world.store.write() as connection:
        act(world.work(connection, when), *about)


def told(world: World, number: int = 1, now: int = NOON, groups: frozenset[str] | None = None) -> Timeline | None:
    with world.store.read() as connection:
        return story.of_reservation(world.work(connection, now), number, groups)


def whole(world: World, number: int = 1, now: int = NOON) -> Timeline:
    found = told(world, number, now)
    assert found is not None
    return found


def lived(world: World) -> None:
    """Lost, lost again, tried, put off, answered by text, alarmed about, and reached."""
    world.hear(call(CUSTOMER, NOON))
    world.hear(call(CUSTOMER, NOON + 2 * MINUTE))
    order = world.claim(NOON + 3 * MINUTE)
    assert order is not None
    do(world, NOON, settle.progress, order.attempt, "agent_connected_at", NOON + 3 * MINUTE + 2 * US, "Agent One")
    do(world, NOON, settle.progress, order.attempt, "customer_dialled_at", NOON + 3 * MINUTE + 3 * US, "Agent One")
    world.end(order.attempt, "busy", NOON + 3 * MINUTE + 9 * US)
    do(world, NOON + 4 * MINUTE, actions.assign, 1, "Wei", ANNA)
    do(world, NOON + 5 * MINUTE, replies.take, Inbound("main", "SM1", "+819012345678", "", "after lunch"))
    do(world, NOON + 6 * MINUTE, lambda work: work.tell(PromisesInDanger("site", 5, 2, 1, NOON, again=False)))
    do(world, NOON + 7 * MINUTE, lambda work: work.tell(PromisesInDanger("other", 5, 2, 1, NOON, again=False)))
    again = world.claim(NOON + 9 * MINUTE)
    assert again is not None
    world.end(again.attempt, "reached", NOON + 12 * MINUTE)


def test_the_whole_life_of_a_reservation_stands_in_one_order(world: World) -> None:
    lived(world)
    found = whole(world, now=NOON + 20 * MINUTE)
    places = [(entry.at, ORDER[entry.WHAT]) for entry in found.entries]
    assert places == sorted(places)
    assert [(entry.WHAT, entry.whose) for entry in found.entries] == [
        ("call", "customer"),
        ("visit", "customer"),
        ("verdict", "machine"),
        ("loss", "machine"),
        ("promise", "us"),
        ("call", "customer"),
        ("visit", "customer"),
        ("verdict", "machine"),
        ("loss", "machine"),
        ("attempt", "us"),
        ("decision", "people"),
        ("answer", "customer"),
        ("alarm", "machine"),
        ("attempt", "us"),
        ("text", "us"),
    ]
    assert found.reservation.state == "reached"
    assert found.next is None


def test_it_begins_with_the_first_ring_and_says_what_was_called_again(world: World) -> None:
    lived(world)
    calls = [entry for entry in whole(world).entries if isinstance(entry, Called)]
    assert [(entry.at, entry.again, entry.trunk) for entry in calls] == [
        (NOON - 20 * US, False, "main"),
        (NOON + 2 * MINUTE - 20 * US, True, "main"),
    ]


def test_an_attempt_says_who_was_free_and_who_else_was_due(world: World) -> None:
    for n in range(3):
        world.hear(call(f"0901234567{n}", NOON + n * US))
    world.claim(NOON + MINUTE)
    (attempt,) = (entry for entry in whole(world).entries if isinstance(entry, Tried))
    assert (attempt.choice.why, attempt.choice.agents, attempt.choice.of) == ("in-aim", ("PJSIP/agent1",), 3)
    assert attempt.choice.others == {"in-aim": 2}
    assert (attempt.outcome, attempt.number) == (None, 1)


def test_every_version_of_a_verdict_stands_with_its_evidence(world: World) -> None:
    one = call(CUSTOMER, NOON)
    world.hear(one, source="log")
    world.hear(one, "dropped", now=NOON + MINUTE)
    verdicts = [entry for entry in whole(world).entries if isinstance(entry, Judged)]
    assert [(v.version, v.source, v.kind, v.newest, v.at) for v in verdicts] == [
        (1, "log", "abandoned", False, NOON),
        (2, "live-complete", "dropped", True, NOON + MINUTE),
    ]
    assert [line.detail for line in verdicts[0].evidence] == ["said so"]


def test_a_loss_that_a_better_verdict_took_away_leaves_its_call(world: World) -> None:
    one = call(CUSTOMER, NOON)
    world.hear(one, source="log")
    world.hear(one, "served", now=NOON + MINUTE)
    entries = whole(world).entries
    assert [entry.call_id for entry in entries if isinstance(entry, Called)] == [one.call_id]
    assert [entry.name for entry in entries if isinstance(entry, Told)] == ["withdrawn"]


def test_the_promise_in_force_is_marked(world: World) -> None:
    world.hear(call(CUSTOMER, NOON))
    do(world, NOON + MINUTE, actions.choose_slot, 1, NOON + 90 * MINUTE, ANNA)
    promises = [entry for entry in whole(world).entries if isinstance(entry, Promised)]
    assert [(one.reason, one.in_force) for one in promises] == [("window", False), ("slot", True)]


def test_another_groups_reservation_is_none_like_an_unknown_one(world: World) -> None:
    world.hear(call(CUSTOMER, NOON))
    assert told(world, groups=frozenset({"site"})) is not None
    assert told(world, groups=frozenset({"other"})) is None
    assert told(world, groups=frozenset()) is None
    assert told(world, 99) is None
    with world.store.write() as connection:
        world.know_pbx(connection, "second")
        connection.execute(t.reservation.update().values(pbx="second"))
    assert told(world) is None


def test_calls_for_another_group_stay_out_of_sight(migrated_url: str) -> None:
    of = {name: QueueRules(texts="on", calls="on", caller_id="0312345678", group=name) for name in ("support", "sales")}
    world = World(migrated_url, rules(queues=of))
    world.hear(call(CUSTOMER, NOON))
    world.hear(call(CUSTOMER, NOON + MINUTE, queue="sales"))

    def queues(groups: frozenset[str] | None) -> list[str | None]:
        found = told(world, now=NOON + 2 * MINUTE, groups=groups)
        assert found is not None
        return [entry.queue for entry in found.entries if isinstance(entry, Called)]

    assert queues(None) == ["support", "sales"]
    assert queues(frozenset({"support"})) == ["support"]


def test_others_calls_on_a_shared_number_are_not_the_customers(world: World) -> None:
    first = call(CUSTOMER, NOON)
    world.hear(first)
    with world.store.write() as connection:
        connection.execute(t.person.update().values(shared=True))
    world.hear(call(CUSTOMER, NOON + MINUTE))
    found = whole(world, now=NOON + 5 * MINUTE)
    assert [entry.call_id for entry in found.entries if isinstance(entry, Called)] == [first.call_id]
    assert found.before is None


def test_what_was_before_is_counted(world: World) -> None:
    world.hear(call(CUSTOMER, NOON - 60 * MINUTE, talked_s=40), "served")
    world.hear(call(CUSTOMER, NOON - 50 * MINUTE, waited_s=2))
    world.hear(call(CUSTOMER, NOON))
    before = whole(world).before
    assert before is not None
    assert (before.calls, before.talks, before.score) == (2, 1, None)


def test_who_was_erased_is_nobody_and_it_is_said_by_whom(world: World) -> None:
    lived(world)
    do(world, NOON + 30 * MINUTE, actions.erase, "+819012345678", By("bo", "the customer asked"))
    found = whole(world, now=NOON + 31 * MINUTE)
    assert found.erased is not None
    assert (found.erased.at, found.erased.who) == (NOON + 30 * MINUTE, "bo")
    assert "9012345678" not in repr(found.entries)


def test_decisions_about_its_incident_are_there(migrated_url: str) -> None:
    world = World(migrated_url, rules(incident_losses=1))
    for n in range(3):
        world.hear(call(f"0901234567{n}", NOON + n * US), "dropped")
    do(world, NOON + MINUTE, incidents.decide, 1, "released", By("bo", "the line is back"))
    entries = whole(world, 2).entries
    assert [(one.action, one.who) for one in entries if isinstance(one, Decided)] == [("incident-released", "bo")]
    assert {entry.WHAT for entry in entries} >= {"incident", "loss"}


def test_the_next_step_says_the_place_in_turn_and_what_follows(world: World) -> None:
    for n in range(3):
        world.hear(call(f"0901234567{n}", NOON + n * US))
    step = whole(world, 3, NOON + MINUTE).next
    assert step is not None
    assert (step.row.why.word, step.place, step.of, step.tries_left) == ("service-not-running", 3, 3, 3)
    follows = {outcome: (one.then, one.again_s, one.counts) for one in step.after for outcome in one.outcomes}
    assert follows["reached"] == ("kept", None, False)
    assert follows["busy"] == ("again", 300, True)
    assert follows["trunk-failure"] == ("again", 60, False)


def test_the_last_try_gives_up(world: World) -> None:
    world.hear(call(CUSTOMER, NOON))
    with world.store.write() as connection:
        connection.execute(t.reservation.update().values(tries=2))
    step = whole(world).next
    assert step is not None
    assert step.tries_left == 1
    assert {outcome for one in step.after if one.then == "given-up" for outcome in one.outcomes} >= {"busy", "machine"}


def test_who_stands_behind_others_is_paced_not_next(world: World) -> None:
    for n in range(3):
        world.hear(call(f"0901234567{n}", NOON + n * US))
    do(world, NOON + MINUTE, lambda work: snapshot.store(work.connection, "main", picture(), NOON + MINUTE))
    first, last = (whole(world, n, NOON + MINUTE).next for n in (1, 3))
    assert first is not None
    assert last is not None
    assert (first.row.why.word, last.row.why.word) == ("in-aim", "pacing")


def test_the_stage_of_a_call_under_way_is_told(world: World) -> None:
    world.hear(call(CUSTOMER, NOON))
    order = world.claim(NOON + MINUTE)
    assert order is not None
    step = whole(world, now=NOON + MINUTE).next
    assert step is not None
    assert step.row.stage is not None
    assert (step.row.stage.step, step.row.stage.since_at) == ("agent-rings", NOON + MINUTE)
    do(world, NOON, settle.progress, order.attempt, "agent_connected_at", NOON + MINUTE + US, "Wei")
    do(world, NOON, settle.progress, order.attempt, "customer_dialled_at", NOON + MINUTE + 2 * US, "Wei")
    step = whole(world, now=NOON + MINUTE).next
    assert step is not None
    assert step.row.stage is not None
    assert (step.row.stage.step, step.row.stage.agent) == ("customer-rings", "Wei")


def test_a_customer_and_a_reservation_have_the_same_entries(world: World) -> None:
    """One truth: what the page shows of the reservation is what the command finds of its customer."""
    lived(world)
    with world.store.read() as connection:
        everything = story.of_person(world.work(connection, NOON + 20 * MINUTE), 1)
    of_reservation = [entry for entry in whole(world, now=NOON + 20 * MINUTE).entries if not isinstance(entry, Alarmed)]
    assert list(everything) == of_reservation


def test_nothing_is_looked_for_without_an_index(sqlite_world: World) -> None:
    world, statements = sqlite_world, list[tuple[str, Any]]()
    lived(world)
    do(world, NOON + 30 * MINUTE, actions.erase, "+819012345678", By("bo", "the customer asked"))

    def note(_c: Any, _k: Any, sql: str, parameters: Any, *_rest: Any) -> None:
        if sql.startswith("SELECT"):
            statements.append((sql, parameters))

    event.listen(world.store.engine, "before_cursor_execute", note)
    try:
        whole(world, now=NOON + 20 * MINUTE)
        told(world, now=NOON + 20 * MINUTE, groups=frozenset({"site"}))
    finally:
        event.remove(world.store.engine, "before_cursor_execute", note)
    with world.store.read() as connection:
        steps = [step for sql, parameters in statements for step in _plan(connection, sql, parameters)]
    assert len(statements) > 20
    assert {step for step in steps if "SCAN" in step} <= {"SCAN shift_rules", "SCAN alembic_version", "SCAN live_view"}


def _plan(connection: Connection, sql: str, parameters: Any) -> list[str]:
    return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)]


def test_plain_values_hold_all_facts(world: World) -> None:
    lived(world)
    entries: tuple[Entry, ...] = whole(world).entries
    rows = [entry.as_json() for entry in entries]
    assert {row["what"] for row in rows} == {entry.WHAT for entry in entries}
    (attempt, _) = (row for row in rows if row["what"] == "attempt")
    assert attempt["choice"]["agents"] == ["PJSIP/agent1"]
    assert "id" not in attempt  # the ticket's name on the PBX
