"""Rules are published while the service runs: whoever is lost next is promised by them, and no restart is needed."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from callback.store import tables as t
from lab.asterisk import Asterisk
from lab.phone import Carrier, Phone
from scheduler.clock import MINUTE
from tests.live.desk import DID, pause
from tests.live.service import Service

pytestmark = pytest.mark.live

LATER_S = 20
"""From a publish to its time: a slow machine starts the command and loses a caller before that."""


def publish(service: Service, folder: Path, window_min: int, *more: str) -> str:
    """Publish the rules of the settings with another window, as a person would at the command line."""
    file = folder / f"window-{window_min}.toml"
    shorter = f"[rules]\nwindow_min = {window_min}\naim_min = {window_min // 2}\n"
    file.write_text(service.settings.read_text().replace("[rules]\n", shorter))
    said = [sys.executable, "-m", "callback", "rules", "publish", str(file), "-s", str(service.settings)]
    said += ["--by", "bo", "--why", "a quiet day", *more]
    done = subprocess.run(said, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def lose(carrier: Carrier, service: Service, number: str) -> Any:
    """Let somebody give up, and give the promise that was made."""
    call = carrier.call(DID, caller=number).wait_answered()
    time.sleep(1.3)  # that long they wait: it is what the call is about
    since = service.mark()
    call.hang_up()
    reservation = service.wait("reserved", since=since)["reservation"]
    (promise,) = [row for row in service.rows(t.promise) if row.reservation_id == reservation]
    return promise


def window(promise: Any) -> int:
    minutes: int = (promise.deadline_at - promise.clock_starts_at) // MINUTE
    return minutes


def test_what_is_published_holds_for_the_next_caller_without_a_restart_and_for_no_earlier_one(
    pbx: Asterisk, carrier: Carrier, agent: Phone, tmp_path: Path
) -> None:
    with Service(pbx, tmp_path) as service:
        pause(pbx, paused=True)
        first = lose(carrier, service, "09011115678")
        assert (first.rules_version, window(first)) == (1, 60)
        assert "version 2 of the rules is in force" in publish(service, tmp_path, 30)
        for number in ("09022225678", "09033335678"):
            promise = lose(carrier, service, number)
            assert (promise.rules_version, window(promise)) == (2, 30)
        assert service.wait("rules-in-force")["version"] == 2
        from_at = (datetime.now(UTC) + timedelta(seconds=LATER_S)).isoformat(timespec="seconds")
        publish(service, tmp_path, 20, "--at", from_at)
        before = lose(carrier, service, "09044445678")
        early = before.made_at < datetime.fromisoformat(from_at).timestamp() * 1e6
        assert (before.rules_version, window(before)) == ((2, 30) if early else (3, 20))
        service.wait("rules-in-force", lambda told: told["version"] == 3)
        after = lose(carrier, service, "09055555678")
        assert (after.rules_version, window(after)) == (3, 20)
        assert next(row for row in service.rows(t.promise) if row.reservation_id == first.reservation_id) == first
        assert [told["event"] for told in service.news()].count("started") == 1


def test_a_restart_leaves_what_was_published_and_a_file_changed_since_is_told(
    pbx: Asterisk, carrier: Carrier, agent: Phone, tmp_path: Path
) -> None:
    with Service(pbx, tmp_path) as service:
        pause(pbx, paused=True)
        publish(service, tmp_path, 30)
        service.wait("rules-in-force")
        service.stop()
        service.settings.write_text(service.settings.read_text().replace("[rules]\n", "[rules]\nwindow_min = 45\n"))
        service.start()
        assert service.wait("rules-conflict")["keys"] == ["window_min"]
        promise = lose(carrier, service, "09011115678")
        assert (promise.rules_version, window(promise)) == (2, 30)
