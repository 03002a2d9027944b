"""The probe on a real Asterisk beside the real service: it says ok when all is well, and catches each way to fail."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from lab import twilio as fake_twilio
from lab.asterisk import Asterisk
from lab.phone import Carrier, PhoneError
from lab.twilio import Conduct, FakeTwilio
from tests.live.desk import CUSTOMER, DID
from tests.live.service import Service
from tests.live.test_doctor import changed
from tests.live.texting import OURS, SID, TOKEN

pytestmark = pytest.mark.live

NUMBER = "+818012345678"
"""The probe's own: where its texts go."""
MANAGER = ("manager_lcr.conf", "manager reload")
TRUNK = ("extensions_lcr_probe.conf", "dialplan reload")


@contextmanager
def serving(pbx: Asterisk, folder: Path, twilio: FakeTwilio) -> Iterator[Service]:
    """The service with the probe's queue and trunk, as docs/probe.md has them."""
    watched = Service(pbx, folder, queue="lcr-probe")
    with watched.settings.open("a") as settings:
        settings.write(
            f'[texts]\ngateway = "twilio"\n[texts.twilio.main]\naccount_sid = "{SID}"\nauth_token = "{TOKEN}"\n'
            f'from = "{OURS}"\napi_url = "{twilio.url}"\n'
            '[trunks.probe]\nchannel = "PJSIP/lcr-probe-in"\ndial = "Local/{number}@lcr-probe-phone/n"\n'
            'region = "JP"\nform = "national"\n'
        )
    with watched as running:
        yield running


@pytest.fixture
def service(pbx: Asterisk, tmp_path: Path, twilio: FakeTwilio) -> Iterator[Service]:
    with serving(pbx, tmp_path, twilio) as running:
        yield running


class Probe:
    """`callback probe --once` with short waits."""

    def __init__(self, pbx: Asterisk, twilio: FakeTwilio, folder: Path) -> None:
        self.settings, self.textfile = folder / "probe.toml", folder / "lcr_probe.prom"
        self.alarms = folder / "alarms.jsonl"
        take = folder / "take-alarm"
        take.write_text(f"#!/bin/sh\ncat >> {self.alarms}\n")
        take.chmod(0o700)
        self.settings.write_text(
            f'[pbx]\nport = {pbx.ami_port}\nsecret = "{pbx.probe_secret}"\ntimeout_s = 5\n'
            f'[call]\nnumbers = ["{NUMBER}"]\nwaits_s = 3\ntalks_s = 3\n'
            "[expect]\ntexted_within_s = 10\ncalled_within_s = 8\nfound_within_s = 8\n"
            '[hours]\nfrom = 00:00:00\nuntil = 23:59:59\ndays = ["monday", "tuesday", "wednesday", "thursday",'
            ' "friday", "saturday", "sunday"]\n'
            f'[texts]\nwatch = "twilio"\naccount_sid = "{SID}"\nauth_token = "{TOKEN}"\napi_url = "{twilio.url}"\n'
            f'[alarms]\ncommand = ["{take}"]\n'
        )

    def change(self, old: str, new: str) -> None:
        text = self.settings.read_text()
        assert old in text
        self.settings.write_text(text.replace(old, new))

    def start(self, *options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "callback", "probe", "-s", str(self.settings), *options]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def look(self, *options: str) -> tuple[int, Mapping[str, Any]]:
        """Run it, and give its exit status and what it said."""
        return self.end(self.start("--once", "--textfile", str(self.textfile), *options))

    def end(self, process: subprocess.Popen[str]) -> tuple[int, Mapping[str, Any]]:
        said, beside = process.communicate(timeout=100)
        assert said, beside
        (line,) = said.splitlines()
        told: Mapping[str, Any] = json.loads(line)
        return process.returncode, told


@pytest.fixture
def probe(pbx: Asterisk, twilio: FakeTwilio, tmp_path: Path) -> Probe:
    return Probe(pbx, twilio, tmp_path)


def results(told: Mapping[str, Any]) -> dict[str, str]:
    return {stage["stage"]: stage["result"] for stage in told["stages"]}


def stage(told: Mapping[str, Any], name: str) -> dict[str, Any]:
    (found,) = [stage for stage in told["stages"] if stage["stage"] == name]
    return dict(found)


WAVES = 2
"""How often each forger calls while the probe looks."""
ALL_OK = dict.fromkeys(("called-in", "found", "texted", "called-back", "talked"), "ok")
DEAF = {"called-in": "ok", "found": "failed", "texted": "failed", "called-back": "failed"}
CANNOT_DIAL = {"called-in": "ok", "found": "ok", "texted": "ok", "called-back": "failed"}


def test_a_sound_service_is_found_sound_with_its_seconds(service: Service, probe: Probe) -> None:
    status, told = probe.look()
    assert results(told) == ALL_OK
    assert (status, told["result"]) == (0, "ok")
    assert stage(told, "called-in")["seconds"] in {2, 3, 4}
    assert 0 <= stage(told, "texted")["seconds"] < 10
    assert 0 <= stage(told, "called-back")["seconds"] <= 8
    assert 2 <= stage(told, "talked")["seconds"] <= 5
    assert NUMBER not in json.dumps(told)
    assert service.outcome()["outcome"] == "reached"
    metrics = probe.textfile.read_text()
    assert "lcr_probe_result 0.0" in metrics
    assert 'lcr_probe_stage_result{stage="texted"} 0.0' in metrics
    assert not probe.alarms.exists()


def test_a_deaf_service_is_caught(pbx: Asterisk, probe: Probe, tmp_path: Path, twilio: FakeTwilio) -> None:
    """Its manager user may not hear of calls and queues; it runs, and is connected."""
    hears = ("read = system,call,agent,user,dialplan,reporting", "read = system,user,dialplan,reporting")
    with changed(pbx, MANAGER[0], *hears, MANAGER[1]), serving(pbx, tmp_path, twilio):
        status, told = probe.look()
    assert (status, told["result"]) == (1, "failed")
    assert results(told) == DEAF
    assert "deaf" in stage(told, "found")["cause"]
    assert "eventfilter" in stage(told, "found")["remedy"]
    (alarm,) = probe.alarms.read_text().splitlines()
    assert json.loads(alarm) == told
    assert "lcr_probe_result 1.0" in probe.textfile.read_text()


def test_a_service_that_stands_still_is_caught(service: Service, probe: Probe) -> None:
    assert service._process is not None  # noqa: SLF001 - the only way to stop it
    pid = service._process.pid  # noqa: SLF001
    os.kill(pid, signal.SIGSTOP)
    try:
        status, told = probe.look()
    finally:
        os.kill(pid, signal.SIGCONT)
    assert status == 1
    assert results(told) == DEAF


@pytest.mark.parametrize(
    ("file", "old", "new", "cause"),
    [
        (MANAGER, "write = call,originate,reporting", "write = call,reporting", "no agent was asked"),
        (TRUNK, "[lcr-probe-phone]", "[gone]", "the customer's phone never rang"),
    ],
    ids=["without the right to originate", "over a trunk that leads nowhere"],
)
def test_a_service_that_cannot_dial_is_caught(
    pbx: Asterisk,
    probe: Probe,
    tmp_path: Path,
    twilio: FakeTwilio,
    file: tuple[str, str],
    old: str,
    new: str,
    cause: str,
) -> None:
    with changed(pbx, file[0], old, new, file[1]), serving(pbx, tmp_path, twilio):
        status, told = probe.look()
    assert (status, told["result"]) == (1, "failed")
    assert results(told) == CANNOT_DIAL
    assert cause in stage(told, "called-back")["cause"]
    assert "callback" in stage(told, "called-back")["remedy"]


@pytest.mark.parametrize(
    ("conduct", "cause"),
    [
        (fake_twilio.error(21606), "asked for no text, or refused it"),
        (fake_twilio.undelivered(30007), "filtered by the carrier (error 30007)"),
    ],
    ids=["refused", "filtered"],
)
def test_a_service_whose_texts_fail_is_caught(
    service: Service, probe: Probe, twilio: FakeTwilio, conduct: Conduct, cause: str
) -> None:
    twilio.behave(NUMBER, *[conduct] * 5)
    status, told = probe.look()
    assert (status, told["result"]) == (1, "failed")
    assert results(told) == {**ALL_OK, "texted": "failed"}
    assert cause in stage(told, "texted")["cause"]


def test_a_pbx_that_is_away_is_not_known(probe: Probe) -> None:
    probe.change("port = ", "port = 1 # ")
    status, told = probe.look()
    assert (status, told["result"]) == (2, "unknown")
    assert results(told) == {"called-in": "unknown"}
    assert "does not answer" in stage(told, "called-in")["cause"]
    assert json.loads(probe.alarms.read_text()) == told


def test_what_the_probe_may_not_do_is_not_known(pbx: Asterisk, probe: Probe) -> None:
    probe.change(f'secret = "{pbx.probe_secret}"', 'secret = "wrong"')
    status, told = probe.look()
    assert (status, results(told)) == (2, {"called-in": "unknown"})
    assert "refused the login" in told["says"]
    assert "manager_lcr_probe.conf" in told["says"]


def test_callers_who_forge_headers_change_nothing(
    pbx: Asterisk, carrier: Carrier, probe: Probe, tmp_path: Path, twilio: FakeTwilio
) -> None:
    """While it looks, callers say by their numbers that it was called back, and that its connection is over."""
    words = ("\r\n\r\nResponse: Goodbye\r\n\r\n", "\r\nVal: x\r\nEvent: DBGetResponse\r\n\r\n", "\u2028Response: Error")
    with changed(pbx, TRUNK[0], "[lcr-probe-phone]", "[gone]", TRUNK[1]), serving(pbx, tmp_path, twilio):
        looking = probe.start("--once")
        reached: set[str] = set()
        for word in words * WAVES:
            written = "".join(f"%{byte:02x}" for byte in f"{CUSTOMER}{word}".encode())
            with suppress(PhoneError):  # a PBX that is busy may turn one away
                carrier.call(DID, caller=written).wait_answered()
                reached.add(word)
            carrier.hang_up()
            pbx.wait_quiet()
        status, told = probe.end(looking)
    assert reached == set(words)
    assert status == 1
    assert results(told) == CANNOT_DIAL
