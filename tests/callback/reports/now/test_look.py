"""Now: each figure is what plain SQL counts, leads to exactly its rows, and adds up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, update

from callback.attempts.agent_states import Agent
from callback.attempts.snapshot import CallerWaiting
from callback.reports.now import lists, look
from callback.reports.now.figure import LISTS, Figure, InList
from callback.reports.now.look import Now
from callback.reports.now.since import midnight
from callback.reports.rates import Rates
from callback.settings.rules import SiteRules
from callback.site.pauses import Pause
from callback.store import tables as t
from scheduler.clock import HOUR, SECOND
from sms.outbox import text_outbox
from tests.callback.attempts.test_lanes import plan, scans
from tests.callback.world import MINUTE, NOON, ON, World, at, call, picture, rules
from tests.console import figures, seeded
from tests.console.centre import DAY, GROUPS, NOW, Centre

ALL = [None, *(frozenset({group}) for group in sorted(GROUPS)), frozenset({"support", "china"}), frozenset({"none"})]


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    made = seeded.fresh(tmp_path)
    yield made
    made.world.close()


def read(world: World, when: int, groups: frozenset[str] | None = None) -> Now:
    with world.store.read() as connection:
        return figures.read(world.work(connection, when), groups)


@pytest.mark.parametrize("groups", ALL, ids=lambda groups: "all" if groups is None else "+".join(sorted(groups)))
@pytest.mark.parametrize("when", [NOW, NOW + 5 * MINUTE, at("23:59", DAY), at("00:00", DAY + 1)], ids=str)
def test_each_figure_is_what_sql_counts_and_leads_to_its_rows(
    centre: Centre, when: int, groups: frozenset[str] | None
) -> None:
    with centre.world.store.read() as connection:
        work = centre.world.work(connection, when)
        now = figures.read(work, groups)
        assert figures.by_page(now) == figures.by_sql(work, groups)
        behind = [(figure, figures.rows_behind(work, figure, groups)) for figure in figures.figures(now)]
    assert [(figure, rows) for figure, rows in behind if figure.count != rows] == []


def test_the_seeded_day_has_something_behind_most_figures(centre: Centre) -> None:
    counted = figures.by_page(read(centre.world, NOW))
    assert {name for name, many in counted.items() if not many} == {"reached_30"}


def test_groups_see_their_parts_and_these_add_up(centre: Centre) -> None:
    whole = figures.by_page(read(centre.world, NOW))
    parts = [figures.by_page(read(centre.world, NOW, frozenset({group}))) for group in sorted(GROUPS)]
    assert {name: sum(part[name] for part in parts) for name in whole} == whole


def test_a_rate_has_no_share_while_nothing_is_due_and_is_rounded_down() -> None:
    rates = Rates("", 3, 3, 0, *[0] * 10)
    promises = look.Promises(NOW, NOW, replace(rates, dialled_30=2))
    assert (promises.percent("dialled", 30), promises.percent("dialled", 60)) == (66, None)
    assert look.Promises(NOW, NOW, replace(rates, due_30=200, reached_30=199)).percent("reached", 30) == 99


def test_what_breaks_is_worst_first_and_names_its_first_three(centre: Centre) -> None:
    dangers = read(centre.world, NOW).dangers
    assert [one.missed.count for one in dangers.groups] == sorted(one.missed.count for one in dangers.groups)[::-1]
    assert dangers.worst == dangers.groups[0]
    assert dangers.missed.count == sum(one.missed.count for one in dangers.groups)
    for one in dangers.groups:
        assert len(one.first) == min(3, one.missed.count + one.hopeless.count)
        assert [owed.deadline_at for owed in one.first] == sorted(owed.deadline_at for owed in one.first)
        assert (one.by_at is None) == (one.missed.count == 0)
        assert (one.more > 0) == (one.missed.count > 0)


def test_the_head_is_the_same_whether_read_alone_or_with_the_page(centre: Centre) -> None:
    with centre.world.store.read() as connection:
        work = centre.world.work(connection, NOW)
        now = figures.read(work, None)
        assert look.head(work, None, now.dangers) == look.head_of(now)


def test_who_withdrew_and_cancelled_is_named(centre: Centre) -> None:
    needs = read(centre.world, NOW).needs
    assert needs.by_whom == {"not-lost": {"Anna": 1}, "cancelled": {"Anna": needs.cancelled.count}}


def test_agents_and_callers_are_those_of_the_groups_and_each_once(centre: Centre) -> None:
    agents = (
        Agent("PJSIP/1", "Ann", ("support", "billing"), "free", None),
        Agent("PJSIP/2", "Bo", ("support", "sales"), "talking", NOW),
        Agent("PJSIP/3", "Cy", ("sales",), "paused", NOW),
    )
    callers = {"support": (CallerWaiting(NOW - 72 * SECOND), CallerWaiting(NOW)), "sales": (CallerWaiting(NOW),)}
    live = replace(picture(waiting={"support": 2, "sales": 1, "billing": 0}), agents=agents, callers=callers)
    centre.show(NOW, live)
    floor = read(centre.world, NOW).floor
    assert floor.by_state == {"callback": 0, "talking": 1, "ringing": 0, "paused": 1, "wrap-up": 0, "free": 1}
    assert (floor.callers, floor.since_at, [one.queue for one in floor.waiting or ()]) == (
        3,
        NOW - 72 * SECOND,
        ["support", "sales"],
    )
    sales = read(centre.world, NOW, frozenset({"sales"})).floor
    assert [agent.name for agent in sales.agents or ()] == ["Bo", "Cy"]
    assert (sales.callers, sales.owed) == (1, 0)


def test_where_nobody_listens_nobody_knows_who_is_there(centre: Centre) -> None:
    floor = read(centre.world, NOW + MINUTE).floor
    assert (floor.agents, floor.waiting, floor.by_state, floor.callers) == (None, None, None, None)
    assert (floor.stopped, floor.seen_at) == ("service-not-running", NOW)


@pytest.fixture
def many(migrated_url: str) -> Iterator[World]:
    far = ON.model_copy(update={"group": "far"})
    made = World(migrated_url, rules(queues={"support": ON, "far": far}))
    with made.store.write() as connection:
        for number in range(12):
            queue = "far" if number % 3 == 0 else "support"
            made.hear_in(connection, call(f"0901234{number:04}", NOON, queue=queue))
    yield made
    made.close()


def test_more_texts_that_failed_than_a_list_holds_are_said_to_be_more(
    many: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "MOST", 3)
    with many.store.write() as connection:
        connection.execute(update(text_outbox).values(state="failed", settled_at=NOON))
        work = many.work(connection, NOON)
        assert lists.count(work, "texts-failed", None) == Figure(3, InList("texts-failed"), more=True)
        assert len(lists.rows(work, InList("texts-failed"), None)) == 3


SPREAD = st.integers(-3 * HOUR, 3 * HOUR)
ROWS = st.lists(
    st.tuples(st.sampled_from(["waiting", "held", "calling", "reached", "expired"]), SPREAD, SPREAD, SPREAD),
    min_size=12,
    max_size=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS, st.sampled_from([None, frozenset({"far"}), frozenset({"site", "far"})]))
def test_the_lanes_add_up_to_all_that_is_open_and_are_what_sql_counts(
    many: World, made: list[tuple[str, int, int, int]], groups: frozenset[str] | None
) -> None:
    with many.store.write() as connection:
        for row, (state, aim, window, not_before) in zip(many.reservations(), made, strict=True):
            times = {"aim_at": NOON + aim, "deadline_at": NOON + aim + abs(window), "not_before_at": NOON + not_before}
            changed = update(t.reservation).where(t.reservation.c.id == row.id)
            is_open = state in {"waiting", "held", "calling"}
            connection.execute(changed.values(state=state, open=is_open, state_since_at=NOON, **times))
        work = many.work(connection, NOON)
        now = figures.read(work, groups)
        opened, counted = now.open, figures.by_sql(work, groups)
        connection.rollback()
    assert opened.all.count == sum(figure.count for figure in (opened.calling, opened.due, opened.later, opened.held))
    assert opened.due.count == sum(opened.by_lane[lane].count for lane in look.DUE_LANES)
    assert opened.within_hour <= opened.later.count
    for lane, figure in opened.by_lane.items():
        assert figure.count == counted[lane], lane
    assert opened.all.count == counted["open"]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [("Europe/Berlin", "2026-03-29", 23), ("Europe/Berlin", "2026-10-25", 25), ("Africa/Cairo", "2026-04-24", 23)],
)
def test_a_day_begins_at_midnight_however_long_it_is(zone: str, day: str, hours: int, world: World) -> None:
    """In Cairo the clocks skip that midnight: the day begins when it would be one."""
    site = replace(world.site, hours=SiteRules(zone=zone).hours())
    begins = midnight(site, midnight(site, _noon(day, zone)))
    assert begins == midnight(site, _noon(day, zone))
    assert midnight(site, begins + hours * HOUR) == begins + hours * HOUR, "the next one begins so much later"
    assert midnight(site, begins - SECOND) < begins


def _noon(day: str, zone: str) -> int:
    return int(datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=ZoneInfo(zone)).timestamp()) * SECOND


def test_a_loss_before_midnight_is_of_the_day_before(world: World) -> None:
    before, after = at("23:58"), at("00:01", 24)
    for number, when in enumerate((before, after)):
        world.hear(call(f"0901234000{number}", when, waited_s=20))
    with world.store.read() as connection:
        work = world.work(connection, after + MINUTE)
        now = figures.read(work, None)
        assert now.promises.rates.valid == 1
        assert figures.by_page(now) == figures.by_sql(work, None)


@pytest.mark.parametrize(
    ("day", "before", "after"),
    [("2026-03-29", "2026-03-28T23:00", "2026-03-29T22:00"), ("2026-10-25", "2026-10-24T22:00", "2026-10-25T23:00")],
)
def test_on_a_day_of_23_or_25_hours_the_figures_are_what_sql_counts(
    migrated_url: str, day: str, before: str, after: str
) -> None:
    """Midnight of Berlin is given in UTC, and by hand: an hour earlier or later than the day before."""
    begins, ends = (int(datetime.fromisoformat(f"{at}+00:00").timestamp()) * SECOND for at in (before, after))
    made = SiteRules(zone="Europe/Berlin", queues={"support": ON})
    world = World(migrated_url, made, now=begins - 3 * HOUR)
    losses = (begins - 2 * MINUTE, begins + 2 * MINUTE, begins + 2 * HOUR, begins + 4 * HOUR, ends - 2 * MINUTE)
    for number, at_ in enumerate(losses):
        world.hear(call(f"0901234567{number}", at_))
    for now, many in ((ends - MINUTE, 4), (ends + MINUTE, 0)):
        with world.store.read() as connection:
            work = world.work(connection, now)
            assert midnight(work.site, now) == (begins if now < ends else ends), day
            seen = figures.read(work, None)
            assert seen.promises.rates.valid == many
            assert figures.by_page(seen) == figures.by_sql(work, None)
    world.close()


def test_every_list_is_read_by_an_index(world: World) -> None:
    asked = []

    def note(_connection: object, _cursor: object, statement: str, values: object, *_: object) -> None:
        asked.append((statement, values))

    groups = frozenset({"site"})
    with world.store.read() as connection:
        work = world.work(connection, NOON)
        event.listen(world.store.engine, "before_cursor_execute", note)
        for seen in (None, groups):
            for name in LISTS:
                lists.rows(work, InList(name), seen)
            look.look(work, seen, look.dangers(work, seen), look.rated(work), None)
        event.remove(world.store.engine, "before_cursor_execute", note)
        reads = [one for one in asked if one[0].startswith("SELECT")]
        scanned = {line for one in reads for line in plan(connection, *one) if scans(line)}
    assert len(reads) > 20
    assert scanned == set()


def test_a_group_whose_calls_are_paused_says_so(centre: Centre) -> None:
    def stopped() -> dict[str, list[int]]:
        return {one.group: [pause.id for pause in one.pauses] for one in read(centre.world, NOW).dangers.groups}

    groups = sorted(stopped())
    assert not any(stopped().values())
    queue = next(queue for queue in centre.world.site.rules.named() if groups[0] == _group(centre, queue))
    pauses = (
        Pause(1, "call", queue, NOW, NOW + MINUTE, "Anna", "works"),
        Pause(2, "text", "", NOW, NOW + MINUTE, "Anna", "works"),
        Pause(3, "call", "", NOW, NOW + HOUR, "Anna", "works"),
    )
    centre.world.site = replace(centre.world.site, pauses=pauses)
    assert stopped() == {group: [1, 3] if group == groups[0] else [3] for group in groups}


def _group(centre: Centre, queue: str) -> str:
    return centre.world.site.rules.queue(queue).group
