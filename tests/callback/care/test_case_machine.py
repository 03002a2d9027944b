"""People, departments, customers and time do what they like: a case ends once, and never unconfirmed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from callback.care import links
from callback.customers import blocks
from callback.decisions.care import cases as acts
from callback.decisions.care import department
from callback.decisions.care.acting import AskedCase
from callback.errors import CallbackError
from callback.site.templates import Texting
from callback.site.tokens import LinkExpired, NoSuchLink
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By
from callback.store.engine import Store
from scheduler.clock import DAY, HOUR
from sms.outbox import text_outbox
from tests.callback.care.asked import answer, leave, tend
from tests.callback.decisions.care.centre import ANNA, NUMBER, at_work, registered, takes_cases
from tests.callback.world import MINUTE, NOON, World, call, emptied

ENDS = frozenset({"closed", "unreachable", "withdrawn"})
EITHER = st.booleans()


class Cases(RuleBasedStateMachine):
    """One customer with two matters at most."""

    store: Store

    def __init__(self) -> None:
        super().__init__()
        emptied(self.store)
        self.world = World(self.store.url, takes_cases())
        self.world.site = replace(self.world.site, texting=Texting(two_way=lambda _: True, public_url="https://x.test"))
        self.world.hear(call(talked_s=60, ended_at=NOON - HOUR), "served")
        self.now = NOON
        self.blocked = False
        self.texts_when_blocked = 0
        self.ended: dict[int, str] = {}
        self.due: dict[int, int] = {}

    def _try(self, act: Callable[[Work], object]) -> None:
        """What may not be now is refused, and changes nothing."""
        before = self._cases()
        with suppress(CallbackError):
            with at_work(self.world, self.now) as work:
                act(work)
            return
        assert self._cases() == before

    def _cases(self) -> list[Any]:
        return self.world.rows(t.care_case)

    @rule(topic=st.sampled_from(["billing", "speed"]), to=st.sampled_from(["", "billing", "network"]))
    def register(self, topic: str, to: str) -> None:
        if len(self._cases()) < 6:
            with suppress(CallbackError):
                registered(self.world, self.now, topic=topic, department=to)

    @precondition(lambda self: self._cases())
    @rule(at=st.integers(0, 5), what=st.sampled_from(["answer", "confirm", "deny", "withdraw", "assign", "department"]))
    def decide(self, at: int, what: str) -> None:
        asked = AskedCase(self._cases()[at % len(self._cases())].id)
        does: dict[str, Callable[[Work], object]] = {
            "answer": lambda work: acts.answer(work, asked, f"at {self.now}", ANNA),
            "confirm": lambda work: acts.confirm(work, asked, "call", ANNA),
            "deny": lambda work: acts.deny(work, asked, "call", ANNA),
            "withdraw": lambda work: acts.withdraw(work, asked, "call", ANNA),
            "assign": lambda work: acts.assign(work, asked, ANNA, department="network"),
            "department": lambda work: self._by_link(work, asked.case),
        }
        self._try(does[what])

    def _by_link(self, work: Work, case: int) -> None:
        to = work.connection.execute(select(t.care_case.c.department).where(t.care_case.c.id == case)).scalar_one()
        token = links.token(work.connection, case, to or "billing", self.now + DAY)
        with suppress(NoSuchLink, LinkExpired):
            department.answer(work, token, f"by link at {self.now}")

    @rule(said=st.sampled_from(["1", "2", "3", "thanks"]))
    def text(self, said: str) -> None:
        leave(self.world, self.now)
        answer(self.world, said, self.now)

    @rule(texts=EITHER)
    def block(self, *, texts: bool) -> None:
        with at_work(self.world, self.now) as work:
            if texts:
                blocks.block(work.connection, "main", NUMBER, By("anna", "asked"), self.now, texts=True)
            else:
                blocks.unblock(work.connection, "main", NUMBER, By("anna", "asked"), self.now)
        self.blocked = texts
        self.texts_when_blocked = len(self.world.rows(text_outbox))

    @rule(by=st.sampled_from([MINUTE, 11 * MINUTE, 9 * HOUR, 49 * HOUR]))
    def time_goes_by(self, by: int) -> None:
        self.now += by
        with at_work(self.world, self.now) as work:  # whom we could not reach
            closed = {"open": False, "state": "expired", "state_since_at": self.now}
            work.connection.execute(t.reservation.update().where(t.OPEN).values(**closed))
        tend(self.world, self.now)

    @invariant()
    def a_case_ends_once_and_never_unconfirmed(self) -> None:
        steps: dict[int, list[str]] = {}
        for step in self.world.rows(t.care_step):
            steps.setdefault(step.case_id, []).append(step.event)
        for case in self._cases():
            assert case.open == (case.state not in ENDS)
            assert self.ended.get(case.id, case.state) == case.state, "it ended once"
            if not case.open:
                self.ended[case.id] = case.state
            said = [event for event in steps[case.id] if event in {"confirmed", "denied", "closed"}]
            if case.state == "closed":
                assert said[-2:] == ["confirmed", "closed"]
            if case.state == "unreachable":
                assert case.asks == self.world.site.rules.care.confirm_tries
            assert said.count("closed") == (case.state == "closed")

    @invariant()
    def a_clock_never_moves_later(self) -> None:
        for case in self._cases():
            assert case.due_at <= self.due.get(case.id, case.opened_at + 48 * HOUR)
            self.due[case.id] = case.due_at

    @invariant()
    def nobody_is_texted_who_is_blocked(self) -> None:
        if self.blocked:
            assert len(self.world.rows(text_outbox)) == self.texts_when_blocked

    @invariant()
    def nobody_is_asked_about_what_has_ended(self) -> None:
        open_ones = {row.id for row in self._cases() if row.state == "answered"}
        for text in self.world.rows(text_outbox):
            if text.template == "case-confirm" and text.state == "waiting":
                assert int(text.cause.split("/")[1]) in open_ones

    def teardown(self) -> None:
        self.world.close()


def test_whatever_happens(sqlite_world: World) -> None:
    kind = type("OneSite", (Cases,), {"store": sqlite_world.store})
    some = settings(
        max_examples=25,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.reuse, Phase.generate),  # to shrink takes minutes: the time-out would hide what was found
    )
    run_state_machine_as_test(kind, settings=some)
