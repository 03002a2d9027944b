"""Lines of evidence are read as they were written, and whatever is none stays as it stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callback.reports.timeline.evidence import EvidenceLine, read
from telephony.calls.call import moment
from tests.callback.world import NOON


@pytest.mark.parametrize(
    ("line", "name", "detail"),
    [
        (f"QueueCallerJoin support at {moment(NOON)}", "QueueCallerJoin", "support"),
        (f"Hangup caller cause 16 at {moment(NOON)}", "Hangup", "caller cause 16"),
        (f"AgentComplete 华语 at at by agent at {moment(NOON)}", "AgentComplete", "华语 at at by agent"),
        (f"agent connected at {NOON / 1e6:.3f}", "agent", "connected"),
    ],
)
def test_a_line_of_an_event_has_its_instant(line: str, name: str, detail: str) -> None:
    assert read([line]) == (EvidenceLine(NOON, name, detail),)


@pytest.mark.parametrize(
    "line", ["no sound from the caller's side for 11 s", "… 3 more", "", "x at 2026-99-99T00:00:00Z", "a at noon"]
)
def test_another_line_is_a_finding(line: str) -> None:
    assert read([line]) == (EvidenceLine(None, "", line),)


@given(st.text())
def test_nothing_that_is_written_there_fails(line: str) -> None:
    (found,) = read([line])
    assert found.detail in line
