"""Customers who are not content, in the centre that the console's tests look at: cases in each state, flags, a note."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final

from callback.care import cases as standing
from callback.decisions.care import cases, customer_notes, flags, registering
from callback.decisions.care.acting import Actor, AskedCase
from callback.decisions.care.flags import Contact
from callback.decisions.care.registering import Complaint
from callback.reservations.reservation import read_one
from callback.site.work import Work
from callback.store.audit import SERVICE, By
from tests.callback.world import MINUTE, at
from tests.console.centre import DAY, HOSTILE, NOW, Centre

ANNA: Final = Actor(By("Anna", "on the console's page"))
MEI: Final = Actor(By("Mei", "on the console's page"), frozenset({"agent"}))


def seed(centre: Centre) -> None:
    """Let them complain, on the days before and today."""
    made = _Made(centre)
    made.case("overdue", "binds", at("09:00", DAY - 3), "Nobody ever calls back.", topic="line/slow", severity=3)
    made.case("soon", "late-tried", at("19:00", DAY - 2), "The bill is wrong again.", topic="billing/wrong-amount")
    made.case("asked", "window", at("10:00", DAY - 1), "The line is slow in the evening.", topic="line")
    made.case("confirmed", "held", at("10:10", DAY - 1), "Two letters about one bill.", topic="billing")
    made.case("closed", "reached", at("10:00", DAY - 4), "Was cut off twice.", topic="line")
    made.case("withdrawn", "busy", at("10:30", DAY - 1), "Was rude.", topic="line")
    made.case("fresh", "aim", NOW - 20 * MINUTE, "The voucher never came.", topic="billing", promised="A new voucher")
    made.case("hostile", "window-sales", NOW - 10 * MINUTE, HOSTILE[0] + HOSTILE[3][2:], topic="", queue="sales")
    for name in ("asked", "confirmed", "closed"):
        made.decide(
            name, at("11:00", DAY - 1), lambda work, case: cases.answer(work, case, "The line was reset.", ANNA)
        )
    for name in ("confirmed", "closed"):
        made.decide(
            name, at("12:00", DAY - 1), lambda work, case: cases.confirm(work, case, "call", ANNA, "All is well.")
        )
    made.decide("withdrawn", at("12:10", DAY - 1), lambda work, case: cases.withdraw(work, case, "call", ANNA))
    centre.do(at("12:30", DAY - 1), lambda work: standing.move(work, centre.cases["closed"], "closed", SERVICE))
    made.case("again", "reached", NOW - 5 * MINUTE, "Cut off once more.", topic="line")
    made.case("mine", "aim-billing", NOW - 4 * MINUTE, "Wants the manager.", topic="billing", actor=MEI, source="agent")
    made.decide("soon", NOW - 3 * MINUTE, lambda work, case: cases.assign(work, case, ANNA, department="billing"))
    made.decide("fresh", NOW - 2 * MINUTE, lambda work, case: cases.compensate(work, case, "voucher", ANNA))
    centre.do(NOW - MINUTE, lambda work: _flags(work, centre))


class _Made:
    """Makes cases of the centre's customers, known by names."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    def case(
        self, name: str, of: str, when: int, words: str, *, queue: str = "support", actor: Actor = ANNA, **more: object
    ) -> None:
        """Register a complaint of the customer of that reservation."""

        def do(work: Work) -> None:
            told = Complaint(queue=queue, person=_person(work, self._centre, of), words=words, **more)  # type: ignore[arg-type]
            self._centre.cases[name] = registering.register(work, told, actor).case

        self._centre.do(when, do)

    def decide(self, name: str, when: int, act: Callable[[Work, AskedCase], object]) -> None:
        """Decide about one."""
        asked = AskedCase(self._centre.cases[name])
        self._centre.do(when, lambda work: act(work, asked))


def _answer(work: Work, case: AskedCase) -> None:
    cases.answer(work, case, "The line was reset.", ANNA)


def _confirm(work: Work, case: AskedCase) -> None:
    cases.confirm(work, case, "call", ANNA, "All is well.")


def _person(work: Work, centre: Centre, name: str) -> int:
    row = read_one(work.connection, centre.reservation[name])
    assert row is not None
    return row.person_id


def _flags(work: Work, centre: Centre) -> None:
    """Two to come, one that is over, and how to speak with one customer."""
    asked = By("Anna", "wants to hear when the new tariff is there")
    flags.flag(work, _person(work, centre, "aim"), Contact("support", date(2026, 11, 30), "Bo"), asked)
    flags.flag(work, _person(work, centre, "window"), Contact("support", date(2026, 11, 26)), By("Bo", HOSTILE[0]))
    over = flags.flag(work, _person(work, centre, "late-tried"), Contact("support", date(2026, 11, 27)), asked)
    flags.cancel(work, over.id, asked)
    customer_notes.put(work, _person(work, centre, "binds"), "demanding", "wants exact times", By("Anna", "heard it"))
