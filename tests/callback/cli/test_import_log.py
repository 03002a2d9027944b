"""`callback import-queue-log`: one step from a site's own log to its losses, without PBX or settings."""

from __future__ import annotations

import gzip
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from callback.cli.import_log import site_zone
from callback.history import importing
from callback.store.engine import Store
from tests.callback.cli.conftest import Typed
from tests.callback.logged import SETTINGS, weeks

T = 1_795_307_000
Run = Typed

SMALL = [  # one of each, by two callers and one without a number
    "0|{0}.1|sales|NONE|ENTERQUEUE||0901|1",
    "20|{0}.1|sales|NONE|ABANDON|1|1|20",
    "320|{0}.2|sales|NONE|ENTERQUEUE||0901|1",
    "340|{0}.2|sales|NONE|EXITWITHTIMEOUT|1|1|20",
    "1900|{0}.3|help|NONE|ENTERQUEUE||0901|1",
    "1910|{0}.3|help|Ann|CONNECT|10|x|1",
    "1990|{0}.3|help|Ann|COMPLETECALLER|10|80|1",
    "2000|{0}.4|help|NONE|ENTERQUEUE||0902|1",
    "2010|{0}.4|help|NONE|EXITWITHKEY|1|1|1|10",
    "2020|{0}.5|help|NONE|ENTERQUEUE||anonymous|1",
    "2030|{0}.5|help|NONE|EXITEMPTY|1|1|10",
    "2040|{0}.6|sales|NONE|FULL|",
    "2050|lcr-9-1|sales|NONE|ENTERQUEUE||0901|1",
    "2060|lcr-9-1|sales|Ann|CONNECT|10|x|1",
    "2090|lcr-9-1|sales|Ann|COMPLETECALLER|10|30|1",
    "2100|{0}.7|help|NONE|ENTERQUEUE||0902|1",
]


def small(begins: int = T) -> list[str]:
    split = (line.format(begins).split("|", 1) for line in SMALL)
    return [f"{begins + int(second)}|{rest}" for second, rest in split]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, typed: Run) -> Run:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "dumb")
    return partial(typed, "import-queue-log", "--zone", "Asia/Tokyo")


def told(run: Run, *words: object) -> dict[str, Any]:
    status, out, err = run("--json", *words)
    assert status == 0, err
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


def write(path: Path, lines: list[str]) -> Path:
    text = "".join(f"{line}\n" for line in lines)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


COUNTS = {
    "calls": 7,
    "answered": 1,
    "abandoned": 1,
    "blocked": {"queue-time-out": 1, "queue-left-empty": 1, "queue-full": 1},
    "requested": 1,
    "dropped": {},
    "silent": {},
    "unknown": {},
    "unfinished": 1,
    "callers": 2,
    "lost_known": 2,
    "redialled": {"10": 1, "30": 2, "60": 2},
}


def test_every_figure_by_hand(run: Run, tmp_path: Path) -> None:
    found = told(run, write(tmp_path / "queue_log", small()))
    assert {name: found[name] for name in COUNTS} == COUNTS
    assert found["queues"]["sales"] == {
        "calls": 3,
        "answered": 0,
        "abandoned": 1,
        "blocked": {"queue-time-out": 1, "queue-full": 1},
        "requested": 0,
        "dropped": {},
        "silent": {},
        "unknown": {},
        "unfinished": 0,
        "callers": 1,
        "lost_known": 2,
        "redialled": {"10": 1, "30": 2, "60": 2},  # again in whichever queue
    }
    assert found["own_callbacks"] == 1
    assert (found["lines"], found["bad_lines"]) == (len(SMALL), 0)
    assert found["zone"] == "Asia/Tokyo"
    assert len(found["not_told"]) > 3


def test_agents_own_calls_are_left_out_and_counted(run: Run, tmp_path: Path) -> None:
    own = ["30|{0}.8|help|SIP/333|RINGNOANSWER|1000", "31|{0}.9|help|NONE|ENTERQUEUE||333|1"]
    own += ["40|{0}.9|help|NONE|ABANDON|1|1|9"]
    lines = [f"{T + int(line.split('|')[0])}|{line.format(T).split('|', 1)[1]}" for line in own]
    path = write(tmp_path / "queue_log", sorted([*small(), *lines]))
    found = told(run, path)
    assert {name: found[name] for name in COUNTS} == COUNTS
    assert found["agents_calls"] == 1
    assert "left out: 1 calls into queues by agents themselves" in run(path)[1]


def test_every_call_is_in_just_one_of_the_counts(run: Run, tmp_path: Path) -> None:
    found = told(run, write(tmp_path / "queue_log", weeks(1)))
    for one in (found, *found["queues"].values()):
        plain = [one[name] for name in ("answered", "abandoned", "requested", "unfinished")]
        assert (
            sum(plain) + sum(sum(one[name].values()) for name in ("blocked", "dropped", "silent", "unknown"))
            == (one["calls"])
        )
    assert found["calls"] == sum(one["calls"] for one in found["queues"].values())


@pytest.mark.parametrize("long", [False, True], ids=["in this process", "in a process of its own"])
def test_overlapping_rotations_packed_or_not_are_one_log(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, long: bool
) -> None:
    monkeypatch.setattr(importing, "LONG", 0 if long else 1 << 30)
    lines = weeks(1)[:1200]
    whole = told(run, write(tmp_path / "whole", lines))
    first, second = write(tmp_path / "queue_log.1.gz", lines[:900]), write(tmp_path / "queue_log", lines[700:])
    assert told(run, second, first) == whole
    assert told(run, second, first, second) == whole


@pytest.mark.parametrize(
    ("lost", "again"),
    [("+12125550111", "2125550111"), ("015112345678", "4915112345678"), ("819012345678", "+819012345678")],
)
def test_who_calls_again_is_known_in_another_form(run: Run, tmp_path: Path, lost: str, again: str) -> None:
    lines = [
        f"{T}|{T}.1|sales|NONE|ENTERQUEUE||{lost}|1",
        f"{T + 10}|{T}.1|sales|NONE|ABANDON|1|1|10",
        f"{T + 100}|{T}.2|sales|NONE|ENTERQUEUE||{again}|1",
        f"{T + 105}|{T}.2|sales|SIP/101|CONNECT|5|{T}.3|4",
        f"{T + 145}|{T}.2|sales|SIP/101|COMPLETECALLER|5|40|1",
    ]
    found = told(run, write(tmp_path / "queue_log", lines))
    assert (found["calls"], found["callers"], found["redialled"]["10"]) == (2, 1, 1)


def test_settings_know_short_numbers_without_their_plus(run: Run, tmp_path: Path) -> None:
    (tmp_path / "callback.toml").write_text(SETTINGS.replace('"JP"', '"NO"'))
    lines = [
        line
        for number, at in (("92345678", T), ("4792345678", T + 300))
        for line in (f"{at}|{at}.1|sales|NONE|ENTERQUEUE||{number}|1", f"{at + 9}|{at}.1|sales|NONE|ABANDON|1|1|9")
    ]
    path = write(tmp_path / "queue_log", lines)
    assert told(run, path)["callers"] == 2
    assert told(run, path, "--settings", tmp_path / "callback.toml")["callers"] == 1


def test_two_pbxs_share_callers_but_not_calls(run: Run, tmp_path: Path) -> None:
    east, west = write(tmp_path / "e", small()), write(tmp_path / "w", small())
    found = told(run, f"east={east}", "--pbx", "west", west)
    assert (found["calls"], found["callers"]) == (14, 2)
    assert found["own_callbacks"] == 2
    assert told(run, east, west)["calls"] == 7  # of one PBX both are the same calls


def test_who_calls_the_other_pbx_has_called_again(run: Run, tmp_path: Path) -> None:
    east = write(tmp_path / "e", small()[:2])
    west = write(tmp_path / "w", [line.replace(f"{T}.", f"{T}.9") for line in small()[2:4]])
    assert told(run, f"east={east}", f"west={west}")["redialled"] == {"10": 1, "30": 1, "60": 1}


def test_a_realtime_table_by_url(run: Run, tmp_path: Path) -> None:
    (tmp_path / "asterisk.db").touch()
    store = Store(f"sqlite:///{tmp_path / 'asterisk.db'}")
    with store.write() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE queue_log (id INTEGER PRIMARY KEY, time TEXT, callid TEXT, queuename TEXT, agent TEXT, "
            "event TEXT, data1 TEXT, data2 TEXT, data3 TEXT, data4 TEXT, data5 TEXT)"
        )
        for line in small():
            fields = (line.split("|") + [""] * 5)[:10]
            connection.exec_driver_sql(
                "INSERT INTO queue_log (time, callid, queuename, agent, event, data1, data2, data3, data4, data5) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                tuple(fields),
            )
    store.close()
    found = told(run, f"sqlite:///{tmp_path / 'asterisk.db'}")
    assert {name: found[name] for name in COUNTS} == COUNTS


def test_bad_lines_are_counted_and_the_first_listed_with_their_numbers(run: Run, tmp_path: Path) -> None:
    lines = small()
    lines[3:3] = ["what is this", "x|y|z|NONE|ABANDON|"]
    path = write(tmp_path / "queue_log", [*lines, "1|2"])
    found = told(run, path, "--bad-lines", 2)
    assert (found["lines"], found["bad_lines"]) == (len(SMALL) + 3, 3)
    assert [bad["place"] for bad in found["bad_lines_first"]] == [f"{path}:4", f"{path}:5"]
    status, out, _ = run(path, "--bad-lines", 1)
    assert status == 0
    assert f"{path}:4" in out
    assert "and 2 more" in out


def test_a_last_line_without_its_end_counts(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    path.write_text("\n".join(small()))
    assert told(run, path)["unfinished"] == 1


def test_people_read_counts_a_heat_map_peaks_and_hints(run: Run, tmp_path: Path) -> None:
    status, out, _ = run(write(tmp_path / "queue_log", weeks(4)))
    assert status == 0
    assert "Tue 10:00-11:00: " in out  # the peak
    assert "(estimated from 4 " in out
    assert "What this log cannot tell" in out
    assert "2026-09-07 09:00 to 2026-10-02 11:58" in out


def test_kept_in_a_database_as_often_as_wanted(run: Run, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'history.db'}"
    path = write(tmp_path / "queue_log", small())
    assert told(run, path, "--database", url)["new_in_database"] == 6  # who has not ended is left for the next time
    assert told(run, path, "--database", url)["new_in_database"] == 0
    more = write(tmp_path / "next", [*small(), f"{T + 2150}|{T}.7|help|NONE|ABANDON|1|1|50"])
    assert told(run, more, "--database", url)["new_in_database"] == 1
    assert told(run, f"west={path}", "--database", url)["new_in_database"] == 6


def test_the_settings_name_the_database_and_the_zone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "callback.toml").write_text(SETTINGS)
    path = write(tmp_path / "queue_log", small())
    assert told(run, path, "--settings", tmp_path / "callback.toml")["new_in_database"] == 6
    assert (tmp_path / "calls.db").exists()


def test_local_times_are_read_in_the_logs_own_zone(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "queue_log", ["2026-11-22 01:00:00|x.1|q|NONE|ENTERQUEUE||0901|1"])
    assert told(run, path)["from"] == "2026-11-22T01:00:00+09:00"
    assert told(run, path, "--log-zone", "UTC")["from"] == "2026-11-22T10:00:00+09:00"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["/no/such/file"], "Name files of a queue_log"),
        (["/" + "x" * 300], "Name files of a queue_log"),  # one that may not even be looked at, as in a locked folder
        (["sqlite:////no/such/folder/a.db"], "cannot be read"),
        (["{log}", "--pbx", "Our PBX"], "--pbx Our PBX"),
        (["{log}", "sqlite:///a.db"], "name either files or one table"),
        (["{log}", "--zone", "Mars/Olympus"], "Mars/Olympus"),
        (["{folder}"], "{folder}"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(run: Run, tmp_path: Path, words: list[str], said: str) -> None:
    log = write(tmp_path / "queue_log", small())
    status, out, err = run(*(word.format(log=log, folder=tmp_path) for word in words))
    assert (status, out) == (2, "")
    assert said.format(folder=tmp_path) in err
    assert "Traceback" not in err


def test_of_a_file_that_is_no_queue_log_nothing_is_shown(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text(SETTINGS + "a|b|c|d|e = 'hush'\n1795307000|x|q|NONE||hush\n")
    status, out, err = run(path)
    assert status == 0
    assert f"{path}:2: too few fields" in out
    assert "no call is known" in out
    assert "hush" not in out + err + json.dumps(told(run, path))


def test_the_sixty_minutes_stand_on_a_narrow_terminal(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = [line.replace("|sales|", "|kundendienst-neu|") for line in small()]
    _, out, _ = run(write(tmp_path / "queue_log", lines))
    head, row, *_ = [line for line in out.splitlines() if "10/30/60 min" in line or "kundendienst-neu" in line]
    assert row.rstrip().endswith("50/100/100")
    assert len(head) <= 80
    assert len(row) <= 80


def test_an_empty_log_tells_that_nothing_came(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    path.write_text("")
    assert told(run, path)["calls"] == 0
    status, out, _ = run(path)
    assert status == 0
    assert "no call" in out


def test_the_zone_is_this_machines_where_nobody_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    assert site_zone(None, None).key == "Europe/Berlin"
    monkeypatch.delenv("TZ")
    assert site_zone(None, None).key
