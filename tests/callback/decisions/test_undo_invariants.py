"""Whatever people decide and undo, and whatever goes on meanwhile: of an undone act nothing is left, nobody is lost.

Hypothesis draws acts about many, their undo, claims and their ends, customers who come back or are served, the
service's turn, and cuts of the power before any statement.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Connection, event

from callback.decisions import batch, blocking, pending, undoing
from callback.decisions.records import Action, Asked, Batch
from callback.decisions.undoing import NoSuchBatch, NotUndone
from callback.losses import incidents
from callback.reservations import deadlines
from callback.store import audit
from callback.store import tables as t
from callback.store.audit import By
from callback.store.engine import Store
from tests.callback.decisions.deciding import stands
from tests.callback.fuse import Fuse
from tests.callback.world import NOON, US, World, call, emptied, kept, picture, rules

PEOPLE: Final = [f"0901234560{n}" for n in range(1, 7)]
ACTS: Final[tuple[Action, ...]] = (
    "hold", "resume", "call-now", "slot", "postpone", "assign", "cancel", "done-elsewhere", "not-lost",
)  # fmt: skip
ENDS: Final = {"cancel": "cancelled", "done-elsewhere": "done-elsewhere", "not-lost": "withdrawn", "block": "cancelled"}
BY: Final = (By("anna", "she asked"), By("bo", "it was a mistake"))
FREE: Final = picture(free={"support": {"a", "b"}})
some = st.lists(st.integers(0, 9), min_size=1, max_size=6, unique=True)
statements = st.sampled_from([99] * 9 + [*range(3, 60, 4)])


@dataclass(frozen=True)
class Done:
    """A batch, and how everything stood before it and after it."""

    batch: Batch
    before: dict[str, Any]
    after: dict[str, Any]
    revisions: list[int]
    at: int


class Desk(RuleBasedStateMachine):
    """People who decide, and the service beside them."""

    store: ClassVar[Store]
    fuse: ClassVar[Fuse]
    world: World

    @initialize(incident=st.booleans())
    def begin(self, incident: bool) -> None:
        emptied(self.store)
        self.world = World(self.store.url, rules(incident_losses=3 if incident else 50, slot_room=3))
        self.now, self.done = NOON, list[Done]()
        self.undone_at: dict[int, int] = {}
        for number in PEOPLE[:4]:
            self.a_customer_is_lost(number)

    # What goes on

    @rule(number=st.sampled_from(PEOPLE))
    def a_customer_is_lost(self, number: str) -> None:
        if not self._is_called(number):
            self.now += US
            self.world.hear(call(number, self.now))

    @rule(number=st.sampled_from(PEOPLE))
    def a_customer_is_served(self, number: str) -> None:
        if not self._is_called(number):
            self.now += US
            self.world.hear(call(number, self.now, talked_s=0.5, waited_s=0.1), "served")

    @rule(seconds=st.sampled_from([1, 16, 60, 600, 3 * 3600]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds * US

    @rule(statement=statements)
    def the_service_settles(self, statement: int) -> None:
        self._whole_or_not_at_all(lambda connection: pending.settle(self.world.work(connection, self.now)), statement)

    @rule()
    def the_service_tends(self) -> None:
        with self.store.write() as connection:
            work = self.world.work(connection, self.now)
            incidents.tend(work)
            deadlines.check(work)

    @rule(outcome=st.sampled_from(["busy", "reached", "agent-no-answer"]))
    def a_callback_is_made(self, outcome: str) -> None:
        waits = self._pending()
        for order in self.world.claims(self.now, FREE, 1):
            called = next(row for row in self.world.attempts() if row.id == order.attempt)
            assert called.reservation_id not in waits, "dialled though somebody is about to close it"
            if outcome != "busy" or self.now % 2:
                self.world.end(order.attempt, outcome, self.now + US)
                self.now += US

    @rule(outcome=st.sampled_from(["busy", "reached"]))
    def a_callback_ends(self, outcome: str) -> None:
        for row in self.world.attempts():
            if row.in_flight:
                self.now += US
                self.world.end(row.id, outcome, self.now)

    # What people do

    @rule(action=st.sampled_from(ACTS), which=some, minutes=st.sampled_from([20, 45, 300]), stale=st.booleans(),
          by=st.sampled_from(BY), statement=statements)  # fmt: skip
    def somebody_decides(
        self, action: Action, which: list[int], minutes: int, stale: bool, by: By, statement: int
    ) -> None:
        rows = self.world.reservations()
        asked = [Asked(rows[n].id, rows[n].revision - (stale and n % 3 == 0)) for n in which if n < len(rows)]
        if not asked:
            return
        then = self.now + minutes * 60 * US
        self._decided(
            lambda connection: batch.decide(
                self.world.work(connection, self.now), action, asked, by, at=then, to="dora"
            ),
            statement,
        )

    @rule(which=st.integers(0, 9), calls=st.booleans(), statement=statements)
    def somebody_blocks(self, which: int, calls: bool, statement: int) -> None:
        rows = self.world.reservations()
        one = rows[which % len(rows)].id
        self._decided(
            lambda connection: blocking.block(
                self.world.work(connection, self.now), one, BY[0], calls=calls, texts=True
            ),
            statement,
        )

    @rule(which=st.integers(0, 9), newest=st.booleans(), statement=statements)
    def somebody_undoes(self, which: int, newest: bool, statement: int) -> None:
        if not self.done:
            return
        done = self.done[-1] if newest else self.done[which % len(self.done)]
        assert done.batch.id is not None
        number, before, revisions = done.batch.id, stands(self.world), self._revisions()
        answer = self._whole_or_not_at_all(
            lambda connection: undoing.undo(self.world.work(connection, self.now), number, BY[1]), statement
        )
        if answer is None:
            return
        assert self.now < done.batch.undo_until_at, "undone too late"
        assert number not in self.undone_at, "undone twice"
        if not answer.refused:
            self.undone_at[number] = self.now
        after = stands(self.world)
        rows = {row["id"]: row for row in after["rows"]}
        was = {row["id"]: row for row in done.before["rows"]}
        if before == done.after and revisions == done.revisions:  # nothing at all has happened since
            assert not answer.refused
            assert done.batch.stays or after == done.before, "something of it is left"
        for one in answer.undone:
            if done.batch.action not in ENDS:
                assert rows[one] == was[one], "not as it was"
            assert rows[one]["state"] in {"waiting", "held", "calling"} or done.batch.action == "block"

    @rule(action=st.sampled_from([*ACTS, "block"]), which=some, seconds=st.sampled_from([0, 1, 14, 15]),
          meanwhile=st.sampled_from(["nothing", "nothing", "lost", "served", "called", "settled", "tended", "decided"]),
          statement=statements)  # fmt: skip
    def an_act_is_undone(self, action: Action, which: list[int], seconds: int, meanwhile: str, statement: int) -> None:
        """Something may happen between the two."""
        before = len(self.done)
        if action == "block":
            self.somebody_blocks(which[0], calls=which[0] % 2 == 0, statement=99)
        else:
            self.somebody_decides(action, which, 45, stale=False, by=BY[0], statement=99)
        if len(self.done) == before:
            return
        about = self.done[-1]
        self._meanwhile(meanwhile, PEOPLE[which[0] % 4])
        self.done = [*(one for one in self.done if one is not about), about]
        self.now = max(self.now, self.done[-1].at + seconds * US)
        self.somebody_undoes(0, newest=True, statement=statement)

    def _meanwhile(self, what: str, who: str) -> None:
        match what:
            case "lost":
                self.a_customer_is_lost(who)
            case "served":
                self.a_customer_is_served(who)
            case "called":
                self.a_callback_is_made("busy")
            case "settled":
                self.the_service_settles(statement=99)
            case "tended":
                self.the_service_tends()
            case "decided":
                self.somebody_decides("assign", [0, 1], 45, stale=False, by=BY[1], statement=99)

    # What must hold

    @invariant()
    def nobody_who_is_owed_is_lost(self) -> None:
        """Open or closed, for a reason that is told; held by somebody, or waiting."""
        if not hasattr(self, "world"):
            return
        waits = self._pending()
        told = {row.reservation_id for row in self.world.rows(t.audit) if row.action in ENDS.values()}
        incidents_open = {row.id for row in self.world.rows(t.incident) if row.open}
        held = {row.reservation_id for row in self.world.rows(t.audit) if row.action == "held"}
        for row in self.world.reservations():
            assert row.state not in ENDS.values() or row.id in told or row.state == "withdrawn", "closed by nobody"
            if row.state == "held":
                by_somebody = row.id in waits or row.id in held or row.incident_id in incidents_open
                assert by_somebody, "held by nobody: nobody would let go"
        with self.store.read() as connection:
            assert audit.broken_at(connection) is None

    def _pending(self) -> set[int]:
        return {row.reservation_id for row in self.world.rows(t.batch_item) if row.pending_until_at is not None}

    def _is_called(self, number: str) -> bool:
        people = {row.id for row in self.world.rows(t.person) if row.number.endswith(number[1:])}
        return any(row.in_flight and row.person_id in people for row in self.world.attempts())

    def _decided(self, decide: Callable[[Connection], Batch], statement: int) -> None:
        before = stands(self.world)
        done = self._whole_or_not_at_all(decide, statement)
        if done is None or done.id is None:
            return
        self.done.append(Done(done, before, stands(self.world), self._revisions(), self.now))

    def _revisions(self) -> list[int]:
        return [row.revision for row in self.world.reservations()]

    def _whole_or_not_at_all(self, do: Callable[[Connection], Any], statement: int) -> Any:
        """What it gives; None where it was refused, or the power was cut, and nothing is changed."""
        before = stands(self.world), self.world.rows(t.audit), self.world.rows(t.batch_item)
        answer = None
        with self.fuse.lit(statement):
            try:
                with self.store.write() as connection:
                    answer = do(connection)
            except (NotUndone, NoSuchBatch):
                answer = None
        if answer is None or self.fuse.blown:
            assert (stands(self.world), self.world.rows(t.audit), self.world.rows(t.batch_item)) == before
            return None
        return answer


def test_nothing_of_an_undone_act_is_left_and_nobody_is_lost(tmp_path: Path) -> None:
    store = kept(f"sqlite:///{tmp_path / 'test.db'}")
    event.listen(store.engine, "connect", lambda dbapi, _: dbapi.execute("PRAGMA synchronous=OFF"))
    store.engine.dispose()
    Desk.store, Desk.fuse = store, Fuse(store)
    some = settings(max_examples=settings().max_examples // 2, stateful_step_count=30,
                    phases=(Phase.reuse, Phase.generate))  # fmt: skip
    run_state_machine_as_test(Desk, settings=some)
    store.close()
