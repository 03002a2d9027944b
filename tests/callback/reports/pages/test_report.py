"""The report's page: what was lost stands first, shades and axes can be read, and nothing of a log is obeyed."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

import pytest

from callback.history.counts import History, site_demand
from callback.history.importing import Source, read
from callback.reports.pages.html import Table
from callback.reports.pages.report import About, page
from callback.reports.rates import Rates
from callback.reports.week import Week, first_day
from scheduler.hours import Hours
from scheduler.staffing.learning import peaks
from tests.callback.logged import LOST_A_DAY, TOKYO, weeks

ABOUT = About("Ann's Desk", datetime(2026, 11, 29, 21, 30, tzinfo=TOKYO), 28)
RATES = Rates("", 120, 110, 100, 88, 95, 77, 90, 80, 92, 4, 20, 1, 3)
ACCURACY: Table = (["horizon", "forecast"], [["1 d", "12%"]])
HEAT = re.compile(r'<td class="hot[^"]*" style="--a:([\d.]+)" title="(\w{3}) (\d\d:\d\d): ([\d.]+) lost, ')


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    """Three weeks of two queues; the second has a name that would be a tag, and its callers are the first's."""
    path = tmp_path_factory.mktemp("log") / "queue_log"
    lines = weeks(3) + weeks(3, queue="<i>sales</i>-de", serial=1_000_000)
    path.write_text("".join(f"{line}\n" for line in sorted(lines, key=lambda line: line.split("|")[0])))
    made = History(TOKYO)
    imported = read([Source("main", (str(path),), TOKYO)], made, 10)
    for stint in imported.stints["main"]:
        made.logged_in(stint)
    return made


@pytest.fixture(scope="module")
def made(history: History) -> Week:
    return Week(history, Hours(TOKYO), first_day(history))


def drawn(history: History, made: Week, kept: list[Rates] | None = None) -> str:
    cells = peaks.heat_map(site_demand(made.queues.values()))
    return page(ABOUT, history, cells, made, kept or [], ACCURACY)


def headings(text: str) -> list[str]:
    return re.findall(r"<h2>([^<]*)</h2>", text)


def test_whose_it_is_when_it_was_made_and_what_was_lost_stand_first(history: History, made: Week) -> None:
    text = drawn(history, made)
    assert "<title>Ann&#x27;s Desk: lost callers until 2026-09-25, made 2026-11-29 21:30</title>" in text
    assert "Made Sun 29 Nov 2026, 21:30." in text
    assert headings(text)[0] == "What was lost"
    lost = 2 * 15 * LOST_A_DAY
    assert f"<b>{lost:,}</b>lost, " in text
    assert f'<dt>gave up waiting</dt><dd><i><i style="width:100.0%"></i></i></dd><dd>{lost:,} (100.0%)</dd>' in text
    assert "called again in 30 min" in text


def test_the_three_rates_stand_apart_each_within_30_and_60_minutes(history: History, made: Week) -> None:
    text = drawn(history, made, [RATES, replace(RATES, queue="support")])
    assert headings(text)[1] == "How promises were kept"
    for share in ("80%", "70%", "73%", "95%", "90%", "92%"):
        assert f"<dd>{share}</dd>" in text
    assert "<b>120</b>valid reservations" in text
    assert "a log does not tell" not in text
    assert "a log does not tell" in drawn(history, made)


def test_where_nothing_is_due_yet_no_rate_is_drawn(history: History, made: Week) -> None:
    text = drawn(history, made, [replace(RATES, due_30=0, due_60=0)])
    assert text.count("Nothing is due yet.") == 2


def test_each_half_hour_of_the_heat_map_is_named_and_its_shades_are_explained(history: History, made: Week) -> None:
    text = drawn(history, made)
    of_map = text.split("<h2>When callers are lost</h2>")[1].split("<h2>")[0]
    times = re.findall(r'<th class="row[^"]*">(\d\d:\d\d)</th>', of_map)
    assert times == ["09:00", "09:30", "10:00", "10:30", "11:00", "11:30"]
    cells = HEAT.findall(of_map)
    assert len(cells) == 5 * len(times)
    by_losses = sorted((float(lost), float(depth)) for depth, _, _, lost in cells)
    assert [depth for _, depth in by_losses] == sorted(depth for _, depth in by_losses), "the more, the deeper"
    most = max(float(lost) for *_, lost in cells)
    assert f"</i>{most:.1f}</span>" in of_map
    assert "</i>0.0</span>" in of_map
    assert "reliably worse than its day" in of_map


def test_the_week_is_a_grid_for_each_queue(history: History, made: Week) -> None:
    of_week = drawn(history, made).split("<h2>The week to come</h2>")[1].split("<h2>")[0]
    assert re.findall(r"<h3>([^<]*)</h3>", of_week) == ["&lt;i&gt;sales&lt;/i&gt;-de", "support"]
    assert "agents more are needed" in of_week
    for each in made.outlooks:
        for hint in each.hints:
            title = (
                f"{each.day:%a %d %b} {hint.first // 2:02}:{hint.first % 2 * 30:02}: {each.needed[hint.first]} needed"
            )
            assert title in of_week
            assert f">{hint.more:+d}</td>" in of_week


def test_pictures_of_a_queue_have_one_scale_whole_agents_and_stairs(history: History, made: Week) -> None:
    of_needs = drawn(history, made).split("<h2>Agents needed and planned</h2>")[1].split("<h2>")[0]
    for queue in of_needs.split("<h3>")[1:]:
        pictures = re.findall(r"<svg.*?</svg>", queue, re.DOTALL)
        assert len(pictures) == 5
        scales = [re.findall(r'text-anchor="end"[^>]*>([^<]*)<', picture) for picture in pictures]
        assert all(scale == scales[0] for scale in scales)
        assert all(mark.isdecimal() for mark in scales[0])


def test_names_in_a_log_are_no_tags_and_no_number_is_cut(history: History, made: Week) -> None:
    text = drawn(history, made)
    assert "<i>sales" not in text
    assert "<td>&lt;i&gt;sales&lt;/i&gt;-de</td>" in text
    assert f"<td>{history.site().calls:,}</td>" in text


def test_a_site_without_a_loss_or_without_an_end_of_a_call_has_a_page_too() -> None:
    empty = History(TOKYO)
    text = page(replace(ABOUT, site=""), empty, [], Week(empty, Hours(TOKYO), ABOUT.made.date()), [], ((), ()))
    assert "<h1>Lost callers</h1>" in text
    assert "No call is known." in text
    assert "Too little is known to say anything." in text


def test_only_the_queues_that_lack_most_have_a_week_on_the_page(
    history: History, made: Week, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callback.reports.pages.report._MOST_QUEUES", 1)
    text = drawn(history, made)
    assert "1 queue in which fewer agents are missing is left out" in text


def test_a_fortnight_is_cut_into_calendar_weeks_also_where_a_queue_rests_at_weekends(history: History) -> None:
    text = drawn(history, Week(history, Hours(TOKYO), first_day(history), days=14))
    of_week = text.split("<h2>The week to come</h2>")[1].split("<h2>")[0]
    heads = [re.findall(r"<th>(\w{3})<br>", grid) for grid in of_week.split("<h3>")[1:]]
    assert len(heads) == 4
    assert all(len(head) == len(set(head)) == 5 for head in heads)
