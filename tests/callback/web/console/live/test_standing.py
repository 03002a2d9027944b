"""The layer that is not heard any more is named, the nearest first."""

from __future__ import annotations

from dataclasses import replace

from callback.attempts import snapshot
from callback.web.console.live.standing import DATABASE_S, Pulse
from tests.callback.world import NOON, US, World, picture


def test_a_service_that_never_ran_is_told(world: World) -> None:
    pulse = Pulse(NOON)
    with world.store.read() as connection:
        pulse.look(world.work(connection, NOON))
    assert (pulse.standing(NOON).stale, pulse.standing(NOON).since_at) == ("service", None)


def test_each_layer_is_named_when_it_is_not_heard(world: World) -> None:
    pulse = Pulse(NOON)

    def show(closed: str | None = None) -> None:
        live = replace(picture(closed=closed), heard_at=NOON - US)
        with world.store.write() as connection:
            snapshot.store(connection, "main", live, NOON)
        with world.store.read() as connection:
            pulse.look(world.work(connection, NOON))

    show()
    standing = pulse.standing(NOON)
    assert (standing.data_at, standing.service_at, standing.pbx_at) == (NOON, NOON, NOON - US)
    assert (standing.stale, standing.since_at) == (None, None)

    later = NOON + snapshot.STALE_S * US + 1
    pulse.readable(later)
    assert (pulse.standing(later).stale, pulse.standing(later).since_at) == ("service", NOON)

    show(closed="pbx-not-connected")
    pulse.readable(NOON)
    assert (pulse.standing(NOON).stale, pulse.standing(NOON).since_at) == ("pbx", NOON - US)
    show(closed="pbx-clock-off")
    assert pulse.standing(NOON).stale is None

    away = NOON + round(DATABASE_S * US) + 1
    assert (pulse.standing(away).stale, pulse.standing(away).since_at) == ("database", NOON)
