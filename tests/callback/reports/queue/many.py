"""Open reservations of every lane, with facts drawn by chance: what the queue's lists are tried with."""

from __future__ import annotations

from random import Random
from typing import Any

from sqlalchemy import Connection, insert, update

from callback.store import tables as t
from tests.callback.world import MINUTE, NOON, US, World, call

QUEUES = {"support": "site", "sales": "trade", "desk": "site"}


def fill(world: World, many: int, seed: int = 1) -> list[dict[str, Any]]:
    """Make so many open reservations, and give their rows as written."""
    random = Random(seed)  # noqa: S311 - nothing secret
    with world.store.write() as connection:
        rows = [_row(random, n) for n in range(many)]
        connection.execute(insert(t.person), [_person(n) for n in range(many)])
        connection.execute(insert(t.reservation), rows)
    return rows


def settle(world: World, ids: list[int]) -> None:
    """Close these, one a minute."""
    with world.store.write() as connection:
        for place, number in enumerate(ids):
            _change(connection, number, open=False, state="reached", state_since_at=NOON + place // 2 * MINUTE)


def _change(connection: Connection, reservation: int, **values: Any) -> None:
    connection.execute(update(t.reservation).where(t.reservation.c.id == reservation).values(**values))


def _person(n: int) -> dict[str, Any]:
    return {"id": n + 1, "number": f"+8190123{n:05}", "created_at": NOON}


def _row(random: Random, n: int) -> dict[str, Any]:
    queue = random.choice(list(QUEUES))
    made_at = NOON - random.randrange(90) * MINUTE  # many are alike: their numbers say who comes first
    not_before_at = random.choice([made_at, made_at, made_at, NOON + random.randrange(1, 200) * MINUTE])
    return {
        "id": n + 1,
        "pbx": "main",
        "queue": queue,
        "queue_group": QUEUES[queue],
        "person_id": n + 1,
        "apart": "",
        "trunk": "main",
        "kind": random.choice(["abandoned", "dropped", "silent"]),
        "state": random.choices(["waiting", "held", "calling"], [10, 2, 1])[0],
        "open": True,
        "made_at": made_at,
        "last_lost_at": made_at,
        "losses": random.randrange(1, 4),
        "tries": random.randrange(3),
        "clock_starts_at": made_at,
        "aim_at": made_at + 30 * MINUTE,
        "deadline_at": made_at + 60 * MINUTE,
        "not_before_at": not_before_at,
        "due_at": not_before_at,
        "state_since_at": made_at,
        "severity": random.choice([0, 0, 0, 1, 2, 10]),
        "assigned_to": random.choice([None, None, "anna", "bert"]),
    }


def hear_many(world: World, many: int, queue: str = "support", kind: str = "abandoned") -> None:
    """So many callers are lost, a second after each other."""
    with world.store.write() as connection:
        for n in range(many):
            world.hear_in(connection, call(f"0901234{n:04}", NOON + n * US, queue=queue), kind)  # type: ignore[arg-type]
