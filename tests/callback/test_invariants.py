"""Whatever happens in whatever order, crashes and takeovers among it: what must hold after every step.

Hypothesis draws the life of a small call centre: callers are lost, served and on the line; the clock moves; the
service ticks, hears, tends, texts, dies and is taken over; its orders reach the PBX at once, late, twice or never; the
PBX is restarted. The use cases are the service's own, in the transactions that it makes.
"""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import Connection, event

from callback import dispatch, settle, tending, wording
from callback.errors import NotOurs
from callback.live import Live
from callback.live import store as show
from callback.store import lanes, lease
from callback.store import tables as t
from callback.store.engine import Store
from callback.writer import Writer
from sms.delivery import deliver
from sms.gateway import Receipt, Refused, Unsent
from sms.outbox import text_outbox
from telephony.call import Kind
from telephony.dialler import Order
from telephony.pbx import Heard
from tests.callback.switch import ENOUGH_S, WHILE_IT_RINGS, Switch
from tests.callback.world import ON, US, World, at, call, judged, picture, rules

PEOPLE = {
    "+819012345678": ("09012345678", "819012345678", "+819012345678"),
    "+81312345679": ("0312345679", "+81312345679"),
}
QUEUES = ("support", "sales")
FREE_OF_CHARGE = {"trunk-failure", "agent-no-answer", "agent-cancelled", "refused-late"}
SITES: tuple[dict[str, Any], ...] = (
    {},
    {"queues": {"support": ON, "sales": ON.model_copy(update={"group": "another site"})}, "max_tries": 2},
    {"opening": {"monday": "09:00-12:30, 12:35-24:00", "tuesday": "00:00-24:00"}, "max_tries": 1},
)
TABLES = (t.reservation, t.attempt, t.promise, t.loss, t.verdict, text_outbox)

people = st.sampled_from(sorted(PEOPLE))
queues = st.sampled_from(QUEUES)
any_of = st.integers(0, 99)  # picks one of what there is


class PowerCut(Exception):
    """The process dies in the middle of a transaction."""


@dataclass(frozen=True)
class Answered:
    """A customer was spoken to: nothing lost before that is owed to him in that group."""

    number: str
    group: str
    at: int


class CallCentre(RuleBasedStateMachine):
    """The model: what is true outside, and what the service does about it."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.switch = Switch()
        self.on_the_way: list[Order] = []  # Originates that the PBX has not seen yet, or will see again
        self.heard: list[Heard] = []  # everything that was committed, in order
        self.on_line: set[str] = set()
        self.answered: list[Answered] = []
        self.sent: Counter[str] = Counter()
        self.seen: dict[Any, Any] = {}  # what must never change again
        self.deadlines: dict[int, int] = {}
        self.workers = 1
        self.repeated: set[str] = set()

    @initialize(start=st.sampled_from(["10:00", "12:20", "20:50", "21:28"]), site=st.sampled_from(SITES))
    def open_the_site(self, start: str, site: dict[str, Any]) -> None:
        self.now = at(start)
        self.world = World(f"sqlite:///{Path(self._folder.name) / 'test.db'}", rules(**site))
        self.hours = self.world.shift.hours
        event.listen(self.store.engine, "connect", lambda dbapi, _: dbapi.execute("PRAGMA synchronous=OFF"))
        self.store.engine.dispose()
        self._new_writer()

    @property
    def store(self) -> Store:
        return self.world.store

    def _new_writer(self) -> None:
        self.writer = Writer(
            self.store, self.world.shift, self.world.held, lambda: self.now, lambda _: None, lambda _: None
        )

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.close()
        self._folder.cleanup()

    # Outside: callers

    @rule(who=people, form=any_of, queue=queues, kind=st.sampled_from(["abandoned", "abandoned", "dropped", "silent"]))
    def a_caller_is_lost(self, who: str, form: int, queue: str, kind: Kind) -> None:
        if who in self._rung():
            return
        signalled = PEOPLE[who][form % len(PEOPLE[who])]
        lost = call(signalled, self.now, queue=queue, talked_s=5 if kind in {"dropped", "silent"} else None)
        self._commit(Heard(((lost, judged(lost, kind)),), (), len(self.heard)))
        self.on_line.discard(who)

    @rule(who=people, queue=queues)
    def a_caller_is_served(self, who: str, queue: str) -> None:
        if who in self._rung():
            return
        served = call(PEOPLE[who][0], self.now, queue=queue, talked_s=30)
        self._commit(Heard(((served, judged(served, "served")),), (), len(self.heard)))
        group = self.world.shift.rules.queue(queue).group
        self.answered.append(Answered(who, group, served.visits[0].connected_at or 0))
        self.on_line.discard(who)

    @rule(who=people)
    def a_caller_comes_or_goes(self, who: str) -> None:
        self.on_line ^= {who}

    def _rung(self) -> set[str]:
        return {leg.order.agent_sees for leg in self.switch.legs.values() if leg.phase != "looking"}

    # Outside: time

    @rule(seconds=st.sampled_from([1, 4, 30, 60, 90, 5 * 60, 15 * 60, 31 * 60, 3600, 11 * 3600]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds * US
        self.switch.go_on(self.now)

    @rule(seconds=st.integers(1, 70))
    def the_cut_is_near(self, seconds: int) -> None:
        _, cut = self.hours.stretch(self.now)
        self.now = max(self.now, cut - seconds * US)
        self.switch.go_on(self.now)

    # Outside: the PBX

    @precondition(lambda self: self.on_the_way)
    @rule(which=any_of, again=st.booleans())
    def an_originate_arrives_late(self, which: int, again: bool) -> None:
        order = self.on_the_way[which % len(self.on_the_way)]
        if order.attempt in self.switch.tickets:
            self.repeated.add(order.attempt)
        self.switch.originate(order, self.now)
        if not again:
            self.on_the_way.remove(order)

    @precondition(lambda self: self.switch.legs)
    @rule(which=any_of, outcome=st.sampled_from(WHILE_IT_RINGS), reached=st.booleans(), told=st.sampled_from([1, 1, 0]))
    def a_leg_goes_on(self, which: int, outcome: str, reached: bool, told: int) -> None:
        """An agent answers, the customer answers or does not, and they talk."""
        attempt, leg = sorted(self.switch.legs.items())[which % len(self.switch.legs)]
        if leg.phase == "looking":
            self.switch.agent_answers(attempt, self.now)
        elif leg.phase == "ringing" and reached:
            self.switch.customer_answers(attempt, self.now)
        else:
            spoken = "reached" if reached else "customer-left"
            ended = spoken if leg.phase == "talking" else outcome
            self.switch.ends(attempt, ended, self.now, told=bool(told))

    @precondition(lambda self: self.switch.legs)
    @rule()
    def the_pbx_is_restarted(self) -> None:
        self.switch.restart(self.now)

    # The service

    @rule(
        free=st.lists(st.sampled_from(["agent1", "agent2"]), min_size=1, max_size=2, unique=True),
        staffed=st.sampled_from([QUEUES, QUEUES, ("support",), ()]),
        waiting=st.sampled_from([0, 0, 0, 1]),
        closed=st.sampled_from([None, None, None, "pbx-clock-off"]),
        fate=st.sampled_from(["at once", "at once", "at once", "late", "never", "refused"]),
    )
    def the_service_ticks(
        self, free: list[str], staffed: tuple[str, ...], waiting: int, closed: str, fate: str
    ) -> None:
        seen = picture(
            free={queue: set(free) for queue in staffed},
            waiting=dict.fromkeys(staffed, waiting),
            numbers=self.on_line,
            closed=closed,
        )
        self._write(lambda connection: self._carry_over(connection, seen))
        while (order := self._write(lambda connection: self._claim(connection, seen))) is not None:
            self._place(order, fate)

    def _carry_over(self, connection: Connection, seen: Live) -> None:
        dispatch.carry_over(connection, self.world.shift, self.now)
        show(connection, "main", seen, self.now)

    def _claim(self, connection: Connection, seen: Live) -> Order | None:
        order, _ = dispatch.next_order(connection, self.world.shift, self.world.held, seen, self.now)
        if order is None:
            return None
        (row,) = connection.execute(t.reservation.select().join(t.attempt).where(t.attempt.c.id == order.attempt))
        assert self.hours.may_ring(self.now)
        assert seen.closed is None
        assert order.agent_sees not in seen.numbers
        assert row.last_lost_at > self._answered_at(order.agent_sees, row.queue_group)
        return order

    def _answered_at(self, number: str, group: str) -> int:
        found = (one.at for one in self.answered if (one.number, one.group) == (number, group))
        return max(found, default=0)

    def _place(self, order: Order, fate: str) -> None:
        if fate == "at once":
            self.switch.originate(order, self.now)
            self.on_the_way.append(order)  # and, whoever repeats it, once more
        elif fate == "late":
            self.on_the_way.append(order)
        elif fate == "refused":
            self._end(order.attempt, "trunk-failure", ["the PBX refused it"])

    @precondition(lambda self: self.switch.said)
    @rule(lost=st.sampled_from([0, 0, 0, 1]))
    def the_service_hears_of_its_attempts(self, lost: int) -> None:
        """What the PBX said is heard, or was said while nobody listened."""
        said, self.switch.said = tuple(self.switch.said), []
        if not lost:
            self._commit(Heard((), said, len(self.heard)))

    @rule()
    def the_service_tends(self) -> None:
        with self.store.read() as connection:
            rows = lanes.in_flight(connection, "main")
        for row in rows:
            if row.id in self.switch.legs and row.state == "returned" and row.customer_dialled_at is None:
                self.switch.hang_up(row.id, self.now)
        for row in tending.unattended(rows, set(self.switch.legs), self.now):
            found = tending.resolve(row, self.switch.ticket(row.id), ENOUGH_S, self.now)
            if found is not None:
                self._end(row.id, found.outcome, found.evidence)

    @rule(mood=st.sampled_from(["well", "well", "refuses", "busy", "unclear"]))
    def the_service_texts(self, mood: str) -> None:
        self._write(lambda connection: wording.hold_back(connection, self.world.shift, self.on_line, self.now))
        deliver(self.store.write, Gateway(mood, self.sent, self._may_be_texted), self._address, lambda: self.now, 20)

    def _address(self, recipient: str) -> str | None:
        with self.store.read() as connection:
            return wording.number_of(connection, recipient)

    def _may_be_texted(self, number: str) -> bool:
        return number not in self.on_line and number not in self._rung()

    # The service dies, is doubled, and hears everything twice

    @rule(what=st.sampled_from(["tick", "hear", "lost", "end"]), who=people, queue=queues)
    def the_power_is_cut(self, what: str, who: str, queue: str) -> None:
        """In the middle of a transaction; the next process begins with nothing but the database."""
        before = self._everything()
        with pytest.raises(PowerCut), self.store.write() as connection:
            self._begin(connection, what, who, queue)
            raise PowerCut
        assert self._everything() == before
        self._take_over()

    def _begin(self, connection: Connection, what: str, who: str, queue: str) -> None:
        shift = self.world.shift
        if what == "tick":
            dispatch.carry_over(connection, shift, self.now)
            dispatch.next_order(connection, shift, self.world.held, picture(free={queue: {"agent1"}}), self.now)
        elif what == "lost":
            self.world.hear_in(connection, call(PEOPLE[who][0], self.now, queue=queue))
        elif what == "end":
            for row in lanes.in_flight(connection, "main"):
                settle.end(connection, shift, row.id, "reached", [], self.now, self.now)
        else:
            for row in lanes.in_flight(connection, "main"):
                settle.progress(connection, shift, row.id, "customer_answered_at", self.now)

    def _take_over(self) -> None:
        """Another process gets the lease, because it was given back or has lapsed."""
        self.workers += 1
        with self.store.write() as connection:
            assert lease.acquire(connection, "pbx:main", f"worker {self.workers}", "here", 3600) is None
            connection.execute(t.lease.update().values(until_at=0))
            held = lease.acquire(connection, "pbx:main", f"worker {self.workers}", "here", 3600)
        assert held is not None
        self.world.held = held
        self._new_writer()

    @rule(who=people, queue=queues)
    def another_process_takes_over(self, who: str, queue: str) -> None:
        ghost, its_lease = self.writer, self.world.held
        self._take_over()
        before = self._everything()
        lost = call(PEOPLE[who][0], self.now, queue=queue)
        with pytest.raises(NotOurs):
            ghost.commit([Heard(((lost, judged(lost, "abandoned")),), (), 0)])
        with pytest.raises(NotOurs), self.store.write() as connection:
            lease.guard(connection, its_lease)
        with pytest.raises(NotOurs), self.store.write() as connection:
            lease.renew(connection, its_lease)
        assert self._everything() == before

    @precondition(lambda self: self.heard)
    @rule(begin=any_of, shuffled=st.booleans())
    def everything_is_heard_again(self, begin: int, shuffled: bool) -> None:
        """The journal is read again from some checkpoint on: that changes nothing."""
        before = self._everything()
        again = self.heard[begin % len(self.heard) :]
        if shuffled:
            random.Random(begin).shuffle(again)  # noqa: S311
        self.writer.commit(again)
        assert self._everything() == before

    # How the service writes

    def _write(self, work: Callable[[Connection], Any]) -> Any:
        with self.store.write() as connection:
            lease.guard(connection, self.world.held)
            return work(connection)

    def _end(self, attempt: str, outcome: str, evidence: list[str]) -> None:
        shift, now = self.world.shift, self.now
        self._write(lambda connection: settle.end(connection, shift, attempt, outcome, evidence, now, now))

    def _commit(self, heard: Heard) -> None:
        self.writer.commit([heard])
        self.heard.append(heard)

    def _everything(self) -> dict[str, list[Any]]:
        with self.store.read() as connection:
            return {table.name: list(connection.execute(table.select())) for table in TABLES}

    # What must hold

    @invariant()
    def all_holds(self) -> None:
        if not hasattr(self, "world"):
            return
        rows = self._everything()
        reservations = {row.id: row for row in rows["reservation"]}
        self._nobody_is_rung_when_he_must_not_be()
        self._nobody_is_rung_again_for_the_same_loss(rows["attempt"])
        self._reservations_are_sound(reservations)
        self._promises_are_kept_as_they_were(reservations, rows["promise"])
        self._attempts_end_once(reservations, rows["attempt"])
        self._texts_are_owed(reservations, rows["text_outbox"])

    def _nobody_is_rung_when_he_must_not_be(self) -> None:
        last: dict[str, int] = {}
        for ring in sorted(self.switch.rings, key=lambda ring: ring.began_at):
            cut = self.hours.ring_until(ring.began_at) if not self.hours.quiet(ring.began_at) else ring.began_at
            assert not self.hours.quiet(ring.began_at), "rung in quiet hours"
            assert cut is None or ring.ended_at < cut, "rung into quiet hours"
            assert last.get(ring.order.agent_sees, 0) <= ring.began_at, "two rings at a time"
            last[ring.order.agent_sees] = ring.ended_at
        assert max(Counter(ring.order.attempt for ring in self.switch.rings).values(), default=0) <= 1

    def _nobody_is_rung_again_for_the_same_loss(self, attempts: list[Any]) -> None:
        for order, spoke_at in self.switch.reached:
            if order.attempt in self.repeated:
                continue  # its refusal may be heard before its end
            group = self.world.shift.rules.queue(order.queue).group
            self.answered.append(Answered(order.agent_sees, group, spoke_at))
        self.switch.reached.clear()
        for row in attempts:
            if row.outcome == "reached":
                assert row.customer_answered_at is None or row.customer_answered_at <= self.now

    def _reservations_are_sound(self, reservations: dict[int, Any]) -> None:
        still_open = Counter((row.person_id, row.queue) for row in reservations.values() if row.open)
        assert max(still_open.values(), default=0) <= 1
        for row in reservations.values():
            assert row.open == (row.state in {"waiting", "calling"})
            if not row.open:
                self._never_changes(("closed", row.id), (row.state, row.state_since_at, row.tries))

    def _promises_are_kept_as_they_were(self, reservations: dict[int, Any], promises: list[Any]) -> None:
        in_force: dict[int, Any] = {}
        for promise in sorted(promises, key=lambda promise: promise.number):
            self._never_changes(("promise", promise.reservation_id, promise.number), tuple(promise))
            in_force[promise.reservation_id] = promise
        for row in reservations.values():
            promise = in_force[row.id]
            mine = (row.clock_starts_at, row.aim_at, row.deadline_at)
            assert mine == (promise.clock_starts_at, promise.aim_at, promise.deadline_at), "promised nowhere"
            before = self.deadlines.get(row.id, row.deadline_at)
            if row.deadline_at > before:
                assert promise.reason == "carried-over"
                assert promise.clock_starts_at > promise.made_at
                assert promise.clock_starts_at >= before or not self.hours.may_ring(before + US)
            self.deadlines[row.id] = row.deadline_at

    def _attempts_end_once(self, reservations: dict[int, Any], attempts: list[Any]) -> None:
        flying = Counter(row.person_id for row in attempts if row.in_flight)
        assert max(flying.values(), default=0) <= 1
        counted: Counter[int] = Counter()
        for row in attempts:
            if not row.in_flight:
                self._never_changes(("ended", row.id), (row.outcome, row.ended_at, row.evidence, row.counted))
                assert row.counted == (row.outcome not in FREE_OF_CHARGE)
                counted[row.reservation_id] += row.counted
        calling = {row.reservation_id for row in attempts if row.in_flight}
        for row in reservations.values():
            assert (row.state == "calling") == (row.id in calling and row.state != "returned")
            assert row.state == "returned" or row.tries == counted[row.id]

    def _texts_are_owed(self, reservations: dict[int, Any], texts: list[Any]) -> None:
        for row in texts:
            word, number, *_ = row.cause.split("/")
            if row.state == "waiting":
                owed = reservations[int(number)]
                assert owed.open if word == "lost" else owed.state == "given-up"
        assert max(self.sent.values(), default=0) <= 1

    def _never_changes(self, key: Any, value: Any) -> None:
        assert self.seen.setdefault(key, value) == value


class Gateway:
    """Takes texts well, or refuses them, or is busy, or leaves open whether it took them."""

    name = "model"

    def __init__(self, mood: str, sent: Counter[str], may_be_texted: Callable[[str], bool]) -> None:
        self._mood, self._sent, self._may_be_texted = mood, sent, may_be_texted

    def send(self, to: str, body: str, ref: str) -> Receipt:
        assert self._may_be_texted(to), "texted on the line"
        assert body
        if self._mood == "refuses":
            raise Refused("opted out")
        if self._mood == "busy":
            raise Unsent("too many")
        self._sent[ref] += 1
        if self._mood == "unclear":
            raise TimeoutError
        return Receipt(f"ref {ref}")


TestCallCentre = CallCentre.TestCase
TestCallCentre.settings = settings(max_examples=40, stateful_step_count=40)
