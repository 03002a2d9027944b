"""Cases and flags as lists: those whose clock runs first, page by page, of the groups that somebody may see."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any

import pytest

from callback.care import cases as standing
from callback.care import flags as flagging
from callback.care.cases import Case, NewCase
from callback.care.flags import NewFlag
from callback.care.states import ASKED, OWED, Event
from callback.customers import persons
from callback.reports.care import about, cases, flags, whole
from callback.reports.care.cases import Counts, Wanted
from callback.settings.care import Care, QueueCare
from callback.site.work import Work
from callback.store import tables as t
from scheduler.clock import HOUR
from tests.callback.world import NOON, ON, US, World, call, rules

TAKES = ON.model_copy(update={"care": QueueCare(cases=True, flags=True)})
OF_SALES = frozenset({"sales"})
LIVES: tuple[tuple[Event, ...], ...] = (
    (), ("assigned",), ("assigned", "answered"), ("assigned", "answered", "denied"), ("withdrawn",),
    ("assigned", "answered", "confirmed"), ("assigned", "answered", "confirmed", "closed"),
)  # fmt: skip


@pytest.fixture
def centre(migrated_url: str) -> World:
    """Support and sales, each of its own group; complaints are due in two hours, and at risk one before."""
    queues = {name: TAKES.model_copy(update={"group": name}) for name in ("support", "sales")}
    care = Care(complaint_h=2, warn_h=1, topics={"bill": "Bills", "bill/late": "A late bill", "billing": "Other bills"})
    return World(migrated_url, rules(queues=queues, care=care))


def opened(world: World, n: int, at: int = NOON, moves: tuple[Event, ...] = (), **more: Any) -> int:
    """A complaint of customer `n` that was registered then, and lived on."""
    with world.store.write() as connection:
        work = world.work(connection, at)
        person = persons.person_of(connection, f"+8190123{n:05}", at)
        facts = {"queue": "support", "source": "supervisor", "by": "anna", **more}
        case = standing.open_case(work, NewCase(kind="complaint", person=person, **facts)).case
        for event in moves:
            standing.move(work, case, event, "anna")
    return case


def pages(work: Work, wanted: Wanted, groups: frozenset[str] | None, most: int) -> list[Case]:
    """The whole list, page by page."""
    found, after = list[Case](), None
    while True:
        page = cases.page(work, wanted, groups, after, most)
        found += page.cases
        if page.after is None:
            return found
        after = page.after


def test_the_list_is_the_same_page_by_page_and_counts_what_it_shows(centre: World) -> None:
    """Against the same sorted and chosen here, of cases at random."""
    by_chance = Random(16)  # noqa: S311 - the same each time
    for n in range(40):
        life, queue = by_chance.choice(LIVES), by_chance.choice(("support", "sales"))
        topic, department = by_chance.choice(("", "bill", "bill/late", "billing")), by_chance.choice(("", "bills"))
        since = NOON - by_chance.randrange(4 * 3600) * US
        opened(centre, n, since, life, queue=queue, topic=topic, department=department)
    every = [Case(**row._mapping, e164="") for row in centre.rows(t.care_case)]  # noqa: SLF001
    with centre.store.read() as connection:
        work = centre.work(connection, NOON)
        for wanted in (Wanted(), Wanted(ended=True), Wanted(topic="bill"), Wanted(department="bills", state="assigned"),
                       Wanted(due="soon"), Wanted(due="overdue"), Wanted(mine=frozenset({"anna"})),
                       Wanted(mine=frozenset({"bo"}))):  # fmt: skip
            for groups in (None, OF_SALES):
                expected = [one for one in every if fits(one, wanted, groups)]
                shown = pages(work, wanted, groups, most=3)
                assert [one.id for one in shown] == [one.id for one in in_order(expected, wanted)], wanted
                assert all(one.e164.startswith("+81") for one in shown)
        found = cases.counts(work)
        owed = [one for one in every if one.state in OWED]
        assert found == Counts(
            len(owed),
            sum(NOON <= one.due_at <= NOON + HOUR for one in owed),
            sum(one.due_at < NOON for one in owed),
            sum(one.state in ASKED for one in every),
        )
        assert found.open == sum(one.open for one in every)


def fits(one: Case, wanted: Wanted, groups: frozenset[str] | None) -> bool:
    begins, ends = (NOON, NOON + HOUR) if wanted.due == "soon" else (0, NOON - 1)
    due = one.state in OWED and begins <= one.due_at <= ends
    return (
        one.open != wanted.ended
        and (groups is None or one.queue in groups)
        and (not wanted.state or one.state == wanted.state)
        and (not wanted.department or one.department == wanted.department)
        and (not wanted.topic or one.topic == wanted.topic or one.topic.startswith(wanted.topic + "/"))
        and (wanted.due is None or due)
        and (not wanted.mine or one.opened_by in wanted.mine)
    )


def in_order(rows: list[Case], wanted: Wanted) -> list[Case]:
    if wanted.ended:
        return sorted(rows, key=lambda one: (-one.opened_at, -one.id))
    return sorted(rows, key=lambda one: (one.state in ASKED, one.due_at, one.id))


def test_a_case_as_a_whole_knows_what_stands_behind_it(centre: World) -> None:
    centre.hear(call("09012300001"))
    (row,) = centre.reservations()
    (loss,) = centre.rows(t.loss)
    first = opened(centre, 1, NOON, LIVES[-1], topic="bill", words="late again", call_id=loss.call_id)
    again = opened(centre, 1, NOON + HOUR, topic="bill", words="and again")
    other = opened(centre, 1, NOON + HOUR, topic="billing")
    with centre.store.read() as connection:
        work = centre.work(connection, NOON + HOUR)
        seen = whole.whole(work, first)
        assert seen is not None
        assert [step.event for step in seen.steps] == ["closed", "confirmed", "answered", "assigned", "registered"]
        assert (seen.clock, seen.steps[-1].note, seen.repeated_by, seen.named) == ("ended", "late again", again, row.id)
        assert seen.call is not None
        assert (seen.call.call_id, seen.call.reservation) == (loss.call_id, row.id)
        assert {one.id for one in seen.others} == {again, other}
        assert whole.possible(seen.case) == frozenset()
        later = whole.whole(work, again)
        assert later is not None
        assert (later.case.repeat_of, later.case.repeats, later.clock) == (first, 1, "running")
        assert whole.whole(work, first, OF_SALES) is None
        assert whole.whole(work, 99) is None
        assert cases.titles(work.site.rules.care.topics, "bill/late/gone") == ("Bills", "A late bill", "gone")
        assert [one.id for one in cases.of_agent(work, ["anna"])] == [again, other]
        assert cases.of_agent(work, ["bo"]) == []


def test_a_complaint_is_about_whom_the_callback_or_the_call_is(centre: World) -> None:
    centre.hear(call("09012300001"))
    (row,), (loss,) = centre.reservations(), centre.rows(t.loss)
    with centre.store.read() as connection:
        work = centre.work(connection, NOON)
        by_callback, by_call = about.of_reservation(work, row.id), about.of_call(work, loss.call_id)
        assert by_callback is not None
        assert by_callback == by_call
        assert (by_callback.e164, by_callback.queue) == ("+819012300001", "support")
        assert [one.call_id for one in by_callback.calls] == [loss.call_id]
        assert about.of_reservation(work, row.id, OF_SALES) is None
        assert about.of_call(work, loss.call_id, OF_SALES) is None
        assert about.of_answer(work, 1) is None


def test_flags_are_listed_by_day_and_apart_those_that_are_over(centre: World) -> None:
    with centre.store.write() as connection:
        work = centre.work(connection, NOON)
        for n, (queue, day) in enumerate((("support", 27), ("sales", 25), ("support", 26), ("support", 25))):
            person = persons.person_of(connection, f"+8190123{n:05}", NOON)
            flagging.flag(work, NewFlag(person, queue, date(2026, 11, day), "asked", "anna", "anna"))
        flagging.settle(work, 3, "cancelled")
        shown, after = flags.to_come(work, most=2)
        assert [one.id for one in shown] == [2, 4]
        rest, end = flags.to_come(work, after=after, most=2)
        assert [one.id for one in rest] == [1]
        assert end is None
        assert [one.id for one in flags.over(work)[0]] == [3]
        assert [one.id for one in flags.to_come(work, OF_SALES)[0]] == [2]
        assert flags.over(work, OF_SALES) == ([], None)
        assert [one.id for one in flags.of_person(work, shown[0].person_id)] == [2]
        assert flags.queues(work, OF_SALES) == ["sales"]
