"""Every cell of two reports is what SQL counts that another hand wrote: three months, a change of clocks, midnights."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import text

from callback.reports.period import listed
from callback.reports.period.listed import NONE, Within
from callback.reports.rates import WITHIN_MIN
from callback.store import tables as t
from tests.callback.web.console.clients import Browser, Desk, desk_of
from tests.callback.world import US, World
from tests.console import months
from tests.console.months import CHANGE, FIRST, LAST, NOW, begins, days

WORDS: Final = (Path(__file__).parent / "sql" / "reports.sql").read_text()
SQL: Final = text(WORDS)
TOOK: Final = text(
    WORDS.partition("SELECT queue, kind, 'calls'")[0]  # noqa: S608 - a file of ours
    + "SELECT dialled_at - clock_starts_at FROM done WHERE dialled_at IS NOT NULL"
)
MONTHS: Final = (date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1))


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The three months, lived once for all tests of this file."""
    world = months.site(f"sqlite:///{tmp_path_factory.mktemp('months') / 'months.db'}")
    months.lived(world)
    yield world
    world.close()


@pytest.fixture
def desk(lived: World) -> Iterator[Desk]:
    with desk_of(lived) as made:
        made.now = NOW
        yield made


@pytest.fixture
def manager(desk: Desk) -> Browser:
    return desk.member("bo", "manager")


def by_sql(world: World, since: date, until: date) -> list[tuple[str, str, str, int]]:
    """Queue, kind, name and how many, of whole days; the last one is not among them."""
    asked = {"since": begins(since), "until": begins(until), "now": NOW}
    with world.store.read() as connection:
        return [(row[0], row[1], row[2], int(row[3])) for row in connection.execute(SQL, asked)]


def summed(rows: list[tuple[str, str, str, int]], by: str = "") -> dict[str, Counter[str]]:
    """Add up by queue, by kind, or all."""
    found: dict[str, Counter[str]] = {}
    for queue, kind, name, many in rows:
        of = {"queue": queue, "kind": kind, "": ""}[by]
        found.setdefault(of, Counter())[name] += many
    return found


def after(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def told(browser: Browser, query: str) -> Any:
    answer = browser.get(f"/reports.json?{query}")
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text)


def must_be(line: dict[str, Any], counted: Counter[str], *, missed: bool = True) -> None:
    """Every number of a line is what was counted, and what is reckoned from them follows."""
    names = {name for name, value in line.items() if isinstance(value, int)} - ({"missed"} if not missed else set())
    assert {"calls", "lost", "valid", "reached_60", "texts_sent", "called_back_redialled"} <= names
    assert {name: line[name] for name in names} == {name: counted[name] for name in names}
    for within in WITHIN_MIN:
        due = counted[f"due_{within}"]
        for what in ("dialled", "reached", "closed"):
            share = round(counted[f"{what}_{within}"] / due, 4) if due else None
            assert line[f"{what}_{within}_share"] == share
    assert line["satisfaction"] == (round(counted["score_sum"] / counted["scored"], 2) if counted["scored"] else None)


@pytest.mark.parametrize("month", MONTHS, ids=str)
def test_a_month_by_day_is_what_sql_counts(lived: World, manager: Browser, month: date) -> None:
    report = told(manager, f"period=month&day={month}&by=day&split=-")
    lines = {line["since"][:10]: line for line in report["lines"] if line["of"] == "time"}
    every = [day for day in days() if day.month == month.month]
    assert list(lines) == [str(day) for day in every]
    whole: Counter[str] = Counter()
    for day in every:
        counted = summed(by_sql(lived, day, day + timedelta(days=1))).get("", Counter())
        must_be(lines[str(day)], counted, missed=False)
        whole += counted
    must_be(report["whole"], whole)


@pytest.mark.parametrize("split", ["queue", "kind"])
@pytest.mark.parametrize("month", MONTHS, ids=str)
def test_a_month_by_queue_and_by_kind_is_what_sql_counts(
    lived: World, manager: Browser, month: date, split: str
) -> None:
    report = told(manager, f"period=month&day={month}&split={split}")
    rows = by_sql(lived, month, after(month))
    counted = summed(rows, split)
    lines = {line["part"]: line for line in report["lines"] if line["of"] == "part"}
    assert set(lines) == set(counted)
    for of, line in lines.items():
        must_be(line, counted[of])
    must_be(report["whole"], summed(rows)[""])
    names = [name for name, value in report["whole"].items() if isinstance(value, int)]
    assert {name: sum(line[name] for line in lines.values()) for name in names} == {
        name: report["whole"][name] for name in names
    }


def test_parts_of_a_year_add_up_to_all_that_there_is(lived: World, manager: Browser) -> None:
    report = told(manager, f"period=span&day={FIRST}&until={LAST}&by=month&split=-")
    made = [row for row in lived.reservations() if row.made_at < begins(LAST + timedelta(days=1))]
    assert sum(report["whole"][name] for name in ("valid", "refused", "withdrawn")) == len(made) > 400
    by_month = [line for line in report["lines"] if line["of"] == "time"]
    assert [line["since"][:10] for line in by_month] == [str(month) for month in MONTHS]
    must_be(report["whole"], summed(by_sql(lived, FIRST, LAST + timedelta(days=1)))[""])


def test_the_day_of_the_change_has_25_hours_and_a_midnight_belongs_to_the_day_that_begins(
    lived: World, manager: Browser
) -> None:
    report = told(manager, f"period=day&day={CHANGE}&split=-")
    assert report["since"] == "2026-10-25T00:00:00+02:00"
    assert report["until"] == "2026-10-26T00:00:00+01:00"
    assert begins(CHANGE + timedelta(days=1)) - begins(CHANGE) == 25 * 3600 * US
    must_be(report["whole"], summed(by_sql(lived, CHANGE, CHANGE + timedelta(days=1)))[""])
    at_midnight = [row for row in lived.rows(t.call) if row.started_at in {begins(day) for day in days()}]
    assert len(at_midnight) > 50


def test_how_long_it_took_is_what_the_histogram_says(lived: World, manager: Browser) -> None:
    """Half of them took less than the p50, by the times themselves: as near as the bins are wide."""
    asked = {"since": begins(FIRST), "until": begins(LAST + timedelta(days=1)), "now": NOW}
    with lived.store.read() as connection:
        took_min = [row[0] / 60 / US for row in connection.execute(TOOK, asked)]
    whole = told(manager, f"period=span&day={FIRST}&until={LAST}&split=-")["whole"]
    assert len(took_min) == whole["dialled"]
    for share in (50, 90):
        at = whole[f"first_try_p{share}_min"]
        within = sum(took <= at + 15 for took in took_min) / len(took_min)
        below = sum(took <= at - 15 for took in took_min) / len(took_min)
        assert below <= share / 100 <= within


MORE_THAN_ROWS: Final = ("tries", "texts_", "called_back", "not_called_back")
"""What counts texts, tries or losses, of which a reservation may have several."""


@pytest.mark.parametrize("name", listed.NAMES)
def test_each_figure_leads_to_as_many_rows_as_it_counts(lived: World, name: str) -> None:
    month = MONTHS[1]
    span = (begins(month), begins(after(month)))
    counted = summed(by_sql(lived, month, after(month)), "queue")
    with lived.store.read() as connection:
        work = lived.work(connection, NOW)
        for queue, figures in counted.items():
            within = Within(*span, queue=queue or NONE)
            rows = (
                listed.calls(work, name, within, 10**6).rows
                if name in listed.OF_CALLS
                else listed.reservations(work, name, within, 10**6).ids
            )
            wanted = figures["scored" if name == "scored" else name]
            if name.startswith(MORE_THAN_ROWS):
                assert bool(rows) == bool(wanted)
                assert len(rows) <= wanted
            else:
                assert len(rows) == wanted, queue


def test_every_figure_of_the_page_is_a_link_that_leads_to_rows(manager: Browser) -> None:
    page = manager.get(f"/reports?period=month&day={MONTHS[1]}&split=-&by=month").text
    links = {found.replace("&amp;", "&") for found in re.findall(r'href="(/reports/(?:rows|misses)[^"]+)"', page)}
    assert len(links) > 30
    for link in sorted(links):
        answer = manager.get(link)
        assert answer.status_code == 200, link
        assert 'class="open"' in answer.text or "<time" in answer.text, link


def test_rows_go_on_where_a_page_ended(lived: World) -> None:
    within = Within(begins(FIRST), begins(LAST + timedelta(days=1)))
    with lived.store.read() as connection:
        work = lived.work(connection, NOW)
        whole = listed.reservations(work, "dialled", within, 10**6).ids
        seen, place = list[int](), None
        while True:
            page = listed.reservations(work, "dialled", within, 40, place)
            seen += page.ids
            if (place := page.after) is None:
                break
        assert tuple(seen) == whole
        calls = listed.calls(work, "lost", within, 10**6).rows
        first = listed.calls(work, "lost", within, 30)
        assert calls[:30] + listed.calls(work, "lost", within, 10**6, first.after).rows == calls


CELL: Final = re.compile(r"<td[^>]*>(.*?)</td>", re.DOTALL)
TAG: Final = re.compile(r"<[^>]+>")


def test_the_page_shows_the_same_cells(lived: World, manager: Browser) -> None:
    month = MONTHS[1]
    page = manager.get(f"/reports?period=month&day={month}&by=day&split=queue").text
    rows = re.findall(r'<tr><th scope="row"[^>]*><time datetime="[^"]+">.*?</tr>', page, re.DOTALL)
    every = [day for day in days() if day.month == month.month]
    assert len(rows) == len(every)
    for day, row in zip(every, rows, strict=True):
        counted = summed(by_sql(lived, day, day + timedelta(days=1))).get("", Counter())
        cells = [" ".join(TAG.sub("", cell).split()) for cell in CELL.findall(row)]
        assert cells[:3] == [str(counted[name]) for name in ("calls", "lost", "valid")]
        shown = [
            f"{counted[f'{what}_{within}'] * 100 // due} % {counted[f'{what}_{within}']}/{due}"
            if (due := counted[f"due_{within}"])
            else "\N{EN DASH}"
            for within in WITHIN_MIN
            for what in ("dialled", "reached", "closed")
        ]
        assert cells[3:9] == shown
