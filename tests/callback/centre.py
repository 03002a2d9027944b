"""A small call centre as a model: callers and a PBX outside, and the service in the transactions that it makes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table

from callback import dispatch, settle, tending, wording
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
from tests.callback.switch import ENOUGH_S, Switch
from tests.callback.world import World, call, emptied, judged, picture, rules

TABLES = (t.reservation, t.attempt, t.promise, t.loss, t.verdict, text_outbox)


@dataclass(frozen=True)
class Answered:
    """A customer was spoken to: nothing lost before that is owed to him in that group."""

    number: str
    group: str
    at: int
    attempt: str = ""  # none: he came back by himself


def _rows(connection: Connection, table: Table) -> list[Any]:
    return list(connection.exec_driver_sql(f"SELECT * FROM {table.name}"))  # noqa: S608 - our own table


class PowerCut(Exception):
    """The process dies in the middle of a transaction."""


class Centre:
    """What is true outside, and what the service does about it; the clock is `now`. `store` is one that is kept."""

    def __init__(self, store: Store, now: int, site: dict[str, Any]) -> None:
        self.now, self.store = now, store
        emptied(store)
        self.world = World(store.url, rules(**site))
        self.shift = self.world.shift
        self.hours = self.shift.hours
        self.switch = Switch()
        self.on_the_way: list[Order] = []  # Originates that the PBX has not seen yet, or will see again
        self.heard: list[Heard] = []  # everything that was committed, in order
        self.on_line: set[str] = set()
        self.answered: list[Answered] = []
        self.sent: Counter[str] = Counter()
        self.texted_on_the_line: list[str] = []
        self._workers = 1
        self._begin_work()

    def _begin_work(self) -> None:
        self.writer = Writer(
            self.store, self.shift, self.world.held, "j1", lambda: self.now, lambda _: None, lambda _: None
        )

    def everything(self) -> dict[str, list[Any]]:
        """All rows that anything is decided by, as they stand in SQLite."""
        with self.store.read() as connection:
            return {table.name: _rows(connection, table) for table in TABLES}

    def numbers(self) -> dict[int, str]:
        with self.store.read() as connection:
            return {row.id: row.number for row in _rows(connection, t.person)}

    def due_at(self) -> int | None:
        """When somebody is due at the earliest; None if nobody waits."""
        return min((row.due_at for row in self.everything()["reservation"] if row.state == "waiting"), default=None)

    # Outside

    def let_time_pass(self, until: int) -> None:
        self.now = max(self.now, until)
        self.switch.go_on(self.now)

    def rung(self) -> set[str]:
        """The numbers that ring for us, or talk to us."""
        return {leg.order.agent_sees for leg in self.switch.legs.values() if leg.phase != "looking"}

    def lose(self, signalled: str, number: str, queue: str, kind: Kind) -> None:
        lost = call(signalled, self.now, queue=queue, talked_s=5 if kind in {"dropped", "silent"} else None)
        self.commit(Heard(((lost, judged(lost, kind)),), (), len(self.heard)))
        self.on_line.discard(number)

    def serve(self, signalled: str, number: str, queue: str) -> None:
        served = call(signalled, self.now, queue=queue, talked_s=30)
        self.commit(Heard(((served, judged(served, "served")),), (), len(self.heard)))
        self.answered.append(Answered(number, self._group(queue), served.visits[0].connected_at or 0))
        self.on_line.discard(number)

    def deliver_originate(self, order: Order) -> None:
        """An Originate arrives late, or once more; then its refusal may be all that is heard of how it ended."""
        if order.attempt in self.switch.tickets:
            self._nobody_can_know({order.attempt})
        self.switch.originate(order, self.now)

    def go_on(self, attempt: str, outcome: str, *, reached: bool, told: bool) -> None:
        """An agent answers, then the customer does or does not, then they have talked."""
        phase = self.switch.legs[attempt].phase
        if phase == "looking":
            rings = len(self.switch.rings)
            self.switch.agent_answers(attempt, self.now)
            under_way = {row.id for row in self.everything()["attempt"] if row.in_flight}
            assert len(self.switch.rings) == rings or attempt in under_way, "rung for what the service holds to be over"
        elif phase == "ringing" and reached:
            self.switch.customer_answers(attempt, self.now)
        else:
            spoken = "reached" if reached else "customer-left"
            self.switch.ends(attempt, spoken if phase == "talking" else outcome, self.now, told=told)

    def restart_pbx(self) -> None:
        self._nobody_can_know(self.switch.restart(self.now))
        self.on_the_way.clear()  # its connections are gone

    def _nobody_can_know(self, attempts: set[str]) -> None:
        """Whether they reached anybody; the service may ring him again."""
        self.answered = [one for one in self.answered if one.attempt not in attempts]

    def note_who_was_reached(self) -> None:
        for order, spoke_at in self.switch.reached:
            self.answered.append(Answered(order.agent_sees, self._group(order.queue), spoke_at, order.attempt))
        self.switch.reached.clear()

    def _group(self, queue: str) -> str:
        return self.shift.rules.queue(queue).group

    # The service

    def tick(self, seen: Live, fate: str) -> None:
        """Carry over and place what may be placed; `fate` is what becomes of the orders."""
        self.write(lambda connection: self._carry_over(connection, seen))
        while (order := self.write(lambda connection: self._claim(connection, seen))) is not None:
            if fate == "refused":
                self._end(order.attempt, "trunk-failure", ["the PBX refused it"])
            elif fate != "never":
                self.on_the_way.append(order)
            if fate == "at once":
                self.switch.originate(order, self.now)

    def _carry_over(self, connection: Connection, seen: Live) -> None:
        dispatch.carry_over(connection, self.shift, self.now)
        show(connection, "main", seen, self.now)

    def _claim(self, connection: Connection, seen: Live) -> Order | None:
        order, _ = dispatch.next_order(connection, self.shift, self.world.held, seen, self.now)
        if order is not None:
            query = t.reservation.select().join(t.attempt).where(t.attempt.c.id == order.attempt)
            row = connection.execute(query).one()
            assert self.hours.may_ring(self.now)
            assert seen.closed is None
            assert order.agent_sees not in seen.numbers
            assert row.last_lost_at >= self._answered_at(order.agent_sees, row.queue_group), "rung for the same loss"
        return order

    def _answered_at(self, number: str, group: str) -> int:
        return max((one.at for one in self.answered if (one.number, one.group) == (number, group)), default=0)

    def hear(self, *, lost: bool = False) -> None:
        """What the PBX said is heard, or was said while nobody listened."""
        said, self.switch.said = tuple(self.switch.said), []
        if said and not lost:
            self.commit(Heard((), said, len(self.heard)))

    def tend(self) -> None:
        with self.store.read() as connection:
            rows = lanes.in_flight(connection, "main")
        for row in tending.came_back(rows, self.on_line):
            if row.id in self.switch.legs:
                self.switch.hang_up(row.id, self.now)
        for row in tending.unattended(rows, set(self.switch.legs), self.now):
            found = tending.resolve(row, self.switch.ticket(row.id), ENOUGH_S, self.now)
            if found is not None:
                self._end(row.id, found.outcome, found.evidence)

    def text(self, mood: str) -> None:
        self.write(lambda connection: wording.hold_back(connection, self.shift, self.on_line, self.now))
        deliver(self.store.write, Gateway(mood, self), self._address, lambda: self.now, 20, pbx="main")

    def _address(self, recipient: str) -> str | None:
        with self.store.read() as connection:
            return wording.number_of(connection, self.shift, recipient)

    def write(self, work: Callable[[Connection], Any]) -> Any:
        """As the service writes: its right to do so is looked at first."""
        with self.store.write() as connection:
            lease.guard(connection, self.world.held)
            return work(connection)

    def commit(self, heard: Heard) -> None:
        self.writer.commit([heard])
        self.heard.append(heard)

    def _end(self, attempt: str, outcome: str, evidence: list[str]) -> None:
        self.write(
            lambda connection: settle.end(connection, self.shift, attempt, outcome, evidence, self.now, self.now)
        )

    # The service dies, and is doubled

    def half_done(self, connection: Connection, what: str, signalled: str, queue: str) -> None:
        """Begin some work and die of it."""
        if what == "tick":
            dispatch.carry_over(connection, self.shift, self.now)
            seen = picture(free={queue: {"agent1"}})
            dispatch.next_order(connection, self.shift, self.world.held, seen, self.now)
        elif what == "lost":
            self.world.hear_in(connection, call(signalled, self.now, queue=queue))
        for row in lanes.in_flight(connection, "main") if what in {"step", "end"} else ():
            settle.progress(connection, self.shift, row.id, "customer_answered_at", self.now)
            if what == "end":
                settle.end(connection, self.shift, row.id, "reached", [], self.now, self.now)
        raise PowerCut

    def take_over(self) -> None:
        """Another process gets the lease when it has lapsed, and begins with nothing but the database."""
        self._workers += 1
        name = f"worker {self._workers}"
        with self.store.write() as connection:
            assert lease.acquire(connection, "pbx:main", name, "here", 3600) is None
            connection.execute(t.lease.update().values(until_at=0))
            held = lease.acquire(connection, "pbx:main", name, "here", 3600)
        assert held is not None
        self.world.held = held
        self._begin_work()


class Gateway:
    """Takes texts well, refuses them, is busy, or leaves open whether it took them."""

    name = "model"

    def __init__(self, mood: str, centre: Centre) -> None:
        self._mood, self._centre = mood, centre

    def send(self, to: str, body: str, ref: str) -> Receipt:
        if to in self._centre.on_line | self._centre.rung():
            self._centre.texted_on_the_line.append(body)
        if self._mood == "refuses":
            raise Refused("opted out")
        if self._mood == "busy":
            raise Unsent("too many")
        self._centre.sent[ref] += 1
        if self._mood == "unclear":
            raise TimeoutError
        return Receipt(f"ref {ref}")
