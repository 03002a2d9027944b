"""Tells what happened, line by line: to people on standard output, to programs as JSON lines."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from typing import IO, Any
from zoneinfo import ZoneInfo

from callback.news import News
from scheduler.clock import local

Facts = dict[str, Any]


class Narrator:
    """Writes each piece of news as one line; safe to call from several threads."""

    def __init__(self, zone: ZoneInfo, people: IO[str], programs: IO[str] | None = None) -> None:
        self._zone, self._people, self._programs = zone, people, programs
        self._lock = threading.Lock()

    def tell(self, news: Iterable[News]) -> None:
        """Write the news in order and flush."""
        with self._lock:
            for piece in news:
                print(self._line(piece), file=self._people, flush=True)
                if self._programs is not None:
                    record = {"event": piece.event, "at": piece.at, **piece.facts}
                    print(json.dumps(record, ensure_ascii=False), file=self._programs, flush=True)

    def _line(self, piece: News) -> str:
        told = _LINES.get(piece.event, _plainly)(piece.facts, self._time)
        return f"{self._time(piece.at)}  {piece.event:<15} {told}"

    def _time(self, at: int) -> str:
        return f"{local(at, self._zone):%H:%M:%S}"


Time = Callable[[int], str]


def _plainly(facts: Facts, _time: Time) -> str:
    return ", ".join(f"{key} {value}" for key, value in facts.items() if value is not None)


def _call(facts: Facts, _time: Time) -> str:
    why = ", ".join(word for word in (facts["reason"], facts["side"] and f"{facts['side']} side") if word)
    kind = f"{facts['kind']} ({why})" if why else facts["kind"]
    talked = f", talked {facts['talked_s']:.0f} s" if facts["talked_s"] else ""
    return f"{facts['number'] or 'no number'} in {facts['queue']}: {kind}, waited {facts['waited_s']:.0f} s{talked}"


def _reserved(facts: Facts, time: Time) -> str:
    text = "a text follows" if facts["text"] else "no text (texts are not on for him)"
    by = f"call by {time(facts['aim_at'])}, {time(facts['deadline_at'])} at the latest"
    return f"#{facts['reservation']} {facts['number']} for {facts['queue']}: {by} ({facts['promise']}); {text}"


def _merged(facts: Facts, time: Time) -> str:
    return f"#{facts['reservation']} lost again ({facts['losses']} times), still by {time(facts['deadline_at'])}"


def _dialling(facts: Facts, _time: Time) -> str:
    return f"#{facts['reservation']} attempt {facts['number']}: looking for an agent of {facts['queue']}"


def _agent_connected(facts: Facts, _time: Time) -> str:
    return f"#{facts['reservation']} {facts['agent'] or 'an agent'} answered; now the customer"


def _customer(words: str) -> Callable[[Facts, Time], str]:
    return lambda facts, _time: f"#{facts['reservation']} {words}"


def _outcome(facts: Facts, time: Time) -> str:
    again = f"; again at {time(facts['again_at'])}" if facts.get("again_at") else ""
    number, outcome, state = facts["reservation"], facts["outcome"], facts["state"]
    return f"#{number} {outcome}{again}" if state in (outcome, "waiting") else f"#{number} {outcome}: {state}{again}"


def _returned(facts: Facts, _time: Time) -> str:
    return f"#{facts['reservation']} he got through by himself: nothing more is owed to him"


def _text(facts: Facts, _time: Time) -> str:
    return f"{facts['line']}"


_LINES: dict[str, Callable[[Facts, Time], str]] = {
    "call": _call,
    "reserved": _reserved,
    "merged": _merged,
    "dialling": _dialling,
    "agent-connected": _agent_connected,
    "customer-dialled": _customer("the customer is being dialled"),
    "customer-answered": _customer("the customer answered"),
    "outcome": _outcome,
    "returned": _returned,
    "text": _text,
}
