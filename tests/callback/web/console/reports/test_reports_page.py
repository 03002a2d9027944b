"""The page of reports: periods, what it is compared with, files without formulas, and groups of one's own alone."""

from __future__ import annotations

import csv
import html
import io
import json
import re

import pytest

from callback.attempts import settle
from callback.reports.period import listed
from callback.reports.period.report import COUNTS, RATES
from callback.web.console.reports.definitions import DEFINITIONS
from tests.callback.reports.rollups.rolling import roll_up
from tests.callback.web.console.clients import Desk
from tests.callback.world import MINUTE, NOON, World, call

DAY = 24 * 60 * MINUTE


def lost(world: World, many: int, at: int = NOON, queue: str = "support") -> None:
    """So many were lost in a queue then, one a minute."""
    for n in range(many):
        world.hear(call(f"0901234{n:04}", at + n * MINUTE, queue=queue))


def test_nothing_yet_says_so_and_up_to_when(sqlite_desk: Desk) -> None:
    page = sqlite_desk.member("anna", "supervisor").get("/reports").text
    assert "No whole day yet: today so far." in page
    assert "Nobody called, and nothing was promised in this time." in page


def test_two_periods_stand_side_by_side_with_what_chance_makes(sqlite_desk: Desk) -> None:
    lost(sqlite_desk.world, 4, NOON - 7 * DAY)
    lost(sqlite_desk.world, 16, NOON)
    sqlite_desk.now = NOON + 120 * MINUTE
    roll_up(sqlite_desk.world, sqlite_desk.now)
    browser = sqlite_desk.member("anna", "supervisor")
    page = browser.get("/reports?period=week&compare=1").text
    assert "against before" in page
    assert "Chance alone makes a difference of up to" in page
    report = json.loads(browser.get("/reports.json?period=week&compare=1").text)
    assert (report["before"]["lost"], report["whole"]["lost"]) == (4, 16)
    assert "against before</th>" not in browser.get("/reports?period=week").text


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("day", "2026-11-23", "2026-11-23"),
        ("week", "2026-11-23", "2026-11-29"),
        ("month", "2026-11-01", "2026-11-30"),
        ("span", "2026-11-23", "2026-11-23"),
    ],
)
def test_periods_are_whole_days_of_the_site(sqlite_desk: Desk, period: str, first: str, last: str) -> None:
    page = sqlite_desk.member("anna", "supervisor").get(f"/reports?period={period}").text
    assert f'<span class="note">{first}' in page
    assert first == last or f"{first} \N{EN DASH} {last}" in page


@pytest.mark.parametrize(
    "query",
    ["period=year", "day=tomorrow", "day=2026-12-24", "split=customer", "by=hour", "period=span&day=2025-01-01"],
)
def test_what_cannot_be_read_is_refused_in_words(sqlite_desk: Desk, query: str) -> None:
    browser = sqlite_desk.member("anna", "supervisor")
    for path in ("/reports", "/reports.csv", "/reports.json"):
        assert browser.get(f"{path}?{query}").status_code == 422


def test_only_groups_of_ones_own_count(sqlite_desk: Desk) -> None:
    lost(sqlite_desk.world, 2)
    sqlite_desk.now = NOON + 120 * MINUTE
    for groups, many in ((frozenset({"site"}), 2), (frozenset({"others"}), 0)):
        browser = sqlite_desk.member(f"anna{many}", "supervisor", groups=groups)
        report = json.loads(browser.get("/reports.json").text)
        assert (report["whole"]["lost"], report["whole"]["valid"], report["whole"]["missed"]) == (many, many, many)
        for name in ("lost", "valid"):
            rows = browser.get(f"/reports/rows/{name}").text
            assert rows.count('class="open"') == many


def test_a_file_holds_no_formula(sqlite_desk: Desk) -> None:
    lost(sqlite_desk.world, 1, queue="=1+1")
    sqlite_desk.now = NOON + 120 * MINUTE
    answer = sqlite_desk.member("anna", "supervisor").get("/reports.csv?split=queue")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["part"] for row in rows if row["of"] == "part"] == ["'=1+1"]
    assert {row["lost"] for row in rows} == {"1"}


def test_agents_are_named_to_those_alone_who_may_know(sqlite_desk: Desk) -> None:
    world = sqlite_desk.world
    lost(world, 1)
    order = world.claim(NOON + MINUTE)
    assert order is not None
    with world.store.write() as connection:
        settle.progress(world.work(connection, NOON + MINUTE), order.attempt, "agent_connected_at", NOON, "Ann <b>")
    world.end(order.attempt, "no-answer", NOON + 2 * MINUTE)
    sqlite_desk.now = NOON + 120 * MINUTE
    supervisor = sqlite_desk.member("anna", "supervisor")
    auditor = sqlite_desk.member("chen", "auditor")
    assert "Ann &lt;b&gt;" in supervisor.get("/reports?split=agent").text
    assert "Ann" not in auditor.get("/reports?split=agent").text.replace("Anna", "")
    assert json.loads(supervisor.get("/reports.json").text)["agents"][0]["tried"] == 1
    assert json.loads(auditor.get("/reports.json").text)["agents"] == []


def test_every_figure_has_its_rows_and_its_definition(sqlite_desk: Desk) -> None:
    lost(sqlite_desk.world, 1)
    browser = sqlite_desk.member("anna", "supervisor")
    page = browser.get("/reports").text
    assert [name for name, one in DEFINITIONS.items() if f"<dt>{one.word}</dt>" not in page] == []
    assert {*COUNTS, *RATES} <= set(listed.NAMES)
    assert {browser.get(f"/reports/rows/{name}").status_code for name in listed.NAMES} == {200}
    assert browser.get("/reports/rows/nothing").status_code == 404
    assert browser.get("/reports/rows/lost?after=rubbish").status_code == 422


def test_rows_are_those_that_the_figures_have_added_up(sqlite_desk: Desk) -> None:
    lost(sqlite_desk.world, 4, NOON)
    sqlite_desk.now = NOON + 60 * MINUTE
    roll_up(sqlite_desk.world, sqlite_desk.now)
    lost(sqlite_desk.world, 3, NOON + 61 * MINUTE, queue="sales")
    browser = sqlite_desk.member("anna", "supervisor")
    page = browser.get("/reports?period=day").text
    assert "Figures go from 2026-11-23 00:00 to 2026-11-23 13:" in page
    (address,) = {one for one in re.findall(r'href="(/reports/rows/lost[^"]*)"', page) if "queue" not in one}
    counted = json.loads(browser.get("/reports.json?period=day").text)["whole"]["lost"]
    assert browser.get(html.unescape(address)).text.count("<tr><td") == counted
    assert browser.get("/reports/rows/lost").text.count("<tr><td") == 7
    assert "stands each callback once" in browser.get("/reports/rows/texts_sent").text
