"""Tells how a run went: one JSON object, lines for people, Prometheus' textfile, and the alarms of the site."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from callback.errors import CallbackError
from callback.probe.run import Outcome
from callback.probe.settings import Alarms
from callback.probe.stages import EXITS

_SHOWN: Final = 4
_WORDS: Final = {"ok": "ok", "failed": "FAULT", "unknown": "NOT KNOWN", "skipped": "-"}
_SAYS: Final = {
    "ok": "the probe was found, texted and called back",
    "failed": "the service failed the probe",
    "unknown": "the probe cannot say how the service stands",
    "skipped": "the probe called nobody",
}


def facts(outcome: Outcome) -> dict[str, Any]:
    """Give the outcome for programs; of the number its end alone."""
    bad = next((stage for stage in outcome.stages if stage.result in {"failed", "unknown"}), None)
    says = _SAYS[outcome.result] + (f": {bad.name}: {bad.cause}; {bad.remedy}" if bad else "")
    return {
        "event": "probe",
        "result": outcome.result,
        "at": outcome.at.isoformat(timespec="seconds"),
        "number": f"…{outcome.number[-_SHOWN:]}" if outcome.number else "",
        "says": says,
        "stages": [
            {
                "stage": stage.name,
                "result": stage.result,
                "seconds": stage.seconds,
                **({"cause": stage.cause} if stage.cause else {}),
                **({"remedy": stage.remedy} if stage.remedy else {}),
            }
            for stage in outcome.stages
        ],
    }


def lines(outcome: Outcome) -> Iterator[str]:
    """Give it for people: a line for each stage."""
    for stage in outcome.stages:
        after = "" if stage.seconds is None else f" {stage.seconds:g} s"
        cause = f" {stage.cause}" if stage.cause else ""
        yield f"{_WORDS[stage.result]:<10}{stage.name:<12}{after}{cause}"
        if stage.remedy:
            yield f"{'':<10}-> {stage.remedy}"


def write_textfile(file: Path, outcome: Outcome) -> None:
    """Write the metrics for node_exporter's textfile collector, in one go."""
    registry = CollectorRegistry()
    result = Gauge("lcr_probe_result", "0: ok, 1: the service failed, 2: not known", registry=registry)
    result.set(EXITS[outcome.result])
    last = Gauge("lcr_probe_last_run_timestamp_seconds", "When the probe called last", registry=registry)
    last.set(outcome.at.timestamp())
    told = Gauge("lcr_probe_stage_result", "0: ok, 1: failed, 2: not known", ["stage"], registry=registry)
    took = Gauge("lcr_probe_stage_seconds", "How long the stage took", ["stage"], registry=registry)
    for stage in outcome.stages:
        if stage.result != "skipped":
            told.labels(stage.name).set(EXITS[stage.result])
        if stage.seconds is not None:
            took.labels(stage.name).set(stage.seconds)
    try:
        write_to_textfile(str(file), registry)
    except OSError as error:
        raise CallbackError(f"--textfile {file}: {error.strerror}; name a file that can be written") from error


def alarm(settings: Alarms, told: dict[str, Any]) -> list[str]:
    """Pass it on by all channels; give the faults of those that did not take it."""
    body = json.dumps(told).encode()
    faults = []
    if settings.command and (fault := _hand_over(settings, body)):
        faults.append(f"[alarms] command: {fault}")
    if settings.url and (fault := _post(settings, body)):
        faults.append(f"[alarms] url: {fault}")
    return faults


def _hand_over(settings: Alarms, body: bytes) -> str:
    """Run the site's program with the alarm on its standard input; no shell sees it."""
    quiet = subprocess.DEVNULL
    try:
        process = subprocess.Popen(  # noqa: S603 - the site's own program
            settings.command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, start_new_session=True
        )
    except OSError as error:
        return f"{error.strerror}; name a program that can be run"
    try:
        process.communicate(body, timeout=settings.timeout_s)
    except subprocess.TimeoutExpired:
        return f"took longer than timeout_s = {settings.timeout_s:g}"
    except BrokenPipeError:
        process.wait(settings.timeout_s)  # it reads nothing, which is its own affair
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # and what it has started
            process.wait()
    return "" if process.returncode == 0 else f"ended with status {process.returncode}; try it by hand"


def _post(settings: Alarms, body: bytes) -> str:
    headers = {"Content-Type": "application/json"}
    asked = urllib.request.Request(settings.url, data=body, headers=headers)  # noqa: S310 - http and https alone
    try:
        with urllib.request.urlopen(asked, timeout=settings.timeout_s):  # noqa: S310 - as above
            return ""
    except (OSError, ValueError) as error:
        return str(error)
    except http.client.HTTPException as error:
        return f"no answer in HTTP ({type(error).__name__})"
