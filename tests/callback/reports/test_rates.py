"""Three rates, always apart, on the promise that counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callback.reports import rates
from callback.reports.rates import Rates
from callback.reservations import promises
from callback.store import tables as t
from scheduler import promise as promise_rules
from scheduler.promise import Promise, promise, slot
from tests.callback.world import MINUTE, NOON, World, call

LATER = NOON + 2 * 60 * MINUTE


def lose(world: World, number: int, at: int = NOON, queue: str = "support") -> Any:
    before = {row.id for row in world.reservations()}
    world.hear(call(f"0901234{number:04d}", at, queue=queue))
    return next(row for row in world.reservations() if row.id not in before)


def tried(world: World, row: Any, dialled_min: float, reached_min: float | None = None, number: int = 1) -> None:
    """An attempt that rang, and perhaps reached, so many minutes after the loss."""
    answered_at = None if reached_min is None else row.made_at + round(reached_min * MINUTE)
    with world.store.write() as connection:
        connection.execute(
            t.attempt.insert().values(
                id=f"{row.id}x{number}",
                pbx="main",
                reservation_id=row.id,
                person_id=row.person_id,
                number=number,
                in_flight=False,
                fence=1,
                rules_version=world.site.version,
                pbx_boot="b",
                decision={},
                claimed_at=row.made_at,
                ring_until_at=row.made_at,
                customer_dialled_at=row.made_at + round(dialled_min * MINUTE),
                customer_answered_at=answered_at,
                outcome="no-answer" if reached_min is None else "reached",
            )
        )


def closed(world: World, row: Any, state: str, after_min: float) -> None:
    with world.store.write() as connection:
        at = row.made_at + round(after_min * MINUTE)
        changed = t.reservation.update().where(t.reservation.c.id == row.id)
        connection.execute(changed.values(state=state, open=False, state_since_at=at))


def measured(world: World, now: int = LATER, since: int = 0) -> list[Rates]:
    with world.store.read() as connection:
        return rates.rates(connection, "main", since, now)


def test_each_rate_by_hand(world: World) -> None:
    quick, slow, late, never, himself = (lose(world, number) for number in range(5))
    tried(world, quick, 5, 6)
    closed(world, quick, "reached", 8)
    tried(world, slow, 10)
    tried(world, slow, 40, 41, number=2)
    closed(world, slow, "reached", 42)
    tried(world, late, 61)
    closed(world, late, "given-up", 90)
    closed(world, never, "expired", 60)
    closed(world, himself, "returned", 3)
    [whole, support] = measured(world)
    assert (whole.queue, support.queue) == ("", "support")
    for one in (whole, support):
        assert (one.valid, one.due_30, one.due_60, one.returned, one.refused) == (5, 5, 5, 1, 0)
        assert (one.dialled_30, one.dialled_60) == (2, 2)
        assert (one.reached_30, one.reached_60) == (1, 2)
        assert (one.closed_30, one.closed_60) == (2, 3)
    assert whole.share("dialled", 30) == pytest.approx(0.4)
    assert whole.as_json()["closed_60_share"] == 0.6


def test_what_is_not_due_yet_counts_neither_way(world: World) -> None:
    row = lose(world, 1)
    tried(world, row, 5, 6)
    [whole, _] = measured(world, NOON + 20 * MINUTE)
    assert (whole.valid, whole.due_30, whole.dialled_30) == (1, 0, 0)
    assert whole.share("dialled", 30) is None
    [whole, _] = measured(world, NOON + 45 * MINUTE)
    assert (whole.due_30, whole.due_60, whole.reached_30) == (1, 0, 1)


def test_carried_over_and_withdrawn_and_numberless_are_apart(world: World) -> None:
    carried = lose(world, 1, NOON + 10 * 60 * MINUTE)  # 22:00 in Tokyo
    gone = lose(world, 2)
    closed(world, gone, "withdrawn", 1)
    world.hear(call(None))
    [whole, *_] = measured(world, NOON + 24 * 60 * MINUTE)
    assert (whole.valid, whole.carried_over, whole.numberless) == (1, 1, 1)
    assert whole.due_60 == 1  # its clock began in the morning
    assert carried.clock_starts_at > carried.made_at


def test_by_queue_and_since(world: World) -> None:
    lose(world, 1)
    lose(world, 2, NOON + 60 * MINUTE, "sales")
    assert [(one.queue, one.valid) for one in measured(world)] == [("", 2), ("sales", 1), ("support", 1)]
    assert [(one.queue, one.valid) for one in measured(world, since=NOON + MINUTE)] == [("", 1), ("sales", 1)]


def test_nothing_is_nothing(world: World) -> None:
    [whole] = measured(world)
    assert (whole.valid, whole.share("reached", 60)) == (0, None)


EVENING = NOON + 8 * 60 * MINUTE + 35 * MINUTE  # 20:35 in Tokyo: its window is cut at 21:30
MORNING = NOON + 20 * 60 * MINUTE  # 08:00, the next opening


def test_who_is_carried_to_the_morning_counts_by_the_morning(world: World) -> None:
    row = lose(world, 1, EVENING)
    world.carry_over(EVENING + 55 * MINUTE)
    tried(world, row, (MORNING - EVENING) / MINUTE + 10)
    [whole, _] = measured(world, MORNING + 60 * MINUTE)
    assert (whole.carried_over, whole.due_30, whole.dialled_30) == (1, 1, 1)


def test_a_whole_window_that_the_cut_ended_is_no_excuse(world: World) -> None:
    row = lose(world, 1, EVENING - 15 * MINUTE)
    world.carry_over(EVENING + 55 * MINUTE)
    tried(world, row, (MORNING - EVENING) / MINUTE + 15)
    [whole, _] = measured(world, MORNING + 60 * MINUTE)
    assert (whole.due_60, whole.dialled_60) == (1, 0)


@pytest.mark.parametrize(
    ("chosen_after_min", "kept"), [(5, 1), (65, 0)]
)  # chosen before and after the promise was broken
def test_a_time_that_the_customer_chose_takes_the_place_of_the_hour(
    world: World, chosen_after_min: int, kept: int
) -> None:
    row = lose(world, 1)
    with world.store.write() as connection:
        chosen = slot(NOON + 180 * MINUTE, NOON + chosen_after_min * MINUTE, world.site.hours)
        promises.add(world.work(connection, NOON), row.id, chosen)
    tried(world, row, 181, 182)
    closed(world, row, "reached", 183)
    [whole, _] = measured(world, NOON + 300 * MINUTE)
    assert (whole.due_30, whole.dialled_30, whole.reached_30, whole.closed_30) == (1, kept, kept, kept)


def test_an_apology_or_another_loss_flatters_no_rate(world: World) -> None:
    row = lose(world, 1)
    with world.store.write() as connection:
        later = promise(
            "abandoned", NOON + 90 * MINUTE, NOON + 90 * MINUTE, world.site.hours, world.site.rules.promise_terms()
        )
        promises.add(world.work(connection, NOON), row.id, later)
    tried(world, row, 95)
    [whole, _] = measured(world, NOON + 300 * MINUTE)
    assert (whole.due_60, whole.dialled_60) == (1, 0)


def test_another_pbx_is_another_sites(world: World) -> None:
    lose(world, 1)
    with world.store.read() as connection:
        assert [one.valid for one in rates.rates(connection, "elsewhere", 0, LATER)] == [0]
        assert [one.valid for one in rates.rates(connection, None, 0, LATER)] == [1, 1]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["window", "evening", "carried-over", "slot"]),
            st.integers(0, 100),
            st.integers(0, 100),
            st.integers(0, 100),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_what_counts_is_the_first_unless_a_chosen_time_or_the_morning_took_its_place(
    drawn: list[tuple[str, int, int, int]],
) -> None:
    made = [
        Promise(at, at + wait, at + wait + length, at + wait + length, why)
        for why, at, wait, length in sorted(drawn, key=lambda one: one[1])
    ]
    counts = promise_rules.measured(made)
    assert counts in made
    assert counts == made[0] or counts.reason in ("slot", "carried-over")
    if all(one.reason != "slot" for one in made) and made[0].reason != "evening":
        assert counts == made[0]
    if not any(one.reason in ("slot", "carried-over") for one in made[1:]):
        assert counts == made[0]


# The rates of any site are the fold of what counts over its promises


@dataclass(frozen=True)
class Life:
    """One reservation, as it may have gone: minutes after the loss; None where that never came."""

    queue: str
    state: str
    promised: tuple[tuple[str, int, int, int], ...]  # why, made, clock starts after, and how long it lasts
    dialled: int | None
    reached: int | None
    closed: int


PROMISES = st.tuples(
    st.sampled_from(["window", "evening", "carried-over", "slot", "apology", "tried-sooner"]),
    *(st.integers(0, 90) for _ in range(3)),
)
LIVES = st.builds(
    Life,
    queue=st.sampled_from(["support", "sales"]),
    state=st.sampled_from(["waiting", "reached", "returned", "given-up", "expired", "withdrawn", "refused"]),
    promised=st.lists(PROMISES, min_size=1, max_size=5).map(lambda ones: tuple(sorted(ones, key=lambda one: one[1]))),
    dialled=st.none() | st.integers(0, 200),
    reached=st.none() | st.integers(0, 200),
    closed=st.integers(0, 200),
)


def made(life: Life) -> list[Promise]:
    return [
        Promise(
            made_at := NOON + at * MINUTE,
            starts_at := made_at + wait * MINUTE,
            ends := starts_at + lasts * MINUTE,
            ends,
            why,
        )
        for why, at, wait, lasts in life.promised
    ]


def live(world: World, number: int, life: Life) -> None:
    row = lose(world, number, queue=life.queue)
    with world.store.write() as connection:
        connection.execute(t.promise.delete().where(t.promise.c.reservation_id == row.id))
        for pledge in made(life):
            promises.add(world.work(connection, NOON), row.id, pledge)
    if life.dialled is not None:
        tried(world, row, life.dialled)
    if life.reached is not None:
        tried(world, row, life.reached, life.reached, number=2)
    if life.state != "waiting":
        closed(world, row, life.state, life.closed)


def folded(lives: list[Life], now: int) -> dict[str, int]:
    """Count by hand: for each valid reservation, by the one promise that counts."""
    found: Counter[str] = Counter()
    for life in (life for life in lives if life.state not in {"withdrawn", "refused"}):
        starts_at = promise_rules.measured(made(life)).clock_starts_at
        rang = [at for at in (life.dialled, life.reached) if at is not None]
        done = {
            "dialled": min(rang, default=None),
            "reached": life.reached,
            "closed": life.closed if life.state in {"reached", "returned", "given-up"} else None,
        }
        found["valid"] += 1
        for minutes in (30, 60):
            if starts_at + minutes * MINUTE <= now:
                found[f"due_{minutes}"] += 1
                for what, at in done.items():
                    in_time = at is not None and NOON + at * MINUTE <= starts_at + minutes * MINUTE
                    found[f"{what}_{minutes}"] += in_time
    return found


@settings(suppress_health_check=list(HealthCheck), max_examples=30)
@given(lives=st.lists(LIVES, max_size=4), after_min=st.sampled_from([0, 45, 100, 400]))
def test_rates_are_the_fold_of_what_counts_over_the_promises(
    sqlite_world: World, lives: list[Life], after_min: int
) -> None:
    emptied_of_reservations(sqlite_world)
    for number, life in enumerate(lives):
        live(sqlite_world, number, life)
    now = NOON + after_min * MINUTE
    for one in measured(sqlite_world, now):
        those = [life for life in lives if one.queue in {"", life.queue}]
        expected = folded(those, now)
        assert {name: getattr(one, name) for name in FOLDED} == {name: expected[name] for name in FOLDED}


FOLDED = ["valid", *(f"{what}_{minutes}" for what in ("due", "dialled", "reached", "closed") for minutes in (30, 60))]


def emptied_of_reservations(world: World) -> None:
    """The rules and the lease stay."""
    with world.store.write() as connection:
        for table in (t.attempt, t.promise, t.loss, t.reservation, t.verdict, t.queue_visit, t.call):
            connection.execute(table.delete())
