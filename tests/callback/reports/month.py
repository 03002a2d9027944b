"""A recorded month of a bank's calls, or made-up days in its form: imported from a log, or heard by the service."""

from __future__ import annotations

import csv
import gzip
import io
import os
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from callback.settings.rules import QueueRules, SiteRules
from callback.settings.sections import Trunk
from scheduler.clock import begins
from sms import reports as sms_reports
from sms.gateway import Report
from sms.outbox import text_outbox
from telephony.calls.call import Call, Kind, QueueVisit
from tests.callback.decisions.deciding import send_texts
from tests.callback.reports.rollups.rolling import ring
from tests.callback.world import MINUTE, US, World, picture

NAME: Final = "bank_1999_02.csv.gz"
ZONE: Final = ZoneInfo("Asia/Jerusalem")  # two hours ahead of UTC, all that February
OFFSET_US: Final = 2 * 3600 * US
YEAR: Final = 2027
"""In which its days fall on the same weekdays: Asterisk's log knows no time before September 2001."""
BEGAN: Final = begins(date(YEAR, 2, 1), ZONE)
TRUNKS: Final = {"main": Trunk(channel="PJSIP/trunk", region="IL", form="national")}
_HEADER: Final = "customer_id,type,date,vru_exit,vru_time,q_start,q_exit,outcome,ser_start,ser_exit"
_UNANSWERED: Final = "0:00:00"


@dataclass(frozen=True)
class Came:
    """One caller who wanted an agent; instants in microseconds UTC, `answered_at` None: hung up while waiting."""

    customer: str  # empty: unknown
    queue: str
    at: int
    answered_at: int | None
    over_at: int

    @property
    def day(self) -> int:
        """When the day began on which the caller came."""
        return (self.at + OFFSET_US) // (24 * 60 * MINUTE) * (24 * 60 * MINUTE) - OFFSET_US


def recorded() -> list[Came]:
    """The month, which is not in the repository."""
    where = os.environ.get("CALLBACK_CALLS", "")
    if not where or not Path(where).exists():
        pytest.skip(f"missing: the recorded month; set CALLBACK_CALLS to {NAME}, which is not in the repository")
    return read(gzip.decompress(Path(where).read_bytes()).decode())


def read(record: str) -> list[Came]:
    """The callers of a record who wanted an agent, in the order in which they came."""
    return sorted(_came(record), key=lambda one: one.at)


def _came(record: str) -> Iterator[Came]:
    for row in csv.DictReader(io.StringIO(record)):
        waited, outcome = row["q_start"] != _UNANSWERED, row["outcome"]
        if int(row["vru_time"]) < 0 or not (outcome == "AGENT" or (outcome == "HANG" and waited)):
            continue
        day = date.fromisoformat(row["date"]).replace(year=YEAR)
        at = _instant(day, row["q_start"] if waited else row["vru_exit"])
        if outcome == "AGENT":
            answered_at = max(at, _instant(day, row["ser_start"]))
            over_at = max(answered_at, _instant(day, row["ser_exit"]))
        else:
            answered_at, over_at = None, max(at, _instant(day, row["q_exit"]))
        yield Came(row["customer_id"].lstrip("0"), row["type"].strip().lower(), at, answered_at, over_at)


def _instant(day: date, clock: str) -> int:
    hours, minutes, seconds = map(int, clock.split(":"))
    return begins(day, ZONE) + (hours * 3600 + minutes * 60 + seconds) * US


def made_up(days: int = 3) -> str:
    """Some hundred calls a day from 7 to midnight, many of one customer; a third hang up, some of whom ring again."""
    chance, lines = random.Random(1999), [_HEADER]  # noqa: S311 - no secret
    for day in range(1, days + 1):
        seconds = sorted(chance.randrange(7 * 3600, 24 * 3600 - 900) for _ in range(150))
        for second in seconds:
            came = datetime(1999, 2, day) + timedelta(seconds=second)  # noqa: DTZ001 - a wall clock
            gone, done = came + timedelta(seconds=chance.randrange(1, 120)), came + timedelta(seconds=600)
            customer, queue = chance.randrange(1, 60) * chance.randrange(2), chance.choice(["PS", "NW", "IN"])
            entered = f"{customer},{queue},1999-02-{day:02},{came:%H:%M:%S},5"
            if chance.random() < 1 / 3:
                lines.append(f"{entered},{came:%H:%M:%S},{gone:%H:%M:%S},HANG,{_UNANSWERED},{_UNANSWERED}")
            else:
                waited = (
                    f"{came:%H:%M:%S},{gone:%H:%M:%S}" if chance.random() < 1 / 2 else f"{_UNANSWERED},{_UNANSWERED}"
                )
                lines.append(f"{entered},{waited},AGENT,{gone:%H:%M:%S},{done:%H:%M:%S}")
    return "\n".join(lines)


def numbers(calls: list[Came]) -> dict[str, str]:
    """A telephone number for each customer who is known."""
    customers = sorted({one.customer for one in calls} - {""})
    return {customer: f"050{2_000_000 + place}" for place, customer in enumerate(customers)}


def queue_log(calls: list[Came]) -> str:
    """The same as Asterisk would have logged it."""
    lines, known = list[tuple[int, str]](), numbers(calls)
    for place, one in enumerate(calls):
        name = f"{one.at // US}.{place}|{one.queue}"
        lines.append((one.at, f"{name}|NONE|ENTERQUEUE||{known.get(one.customer, '')}|1"))
        if one.answered_at is None:
            lines.append((one.over_at, f"{name}|NONE|ABANDON|1|1|{(one.over_at - one.at) // US}"))
            continue
        waited_s, talked_s = (one.answered_at - one.at) // US, (one.over_at - one.answered_at) // US
        lines.append((one.answered_at, f"{name}|SIP/7|CONNECT|{waited_s}|{one.answered_at // US}.{place}9|1"))
        lines.append((one.over_at, f"{name}|SIP/7|COMPLETECALLER|{waited_s}|{talked_s}|1"))
    return "".join(f"{at // US}|{line}\n" for at, line in sorted(lines, key=lambda line: line[0]))


def counted(calls: list[Came]) -> dict[tuple[int, str], Counter[str]]:
    """Calls, served and lost of each day and queue, counted here."""
    found: defaultdict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    for one in calls:
        found[one.day, one.queue].update(["calls", "lost" if one.answered_at is None else "served"])
    return found


def shift() -> SiteRules:
    """The rules of a site that takes these calls, and calls back from each queue."""
    on = QueueRules(texts="on", calls="on", caller_id="0312345678")
    queues = dict.fromkeys(("ps", "pe", "in", "ne", "nw", "tt"), on)
    return SiteRules(zone="Asia/Jerusalem", queues=queues, short_abandon_s=5)


class Replay:
    """The service hears these calls, calls back a while later with whatever end, texts, and is told how texts fared."""

    def __init__(self, world: World, calls: list[Came]) -> None:
        self.world, self.calls, self.chance = world, calls, random.Random(7)  # noqa: S311 - no secret
        self.now = calls[0].at
        self.numbers = numbers(calls)
        self._to_call, self._heard = list[int](), list[tuple[Call, Kind]]()

    def run(self) -> int:
        """Let it all happen; give when it is over."""
        for place, one in enumerate(sorted(self.calls, key=lambda one: one.over_at)):
            if self._to_call and self._to_call[0] <= one.over_at:
                self._commits()
                self._calls_back(one.over_at)
            self.now = one.over_at
            self._heard.append(self._call(place, one))
        self._commits()
        self._calls_back(self.now + 90 * MINUTE)
        return self.now + 120 * MINUTE

    def _commits(self) -> None:
        """Commit what was heard since the last callback, as the service does with what comes at once."""
        with self.world.store.write() as connection:
            for heard, kind in self._heard:
                self.world.hear_in(connection, heard, kind)
        self._heard.clear()

    def _call(self, place: int, one: Came) -> tuple[Call, Kind]:
        agent = "Agent One" if one.answered_at is not None else None
        visit = QueueVisit(
            one.queue, one.at, one.answered_at, agent, one.over_at, "connected" if agent else "abandoned"
        )
        name, number = f"{one.at // US}.{place}", self.numbers.get(one.customer)
        heard = Call(
            pbx="main", call_id=name, linkedid=name, channel="PJSIP/trunk-1", number=number, did="500",
            started_at=one.at, ended_at=one.over_at, seen_until=one.over_at, visits=(visit,),
        )  # fmt: skip
        kind: Kind = "abandoned" if agent is None else "served"
        if agent is None and one.customer:
            self._to_call += [one.over_at + self.chance.choice([2, 7, 20, 33, 50, 75]) * MINUTE]
            self._to_call.sort()
        return heard, kind

    def _calls_back(self, until: int) -> None:
        while self._to_call and self._to_call[0] <= until:
            self.now = self._to_call.pop(0)
            free = {queue: {"a", "b"} for queue in self.world.settings.rules.queues}
            for order in self.world.claims(self.now, picture(free=free), 1):
                self._ends(order.attempt)
            if self.chance.random() < 1 / 4:
                self._texts()

    def _ends(self, attempt: str) -> None:
        outcome = self.chance.choice(["reached", "reached", "no-answer", "busy", "agent-no-answer"])
        ring(self.world, attempt, outcome, self.now)
        self.world.end(attempt, outcome, self.now + 30 * US)

    def _texts(self) -> None:
        send_texts(self.world, self.now)
        newest = select(text_outbox).where(text_outbox.c.state == "sent").order_by(text_outbox.c.id.desc()).limit(3)
        with self.world.store.write() as connection:
            for row in connection.execute(newest).all():
                report = Report(row.gateway_ref, self.chance.choice(["sent", "undelivered", "delivered"]))
                sms_reports.take(connection, str(row.id), row.gateway, report, self.now)
