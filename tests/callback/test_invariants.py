"""Whatever happens in whatever order, crashes and takeovers among it: what must hold after every step.

Hypothesis draws the life of a small call centre: callers are lost, served and on the line; the clock moves over the
evening into the next days; the service ticks, hears, tends, texts, dies and is taken over; its orders reach the PBX at
once, late, twice or never; the PBX is restarted.
"""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import event

from callback.errors import NotOurs
from callback.store import lease
from callback.store.engine import Store
from telephony.call import Kind
from telephony.pbx import Heard
from tests.callback.centre import Centre, PowerCut
from tests.callback.switch import WHILE_IT_RINGS
from tests.callback.world import ON, US, at, call, judged, kept, picture

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
SECONDS = (1, 2, 4, 10, 30, 60, 60, 90, 5 * 60, 5 * 60, 15 * 60, 31 * 60, 3600, 11 * 3600)

people = st.sampled_from(sorted(PEOPLE))
queues = st.sampled_from(QUEUES)
any_of = st.integers(0, 99)  # picks one of what there is
outcomes = st.sampled_from(WHILE_IT_RINGS)
kinds = st.sampled_from(["abandoned", "abandoned", "dropped", "silent"])
moods = st.sampled_from(["well", "refuses", "busy", "unclear"])
mostly = st.sampled_from([True, True, True, False])


class CallCentre(RuleBasedStateMachine):
    """The rules by which the model is moved, and what must hold then."""

    store: ClassVar[Store]  # one for all examples, so that every statement is compiled once
    centre: Centre

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[Any, Any] = {}  # what must never change again
        self.deadlines: dict[int, int] = {}

    @initialize(start=st.sampled_from(["10:00", "12:20", "20:50", "21:28"]), site=st.sampled_from(SITES))
    def open_the_site(self, start: str, site: dict[str, Any]) -> None:
        self.centre = Centre(self.store, at(start), site)

    # What may happen

    @rule(who=people, form=any_of, queue=queues, kind=kinds)
    def a_caller_is_lost(self, who: str, form: int, queue: str, kind: Kind) -> None:
        if who not in self.centre.rung():
            self.centre.lose(PEOPLE[who][form % len(PEOPLE[who])], who, queue, kind)

    @rule(who=people, queue=queues, served=st.booleans())
    def a_caller_calls(self, who: str, queue: str, served: bool) -> None:
        if who in self.centre.on_line and served:
            self.centre.serve(PEOPLE[who][0], who, queue)
        elif who not in self.centre.rung():
            self.centre.on_line ^= {who}

    @rule(seconds=st.sampled_from(SECONDS), to_the_cut=st.sampled_from([0, 0, 1]))
    def time_passes(self, seconds: int, to_the_cut: int) -> None:
        centre = self.centre
        _, cut = centre.hours.stretch(centre.now)
        centre.let_time_pass(cut - seconds * US if to_the_cut else centre.now + seconds * US)

    @rule(
        lost=st.lists(st.tuples(people, queues, kinds), max_size=2),
        to_the_cut=st.sampled_from([0, 0, 0, 4, 12, 28]),
        meanwhile=st.sampled_from(["", "", "", "served", "served, lost"]),
        steps=st.sampled_from([3, 3, 3, 2, 1, 0]),
        outcome=outcomes,
        reached=st.booleans(),
        heard=mostly,
    )
    def an_ordinary_callback_is_made(
        self,
        lost: list[tuple[str, str, Kind]],
        to_the_cut: int,
        meanwhile: str,
        steps: int,
        outcome: str,
        reached: bool,
        heard: bool,
    ) -> None:
        """All is well until it stops somewhere: somebody is due, agents are free, and the PBX is quick."""
        centre = self.centre
        for who, queue, kind in lost:
            self.a_caller_is_lost(who, 0, queue, kind)
        self._until_somebody_is_due()
        if to_the_cut:
            centre.let_time_pass(centre.hours.stretch(centre.now)[1] - to_the_cut * US)
        centre.hear()
        centre.tend()
        centre.on_line.clear()
        centre.tick(picture(free={queue: {"agent1"} for queue in QUEUES}), "at once")
        self._he_comes_back(meanwhile)
        for _ in range(steps):
            centre.let_time_pass(centre.now + 2 * US)
            for attempt in list(centre.switch.legs)[:1]:
                centre.go_on(attempt, outcome, reached=reached, told=True)
        if heard:
            centre.hear()

    def _he_comes_back(self, meanwhile: str) -> None:
        """By himself, while an agent is looked for on his behalf."""
        for leg in [leg for leg in self.centre.switch.legs.values() if meanwhile and leg.phase == "looking"]:
            who, queue = leg.order.agent_sees, leg.order.queue
            self.centre.let_time_pass(self.centre.now + 3 * US)
            self.centre.serve(who, who, queue)
            if "lost" in meanwhile:
                self.centre.let_time_pass(self.centre.now + US)
                self.centre.lose(who, who, queue, "abandoned")

    @rule(seconds=st.sampled_from([0, 4, 20, 50, 57, 90]))
    def an_order_is_late(self, seconds: int) -> None:
        """The service looks after it before the PBX has seen it."""
        centre = self.centre
        self._until_somebody_is_due()
        centre.tick(picture(free={queue: {"agent1"} for queue in QUEUES}), "late")
        centre.let_time_pass(centre.now + seconds * US)
        centre.tend()
        for order in centre.on_the_way[-1:]:
            centre.deliver_originate(order)
            if order.attempt in centre.switch.legs:
                centre.go_on(order.attempt, "busy", reached=False, told=True)

    @rule(
        free=st.sampled_from([{"agent1"}, {"agent1", "agent2"}]),
        staffed=st.sampled_from([QUEUES, QUEUES, ("support",), ()]),
        waiting=st.sampled_from([0, 0, 0, 1]),
        closed=st.sampled_from([None, None, None, "pbx-clock-off"]),
        fate=st.sampled_from(["at once", "at once", "late", "never", "refused"]),
        when_due=mostly,
    )
    def the_service_ticks(
        self, free: set[str], staffed: tuple[str, ...], waiting: int, closed: str | None, fate: str, when_due: bool
    ) -> None:
        if when_due:
            self._until_somebody_is_due()
        agents, waits = dict.fromkeys(staffed, free), dict.fromkeys(staffed, waiting)
        self.centre.tick(picture(free=agents, waiting=waits, numbers=self.centre.on_line, closed=closed), fate)

    def _until_somebody_is_due(self) -> None:
        self.centre.let_time_pass(self.centre.due_at() or 0)

    @rule(what=st.sampled_from(["hear", "hear", "miss", "tend"]))
    def the_service_works(self, what: str) -> None:
        if what == "tend":
            self.centre.tend()
        else:
            self.centre.hear(lost=what == "miss")

    @rule(mood=moods, caller=st.none() | people)
    def the_service_texts(self, mood: str, caller: str | None) -> None:
        """When the grace is over; somebody may have called in meanwhile."""
        self.centre.let_time_pass(self.centre.now + 21 * US)
        self.centre.on_line |= {caller} if caller else set()
        self.centre.text(mood)

    @rule(what=st.sampled_from(["leg", "leg", "originate", "restart"]), which=any_of, outcome=outcomes, told=mostly)
    def the_pbx_goes_on(self, what: str, which: int, outcome: str, told: bool) -> None:
        centre, legs = self.centre, list(self.centre.switch.legs)
        if what == "restart":
            centre.restart_pbx()
        elif what == "originate" and centre.on_the_way:
            centre.deliver_originate(centre.on_the_way[which % len(centre.on_the_way)])
        elif legs:
            centre.go_on(legs[which % len(legs)], outcome, reached=bool(which % 2), told=told)

    @rule(what=st.sampled_from(["tick", "lost", "step", "end"]), who=people, queue=queues)
    def the_power_is_cut(self, what: str, who: str, queue: str) -> None:
        """In the middle of a transaction: nothing of it is left."""
        before = self.centre.everything()
        with pytest.raises(PowerCut):
            self.centre.write(lambda connection: self.centre.half_done(connection, what, PEOPLE[who][0], queue))
        assert self.centre.everything() == before
        self.centre.take_over()

    @rule(who=people, queue=queues)
    def another_process_takes_over(self, who: str, queue: str) -> None:
        """Nothing of the first one's writes is left, whatever it has begun."""
        ghost, its_lease = self.centre.writer, self.centre.world.held
        self.centre.take_over()
        before = self.centre.everything()
        lost = call(PEOPLE[who][0], self.centre.now, queue=queue)
        with pytest.raises(NotOurs):
            ghost.commit([Heard(((lost, judged(lost, "abandoned")),), (), 0)])
        for right in (lease.guard, lease.renew):
            with pytest.raises(NotOurs), self.centre.store.write() as connection:
                right(connection, its_lease)
        assert self.centre.everything() == before

    @rule(begin=any_of, shuffled=st.booleans())
    def everything_is_heard_again(self, begin: int, shuffled: bool) -> None:
        """The journal is read again from some checkpoint on: that changes nothing."""
        before, heard = self.centre.everything(), self.centre.heard
        again = heard[begin % len(heard) :] if heard else []
        if shuffled:
            random.Random(begin).shuffle(again)  # noqa: S311 - reproducible
        if again:
            self.centre.writer.commit(again)
        assert self.centre.everything() == before

    # What must hold

    @invariant()
    def all_holds(self) -> None:
        if not hasattr(self, "centre"):
            return
        self.centre.note_who_was_reached()
        rows = self.centre.everything()
        reservations = {row.id: row for row in rows["reservation"]}
        self._nobody_is_rung_when_he_must_not_be()
        self._reservations_are_sound(reservations)
        self._promises_stay_as_they_were(reservations, rows["promise"])
        self._attempts_end_once(reservations, rows["attempt"])
        self._nothing_is_owed_to_whom_was_answered(reservations, rows["attempt"])
        self._texts_are_owed(reservations, rows["text_outbox"])

    def _nobody_is_rung_when_he_must_not_be(self) -> None:
        over: dict[str, int] = {}
        rings, hours = self.centre.switch.rings, self.centre.hours
        for ring in sorted(rings, key=lambda ring: ring.began_at):
            assert not hours.quiet(ring.began_at), "rung in quiet hours"
            cut = hours.ring_until(ring.began_at)
            assert cut is None or ring.ended_at < cut, "rung into quiet hours"
            assert over.get(ring.order.agent_sees, 0) <= ring.began_at, "two rings at a time"
            over[ring.order.agent_sees] = ring.ended_at
        assert max(Counter(ring.order.attempt for ring in rings).values(), default=0) <= 1

    def _reservations_are_sound(self, reservations: dict[int, Any]) -> None:
        still_open = Counter((row.person_id, row.queue) for row in reservations.values() if row.open)
        assert max(still_open.values(), default=0) <= 1
        for row in reservations.values():
            assert row.open == (row.state in {"waiting", "calling"})
            if not row.open:
                self._never_changes(("closed", row.id), (row.state, row.state_since_at, row.tries))

    def _promises_stay_as_they_were(self, reservations: dict[int, Any], promises: list[Any]) -> None:
        in_force: dict[int, Any] = {}
        for promise in sorted(promises, key=lambda promise: promise.number):
            self._never_changes(("promise", promise.reservation_id, promise.number), tuple(promise))
            in_force[promise.reservation_id] = promise
        for row in reservations.values():
            promise = in_force[row.id]
            times = (promise.clock_starts_at, promise.aim_at, promise.deadline_at)
            assert (row.clock_starts_at, row.aim_at, row.deadline_at) == times, "a promise that stands nowhere"
            if row.deadline_at > self.deadlines.get(row.id, row.deadline_at):
                assert promise.reason == "carried-over"
                assert promise.clock_starts_at > promise.made_at, "put off although a phone might ring"
            self.deadlines[row.id] = row.deadline_at

    def _attempts_end_once(self, reservations: dict[int, Any], attempts: list[Any]) -> None:
        flying = [row for row in attempts if row.in_flight]
        assert len({row.person_id for row in flying}) == len(flying)
        counted: Counter[int] = Counter()
        for row in attempts:
            if not row.in_flight:
                self._never_changes(("ended", row.id), (row.outcome, row.ended_at, row.evidence, row.counted))
                assert row.counted == (row.outcome not in FREE_OF_CHARGE)
                counted[row.reservation_id] += row.counted
        for reservation in reservations.values():
            flies = reservation.id in {row.reservation_id for row in flying}
            assert flies == (reservation.state == "calling") or reservation.state == "returned"
            assert reservation.tries == counted[reservation.id] or reservation.state == "returned"

    def _nothing_is_owed_to_whom_was_answered(self, reservations: dict[int, Any], attempts: list[Any]) -> None:
        """Once the service knows that he was spoken to, be it by his own call or by ours."""
        numbers = self.centre.numbers()
        known = {row.id for row in attempts if row.outcome == "reached"} | {""}
        for row in reservations.values():
            whose = (numbers[row.person_id], row.queue_group)
            answers = [one for one in self.centre.answered if one.attempt in known and (one.number, one.group) == whose]
            assert not row.open or row.last_lost_at >= max((one.at for one in answers), default=0), "still owed"

    def _texts_are_owed(self, reservations: dict[int, Any], texts: list[Any]) -> None:
        for row in texts:
            word, number, *_ = row.cause.split("/")
            owed = reservations[int(number)]
            if row.state == "waiting":
                assert owed.open if word == "lost" else owed.state == "given-up"
        assert max(self.centre.sent.values(), default=0) <= 1
        assert self.centre.texted_on_the_line == []

    def _never_changes(self, key: Any, value: Any) -> None:
        assert self.seen.setdefault(key, value) == value


def test_whatever_happens_all_of_it_holds(tmp_path: Path) -> None:
    store = kept(f"sqlite:///{tmp_path / 'test.db'}")
    event.listen(store.engine, "connect", lambda dbapi, _: dbapi.execute("PRAGMA synchronous=OFF"))
    store.engine.dispose()
    CallCentre.store = store
    # Shrinking takes minutes, and what failed is told step by step anyway; add Phase.shrink to look into it.
    some = settings(max_examples=20, stateful_step_count=40, phases=(Phase.reuse, Phase.generate))
    run_state_machine_as_test(CallCentre, settings=some)
    store.close()
