"""Tells what happened, line by line: to people on standard output, to programs as JSON lines."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable
from typing import IO, Any
from zoneinfo import ZoneInfo

from callback.news import News
from scheduler.clock import local

log = logging.getLogger(__name__)

Facts = dict[str, Any]


class Narrator:
    """Writes each piece of news as one line; safe to call from several threads."""

    def __init__(self, zone: ZoneInfo, people: IO[str], programs: IO[str] | None = None) -> None:
        self._zone, self._people, self._programs = zone, people, programs
        self._lock = threading.Lock()
        self._deaf: list[IO[str]] = []

    def tell(self, news: Iterable[News]) -> None:
        """Write the news in order and flush. Who does not listen any more stops nothing: it is logged, once."""
        with self._lock:
            for piece in news:
                record = {"event": piece.event, "at": piece.at, **piece.facts}
                self._write(self._people, self._line(piece))
                self._write(self._programs, json.dumps(record, ensure_ascii=False))

    def _write(self, stream: IO[str] | None, line: str) -> None:
        if stream is None or stream in self._deaf:
            return
        try:
            print(line, file=stream, flush=True)
        except (OSError, ValueError) as error:
            self._deaf.append(stream)
            log.error("%s takes no more news: %s", getattr(stream, "name", stream), error)  # noqa: TRY400

    def _line(self, piece: News) -> str:
        told = " ".join(_LINES.get(piece.event, _plainly)(piece.facts, self._time).split())
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
    whose = f"{facts['number'] or 'no number'} in {facts['queue'] or 'no queue'}"
    return f"{whose}: {kind}, waited {facts['waited_s']:.0f} s{talked}"


def _reserved(facts: Facts, time: Time) -> str:
    text = "a text follows" if facts["text"] else "no text (texts are not on for him)"
    by = f"call by {time(facts['aim_at'])}, {time(facts['deadline_at'])} at the latest"
    return f"#{facts['reservation']} {facts['number']} for {facts['queue']}: {by} ({facts['promise']}); {text}"


def _merged(facts: Facts, time: Time) -> str:
    return f"#{facts['reservation']} lost again ({facts['losses']} times), still by {time(facts['deadline_at'])}"


def _not_recovered(facts: Facts, _time: Time) -> str:
    return f"{facts['number'] or 'no number'}: {facts['why']}"


def _withdrawn(facts: Facts, _time: Time) -> str:
    return f"#{facts['reservation']} the call was not lost after all"


def _carried_over(facts: Facts, time: Time) -> str:
    again = f"from {time(facts['from_at'])}, {time(facts['deadline_at'])} at the latest"
    return f"#{facts['reservation']} not kept today: {again}"


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


def _expired(facts: Facts, _time: Time) -> str:
    why = facts["why"].replace("-", " ")
    return f"#{facts['reservation']} {facts['number']} in {facts['queue']} is left to people: {why}"


def _returned(facts: Facts, _time: Time) -> str:
    return f"#{facts['reservation']} he got through by himself: nothing more is owed to him"


def _gap(facts: Facts, time: Time) -> str:
    when = f"nobody listened from {time(facts['since_at'])} to {time(facts['until_at'])}"
    if facts["why_not"]:
        return f"{when}; who called then is not known: {facts['why_not']}"
    return f"{when}; queue_log tells of {facts['calls']} calls that ended about then"


def _decided(facts: Facts, time: Time) -> str:
    when = f" for {time(facts['slot_at'])}" if "slot_at" in facts else ""
    return f"#{facts['reservation']} {facts['action']}{when} by {facts['who']}: {facts['why']}"


def _put_first(facts: Facts, _time: Time) -> str:
    return f"{facts['number']} calls again: he is put first in {facts['queue']}"


_LINES: dict[str, Callable[[Facts, Time], str]] = {
    "call": _call,
    "reserved": _reserved,
    "merged": _merged,
    "not-recovered": _not_recovered,
    "withdrawn": _withdrawn,
    "carried-over": _carried_over,
    "expired": _expired,
    "dialling": _dialling,
    "agent-connected": _agent_connected,
    "customer-dialled": _customer("the customer is being dialled"),
    "customer-answered": _customer("the customer answered"),
    "outcome": _outcome,
    "returned": _returned,
    "gap": _gap,
    "put-first": _put_first,
    "decided": _decided,
}
