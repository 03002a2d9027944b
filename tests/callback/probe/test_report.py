"""How a run is told: as JSON, to people, to Prometheus, and by the alarms of the site."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from callback.errors import CallbackError
from callback.probe import api, report, texts
from callback.probe.errors import NotKnown
from callback.probe.run import Outcome
from callback.probe.settings import Alarms, Api, Texts
from callback.probe.stages import Stage

STAGES = (
    Stage("called-in", "ok", 15.0),
    Stage("texted", "skipped", None, "no gateway's record is named"),
    Stage("called-back", "failed", None, "nobody called back", "look at calls"),
)
OUTCOME = Outcome("failed", "+12125550123", datetime(2026, 12, 1, 9, tzinfo=UTC), STAGES)


@pytest.fixture
def hook() -> Iterator[tuple[str, list[bytes]]]:
    got: list[bytes] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(500 if self.path == "/broken" else 204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", got
        server.shutdown()
        thread.join()


def test_the_object_names_stage_cause_and_remedy_and_no_whole_number() -> None:
    told = report.facts(OUTCOME)
    assert told["result"] == "failed"
    assert told["says"] == "the service failed the probe: called-back: nobody called back; look at calls"
    assert told["stages"][0] == {"stage": "called-in", "result": "ok", "seconds": 15.0}
    assert "+12125550123" not in json.dumps(told)
    assert told["number"] == "…0123"


def test_people_get_a_line_for_each_stage_and_remedy() -> None:
    lines = list(report.lines(OUTCOME))
    assert [line.split()[0] for line in lines] == ["ok", "-", "FAULT", "->"]


def test_the_metrics_are_written_in_one_go(tmp_path: Path) -> None:
    file = tmp_path / "lcr_probe.prom"
    report.write_textfile(file, OUTCOME)
    text = file.read_text()
    assert "lcr_probe_result 1.0" in text
    assert 'lcr_probe_stage_seconds{stage="called-in"} 15.0' in text
    assert 'stage="texted"' not in text
    assert f"lcr_probe_last_run_timestamp_seconds {OUTCOME.at.timestamp():.9e}"[:50] in text or "1.7961156e+09" in text
    assert list(tmp_path.iterdir()) == [file]
    with pytest.raises(CallbackError, match="--textfile"):
        report.write_textfile(tmp_path / "nowhere" / "x.prom", OUTCOME)


def test_an_alarm_goes_by_all_channels(tmp_path: Path, hook: tuple[str, list[bytes]]) -> None:
    url, got = hook
    taken = tmp_path / "taken"
    settings = Alarms(command=("/bin/sh", "-c", f"cat > {taken}"), url=url)
    told = report.facts(OUTCOME)
    assert report.alarm(settings, told) == []
    assert json.loads(taken.read_text()) == told
    assert [json.loads(each) for each in got] == [told]


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (("/bin/false",), "ended with status 1"),
        (("/nowhere/program",), "name a program that can be run"),
        (("/bin/sleep", "60"), "took longer than timeout_s = 0.5"),
    ],
)
def test_a_channel_that_fails_is_told_and_costs_no_other(
    hook: tuple[str, list[bytes]], command: tuple[str, ...], why: str
) -> None:
    url, got = hook
    (fault,) = report.alarm(Alarms(command=command, url=url, timeout_s=0.5), report.facts(OUTCOME))
    assert why in fault
    assert len(got) == 1


def test_what_answers_in_no_http_is_told_or_not_known() -> None:
    """As a proxy that hangs up in the middle of its words; none of it ends the probe."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"

        def answer() -> None:
            for _ in range(3):
                asking, _ = server.accept()
                with asking:
                    asking.recv(65536)
                    asking.sendall(b"nonsense\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        (fault,) = report.alarm(Alarms(url=url), report.facts(OUTCOME))
        with pytest.raises(NotKnown, match="cannot be read"):
            texts.watch(Texts(watch="url", url=url, holds="{number}"), "+12125550123", OUTCOME.at)
        with pytest.raises(NotKnown, match="does not say"):
            api.known(Api.model_validate({"url": url, "token": "t"}), 0)
        thread.join()
    assert "no answer in HTTP" in fault


def test_an_address_that_is_none_is_told_without_it() -> None:
    (fault,) = report.alarm(Alarms(url="http://127.0.0.1:1/hush hush"), report.facts(OUTCOME))
    assert "hush" not in fault


def test_a_url_that_refuses_is_told(hook: tuple[str, list[bytes]]) -> None:
    (fault,) = report.alarm(Alarms(url=f"{hook[0]}/broken"), report.facts(OUTCOME))
    assert "500" in fault
