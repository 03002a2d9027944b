"""Which of a probe's variables arrive: so what the PBX filters away is known without a right to read its settings."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from callback.operations.doctor.finding import Finding, fault, sound, warning

NEEDED: Final = ("QUEUESTATUS", "lcr-doctor")
"""A variable as the service reads it."""
MARKED: Final = ("LCR_FILTER_1", "lcr-doctor")
"""What only a PBX sends that filters by manager_lcr.conf as it is now, or does not filter at all."""
NOT_READ: Final = "__LCR_ID"
"""A variable of the probe that nobody here reads."""
_NAMES: Final = (
    "VarSet",
    "Newexten",
    "Newstate",
    "NewConnectedLine",
    "NewAccountCode",
    "DeviceStateChange",
    "ExtensionStatus",
    "PresenceStateChange",
    "TestEvent",
    "RTCPSent",
    "RTCPReceived",
    "MusicOnHoldStart",
    "MusicOnHoldStop",
    "BridgeCreate",
    "BridgeDestroy",
    "BridgeLeave",
    "DialState",
    "LocalBridge",
    "HangupHandlerPush",
    "HangupHandlerRun",
    "ChannelTalkingStart",
    "ContactStatus",
    "PeerStatus",
    "Cdr",
    "CEL",
)
BAIT: Final = ("QUEUESTATUS", " ".join(f"Event: {name}" for name in _NAMES))
"""What a caller may write into a number: the names of what a site would filter away, in an event that is needed."""

REMEDY: Final = "manager.conf: the two eventfilter lines of manager_lcr.conf, and no others, then `manager reload`"


def originated() -> list[tuple[str, str]]:
    """Give the headers of an Originate that set these variables."""
    return [("Variable", f"{name}={value}") for name, value in (NEEDED, BAIT, MARKED)]


def look(heard: Collection[tuple[str, str]]) -> Iterator[Finding]:
    """Judge by the variables that were heard, each with its value; without NEEDED nothing is proved."""
    if NEEDED not in heard:
        return
    if BAIT not in heard:
        yield fault(
            "an eventfilter looks for names anywhere in an event: callers can hide events by what their number holds",
            REMEDY,
        )
    elif any(name == NOT_READ for name, _ in heard):
        yield warning(
            "the PBX sends much that nobody here reads: half of all events and more, VarSet most of all", REMEDY
        )
    elif MARKED not in heard:
        yield warning("an eventfilter that is not ours: that it leaves what a real call brings is not proved", REMEDY)
    else:
        yield sound("the PBX sends what is read here, and little else (eventfilter)")
