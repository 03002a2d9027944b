"""The recorded streams, as events with their arrival: what the tests of tracker and verdict are fed with."""

from dataclasses import replace
from functools import cache
from pathlib import Path

from telephony.events import Event
from telephony.parsing import read
from telephony.replay import Clock, messages_of

STREAMS = Path(__file__).parents[1] / "streams"
NAMES = tuple(sorted(path.name.removesuffix(".ami.gz") for path in STREAMS.glob("*.ami.gz")))
LOSSES = tuple(sorted(f"losses/{path.name.removesuffix('.ami.gz')}" for path in (STREAMS / "losses").glob("*.ami.gz")))
"""Ways in which calls are lost, and what looks like them, recorded on the lab's PBX: callers come in on PJSIP/trunk."""


def path_of(name: str) -> Path:
    return STREAMS / f"{name}.ami.gz"


@cache
def events_of(name: str) -> tuple[Event, ...]:
    """Give a stream's events in order; `at` is also when each arrived."""
    clock, events = Clock(), []
    for message in messages_of(path_of(name)):
        stamped = clock.read(message)
        event = read(message, clock.now)
        if event is not None:
            events.append(event if stamped else replace(event, at=clock.move(event)))
    return tuple(events)
