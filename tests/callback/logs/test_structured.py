"""Logs as JSON: one object a line whatever happens, with what it is about, and without anybody's number."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from typing import Any

import pytest

from callback.logs.structured import JsonFormatter


def said(*, full: bool = False, **extra: Any) -> dict[str, Any]:
    """What is written of a fault in whose traceback and message a number stands."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter({"pbx": "main", "node": "here:1", "role": "all"}, full_numbers=full))
    log = logging.getLogger("callback.test.structured")
    log.addHandler(handler)
    log.propagate = False
    try:
        int("+819012345678\nis no good")
    except ValueError:
        log.exception("put aside: %r\nfor good", {"number": "09012345678"}, extra=extra)
    log.removeHandler(handler)
    (line,) = stream.getvalue().splitlines()
    written: dict[str, Any] = json.loads(line)
    return written


def test_a_traceback_is_part_of_its_object() -> None:
    written = said(reservation=12, attempt="a1", call_id="1.2")
    assert written["traceback"].count("\n") > 2
    assert {name: written[name] for name in ("pbx", "node", "role", "reservation", "attempt", "call_id")} == {
        "pbx": "main",
        "node": "here:1",
        "role": "all",
        "reservation": 12,
        "attempt": "a1",
        "call_id": "1.2",
    }
    assert written["level"] == "error"
    assert written["log"] == "callback.test.structured"


@pytest.mark.parametrize("full", [True, False])
def test_numbers_are_masked_in_message_and_traceback(*, full: bool) -> None:
    written = said(full=full)
    assert ("+819012345678" in written["traceback"], "'09012345678'" in written["says"]) == (full, full)


@pytest.mark.parametrize("where", ["main", "thread", "warning"])
def test_what_nobody_caught_is_one_object_too(where: str) -> None:
    happens = {
        "main": "fault()",
        "thread": "t = threading.Thread(target=fault); t.start(); t.join()",
        "warning": "warnings.warn('of 09012345678')",
    }[where]
    program = (
        "import threading, warnings\n"
        "from callback.logs.structured import log_as_json\n"
        "log_as_json({'pbx': 'main'}, full_numbers=False)\n"
        "def fault(): raise ValueError('of 09012345678')\n"
        f"{happens}\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    (line,) = ended.stderr.splitlines()
    written = json.loads(line)
    assert written["pbx"] == "main"
    assert "12345678" not in line
