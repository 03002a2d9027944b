"""A trunk that refuses every call, on a real Asterisk: it rests, people hear of it, and it is found to work again."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from callback.store import tables as t
from lab import phone
from lab.asterisk import Asterisk
from lab.phone import Carrier, Phone, Script
from scheduler.breaker import IN_A_ROW
from tests.live.desk import CUSTOMER, lose, pause
from tests.live.service import Service

pytestmark = pytest.mark.live

UNAVAILABLE = Script(0, 503, rings=False)
REST_S = 5


class _Hook(BaseHTTPRequestHandler):
    """Takes alarms as a site's own program would."""

    alarms: list[dict[str, Any]]

    def do_POST(self) -> None:
        self.alarms.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        pass


@pytest.fixture
def alarms(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """What reached the URL that the settings name."""
    got: list[dict[str, Any]] = []
    with HTTPServer(("127.0.0.1", 0), type("Hook", (_Hook,), {"alarms": got})) as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        monkeypatch.setenv("CALLBACK_ALARMS__URL", f"http://127.0.0.1:{server.server_port}/hook")
        yield got
        server.shutdown()
        serving.join()


@pytest.fixture
def service(pbx: Asterisk, tmp_path: Path, alarms: list[dict[str, Any]]) -> Iterator[Service]:
    with Service(pbx, tmp_path, retry_our_fault_min=0.01, trunk_rest_s=REST_S) as running:
        yield running


def test_a_trunk_that_fails_rests_and_is_found_to_work_again(
    pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service, alarms: list[dict[str, Any]]
) -> None:
    carrier.behave(CUSTOMER, *[UNAVAILABLE] * IN_A_ROW, phone.answer(0.2, talk_s=3.2))
    lose(carrier, service)
    pause(pbx, paused=False)
    resting = service.wait("trunk-resting", timeout_s=60)
    assert (resting["trunk"], resting["again"]) == ("main", False)
    back = service.wait("trunk-back", since=service.news().index(resting), timeout_s=60)
    assert back["trunk"] == "main"
    refused, trial = service.rows(t.attempt)[:IN_A_ROW], service.rows(t.attempt)[IN_A_ROW]
    assert {row.outcome for row in refused} == {"trunk-failure"}
    assert trial.outcome == "reached"
    assert trial.claimed_at >= resting["until_at"], "nobody was dialled while it rested"
    assert len(carrier.rings_of(CUSTOMER)) == IN_A_ROW + 1
    (row,) = service.rows(t.reservation)
    assert (row.state, row.tries) == ("reached", 1), "what the trunk did cost him no try"
    (told,) = (alarm for alarm in alarms if alarm["event"] == "trunk-resting")
    assert told["until_at"] == resting["until_at"]
    assert told["says"].startswith("trunk main failed several times in a row: nobody is called over it until ")
