"""A process that dies alarms once, however often it is begun again, and so does that it is well again."""

from __future__ import annotations

import asyncio

from callback.events import Event
from callback.service.watching.deaths import Deaths


def test_a_trouble_is_told_once_and_its_end_once() -> None:
    told: list[Event] = []
    minded: list[tuple[str, bool, str]] = []
    over = asyncio.Event()

    def tell(event: Event) -> None:
        told.append(event)
        if event.NAME == "process-back":
            over.set()

    def mind(name: str, *, up: bool, why: str = "") -> None:
        minded.append((name, up, why))

    async def main() -> None:
        deaths = Deaths("console", tell, mind, lived_s=0.05)
        deaths.began()
        for _ in range(3):
            deaths.ended("status 1")
            deaths.began()
        await asyncio.wait_for(over.wait(), 30)
        deaths.ended("status 2")

    asyncio.run(main())
    assert [(one.NAME, one.facts().get("why")) for one in told] == [
        ("process-down", "status 1"),
        ("process-back", None),
        ("process-down", "status 2"),
    ]
    assert minded[:3] == [("console", True, ""), ("console", False, "status 1"), ("console", True, "")]
    assert all(one.ALARMING for one in told)


def test_one_that_lives_well_is_no_news() -> None:
    told: list[Event] = []

    async def main() -> None:
        deaths = Deaths("door", told.append, lived_s=0.0)
        deaths.began()
        await asyncio.sleep(0)

    asyncio.run(main())
    assert told == []
