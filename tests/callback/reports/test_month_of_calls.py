"""A month of a bank's calls: every figure of every day and queue is what independent SQL, and the record, says.

The month itself is not in the repository; the same is shown on some made-up days in its form.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from typer.testing import CliRunner

from callback.cli.main import app
from callback.reports.rollups import lines
from callback.reports.rollups.figures import BINS_MIN, PLAIN
from callback.reports.rollups.lines import Line
from scheduler.clock import DAY
from tests.callback.reports.month import (
    BEGAN,
    OFFSET_US,
    TRUNKS,
    Came,
    Replay,
    counted,
    made_up,
    queue_log,
    read,
    recorded,
    shift,
)
from tests.callback.reports.rollups.rolling import roll_up
from tests.callback.world import World

SQL = Path(__file__).with_name("by_day_and_queue.sql").read_text()
RECORDS: dict[str, Callable[[], list[Came]]] = {"made-up": lambda: read(made_up()), "recorded": recorded}


@pytest.fixture(params=RECORDS)
def calls(request: pytest.FixtureRequest) -> list[Came]:
    return RECORDS[request.param]()


@pytest.fixture
def bank(tmp_path: Path) -> Any:
    """A site of which nobody waits for the disk."""
    world = World(f"sqlite:///{tmp_path / 'bank.db'}", shift(), TRUNKS, BEGAN)
    event.listen(world.store.engine, "connect", lambda dbapi, _: dbapi.execute("PRAGMA synchronous=OFF"))
    world.store.engine.dispose()
    yield world
    world.close()


def told(world: World, now: int) -> dict[tuple[int, str], Line]:
    """The lines of the reports by day and queue; all that is over is rolled up."""
    roll_up(world, now)
    with world.store.read() as connection:
        reported = lines.figures(world.work(connection, now), BEGAN, BEGAN + 28 * DAY, "day", "queue")
    assert (reported.since, reported.until) == (BEGAN, min(now + 1, BEGAN + 28 * DAY))
    return {(line.since, line.of): line for line in reported.lines}


def by_sql(world: World, now: int) -> dict[tuple[int, str], Counter[str]]:
    asked = {"pbx": "main", "now": now, "offset": OFFSET_US}
    with world.store.read() as connection:
        rows = connection.execute(text(SQL), asked).mappings().all()
    return {
        (row["since"], row["of_queue"]): Counter({k: v or 0 for k, v in row.items() if k in WITH_BINS}) for row in rows
    }


BINS = [f"{what}_in_{minutes}" for what in ("first_try", "reach") for minutes in (30, 60)]
WITH_BINS = frozenset([*PLAIN, *BINS])


def flat(line: Line) -> Counter[str]:
    """Every figure of a line, and how much of its histograms lies within 30 and 60 minutes."""
    plain = {name: getattr(line.figures, name) for name in PLAIN}
    bins = {}
    for name in BINS:
        what, _, minutes = name.rpartition("_in_")
        histogram = getattr(line.figures, what)
        bins[name] = sum(many for many, up_to in zip(histogram, BINS_MIN, strict=True) if up_to <= int(minutes))
    return Counter(plain | bins)


def only(line: Line, *names: str) -> Counter[str]:
    """Some figures of a line; what is 0 is left out."""
    return +Counter({name: getattr(line.figures, name) for name in names})


def must_agree(found: dict[tuple[int, str], Line], expected: dict[tuple[int, str], Counter[str]]) -> None:
    """Compare each figure of each line."""
    assert found.keys() == {of for of, one in expected.items() if +one}
    for of, line in found.items():
        figures = flat(line)
        assert figures.keys() == WITH_BINS
        assert figures == expected[of], (of, figures - expected[of], expected[of] - figures)


def test_an_imported_month_is_what_the_record_says(calls: list[Came], bank: World, tmp_path: Path) -> None:
    log = tmp_path / "queue_log"
    log.write_text(queue_log(calls))
    wanted = ["import-queue-log", str(log), "--zone", "Asia/Jerusalem", "--database", bank.store.url]
    result = CliRunner().invoke(app, wanted)
    assert result.exit_code == 0, result.output
    found = told(bank, BEGAN + 40 * DAY)
    assert {of: only(line, "calls", "served", "lost") for of, line in found.items()} == counted(calls)
    must_agree(found, by_sql(bank, BEGAN + 40 * DAY))


@pytest.mark.timeout(1800)  # a month of calls, one by one
def test_a_month_that_the_service_heard_is_what_sql_says(calls: list[Came], bank: World) -> None:
    over_at = Replay(bank, calls).run()
    found = told(bank, over_at)
    must_agree(found, by_sql(bank, over_at))
    assert {of: only(line, "calls", "served", "lost") for of, line in found.items()} == counted(calls)
    whole = sum((flat(line) for line in found.values()), Counter())
    for name in ("dialled_30", "reached_60", "closed_60", "texts_sent", "called_back", "not_called_back", "returned"):
        assert whole[name] > 0, name
