"""A whole run's lines, its log and its texts, as JSON: each is one object, and in none stands anybody's number."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from lab.recorded import RecordedCentre
from tests.callback.service.watching.running import PATIENCE_S, watched

SWITCHED_ON = """
[rules.queues.support]
texts = "on"
calls = "on"
caller_id = "0312345678"
"""


@pytest.mark.timeout(240)
def test_every_line_of_a_run_is_an_object_without_a_number(tmp_path: Path) -> None:
    log = tmp_path / "one.log"
    with RecordedCentre(print) as centre:
        access = centre.access
        pbx = (access.port, access.username, access.secret)
        with watched(tmp_path, "one", f"sqlite:///{tmp_path}/calls.db", pbx, rules=SWITCHED_ON) as one:
            centre.begin()
            ends = time.monotonic() + PATIENCE_S
            while '"event": "reserved"' not in log.read_text() and time.monotonic() < ends:
                time.sleep(0.2)
            status = one.asks("/metrics")
    written = [json.loads(line) for line in log.read_text().splitlines()]
    assert {"call", "reserved"} <= {one["event"] for one in written if "event" in one}
    for one_line in written:
        assert {"pbx", "node", "role", "says", "level", "time", "log"} <= one_line.keys(), one_line
    assert all("reservation" in one_line for one_line in written if one_line.get("event") == "reserved")
    assert re.findall(r"(?<!\d)(?:\+81|0)90\d{8}", log.read_text()) == []
    assert re.findall(r'"[^"\n]*90\d{8}[^"\n]*"', status[1]) == []  # a value may have such digits, a label may not
