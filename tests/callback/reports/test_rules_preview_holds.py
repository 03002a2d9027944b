"""What the preview of rules tells is what is promised once they are published: the same losses, heard again."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import Connection

from callback.reports.rules_preview import losses
from callback.reports.rules_preview.effect import DAYS, MOST
from callback.reports.rules_preview.replay import Given, replayed
from callback.settings.rules import QueueRules, SiteRules
from callback.store import tables as t
from scheduler.clock import DAY, MINUTE, SECOND
from telephony.calls.call import Kind
from tests.callback.reports.replaying import Again
from tests.callback.world import ABROAD, NOON, ON, World, call, rules
from tests.console import seeded
from tests.console.centre import NOW, RULES

OPENING: Final = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), "09:00-18:00")
CHANGES: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"window_min": 20, "aim_min": 10},
    {"window_min": 180, "aim_min": 90, "before_cut_min": 30},
    {"short_abandon_s": 0},
    {"short_abandon_s": 40, "silent_min": 60},
    {"opening": {"monday": "10:00-12:00, 13:00-16:00", "tuesday": "06:00-23:00"}},
    {"holidays": ["2026-11-20", "2026-11-23"], "no_ring_after": "17:00"},
    {"countries": {"US": {"no_ring_before": "10:00"}, "JP": {"days": ["monday", "wednesday"]}}},
    {"trunks": {"main": {"no_ring_after": "16:00"}}, "dropped_min": 5},
    {"one_ring_s": 30, "one_ring_numbers": 2},
    {"text_grace_s": 900, "queues": {"support": ON.model_dump(), "sales": QueueRules().model_dump()}},
    {"default_queue": "sales", "dids": {"500": "support"}},
)
NUMBERS: Final = (
    *(f"0901234567{n}" for n in range(8)), *(f"0902222300{n}" for n in range(6)), "+12125550123", "0332140021",
    "0312345678", "0990123456", "anonymous", None, "+447911123456",
)  # fmt: skip
KINDS: Final[tuple[Kind, ...]] = ("abandoned", "abandoned", "abandoned", "dropped", "silent", "blocked", "requested")


def told(world: World, proposed: SiteRules, folder: Path, now: int) -> tuple[list[Given], Again]:
    """What the preview tells of each loss, and the losses heard again after that was published."""
    again = Again(world, proposed, folder)
    one_ring = (max(world.site.rules.one_ring_s, proposed.one_ring_s), world.site.rules.one_ring_min)
    with world.store.read() as connection:
        lately = losses.lately(world.work(connection, now), now - DAYS * DAY, MOST, *one_ring)
        work = world.work(connection, now)
        given = list(replayed(type(work)(connection, again.site, now), lately))
    again.hear(lately)
    return given, again


def holds(given: list[Given], again: Again) -> None:
    """Promise by promise, and of who is promised nothing, why."""
    became, promised = again.became(), again.promised()
    assert given
    assert {one.call_id: one.became for one in given} == {
        one.call_id: became.get(one.call_id, "no-queue") for one in given
    }  # fmt: skip
    assert {one.call_id: one.promise for one in given if one.promise is not None} == promised


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: "-".join(change) or "nothing")
def test_of_the_seeded_centre(change: dict[str, Any], tmp_path: Path) -> None:
    centre = seeded.fresh(tmp_path)
    queues = {name: queue.model_dump() for name, queue in RULES.queues.items()} | change.get("queues", {})
    trunks = {name.replace("main", "kddi"): one for name, one in change.get("trunks", {}).items()}
    proposed = SiteRules.model_validate(RULES.model_dump() | change | {"queues": queues, "trunks": trunks})
    given, again = told(centre.world, proposed, tmp_path, NOW)
    holds(given, again)
    again.close()
    centre.world.close()


@pytest.mark.parametrize("seed", range(30))
def test_of_losses_by_chance(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)  # noqa: S311 - nothing secret depends on it
    world = World(
        f"sqlite:///{tmp_path / 'week.db'}",
        rules(opening=OPENING, incident_losses=100_000),
        {"main": ABROAD},
        NOON - 9 * DAY,
    )
    with world.store.write() as connection:
        live(world, connection, chance, 80)
    change = chance.choice(CHANGES) | chance.choice(CHANGES)
    proposed = SiteRules.model_validate(world.site.rules.model_dump() | change)
    given, again = told(world, proposed, tmp_path, NOON)
    holds(given, again)
    assert {one.call_id for one in given if one.text} == again.told()
    again.close()
    world.close()


def live(world: World, connection: Connection, chance: random.Random, many: int) -> None:
    """Let callers be lost for a week, some of them again and again; some reservations end, some numbers are shared."""
    for moment in sorted(chance.sample(range(7 * 24 * 360), many)):
        lost_at = NOON - 7 * DAY + moment * 10 * SECOND
        talked_s = 5 if (kind := chance.choice(KINDS)) in {"dropped", "silent"} else None
        waited_s = chance.choice((1, 3, 8, 25, 60, 400))
        queue = chance.choice(("support", "sales"))
        learnt_at = lost_at + chance.choice((1, 1, 1, 1, 93, 7207)) * SECOND  # no two at once: one comes first
        heard = call(chance.choice(NUMBERS), lost_at, waited_s, queue, talked_s)
        world.hear_in(connection, heard, kind, learnt_at)
        if chance.random() < 0.2:
            end_one(connection, chance, learnt_at + chance.randrange(90) * MINUTE)
    shared = [row.id for row in connection.execute(t.person.select()) if chance.random() < 0.1]
    connection.execute(t.person.update().where(t.person.c.id.in_(shared)).values(shared=True))


def end_one(connection: Connection, chance: random.Random, at: int) -> None:
    """Some reservation that is open ends."""
    open_ = connection.execute(t.reservation.select().where(t.OPEN)).all()
    if open_:
        ended = t.reservation.update().where(t.reservation.c.id == chance.choice(open_).id)
        connection.execute(ended.values(state="done-elsewhere", open=False, state_since_at=at))
