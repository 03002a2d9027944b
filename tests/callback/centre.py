"""A small call centre as a model: callers and a PBX outside, and the service in the transactions that it makes."""

from __future__ import annotations

import sqlite3
from collections import Counter, namedtuple
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from sqlalchemy import Connection

from callback.attempts import claim, lanes, resolve, settle
from callback.attempts.snapshot import Live
from callback.attempts.snapshot import store as show
from callback.clock import CLOCK_MAY_BE_OFF_S
from callback.customers.blocks import FREE, Blocked
from callback.errors import CallbackError
from callback.reservations import deadlines
from callback.service.committer import Committer
from callback.site.work import Work
from callback.store import lease
from callback.store import tables as t
from callback.store.engine import Store
from callback.texts import compose
from scheduler.errors import SchedulerError
from scheduler.hours import Hours
from sms.delivery import DeliveryRules, deliver
from sms.gateway import Receipt, Refused, Unsent
from sms.outbox import text_outbox
from telephony.calls.call import Kind
from telephony.dialling.dialler import Order
from telephony.pbx import Stretch
from tests.callback.switch import ENOUGH_S, Switch
from tests.callback.world import ABROAD, US, World, call, emptied, judged, rules
from tests.sms.gateways import book, finished

TABLES = (t.reservation, t.attempt, t.promise, t.loss, t.verdict, t.audit, t.block, t.person, text_outbox)


@dataclass(frozen=True)
class Answered:
    """A customer was spoken to: nothing lost before that is owed to him in that group."""

    number: str
    group: str
    at: int
    attempt: str = ""  # none: he came back by himself


@dataclass(frozen=True)
class Decided:
    """What a person decided last about a reservation, and how that stood then."""

    reservation: int
    what: str
    at: int
    not_before_at: int
    put_off_until_at: int | None
    slot_at: int | None
    losses: int
    attempts: frozenset[str]


def _rows(eyes: sqlite3.Connection, table: str) -> list[Any]:
    found = eyes.execute(f"SELECT * FROM {table}")  # noqa: S608 - our own table
    return list(map(_row_of(table, tuple(name for name, *_ in found.description))._make, found))


@cache
def _row_of(table: str, names: tuple[str, ...]) -> Any:
    return namedtuple(table, names)  # noqa: PYI024 - its columns are known only now


class Centre:
    """What is true outside, and what the service does about it. `store` is one that is kept.

    The time is `now`; the clock of the service is off by `skew`, which it notices beyond two seconds. What it hears is
    in the journal (`heard`) before anything follows from it.
    """

    def __init__(self, store: Store, now: int, site: dict[str, Any]) -> None:
        self.now, self.store, self.skew = now, store, 0
        emptied(store)
        self._eyes = sqlite3.connect(str(store.engine.url.database), isolation_level=None)  # much is looked at, often
        self.world = World(store.url, rules(**site), trunks={"main": ABROAD})
        self.site = self.world.site
        self.hours = self.site.hours
        self.switch = Switch()
        self.on_the_way: list[Order] = []  # Originates that the PBX has not seen yet, or will see again
        self.heard: list[Stretch] = []
        self._committed = 0  # so much of it
        self.on_line: set[str] = set()
        self.answered: list[Answered] = []
        self.sent: Counter[str] = Counter()
        self.texted_on_the_line: list[str] = []
        self.blocked: dict[str, Blocked] = {}
        self.decided: dict[int, Decided] = {}
        self.released: set[str] = set()  # calls that a person released
        self._workers = 1
        self._begin_work()

    def _begin_work(self) -> None:
        parts = (self.store, self.world.sites, self.world.held, "j1", lambda: self.clock)
        self.writer = Committer(*parts, lambda _checkpoint: None)

    @property
    def clock(self) -> int:
        """What the service takes for the time."""
        return self.now + self.skew

    @property
    def clock_off(self) -> bool:
        return abs(self.skew) > CLOCK_MAY_BE_OFF_S * US

    def everything(self) -> dict[str, list[Any]]:
        """All rows that anything is decided by, as they stand in SQLite."""
        return {table.name: _rows(self._eyes, table.name) for table in TABLES}

    def rows(self, table: str) -> list[Any]:
        """The rows of one more table."""
        return _rows(self._eyes, table)

    def note(self, what: str, reservation: int) -> None:
        """A person has decided this; to say whose it is changes nothing about when."""
        rows = self.everything()
        (row,) = (row for row in rows["reservation"] if row.id == reservation)
        flown = frozenset(one.id for one in rows["attempt"] if one.reservation_id == reservation)
        times = (row.not_before_at, row.put_off_until_at, row.slot_at)
        self.decided[reservation] = Decided(reservation, what, self.clock, *times, row.losses, flown)

    def hours_of(self, number: str) -> Hours:
        """The hours at which his phone may ring."""
        return self.site.hours_of(number, "main")

    def close(self) -> None:
        self._eyes.close()

    def due_at(self) -> int | None:
        """When somebody is due at the earliest; None if nobody waits."""
        return min(
            (row.not_before_at for row in self.everything()["reservation"] if row.state == "waiting"), default=None
        )

    # Outside

    def let_time_pass(self, until: int) -> None:
        self.now = max(self.now, until)
        self.switch.go_on(self.now)

    def rung(self) -> set[str]:
        """The numbers that ring for us, or talk to us."""
        return {leg.order.agent_sees for leg in self.switch.legs.values() if leg.phase != "looking"}

    def lose(self, signalled: str, number: str, queue: str, kind: Kind, ago_s: int = 0) -> None:
        """Somebody is lost, or was some time ago and is heard of only now, as from a log."""
        talked_s = 5 if kind in {"dropped", "silent"} else None
        lost = call(signalled, self.now - ago_s * US, queue=queue, talked_s=talked_s)
        self.on_line.discard(number)
        self.commit(Stretch(((lost, judged(lost, kind)),), (), len(self.heard)))

    def serve(self, signalled: str, number: str, queue: str) -> None:
        served = call(signalled, self.now, queue=queue, talked_s=30)
        self.answered.append(Answered(number, self._group(queue), served.visits[0].connected_at or 0))
        self.on_line.discard(number)
        self.commit(Stretch(((served, judged(served, "served")),), (), len(self.heard)))

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
        return self.site.rules.queue(queue).group

    # The service

    def tick(self, seen: Live, fate: str) -> None:
        """Carry over and place what may be placed; `fate` is what becomes of the orders."""
        if self.clock_off:
            seen = replace(seen, closed="database-clock-off")
        self.write(lambda connection: self._carry_over(connection, seen))
        while orders := self.write(lambda connection: self._claim(connection, seen)):
            for order in orders:
                self._place(order, fate)

    def _place(self, order: Order, fate: str) -> None:
        if fate == "refused":
            self._end(order.attempt, "refused-late", ["the PBX placed nothing"])
        elif fate != "never":
            self.on_the_way.append(order)
        if fate == "at once":
            self.switch.originate(order, self.now)

    def _carry_over(self, connection: Connection, seen: Live) -> None:
        if not seen.clock_off:
            deadlines.check(self.work(connection, self.clock))
        show(connection, "main", seen, self.clock)

    def _claim(self, connection: Connection, seen: Live) -> list[Order]:
        orders = claim.next_orders(self.work(connection, self.clock), self.world.held, seen)
        for order in orders:
            assert not self.blocked.get(order.agent_sees, FREE).calls, "called though blocked"
            query = t.reservation.select().join(t.attempt).where(t.attempt.c.id == order.attempt)
            row = connection.execute(query).one()
            assert self.hours_of(order.agent_sees).may_ring(self.now)
            assert seen.closed is None
            assert order.agent_sees not in seen.numbers
            assert row.last_lost_at >= self._answered_at(order.agent_sees, row.queue_group), "rung for the same loss"
        return orders

    def _answered_at(self, number: str, group: str) -> int:
        return max((one.at for one in self.answered if (one.number, one.group) == (number, group)), default=0)

    def hear(self, *, lost: bool = False) -> None:
        """What the PBX said is heard, or was said while nobody listened."""
        said, self.switch.said = tuple(self.switch.said), []
        if said and not lost:
            self.commit(Stretch((), said, len(self.heard)))

    def tend(self) -> None:
        with self.store.read() as connection:
            rows = lanes.in_flight(connection, "main")
        for row in resolve.came_back(rows, self.on_line):
            if row.id in self.switch.legs:
                self.switch.hang_up(row.id, self.now)
        for row in [] if self.clock_off else resolve.unattended(rows, set(self.switch.legs), self.clock):
            found = resolve.resolve(row, self.switch.ticket(row.id), ENOUGH_S, self.clock)
            if found is not None:
                self._end(row.id, found.outcome, found.evidence)

    def text(self, mood: str) -> None:
        self.write(lambda connection: compose.hold_back(self.work(connection, self.now), self.on_line))
        gateway = Gateway(mood, self)
        rules = DeliveryRules(pbx="main")
        finished(deliver(self.store.write, gateway, book(self._address), lambda: self.now, 20, rules))

    def _address(self, recipient: str) -> str | None:
        with self.store.read() as connection:
            return compose.number_of(connection, self.site, recipient)

    def write(self, work: Callable[[Connection], Any]) -> Any:
        """As the service writes: its right to do so is looked at first."""
        with self.store.write() as connection:
            lease.guard(connection, self.world.held)
            return work(connection)

    def commit(self, heard: Stretch) -> None:
        self.heard.append(heard)
        self._catch_up()

    def _catch_up(self) -> None:
        """Commit what is in the journal and not in the database yet."""
        while self._committed < len(self.heard):
            self.writer.commit([self.heard[self._committed]])
            self._committed += 1

    def work(self, connection: Connection, now: int) -> Work:
        """One unit of work in that transaction, at that moment."""
        return Work(connection, self.site, now)

    def _end(self, attempt: str, outcome: str, evidence: list[str]) -> None:
        self.write(
            lambda connection: settle.end(self.work(connection, self.clock), attempt, outcome, evidence, self.clock)
        )

    # People, from a process of their own

    def decide(self, decide: Callable[[Connection], object]) -> bool:
        """Decide in one transaction; False where it is refused, which changes nothing."""
        try:
            with self.store.write() as connection:
                decide(connection)
        except (CallbackError, SchedulerError):
            return False
        return True

    # The service dies, and is doubled

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
        self._catch_up()


class Gateway:
    """Takes texts well, refuses them, is busy, or leaves open whether it took them."""

    name, paces = "model", ()

    def __init__(self, mood: str, centre: Centre) -> None:
        self._mood, self._centre = mood, centre

    async def send(self, to: str, body: str, ref: str, line: str = "") -> Receipt:
        assert line == ""
        assert not self._centre.blocked.get(to, FREE).texts, "texted though blocked"
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
