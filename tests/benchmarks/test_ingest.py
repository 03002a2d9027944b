"""The benchmark of listening works: nothing here says how fast anything is."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import sender, streams
from benchmarks.errors import BenchmarkError
from benchmarks.stage import Stage
from telephony.ami.protocol import MESSAGE_END, Message

KEYS = {
    "events_per_s",
    "events_per_s_filtered",
    "filtered_share",
    "calls_per_s",
    "calls_per_s_filtered",
    "ear_us_an_event",
    "commit_us_an_event",
    "share_skipped",
    "p99_ms_at_5000",
    "p99_ms_at_20000",
    "rss_mb",
    "rss_mb_first",
    "ratio_to_asterisk_ami",
    "ratio_to_panoramisk",
    "ratio_to_socket",
    "calls_offered",
    "verdicts_committed",
    "load_average",
}
EVERY = 4  # of the recordings


@pytest.fixture(scope="module")
def templates() -> list[streams.Template]:
    return streams.load(EVERY)[0]


def played(templates: list[streams.Template], units: float = 2_000, spread: float = 500) -> list[streams.Due]:
    serials = streams.Serials()
    dues = streams.traffic(
        templates, serials, connections=3, spread=spread, events_wanted=units, ends_at_s=lambda _: streams.NOW_S
    )
    return list(dues)


def benchmarks(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


def test_the_last_line_has_every_figure_and_every_call_its_verdict_once() -> None:
    ran = benchmarks("ingest", "--quick")
    assert ran.returncode == 0, ran.stderr
    figures = json.loads(ran.stdout.splitlines()[-1])
    assert figures.keys() == KEYS
    assert figures["verdicts_committed"] == figures["calls_offered"] > 0
    assert 0 < figures["share_skipped"] < 1
    assert 0 < figures["filtered_share"] < 1
    assert all(figures[key] > 0 for key in KEYS - {"p99_ms_at_5000", "p99_ms_at_20000", "load_average"})
    assert ran.stderr == ""


def test_without_a_name_it_lists_what_there_is() -> None:
    ran = benchmarks()
    rows = {line.split()[0]: line for line in ran.stdout.splitlines()[1:]}
    assert ran.returncode == 0
    assert "How fast the service listens" in rows["ingest"]
    assert benchmarks("no-such-thing").returncode == 2


def test_a_call_that_nobody_offered_makes_the_figures_void(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Stage(tmp_path, "").sending(500, EVERY) as stage:
        ask = stage.ask
        monkeypatch.setattr(
            stage, "ask", lambda order: (offered := ask(order)) and replace(offered, calls=offered.calls - 1)
        )
        with pytest.raises(BenchmarkError, match="lost or judged twice"):
            stage.service(sender.Flood(close=False))


def test_every_play_is_new_calls_of_new_callers(templates: list[streams.Template]) -> None:
    serials = streams.Serials()
    for template in templates:
        first, second = template.play(serials, streams.NOW_S), template.play(serials, streams.NOW_S)
        assert len(first.events) == len(second.events) == len(template)
        ids = [
            _values(play.events, "Uniqueid", "Linkedid", "BridgeUniqueid", "DestUniqueid") for play in (first, second)
        ]
        assert ids[0]
        assert ids[0].isdisjoint(ids[1])
        callers = [{one for one in _values(play.events, "CallerIDNum") if len(one) == 11} for play in (first, second)]
        assert callers[0].isdisjoint(callers[1])
        assert not any(b"\0" in raw for raw in first.events)


def test_only_what_the_manager_user_of_production_hears_is_played(templates: list[streams.Template]) -> None:
    heard = [Message(raw) for template in templates for raw in template.play(streams.Serials(), 0.0).events]
    assert {message.get("Privilege").removesuffix(",all") for message in heard} <= streams.CLASSES
    assert "TestEvent" not in {message.name for message in heard}
    assert all(message.raw.endswith(MESSAGE_END) and message.raw.count(MESSAGE_END) == 1 for message in heard)


def test_an_event_is_due_for_each_unit_and_those_of_a_call_stay_in_order(templates: list[streams.Template]) -> None:
    dues = played(templates)
    times = [due for due, *_ in dues]
    assert times == sorted(times)
    assert sum(500 <= at < 2_000 for at in times) == pytest.approx(1_500, rel=0.25)
    assert {which for _, which, *_ in dues} == {0, 1, 2}
    of_call: dict[tuple[int, str], list[str]] = {}
    for _, which, raw, _ in dues:
        message = Message(raw)
        if message.name in {"Newchannel", "Hangup"}:
            of_call.setdefault((which, message.get("Uniqueid")), []).append(message.name)
    # An id may be used again: one recording is of an Originate with an id that lived already.
    assert {(*names[:2], len(names) % 2) for names in of_call.values()} == {("Newchannel", "Hangup", 0)}


def test_each_customers_call_is_ended_once_and_by_a_hangup(templates: list[streams.Template]) -> None:
    dues = played(templates)
    serials = [serial for *_, ends in dues for serial in ends]
    assert sorted(serials) == list(range(len(serials)))
    assert {Message(raw).name for *_, raw, ends in dues if ends} == {"Hangup"}


def test_a_recording_that_breaks_off_is_left_out() -> None:
    template = streams.Template(streams.STREAMS / "13a1-before-connection-loss.ami.gz")
    assert not template.whole


def _values(raws: list[bytes], *keys: str) -> set[str]:
    return {value for raw in raws for key, value in Message(raw).headers if key in keys and value not in {"", "none"}}
