"""A centre that takes complaints: its rules, and people who work there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from callback.care import cases
from callback.care.cases import Case
from callback.decisions.care.acting import Actor, AskedCase
from callback.decisions.care.registering import Complaint, register
from callback.settings.care import Care, Compensation, Department, QueueCare
from callback.settings.rules import QueueRules, SiteRules
from callback.site.work import Work
from callback.store.audit import By
from tests.callback.world import NOON, World, rules

T = TypeVar("T")
NUMBER = "+819012345678"
ANNA = Actor(By("anna", "registered"))
AGENT = Actor(By("ben", "registered"), frozenset({"agent"}))
BOSS = Actor(By("mia", "agreed"), frozenset({"manager"}))
CARE = Care(
    topics={"billing": "The bill", "billing/wrong-amount": "A wrong amount", "speed": "Too slow"},
    products=("fibre",),
    departments={
        "billing": Department(mail="billing@example.org", responsible="carl"),
        "network": Department(mail="network@example.org"),
        "shop": Department(),
    },
    compensations={
        "sorry": Compensation(title="A letter", who="agent"),
        "month": Compensation(title="A month for nothing", value=20, who="supervisor"),
        "year": Compensation(title="A year for nothing", value=240, who="manager"),
    },
)


def takes_cases(care: Care = CARE, **changes: Any) -> SiteRules:
    """Rules under which the queue support takes cases, and sales none."""
    on = QueueRules(texts="on", calls="on", caller_id="0312345678", care=QueueCare(cases=True))
    off = QueueRules(texts="on", calls="on", caller_id="0312345678", group="sales")
    return rules(queues={"support": on, "sales": off}, care=care, **changes)


def complaint(**changes: Any) -> Complaint:
    return Complaint(
        **{"queue": "support", "number": NUMBER, "topic": "billing/wrong-amount", "words": "I paid twice.", **changes}
    )


@contextmanager
def at_work(world: World, now: int = NOON) -> Iterator[Work]:
    with world.store.write() as connection:
        yield world.work(connection, now)


def do(world: World, act: Callable[..., T], *about: Any, now: int = NOON, **more: Any) -> T:
    """One act in a transaction of its own."""
    with at_work(world, now) as work:
        return act(work, *about, **more)


def registered(world: World, now: int = NOON, actor: Actor = ANNA, **changes: Any) -> AskedCase:
    return AskedCase(do(world, register, complaint(**changes), actor, now=now).case)


def case_of(world: World, asked: AskedCase) -> Case:
    with world.store.read() as connection:
        return cases.read_one(world.work(connection, NOON), asked.case)
