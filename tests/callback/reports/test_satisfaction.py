"""How customers judged the callbacks, by kind of loss and by speed."""

from __future__ import annotations

from callback.reports.satisfaction import Judged, judged
from callback.store import tables as t
from scheduler.clock import DAY
from telephony.calls.call import Kind
from tests.callback.world import MINUTE, NOON, US, World, call

OUTCOME_S = 30


def answered(world: World, number: str, kind: Kind, minutes: int, *scores: int) -> None:
    """He was lost at noon, reached so many minutes later, and judged it."""
    world.hear(call(number, talked_s=5 if kind == "silent" else None), kind)
    order = world.claim(NOON + minutes * MINUTE)
    assert order is not None
    world.end(order.attempt, "reached", NOON + minutes * MINUTE + OUTCOME_S * US)
    reservation = world.reservations()[-1]
    with world.store.write() as connection:
        connection.execute(
            t.attempt.update()
            .where(t.attempt.c.id == order.attempt)
            .values(customer_answered_at=NOON + minutes * MINUTE)
        )
        for place, score in enumerate(scores):
            row = {"pbx": "main", "account": "main", "sid": f"{number}/{place}", "wish": f"choice-{score}", "body": ""}
            whose = {"person_id": reservation.person_id, "reservation_id": reservation.id, "state": "done"}
            when = {"received_at": NOON + 90 * MINUTE + place, "score": score}
            connection.execute(t.answer.insert().values(**row, **whose, **when))


def test_by_kind_and_by_speed(world: World) -> None:
    answered(world, "09011111111", "abandoned", 5, 5)
    answered(world, "09022222222", "abandoned", 9, 1, 4)  # he thought again
    answered(world, "09033333333", "abandoned", 25, 3)
    answered(world, "09044444444", "silent", 9, 2)
    answered(world, "09055555555", "abandoned", 70, 1)
    with world.store.read() as connection:
        rows = judged(connection, "main", NOON, NOON + DAY)
        assert judged(connection, "other", NOON, NOON + DAY) == []
        assert judged(connection, "main", NOON, NOON + MINUTE) == []
    assert rows == [
        Judged("abandoned", 10, 2, 4.5, 1.0),
        Judged("abandoned", 30, 1, 3.0, 0.0),
        Judged("abandoned", None, 1, 1.0, 0.0),
        Judged("silent", 10, 1, 2.0, 0.0),
    ]


def test_nobody_has_answered_yet(world: World) -> None:
    with world.store.read() as connection:
        assert judged(connection, "main", 0, NOON) == []
