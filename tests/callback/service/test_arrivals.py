"""Callers who join: those to whom a callback is owed go first, and all are counted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from callback.service.arrivals import Arrivals
from callback.settings.rules import SiteRules
from telephony.events import QueueCallerJoin
from telephony.simulator.server import Simulator
from tests.callback.service.jobs.parts import actions, lose, now_us, parts, rules, run
from tests.callback.world import ON, World

OFF = ON.model_copy(update={"texts": "watch", "calls": "watch"})
OWED, OTHER = "09012345600", "09012345601"


@pytest.fixture
def site(migrated_url: str) -> Iterator[World]:
    made = World(migrated_url, rules({"support": ON, "off": OFF}), now=now_us())
    lose(made, OWED)
    yield made
    made.close()


def put_first(
    site: World, folder: Path, caller: QueueCallerJoin, site_rules: SiteRules | None = None
) -> list[tuple[str, str]]:
    """The channels and priorities that the PBX was asked for when this caller joined."""
    if site_rules is not None:
        site = World(site.store.url, site_rules, now=now_us())
    asked: list[tuple[str, str]] = []

    async def main() -> None:
        async with Simulator() as simulator, parts(site, folder, simulator) as made:
            parts_of_it = (made.pbx, site.sites, made.traffic, made.transactions, now_us, made.own.append)
            await Arrivals(*parts_of_it).joins(caller)
            of_them = actions(simulator, "QueueChangePriorityCaller")
            asked.extend((action.get("Caller"), action.get("Priority")) for action in of_them)
            assert made.events == ["put-first"] * len(asked)

    run(main())
    return asked


def joined(number: str, queue: str = "support") -> QueueCallerJoin:
    return QueueCallerJoin(now_us(), "1.9", "1.9", "PJSIP/trunk-00000009", queue, number)


def test_a_caller_to_whom_a_callback_is_owed_goes_first(site: World, tmp_path: Path) -> None:
    priority = str(site.site.rules.returning_priority)
    assert put_first(site, tmp_path, joined(OWED)) == [("PJSIP/trunk-00000009", priority)]


def test_any_other_waits_in_turn(site: World, tmp_path: Path) -> None:
    assert put_first(site, tmp_path, joined(OTHER)) == []


def test_nobody_goes_first_where_callbacks_are_off_or_priority_is(site: World, tmp_path: Path) -> None:
    assert put_first(site, tmp_path, joined(OWED, "off")) == []
    assert put_first(site, tmp_path, joined(OWED), rules(returning_priority=0)) == []
