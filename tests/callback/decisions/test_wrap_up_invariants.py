"""Whatever agents say of callbacks, and whatever goes on meanwhile: no loss is lost, and nobody is rung too often.

Hypothesis draws losses, claims and their ends, words and other words, customers who are served, and time.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, ClassVar, Final

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from callback.attempts import settle
from callback.decisions import wrap_up
from callback.decisions.wrap_up import NotPossible, Outcome, Teller, TooLate, Word
from callback.reservations import deadlines
from callback.store import audit
from callback.store import tables as t
from callback.store.engine import Store
from tests.callback.world import MINUTE, NOON, US, World, call, emptied, kept, picture, rules

PEOPLE: Final = [f"0901234560{n}" for n in range(1, 4)]
PHONE: Final = "PJSIP/agent1"
MEI: Final = Teller("mei", frozenset({PHONE}))
FREE: Final = picture(free={"support": {PHONE}, "sales": {PHONE}})
RINGS: Final = 4  # of a phone, a day
TRIES: Final = 3
MEANT: Final = ("machine", "invalid-number")


class Desk(RuleBasedStateMachine):
    """An agent who tells how it went, and the service beside."""

    store: ClassVar[Store]
    world: World

    @initialize()
    def begin(self) -> None:
        emptied(self.store)
        self.world = World(self.store.url, rules(max_tries=TRIES, rings_a_day=RINGS, incident_losses=50))
        self.now = NOON
        self.promised: dict[str, int] = {}
        for number in PEOPLE:
            self.a_customer_is_lost(number, "support")

    @rule(number=st.sampled_from(PEOPLE), queue=st.sampled_from(["support", "support", "sales"]))
    def a_customer_is_lost(self, number: str, queue: str) -> None:
        if any(row.in_flight for row in self.world.attempts()):
            return
        self.now += US
        lost = call(number, self.now, queue=queue)
        self.world.hear(lost)
        loss = next(row for row in self.world.rows(t.loss) if row.call_id == lost.call_id)
        row = next(row for row in self.world.reservations() if row.id == loss.reservation_id)
        self.promised[lost.call_id] = row.deadline_at

    @rule(number=st.sampled_from(PEOPLE))
    def a_customer_is_served(self, number: str) -> None:
        self.now += US
        self.world.hear(call(number, self.now, talked_s=0.5, waited_s=0.1), "served")

    @rule(minutes=st.sampled_from([1, 5, 9, 16, 31]))
    def time_passes(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @rule()
    def the_service_tends(self) -> None:
        with self.store.write() as connection:
            deadlines.check(self.world.work(connection, self.now))

    @rule(outcome=st.sampled_from(["reached", "reached", "reached", "busy", "agent-no-answer"]))
    def a_callback_is_made(self, outcome: str) -> None:
        before = self._standing()
        for order in self.world.claims(self.now, FREE, 1):
            row = next(row for row in self.world.attempts() if row.id == order.attempt)
            assert before[row.reservation_id].state == "waiting", "dialled, though it was closed"
            with self.store.write() as connection:
                work = self.world.work(connection, self.now)
                for step in ("agent_connected_at", "customer_dialled_at", "customer_answered_at"):
                    settle.progress(work, order.attempt, step, self.now, PHONE)
            self.now += 20 * US
            self.world.end(order.attempt, outcome, self.now)

    @rule(which=st.integers(0, 5), outcome=st.sampled_from(wrap_up.OUTCOMES))
    def the_agent_tells(self, which: int, outcome: Outcome) -> None:
        told = {row.attempt_id for row in self.world.rows(t.wrap_up)}
        about = [row for row in self.world.attempts() if row.outcome == "reached" or row.id in told]
        if not about:
            return
        row = about[-1 - which % len(about)]
        before = (self.world.reservations(), self.world.rows(t.loss), self.world.rows(t.wrap_up))
        word = Word(
            outcome,
            cause="line" if outcome == "cut-off" else None,
            again_at=self.now + 45 * MINUTE if outcome == "call-again" else None,
        )
        try:
            with self.store.write() as connection:
                wrap_up.say(self.world.work(connection, self.now), MEI, row.reservation_id, row.number, word)
        except (NotPossible, TooLate):
            assert before == (self.world.reservations(), self.world.rows(t.loss), self.world.rows(t.wrap_up))
            return
        assert next(one for one in self.world.rows(t.wrap_up) if one.attempt_id == row.id).outcome == outcome

    @invariant()
    def no_loss_is_lost(self) -> None:
        rows, counted = self._standing(), Counter(row.reservation_id for row in self.world.rows(t.loss))
        assert {row.call_id for row in self.world.rows(t.loss)} >= set(self.promised)
        for row in rows.values():
            if row.state == "continued":
                assert counted[row.id] == 0, "it goes on as another, and a loss stayed behind"

    @invariant()
    def a_promise_is_never_later_by_our_doing(self) -> None:
        rows = self._standing()
        first = {row.reservation_id: row for row in self.world.rows(t.promise) if row.number == 1}
        apart = {row.made.get("again") for row in self.world.rows(t.wrap_up)}
        carried = {row.reservation_id for row in self.world.rows(t.promise) if row.reason == "carried-over"}
        for loss in self.world.rows(t.loss):
            row = rows[loss.reservation_id]
            if row.id in apart or row.id in carried or loss.call_id not in self.promised or row.slot_at is not None:
                continue
            if first[row.id].made_at <= loss.lost_at + US and row.open and row.losses == 1:
                assert row.deadline_at <= self.promised[loss.call_id], "later than the first promise"

    @invariant()
    def tries_hold(self) -> None:
        """What counted for a callback and those before it is no more than the rules allow."""
        for row in self.world.reservations():
            counted = [one for one in self.world.attempts() if one.reservation_id == row.id and one.counted]
            if row.slot_at is None and row.losses == 1:
                assert len(counted) <= TRIES
            assert row.tries <= max(TRIES, len(counted))
        rung = Counter(row.person_id for row in self.world.attempts() if row.customer_dialled_at is not None)
        assert all(many <= RINGS for many in rung.values()), "a phone rang too often in a day"

    @invariant()
    def who_is_reached_is_rung_no_more(self) -> None:
        """Each callback was reached once at most, but for those that an agent says reached nobody."""
        reached = Counter(row.reservation_id for row in self.world.attempts() if row.outcome == "reached")
        assert all(many == 1 for many in reached.values())
        for row in self.world.attempts():
            if row.outcome in MEANT:
                assert row.id in {one.attempt_id for one in self.world.rows(t.wrap_up)}

    @invariant()
    def the_audit_is_whole(self) -> None:
        with self.store.read() as connection:
            assert audit.broken_at(connection) is None

    def _standing(self) -> dict[int, Any]:
        return {row.id: row for row in self.world.reservations()}


def test_whatever_agents_say_nobody_is_lost(tmp_path: Path) -> None:
    Desk.store = kept(f"sqlite:///{tmp_path / 'desk.db'}")
    few = settings(
        max_examples=25, stateful_step_count=25, deadline=None, phases=[Phase.explicit, Phase.generate, Phase.shrink]
    )
    run_state_machine_as_test(Desk, settings=few)
