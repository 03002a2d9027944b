"""What fails at each try is said once, and once more when it is over."""

from __future__ import annotations

import logging

import pytest

from callback.errors import StoreAway
from callback.logs.failing import Failing


def test_what_changes_is_said_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    failing = Failing(logging.getLogger("callback.service.worker"))
    full, away = StoreAway("the disk is full; make room"), StoreAway("it cannot be reached; start the server")
    for _ in range(60):
        failing.fails("act", full)
        failing.fails("renew", full)
        failing.works("offer")
    failing.fails("act", away)
    for _ in range(3):
        failing.works("act")
    failing.fails("act", full)
    said = [record.getMessage() for record in caplog.records]
    assert [line.partition(" ")[0].strip(":") for line in said] == ["act", "renew", "act", "act", "act"]
    assert "make room" in said[0]
    assert "start the server" in said[2]
    assert said[3] == "act: works again"
    assert "Traceback" not in caplog.text


def test_what_nobody_foresaw_has_its_traceback_once(caplog: pytest.LogCaptureFixture) -> None:
    failing = Failing(logging.getLogger("callback.service.worker"))
    missing = KeyError("queue")
    for _ in range(60):
        failing.tried("look up whom to text", missing)
    failing.tried("look up whom to text", None)
    assert [message.partition(" (")[0] for message in caplog.messages] == [
        "look up whom to text",
        "look up whom to text: works again",
    ]
    assert [record.exc_info is not None for record in caplog.records] == [True, False]
    assert "KeyError: 'queue'" in caplog.messages[0]
