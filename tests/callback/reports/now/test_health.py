"""Each part of the service by itself: a dead one stands alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update

from callback.attempts import snapshot
from callback.reports.now import health
from callback.reports.now.health import Part
from callback.store import lease
from callback.store import tables as t
from scheduler.clock import MINUTE, SECOND
from sms.outbox import text_outbox
from tests.callback.world import NOON, World, call, picture


def look(world: World, when: int = NOON) -> dict[str, Part]:
    with world.store.read() as connection:
        work = world.work(connection, when)
        return {part.name: part for part in health.look(work, snapshot.recall(connection, "main"))}


def show(world: World, heard_at: int | None = NOON, closed: str | None = None) -> None:
    with world.store.write() as connection:
        snapshot.store(connection, "main", replace(picture(closed=closed), heard_at=heard_at), NOON)
        until = update(t.lease).where(t.lease.c.name == "pbx:main").values(until_at=NOON + MINUTE)
        connection.execute(until)


def test_all_is_well(world: World) -> None:
    show(world)
    assert look(world) == {
        "pbx": Part("pbx", "ok", NOON),
        "service": Part("service", "ok", NOON),
        "outbox": Part("outbox", "ok", many=0),
    }


@pytest.mark.parametrize(
    ("heard_at", "closed", "expected"),
    [
        (NOON - 2 * MINUTE, None, Part("pbx", "late", NOON - 2 * MINUTE)),
        (NOON, "pbx-not-connected", Part("pbx", "dead", NOON, "pbx-not-connected")),
        (None, None, Part("pbx", "unknown")),
    ],
)
def test_a_pbx_that_is_silent_or_gone_stands_alone(
    world: World, heard_at: int | None, closed: str | None, expected: Part
) -> None:
    show(world, heard_at, closed)
    seen = look(world)
    assert seen["pbx"] == expected
    assert (seen["service"].state, seen["outbox"].state) == ("ok", "ok")


def test_of_a_service_that_shows_nothing_any_more_nothing_is_known_of_its_pbx(world: World) -> None:
    show(world)
    seen = look(world, NOON + 11 * SECOND)
    assert (seen["pbx"].state, seen["service"].state) == ("unknown", "late")


def test_without_a_lease_no_service_runs(world: World) -> None:
    show(world)
    with world.store.write() as connection:
        lease.release(connection, world.held)
    assert look(world)["service"] == Part("service", "dead", NOON, "service-not-running")


def test_before_the_first_picture_nothing_is_known(world: World) -> None:
    assert look(world)["pbx"] == Part("pbx", "unknown")


@pytest.mark.parametrize(("after_min", "state"), [(0.5, "ok"), (2, "late"), (11, "dead")])
def test_texts_that_may_leave_and_do_not_make_the_outbox_late(world: World, after_min: float, state: str) -> None:
    world.hear(call("09012345678"))
    (text,) = world.rows(text_outbox)
    seen = look(world, text.not_before_at + round(after_min * MINUTE))["outbox"]
    assert seen == Part("outbox", "ok" if state == "ok" else state, text.not_before_at, many=1)  # type: ignore[arg-type]


def test_a_text_that_may_not_leave_yet_is_no_backlog(world: World) -> None:
    world.hear(call("09012345678"))
    (text,) = world.rows(text_outbox)
    assert look(world, text.not_before_at - 1)["outbox"] == Part("outbox", "ok", many=0)
