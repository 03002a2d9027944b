"""What people did on the lab's floor, as the least privileged user heard it: the same verdict on Asterisk 22 and 16."""

from __future__ import annotations

from typing import Final

import pytest

from telephony.replay import calls_of
from tests.telephony.recorded import STREAMS

FLOOR: Final = STREAMS / "floor"
Line = tuple[str | None, str, str | None, str | None]
TRUE: Final[dict[str, list[Line]]] = {
    "attended-to-queue": [("desk10", "served", None, None)],
    "attended-then-agent-drops": [("desk10", "dropped", "line-failed", "agent")],
    "attended-then-caller-drops": [("desk10", "dropped", "line-failed", "customer")],
    "gives-up-during-consultation": [("desk10", "served", None, None)],
    "blind-to-queue-then-abandons": [("desk11", "abandoned", "gave-up-while-ringing", None)],
    "blind-to-queue-then-time-out": [("desk11", "blocked", "queue-time-out", None)],
    "blind-to-queue-then-agent-drops": [("desk11", "dropped", "line-failed", "agent")],
    "time-out-then-next-queue": [("desk11", "served", None, None)],
    "local-agent-drops": [("local10", "dropped", "line-failed", "agent")],
    "local-agent-rtp-time-out": [("local74", "dropped", "media-time-out", "agent")],
    "ami-hangup-without-cause": [("desk10", "unknown", "end-unexplained", None)],
    "cli-hangup": [("desk10", "dropped", "cut-off", "system")],
    "cli-hangup-agent": [("desk10", "dropped", "cut-off", "system")],
    "survey-after-talk": [("desk10", "served", None, None)],
    "closed-told": [("sales", "blocked", "closed", None)],
    "closed-by-clock": [(None, "blocked", "turned-away", None)],
    "message-then-hangup34": [(None, "blocked", "congestion", None)],
    "menu-then-queue-abandons": [("desk10", "abandoned", "gave-up-waiting", None)],
    "time-out-then-voicemail": [("desk10", "blocked", "queue-time-out", None)],
    "time-out-then-reception": [("desk10", "served", None, None)],
    "last-agent-leaves": [("leaving", "blocked", "queue-left-empty", None)],
    "no-free-line": [("desk10", "abandoned", "gave-up-waiting", None), (None, "blocked", "congestion", None)],
    "rtp-time-out-while-waiting": [("desk10", "blocked", "media-time-out", "customer")],
    "phone-suppresses-silence": [("desk10", "served", None, None)],
}


def test_every_stream_has_its_line() -> None:
    names = {path.name.removesuffix(".ami.gz").removesuffix("-ast16") for path in FLOOR.glob("*.ami.gz")}
    assert names == set(TRUE)


@pytest.mark.parametrize("version", ["", "-ast16"])
@pytest.mark.parametrize("name", TRUE)
def test_each_is_judged_as_it_happened(name: str, version: str) -> None:
    found = calls_of(FLOOR / f"{name}{version}.ami.gz", trunks=("PJSIP/trunk-", "PJSIP/watched-"))
    assert [(call.queue, verdict.kind, verdict.reason, verdict.side) for call, verdict in found] == TRUE[name]
