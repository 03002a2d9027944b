"""One and the same hour in every dialect: whatever version wrote it, and however it is kept, its calls are the same."""

import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import create_engine

from telephony.ids import SECOND
from telephony.queue_log.briefs import Brief, LogBriefs
from telephony.queue_log.entries import Entry, Faults, parse_all
from telephony.queue_log.files import LogFiles, NamedFiles
from tests.telephony.queue_log.logs import T
from tests.telephony.queue_log.test_table import make

FROM, UNTIL = T * SECOND - SECOND, (T + 10_000) * SECOND
TOKYO = ZoneInfo("Asia/Tokyo")
STORM = 300

# The hour as version 22 writes it: second, end of the id, queue, agent, event, data.
HOUR = [
    "0 NONE NONE NONE QUEUESTART |",
    "1 MANAGER support Ann ADDMEMBER |",
    # served, the caller ends
    "10 .1 support NONE ENTERQUEUE |0901|1",
    "14 .1 support Ann CONNECT 4|x.2|3",
    "44 .1 support Ann COMPLETECALLER 4|30|1",
    # gives up while a phone rings
    "50 .3 support NONE ENTERQUEUE |0902|1",
    "58 .3 support Ann RINGCANCELED 2000",
    "58 .3 support NONE ABANDON 1|1|8",
    # thrown out by time-out
    "60 .4 support NONE ENTERQUEUE |0903|1",
    "90 .4 support NONE EXITWITHTIMEOUT 1|1|30",
    # asks for a callback
    "100 .5 support NONE ENTERQUEUE |0904|1",
    "109 .5 support NONE EXITWITHKEY 1|1|1|9",
    # transferred blindly into another queue, and given up there
    "120 .6 support NONE ENTERQUEUE |0905|1",
    "122 .6 support Ann CONNECT 2|x.7|1",
    "132 .6 support Ann BLINDTRANSFER 505|queues|2|10|1",
    "132 .6 sales NONE ENTERQUEUE |0905|1",
    "150 .6 sales NONE ABANDON 1|1|18",
    # transferred to a colleague
    "160 .8 support NONE ENTERQUEUE |0906|1",
    "162 .8 support Ann CONNECT 2|x.9|1",
    "172 .8 support Ann ATTENDEDTRANSFER BRIDGE|b1|2|10|1",
    # nobody is left
    "180 .10 support NONE ENTERQUEUE |0907|1",
    "185 .10 support NONE EXITEMPTY 1|1|5",
    # a storm of phones that ring in vain, and Ann at last
    "200 .11 support NONE ENTERQUEUE |0908|1",
    *(f"{201 + number} .11 support Bob RINGNOANSWER 1000" for number in range(STORM)),
    "502 .11 support Ann CONNECT 302|x.12|1",
    "510 .11 support Ann COMPLETEAGENT 302|8|1",
    # number withheld
    "520 .13 support NONE ENTERQUEUE |anonymous|1",
    "530 .13 support NONE ABANDON 1|1|10",
    # refused before the queue, where the dialplan says so
    "540 .14 support NONE FULL |",
    # our own callback
    "550 lcr-7-1 support NONE ENTERQUEUE ||1",
    "560 lcr-7-1 support Ann CONNECT 10|x.15|1",
    "590 lcr-7-1 support Ann COMPLETECALLER 10|30|1",
    "600 MANAGER support Ann REMOVEMEMBER |",
]
CALLS = [
    (".1", "0901", "support", "served", None, 4, 30, "Ann"),
    (".3", "0902", "support", "abandoned", "gave-up-while-ringing", 8, 0, None),
    (".4", "0903", "support", "blocked", "queue-time-out", 30, 0, None),
    (".5", "0904", "support", "requested", "digit-in-queue", 9, 0, None),
    (".6", "0905", "sales", "abandoned", "gave-up-waiting", 20, 10, "Ann"),
    (".8", "0906", "support", "served", None, 2, 10, "Ann"),
    (".10", "0907", "support", "blocked", "queue-left-empty", 5, 0, None),
    (".11", "0908", "support", "served", None, 302, 8, "Ann"),
    (".13", None, "support", "abandoned", "gave-up-waiting", 10, 0, None),
    (".14", None, "support", "blocked", "queue-full", 0, 0, None),
    ("lcr-7-1", None, "support", "callback", None, 10, 30, "Ann"),
]

Rewrite = Callable[[list[str]], list[str]]


def _without_ringcanceled(fields: list[str]) -> list[str]:
    return [] if fields[4] == "RINGCANCELED" else fields


def _transfer_of_11(fields: list[str]) -> list[str]:
    """Both transfers were one event, with where to."""
    kind, data = fields[4], fields[5:]
    if kind == "ATTENDEDTRANSFER":
        return [*fields[:4], "TRANSFER", "612", "from-internal", *data[2:]]
    return [*fields[:4], "TRANSFER", *data] if kind == "BLINDTRANSFER" else fields


def _short(fields: list[str]) -> list[str]:
    """Leave out what was not written yet: the ring time, a key's last places, the position of who was served."""
    keep = {"CONNECT": 7, "EXITWITHKEY": 7, "COMPLETECALLER": 7, "COMPLETEAGENT": 7, "TRANSFER": 9}
    return fields[: keep.get(fields[4], len(fields))]


def _logged_in_otherwise(fields: list[str]) -> list[str]:
    return [*fields[:4], "AGENTLOGIN", "SIP/ann-1"] if fields[4] == "ADDMEMBER" else fields


def _with_fraction(fields: list[str]) -> list[str]:
    return [f"{fields[0]}.250000", *fields[1:]]


VERSIONS: dict[str, list[Rewrite]] = {
    "10": [_without_ringcanceled, _transfer_of_11, _short, _logged_in_otherwise],
    "11": [_without_ringcanceled, _transfer_of_11],
    "12": [_without_ringcanceled],
    "13": [_without_ringcanceled],
    "16": [],
    "18": [],
    "20": [],
    "22": [],
    "22.6, with callers' names": [lambda fields: [*fields, "Ann Other"] if fields[4] == "ENTERQUEUE" else fields],
    "with fractions of a second": [_with_fraction],
    "with empty fields behind": [lambda fields: [*fields, "", "", ""]],
}


def written(version: str) -> list[str]:
    """Give the hour's lines as a version writes them."""
    lines = []
    for text in HOUR:
        second, call_id, queue, agent, event, data = text.split()
        whose = f"{T}{call_id}" if call_id.startswith(".") else call_id
        fields = [str(T + int(second)), whose, queue, agent, event, *([] if data == "|" else data.split("|"))]
        for rewrite in VERSIONS[version]:
            fields = rewrite(fields) if fields else []
        lines += ["|".join(fields)] if fields else []
    return lines


def expected(version: str) -> list[tuple[object, ...]]:
    """Until RINGCANCELED was written nobody could tell that a phone rang."""
    if _without_ringcanceled not in VERSIONS[version]:
        return list(CALLS)
    return [(*call[:4], "gave-up-waiting", *call[5:]) if call[0] == ".3" else call for call in CALLS]


def told(calls: LogBriefs, entries: object) -> list[tuple[object, ...]]:
    found = [*calls.over(entries), *calls.finish()]  # type: ignore[arg-type]  # any iterable of entries
    assert list(calls.unfinished()) == []
    return [_told(call) for call in found]


def _told(call: Brief) -> tuple[object, ...]:
    whose = call.call_id.removeprefix(str(T))
    waited, talked = call.waited // SECOND, call.talked // SECOND
    return (whose, call.number, call.queue, call.kind, call.reason, waited, talked, call.agent)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_in_a_file_plain_or_packed(tmp_path: Path, version: str) -> None:
    text = "".join(f"{line}\n" for line in written(version))
    (tmp_path / "queue_log").write_text(text)
    (tmp_path / "day.gz").write_bytes(gzip.compress(text.encode()))
    for log in (LogFiles(tmp_path / "queue_log"), NamedFiles([tmp_path / "day.gz"])):
        faults = Faults()
        assert told(LogBriefs("main"), log.between(FROM, UNTIL, faults)) == expected(version)
        assert len(faults) == 0


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["text, local", "epoch as text", "date and time", "seconds"])
def test_every_version_in_a_table(tmp_path: Path, version: str, kind: str) -> None:
    entries = [item for item in parse_all(written(version)) if isinstance(item, Entry)]
    engine = create_engine(f"sqlite:///{tmp_path / 'log.db'}")
    log = make(engine, entries, kind)
    engine.dispose()
    assert told(LogBriefs("main"), log.between(FROM, UNTIL, Faults())) == expected(version)


def test_a_table_whose_columns_are_null_where_nothing_is(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'log.db'}")
    entries = [item for item in parse_all(written("22")) if isinstance(item, Entry)]
    log = make(engine, entries)
    with engine.begin() as connection:
        for column in ("queuename", "agent", "data1", "data2", "data3", "data4", "data5"):
            connection.exec_driver_sql(f"UPDATE queue_log SET {column} = NULL WHERE {column} IN ('', 'NONE')")  # noqa: S608
    engine.dispose()
    assert told(LogBriefs("main"), log.between(FROM, UNTIL, Faults())) == expected("22")


@pytest.mark.parametrize(
    ("stamp", "zone"),
    [
        (str, UTC),
        (lambda at: f"{at}.123456", UTC),
        (lambda at: f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}", UTC),
        (lambda at: f"{datetime.fromtimestamp(at, TOKYO):%Y-%m-%d %H:%M:%S.%f}", TOKYO),
        (lambda at: f"{datetime.fromtimestamp(at, TOKYO):%Y-%m-%dT%H:%M:%S%z}", UTC),
    ],
    ids=["epoch", "epoch with a fraction", "UTC", "local", "with its offset"],
)
def test_times_as_epoch_or_iso(tmp_path: Path, stamp: Callable[[int], str], zone: ZoneInfo) -> None:
    stamped = [f"{stamp(int(line.partition('|')[0]))}|{line.partition('|')[2]}\n" for line in written("22")]
    (tmp_path / "queue_log").write_text("".join(stamped))
    log = NamedFiles([tmp_path / "queue_log"], zone)
    assert told(LogBriefs("main"), log.between(FROM, UNTIL, Faults())) == expected("22")


@pytest.mark.parametrize("cut", [1, 7, 20, 150, 320])
@pytest.mark.parametrize("overlap", [0, 3, 60])
def test_overlapping_rotations_named_in_any_order(tmp_path: Path, cut: int, overlap: int) -> None:
    lines = [f"{line}\n" for line in written("22")]
    first, second = tmp_path / "b.log.gz", tmp_path / "a.log"
    first.write_bytes(gzip.compress("".join(lines[: cut + overlap]).encode()))
    second.write_text("".join(lines[cut:]))
    for paths in ([first, second], [second, first], [second, first, second]):
        assert told(LogBriefs("main"), NamedFiles(paths).between(FROM, UNTIL, Faults())) == expected("22")


def test_two_pbxs_give_each_call_their_own_though_ids_are_the_same() -> None:
    entries = [item for item in parse_all(written("22")) if isinstance(item, Entry)]
    east, west = LogBriefs("east"), LogBriefs("west")
    calls = [*east.over(entries), *east.finish(), *west.over(entries), *west.finish()]
    assert len({(call.pbx, call.call_id) for call in calls}) == len(calls) == 2 * len(CALLS)


def test_a_storm_costs_nothing_but_its_lines() -> None:
    calls = LogBriefs("main")
    storm = [f"{T + 1 + number // 50}|{T}.1|support|Bob|RINGNOANSWER|1000" for number in range(20_000)]
    lines = [f"{T}|{T}.1|support|NONE|ENTERQUEUE||0901|1", *storm, f"{T + 500}|{T}.1|support|NONE|ABANDON|1|1|500"]
    [call] = [*calls.over(item for item in parse_all(lines) if isinstance(item, Entry)), *calls.finish()]
    assert (call.kind, call.waited) == ("abandoned", 500 * SECOND)


def test_agents_who_come_and_go_in_every_dialect() -> None:
    for version in VERSIONS:
        calls = LogBriefs("main")
        told(calls, (item for item in parse_all(written(version)) if isinstance(item, Entry)))
        [stint] = calls.logins.until(calls.now)
        assert (stint.agent, stint.queue) == ("Ann", "support")
        assert stint.since // SECOND == T + 1


def test_how_much_there_is_to_read_is_known_and_told(tmp_path: Path) -> None:
    lines = [f"{line}\n" for line in written("22")] * 20
    (tmp_path / "queue_log").write_text("".join(lines))
    entries = [item for item in parse_all(written("22")) if isinstance(item, Entry)] * 20
    engine = create_engine(f"sqlite:///{tmp_path / 'log.db'}")
    table = make(engine, entries)
    engine.dispose()
    packed = tmp_path / "packed.gz"
    packed.write_bytes(gzip.compress("".join(lines).encode()))
    for log, all_of_it in (
        (table, len(entries) // 2000 * 2000),
        (NamedFiles([tmp_path / "queue_log"]), sum(map(len, lines))),
        (NamedFiles([packed]), packed.stat().st_size),
    ):
        told_more: list[int] = []
        log.progress = told_more.append
        assert len(list(log.between(FROM, UNTIL, Faults()))) == len(entries)
        assert sum(told_more) == all_of_it
        assert log.size() >= all_of_it
