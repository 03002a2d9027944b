"""Figures of care equal SQL that was written by hand, on histories that chance made, on both databases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, insert, text

from callback.reports.care import figures, loop, topics
from callback.reports.care.figures import SPLITS, Cases, Split
from callback.reports.care.within import Within
from callback.settings.care import Care, Compensation
from callback.store import tables as t
from scheduler.clock import DAY
from tests.callback.attempts.test_lanes import plan, scans
from tests.callback.reports.care.histories import history
from tests.callback.world import NOON, ON, World, rules

MONTH = Within(NOON - 28 * DAY, NOON)
OF_GROUP = Within(NOON - 28 * DAY, NOON, frozenset({"far"}))
WEEKS = tuple(NOON - days * DAY for days in (35, 28, 21, 14, 7))
CARE = Care(
    topics={
        "billing": "The bill",
        "billing/wrong-amount": "A wrong amount",
        "billing/late": "Late",
        "delivery": "Parcels",
    },
    compensations={"voucher": Compensation(title="A voucher", value=12.5)},
)
BY_HAND = """
SELECT count(*),
       count(CASE WHEN repeats >= 1 THEN 1 END),
       count(CASE WHEN repaired_at IS NOT NULL OR (due_at < :now AND state <> 'withdrawn') THEN 1 END),
       count(CASE WHEN repaired_at <= due_at THEN 1 END),
       count(CASE WHEN state = 'confirmed' OR state = 'closed' THEN 1 END),
       count(CASE WHEN state = 'unreachable' THEN 1 END),
       count(CASE WHEN state = 'withdrawn' THEN 1 END),
       count(CASE WHEN state IN ('registered', 'assigned', 'answered', 'confirmed') THEN 1 END),
       count(CASE WHEN score_after BETWEEN 1 AND 5 THEN 1 END),
       count(CASE WHEN score_after IN (4, 5) THEN 1 END),
       count(CASE WHEN length(compensation) > 0 THEN 1 END)
FROM care_case WHERE pbx = 'main' AND opened_at >= :since AND opened_at < :until
"""
LOST = """
SELECT count(*) FROM (
  SELECT one.person_id, min(l1.lost_at) AS at
  FROM call one JOIN loss l1 ON l1.call_id = one.call_id
  WHERE one.person_id IS NOT NULL AND l1.lost_at >= :since AND l1.lost_at < :until
    AND (SELECT count(*) FROM call other JOIN loss l2 ON l2.call_id = other.call_id
         WHERE other.person_id = one.person_id AND l2.lost_at <= l1.lost_at AND l2.lost_at >= l1.lost_at - :week
           {other}) >= :least {one}
  GROUP BY one.person_id
) who WHERE 1 = 1 {more}
"""
SILENT = "AND (SELECT kind FROM verdict v WHERE v.call_id = {0}.call_id ORDER BY version DESC LIMIT 1) = 'silent'"
COMPLAINED = """AND who.at + :after <= :now AND EXISTS (SELECT 1 FROM care_case k WHERE k.person_id = who.person_id
  AND k.kind = 'complaint' AND k.opened_at > who.at AND k.opened_at <= who.at + :after)"""
TIMES = {"since": MONTH.since_at, "until": MONTH.until_at, "now": NOON}


@pytest.fixture(params=[1, 7])
def lived(request: pytest.FixtureRequest, migrated_url: str) -> Iterator[World]:
    """A history."""
    queues = {"support": ON, "sales": ON.model_copy(update={"group": "far"})}
    world = World(migrated_url, rules(queues=queues, care=CARE), now=NOON - 90 * DAY)
    history(world, request.param)
    yield world
    world.close()


def by_hand(world: World, sql: str, **values: Any) -> list[tuple[Any, ...]]:
    with world.store.read() as connection:
        return [tuple(row) for row in connection.execute(text(sql), values)]


def plain(cases: Cases) -> tuple[int, ...]:
    return tuple(getattr(cases, name) for name in Cases.__slots__)


def test_cases_and_each_of_their_parts(lived: World) -> None:
    with lived.store.read() as connection:
        work = lived.work(connection, NOON)
        whole = figures.whole(work, MONTH)
        assert [plain(whole)] == by_hand(lived, BY_HAND, **TIMES)
        assert whole.opened > 40
        for by in SPLITS:
            _equal_part(lived, by, figures.split(work, MONTH, by))
        far = figures.whole(work, OF_GROUP)
        assert [plain(far)] == by_hand(lived, f"{BY_HAND} AND queue = 'sales'", **TIMES), "nobody else's queues"
        pieces = figures.over_time(work, MONTH, WEEKS)
        assert [at for at, _ in pieces] == list(WEEKS[1:])
        assert sum(one.opened for _, one in pieces) == whole.opened


def _equal_part(world: World, by: Split, lines: list[figures.Line]) -> None:
    if by == "team":
        assert [(one.of, one.cases.opened > 0) for one in lines] == [("", True)], "nobody was called"
        return
    parts = by_hand(
        world, f"SELECT DISTINCT coalesce(CAST({by} AS VARCHAR(200)), '') {BY_HAND[BY_HAND.index('FROM') :]}", **TIMES
    )
    assert {one.of for one in lines} == {str(of) for (of,) in parts}
    for one in lines:
        wanted = f"{BY_HAND} AND coalesce(CAST({by} AS VARCHAR(200)), '') = :part"
        assert [plain(one.cases)] == by_hand(world, wanted, part=one.of, **TIMES)
    assert [one.cases.opened for one in lines] == sorted((one.cases.opened for one in lines), reverse=True)


def test_questions_and_what_was_given(lived: World) -> None:
    sql = """SELECT kind, count(*), count(score), sum(CASE WHEN score <= 2 THEN 1 ELSE 0 END),
      sum(CASE WHEN score > 3 THEN 1 ELSE 0 END), coalesce(sum(score), 0) FROM survey
      WHERE asked_at BETWEEN :since AND :until - 1 GROUP BY kind ORDER BY kind"""
    times = """SELECT compensation, count(*) FROM care_case
      WHERE compensation > '' AND opened_at BETWEEN :since AND :until - 1 GROUP BY compensation ORDER BY 1"""
    with lived.store.read() as connection:
        work = lived.work(connection, NOON)
        asked, given = figures.asked(work, MONTH), figures.given(work, MONTH)
    rows = by_hand(lived, sql, since=MONTH.since_at, until=MONTH.until_at)
    assert [tuple(getattr(one, name) for name in figures.Asked.__slots__) for one in asked] == rows
    gone, voucher = by_hand(lived, times, since=MONTH.since_at, until=MONTH.until_at)
    assert [(one.name, one.times) for one in given] == [gone, voucher]
    assert [one.value for one in given] == [0, 12.5 * voucher[1]], "what the list has no more has no value"
    assert [one.title for one in given] == ["gone", "A voucher"]


def test_topics_of_a_week_with_all_that_hangs_on_them(lived: World) -> None:
    sql = """SELECT count(*) FROM care_case WHERE (topic = :path OR topic LIKE :below)
      AND opened_at >= :since AND opened_at < :until"""
    with lived.store.read() as connection:
        found = topics.of_week(lived.work(connection, NOON), WEEKS, MONTH)
    assert {"billing"} <= {one.path for one in found}
    for one in found:
        of = {"path": one.path, "below": f"{one.path}/%"}
        ((many,),) = by_hand(lived, sql, **of, since=WEEKS[-1], until=NOON)
        ((before,),) = by_hand(lived, sql, **of, since=WEEKS[0], until=WEEKS[-1])
        assert (one.many, one.mean) == (many, before / 4)
        assert one.hot == (many >= 5 and many >= 2 * one.mean and (many - one.mean) ** 2 >= 4 * max(one.mean, 1))
        assert len(one.cases) == (min(many, topics.MOST_CASES) if one.hot else 0)


@pytest.mark.parametrize(
    ("pattern", "least", "silent"), [("lost", 1, False), ("three-in-a-week", 3, False), ("silent-twice", 2, True)]
)
def test_the_loop_from_losses_to_complaints_and_back(lived: World, pattern: str, least: int, *, silent: bool) -> None:
    with lived.store.read() as connection:
        found = loop.loop(lived.work(connection, NOON), MONTH, 10)
    (met,) = [one for one in found.met if one.pattern == pattern]
    of = {"one": SILENT.format("one") if silent else "", "other": SILENT.format("other") if silent else ""}
    values = {**TIMES, "week": 7 * DAY, "least": least}
    ((customers,),) = by_hand(lived, LOST.format(**of, more="AND :now > 0"), **values)
    ((over,),) = by_hand(lived, LOST.format(**of, more="AND who.at + :after <= :now"), **values, after=10 * DAY)
    ((complained,),) = by_hand(lived, LOST.format(**of, more=COMPLAINED), **values, after=10 * DAY)
    assert (met.customers, met.over, met.complained) == (customers, over, complained)
    assert customers > 0
    back = """SELECT count(*), coalesce(sum(CASE WHEN EXISTS (SELECT 1 FROM call c JOIN loss l ON l.call_id = c.call_id
        WHERE c.person_id = who.person_id AND l.lost_at > who.at AND l.lost_at <= who.at + :after)
        THEN 1 ELSE 0 END), 0)
      FROM (SELECT person_id, min(opened_at) AS at FROM care_case WHERE kind = 'complaint' AND opened_at >= :since
        AND opened_at < :until GROUP BY person_id) who WHERE who.at + :after <= :now"""
    assert [(found.complainers, found.lost_again)] == by_hand(lived, back, **TIMES, after=10 * DAY)


def test_nothing_has_happened_yet(world: World) -> None:
    with world.store.read() as connection:
        work = world.work(connection, NOON)
        whole, found = figures.whole(work, MONTH), loop.loop(work, MONTH)
        assert not any((figures.asked(work, MONTH), figures.given(work, MONTH), figures.split(work, MONTH, "topic")))
        assert topics.of_week(work, WEEKS, MONTH) == []
    assert whole == Cases()
    assert whole.satisfied_rate is whole.in_time_rate is whole.repeat_rate is None
    assert (found.complainers, [one.customers for one in found.met]) == (0, [0, 0, 0])


def test_from_one_to_two_is_no_topic() -> None:
    assert not topics.is_hot(2, 1.0)
    assert not topics.is_hot(4, 0.0)
    assert topics.is_hot(5, 0.0)
    assert topics.is_hot(5, 2.0)
    assert not topics.is_hot(9, 5.0), "not twice as many"
    assert not topics.is_hot(5, 2.5), "chance"


def test_a_topic_above_is_left_out_where_one_below_has_all_of_it(world: World) -> None:
    row = {
        "pbx": "main",
        "queue": "support",
        "kind": "complaint",
        "state": "closed",
        "open": False,
        "opened_by": "anna",
    }
    row |= {"source": "agent", "due_at": NOON, "opened_at": NOON - DAY, "state_since_at": NOON}
    with world.store.write() as connection:
        person = connection.execute(insert(t.person).values(number="+1", created_at=0).returning(t.person.c.id))
        theirs = row | {"person_id": person.scalar_one()}
        for topic, department in [("a/b", "x")] * 6 + [("c", "y")] * 2:
            connection.execute(insert(t.care_case).values(**theirs, topic=topic, department=department))
        work = world.work(connection, NOON)
        found = topics.of_week(work, WEEKS, MONTH)
        assert [(one.path, one.many, one.hot, len(one.cases)) for one in found] == [
            ("a/b", 6, True, 6),
            ("c", 2, False, 0),
        ]
        assert found[0].growth is None
        assert [one.path for one in topics.of_week(work, WEEKS, replace(MONTH, department="y"))] == ["c"]


def test_every_figure_is_read_by_an_index_of_its_time(sqlite_world: World) -> None:
    """Not by the primary key, whose first column is the PBX: that would read all years of it."""
    world, found = sqlite_world, list[str]()
    with world.store.read() as connection:
        asked = list[tuple[str, Any]]()

        def note(*told: Any) -> None:
            asked.append((told[2], told[3]))

        event.listen(connection, "before_cursor_execute", note)
        work = world.work(connection, NOON)
        figures.whole(work, MONTH), figures.split(work, MONTH, "team"), figures.asked(work, MONTH)
        topics.of_week(work, WEEKS, MONTH)
        loop.loop(work, MONTH)
        event.remove(connection, "before_cursor_execute", note)
        for statement, values in asked:
            found += plan(connection, statement, values)
    read = "\n".join(found)
    wanted = ("ix_care_case_opened", "ix_survey_asked", "ix_call_started_at")
    assert [name for name in wanted if name not in read] == [], read
    first = [
        line
        for line in found
        if scans(line) or re.search(r"(SCAN|Seq Scan on) (care_case|survey|loss|verdict)\b", line)
    ]
    assert not first
    assert not [line for line in found if re.search(r"sqlite_autoindex_\w+ \(pbx=\?\)$", line)], read
