"""A campaign to try things with: who was lost today, and what they are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from callback.campaigns.campaign import Campaign, Draft
from callback.campaigns.criteria import Criteria
from callback.customers import blocks
from callback.decisions.campaigns import acts
from callback.reports.campaigns import progress
from callback.settings.care import QueueCare
from callback.settings.rules import QueueRules
from callback.site.work import Work
from callback.store.audit import By
from scheduler.clock import HOUR
from tests.callback.world import NOON, World, rules

T = TypeVar("T")
BY: Final = By("mia", "the trunk was down")
ON: Final = QueueRules(texts="on", calls="on", caller_id="0312345678", care=QueueCare(campaigns=True))
WORDS: Final = {"en": "Our lines were down this morning. All is well again. Questions: {caller_id}"}
ALL: Final = Criteria(from_at=NOON - 3 * HOUR, until_at=NOON + HOUR)


def site(**changes: Any) -> Any:
    """Rules under which campaigns may run."""
    return rules(**{"queues": {"support": ON, "sales": ON}, **changes})


def draft(**changes: Any) -> Draft:
    """What is said of the campaign."""
    told: dict[str, Any] = {"name": "Lines down", "queue": "support", "criteria": ALL, "words": WORDS, "per_min": 600}
    return Draft(**{**told, **changes})


def do(world: World, act: Callable[..., T], *about: Any, now: int = NOON, **more: Any) -> T:
    """Do it in one transaction."""
    with world.store.write() as connection:
        return act(world.work(connection, now), *about, **more)


def made(world: World, **changes: Any) -> int:
    """A campaign that was built, and is ready."""
    number = do(world, acts.make, draft(**changes), BY)
    do(world, acts.build, number, BY)
    return number


def running(world: World, now: int = NOON, **changes: Any) -> int:
    """One that was started then."""
    number = made(world, **changes)
    do(world, acts.start, number, BY, now=now)
    return number


def stands(world: World, number: int) -> Campaign:
    """How it stands."""
    return do(world, progress.one, number)


def blocks_texts(work: Work, e164: str) -> None:
    """This customer wants no texts."""
    blocks.block(work.connection, work.pbx, e164, BY, work.now, texts=True)
