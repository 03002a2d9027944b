"""Whatever happens in whatever order, crashes and takeovers among it: what must hold after every step.

Hypothesis draws the life of a small call centre: callers are lost, served and on the line; the clock moves over the
evening into the next days; the service ticks, hears, tends, texts, dies before any statement and is taken over; its
clock jumps; people decide whatever they like; its orders reach the PBX at once, late, twice or never; the PBX is
restarted.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Connection, event

from callback.customers import blocks
from callback.decisions import actions, corrections
from callback.errors import NotOurs
from callback.site.work import Work
from callback.store import lease
from callback.store.audit import CUSTOMER, By
from callback.store.engine import Store
from telephony.calls.call import Kind
from telephony.pbx import Stretch
from tests.callback.centre import Centre
from tests.callback.fuse import Fuse
from tests.callback.must_hold import MustHold
from tests.callback.switch import WHILE_IT_RINGS
from tests.callback.world import ON, US, at, call, judged, kept, picture, told_by

PEOPLE = {
    "+819012345678": ("09012345678", "819012345678", "+819012345678"),
    "+81312345679": ("0312345679", "+81312345679"),
    "+12125550123": ("+12125550123",),  # in New York, where it is night when it is day in Tokyo
}
QUEUES = ("support", "sales")
FREE_AGENTS = {queue: {"agent1"} for queue in QUEUES}
DECISIONS = (*actions.BY_NAME, "call-now", "call-me-now", "slot", "slot", "postpone", "assign")
SITES: tuple[dict[str, Any], ...] = (
    {},
    {"queues": {"support": ON, "sales": ON.model_copy(update={"group": "another site"})}, "max_tries": 2},
    {"opening": {"monday": "09:00-12:30, 12:35-24:00", "tuesday": "00:00-24:00"}, "max_tries": 1},
)
MINUTES = (-5, 1, 20, 90, 600, 1500)
SECONDS = (1, 2, 4, 10, 30, 60, 60, 90, 5 * 60, 5 * 60, 15 * 60, 31 * 60, 3600, 11 * 3600)

people = st.sampled_from(sorted(PEOPLE))
queues = st.sampled_from(QUEUES)
any_of = st.integers(0, 99)  # picks one of what there is
outcomes = st.sampled_from(WHILE_IT_RINGS)
kinds = st.sampled_from(["abandoned", "abandoned", "dropped", "silent"])
moods = st.sampled_from(["well", "refuses", "busy", "unclear"])
statements = st.sampled_from([99] * 12 + [*range(12)])  # before which the power is cut; half of the time before none
mostly = st.sampled_from([True, True, True, False])


class CallCentre(RuleBasedStateMachine):
    """The rules by which the model is moved, and what must hold then."""

    store: ClassVar[Store]  # one for all examples, so that every statement is compiled once
    fuse: ClassVar[Fuse]
    centre: Centre
    must_hold: MustHold

    @initialize(start=st.sampled_from(["10:00", "12:20", "20:50", "21:28"]), site=st.sampled_from(SITES))
    def open_the_site(self, start: str, site: dict[str, Any]) -> None:
        self.centre = Centre(self.store, at(start), site)
        self.must_hold = MustHold(self.centre)

    def teardown(self) -> None:
        if hasattr(self, "centre"):
            self.centre.close()

    # What may happen

    @rule(who=people, form=any_of, queue=queues, kind=kinds, ago_s=st.sampled_from([0, 0, 0, 90, 3000, 9000]))
    def a_caller_is_lost(self, who: str, form: int, queue: str, kind: Kind, ago_s: int = 0) -> None:
        """He is heard of at once, or later: from the log, after a gap."""
        if who not in self.centre.rung():
            self.centre.lose(PEOPLE[who][form % len(PEOPLE[who])], who, queue, kind, ago_s)

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

    @rule(seconds=st.sampled_from([0] * 6 + [1, -1, 1.9, -1.9, 300, -50_000, 50_000]))
    def the_clock_of_the_service_jumps(self, seconds: float) -> None:
        """It is put right, or wrong, by a little or by half a day."""
        self.centre.skew = round(seconds * US)

    @rule(
        lost=st.lists(st.tuples(people, queues, kinds), max_size=2),
        to_the_cut=st.sampled_from([0, 0, 0, 4, 12, 28]),
        before=st.sampled_from([(), (), (), ("slot", "call-now"), ("call-now",)]),
        meanwhile=st.sampled_from(["", "", "", "served", "served, lost", "postpone", "slot", "call-me-now"]),
        steps=st.sampled_from([3, 3, 3, 2, 1, 0]),
        outcome=outcomes,
        reached=st.booleans(),
        heard=mostly,
    )
    def an_ordinary_callback_is_made(
        self,
        lost: list[tuple[str, str, Kind]],
        to_the_cut: int,
        before: tuple[str, ...],
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
        for what in before:
            self._decided_about("waiting", what)
        centre.tick(picture(free=FREE_AGENTS), "at once")
        if meanwhile in DECISIONS:
            self._decided_about("calling", meanwhile)
        else:
            self._he_comes_back(meanwhile)
        for _ in range(steps):
            centre.let_time_pass(centre.now + 2 * US)
            for attempt in list(centre.switch.legs)[:1]:
                centre.go_on(attempt, outcome, reached=reached, told=True)
        if heard:
            centre.hear()

    def _decided_about(self, state: str, what: str) -> None:
        """Somebody decides about the first of those who stand so, in twenty minutes where a time is asked for."""
        for row in [row for row in self.centre.everything()["reservation"] if row.state == state][:1]:
            self._decide(row.id, what, self.centre.clock + 20 * 60 * US, statement=99)

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
        centre.tick(picture(free=FREE_AGENTS), "late")
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

    @rule(what=st.sampled_from(DECISIONS), which=any_of, minutes=st.sampled_from(MINUTES), statement=statements)
    def a_person_decides(self, what: str, which: int, minutes: int, statement: int) -> None:
        """About a reservation. It is decided whole or not at all, also where the power is cut meanwhile."""
        rows = self.centre.everything()["reservation"]
        reservations = [row.id for row in rows if row.open] or [row.id for row in rows]
        if reservations:
            then = self.centre.clock + minutes * 60 * US
            self._decide(reservations[which % len(reservations)], what, then, statement)

    def _decide(self, chosen: int, what: str, then: int, statement: int) -> None:
        centre, by = self.centre, By("anna", "she said so")

        def decide(connection: Connection) -> object:
            work = Work(connection, centre.site, centre.clock)
            if what == "slot":
                return told_by(actions.choose_slot, work, chosen, then, by)
            if what == "postpone":
                return told_by(actions.postpone, work, chosen, then, by)
            if what == "call-me-now":
                return told_by(actions.call_now, work, chosen, By(CUSTOMER, "chosen on the page"))
            if what == "assign":
                return told_by(actions.assign, work, chosen, "bert", by)
            return told_by(actions.BY_NAME[what], work, chosen, by)

        if self._whole_or_not_at_all(decide, statement) and what != "assign":
            centre.note("call-now" if what == "call-me-now" else what, chosen)

    @rule(
        what=st.sampled_from(["block", "unblock", "erase"]),
        who=people,
        calls=mostly,
        texts=mostly,
        statement=statements,
    )
    def a_person_decides_about_a_number(self, what: str, who: str, calls: bool, texts: bool, statement: int) -> None:
        centre, by = self.centre, By("anna", "he asked us to")

        def decide(connection: Connection) -> object:
            work = Work(connection, centre.site, centre.clock)
            if what == "erase":
                return told_by(actions.erase, work, who, by)
            change = actions.block if what == "block" else actions.unblock
            return change(work, who, calls=calls, texts=texts, by=by)

        if not self._whole_or_not_at_all(decide, statement):
            return
        if what == "erase":  # nor can anybody know that he was spoken to
            centre.answered = [one for one in centre.answered if one.number != who]
        with centre.store.read() as connection:
            centre.blocked[who] = blocks.blocked(connection, who)

    @rule(which=any_of, statement=statements)
    def a_person_releases_a_loss(self, which: int, statement: int) -> None:
        centre, by = self.centre, By("anna", "call him all the same")
        counted = {row.call_id for row in centre.everything()["loss"]}
        calls = [row.call_id for row in centre.everything()["verdict"] if row.call_id not in counted]
        if calls:
            chosen = calls[which % len(calls)]
            self._whole_or_not_at_all(
                lambda connection: actions.release(Work(connection, centre.site, centre.clock), chosen, by), statement
            )

    @rule(which=any_of, kind=st.sampled_from(corrections.KINDS), statement=statements)
    def a_person_corrects_a_verdict(self, which: int, kind: str, statement: int) -> None:
        centre, by = self.centre, By("anna", "I have listened to it")
        calls = sorted({row.call_id for row in centre.everything()["verdict"]})
        if not calls:
            return
        chosen = calls[which % len(calls)]
        correction = corrections.Correction(chosen, kind, None)
        decided = self._whole_or_not_at_all(
            lambda connection: corrections.correct(Work(connection, centre.site, centre.clock), correction, by),
            statement,
        )
        if decided and kind != "served":  # what was thought to be a talk was none
            at = {row.connected_at for row in centre.rows("queue_visit") if row.call_id == chosen}
            centre.answered = [one for one in centre.answered if one.attempt or one.at not in at]

    def _whole_or_not_at_all(self, decide: Callable[[Connection], object], statement: int) -> bool:
        """Whether it was decided; if not, be it refused or cut off, nothing at all is changed."""
        before, decided = self.centre.everything(), False
        with self.fuse.lit(statement):
            decided = self.centre.decide(decide)
        after = self.centre.everything()
        assert decided or after == before
        assert (len(after["audit"]) > len(before["audit"])) == decided, "kept in the audit, and nothing else is"
        return decided

    @rule(
        what=st.sampled_from(["tick", "tick", "lost", "late", "served", "hear", "tend", "text"]),
        statement=st.integers(0, 45),
        who=people,
        queue=queues,
        kind=kinds,
    )
    def the_power_is_cut(self, what: str, statement: int, who: str, queue: str, kind: Kind) -> None:
        """Before any statement or commit of what the service does; the next process hears what was not committed."""
        centre, rung = self.centre, self.centre.rung()
        if what == "tick":
            self._until_somebody_is_due()
        with self.fuse.lit(statement):
            if what == "tick":
                centre.tick(picture(free=FREE_AGENTS, numbers=centre.on_line), "at once")
            elif what == "hear":
                centre.hear()
            elif what == "tend":
                centre.tend()
            elif what == "text":
                centre.text("well")
            elif what == "served":
                centre.serve(PEOPLE[who][0], who, queue)
            elif who not in rung:
                centre.lose(PEOPLE[who][0], who, queue, kind, ago_s=9000 if what == "late" else 0)
        if self.fuse.blown:
            centre.take_over()

    @rule(who=people, queue=queues)
    def another_process_takes_over(self, who: str, queue: str) -> None:
        """Nothing of the first one's writes is left, whatever it has begun."""
        ghost, its_lease = self.centre.writer, self.centre.world.held
        self.centre.take_over()
        before = self.centre.everything()
        lost = call(PEOPLE[who][0], self.centre.now, queue=queue)
        with pytest.raises(NotOurs):
            ghost.commit([Stretch(((lost, judged(lost, "abandoned")),), (), 0)])
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
        if hasattr(self, "must_hold"):
            self.must_hold.look()


def test_whatever_happens_all_of_it_holds(tmp_path: Path) -> None:
    store = kept(f"sqlite:///{tmp_path / 'test.db'}")
    event.listen(store.engine, "connect", lambda dbapi, _: dbapi.execute("PRAGMA synchronous=OFF"))
    store.engine.dispose()
    CallCentre.store, CallCentre.fuse = store, Fuse(store)
    # Shrinking takes minutes, and what failed is told step by step anyway; add Phase.shrink to look into it.
    few = settings().max_examples // 3
    some = settings(max_examples=few, stateful_step_count=40, phases=(Phase.reuse, Phase.generate))
    run_state_machine_as_test(CallCentre, settings=some)
    store.close()
