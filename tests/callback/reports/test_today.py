"""`callback today`: a day beside its forecast, promises that will break, who can help, and what came of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from callback.attempts import snapshot
from callback.cli import main as cli
from callback.history.past_calls import PastCallWriter
from callback.settings.sections import load
from callback.site.context import take_over
from callback.store import tables as t
from scheduler.clock import DAY, HOUR, MINUTE, SECOND
from telephony.queue_log.briefs import Brief
from tests.callback.world import NOON, World, call, picture

NINE = NOON - 3 * HOUR
TALK = 4 * MINUTE
EVERY_S = (120, 100, 150, 90, 120)  # a call, by weeks ago: its Mondays differ by more than chance
SETTINGS = """
[database]
url = "{url}"
[pbx]
username = "u"
secret = "s"
journal = "{folder}"
[trunks.main]
region = "JP"
form = "national"
[rules]
zone = "Asia/Tokyo"
[rules.queues.sales]
calls = "on"
caller_id = "0312345678"
[rules.queues.support]
calls = "on"
caller_id = "0312345678"
"""
Say = Callable[..., Result]
ENOUGH = {"sales": {"s1"}, "support": {f"t{number}" for number in range(15)}}


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    """Four Mondays of two queues from nine to two, and this one until half past twelve: far more for sales."""
    made = World(migrated_url)
    writer = PastCallWriter(made.store)
    for week in (4, 3, 2, 1, 0):
        hours = 5 if week else 3.5
        for queue in ("sales", "support"):
            step = 45 * SECOND if week == 0 and queue == "sales" else EVERY_S[week] * SECOND
            for number in range(round(hours * HOUR / step)):
                writer.add(past(queue, NINE - week * 7 * DAY + number * step, lost=number % 10 == 0))
    writer.finish({})
    yield made
    made.close()


@pytest.fixture
def say(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock_shows: Callable[[int], None]) -> Say:
    file = tmp_path / "callback.toml"
    file.write_text(SETTINGS.format(url=world.store.url, folder=tmp_path))
    monkeypatch.setenv("CALLBACK_SETTINGS", str(file))

    def today(*words: str, at: int = NOON) -> Result:
        clock_shows(at)
        return CliRunner(env={"COLUMNS": "200"}).invoke(cli.app, ["today", *words])

    return today


def past(queue: str, at: int, *, lost: bool) -> Brief:
    call_id = f"{at // SECOND}.{len(queue)}"
    if lost:
        return Brief("main", call_id, call_id, queue, "abandoned", None, at, at + MINUTE, MINUTE, 0, None, None)
    return Brief("main", call_id, call_id, queue, "served", None, at, at + TALK, 0, TALK, "Ann", at)


def show(world: World, there: dict[str, set[str]], at: int = NOON, closed: str | None = None) -> None:
    """Let the service show who is at work."""
    at_work = {queue: frozenset(phones) for queue, phones in there.items()}
    taken = picture(free={queue: set() for queue in there}, closed=closed)
    with world.store.write() as connection:
        snapshot.store(connection, "main", replace(taken, at_work=at_work), at)


def told(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return found


def test_a_queue_that_leaves_its_forecast_is_told_from_one_that_does_not(say: Say) -> None:
    found = told(say("--json"))
    courses = {one["queue"]: one for one in found["courses"]}
    assert found["until"] == "11:30", "calls of the half hour that has just ended may still be going on"
    assert courses["sales"]["calls"]["came"] == 200
    assert courses["sales"]["calls"]["expected"] == (90 + 60 + 100 + 75) / 4
    assert (courses["sales"]["calls"]["leaves"], courses["support"]["calls"]["leaves"]) == ("more", None)
    assert (courses[""]["days"], courses[""]["basis"], courses[""]["calls"]["came"]) == (4, "same weekdays", 275)
    assert [row["time"] for row in courses["sales"]["half_hours"]] == ["09:00", "09:30", "10:00", "10:30", "11:00"]
    assert courses["sales"]["losses"]["came"] == 20


def test_how_the_day_has_gone_raises_the_need_of_its_next_hours(say: Say) -> None:
    need = told(say("--json"))["needed"]
    assert list(need["sales"]) == ["12:00", "12:30", "13:00", "13:30"]
    assert need["sales"]["12:00"] > need["support"]["12:00"] > 0


def test_moves_are_named_before_additions_and_who_gives_is_not_left_short(say: Say, world: World) -> None:
    show(world, ENOUGH)
    found = told(say("--json"))
    moves = [one for one in found["advice"] if one["from_queue"]]
    assert {(one["queue"], one["from_queue"]) for one in moves} == {("sales", "support")}
    assert moves[0]["agents"] == found["needed"]["sales"]["12:00"] - 1
    assert len(moves) == len(found["advice"]), "they are enough"
    assert found["at_work"] == {"sales": 1, "support": 15}
    show(world, {"sales": {"s1"}, "support": {"t1"}})  # fewer than either needs
    assert {one["from_queue"] for one in told(say("--json"))["advice"]} == {""}


def test_a_queue_of_which_too_little_is_known_neither_gives_nor_gets(say: Say, world: World) -> None:
    show(world, ENOUGH)
    one_week = t.past_call.c.queue == "support", t.past_call.c.began_at < NINE - 7 * DAY
    with world.store.write() as connection:
        connection.execute(t.past_call.delete().where(*one_week))
    found = told(say("--json"))
    assert set(found["needed"]) == {"sales"}
    assert {(one["queue"], one["from_queue"]) for one in found["advice"]} == {("sales", "")}


def test_which_promises_break_when(say: Say, world: World) -> None:
    for number in range(30):
        world.hear(call(f"0901234{number:04}", NOON - MINUTE))
    show(world, {"support": {"t1"}})
    site = told(say("--json"))["promises"]["site"]
    assert (site["due"], site["missed"]) == (30, len(site["breaks"]))
    assert site["more"] >= 1
    assert {one["deadline_at"] for one in site["breaks"]} == {NOON + 59 * MINUTE}
    ids = {row.id for row in world.reservations()}
    assert {one["reservation"] for one in site["breaks"]} < ids
    show(world, {"support": {f"t{number}" for number in range(20)}})
    assert told(say("--json"))["promises"]["site"]["breaks"] == []


def test_advice_is_kept_once_and_later_held_against_what_came(say: Say, world: World) -> None:
    show(world, ENOUGH)
    (row, *_) = told(say("--json", "--record"))["kept"]
    told(say("--json", "--record", at=NOON + SECOND))
    kept = [row for row in world.rows(t.advice) if row.begins_at == NOON]
    assert [(one.queue, one.from_queue, one.at, one.came_of) for one in kept] == [("sales", "support", NOON, None)]
    assert kept[0].expected["losses"] > 0
    assert kept[0].expected["missed"] == 0

    until_at = kept[0].until_at
    world.hear(call("09012345678", NOON + 5 * MINUTE, queue="sales"))
    with world.store.write() as connection:  # promised for the time of the advice, and never called
        connection.execute(t.promise.update().values(deadline_at=until_at - MINUTE))
    assert all(row["came_of"] is None for row in told(say("--json", at=until_at + 9 * MINUTE))["kept"])
    settled = told(say("--json", at=until_at + 10 * MINUTE))["kept"]
    came = next(row["came_of"] for row in settled if row["begins_at"] == NOON)
    assert came == {"losses": 5.0, "missed": 1}, "four of them are imported"
    assert row["why"].endswith("there")


def test_a_promise_that_was_kept_is_none_that_was_missed(say: Say, world: World) -> None:
    show(world, ENOUGH)
    told(say("--json", "--record"))
    world.hear(call("09012345678", NOON + 5 * MINUTE))
    order = world.claim(NOON + 6 * MINUTE)
    assert order is not None
    with world.store.write() as connection:
        connection.execute(t.promise.update().values(deadline_at=NOON + 9 * MINUTE))
        connection.execute(t.attempt.update().values(customer_dialled_at=NOON + 7 * MINUTE))
    settled = told(say("--json", at=NOON + 5 * HOUR))["kept"]
    assert [row["came_of"]["missed"] for row in settled if row["begins_at"] == NOON] == [0]


@pytest.mark.parametrize("closed", [None, "pbx-not-connected"])
def test_where_nobody_knows_who_is_there_nothing_is_advised(say: Say, world: World, closed: str | None) -> None:
    show(world, ENOUGH, at=NOON if closed else NOON - MINUTE, closed=closed)
    found = told(say("--json", "--record"))
    assert (found["at_work"], found["advice"], found["promises"], found["kept"]) == (None, [], {}, [])
    assert "nobody knows who is there" in say().stdout


def test_people_read_it_in_words(say: Say, world: World) -> None:
    for number in range(30):
        world.hear(call(f"0901234{number:04}", NOON - MINUTE))
    show(world, {"sales": {"s1"}, "support": {"t1"}})
    words = say("--record").stdout
    for said in (
        "Against the forecast, until 11:30",
        "sales: 200 calls, ",
        "more than chance allows",
        "half hours are outside of their band",
        "of 30 will miss their time",
        " from 12:30\n",
        "+819012340029  support  12:59",
        "would keep 2 promises",
        " needed, 1 there)",
        "more until 1",
        "promises missed\n",
    ):
        assert said in words, words
    assert "; it came to " in say(at=NOON + 5 * HOUR).stdout


def test_without_a_day_before_there_is_no_forecast(say: Say, world: World) -> None:
    with world.store.write() as connection:
        connection.execute(t.past_call.delete().where(t.past_call.c.began_at < NINE))
    show(world, ENOUGH)
    assert told(say("--json"))["courses"] == []
    assert "nobody knows who is needed" in say().stdout
    assert "no call is known from before today" in say().stdout


def lose(world: World, many: int, at: int, first: int = 0) -> None:
    with world.store.write() as connection:
        for number in range(first, first + many):
            world.hear_in(connection, call(f"0901234{number:04}", at))


def test_on_a_weekday_on_which_nobody_ever_called_nobody_is_expected(say: Say, world: World) -> None:
    show(world, ENOUGH, at=NOON + DAY)
    found = told(say("--json", at=NOON + DAY))
    assert [one["calls"]["expected"] for one in found["courses"]] == [0, 0, 0]
    assert {need for row in found["needed"].values() for need in row.values()} == {0}
    words = say(at=NOON + DAY).stdout
    assert "all: 0 calls, none expected: on the last 4 such days nobody called\n" in words
    assert "nobody is missing" in words
    assert "chance" not in words


@pytest.mark.parametrize(
    ("rules", "why"), [('holidays = ["2026-11-23"]', "a holiday"), ('opening = {{tuesday = "09:00-17:00"}}', "hours")]
)
def test_on_a_day_on_which_the_site_is_closed_nothing_is_alarming(
    say: Say, world: World, tmp_path: Path, rules: str, why: str
) -> None:
    settings = SETTINGS.replace('zone = "Asia/Tokyo"', f'zone = "Asia/Tokyo"\n{rules}')
    file = tmp_path / "callback.toml"
    file.write_text(settings.format(url=world.store.url, folder=tmp_path))
    with world.store.write() as connection:  # the service starts on it: commands go by the rules in force
        take_over(connection, load(file), NOON)
    lose(world, 3, NOON - 10 * MINUTE)
    show(world, {"support": {"t1"}})
    found = told(say("--json"))
    assert why in found["closed"]
    assert (found["courses"], found["needed"], found["advice"], found["promises"]) == ([], {}, [], {})
    words = say().stdout
    assert "The site is closed today" in words
    assert "calls came all the same" in words
    assert "Callbacks go on from Tue 24 Nov 0" in words
    assert "Promises" not in words
    assert "chance" not in words


def test_promises_that_are_broken_are_told_with_whose_they_are(say: Say, world: World) -> None:
    lose(world, 12, NOON - 62 * MINUTE)
    lose(world, 3, NOON - MINUTE, first=20)
    show(world, {"support": {"t1"}})
    found = told(say("--json"))
    assert len(found["broken"]) == 12
    assert {(one["queue"], one["deadline_at"]) for one in found["broken"]} == {("support", NOON - 2 * MINUTE)}
    assert "+819012340000" in {one["number"] for one in found["broken"]}
    words = say().stdout
    assert "12 callers not called in time, and still to be: after those whose time has not passed\n" in words
    assert "+819012340000  support  11:58" in words
    assert "and 2 more: `callback queue --overdue`" in words
    with world.store.write() as connection:
        connection.execute(t.reservation.update().values(overdue_by_at=NOON + 58 * MINUTE))
    assert "+819012340000  support  11:58  12:58" in say().stdout


def test_whom_an_incident_holds_is_told_and_what_lets_them_go(say: Say, world: World) -> None:
    lose(world, 60, NOON - MINUTE)
    show(world, {"support": {"t1"}})
    found = told(say("--json"))
    assert len(found["held"]) == 60
    (incident,) = {one["incident"] for one in found["held"]}
    words = say().stdout
    assert f"60 held by incident {incident} (support/" in words
    assert ": 60 by 12:59\n" in words
    assert "and 50 more: `callback queue --state held`" in words
    assert f"`callback incident release {incident} " in words
    assert "60 callers in 6 min\n" in words
    assert "none of those who are not held" in words
    assert "; meanwhile 21 promises will break\n" in say(at=NOON + 55 * MINUTE).stdout
    late = say(at=NOON + HOUR).stdout
    assert ": 60 broken already" in late, "also where the service has died since"


def test_whom_a_person_holds_is_told_too(say: Say, world: World) -> None:
    lose(world, 1, NOON - MINUTE)
    with world.store.write() as connection:
        connection.execute(t.reservation.update().values(state="held"))
    show(world, {"support": {"t1"}})
    words = say().stdout
    assert "1 held by a person or the service: 1 by 12:59" in words
    assert "`callback reservation resume N " in words


@pytest.mark.parametrize("closed", [None, "pbx-not-connected", "pbx-clock-off"])
def test_where_nobody_is_called_back_every_promise_breaks_and_that_is_said(
    say: Say, world: World, closed: str | None
) -> None:
    lose(world, 3, NOON - MINUTE)
    show(world, ENOUGH, at=NOON if closed else NOON - MINUTE, closed=closed)
    assert len(told(say("--json"))["promises"]["site"]["breaks"]) == 3
    words = say().stdout
    assert "site: 3 of 3 will miss their time: 3 from 12:30" in words
    assert "nobody is called back: the " in words
    assert "more agent" not in words, "they are not what is missing"


def test_agents_for_promises_are_named_where_nobody_knows_whom_live_callers_need(say: Say, world: World) -> None:
    with world.store.write() as connection:
        connection.execute(t.past_call.delete())
    lose(world, 30, NOON - MINUTE)
    show(world, {"support": {"t1"}})
    helps = say().stdout.split("What helps now\n")[1]
    first, second = helps.splitlines()
    assert re.fullmatch(r"site: 2 more agents until \d\d:\d\d would keep \d+ promises", first)
    assert second == "nobody knows who is needed for live callers: no day before this one is known"


def test_it_fits_a_terminal_of_80_columns(say: Say, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    lose(world, 30, NOON - MINUTE)
    lose(world, 12, NOON - 62 * MINUTE, first=40)
    show(world, {"sales": {"s1"}, "support": {"t1"}})
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setattr("callback.cli.options.now_us", lambda: NOON)
    result = CliRunner(env={"COLUMNS": "80", "TERM": "xterm"}).invoke(cli.app, ["today", "--record"])
    assert "\x1b[" in result.stdout, "it is a terminal"
    plain = re.sub(r"\x1b\[[0-9;]*m", "", result.stdout)
    assert [line for line in plain.splitlines() if len(line.rstrip()) > 80] == []
    assert "+819012340029  support  12:59" in plain
