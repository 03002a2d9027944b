"""When a reservation may be called at the earliest: what says so, and that one place alone writes it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

import callback
from callback.decisions import actions
from callback.reservations import promises, times
from callback.store import tables as t
from callback.store.audit import CUSTOMER, By
from scheduler.promise import Promise
from scheduler.severity import NOW
from sms.outbox import text_outbox
from tests.callback.world import MINUTE, NOON, US, World, at, call, picture, rules

FREE = picture(free={"support": {f"PJSIP/agent{n}" for n in range(9)}})
ANNA = By("anna", "the customer waits")
HERSELF = By(CUSTOMER, "chosen on the page")
FACTS = ("slot_at", "put_off_until_at", "retry_at", "quiet_until_at")


def only(world: World) -> Any:
    (row,) = world.reservations()
    return row


def facts(world: World) -> dict[str, int | None]:
    row = only(world)
    return {name: getattr(row, name) for name in FACTS if getattr(row, name) is not None}


def change(world: World, **changed: int | None) -> int:
    with world.store.write() as connection:
        return times.change(connection, 1, **changed)


def decide(world: World, name: str, now: int, by: By = ANNA, **what: int) -> None:
    decision: Any = getattr(actions, name)
    with world.store.write() as connection:
        decision(world.work(connection, now), 1, *what.values(), by)


def tried(world: World, now: int, outcome: str) -> None:
    order = world.claim(now, FREE)
    assert order is not None
    world.end(order.attempt, outcome, now + MINUTE)


def test_the_first_promise_alone_says_when(world: World) -> None:
    world.hear(call(ended_at=at("22:00")))
    row = only(world)
    assert (row.promise_number, row.not_before_at, facts(world)) == (1, at("08:00", 24), {})


def test_what_follows_is_the_latest_of_all_facts_and_each_stays_when_another_changes(world: World) -> None:
    world.hear(call())
    assert change(world, retry_at=NOON + 5 * MINUTE) == NOON + 5 * MINUTE
    assert change(world, put_off_until_at=NOON + 9 * MINUTE) == NOON + 9 * MINUTE
    assert change(world, quiet_until_at=NOON + 7 * MINUTE) == NOON + 9 * MINUTE
    assert change(world, put_off_until_at=None) == NOON + 7 * MINUTE
    assert (only(world).not_before_at, only(world).due_at) == (NOON + 7 * MINUTE, NOON + 7 * MINUTE)
    assert change(world, **times.NO_WAIT) == only(world).clock_starts_at


def test_an_outcome_does_not_undo_what_a_person_put_off_meanwhile_and_says_when_itself(world: World) -> None:
    world.hear(call())
    order = world.claim(NOON, FREE)
    assert order is not None
    decide(world, "postpone", NOON + US, until_at=at("15:00"))
    world.end(order.attempt, "busy", NOON + MINUTE)
    assert facts(world) == {"put_off_until_at": at("15:00"), "retry_at": NOON + 6 * MINUTE}
    assert only(world).not_before_at == at("15:00")


def test_what_the_customer_s_day_allows_is_written_down_as_such(migrated_url: str) -> None:
    world = World(migrated_url, rules(rings_a_day=1))
    world.hear(call())
    tried(world, NOON, "busy")
    assert world.claim(NOON + 6 * MINUTE, FREE) is None
    assert facts(world) == {"retry_at": NOON + 6 * MINUTE, "quiet_until_at": at("12:00", 24)}
    world.close()


@pytest.mark.parametrize("by", [ANNA, HERSELF])
def test_call_now_leaves_nothing_that_waits(world: World, by: By) -> None:
    world.hear(call())
    tried(world, NOON, "busy")
    change(world, quiet_until_at=at("14:00"))
    decide(world, "postpone", NOON + 2 * MINUTE, until_at=at("15:00"))
    decide(world, "call_now", NOON + 3 * MINUTE, by)
    assert (facts(world), only(world).severity) == ({}, NOW)
    assert world.claim(NOON + 3 * MINUTE, FREE) is not None


@pytest.mark.parametrize(("outcome", "left"), [("busy", None), ("no-answer", None), ("agent-no-answer", at("15:00"))])
def test_a_chosen_time_is_over_once_it_was_tried(world: World, outcome: str, left: int | None) -> None:
    """An attempt for which no agent was found was no try."""
    world.hear(call())
    decide(world, "choose_slot", NOON + MINUTE, HERSELF, chosen_at=at("15:00"))
    assert world.claim(at("14:59"), FREE) is None
    tried(world, at("15:00"), outcome)
    assert only(world).slot_at == left
    assert only(world).deadline_at == at("15:30"), "the promise stands"


@pytest.mark.parametrize(("outcome", "again"), [("busy", at("15:00")), ("agent-no-answer", NOON + 4 * MINUTE)])
def test_tried_sooner_by_a_person_the_chosen_time_stands(world: World, outcome: str, again: int) -> None:
    world.hear(call())
    decide(world, "choose_slot", NOON + MINUTE, HERSELF, chosen_at=at("15:00"))
    decide(world, "call_now", NOON + 2 * MINUTE)
    tried(world, NOON + 2 * MINUTE, outcome)
    row = only(world)
    assert (row.slot_at, row.not_before_at, row.deadline_at) == (at("15:00"), again, at("15:30"))


def test_a_person_who_tries_sooner_moves_no_rate(world: World) -> None:
    world.hear(call())
    decide(world, "choose_slot", NOON + MINUTE, HERSELF, chosen_at=at("15:00"))
    decide(world, "call_now", NOON + 2 * MINUTE)
    assert [(row.reason, row.clock_starts_at) for row in world.rows(t.promise)[1:]] == [
        ("slot", at("15:00")),
        ("tried-sooner", NOON + 2 * MINUTE),
    ]


def test_the_text_of_a_time_that_was_given_up_is_not_sent(world: World) -> None:
    world.hear(call())
    decide(world, "choose_slot", NOON + MINUTE, chosen_at=at("15:00"))
    decide(world, "call_now", NOON + MINUTE + US, HERSELF)
    assert [(row.template, row.state) for row in world.rows(text_outbox)][-1] == ("slot", "withdrawn")


def test_a_new_time_clears_what_waited(world: World) -> None:
    world.hear(call())
    tried(world, NOON, "declined")
    decide(world, "postpone", NOON + 2 * MINUTE, until_at=at("18:00"))
    decide(world, "choose_slot", NOON + 3 * MINUTE, chosen_at=at("15:00"))
    assert (facts(world), only(world).not_before_at) == ({"slot_at": at("15:00")}, at("15:00"))


# What a process of an older version writes after the schema was changed, while it holds the lease still


def adopted(world: World, now: int, **written: int) -> Any:
    """What stands after the takeover."""
    with world.store.write() as connection:
        connection.execute(update(t.reservation).values(**written))
        promises.adopt(world.work(connection, now))
    return only(world)


def test_what_an_older_process_reserved_is_taken_in(world: World) -> None:
    world.hear(call())
    row = adopted(world, NOON + MINUTE, promise_number=0, not_before_at=0)
    assert (row.promise_number, row.not_before_at, facts(world)) == (1, NOON, {})


def test_what_an_older_process_put_off_stands_and_what_it_let_be_called_too(world: World) -> None:
    world.hear(call())
    row = adopted(world, NOON + MINUTE, due_at=at("15:00"))
    assert (row.not_before_at, facts(world)) == (at("15:00"), {"retry_at": at("15:00")})
    row = adopted(world, NOON + 2 * MINUTE, due_at=NOON + 2 * MINUTE)
    assert (row.not_before_at, row.due_at, facts(world)) == (NOON, NOON, {})


def test_the_newest_promise_is_in_force_though_nobody_numbered_it(world: World) -> None:
    """Also before anybody took it in: a decision about it, or the customer's next call, does not fail."""
    world.hear(call())
    with world.store.write() as connection:
        connection.execute(update(t.reservation).values(promise_number=0))
    world.hear(call(ended_at=NOON + 20 * MINUTE))
    decide(world, "call_now", NOON + 21 * MINUTE)
    assert only(world).deadline_at == NOON + 60 * MINUTE


def test_what_this_version_wrote_is_left_alone(world: World) -> None:
    world.hear(call())
    tried(world, NOON, "declined")
    decide(world, "postpone", NOON + 2 * MINUTE, until_at=at("18:00"))
    before = only(world)
    assert adopted(world, NOON + 3 * MINUTE, revision=before.revision) == before


# That nobody else writes these columns

OURS = {"promise_number", "put_off_until_at", "retry_at", "quiet_until_at", "not_before_at", "due_at", "slot_at",
        "clock_starts_at", "aim_at", "deadline_at", "overdue_by_at"}  # fmt: skip
NO_COLUMN = {
    "Again",
    "Line",
    "Row",
    "Candidate",
    "Owed",
    "Due",
    "Promise",
    "Facts",
    "FollowUp",
    "Reservation",
    "replace",
    "partial",
}  # values, made of what was read
OUTBOX = {"NewText", "_Text", "put"}  # a text's own not_before_at


def test_one_place_writes_them() -> None:
    """Whatever else is named like one of them is a value that was read, or what an event tells."""
    assert [found for path in _application() for found in _writes(path)] == []


def _application() -> Iterator[Path]:
    for path in Path(callback.__file__).parent.rglob("*.py"):
        if not {"migrations", "campaigns"} & {*path.parts} and path.name != "times.py":  # these have such a column too
            yield path


def _writes(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        written: set[str] = set()
        if isinstance(node, ast.Call) and _name(node.func) not in NO_COLUMN | OUTBOX:
            changes = ast.unparse(node.func) == "times.change"
            written = set() if changes else {one.arg for one in node.keywords if one.arg is not None}
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            written = {str(node.slice.value)} if isinstance(node.slice, ast.Constant) else set()
        yield from (f"{path.name}:{getattr(node, 'lineno', 0)} {name}" for name in sorted(written & OURS))


def _name(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else ast.unparse(called)


def test_that_is_found_where_it_is_done(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("update(r).values(due_at=1)\nvalues['not_before_at'] = 2\ntimes.change(c, 1, retry_at=3)\n")
    assert list(_writes(wrong)) == ["wrong.py:1 due_at", "wrong.py:2 not_before_at"]


def test_the_columns_of_a_new_reservation_are_those_of_its_promise() -> None:
    pledge = Promise(1, 5, 6, 7, "window")
    assert times.of_new(pledge) == {
        "promise_number": 1, "clock_starts_at": 5, "aim_at": 6, "deadline_at": 7, "not_before_at": 5, "due_at": 5,
    }  # fmt: skip
