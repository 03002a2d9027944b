"""Choose the next customers to call and claim the attempts: one transaction, before anything is asked of the PBX.

Several are claimed in one transaction, as many as may be placed on one picture: what was looked at and the commit are
shared by all of them (docs/adr/0019).
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import bindparam, insert, update

from callback.attempts import agents, elsewhere, lanes, named, precheck, trunks
from callback.attempts import order as dial_order
from callback.attempts.snapshot import Live, Seat
from callback.customers import numbers as phone_numbers
from callback.events import Dialling
from callback.reservations import states as life
from callback.reservations.reservation import Reservation
from callback.site.context import Site
from callback.site.work import Work
from callback.store import tables as t
from callback.store.lease import Lease
from scheduler import order
from scheduler.candidate import Candidate
from scheduler.clock import SECOND
from scheduler.policy import QueueLoad
from telephony.dialling.dialler import STOPS_WITHIN_S, Order

_R = t.reservation.c
# Made once, for they run at each decision. The reservations that are claimed were locked, and are waiting.
_CALLING = (
    update(t.reservation)
    .where(_R.id.in_(bindparam("claimed", expanding=True)))
    .values(state=life.after("waiting", "dialled"), state_since_at=bindparam("since"))
)
_ATTEMPT = insert(t.attempt)
MOST: Final = 8
"""Claims in one transaction: each holds up other writers for a millisecond, and the last is as old as the first."""


def next_orders(work: Work, held: Lease, live: Live, most: int = MOST) -> list[Order]:
    """Claim the next callbacks, those that may be placed now, and give the order for each.

    A claim is the point of no return: an attempt that was claimed is placed once or never, and is resolved by evidence
    when nobody knows. Call it again, on a new picture, until it gives no order: one transaction claims `most` at most,
    and one where a trunk or a queue's agents are on trial.
    """
    if live.closed is not None:
        return []
    lanes.decide_alone(work.connection, work.pbx)
    claims = _Claims(work, held, live, most)
    for page in lanes.due(work.connection, work.pbx, work.now, claims.wanted):
        claims.take_from(page)
        if claims.done:
            break
    return claims.write()


class _Claims:
    """The claims of one transaction, each decided on what those before it left."""

    def __init__(self, work: Work, held: Lease, live: Live, most: int) -> None:
        self._work, self._held, self._live, self._most = work, held, live, most
        self._seen = look(work, live)
        self._wanted = _wanted(work.site, self._seen, live, work.now)
        self._orders: list[Order] = []
        self._attempts: list[dict[str, Any]] = []

    def wanted(self) -> lanes.Wanted:
        """Who may still be called at all."""
        return self._wanted

    @property
    def done(self) -> bool:
        """Whether no more may be claimed in this transaction."""
        return len(self._orders) == self._most or bool(self._orders and self._seen.on_trial)

    def take_from(self, page: list[Reservation]) -> None:
        """Choose whom to call of these, and lock them."""
        rows, site, now = {row.id: row for row in page}, self._work.site, self._work.now
        live = elsewhere.seen(self._work, page, self._live)
        before = self._seen
        while rows and not self.done:
            decision = decide(list(rows.values()), self._seen, site, live, now)
            if not isinstance(decision, order.NextCall):
                break
            row = rows.pop(decision.candidate.reservation)
            if self._take(row, decision) and not self.done:
                self._seen = self._seen.beside(row, decision.candidate.agent)
        if self._seen is not before:
            self._wanted = _wanted(site, self._seen, live, now)

    def write(self) -> list[Order]:
        """Write down what was chosen, all at once, and give the orders."""
        if self._attempts:
            claimed = [facts["reservation_id"] for facts in self._attempts]
            self._work.connection.execute(_CALLING, {"claimed": claimed, "since": self._work.now})
            self._work.connection.execute(_ATTEMPT, self._attempts)
        return self._orders

    def _take(self, row: Reservation, decision: order.NextCall) -> bool:
        """Choose this one, if it is still to be had; else somebody decides about it, or its phone may not ring now."""
        work = self._work
        locked = precheck.lock(work, row)
        if locked is None or not precheck.may_ring(work, row, locked):
            return False
        cut = work.site.hours_of(row.e164, row.trunk).ring_until(work.now)
        if cut is None:
            return False
        rules = work.site.rules
        ring_until = min(work.now // SECOND + rules.agent_wait_s + rules.ring_s, cut // SECOND - STOPS_WITHIN_S)
        seat = named.seat(row, self._live) if named.holds(row, work.now) else None
        placed = _order(work, row, ring_until, seat, in_turn=decision.binds)
        facts = {
            "id": placed.attempt,
            "pbx": work.pbx,
            "reservation_id": row.id,
            "person_id": row.person_id,
            "number": locked.attempts + 1,
            "in_flight": True,
            "fence": self._held.fence,
            "rules_version": work.site.version,
            "pbx_boot": self._live.boot,
            "trunk": work.site.dials_over(row.trunk),
            "decision": decision.as_json(),
            "claimed_at": work.now,
            "ring_until_at": ring_until * SECOND,
            "only_agent": None if seat is None else row.agent,
        }
        self._orders.append(placed)
        self._attempts.append(facts)
        work.tell(Dialling(row.id, placed.attempt, locked.attempts + 1, row.queue))
        return True


def _order(work: Work, row: Reservation, ring_until: int, seat: Seat | None, *, in_turn: bool) -> Order:
    rules, queue = work.site.rules, work.site.rules.queue(row.queue)
    return Order(
        attempt=secrets.token_hex(8),
        queue=row.queue,
        dial=phone_numbers.dial_string(row.e164, work.site.trunks[work.site.dials_over(row.trunk)]),
        ring_until=ring_until,
        agent_wait_s=rules.agent_wait_s,
        ring_s=rules.ring_s,
        caller_num=queue.caller_id,
        caller_name=queue.caller_name,
        agent_sees=row.e164,
        agent_reads=dial_order.agent_reads(row, work.now),
        first=dial_order.first(work, row) if seat is None else "agent",
        in_turn=in_turn,
        record=queue.record,
        agent="" if seat is None else seat.interface,
    )


@dataclass(frozen=True, slots=True)
class Seen:
    """What is to be known beside the reservations: what could be begun, who is being called, which trunks rest."""

    matching: order.AgentMatching
    busy: Mapping[int, str]  # persons who are being called, on any PBX, and their numbers
    rests: Mapping[str, trunks.Rest]
    quiet: Mapping[str, int]  # queues whose agents do not answer, and until when they are left alone
    alone: Mapping[str, int]  # agents who did not answer what rang them alone, and until when they are left alone
    on_trial: bool  # the rest of a trunk, or of a queue, is over: one callback shows whether it works again

    def beside(self, row: Reservation, agent: str | None = None) -> Seen:
        """What is to be known once this reservation is claimed: one agent less, and one person more who is busy.

        `agent` is the phone that alone is rung for it.
        """
        state = self.matching.state
        loads = {queue: _busier(load) if row.queue in load.pool else load for queue, load in state.loads.items()}
        after = replace(state, room=state.room - 1, loads=loads)
        if agent is None:
            after = replace(after, looking={**state.looking, row.queue: state.looking.get(row.queue, 0) + 1})
        else:
            after = replace(after, free=_without(state.free, {agent}))
        busy = {**self.busy, row.person_id: row.e164}
        return replace(self, matching=order.AgentMatching(after, self.matching.policy), busy=busy)


def _without(free: Mapping[str, Collection[str]], taken: Collection[str]) -> Mapping[str, Collection[str]]:
    return {queue: frozenset(phones).difference(taken) for queue, phones in free.items()} if taken else free


def _busier(load: QueueLoad) -> QueueLoad:
    return replace(load, idle=max(0, load.idle - 1))


def look(work: Work, live: Live) -> Seen:
    """See what there is, for any number of decisions on one picture."""
    in_flight = lanes.in_flight(work.connection)
    ours = [flight for flight in in_flight if flight.pbx == work.pbx]
    looking = Counter(
        flight.queue for flight in ours if flight.agent_connected_at is None and flight.only_agent is None
    )
    free = _without(live.free, named.rung(ours, live))
    pacing = work.site.rules.pacing
    state = order.QueueState(free, live.waiting, looking, pacing.most_at_once - len(ours), live.loads)
    matching = order.AgentMatching(state, replace(pacing.callback_policy(), handle_s=live.handle_s))
    busy = {flight.person_id: flight.e164 for flight in in_flight}
    rests, tired = trunks.rests(work, in_flight), agents.rests(work, ours)
    on_trial = any(until <= work.now for until in (*(rest.until for rest in rests.values()), *tired.values()))
    quiet = {queue: until for queue, until in tired.items() if until > work.now}
    return Seen(matching, busy, rests, quiet, named.rest(work), on_trial)


def _wanted(site: Site, seen: Seen, live: Live, now: int) -> lanes.Wanted:
    """Say who may be called at all: where an agent is, callbacks are on and not paused, and the trunk does not rest."""
    queues = {
        name: [
            queue for queue in open_ if site.rules.queue(queue).calls == "on" and not _stands_still(queue, seen, site)
        ]
        for name, open_ in seen.matching.callable_in().items()
    }
    open_in_any = {queue for names in queues.values() for queue in names}
    only = {queue: numbers for queue in open_in_any if (numbers := site.rules.queue(queue).only_numbers)}
    resting = [trunk for trunk, rest in seen.rests.items() if rest.until > now]
    on_the_line = live.numbers.union(seen.busy.values())
    present = named.present(open_in_any, seen.matching.state.free, live, seen.alone)
    bind_s, window_s = seen.matching.policy.bind_s, site.rules.promise_terms().window_s
    return lanes.Wanted(queues, only, on_the_line, resting, bind_s, window_s, present)


def _stands_still(queue: str, seen: Seen, site: Site) -> bool:
    """Whether nobody is called back in a queue for a while: its agents do not answer, or a person paused it."""
    return queue in seen.quiet or site.paused("call", queue) is not None


def decide(rows: Sequence[Reservation], seen: Seen, site: Site, live: Live, now: int) -> order.Decision:
    """Ask the pure rule which of these reservations is called next."""
    return order.choose(_candidates(rows, seen, site, live, now), seen.matching, site.hours, now)


def why_not(
    rows: Sequence[Reservation], seen: Seen, site: Site, live: Live, now: int
) -> dict[int, tuple[str, int | None]]:
    """Say why each has not been called yet, in a word, and until when where time alone will end that."""
    candidates = _candidates(rows, seen, site, live, now)
    words = order.choose(candidates, seen.matching, site.hours, now).why
    ends = {
        one.reservation: order.until(one, words[one.reservation], site.hours, seen.matching.policy, now)
        for one in candidates
    }
    ends |= {
        reservation: until
        for reservation, (_, until) in trunks.shut_to(rows, site, seen.rests, now).items()
        if words[reservation] == "trunk-rests"
    }
    ends |= {row.id: row.agent_until_at for row in rows if words[row.id] == "agent-away"}
    queues = {row.id: row.queue for row in rows}
    ends |= {number: seen.quiet[queues[number]] for number, word in words.items() if word == "agents-rest"}
    for number, word in words.items():
        if word == "paused" and (pause := site.paused("call", queues[number])) is not None:
            ends[number] = pause.until_at
    return {reservation: (word, ends[reservation]) for reservation, word in words.items()}


def _candidates(rows: Sequence[Reservation], seen: Seen, site: Site, live: Live, now: int) -> list[Candidate]:
    shut = trunks.shut_to(rows, site, seen.rests, now)
    return [_candidate(row, site, live, seen, now, trunk_rests=row.id in shut) for row in rows]


def _candidate(row: Reservation, site: Site, live: Live, seen: Seen, now: int, *, trunk_rests: bool) -> Candidate:
    alone = named.holds(row, now)
    seat = named.seat(row, live) if alone else None
    free = seen.matching.state.free.get(row.queue, ())
    return Candidate(
        reservation=row.id,
        queue=row.queue,
        kind=row.kind,
        clock_starts_at=row.clock_starts_at,
        aim_at=row.aim_at,
        deadline_at=row.deadline_at,
        due_at=row.not_before_at,
        severity=row.severity,
        number_live=row.e164 in live.numbers or row.person_id in live.persons,
        in_flight=row.person_id in seen.busy,
        trunk_rests=trunk_rests,
        agents_rest=row.queue in seen.quiet,
        paused=site.paused("call", row.queue) is not None,
        watched=not site.may_call(row.queue, row.e164),
        hours=site.hours_of(row.e164, row.trunk),
        agent=None if seat is None else seat.phone,
        agent_away=alone and (seat is None or seat.phone not in free or row.agent in seen.alone),
        stands_since_at=_stands_since(row, site),
    )


def _stands_since(row: Reservation, site: Site) -> int | None:
    """What no lost call made stands among the lost as if it were promised as they are, once its deadline is near."""
    return row.deadline_at - site.rules.promise_terms().window_s * SECOND if row.kind == t.FOLLOW_UP else None
