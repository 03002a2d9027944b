"""Every table in tests/scenarios: its events in, its calls out. Their README says how they are written."""

import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from telephony.ami.protocol import Parser
from telephony.calls.tracker import Tracker
from telephony.calls.verdict import judge
from telephony.events import ChannelEvent, Confirmed, Denied, Detecting
from telephony.parsing import read
from tests.telephony.wire import written

SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios").glob("*.txt"))
EPOCH: Final = 1_795_307_000
SECOND: Final = 1_000_000
IDS: Final = {"Uniqueid", "Linkedid", "DestUniqueid", "DestLinkedid"}
WORDS = tuple[str, ...]


@dataclass
class Scenario:
    """A table, read: messages with their arrival, and the lines that must come out."""

    channels: dict[str, tuple[str, str]] = field(default_factory=dict)
    stamped: bool = True
    trunks: tuple[str, ...] = ()
    messages: list[tuple[int, bytes | ChannelEvent]] = field(default_factory=list)
    expected: list[WORDS] = field(default_factory=list)
    agent_calls: list[WORDS] = field(default_factory=list)

    def take(self, words: list[str]) -> None:
        match words:
            case ["channel", name, uniqueid, channel]:
                self.channels[name] = (uniqueid, channel)
            case ["stamped", "no"]:
                self.stamped = False
            case ["trunks", *trunks]:
                self.trunks = tuple(trunks)
            case [seconds, "Detecting" | "Denied" | "Confirmed" as kind, name, *number]:
                self.messages.append(self.note(float(seconds), kind, name, *number))
            case ["=>", *expected]:
                self.expected.append(tuple(expected))
            case ["dialled", *expected]:
                self.agent_calls.append(tuple(expected))
            case [seconds, event, name, *pairs]:
                self.messages.append(self.message(float(seconds), event, name, pairs))

    def message(self, seconds: float, event: str, name: str, pairs: list[str]) -> tuple[int, bytes]:
        at = EPOCH * SECOND + round(seconds * SECOND)
        uniqueid, channel = self.channel(name)
        linkedid = next(iter(self.channels.values()))[0]
        told = [(key, value) for key, _, value in (pair.partition("=") for pair in pairs)]
        lines = [("Event", event), ("Channel", channel), ("Uniqueid", uniqueid)]
        if self.stamped:
            lines.append(("Timestamp", f"{at // SECOND}.{at % SECOND:06d}"))
        if "Linkedid" not in dict(told):
            lines.append(("Linkedid", linkedid))
        lines += [(key, self.channel(value)[0] if key in IDS else value) for key, value in told]
        return at, written(lines) + b"\r\n\r\n"

    def note(self, seconds: float, kind: str, name: str, *number: str) -> tuple[int, ChannelEvent]:
        at = EPOCH * SECOND + round(seconds * SECOND)
        uniqueid, channel = self.channel(name)
        about = (at, uniqueid, next(iter(self.channels.values()))[0], channel)
        if kind == "Confirmed":
            return at, Confirmed(*about, *number)
        return at, (Detecting if kind == "Detecting" else Denied)(*about)

    def channel(self, name: str) -> tuple[str, str]:
        number = len(self.channels) + 1
        return self.channels.setdefault(name, (f"{EPOCH}.{number}", f"PJSIP/{name}-{number:08x}"))


def scenario_of(path: Path) -> Scenario:
    scenario = Scenario()
    for line in path.read_text().splitlines():
        words = shlex.split(line, comments=True)
        if words:
            scenario.take(words)
    return scenario


def outcome_of(scenario: Scenario) -> tuple[list[WORDS], list[WORDS]]:
    tracker, parser, now, calls = Tracker("main", trunks=scenario.trunks), Parser(), 0, []
    parser.feed(b"Asterisk Call Manager/11.0.0\r\n")
    for at, item in scenario.messages:
        now = max(now, at)
        if isinstance(item, ChannelEvent):
            calls += tracker.feed(item, now)
            continue
        for message in parser.feed(item):
            event = read(message, now)
            calls += tracker.feed(event, now) if event else []
    names = {uniqueid: name for name, (uniqueid, _) in scenario.channels.items()}
    lines = []
    for call in calls + tracker.finish(now + 2 * SECOND):
        verdict = judge(call)
        told = (call.number, call.queue, verdict.kind, verdict.reason, verdict.side)
        seconds = (f"{verdict.waited_s:g}", f"{verdict.talked_s:g}")
        lines.append((names[call.call_id], *[word or "-" for word in told], *seconds, verdict.source))
    dialled: list[WORDS] = [
        (call.phone, call.channel, call.dial_string, f"{call.talked_s:g}", call.mute or "-")
        for call in tracker.agent_calls
    ]
    return lines, dialled


def normal(words: WORDS) -> WORDS:
    """Give a line with its seconds as numbers are printed, and nothing more."""
    *head, waited, talked, source = words
    return (*head, f"{float(waited):g}", f"{float(talked):g}", source)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_events_in_call_out(path: Path) -> None:
    scenario = scenario_of(path)
    assert outcome_of(scenario) == ([normal(line) for line in scenario.expected], scenario.agent_calls)


def test_there_are_scenarios() -> None:
    assert len(SCENARIOS) > 90
