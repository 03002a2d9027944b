"""A campaign whose audience stands already, on a database of the test's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert

from callback.customers import persons
from callback.settings.care import QueueCare
from callback.store import tables as t
from tests.callback.world import NOON, ON, World, rules

CARE = rules(
    queues={
        "support": ON.model_copy(update={"care": QueueCare(campaigns=True)}),
        "sales": ON.model_copy(update={"group": "sales", "care": QueueCare(campaigns=True)}),
        "off": ON,
    }
)


def campaign(connection: Connection, queue: str = "support", state: str = "running", **more: Any) -> int:
    """Make one of that state, and give its number."""
    known: dict[str, Any] = {"pbx": "main", "name": "The outage of Monday", "queue": queue, "state": state}
    made: dict[str, Any] = {"per_min": 600.0, "made_at": NOON, "made_by": "meg", "started_at": NOON}
    values = {**known, "criteria": {}, "words": {}, **made, **more}
    return int(connection.execute(insert(t.campaign).values(values).returning(t.campaign.c.id)).scalar_one())


def audience(world: World, sizes: Mapping[str, int], **more: Any) -> int:
    """Make a campaign with so many people in each segment, and give its number."""
    with world.store.write() as connection:
        number = campaign(connection, people=sum(sizes.values()), **more)
        places = iter(range(10**6))
        rows = [(segment, f"+8190{10_000_000 + next(places)}") for segment, size in sizes.items() for _ in range(size)]
        whom = [(segment, persons.person_of(connection, e164, NOON)) for segment, e164 in rows]
        keys = ("campaign_id", "segment", "person_id", "state")
        told = [dict(zip(keys, (number, segment, person, "told"), strict=True)) for segment, person in whom]
        connection.execute(insert(t.campaign_person), told)
    return number
