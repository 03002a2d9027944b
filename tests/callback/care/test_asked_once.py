"""Whatever happens in whatever order: one question about one service, and none to whom no text may be sent."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from callback.care import served
from callback.customers import blocks
from callback.store import tables as t
from callback.store.audit import By
from callback.store.engine import Store
from callback.store.feed import Reader
from callback.texts import asking, compose
from scheduler.clock import DAY
from sms import outbox
from sms.gateway import Receipt, Refused
from sms.outbox import text_outbox
from telephony.calls.call import Call
from tests.callback.care.asked import answer, look, tend
from tests.callback.care.asked import asking as ask_all
from tests.callback.world import MINUTE, NOON, US, World, call, emptied, picture

PEOPLE = ("+819012345601", "+819012345602")
BY = By("anna", "said so")


class Asking(RuleBasedStateMachine):
    """Customers are served, lost, called, asked, answer, opt out and in; the service dies, and reads again."""

    store: Store

    @initialize()
    def begin(self) -> None:
        emptied(self.store)
        self.world = ask_all(World(self.store.url))
        rules = self.world.site.rules.model_copy(update={"ask_after": True})
        self.world.site = replace(self.world.site, rules=rules)
        self.now = NOON
        self.calls: list[Call] = []
        self.told: Counter[str] = Counter()
        self.reader = self._reader(0)

    def _reader(self, place: int | None) -> Reader:
        with self.world.store.write() as connection:
            if place is not None:
                connection.execute(t.survey_place.update().values(reached_id=place))
            found = served.begin(self.world.work(connection, self.now))
        assert found is not None
        return found

    @rule(seconds=st.sampled_from((1, 30, 600, 3600, 5 * 3600, 86_400, 20 * 86_400)))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds * US

    @rule(who=st.sampled_from(PEOPLE), kind=st.sampled_from(("served", "served", "abandoned")))
    def calls_in(self, who: str, kind: Any) -> None:
        heard = call("0" + who[3:], ended_at=self.now, talked_s=30 if kind == "served" else None)
        self.calls.append(heard)
        self.world.hear(heard, kind)

    @rule(data=st.data())
    def is_judged_again(self, data: st.DataObject) -> None:
        if self.calls:
            self.world.hear(data.draw(st.sampled_from(self.calls[-3:])), "served", self.now)

    @rule()
    def asks(self) -> None:
        with self.world.store.write() as connection:
            asking.take_back_late(self.world.work(connection, self.now))
        look(self.world, self.reader, self.now)

    @rule(from_the_start=st.booleans())
    def dies_and_reads_on(self, from_the_start: bool) -> None:
        self.reader = self._reader(0 if from_the_start else None)

    @rule()
    def calls_back(self) -> None:
        with self.world.store.write() as connection:
            connection.execute(t.reservation.update().where(t.OPEN).values(agent_until_at=0))
        order = self.world.claim(self.now, picture())
        if order is not None:
            self.now += MINUTE
            self.world.end(order.attempt, "reached", self.now)
        tend(self.world, self.now)

    @rule()
    def texts_leave(self) -> None:
        """As the sender does it: it asks for the number when it has claimed."""
        with self.world.store.write() as connection:
            outbox.lapse(connection, self.now)
            for one in outbox.claim(connection, self.now, 99, 60, "test"):
                try:
                    number = compose.number_of(connection, self.world.site, one.recipient)
                except Refused as error:
                    outbox.settle_refused(connection, one, str(error), self.now)
                    continue
                assert not blocks.blocked(connection, number).texts, "texted though opted out"
                outbox.settle_sent(connection, {one: Receipt("1")}, self.now)
                self.told[one.cause] += 1

    @rule(who=st.sampled_from(PEOPLE), number=st.integers(1, 5))
    def answers(self, who: str, number: int) -> None:
        answer(self.world, str(number), self.now, who)

    @rule(who=st.sampled_from(PEOPLE), word=st.sampled_from(("STOP", "START", "so rude")))
    def writes(self, who: str, word: str) -> None:
        answer(self.world, word, self.now, who)

    @rule(who=st.sampled_from(PEOPLE), calls=st.booleans())
    def is_blocked_by_people(self, who: str, calls: bool) -> None:
        with self.world.store.write() as connection:
            blocks.block(connection, "main", who, BY, self.now, calls=calls, texts=True)

    @invariant()
    def nobody_is_asked_twice_about_one_service(self) -> None:
        if not hasattr(self, "world"):
            return
        rows = self.world.rows(t.survey)
        assert max(Counter(row.about for row in rows).values(), default=1) == 1
        assert max(self.told.values(), default=1) == 1

    @invariant()
    def nobody_is_asked_again_too_soon(self) -> None:
        if not hasattr(self, "world"):
            return
        lasts = self.world.site.rules.care.ask_again_days * DAY
        asked: dict[int, int] = {}
        left = {row.cause for row in self.world.rows(text_outbox) if row.state in {"sending", "sent", "unknown"}}
        for row in self.world.rows(t.survey):
            if row.kind != "repair" and asking.cause_of(row.kind, row.about, row.id) in left:
                assert row.asked_at - asked.get(row.person_id, -lasts) >= lasts
                asked[row.person_id] = row.asked_at

    @invariant()
    def no_case_is_closed_that_nobody_confirmed_and_each_stands_for_one_answer(self) -> None:
        if not hasattr(self, "world"):
            return
        for case in self.world.rows(t.care_case):
            assert case.state != "closed" or case.score_after >= 4
            assert case.open == (case.state not in {"closed", "unreachable", "withdrawn"})


def test_nobody_is_asked_twice_and_nobody_who_opted_out_is_texted(sqlite_world: World) -> None:
    machine = type("AskingHere", (Asking,), {"store": sqlite_world.store})
    run_state_machine_as_test(machine, settings=settings(max_examples=12, stateful_step_count=40, deadline=None))
