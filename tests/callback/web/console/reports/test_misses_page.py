"""The page of missed promises: rows with their cause, masked, of one's own groups alone; and a file of the same."""

from __future__ import annotations

import csv
import io
from urllib.parse import unquote

import pytest

from callback.reports.misses import CAUSES
from callback.reservations import waits
from tests.callback.web.console.clients import Desk
from tests.callback.world import MINUTE, NOON, World, call

NUMBER = "09012345678"


def missed(world: World, many: int = 1, queue: str = "support") -> None:
    """So many were lost in a queue, and nobody called."""
    for n in range(many):
        world.hear(call(f"0901234{n:04}" if many > 1 else NUMBER, NOON + n, queue=queue))


def test_a_miss_is_shown_with_its_cause_and_its_number_masked(sqlite_desk: Desk) -> None:
    missed(sqlite_desk.world)
    with sqlite_desk.world.store.write() as connection:
        waits.add(sqlite_desk.world.work(connection, NOON + MINUTE), {1: "no-free-agent"}, 840)
        waits.keep_crews(sqlite_desk.world.work(connection, NOON + MINUTE), {"support": frozenset({"=Ann"})})
    sqlite_desk.now = NOON + 90 * MINUTE
    page = sqlite_desk.member("anna", "supervisor").get("/reports/misses").text
    assert "no agent free 14:00" in page
    assert "30:00" in page
    assert "=Ann" in page
    assert "+81 90 •••• 5678" in page
    assert NUMBER not in page
    assert "12345678" not in page
    assert "=Ann" not in sqlite_desk.member("chen", "auditor").get("/reports/misses").text


def test_the_file_has_the_same_rows_and_no_formula(sqlite_desk: Desk) -> None:
    missed(sqlite_desk.world)
    with sqlite_desk.world.store.write() as connection:
        waits.keep_crews(sqlite_desk.world.work(connection, NOON + MINUTE), {"support": frozenset({"=Ann"})})
    sqlite_desk.now = NOON + 90 * MINUTE
    answer = sqlite_desk.member("anna", "supervisor").get("/reports/misses.csv")
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert answer.headers["content-type"].startswith("text/csv")
    assert (row["customer"], row["late_s"], row["cause"]) == ("'+81 90 •••• 5678", str(30 * 60), "nobody looked")
    assert row["at_work"] == "'=Ann"


def test_only_groups_of_ones_own_are_listed(sqlite_desk: Desk) -> None:
    missed(sqlite_desk.world)
    sqlite_desk.now = NOON + 90 * MINUTE
    assert (
        "/r/1" not in sqlite_desk.member("bo", "supervisor", groups=frozenset({"others"})).get("/reports/misses").text
    )
    assert "/r/1" in sqlite_desk.member("anna", "supervisor", groups=frozenset({"site"})).get("/reports/misses").text


def test_more_than_a_page_goes_on_where_it_ended(sqlite_desk: Desk) -> None:
    missed(sqlite_desk.world, 103)
    sqlite_desk.now = NOON + 90 * MINUTE
    browser = sqlite_desk.member("anna", "supervisor")
    first = browser.get("/reports/misses").text
    assert first.count('<a class="open"') == 100
    link = first.partition(">show more<")[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert browser.get(unquote(link)).text.count('<a class="open"') == 3
    assert browser.get("/reports/misses?after=rubbish").status_code == 422


def test_nothing_missed_says_since_when(sqlite_desk: Desk) -> None:
    page = sqlite_desk.member("anna", "supervisor").get("/reports/misses").text
    assert "Nothing missed since 2026-11-17." in page
    missed(sqlite_desk.world)
    sqlite_desk.now = NOON + 90 * MINUTE
    page = sqlite_desk.member("anna", "supervisor").get("/reports/misses?cause=quiet-hours").text
    assert "None of the 1 missed promise matches." in page


@pytest.mark.parametrize(
    "query", ["since=yesterday", "since=2026-11-30&until=2026-11-01", "since=2020-01-01", "cause=x"]
)
def test_what_cannot_be_read_is_refused_in_words(sqlite_desk: Desk, query: str) -> None:
    assert sqlite_desk.member("anna", "supervisor").get(f"/reports/misses?{query}").status_code == 422


def test_every_cause_can_be_asked_for(sqlite_desk: Desk) -> None:
    browser = sqlite_desk.member("anna", "supervisor")
    assert {browser.get(f"/reports/misses?cause={cause}").status_code for cause in CAUSES} == {200}
