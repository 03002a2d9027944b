"""Tells what happened, line by line: to people on standard output, to programs as JSON lines."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import IO, Any, Final
from zoneinfo import ZoneInfo

from callback.events import News
from callback.logs.masking import masked_news
from callback.logs.printable import as_json, printable
from callback.store import audit_words
from scheduler.clock import MINUTE, local

log = logging.getLogger(__name__)

Facts = dict[str, Any]
EARLIER_US: Final = MINUTE
"""An event that is older than this when it is told says so."""


class Narrator:
    """Writes each piece of news as one line, without whole numbers unless asked for; safe to call from any thread."""

    def __init__(
        self,
        zone: ZoneInfo,
        people: IO[str],
        programs: IO[str] | None = None,
        *,
        full_numbers: bool = False,
        now: Callable[[], int] | None = None,
    ) -> None:
        """Take where to write; with `now` each line says when it was written, so that they never run backwards."""
        self._now = now
        self._zone, self._people, self._programs, self._full_numbers = zone, people, programs, full_numbers
        self._lock = threading.Lock()
        self._deaf: list[IO[str]] = []

    def tell(self, news: Iterable[News]) -> None:
        """Write the news in order and flush. Who does not listen any more stops nothing: it is logged, once."""
        with self._lock:
            for piece in self.shown(news):
                record = {"event": piece.event, "at": piece.at, **piece.facts}
                self._write(self._people, self._line(piece))
                self._write(self._programs, as_json(record))

    def shown(self, news: Iterable[News]) -> list[News]:
        """Give the news as it may leave the service."""
        return [piece if self._full_numbers else masked_news(piece) for piece in news]

    def _write(self, stream: IO[str] | None, line: str) -> None:
        if stream is None or stream in self._deaf:
            return
        try:
            stream.write(f"{line}\n")  # at once: between a line and its end another thread's line would stand
            stream.flush()
        except (OSError, ValueError) as error:
            self._deaf.append(stream)
            log.error("%s takes no more news: %s", getattr(stream, "name", stream), error)  # noqa: TRY400

    def _line(self, piece: News) -> str:
        """Give the line; what it tells of lies earlier where it had to be found out, and then that is said."""
        written_at = self._now() if self._now else piece.at
        earlier = f" (at {self._time(piece.at)})" if written_at - piece.at >= EARLIER_US else ""
        return f"{self._time(written_at)}  {piece.event:<15} {self.sentence(piece)}{earlier}"

    def sentence(self, piece: News) -> str:
        """One piece of news in words, on one line."""
        return printable(" ".join(_LINES.get(piece.event, _plainly)(piece.facts, self._time).split()))

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
    text = "a text follows" if facts["text"] else "no text (`callback queue` says why)"
    text = "held until its incident has passed" if facts.get("held") else text
    by = f"aim {time(facts['aim_at'])}, deadline {time(facts['deadline_at'])}"
    return f"#{facts['reservation']} {facts['number']} for {facts['queue']}: {by} ({facts['promise']}); {text}"


def _merged(facts: Facts, time: Time) -> str:
    return f"#{facts['reservation']} lost again ({facts['losses']} times); deadline {time(facts['deadline_at'])}"


def _not_recovered(facts: Facts, _time: Time) -> str:
    return f"{facts['number'] or 'no number'}: {facts['why']}"


def _trunk_unclear(facts: Facts, _time: Time) -> str:
    return f"{facts['trunk']}: a number may be two people's, so it is not called; `callback doctor` says what to set"


def _withdrawn(facts: Facts, _time: Time) -> str:
    return f"#{facts['reservation']} the call was not lost after all"


def _held(facts: Facts, _time: Time) -> str:
    why = {"one-ring-burst": "many numbers of its block rang once"}.get(facts["why"], facts["why"])
    return f"#{facts['reservation']} is held until a person resumes it: {why}"


def _carried_over(facts: Facts, time: Time) -> str:
    again = f"due {time(facts['from_at'])}, deadline {time(facts['deadline_at'])}"
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


def _called_by_hand(facts: Facts, _time: Time) -> str:
    return f"#{facts['reservation']} {facts['phone']} rang the customer, and they talked: nothing more is owed"


def _rests_after_own_call(facts: Facts, time: Time) -> str:
    return f"#{facts['reservation']} {facts['phone']} rang the customer: not called before {time(facts['until_at'])}"


def _pbx_down(facts: Facts, time: Time) -> str:
    still = f"still away, since {time(facts['still_since_at'])}" if "still_since_at" in facts else "away"
    remedy = f"; {facts['remedy']}" if "remedy" in facts else ""
    return f"{facts['pbx']} is {still}: {facts['why']}{remedy}"


def _gap(facts: Facts, time: Time) -> str:
    when = f"nobody listened from {time(facts['since_at'])} to {time(facts['until_at'])}"
    if facts["why_not"]:
        return f"{when}; who called then is not known: {facts['why_not']}"
    logs = "queue_log and call records tell" if facts.get("recorded") else "queue_log tells"
    told = f"{when}; {logs} of {facts['calls']} calls that ended about then"
    if facts.get("unproved"):
        told += f", {facts['unproved']} of them not proved: nobody is called back for those unasked"
    if facts.get("forged"):
        told += f"; callers wrote {facts['forged']} lines of their own into it"
    if facts.get("recorded"):
        return told
    minutes = (facts["until_at"] - facts["since_at"]) / 60e6
    return (
        f"{told}; who came to no queue, or only talked, in these {minutes:.1f} minutes nobody can tell: see [pbx] cdr"
    )


def _decided(facts: Facts, time: Time) -> str:
    whose = f"#{facts['reservation']} " if "reservation" in facts else ""
    return f"{whose}{audit_words.words(facts['action'], facts, time)} by {facts['who']}: {facts['why']}"


def _cancelled(facts: Facts, _time: Time) -> str:
    return f"#{facts['reservation']}: {facts['why']}"


def _alarm(facts: Facts, time: Time) -> str:
    many = "1 more agent" if facts["more"] == 1 else f"{facts['more']} more agents"
    missed = f"{facts['missed']} of {facts['due']} will miss their time"
    return f"{facts['group']}: {missed}; {many} until {time(facts['until_at'])} would hold it"


def _alarm_over(facts: Facts, time: Time) -> str:
    return f"{facts['group']}: no promise is in danger any more (it was since {time(facts['raised_at'])})"


def _overdue(facts: Facts, time: Time) -> str:
    text = "a text says so" if facts["text"] else "no text, so nobody told the customer"
    return f"#{facts['reservation']} is overdue: told {time(facts['by_at'])}; {text}"


def _incident(facts: Facts, _time: Time) -> str:
    by = f" by {facts['who']}: {facts['why']}" if "who" in facts else ""
    lost = f" ({facts['losses']} calls lost)" if "losses" in facts else ""
    return f"{facts['incident']} {facts['cause']}{lost}: {_INCIDENT[facts['state']]}{by}"


_INCIDENT = {
    "holding": "nobody is called or texted for it until it has passed",
    "draining": "it has passed; those it held are called and texted bit by bit",
    "released": "those it held are let go, bit by bit",
    "dropped": "those it held are cancelled",
    "over": "it is over",
}


def _trunk_resting(facts: Facts, time: Time) -> str:
    words = "still fails" if facts["again"] else "failed several times in a row"
    return f"trunk {facts['trunk']} {words}: nobody is called over it until {time(facts['until_at'])}, then one"


def _trunk_back(facts: Facts, _time: Time) -> str:
    return f"trunk {facts['trunk']} works again"


def _stuck(facts: Facts, _time: Time) -> str:
    many = "1 text" if facts["texts"] == 1 else f"{facts['texts']} texts"
    lost = f", {facts['lost']} of them lost" if facts["lost"] else ""
    by = f" by {facts['line']}" if facts["line"] else ""
    return f"{many}{by} of the last hour{lost}: {facts['why']}"


def _agents_silent(facts: Facts, time: Time) -> str:
    rung = f"{facts['times']} callbacks of {facts['queue']} since {time(facts['since_at'])} found agents free"
    return f"{rung} who did not answer: let them pause, or look at their phones"


def _agents_back(facts: Facts, _time: Time) -> str:
    return f"an agent of {facts['queue']} has answered a callback again"


def _put_first(facts: Facts, _time: Time) -> str:
    return f"{facts['number']} calls again: he is put first in {facts['queue']}"


_LINES: dict[str, Callable[[Facts, Time], str]] = {
    "call": _call,
    "reserved": _reserved,
    "merged": _merged,
    "not-recovered": _not_recovered,
    "trunk-unclear": _trunk_unclear,
    "withdrawn": _withdrawn,
    "held": _held,
    "carried-over": _carried_over,
    "expired": _expired,
    "dialling": _dialling,
    "agent-connected": _agent_connected,
    "customer-dialled": _customer("the customer is being dialled"),
    "customer-answered": _customer("the customer answered"),
    "outcome": _outcome,
    "returned": _returned,
    "called-by-hand": _called_by_hand,
    "rests-after-own-call": _rests_after_own_call,
    "pbx-down": _pbx_down,
    "gap": _gap,
    "put-first": _put_first,
    "alarm": _alarm,
    "alarm-over": _alarm_over,
    "overdue": _overdue,
    "incident": _incident,
    "trunk-resting": _trunk_resting,
    "trunk-back": _trunk_back,
    "agents-silent": _agents_silent,
    "agents-back": _agents_back,
    "texts-refused": _stuck,
    "texts-delayed": _stuck,
    "decided": _decided,
    "cancelled": _cancelled,
    "site-key": lambda facts, _time: facts["why"],
}
