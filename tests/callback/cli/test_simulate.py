"""`callback simulate`: a small record lived again, what it prints, and what it says of faulty files."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callback.cli.main import app
from callback.cli.simulate import simulate
from callback.errors import CallbackError

HEADER = (
    "customer_id,priority,type,date,vru_exit,vru_time,q_start,q_exit,q_time,outcome,ser_start,ser_exit,ser_time,server"
)
MEASURES = {"dialled_30", "dialled_60", "reached_30", "reached_60", "inbound_hangups", "lost", "nothing_60"}
MONTH = "bank_1999_02.csv.gz"


def clock(second: int) -> str:
    return f"{second // 3600}:{second // 60 % 60:02}:{second % 60:02}"


def record(days: int = 2) -> str:
    """Each day one agent from 9:00 on: bursts of a talk and two who wait half a minute and hang up; then a pause."""
    lines = [HEADER]
    for day in range(1, days + 1):
        for burst in range(12):
            start = 9 * 3600 + burst * 1200
            talk = f"{clock(start)},{clock(start + 300)},300,ann"
            lines.append(f"0,0,PS,1999-02-{day:02},{clock(start)},5,0:00:00,0:00:00,0,AGENT,{talk}")
            for number in (1, 2):
                came = start + number * 60
                wait = f"{clock(came)},{clock(came + 30)},30,HANG,0:00:00,0:00:00,0,NO_SERVER"
                lines.append(f"0,1,PS,1999-02-{day:02},{clock(came)},5,{wait}")
            late = start + 600
            talk = f"{clock(late)},{clock(late + 60)},60,ann"
            lines.append(f"0,0,PS,1999-02-{day:02},{clock(late)},5,0:00:00,0:00:00,0,AGENT,{talk}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    path = tmp_path / "calls.csv.gz"
    path.write_bytes(gzip.compress(record().encode()))
    return path


def test_one_object_by_policy(calls: Path) -> None:
    result = CliRunner().invoke(app, ["simulate", "--calls", str(calls), "--seeds", "2", "--json"])
    told = json.loads(result.stdout)
    assert list(told) == ["none", "fifo", "newest", "in_time", "default"]
    for figures in told.values():
        assert figures.keys() >= MEASURES
        assert figures["days"] == ["1999-02-01", "1999-02-02"]
        assert all(low <= figures[name] <= high for name, (low, high) in figures["intervals"].items())
    assert told["none"]["inbound_hangups"] == told["none"]["recorded"]["inbound_hangups"] == 0.5
    assert told["none"]["lost"] == 24
    assert told["none"]["dialled_60"] == 0
    assert told["fifo"]["dialled_30"] > 0.9  # the agent is free after each burst
    assert told["in_time"]["dialled_30"] == 0  # there is no other to keep free


def test_people_get_a_table_and_the_record_beside_it(calls: Path) -> None:
    wanted = ["simulate", "--calls", str(calls), "--days", "2", "--seeds", "1", "--policies", "none,fifo"]
    result = CliRunner().invoke(app, wanted)
    assert "inbound_hangups: 0.500, recorded 0.500 (+0.0%)" in result.stdout
    assert "1 working days, 1 seeds" in result.stdout


@pytest.mark.parametrize(
    ("text", "options", "word"),
    [
        (record().replace("5,9:01:00", "5,9.01", 1), {}, "line 3: q_start"),
        ("", {}, "line 1: no column customer_id"),
        (None, {}, "name a CSV file of calls"),
        (record(), {"policies": "fifo,lifo"}, "no policy lifo; choose from none, fifo"),
        (record(), {"days": "all"}, "write it as in 15-28"),
        (record(), {"days": "15-28"}, "which holds 1999-02-01 to 1999-02-02"),
    ],
)
def test_faults_are_sentences_with_a_remedy(
    tmp_path: Path, text: str | None, options: dict[str, str], word: str
) -> None:
    path = tmp_path / "calls.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(CallbackError) as caught:
        simulate(path, options.get("days", "1-31"), options.get("policies", "none"), seeds=1)
    assert word in str(caught.value)


def test_the_real_month_is_reproduced_without_callbacks() -> None:
    where = os.environ.get("CALLBACK_CALLS", "")
    if not where or not Path(where).exists():
        pytest.skip(f"missing: the recorded month; set CALLBACK_CALLS to {MONTH}, which is not in the repository")
    wanted = ["simulate", "--calls", where, "--seeds", "1", "--policies", "none", "--json"]
    none = json.loads(CliRunner().invoke(app, wanted).stdout)["none"]
    assert none["recorded"] == {"inbound_hangups": 0.1311, "wait_s": 42.2779, "within_20s": 0.5826}
    for measure, recorded in none["recorded"].items():
        assert none[measure] == pytest.approx(recorded, rel=0.05), measure


def test_the_help_names_the_columns_and_what_reads_a_sites_own_log() -> None:
    said = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["simulate", "--help"]).stdout
    for word in ("customer_id", "vru_exit", "q_start", "ser_time", "callback hints"):
        assert word in said
