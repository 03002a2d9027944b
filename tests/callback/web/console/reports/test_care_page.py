"""The page of what is learnt from cases, its file, and the same for programs: figures of one's own groups."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import update

from callback.reports.care import report
from callback.reports.care.report import Wish
from callback.store import tables as t
from scheduler.clock import DAY, local
from tests.callback.reports.care.histories import history
from tests.callback.web.api.programs import Office
from tests.callback.web.console.clients import Desk
from tests.callback.world import NOON


@pytest.fixture
def desk(sqlite_desk: Desk) -> Desk:
    """Weeks of cases, and one who is rated."""
    history(sqlite_desk.world, 3, people=4, cases=60, lost=12)
    with sqlite_desk.world.store.write() as connection:
        hot = t.care_case.c.opened_at > NOON - 7 * DAY
        connection.execute(update(t.care_case).where(hot, ~t.care_case.c.open).values(topic="<b>heat</b>"))
        connection.execute(update(t.care_case).values(agent="=Ann"))
    return sqlite_desk


def test_the_page_shows_the_report_and_names_agents_only_to_whom_it_may(desk: Desk) -> None:
    anna = desk.member("anna", "supervisor")
    page = anna.get("/care").text
    with desk.world.store.read() as connection:
        work = desk.world.work(connection, desk.now)
        today = local(desk.now, work.site.hours.zone).date()
        made = report.make(work, Wish(today.fromordinal(today.toordinal() - 27), today))
    assert made.hot
    assert f"<b>{made.whole.opened}</b>" in page
    assert "&lt;b&gt;heat&lt;/b&gt;" in page
    assert "<b>heat</b>" not in page
    assert f'href="/cases/{made.hot[0].cases[0]}"' in page
    assert "=Ann" in anna.get("/care?split=agent").text
    auditor = desk.member("chen", "auditor")
    assert 'href="/cases/' not in auditor.get("/care").text
    assert auditor.get("/care?split=agent").status_code == 422
    assert desk.member("sam", "agent").get("/care").status_code == 403
    assert anna.get("/care?split=nonsense").status_code == 422


def test_another_groups_cases_are_in_no_figure(desk: Desk) -> None:
    page = desk.member("bo", "supervisor", groups=frozenset({"others"})).get("/care").text
    assert "heat" not in page
    assert "No case was opened in this time." in page


def test_the_file_has_a_line_for_each_and_no_formula(desk: Desk) -> None:
    answer = desk.member("anna", "supervisor").get("/care.csv?split=agent")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["content-type"].startswith("text/csv")
    assert [row["of"] for row in rows[:2]] == ["whole", "before"]
    assert sum(int(row["opened"]) for row in rows if row["of"] == "time") == int(rows[0]["opened"])
    assert [row["name"] for row in rows if row["of"] == "agent"] == ["'=Ann"]


@pytest.mark.parametrize(("language", "word"), [("zh-CN", "修复后满意"), ("zh-TW", "修復後滿意")])
def test_the_page_speaks_chinese(desk: Desk, language: str, word: str) -> None:
    page = desk.member("anna", "supervisor").get("/care", headers={"accept-language": language}).text
    assert word in page
    assert "satisfied after the repair" not in page


def test_programs_read_the_same(desk: Desk) -> None:
    office = Office(desk.world)
    given = office.program().read("/care", split="kind").json()
    assert {line["name"] for line in given["lines"]} == {"complaint", "dissatisfied"}
    assert sum(line["opened"] for line in given["lines"]) == given["whole"]["opened"] > 0
    assert [one["pattern"] for one in given["loop"]["met"]] == ["lost", "three-in-a-week", "silent-twice"]
    assert office.program().read("/care", split="agent").status_code == 422
