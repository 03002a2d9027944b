"""A realtime table tells what the file tells, whatever its columns are."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Engine,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    create_engine,
)
from sqlalchemy.types import CHAR, TypeEngine

from telephony.ids import SECOND
from telephony.queue_log.between import calls_between, open_log
from telephony.queue_log.entries import Entry, Faults
from telephony.queue_log.files import LogFiles, LogUnreadable
from telephony.queue_log.table import LogTable
from tests.telephony.queue_log.logs import EVER, RECORDED, told

TOKYO = ZoneInfo("Asia/Tokyo")
Written = Callable[[int], object]


def text_in(zone: tzinfo) -> Written:
    return lambda at: f"{datetime.fromtimestamp(at / SECOND, zone):%Y-%m-%d %H:%M:%S.%f}"


def moment_in(zone: tzinfo) -> Written:
    return lambda at: datetime.fromtimestamp(at / SECOND, zone).replace(tzinfo=None)


# Type of the column time, how Asterisk's driver writes it, zone of the PBX.
TIMES: dict[str, tuple[TypeEngine[Any], Written, tzinfo]] = {
    "text, UTC": (String(26), text_in(UTC), UTC),
    "text, local": (CHAR(32), text_in(TOKYO), TOKYO),
    "epoch as text": (String(20), lambda at: str(at // SECOND), UTC),
    "date and time": (DateTime(), moment_in(TOKYO), TOKYO),
    "date and time with zone": (DateTime(timezone=True), lambda at: datetime.fromtimestamp(at / SECOND, UTC), TOKYO),
    "seconds": (BigInteger(), lambda at: at // SECOND, UTC),
    "seconds with a fraction": (Numeric(16, 6), lambda at: at / SECOND, UTC),
}


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = create_engine(database_url)
    yield made
    made.dispose()


def make(engine: Engine, rows: list[Entry], kind: str = "text, UTC", *, parts: int = 5, key: bool = True) -> LogTable:
    """Make the table; `parts` data columns, or the one column data."""
    column, written, zone = TIMES[kind]
    names = [f"data{number}" for number in range(1, parts + 1)] or ["data"]
    keys = [Column("id", Integer, primary_key=True)] if key else []
    words = [Column(name, String(80)) for name in ("callid", "queuename", "agent", "event")]
    texts = [Column(name, Text, nullable=True) for name in names]
    table = Table("queue_log", MetaData(), *keys, Column("time", column), *words, *texts)
    table.create(engine)
    with engine.begin() as connection:
        connection.execute(table.insert(), [_row(entry, written, parts) for entry in rows])
    return LogTable(engine.url.render_as_string(hide_password=False), zone=zone)


def _row(entry: Entry, written: Written, parts: int) -> dict[str, object]:
    whole = {f"data{number}": part for number, part in enumerate((*entry.data, *[""] * 5)[:parts], 1)}
    return {
        "time": written(entry.at),
        "callid": entry.call_id,
        "queuename": entry.queue or "NONE",
        "agent": entry.agent or "NONE",
        "event": entry.event,
        **(whole or {"data": "|".join(entry.data)}),
    }


@pytest.fixture(scope="module")
def recorded() -> list[Entry]:
    return list(LogFiles(RECORDED / "22" / "queue_log").between(0, EVER, Faults()))


@pytest.mark.parametrize("kind", TIMES)
def test_a_table_tells_what_the_file_tells(engine: Engine, recorded: list[Entry], kind: str) -> None:
    if engine.dialect.name == "sqlite" and kind == "date and time with zone":
        kind = "date and time"  # it has none with a zone
    log = make(engine, recorded, kind)
    assert told(log.between(0, 4_000_000_000 * SECOND, Faults())) == told(recorded)
    assert log.begins_at() == recorded[0].at
    since, until = recorded[20].at, recorded[60].at
    part = list(log.between(since, until, Faults()))
    assert part == [entry for entry in recorded if since <= entry.at <= until]


@pytest.mark.parametrize("parts", [0, 5])
@pytest.mark.parametrize("key", [True, False])
def test_tables_with_one_column_for_the_data_or_without_a_key(
    engine: Engine, recorded: list[Entry], parts: int, key: bool
) -> None:
    log = make(engine, recorded, parts=parts, key=key)
    found = told(log.between(0, 4_000_000_000 * SECOND, Faults()))
    assert sorted(found, key=str) == sorted(told(recorded), key=str)


def test_rows_that_are_none_are_counted(engine: Engine, recorded: list[Entry]) -> None:
    log = make(engine, [recorded[1]._replace(event=""), recorded[2]])
    faults = Faults()
    assert len(list(log.between(0, 4_000_000_000 * SECOND, faults))) == 1
    assert [fault.place for fault in faults] == ["queue_log: row 1 of those read"]


def test_a_number_with_a_line_feed_forges_nothing_there(engine: Engine, recorded: list[Entry]) -> None:
    hostile = recorded[1]._replace(data=("", "0901\n1795324588|1.2|q|NONE|ENTERQUEUE||0999", "1"))
    log = make(engine, [hostile, *recorded[2:4]])
    [(call, verdict)] = calls_between(log, 0, 4_000_000_000 * SECOND, pbx="main").calls
    assert (call.number, verdict.kind) == (None, "served")


def test_calls_come_from_a_url(engine: Engine, recorded: list[Entry]) -> None:
    make(engine, recorded)
    log = open_log(engine.url.render_as_string(hide_password=False))
    assert len(calls_between(log, recorded[0].at, recorded[-1].at, pbx="main").calls) == len(told(recorded))


def test_a_table_that_is_not_there_says_so(database_url: str) -> None:
    found = calls_between(LogTable(database_url), 0, SECOND, pbx="main")
    assert found.calls == ()
    assert found.why_not.startswith("there is no table queue_log in ")
    assert "extconfig.conf" in found.why_not


def test_a_table_that_lacks_a_column_says_so(engine: Engine) -> None:
    Table("queue_log", MetaData(), Column("time", String(26)), Column("event", String(32))).create(engine)
    log = LogTable(engine.url.render_as_string(hide_password=False))
    assert "lacks the column agent, callid, queuename" in calls_between(log, 0, SECOND, pbx="main").why_not


def test_a_database_that_is_away_says_so(tmp_path: Path) -> None:
    log = open_log(f"sqlite:///{tmp_path / 'nowhere' / 'x.db'}")
    assert "cannot be read" in calls_between(log, 0, SECOND, pbx="main").why_not


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(LogUnreadable, match="address of the database"):
        open_log("nonsense://x")
