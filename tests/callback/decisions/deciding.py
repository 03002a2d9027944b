"""People at work on a world: they decide about reservations as a page showed them, undo it, and the service goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from callback.decisions import batch, blocking, pending, undoing
from callback.decisions.records import Action, Asked, Batch
from callback.decisions.undoing import Undone
from callback.store import tables as t
from callback.store.audit import By
from sms.delivery import DeliveryRules, deliver
from sms.outbox import text_outbox
from tests.callback.world import MINUTE, NOON, US, World
from tests.sms.gateways import FakeGateway, book, finished

ANNA = By("anna", "the customer asked for it")
BO = By("bo", "it was a mistake")
T0 = NOON + MINUTE
"""When it is decided; what is decided can be undone for 15 s."""


def seen(world: World, *reservations: int) -> list[Asked]:
    """These reservations, or all of them, as a page shows them now."""
    rows = {row.id: row.revision for row in world.reservations()}
    return [Asked(one, rows[one]) for one in reservations or rows]


def decide(
    world: World,
    action: Action,
    asked: Sequence[Asked] | None = None,
    by: By = ANNA,
    now: int = T0,
    **more: Any,
) -> Batch:
    """Decide about all, or these, in one transaction."""
    wanted = seen(world) if asked is None else asked
    with world.store.write() as connection:
        return batch.decide(world.work(connection, now), action, wanted, by, **more)


def block(world: World, reservation: int = 1, by: By = ANNA, now: int = T0, **more: Any) -> Batch:
    """Block the customer of a reservation."""
    with world.store.write() as connection:
        return blocking.block(world.work(connection, now), reservation, by, **{"calls": True, "texts": True, **more})


def undo(world: World, done: Batch | int | None, by: By = ANNA, now: int = T0 + 14 * US, **more: Any) -> Undone:
    """Undo a batch, a second before that is too late."""
    number = done.id if isinstance(done, Batch) else done
    assert number is not None
    with world.store.write() as connection:
        return undoing.undo(world.work(connection, now), number, by, **more)


def settle(world: World, now: int = T0 + 16 * US) -> int:
    """Let the service do what is due."""
    with world.store.write() as connection:
        return pending.settle(world.work(connection, now))


def send_texts(world: World, now: int) -> list[str]:
    """Let a gateway take what is due, and give what it was asked to send."""
    gateway = FakeGateway()
    rules = DeliveryRules(pbx="main")
    finished(deliver(world.store.write, gateway, book(lambda _: "+819012345678"), lambda: now, 50, rules))
    return [body for _, body, _ in gateway.asked]


def stands(world: World) -> dict[str, Any]:
    """How everything stands that an act may change: rows but for their revision, promises, and texts."""
    return {
        "rows": [{**row._mapping, "revision": 0} for row in world.reservations()],  # noqa: SLF001 - a row as a mapping
        "promises": world.rows(t.promise),
        "texts": world.rows(text_outbox),
        "blocks": [(row.number_key, row.calls, row.texts) for row in world.rows(t.block) if row.calls or row.texts],
    }


def acts(world: World, reservation: int | None = None) -> list[tuple[str, str]]:
    """Who did what, as the audit has it, in order; of one reservation, or of all."""
    rows = world.rows(t.audit)
    return [(row.who, row.action) for row in rows if reservation is None or row.reservation_id == reservation]


def states(world: World) -> list[str]:
    return [row.state for row in world.reservations()]
