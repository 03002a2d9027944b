"""A sample is drawn by its seed, called back within opening hours, and scored; its result is what SQL says."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, text, update

from callback.campaigns import asking
from callback.campaigns import campaign as campaigns
from callback.campaigns.campaign import NoSuchCampaign
from callback.campaigns.sample import Drawn, NoSample, Wish
from callback.customers import blocks
from callback.decisions.campaigns import sampling
from callback.errors import CallbackError
from callback.reports.campaigns import asked as asked_report
from callback.reports.campaigns import results
from callback.reservations import successor
from callback.reservations.reservation import read_one
from callback.store import tables as t
from callback.store.audit import By
from scheduler.clock import DAY, HOUR, MINUTE
from tests.callback.campaigns.crowd import CARE, audience
from tests.callback.world import NOON, World

MEG = By("meg", "no reason given")
SIZES = {"north": 60, "south": 30, "island": 1}


@pytest.fixture
def world(migrated_url: str) -> World:
    return World(migrated_url, CARE)


def do(world: World, act: Callable[..., Any], *about: Any, now: int = NOON, **more: Any) -> Any:
    with world.store.write() as connection:
        return act(world.work(connection, now), *about, **more)


def draw(world: World, campaign: int, now: int = NOON, **wish: Any) -> Drawn:
    drawn: Drawn = do(world, sampling.draw, campaign, Wish(**{"seed": 7, "size": 10, **wish}), MEG, now=now)
    return drawn


def drawn_people(world: World, number: int = 1) -> list[int]:
    """Those of a round, in the order of the calls."""
    rows = [row for row in world.rows(t.campaign_asked) if row.round == number]
    return [row.person_id for row in sorted(rows, key=lambda row: row.call_from_at)]


def ask_on(world: World, now: int) -> int:
    """Let the service do what is due."""
    do(world, asking.settle_unreached, now=now)
    many: int = do(world, asking.reserve_due, now=now)
    return many


def ended(world: World, reservation: int, state: str) -> None:
    with world.store.write() as connection:
        row = t.reservation.c.id == reservation
        connection.execute(update(t.reservation).where(row).values(state=state, open=False))


def test_the_same_seed_draws_the_same_people_of_each_segment(world: World) -> None:
    one, other = audience(world, SIZES), audience(world, SIZES, state="stopped")
    drawn = draw(world, one)
    assert (drawn.round, drawn.size, drawn.segments) == (1, 10, {"island": 1, "north": 6, "south": 3})
    again = draw(world, other, now=NOON + 31 * DAY)
    rows = world.rows(t.campaign_asked)
    first, second = ({row.person_id for row in rows if row.campaign_id == number} for number in (one, other))
    assert first == second
    assert again.segments == drawn.segments
    third = draw(world, audience(world, SIZES), now=NOON + 62 * DAY, seed=8)
    assert first != {row.person_id for row in world.rows(t.campaign_asked) if row.campaign_id == third.campaign}


def test_nobody_is_asked_twice_and_nobody_who_may_not_be_called(world: World) -> None:
    number = audience(world, {"all": 12})
    with world.store.write() as connection:
        people = connection.execute(select(t.person.c.id, t.person.c.number)).all()
        for row in people[:3]:
            blocks.block(connection, "main", row.number, MEG, NOON, calls=True)
        blocks.block(connection, "main", people[3].number, MEG, NOON, texts=True)
        connection.execute(update(t.person).where(t.person.c.id == people[4].id).values(shared=True))
        connection.execute(update(t.person).where(t.person.c.id == people[5].id).values(number="erased:1"))
        left_out = t.campaign_person.c.person_id == people[6].id
        connection.execute(update(t.campaign_person).where(left_out).values(state="left-out", why="landline"))
    first = draw(world, number, size=4)
    second = draw(world, number, size=400, seed=8)
    assert (first.round, first.size, second.round, second.size) == (1, 4, 2, 2)
    may = {row.id for row in people} - {row.id for row in (*people[:3], *people[4:7])}
    assert {*drawn_people(world), *drawn_people(world, 2)} == may
    with pytest.raises(NoSample, match="nobody is left"):
        draw(world, number, seed=9)
    with pytest.raises(NoSample, match="nobody is left"):  # nor lately for another campaign
        draw(world, _same_people(world, number))
    assert draw(world, _same_people(world, number), now=NOON + 31 * DAY).size == 6


def _same_people(world: World, number: int) -> int:
    other = audience(world, {"none": 1})
    with world.store.write() as connection:
        connection.execute(t.campaign_person.delete().where(t.campaign_person.c.campaign_id == other))
        rows = connection.execute(select(t.campaign_person).where(t.campaign_person.c.campaign_id == number)).mappings()
        connection.execute(t.campaign_person.insert(), [{**row, "campaign_id": other} for row in rows.all()])
    return other


def test_the_round_before_the_text_is_0_and_none_is_drawn_again(world: World) -> None:
    number = audience(world, {"all": 30}, state="ready", started_at=None)
    assert draw(world, number).round == 0
    with pytest.raises(NoSample, match="drawn already"):
        draw(world, number, round=0)
    with world.store.write() as connection:
        connection.execute(update(t.campaign).values(started_at=NOON, state="running"))
    assert draw(world, number).round == 1


@pytest.mark.parametrize(
    ("wish", "more", "said"),
    [
        ({"size": 0}, {}, "from 1 to 10,000"),
        ({"seed": -1}, {}, "a seed is"),
        ({"days": 31}, {}, "over 1 to 30 days"),
        ({"round": 100}, {}, "rounds are"),
        ({}, {"state": "draft"}, "no audience yet"),
        ({}, {"queue": "off"}, r"\[rules.queues.off.care\] campaigns = true"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_the_remedy(
    world: World, wish: dict[str, Any], more: dict[str, Any], said: str
) -> None:
    number = audience(world, {"all": 2}, **more)
    with pytest.raises(NoSample, match=said):
        draw(world, number, **wish)
    assert not world.rows(t.campaign_sample)


def test_a_campaign_of_another_group_is_none(world: World) -> None:
    number = audience(world, {"all": 2}, queue="sales")
    others = frozenset({"support"})
    with pytest.raises(NoSuchCampaign):
        do(world, sampling.draw, number, Wish(seed=1), MEG, others)
    with pytest.raises(NoSuchCampaign):
        do(world, sampling.score, (number, 1, 1), 5, MEG, others)
    with pytest.raises(NoSuchCampaign):
        do(world, sampling.call_off, number, 1, MEG, others)
    assert do(world, campaigns.look, number, frozenset({"sales"})).queue == "sales"


def test_a_callback_that_goes_on_as_another_is_followed(world: World) -> None:
    """The agent says afterwards that it was a machine: the customer is called again, and is no blank yet."""
    number = audience(world, {"all": 1})
    drawn = draw(world, number, size=1)
    ask_on(world, drawn.first_at)
    (first,) = world.reservations()
    with world.store.write() as connection:
        work = world.work(connection, drawn.first_at)
        connection.execute(update(t.reservation).values(state="reached", open=False))
        row = read_one(connection, first.id)
        assert row is not None
        second = successor.go_on(work, row, drawn.first_at + HOUR).successor
    ask_on(world, drawn.first_at + MINUTE)
    (asked,) = world.rows(t.campaign_asked)
    assert (asked.state, asked.why_not, asked.reservation_id) == ("called", "", second)
    ended(world, second, "given-up")
    ask_on(world, drawn.first_at + 2 * HOUR)
    (asked,) = world.rows(t.campaign_asked)
    assert (asked.state, asked.why_not) == ("blank", "not-reached")


def test_the_calls_are_spread_over_opening_hours_and_few_are_open_at_once(world: World) -> None:
    number = audience(world, {"all": 100})
    drawn = draw(world, number, size=90, days=3)
    times = sorted(row.call_from_at for row in world.rows(t.campaign_asked))
    assert NOON < drawn.first_at < NOON + HOUR
    assert NOON + 2 * DAY < drawn.last_at < NOON + 2 * DAY + 10 * HOUR
    assert all(world.site.hours.may_ring(at) for at in times)
    assert ask_on(world, NOON) == 0
    assert ask_on(world, NOON + DAY + 8 * HOUR) == asking.OPEN_AT_ONCE  # none was asked so long: not all at once now
    assert ask_on(world, NOON + DAY + 8 * HOUR + MINUTE) == 0
    callbacks = world.reservations()
    assert {(row.kind, row.state, row.apart, row.severity) for row in callbacks} == {
        ("follow-up", "waiting", f"sample/{number}/1", 0)
    }
    assert [row.person_id for row in callbacks] == drawn_people(world)[:20]
    for row in callbacks[:5]:
        ended(world, row.id, "reached")
    assert ask_on(world, NOON + DAY + 8 * HOUR + 2 * MINUTE) == 5


def test_whom_nobody_reached_is_blank_and_who_was_reached_is_to_be_scored(world: World) -> None:
    number = audience(world, {"all": 4})
    draw(world, number, size=4)
    with world.store.write() as connection:
        last = select(t.person.c.number).where(t.person.c.id == drawn_people(world)[3])
        blocks.block(connection, "main", connection.execute(last).scalar_one(), MEG, NOON, calls=True)
    assert ask_on(world, NOON + 3 * DAY) == 4
    for row, state in zip(world.reservations(), ("reached", "given-up", "expired"), strict=True):
        ended(world, row.id, state)
    ask_on(world, NOON + 3 * DAY)
    found = {row.person_id: (row.state, row.why_not) for row in world.rows(t.campaign_asked)}
    assert [found[person] for person in drawn_people(world)] == [
        ("called", ""), ("blank", "not-reached"), ("blank", "not-reached"), ("blank", "number-blocked"),
    ]  # fmt: skip
    one = do(world, results.rounds, number)[0]
    assert (one.states, one.blank) == ({"to-score": 1, "blank": 3}, {"not-reached": 2, "number-blocked": 1})
    assert [row.person for row in do(world, asked_report.people, number, 1, "to-score").people] == [
        drawn_people(world)[0]
    ]


def test_a_score_is_kept_once_with_who_said_so_and_ends_a_callback_that_waits(world: World) -> None:
    number = audience(world, {"all": 3})
    draw(world, number, size=3)
    ask_on(world, NOON + 3 * DAY)
    first, second, third = drawn_people(world)
    do(world, sampling.score, (number, 1, first), 9, MEG, now=NOON + 3 * DAY)
    do(world, sampling.score, (number, 1, first), 8, By("bo", "misheard"), now=NOON + 3 * DAY)
    do(world, sampling.score, (number, 1, second), "refused", MEG, now=NOON + 3 * DAY)
    kept = {row.person_id: (row.state, row.score, row.why_not, row.who) for row in world.rows(t.campaign_asked)}
    assert kept == {
        first: ("scored", 8, "", "bo"),
        second: ("blank", None, "refused", "meg"),
        third: ("called", None, "", None),
    }
    assert [row.state for row in world.reservations()] == ["done-elsewhere", "done-elsewhere", "waiting"]
    acts = [row for row in world.rows(t.audit) if row.action == "sample-scored"]
    assert [(row.who, row.facts["score"]) for row in acts] == [("meg", 9), ("bo", 8), ("meg", "refused")]
    for said, why in ((11, "0 to 10"), (-1, "0 to 10"), ("tired", "needs a reason")):
        with pytest.raises(CallbackError, match=why):
            do(world, sampling.score, (number, 1, first), said, MEG)
    with pytest.raises(asking.NotAsked):
        do(world, sampling.score, (number, 2, first), 5, MEG)


def test_a_sample_that_is_called_off_calls_nobody_any_more(world: World) -> None:
    number = audience(world, {"all": 40})
    draw(world, number, size=30)
    ask_on(world, NOON + 3 * DAY)
    ended(world, 1, "reached")
    assert do(world, sampling.call_off, number, 1, MEG) == 29
    assert ask_on(world, NOON + 4 * DAY) == 0
    assert {row.state for row in world.reservations()} == {"reached", "cancelled"}
    assert do(world, results.rounds, number)[0].blank == {"called-off": 29}


BY_SQL = """
SELECT asked.round, asked.segment, COUNT(*) AS drawn, COUNT(asked.score) AS valid, SUM(asked.score) AS total,
       SUM(asked.score * asked.score) AS squares,
       (SELECT COUNT(*) FROM campaign_person p
         WHERE p.campaign_id = asked.campaign_id AND p.segment = asked.segment AND p.state <> 'left-out') AS people
FROM campaign_asked asked WHERE asked.campaign_id = :campaign GROUP BY asked.round, asked.segment, asked.campaign_id
"""


def test_the_result_is_what_independent_sql_says_and_stands_beside_the_round_before(world: World) -> None:
    number = audience(world, {"north": 60, "south": 30}, state="ready", started_at=None)
    draw(world, number, size=20)
    with world.store.write() as connection:
        connection.execute(update(t.campaign).values(started_at=NOON))
    draw(world, number, size=30, seed=9)
    said: dict[int, list[int]] = {0: [], 1: []}
    for row in world.rows(t.campaign_asked):
        if row.person_id % 5:
            score = (row.person_id * 7) % 11 if row.round == 0 else 8 + row.person_id % 3
            do(world, sampling.score, (number, row.round, row.person_id), score, MEG)
            said[row.round].append(score)
    before, after = do(world, results.rounds, number)
    for one in (before, after):
        assert (one.result.valid, one.result.people) == (len(said[one.round]), 90)
        assert one.result.mean == pytest.approx(statistics.fmean(said[one.round]))
        assert one.result.variance == pytest.approx(statistics.variance(said[one.round]))
    assert (before.before, before.since, after.before) == (None, None, 0)
    assert after.since is not None
    assert after.since.change == pytest.approx(statistics.fmean(said[1]) - statistics.fmean(said[0]))
    assert not after.since.by_chance
    shown = {(one.round, part.name): part for one in (before, after) for part in one.segments}
    with world.store.read() as connection:
        rows = connection.execute(text(BY_SQL), {"campaign": number}).all()
    assert len(rows) == len(shown) == 4
    for row in rows:
        part = shown[row.round, row.segment]
        assert (part.drawn, part.result.valid, part.result.people) == (row.drawn, row.valid, row.people)
        assert part.result.mean == pytest.approx(row.total / row.valid)
        assert part.result.variance == pytest.approx((row.squares - row.total**2 / row.valid) / (row.valid - 1))


def test_who_is_to_be_called_is_read_page_by_page(world: World) -> None:
    number = audience(world, {"all": 120})
    draw(world, number, size=110)
    seen, after, pages = list[int](), None, 0
    while pages == 0 or after is not None:
        page = do(world, asked_report.people, number, 1, "open", after)
        seen += [row.person for row in page.people]
        after, pages = page.after, pages + 1
    assert (seen, pages) == (drawn_people(world), 3)
    ask_on(world, NOON + HOUR)
    first = do(world, asked_report.of_callback, 1)
    assert asked_report.key(first) == (number, 1, drawn_people(world)[0])
    assert do(world, asked_report.of_callback, 999) is None
