"""`make run`: customers are lost and called back by themselves, and nothing is left behind."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import phonenumbers
import pytest

from callback.settings.sections import load
from lab import __main__ as command
from lab import fetch, people
from lab.service import PbxAccess, daytime_zone, settings
from tests.children import child


def lab(*options: str) -> AbstractContextManager[subprocess.Popen[str]]:
    return child([sys.executable, "-m", "lab", *options], stderr=subprocess.STDOUT)


def of_the_lab(folder: str) -> list[int]:
    """Processes whose command line names the lab's folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if folder in (process / "cmdline").read_text():
                found.append(int(process.name))
    return found


def wait_none_left(folder: str, within_s: float = 10) -> None:
    deadline = time.monotonic() + within_s
    while of_the_lab(folder):
        assert time.monotonic() < deadline, f"still there: {of_the_lab(folder)}"
        time.sleep(0.05)


def folder_in(said: str) -> str:
    found = re.search(r"settings of the service: (\S+)/callback\.toml", said)
    assert found, said
    return found[1]


@pytest.mark.live
@pytest.mark.usefixtures("asterisk_tree")
def test_a_lost_customer_is_recovered_by_himself() -> None:
    with lab("--pbx", "asterisk", "--until-recovered", "1", "--seconds", "90") as running:
        said, _ = running.communicate(timeout=100)
    assert running.returncode == 0, said
    result = json.loads(said.splitlines()[-1])
    assert (result["pbx"], result["recovered"]) == ("asterisk", 1)
    assert result["seconds"] < 90
    told = (
        "calls",
        "talks to an agent",
        "gives up after",
        "reserved",
        "text (",
        "dialling",
        "hears the agent",
        "reached",
    )
    assert [word for word in told if word not in said] == []
    wait_none_left(folder_in(said))
    assert not Path(folder_in(said)).exists()


def test_without_an_asterisk_recorded_streams_are_played_and_called_so() -> None:
    with lab("--pbx", "recorded", "--until-recovered", "1", "--seconds", "90") as running:
        said, _ = running.communicate(timeout=100)
    assert running.returncode == 0, said
    result = json.loads(said.splitlines()[-1])
    assert (result["pbx"], result["recovered"]) == ("recorded", 1)
    assert "recorded streams are the PBX" in said
    assert f"export CALLBACK_SETTINGS={folder_in(said)}/callback.toml\n" in said
    assert re.search(r"^ +http://127\.0\.0\.1:\d+ +# the console$", said, re.MULTILINE)
    assert re.search(r"^ +user anna, password [a-z2-9]{5}-[a-z2-9]{5}-[a-z2-9]{5} ", said, re.MULTILINE)
    (asks,) = re.findall(r"^ +(\S+callback) queue ", said, re.MULTILINE)
    assert os.access(asks, os.X_OK)
    wait_none_left(folder_in(said))


@pytest.mark.live
@pytest.mark.usefixtures("asterisk_tree")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_the_lab(end: signal.Signals) -> None:
    with lab("--pbx", "asterisk") as running:
        assert running.stdout
        said = "".join(itertools.takewhile(lambda line: "pbx-up" not in line, running.stdout))
        folder = folder_in(said)
        said += "".join(itertools.takewhile(lambda line: "Ctrl-C here" not in line, running.stdout))
        assert len(of_the_lab(folder)) == 3  # Asterisk, the service and its console
        running.send_signal(end)
        running.stdout.read()
        assert running.wait(20) == (-end if end == signal.SIGKILL else 0)
    wait_none_left(folder)


def test_an_end_without_what_was_asked_for_is_a_failure() -> None:
    with lab("--pbx", "recorded", "--until-recovered", "1", "--seconds", "0") as running:
        said, _ = running.communicate(timeout=40)
    assert running.returncode == 1
    assert json.loads(said.splitlines()[-1])["recovered"] == 0


def test_the_service_accepts_the_settings_of_the_lab(tmp_path: Path) -> None:
    file = tmp_path / "callback.toml"
    file.write_text(settings(tmp_path, PbxAccess(21000, "lcr", "word"), "Etc/GMT-9"))
    wiring = load(file, {})
    assert (wiring.pbx.port, wiring.pbx.secret) == (21000, "word")
    support = wiring.rules.queue("support")
    assert (support.texts, support.calls) == ("on", "on")


@pytest.mark.parametrize("hours", range(0, 24, 3))
def test_it_is_day_in_the_lab_at_any_hour(hours: int) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=hours)
    assert 9 <= now.astimezone(ZoneInfo(daytime_zone(now))).hour < 18


def test_all_customers_have_numbers_that_can_be_called() -> None:
    waves = list(itertools.islice(people.customers(), 20))
    for customer in itertools.chain(*waves):
        assert phonenumbers.is_valid_number(phonenumbers.parse(customer.number, "JP"))
    for wave in waves:
        assert len({customer.number for customer in wave}) == len(wave) <= 6
        assert len(wave) > len(people.AGENTS)


def test_where_nothing_can_be_fetched_the_lab_says_so_and_plays_recordings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none(**_: object) -> fetch.AsteriskTree:
        raise fetch.NoAsterisk("No Asterisk 22: no network.")

    monkeypatch.setattr(fetch, "asterisk", none)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert command.main(["--seconds", "0"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert "No Asterisk 22: no network." in said[0]
    assert "NO real PBX" in said[1]
    assert json.loads(said[-1])["pbx"] == "recorded"
    assert command.main(["--pbx", "asterisk"]) == 1
