"""Choosing whom to call now, and claiming him: one transaction, before anything is asked of the PBX."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from callback import phone, recovery, settle, wording
from callback.live import Live
from callback.news import News
from callback.shift import Shift
from callback.store import lanes
from callback.store import tables as t
from callback.store.lease import Lease
from scheduler import order
from scheduler.clock import DAY
from scheduler.promise import Promise, carry
from telephony.dialler import Order

US = 1_000_000
SHORTEST_RING_US = 3 * US  # before the evening cut; less is no ring but a nuisance


def next_order(
    connection: Connection, shift: Shift, held: Lease, live: Live, now: int
) -> tuple[Order | None, list[News]]:
    """Claim the next callback, if there is one that may be placed now, and give the order for it.

    The claim is the point of no return: an attempt that was claimed is placed once or never, and is resolved by
    evidence when nobody knows. Call it again until it gives no order.
    """
    if live.closed is not None:
        return None, []
    in_flight = lanes.in_flight(connection)
    queues = _queues(shift, order.reachable(_floor(in_flight, shift, live)))
    rows = {row.id: row for row in lanes.due(connection, shift.pbx, now, queues, live.numbers)}
    while True:
        decision = decide(list(rows.values()), in_flight, shift, live, now)
        if isinstance(decision, order.Wait):
            return None, []
        if lanes.lock(connection, decision.candidate.reservation, now):
            break
        del rows[decision.candidate.reservation]  # somebody else is about to call him, or decides about him
    if not _rings_left(connection, shift, decision.candidate, now):
        return None, []
    return _claim(connection, shift, held, live, rows[decision.candidate.reservation], decision, now)


def _rings_left(connection: Connection, shift: Shift, candidate: order.Candidate, now: int) -> bool:
    """Whether his phone may ring once more today; when it may not, he is not due before tomorrow."""
    a, r = t.attempt.c, t.reservation.c
    his = select(r.person_id).where(r.id == candidate.reservation).scalar_subquery()
    rings = select(a.claimed_at).where(a.person_id == his, a.claimed_at > now - DAY, a.customer_dialled_at.is_not(None))
    claims = sorted(connection.execute(rings).scalars())
    if len(claims) < shift.rules.rings_a_day:
        return True
    again_at = shift.hours.next_opening(claims[-shift.rules.rings_a_day] + DAY)
    connection.execute(update(t.reservation).where(r.id == candidate.reservation).values(due_at=again_at))
    return False


def _queues(shift: Shift, reachable: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The queues that somebody might be called for, with the only numbers that may be."""
    staffed = ((queue, shift.rules.queue(queue)) for queue in reachable)
    return {queue: rules.only_numbers for queue, rules in staffed if rules.calls == "on"}


def _floor(in_flight: list[Row[Any]], shift: Shift, live: Live) -> order.Floor:
    looking = Counter(row.queue for row in in_flight if row.pbx == shift.pbx and row.agent_connected_at is None)
    return order.Floor(free=live.free, waiting=live.waiting, looking=looking)


def decide(rows: list[Row[Any]], in_flight: list[Row[Any]], shift: Shift, live: Live, now: int) -> order.Decision:
    """Ask the pure rule; also for those who only want to know why not. `in_flight`: the attempts on every PBX."""
    floor = _floor(in_flight, shift, live)
    busy = {row.person_id for row in in_flight}
    return order.choose([_candidate(row, shift, live, busy) for row in rows], floor, shift.hours, now)


def _candidate(row: Row[Any], shift: Shift, live: Live, busy: set[int]) -> order.Candidate:
    return order.Candidate(
        reservation=row.id,
        queue=row.queue,
        kind=row.kind,
        clock_starts_at=row.clock_starts_at,
        aim_at=row.aim_at,
        deadline_at=row.deadline_at,
        due_at=row.due_at,
        severity=row.severity,
        lost_again=row.last_lost_at > row.deadline_at,
        number_live=row.e164 in live.numbers,
        in_flight=row.person_id in busy,
        watched=not may_call(shift, row.queue, row.e164),
    )


def may_call(shift: Shift, queue: str, e164: str) -> bool:
    """Whether callbacks are switched on for this queue and number."""
    rules = shift.rules.queue(queue)
    return rules.calls == "on" and (not rules.only_numbers or e164 in rules.only_numbers)


def _claim(
    connection: Connection,
    shift: Shift,
    held: Lease,
    live: Live,
    row: Row[Any],
    decision: order.Call,
    now: int,
) -> tuple[Order | None, list[News]]:
    cut = shift.hours.ring_until(now)
    if cut is None or cut - now < SHORTEST_RING_US:
        return None, []
    settle.move(connection, row.id, "dialled", now)
    rules, queue = shift.rules, shift.rules.queue(row.queue)
    trunk = shift.trunks.get(row.trunk) or next(iter(shift.trunks.values()))
    # EPOCH on the PBX is cut to whole seconds: one second less, and no ring reaches the cut itself
    ring_until = min(now // US + rules.agent_wait_s + rules.ring_s, cut // US - 1)
    attempt = secrets.token_hex(8)
    number = (
        1
        + connection.execute(
            select(func.count()).select_from(t.attempt).where(t.attempt.c.reservation_id == row.id)
        ).scalar_one()
    )
    connection.execute(
        insert(t.attempt).values(
            id=attempt,
            pbx=shift.pbx,
            reservation_id=row.id,
            person_id=row.person_id,
            number=number,
            in_flight=True,
            fence=held.fence,
            rules_version=shift.version,
            pbx_boot=live.boot,
            decision={"why": decision.why[row.id], "agents": list(decision.agents), "of": len(decision.why)},
            claimed_at=now,
            ring_until_at=ring_until * US,
        )
    )
    placed = Order(
        attempt=attempt,
        queue=row.queue,
        dial=phone.dial_string(row.e164, trunk),
        ring_until=ring_until,
        agent_wait_s=rules.agent_wait_s,
        ring_s=rules.ring_s,
        caller_num=queue.caller_id,
        caller_name=queue.caller_name,
        agent_sees=row.e164,
        record=queue.record,
    )
    facts = {"reservation": row.id, "attempt": attempt, "number": number, "queue": row.queue}
    return placed, [News("dialling", now, facts)]


def carry_over(connection: Connection, shift: Shift, now: int) -> list[News]:
    """At the evening cut: promise anew, for the next opening, what could not be kept today.

    That is done once. What is still open at another cut expires and is for people, and so does at its deadline what
    was only watched: to switch calls on is no reason to ring those who were lost while they were off.
    """
    told = []
    for row in lanes.overdue(connection, shift.pbx, now):
        standing = Promise(row.made_at, row.clock_starts_at, row.aim_at, row.deadline_at, "")
        carried = carry(standing, shift.hours, now, shift.rules.terms())
        watched = not may_call(shift, row.queue, row.e164)
        if watched or (carried is not standing and row.carried):
            told.append(_expire(connection, row, now, "only-watched" if watched else "not-reached-after-carrying-over"))
            continue
        if carried is standing:
            continue
        recovery.add_promise(connection, shift, row.id, carried)
        settle.postpone(connection, row, carried)
        facts = {
            "reservation": row.id,
            "from_at": carried.clock_starts_at,
            "deadline_at": carried.deadline_at,
        }
        told.append(News("carried-over", now, facts))
    return told


def _expire(connection: Connection, row: Row[Any], now: int, why: str) -> News:
    settle.move(connection, row.id, "expired", now)
    wording.withdraw(connection, row.id, why, now)
    return News("expired", now, {"reservation": row.id, "number": row.e164, "queue": row.queue, "why": why})
